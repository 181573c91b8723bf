//! Costs by organization. The parts of a product's cost are charges; their total is not.

use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Charge, Error, Field};
use json_api::{
    Api, Fault, From, Node, Rows, Service, Settings, Then, Window, charge, dimension, from, tag,
};

pub const SLOTS: [&str; 2] = ["api_key", "application_key"];
/// The charge type of a product's total, which repeats its parts.
const TOTAL: &str = "total";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    Historical,
    Estimated,
}

#[derive(Debug)]
pub struct Options {
    pub url: String,
    pub from: From,
    pub months: i32,
    currency: String,
    view: &'static str,
    cost: Basis,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let settings =
            Settings::read(config, &["site", "url", "view", "cost", "months", "currency", "from"])?;
        let site = settings.text("site")?.map_or_else(
            || Ok("datadoghq.com".to_owned()),
            |_| settings.segment("site", "datadoghq.eu"),
        )?;
        Ok(Options {
            url: settings.url("url", &format!("https://api.{site}"))?,
            from: from(&settings)?,
            months: settings.months(3)?,
            currency: settings.currency("currency", "USD")?,
            view: settings
                .word("view", &[("summary", "summary"), ("sub-org", "sub-org")])?
                .unwrap_or("sub-org"),
            cost: settings
                .word(
                    "cost",
                    &[("historical", Basis::Historical), ("estimated", Basis::Estimated)],
                )?
                .unwrap_or(Basis::Historical),
        })
    }
}

/// One request for all months.
pub fn requests(options: &Options, window: Window) -> Vec<((), Request)> {
    let months = window.months();
    let (Some(first), Some(last)) = (months.first(), months.last()) else { return Vec::new() };
    let month = |day: &json_api::Day| day.to_string().get(..7).unwrap_or_default().to_owned();
    let name = match options.cost {
        Basis::Historical => "historical_cost",
        Basis::Estimated => "estimated_cost",
    };
    let request = Request::get(format!("{}/api/v2/usage/{name}", options.url))
        .parameter("view", options.view)
        .parameter("start_month", &month(first))
        .parameter("end_month", &month(last))
        .header("accept", "application/json")
        .secret(SLOTS[0], Place::Header("DD-API-KEY".into()))
        .secret(SLOTS[1], Place::Header("DD-APPLICATION-KEY".into()));
    vec![((), request)]
}

pub struct Costs {
    currency: String,
}

impl Costs {
    pub fn new(options: &Options) -> Costs {
        Costs { currency: options.currency.clone() }
    }

    /// The cost of an organization's product in a month.
    fn row(&self, organization: &Node, part: &Node, parts: &[Node]) -> Result<Vec<Charge>, Fault> {
        let product = part.at("product_name")?.text()?;
        // A total repeats its parts. A product without parts has only its total.
        if part.at("charge_type")?.text()? == TOTAL && has_parts(parts, product) {
            return Ok(Vec::new());
        }
        Ok(vec![self.part(organization, part, product)?])
    }

    fn part(&self, organization: &Node, part: &Node, product: &str) -> Result<Charge, Fault> {
        let kind = part.at("charge_type")?.text()?;
        let (category, pricing) =
            if kind == "committed" { ("Purchase", Some("Committed")) } else { ("Usage", None) };
        let start = organization.at("date")?.day()?.midnight();
        let mut charge =
            charge(start, part.at("cost")?.amount()?, &self.currency, product, category);
        for (field, value) in [
            (Field::ProviderName, Some("Datadog")),
            (Field::SubAccountId, organization.text_of("public_id")?),
            (Field::SubAccountName, organization.text_of("org_name")?),
            (Field::BillingAccountId, organization.text_of("account_public_id")?),
            (Field::BillingAccountName, organization.text_of("account_name")?),
            (Field::RegionId, organization.text_of("region")?),
            (Field::SkuId, Some(product)),
            (Field::ChargeDescription, Some(format!("{product} {kind}").as_str())),
            (Field::PricingCategory, pricing),
        ] {
            dimension(&mut charge, field, value);
        }
        tag(&mut charge, "charge_type", Some(kind));
        Ok(charge)
    }
}

fn has_parts(parts: &[Node], product: &str) -> bool {
    let says = |part: &Node, key: &str, is: &dyn Fn(&str) -> bool| matches!(part.text_of(key), Ok(Some(text)) if is(text));
    parts.iter().any(|part| {
        says(part, "product_name", &|name| name == product)
            && says(part, "charge_type", &|kind| kind != TOTAL)
    })
}

fn parts<'a>(row: &Node<'a>) -> Result<(Node<'a>, Vec<Node<'a>>), Fault> {
    let organization = row.at("attributes")?;
    let parts = organization.at("charges")?.items()?;
    Ok((organization, parts))
}

impl Service for Costs {
    type Kind = ();

    fn api(&self) -> Api {
        Api {
            name: "Datadog",
            credential: "the application key needs the scopes `usage_read` and `billing_read`, \
                and both keys must be of the site in the settings",
        }
    }

    fn kind(&self, answer: &Node) -> Option<()> {
        answer.get("data").map(|_| ())
    }

    fn read(&mut self, (): (), answer: &Node, rows: &mut Rows) -> Result<Vec<Then<()>>, Fault> {
        for row in answer.at("data")?.items()? {
            match parts(&row) {
                Ok((organization, parts)) => parts
                    .iter()
                    .for_each(|part| rows.take(part, |part| self.row(&organization, part, &parts))),
                Err(fault) => rows.take(&row, |_| Err(fault)),
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[path = "tests/cost.rs"]
mod tests;
