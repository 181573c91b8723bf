//! The settings of a source that asks one of the APIs, and the way from one cost to a charge's two.

use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Charge, Error, Problem};
use json_api::{From, Settings, from};

pub const SLOT: &str = "token";
const KEYS: [&str; 12] = [
    "mode",
    "url",
    "scope",
    "costs",
    "cost_column",
    "granularity",
    "group_by",
    "group_by_tags",
    "agreement",
    "currency",
    "months",
    "from",
];
const SCOPE: &str = "subscriptions/00000000-0000-0000-0000-000000000000";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exports,
    Query,
    Details,
}

/// The mode is read first, because each mode has settings of its own.
pub fn mode(config: &str) -> Result<Mode, Error> {
    let config = table_settings::settings(config)?;
    let words =
        [("exports", Mode::Exports), ("query", Mode::Query), ("usage_details", Mode::Details)];
    config.get("mode").map_or(Ok(Mode::Exports), |mode| table_settings::word("mode", mode, &words))
}

/// The two costs. An answer has one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    Actual,
    Amortized,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    Daily,
    Monthly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    Enterprise,
    Customer,
}

#[derive(Clone, Debug)]
pub struct Api {
    pub url: String,
    pub scope: String,
    pub from: From,
    pub months: i32,
    pub costs: Vec<Basis>,
    pub cost_column: String,
    pub granularity: Granularity,
    pub group_by: Vec<String>,
    pub group_by_tags: Vec<String>,
    pub agreement: Agreement,
    /// The currency of answers that do not name one.
    pub currency: Option<String>,
}

impl Api {
    pub fn parse(config: &str) -> Result<Api, Error> {
        let settings = Settings::read(config, &KEYS)?;
        let from = from(&settings)?;
        let both = vec![Basis::Actual, Basis::Amortized];
        let costs = [
            ("both", None),
            ("actual", Some(Basis::Actual)),
            ("amortized", Some(Basis::Amortized)),
        ];
        let granularity = [("daily", Granularity::Daily), ("monthly", Granularity::Monthly)];
        let agreement = [("ea", Agreement::Enterprise), ("mca", Agreement::Customer)];
        // A saved file does not say which of the costs it holds.
        let usual = if from == From::Files { Some(Basis::Actual) } else { None };
        let costs = settings.word("costs", &costs)?.unwrap_or(usual);
        if from == From::Files && costs.is_none() {
            let problem =
                Problem::new("files are of one of the two costs, and `costs` has to say which");
            return Err(Error::Config(problem.hint("costs = \"actual\"")));
        }
        Ok(Api {
            url: settings.url("url", "https://management.azure.com")?,
            scope: if from == From::Files {
                String::new()
            } else {
                scope(&settings.needed("scope", SCOPE)?)?
            },
            from,
            months: settings.months(1)?,
            costs: costs.map_or(both, |basis| vec![basis]),
            cost_column: settings.text("cost_column")?.unwrap_or_else(|| "Cost".into()),
            granularity: settings.word("granularity", &granularity)?.unwrap_or(Granularity::Daily),
            group_by: settings
                .texts("group_by")?
                .unwrap_or_else(|| vec!["ServiceName".into(), "ResourceGroup".into()]),
            group_by_tags: settings.texts("group_by_tags")?.unwrap_or_default(),
            agreement: settings.word("agreement", &agreement)?.unwrap_or(Agreement::Enterprise),
            currency: settings
                .text("currency")?
                .map_or(Ok(None), |_| settings.currency("currency", "USD").map(Some))?,
        })
    }

    pub fn dress(&self, request: Request) -> Request {
        request
            .header("accept", "application/json")
            .header("clienttype", "apportion")
            .secret(SLOT, Place::Bearer)
    }

    /// Sets the cost that the answer has. Two answers list the same usage: each gives one of the
    /// costs, and the actual one its quantity.
    pub fn place(&self, charge: &mut Charge, basis: Basis) {
        if self.costs.len() > 1 {
            match basis {
                Basis::Actual => charge.effective_cost = "0".into(),
                Basis::Amortized => {
                    charge.billed_cost = "0".into();
                    charge.consumed_quantity = None;
                }
            }
        }
    }
}

/// The scope becomes part of a URL's path, so it must not lead out of it.
fn scope(text: &str) -> Result<String, Error> {
    let scope = text.trim_matches('/');
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:() ".contains(c))
            && part.chars().any(|c| c != '.')
    };
    if scope.split('/').count() >= 2 && scope.split('/').all(is_part) {
        return Ok(scope.replace(' ', "%20"));
    }
    let kinds = "subscriptions/ID, subscriptions/ID/resourceGroups/NAME, \
        providers/Microsoft.Billing/billingAccounts/ID, \
        providers/Microsoft.Management/managementGroups/NAME";
    Err(Error::Config(
        Problem::new(format!("scope cannot be \"{text}\"")).hint(format!("it is one of {kinds}")),
    ))
}
