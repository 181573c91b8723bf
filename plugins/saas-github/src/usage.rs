//! Reports of billed usage. One has a date for each item. The others cover the period that was
//! asked for.

use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Charge, Error, Field, Problem};
use json_api::{
    Api, Day, Fault, From, Node, Rows, Service, Settings, Then, Window, charge, dimension, from,
    tag,
};

pub const SLOT: &str = "token";
/// The currency of GitHub's bills, which its answers do not name.
const CURRENCY: &str = "USD";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Usage,
    Summary,
    PremiumRequests,
    AiCredits,
}

impl Report {
    const ALL: [(&str, Report); 4] = [
        ("usage", Report::Usage),
        ("summary", Report::Summary),
        ("premium_requests", Report::PremiumRequests),
        ("ai_credits", Report::AiCredits),
    ];

    fn path(self) -> &'static str {
        match self {
            Report::Usage => "usage",
            Report::Summary => "usage/summary",
            Report::PremiumRequests => "premium_request/usage",
            Report::AiCredits => "ai_credit/usage",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Month,
    Day,
}

#[derive(Debug)]
pub struct Options {
    pub url: String,
    pub from: From,
    pub months: i32,
    organization: Option<String>,
    reports: Vec<Report>,
    step: Step,
    skip_products: Vec<String>,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let settings = Settings::read(
            config,
            &["organization", "reports", "step", "skip_products", "url", "months", "from"],
        )?;
        let from = from(&settings)?;
        let organization = match from {
            From::Api => Some(settings.segment("organization", "acme")?),
            From::Files => None,
        };
        let reports =
            settings.words("reports", &Report::ALL)?.unwrap_or_else(|| vec![Report::Usage]);
        if reports.contains(&Report::Usage) && reports.contains(&Report::Summary) {
            let problem = Problem::new(
                "the reports `usage` and `summary` are about the same costs, which would count \
                 twice",
            );
            return Err(Error::Config(problem.hint("reports = [\"usage\"]")));
        }
        Ok(Options {
            url: settings.url("url", "https://api.github.com")?,
            from,
            months: settings.months(1)?,
            organization,
            reports,
            step: settings
                .word("step", &[("month", Step::Month), ("day", Step::Day)])?
                .unwrap_or(Step::Month),
            skip_products: settings.texts("skip_products")?.unwrap_or_default(),
        })
    }

    /// A warning where a report repeats costs of the report on all usage.
    pub fn counted_twice(&self) -> Option<Problem> {
        let is = |wanted: &[Report]| self.reports.iter().any(|report| wanted.contains(report));
        let twice = is(&[Report::Usage, Report::Summary])
            && is(&[Report::PremiumRequests, Report::AiCredits])
            && self.skip_products.is_empty();
        let problem = Problem::new(
            "premium requests and AI credits are in the report of usage too, and would count twice",
        );
        twice.then(|| problem.hint("skip_products = [\"Copilot\"]"))
    }
}

pub fn requests(options: &Options, window: Window) -> Result<Vec<(Report, Request)>, Error> {
    let organization = options
        .organization
        .as_deref()
        .ok_or_else(|| Error::Bug("there is no organization".into()))?;
    let mut requests = Vec::new();
    for report in &options.reports {
        // The report of usage has the day of each item, and a whole month costs one request.
        let step = if *report == Report::Usage { Step::Month } else { options.step };
        let starts = match step {
            Step::Month => window.months(),
            Step::Day => window.days(),
        };
        for start in starts {
            let (year, month, day) = start.civil();
            let url = format!(
                "{}/organizations/{organization}/settings/billing/{}",
                options.url,
                report.path()
            );
            let request = Request::get(url)
                .parameter("year", &year.to_string())
                .parameter("month", &month.to_string());
            let request = if step == Step::Day {
                request.parameter("day", &day.to_string())
            } else {
                request
            };
            let request = request
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28");
            requests.push((
                *report,
                request.header("user-agent", "apportion").secret(SLOT, Place::Bearer),
            ));
        }
    }
    Ok(requests)
}

pub struct Usage {
    skip_products: Vec<String>,
}

impl Usage {
    pub fn new(options: &Options) -> Usage {
        Usage { skip_products: options.skip_products.clone() }
    }

    fn item(
        &self,
        report: Report,
        item: &Node,
        period: Option<Day>,
        organization: Option<&str>,
    ) -> Result<Vec<Charge>, Fault> {
        let product = item.at("product")?.text()?;
        let is_whole = matches!(report, Report::Usage | Report::Summary);
        if is_whole
            && self.skip_products.iter().any(|skipped| skipped.eq_ignore_ascii_case(product))
        {
            return Ok(Vec::new());
        }
        let start = match period {
            Some(period) => period,
            None => item.at("date")?.day()?,
        };
        let (sku, repository) = (item.text_of("sku")?, item.text_of("repositoryName")?);
        let organization = item.text_of("organizationName")?.or(organization);
        let mut charge =
            charge(start.midnight(), item.at("netAmount")?.amount()?, CURRENCY, product, "Usage");
        for (field, value) in [
            (Field::ProviderName, Some("GitHub")),
            (Field::SubAccountId, organization),
            (Field::SubAccountName, organization),
            (Field::SkuId, sku),
            (Field::ChargeDescription, sku),
            (Field::ResourceId, repository),
            (Field::ResourceName, repository),
            (Field::ResourceType, repository.map(|_| "repository")),
            (Field::ConsumedUnit, item.text_of("unitType")?),
            (Field::PricingUnit, item.text_of("unitType")?),
        ] {
            dimension(&mut charge, field, value);
        }
        tag(&mut charge, "repository", repository);
        tag(&mut charge, "model", item.text_of("model")?);
        Ok(vec![charge])
    }
}

/// The first day of a report's period.
fn period(answer: &Node) -> Result<Day, Fault> {
    let period = answer.at("timePeriod")?;
    let part = |key: &str| period.get(key).map_or(Ok(1), |node| node.whole());
    let (year, month, day) = (period.at("year")?.whole()?, part("month")?, part("day")?);
    Day::from_numbers(year, month, day)
        .ok_or_else(|| period.fault(format!("there is no day {year}-{month}-{day}")))
}

impl Service for Usage {
    type Kind = Report;

    fn api(&self) -> Api {
        Api {
            name: "GitHub",
            credential: "the token must be of an owner or billing manager of the organization, \
                with the permission `Administration: read` (fine-grained) or the scope `read:org`",
        }
    }

    fn kind(&self, answer: &Node) -> Option<Report> {
        let items = answer.get("usageItems")?.items().ok()?;
        if answer.get("timePeriod").is_none() {
            return Some(Report::Usage);
        }
        let has = |key: &str, value: &str| {
            items.iter().any(|item| {
                item.text_of(key)
                    .ok()
                    .flatten()
                    .is_some_and(|text| text.eq_ignore_ascii_case(value))
            })
        };
        let has_model = items.iter().any(|item| item.get("model").is_some());
        Some(match (has_model, has("unitType", "credits")) {
            (true, true) => Report::AiCredits,
            (true, false) => Report::PremiumRequests,
            (false, _) => Report::Summary,
        })
    }

    fn read(
        &mut self,
        report: Report,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Report>>, Fault> {
        let period = if report == Report::Usage { None } else { Some(period(answer)?) };
        let organization = answer.text_of("organization")?;
        for item in answer.at("usageItems")?.items()? {
            rows.take(&item, |item| self.item(report, item, period, organization));
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[path = "tests/usage.rs"]
mod tests;
