//! The types that settings have, each with the values it takes.

use super::setting::{SettingFault, SettingValue};
use domain::diagnostic::did_you_mean;
use domain::field::Field;
use domain::period::Day;
use domain::schedule::Schedule;
use serde_json::{Value, json};
use std::path::PathBuf;
use toml::Spanned;

/// The powers that a plugin can be granted.
pub const POWERS: [&str; 7] = [
    "table-decode",
    "file",
    "http",
    "kubernetes",
    "aws-cost-explorer",
    "aws-organizations",
    "object-store",
];

/// A whole number within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Count<MIN, MAX> {
    pub fn new(count: u64) -> Count<MIN, MAX> {
        Count(count.clamp(MIN, MAX))
    }

    pub fn get(self) -> u64 {
        self.0
    }

    pub fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> SettingValue for Count<MIN, MAX> {
    type Written = u64;

    fn read(written: u64) -> (Count<MIN, MAX>, Vec<SettingFault>) {
        let refusal = || {
            SettingFault::new(
                format!("NAME = {written} is out of bounds"),
                format!("use {MIN} to {MAX}"),
            )
        };
        let is_good = (MIN..=MAX).contains(&written);
        (Count::new(written), if is_good { Vec::new() } else { vec![refusal()] })
    }

    fn shown(&self) -> Value {
        self.0.into()
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl SettingValue for bool {
    type Written = bool;

    fn read(written: bool) -> (bool, Vec<SettingFault>) {
        (written, Vec::new())
    }

    fn shown(&self) -> Value {
        (*self).into()
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl SettingValue for String {
    type Written = String;

    fn read(written: String) -> (String, Vec<SettingFault>) {
        (written, Vec::new())
    }

    fn shown(&self) -> Value {
        self.as_str().into()
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// A text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonEmpty(pub String);

impl SettingValue for NonEmpty {
    type Written = String;

    fn read(written: String) -> (NonEmpty, Vec<SettingFault>) {
        let empty = || SettingFault::new("NAME is empty", "write a text, or leave the line out");
        let faults = if written.trim().is_empty() { vec![empty()] } else { Vec::new() };
        (NonEmpty(written), faults)
    }

    fn shown(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Reads each text of a list. A text that is refused is a fault at its own place.
pub fn list<T>(
    written: Vec<Spanned<String>>,
    read: impl Fn(&str) -> Result<T, SettingFault>,
) -> (Vec<T>, Vec<SettingFault>) {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for text in written {
        match read(text.get_ref()) {
            Ok(value) => values.push(value),
            Err(fault) => faults.push(fault.at(text.span())),
        }
    }
    (values, faults)
}

/// A path, which must not be empty. Relative ones start at the folder of the settings file.
impl SettingValue for PathBuf {
    type Written = String;

    fn read(written: String) -> (PathBuf, Vec<SettingFault>) {
        let hint = "write a path, or leave the line out";
        let empty = || SettingFault::new("a path cannot be empty", hint);
        let refusals = if written.is_empty() { vec![empty()] } else { Vec::new() };
        (PathBuf::from(written), refusals)
    }

    fn shown(&self) -> Value {
        self.display().to_string().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl SettingValue for Vec<String> {
    type Written = Vec<String>;

    fn read(written: Vec<String>) -> (Vec<String>, Vec<SettingFault>) {
        (written, Vec::new())
    }

    fn shown(&self) -> Value {
        self.iter().map(String::as_str).collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }
}

/// Nothing unless it is written.
impl<T: SettingValue> SettingValue for Option<T> {
    type Written = T::Written;

    fn read(written: T::Written) -> (Option<T>, Vec<SettingFault>) {
        let (value, refusals) = T::read(written);
        (Some(value), refusals)
    }

    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::shown)
    }

    fn schema() -> Value {
        T::schema()
    }
}

/// Names of powers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers(pub Vec<String>);

impl Powers {
    pub fn all() -> Powers {
        Powers(POWERS.map(str::to_owned).into())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl SettingValue for Powers {
    type Written = Vec<Spanned<String>>;

    fn read(written: Vec<Spanned<String>>) -> (Powers, Vec<SettingFault>) {
        let unknown = |power: &&Spanned<String>| !POWERS.contains(&power.get_ref().as_str());
        let refusal = |power: &Spanned<String>| {
            let name = power.get_ref();
            let hint = match did_you_mean(name, POWERS) {
                Some(meant) => format!("Did you mean `{meant}`?"),
                None => format!("the powers are: {}", POWERS.join(", ")),
            };
            let message = format!("there is no power '{name}' that could be granted");
            SettingFault::new(message, hint).at(power.span())
        };
        let refusals = written.iter().filter(unknown).map(refusal).collect();
        (Powers(written.into_iter().map(Spanned::into_inner).collect()), refusals)
    }

    fn shown(&self) -> Value {
        self.0.shown()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "enum": POWERS } })
    }
}

impl SettingValue for Vec<Field> {
    type Written = Vec<Spanned<String>>;

    fn read(written: Vec<Spanned<String>>) -> (Vec<Field>, Vec<SettingFault>) {
        let (mut fields, mut refusals) = (Vec::new(), Vec::new());
        for written in written {
            let name = written.get_ref();
            match Field::by_name(name) {
                Some(field) if fields.contains(&field) => {
                    let twice =
                        SettingFault::new(format!("'{name}' stands here twice"), "write it once");
                    refusals.push(twice.at(written.span()));
                }
                Some(field) => fields.push(field),
                None => refusals.push(unknown_dimension(name).at(written.span())),
            }
        }
        (fields, refusals)
    }

    fn shown(&self) -> Value {
        self.iter().map(|field| field.name()).collect()
    }

    fn schema() -> Value {
        let names: Vec<&str> = Field::all().map(Field::name).collect();
        json!({ "type": "array", "uniqueItems": true, "items": { "enum": names } })
    }
}

fn unknown_dimension(name: &str) -> SettingFault {
    let known: Vec<&str> = Field::all().map(Field::name).collect();
    let hint = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("the dimensions are: {}", known.join(", ")),
    };
    SettingFault::new(format!("there is no dimension '{name}'"), hint)
}

impl SettingValue for Day {
    type Written = String;

    fn read(written: String) -> (Day, Vec<SettingFault>) {
        match written.parse() {
            Ok(day) => (day, Vec::new()),
            Err(_) => {
                let message = format!("'{written}' is not a day");
                let refusal = SettingFault::new(message, "write `since = \"2026-01-01\"`");
                (Day::from_epoch(0), vec![refusal])
            }
        }
    }

    fn shown(&self) -> Value {
        self.to_string().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "date" })
    }
}

/// A schedule, where the one that is written can be read.
#[derive(Clone, Debug, Default)]
pub struct Times(pub Option<Schedule>);

impl SettingValue for Times {
    type Written = String;

    fn read(written: String) -> (Times, Vec<SettingFault>) {
        match written.parse() {
            Ok(schedule) => (Times(Some(schedule)), Vec::new()),
            Err(error) => {
                let message = format!("'{written}' is not a schedule: {error}");
                let hint = "write one as cron has them, in UTC: `schedule = \"15 */6 * * *\"`";
                (Times(None), vec![SettingFault::new(message, hint)])
            }
        }
    }

    fn shown(&self) -> Value {
        self.0.as_ref().map(ToString::to_string).into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "examples": ["15 */6 * * *"] })
    }
}

/// Settings of a plugin, which its own schema checks.
#[derive(Clone, Debug)]
pub struct PluginConfig(pub Value);

impl Default for PluginConfig {
    fn default() -> PluginConfig {
        PluginConfig(json!({}))
    }
}

impl SettingValue for PluginConfig {
    type Written = toml::Table;

    fn read(written: toml::Table) -> (PluginConfig, Vec<SettingFault>) {
        (PluginConfig(as_json(&toml::Value::Table(written))), Vec::new())
    }

    fn shown(&self) -> Value {
        self.0.clone()
    }

    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

/// TOML as JSON; dates become text.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => {
            serde_json::Number::from_f64(*number).map_or(Value::Null, Value::Number)
        }
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(values) => values.iter().map(as_json).collect(),
        toml::Value::Table(members) => Value::Object(
            members.iter().map(|(key, value)| (key.clone(), as_json(value))).collect(),
        ),
    }
}
