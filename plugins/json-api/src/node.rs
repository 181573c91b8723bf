//! A value in an answer and its place, read strictly.

use apportion_plugin_sdk::Rejected;
use exact::day::Day;
use serde_json::Value;

/// Characters of a rejected row that are shown.
const EXCERPT_CHARS: usize = 200;

/// A value in an answer and its JSON pointer.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub value: &'a Value,
    /// The place, such as `costs#/data/0`.
    pub place: String,
}

/// The place of a value that is not understood, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub place: String,
    pub reason: String,
}

impl<'a> Node<'a> {
    /// The whole answer, under a name for messages.
    pub fn root(name: &str, value: &'a Value) -> Node<'a> {
        Node { value, place: format!("{name}#") }
    }

    fn child(&self, key: &str, value: &'a Value) -> Node<'a> {
        Node {
            value,
            place: format!("{}/{}", self.place, key.replace('~', "~0").replace('/', "~1")),
        }
    }

    /// A member that has to be there; `null` does not count.
    pub fn at(&self, key: &str) -> Result<Node<'a>, Fault> {
        if !self.value.is_object() {
            return Err(self.fault(format!("it is {}, not an object", kind(self.value))));
        }
        self.get(key).ok_or_else(|| self.fault(format!("it has no `{key}`")))
    }

    /// A member that may be missing or null.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.value.get(key).filter(|value| !value.is_null()).map(|value| self.child(key, value))
    }

    pub fn items(&self) -> Result<Vec<Node<'a>>, Fault> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.fault(format!("it is {}, not a list", kind(self.value))))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(position, value)| self.child(&position.to_string(), value))
            .collect())
    }

    pub fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>, Fault> {
        let members = self
            .value
            .as_object()
            .ok_or_else(|| self.fault(format!("it is {}, not an object", kind(self.value))))?;
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.child(key, value))).collect())
    }

    pub fn text(&self) -> Result<&'a str, Fault> {
        self.value
            .as_str()
            .ok_or_else(|| self.fault(format!("it is {}, not text", kind(self.value))))
    }

    /// A number, or a text that holds one, with all its digits.
    pub fn amount(&self) -> Result<String, Fault> {
        let text = match self.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            other => return Err(self.fault(format!("it is {}, not a number", kind(other)))),
        };
        if is_number(&text) {
            Ok(text)
        } else {
            Err(self.fault(format!("'{text}' is not a number")))
        }
    }

    pub fn whole(&self) -> Result<i64, Fault> {
        let text = self.amount()?;
        text.parse().map_err(|_| self.fault(format!("{text} is not a whole number")))
    }

    pub fn flag(&self) -> Result<bool, Fault> {
        self.value
            .as_bool()
            .ok_or_else(|| self.fault(format!("it is {}, not true or false", kind(self.value))))
    }

    /// The day of a date, or of a time in UTC with or without its zone.
    pub fn day(&self) -> Result<Day, Fault> {
        let text = self.text()?;
        let refuse =
            || self.fault(format!("'{text}' is not a day such as 2026-03-31, or a time in UTC"));
        let (date, time) = (text.get(..10).ok_or_else(refuse)?, text.get(10..).unwrap_or_default());
        let time = time.strip_suffix('Z').or_else(|| time.strip_suffix(" UTC")).unwrap_or(time);
        let is_time = time.is_empty()
            || (time.starts_with(['T', ' '])
                && time.bytes().skip(1).all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)));
        if is_time { Day::parse(date).map_err(|_| refuse()) } else { Err(refuse()) }
    }

    /// The text of a member that may be missing, null or empty; other types are faults.
    pub fn text_of(&self, key: &str) -> Result<Option<&'a str>, Fault> {
        self.get(key)
            .map(|node| node.text())
            .transpose()
            .map(|text| text.filter(|text| !text.is_empty()))
    }

    pub fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { place: self.place.clone(), reason: reason.into() }
    }

    /// The row at this place, set aside for a fault in it.
    pub fn rejected(&self, fault: Fault) -> Rejected {
        Rejected {
            location: fault.place,
            reason: fault.reason,
            excerpt: self.value.to_string().chars().take(EXCERPT_CHARS).collect(),
        }
    }
}

/// Whether a text is a number by the rules of JSON; a plus before it is allowed.
pub(crate) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let unsigned = |text: &str| text.strip_prefix(['-', '+']).unwrap_or(text).to_owned();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa
        .split_once('.')
        .map_or((mantissa.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    is_digits(whole)
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(&unsigned(exponent)))
}

pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_faults_their_place() {
        let value: Value = serde_json::from_str(
            r#"{"a": [{"b/c": 213.49134985110248065, "d": "6.035e-7",
                "e": {}, "f": "1,5", "g": null}]}"#,
        )
        .unwrap();
        let row = &Node::root("page", &value).at("a").unwrap().items().unwrap()[0];
        assert_eq!(row.at("b/c").unwrap().amount().as_deref(), Ok("213.49134985110248065"));
        assert_eq!(row.at("d").unwrap().amount().as_deref(), Ok("6.035e-7"));
        let fault = |key: &str| {
            row.at(key)
                .and_then(|node| node.amount())
                .map_err(|fault| format!("{}: {}", fault.place, fault.reason))
        };
        assert_eq!(fault("e"), Err("page#/a/0/e: it is an object, not a number".into()));
        assert_eq!(fault("f"), Err("page#/a/0/f: '1,5' is not a number".into()));
        assert_eq!(fault("g"), Err("page#/a/0: it has no `g`".into()));
        assert_eq!(row.at("b/c").unwrap().text().unwrap_err().place, "page#/a/0/b~1c");
        assert_eq!(
            row.at("b/c").unwrap().whole().unwrap_err().reason,
            "213.49134985110248065 is not a whole number"
        );
    }

    #[test]
    fn days_are_those_of_utc() {
        let day = |text: &str| {
            Node::root("a", &Value::from(text))
                .day()
                .map(|day| day.to_string())
                .map_err(|fault| fault.reason)
        };
        for text in [
            "2026-03-31",
            "2026-03-31T10:00:00Z",
            "2026-03-31T10:00:00",
            "2026-03-31 10:00:00.5 UTC",
            "2026-03-31T00:00:00.0000000Z",
        ] {
            assert_eq!(day(text).as_deref(), Ok("2026-03-31"), "{text}");
        }
        for text in
            ["", "2026-02-29", "2026-03-31T10:00:00+02:00", "2026-03-31 PST", "March", "20260331"]
        {
            assert_eq!(
                day(text),
                Err(format!("'{text}' is not a day such as 2026-03-31, or a time in UTC"))
            );
        }
    }

    #[test]
    fn only_numbers_are_numbers() {
        for text in ["0", "-1.5", "+2", "1E-8", "1e+21"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", ".", "1.", ".5", "NaN", "Infinity", "1e", "0x1", "--1", "1 2"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
