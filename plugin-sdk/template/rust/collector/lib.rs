//! The collector `my-plugin`: the charges of a vendor's HTTP API.
//!
//! `GET /costs?page=1&page_size=100&start=2026-03-01&end=2026-04-01` answers
//!
//! ```json
//! {
//!   "rows": [
//!     {"day": "2026-03-01", "service": "Mail", "amount": "12.50", "currency": "EUR",
//!      "team": "search"}
//!   ],
//!   "next": 2
//! }
//! ```
//!
//! Change `reply` to what your API answers, and `ask` to what it is asked.

use apportion_plugin_sdk::http::{self, Place};
use apportion_plugin_sdk::{
    Batch, Charge, Collector, Error, Kind, Manifest, Period, Rejected, Request, Rows, Tag,
    register_collector,
};
use serde_json::Value;

/// The slot of the secret. The operator keeps its value, and the plugin never sees it.
const SLOT: &str = "token";
const PAGE_SIZE: u64 = 100;

struct MyPlugin {
    settings: Settings,
    period: Option<Period>,
    /// The page to ask for; `None` after the last one.
    page: Option<u64>,
}

struct Settings {
    base_url: String,
    page_size: u64,
}

impl Settings {
    fn parse(config: &str) -> Result<Settings, Error> {
        let config: Value = serde_json::from_str(config)
            .map_err(|error| Error::config(format!("the settings are not JSON: {error}")))?;
        let base_url = config["base_url"]
            .as_str()
            .ok_or_else(|| Error::config("`base_url` is missing"))?;
        let page_size = match &config["page_size"] {
            Value::Null => PAGE_SIZE,
            size => size
                .as_u64()
                .filter(|size| *size > 0)
                .ok_or_else(|| Error::config("`page_size` is no number from 1 on"))?,
        };
        Ok(Settings {
            base_url: base_url.trim_end_matches('/').into(),
            page_size,
        })
    }
}

impl Collector for MyPlugin {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Collector,
            "my-plugin",
            env!("CARGO_PKG_VERSION"),
            "What the vendor charged",
        )
        .power("http", "to ask the vendor's API")
        .config_schema(include_str!("../config-schema.json"))
        .stream("charges", "one charge a row of the bill")
        .restated_for_days(3)
    }

    fn open(request: Request) -> Result<MyPlugin, Error> {
        Ok(MyPlugin {
            settings: Settings::parse(&request.config)?,
            period: request.period,
            page: Some(1),
        })
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(page) = self.page else {
            return Ok(None);
        };
        let body = ask(&self.settings, self.period.as_ref(), page)?;
        let (batch, next) = reply(&body, page)?;
        self.page = next;
        Ok(Some(batch))
    }
}

fn ask(settings: &Settings, period: Option<&Period>, page: u64) -> Result<String, Error> {
    let mut request = http::Request::get(format!("{}/costs", settings.base_url))
        .parameter("page", &page.to_string())
        .parameter("page_size", &settings.page_size.to_string())
        .secret(SLOT, Place::Bearer);
    if let Some(period) = period {
        request = request
            .parameter("start", &period.start)
            .parameter("end", &period.end);
    }
    let url = request.url.clone();
    Ok(http::send(&request)?.well(&url)?.text()?.to_owned())
}

/// The charges of one page, and the number of the next one.
fn reply(body: &str, page: u64) -> Result<(Batch, Option<u64>), Error> {
    let broken = |what: &str| {
        Error::Unavailable(format!("page {page} of the API is not understood: {what}"))
    };
    let value: Value = serde_json::from_str(body).map_err(|error| broken(&error.to_string()))?;
    let rows = value["rows"]
        .as_array()
        .ok_or_else(|| broken("it has no list `rows`"))?;
    let next = match value.get("next") {
        None | Some(Value::Null) => None,
        // Pages are numbered. A next page that is not a later one would never end.
        Some(next) => Some(
            next.as_u64()
                .filter(|next| *next > page)
                .ok_or_else(|| broken("`next` is not a later page"))?,
        ),
    };
    let mut charges = Vec::with_capacity(rows.len());
    let mut rejected = Vec::new();
    for (number, row) in (1..).zip(rows) {
        match charge(row) {
            Ok(charge) => charges.push(charge),
            Err(reason) => rejected.push(Rejected {
                location: format!("page {page}, row {number}"),
                reason,
                excerpt: row.to_string().chars().take(200).collect(),
            }),
        }
    }
    Ok((
        Batch {
            rejected,
            ..Batch::new(Rows::Charges(charges))
        },
        next,
    ))
}

/// A row as a charge, or the reason why it is none. Rows are never dropped or guessed.
fn charge(row: &Value) -> Result<Charge, String> {
    let text = |name: &str| match &row[name] {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("`{name}` is missing")),
    };
    let amount = text("amount")?;
    Ok(Charge {
        charge_period_start: format!("{}T00:00:00Z", text("day")?),
        billed_cost: amount.clone(),
        effective_cost: amount,
        billing_currency: text("currency")?,
        service_name: text("service")?,
        charge_category: "Usage".into(),
        tags: text("team")
            .map(|value| Tag {
                key: "team".into(),
                value,
            })
            .into_iter()
            .collect(),
        ..Charge::default()
    })
}

register_collector!(MyPlugin);

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{
        "rows": [
            {"day": "2026-03-01", "service": "Mail", "amount": 0.10, "currency": "EUR",
             "team": "search"},
            {"day": "2026-03-02"}
        ],
        "next": 2
    }"#;

    #[test]
    fn rows_become_charges_and_keep_their_digits() {
        let (batch, next) = reply(PAGE, 1).expect("a page");
        let Rows::Charges(charges) = batch.rows else {
            panic!("typed charges")
        };
        assert_eq!(
            (charges.len(), charges[0].billed_cost.as_str(), next),
            (1, "0.10", Some(2))
        );
    }

    #[test]
    fn rows_that_are_not_understood_are_set_aside() {
        let (batch, _) = reply(PAGE, 1).expect("a page");
        assert_eq!(batch.rejected[0].location, "page 1, row 2");
        assert_eq!(batch.rejected[0].reason, "`amount` is missing");
    }

    #[test]
    fn pages_that_go_round_in_a_circle_are_refused() {
        let error = reply(r#"{"rows": [], "next": 1}"#, 1).err();
        assert_eq!(
            error,
            Some(Error::Unavailable(
                "page 1 of the API is not understood: `next` is not a later page".into()
            ))
        );
    }
}
