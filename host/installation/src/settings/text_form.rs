//! How the text tables of a source are written.

use super::setting::{SettingFault, SettingValue};
use domain::text_form::Encoding;
use serde_json::{Value, json};

/// The character between the cells of CSV files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl SettingValue for Delimiter {
    type Written = String;

    fn read(written: String) -> (Delimiter, Vec<SettingFault>) {
        match written.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => {
                (Delimiter(*byte), Vec::new())
            }
            _ => {
                let message = format!("'{}' cannot separate cells", written.escape_default());
                let hint = "write one character, such as \",\", \";\" or \"\\t\"";
                (Delimiter(b','), vec![SettingFault::new(message, hint)])
            }
        }
    }

    fn shown(&self) -> Value {
        char::from(self.0).to_string().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": 1 })
    }
}

impl SettingValue for Encoding {
    type Written = String;

    fn read(written: String) -> (Encoding, Vec<SettingFault>) {
        let known = Encoding::ALL.map(Encoding::name);
        match Encoding::by_name(&written.to_ascii_lowercase()) {
            Some(encoding) => (encoding, Vec::new()),
            None => {
                let message = format!("'{written}' is no encoding that is known here");
                let hint = format!("there are: {}", known.join(", "));
                (Encoding::Utf8, vec![SettingFault::new(message, hint)])
            }
        }
    }

    fn shown(&self) -> Value {
        self.name().into()
    }

    fn schema() -> Value {
        json!({ "type": "string", "enum": Encoding::ALL.map(Encoding::name) })
    }
}
