//! `details`: what is kept of charges beside their resource and amounts.

use super::setting::{SettingFault, SettingValue};
use domain::charge::KeptDetails;
use domain::diagnostic::did_you_mean;
use serde_json::{Value, json};
use toml::Spanned;

impl SettingValue for KeptDetails {
    type Written = Vec<Spanned<String>>;

    fn read(written: Vec<Spanned<String>>) -> (KeptDetails, Vec<SettingFault>) {
        let (mut kept, mut refusals) = (KeptDetails::NONE, Vec::new());
        for written in written {
            let name = written.get_ref();
            match kept.by_name(name) {
                Some(true) => {
                    let twice =
                        SettingFault::new(format!("'{name}' stands here twice"), "write it once");
                    refusals.push(twice.at(written.span()));
                }
                Some(is_kept) => *is_kept = true,
                None => refusals.push(unknown_detail(name).at(written.span())),
            }
        }
        (kept, refusals)
    }

    fn shown(&self) -> Value {
        self.names().into_iter().collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "uniqueItems": true, "items": { "enum": KeptDetails::NAMES } })
    }
}

fn unknown_detail(name: &str) -> SettingFault {
    let hint = match did_you_mean(name, KeptDetails::NAMES) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("the details are: {}", KeptDetails::NAMES.join(", ")),
    };
    SettingFault::new(format!("charges have no details '{name}'"), hint)
}
