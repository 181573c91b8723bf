//! Parts that several documents have.
//!
//! A document is an answer as it is shown. The command line, the API and the API's description are
//! made from the same type, so a field is written once.

use domain::axis::Axis;
use domain::diagnostic::{Diagnostic, Location};
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, Period, instant};
use domain::port::PluginIdentity;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An amount is decimal text and never a JSON number: readers round those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Amount")]
pub struct AmountDocument {
    #[schemars(extend("pattern" = r"^-?[0-9]+\.[0-9]{9}$", "example" = "12.340000000"))]
    amount: String,
    #[schemars(extend("pattern" = "^[A-Z]{3}$", "example" = "EUR"))]
    currency: String,
}

impl AmountDocument {
    pub fn new(currency: Currency, amount: Sum) -> AmountDocument {
        AmountDocument { amount: amount.to_string(), currency: currency.to_string() }
    }

    /// One amount a currency: currencies are never added together.
    pub fn list(amounts: &[(Currency, Sum)]) -> Vec<AmountDocument> {
        amounts.iter().map(|(currency, amount)| AmountDocument::new(*currency, *amount)).collect()
    }
}

/// The days that an answer goes by: posting (what was owed; a closed month never changes) or charge
/// (what was consumed, as it is known now).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct AxisText(#[schemars(extend("enum" = ["posting", "charge"]))] &'static str);

impl From<Axis> for AxisText {
    fn from(axis: Axis) -> AxisText {
        AxisText(axis.name())
    }
}

/// A month such as 2026-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct MonthText(#[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}$"))] String);

impl From<Month> for MonthText {
    fn from(month: Month) -> MonthText {
        MonthText(month.to_string())
    }
}

/// A date such as 2026-03-31.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct DateText(#[schemars(extend("format" = "date"))] String);

impl From<Day> for DateText {
    fn from(day: Day) -> DateText {
        DateText(day.to_string())
    }
}

/// A moment such as 2026-03-31T06:07:08.009Z.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct TimeText(#[schemars(extend("format" = "date-time"))] String);

impl TimeText {
    pub fn at(at_ms: i64) -> TimeText {
        TimeText(instant(at_ms))
    }
}

/// Both days are included; null where the side is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Period")]
pub struct PeriodDocument {
    start_date: Option<DateText>,
    end_date: Option<DateText>,
}

impl From<Period> for PeriodDocument {
    fn from(period: Period) -> PeriodDocument {
        let all = Period::all();
        PeriodDocument {
            start_date: (period.start() != all.start()).then(|| period.start().into()),
            end_date: (period.end() != all.end()).then(|| period.end().plus(-1).into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PluginIdentity")]
pub struct PluginDocument {
    name: String,
    version: String,
    digest: String,
}

impl From<&PluginIdentity> for PluginDocument {
    fn from(plugin: &PluginIdentity) -> PluginDocument {
        let PluginIdentity { name, version, digest } = plugin.clone();
        PluginDocument { name, version, digest }
    }
}

/// A finding as the command line shows it: its readers can run commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct DiagnosticDocument {
    code: &'static str,
    message: String,
    /// file:line:column.
    location: Option<String>,
    hint: Option<String>,
}

impl From<&Diagnostic> for DiagnosticDocument {
    fn from(diagnostic: &Diagnostic) -> DiagnosticDocument {
        DiagnosticDocument {
            code: diagnostic.code.text(),
            message: diagnostic.message.clone(),
            location: diagnostic.location.as_ref().map(Location::to_string),
            hint: diagnostic.hint_text(),
        }
    }
}

/// Values by the names of what they are grouped by.
pub fn keyed(names: &[String], values: &[String]) -> BTreeMap<String, String> {
    names.iter().cloned().zip(values.iter().cloned()).collect()
}
