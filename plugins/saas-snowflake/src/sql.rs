//! The settings, and the SQL statement for them.

use crate::statement::Answer;
use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Error, Problem};
use json_api::{From, Settings, Window, from};
use serde_json::json;

pub const SLOT: &str = "token";
/// How long Snowflake works on a statement before it answers that it is not done.
const SECONDS: u32 = 45;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Credits,
    Currency,
}

#[derive(Debug)]
pub struct Options {
    pub url: String,
    pub from: From,
    pub months: i32,
    pub report: Report,
    /// The price of a credit, as a decimal.
    pub price: Option<String>,
    /// Prices of a credit by kind of service.
    pub prices: Vec<(String, String)>,
    pub currency: String,
    pub account: Option<String>,
    token_type: &'static str,
    role: Option<String>,
    warehouse: Option<String>,
}

const KEYS: [&str; 11] = [
    "url",
    "report",
    "price_per_credit",
    "prices",
    "currency",
    "account",
    "token_type",
    "role",
    "warehouse",
    "months",
    "from",
];
const REPORTS: [(&str, Report); 2] = [("credits", Report::Credits), ("currency", Report::Currency)];
const TOKEN_TYPES: [(&str, &str); 3] =
    [("pat", "PROGRAMMATIC_ACCESS_TOKEN"), ("oauth", "OAUTH"), ("keypair", "KEYPAIR_JWT")];

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let settings = Settings::read(config, &KEYS)?;
        let from = from(&settings)?;
        let report = settings.word("report", &REPORTS)?.unwrap_or(Report::Credits);
        let (price, prices) = (settings.decimal("price_per_credit")?, settings.decimals("prices")?);
        if report == Report::Credits && price.is_none() {
            let problem = Problem::new(
                "the setting `price_per_credit` is missing: Snowflake counts credits, and the \
                 contract says what one costs",
            );
            return Err(Error::Config(problem.hint("config = { price_per_credit = \"3.00\" }")));
        }
        let example = "https://myorg-account1.snowflakecomputing.com";
        let url = match from {
            From::Api => {
                settings.needed("url", example).and_then(|_| settings.url("url", example))?
            }
            From::Files => String::new(),
        };
        Ok(Options {
            url,
            from,
            months: settings.months(1)?,
            report,
            price,
            prices,
            currency: settings.currency("currency", "USD")?,
            account: settings.text("account")?,
            token_type: settings
                .word("token_type", &TOKEN_TYPES)?
                .unwrap_or("PROGRAMMATIC_ACCESS_TOKEN"),
            role: settings.text("role")?,
            warehouse: settings.text("warehouse")?,
        })
    }

    /// A request about a statement.
    pub fn get(&self, path: &str) -> Request {
        self.dress(Request::get(format!("{}{path}", self.url)))
    }

    fn dress(&self, request: Request) -> Request {
        let request =
            request.header("accept", "application/json").header("user-agent", "apportion/0.1");
        request
            .header("x-snowflake-authorization-token-type", self.token_type)
            .secret(SLOT, Place::Bearer)
    }

    /// The price of a credit for a kind of service.
    pub fn price_of(&self, service: &str) -> Option<&str> {
        let own = self.prices.iter().find(|(name, _)| name.eq_ignore_ascii_case(service));
        own.map(|(_, price)| price.as_str()).or(self.price.as_deref())
    }
}

pub fn request(options: &Options, window: Window) -> Option<(Answer, Request)> {
    if window.is_empty() {
        return None;
    }
    let mut body = json!({ "statement": statement(options.report, window), "timeout": SECONDS });
    for (key, value) in [("role", &options.role), ("warehouse", &options.warehouse)] {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(key.into(), value.as_str().into());
        }
    }
    let request = Request::query(format!("{}/api/v2/statements", options.url), body.to_string());
    Some((Answer::First, options.dress(request.header("content-type", "application/json"))))
}

/// The statement. Days and amounts are cast to text, so that no session format and no float changes
/// them.
fn statement(report: Report, window: Window) -> String {
    let days = format!("USAGE_DATE >= '{}' AND USAGE_DATE < '{}'", window.start, window.end);
    let day = "TO_VARCHAR(USAGE_DATE, 'YYYY-MM-DD') AS USAGE_DATE";
    match report {
        Report::Credits => format!(
            "SELECT {day}, SERVICE_TYPE, TO_VARCHAR(SUM(CREDITS_BILLED)) AS CREDITS_BILLED \
             FROM SNOWFLAKE.ACCOUNT_USAGE.METERING_DAILY_HISTORY WHERE {days} GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        Report::Currency => format!(
            "SELECT {day}, ACCOUNT_LOCATOR, ACCOUNT_NAME, REGION, SERVICE_TYPE, USAGE_TYPE, RATING_TYPE, IS_ADJUSTMENT, CURRENCY, \
             TO_VARCHAR(SUM(USAGE_IN_CURRENCY)) AS USAGE_IN_CURRENCY \
             FROM SNOWFLAKE.ORGANIZATION_USAGE.USAGE_IN_CURRENCY_DAILY WHERE {days} \
             GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
        ),
    }
}
