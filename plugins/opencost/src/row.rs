//! Members of JSON objects, read without losing a digit, and the results of a document.

use apportion_plugin_sdk::{Charge, Rejected, Usage};
use exact::day::Day;
use exact::decimal::Decimal;
use serde_json::{Map, Value};

pub type Object = Map<String, Value>;

/// The results of an answer.
#[derive(Debug, Default)]
pub struct Found {
    pub charges: Vec<Charge>,
    pub usage: Vec<Usage>,
    pub rejected: Vec<Rejected>,
    pub warnings: Vec<String>,
    /// The number of rows in the answer, rejected ones included.
    pub rows: usize,
}

impl Found {
    pub fn reject(&mut self, location: &str, reason: String, row: &Value) {
        self.rejected.push(Rejected {
            location: location.to_owned(),
            reason,
            excerpt: row.to_string().chars().take(EXCERPT_CHARS).collect(),
        });
    }

    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

const EXCERPT_CHARS: usize = 200;

/// A number. A missing one is zero, because older versions have fewer costs. OpenCost writes null
/// for a number that it could not compute.
pub fn number(row: &Object, name: &str) -> Result<Decimal, String> {
    match row.get(name) {
        None => Ok(Decimal::zero()),
        Some(Value::Number(number)) => {
            Decimal::parse(&number.to_string()).map_err(|error| format!("{name}: {error}"))
        }
        Some(Value::Null) => {
            Err(format!("{name} is null, which OpenCost writes for what it could not compute"))
        }
        Some(other) => Err(format!("{name}: {other} is not a number")),
    }
}

/// A text that is not empty.
pub fn text<'a>(row: &'a Object, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

pub fn object<'a>(row: &'a Object, name: &str) -> Option<&'a Object> {
    row.get(name).and_then(Value::as_object)
}

/// The window of time of a row.
#[derive(Clone, Debug)]
pub struct Window {
    pub start: String,
    /// Whether the window is longer than a day.
    pub is_long: bool,
}

/// The window of the row, or of the set that it is in.
pub fn window(row: &Object, set: Option<&Object>) -> Result<Window, String> {
    let window =
        object(row, "window").or(set).ok_or("it has no window, so that it is of no day")?;
    let (Some(start), Some(end)) = (text(window, "start"), text(window, "end")) else {
        return Err("its window has no start or no end".into());
    };
    let day = |text: &str| Day::parse(text).map_err(|error| format!("its window: {error}"));
    Ok(Window { start: start.to_owned(), is_long: day(start)?.plus(1) < day(end)? })
}
