//! Settings that take one of a few words.

use super::setting::{Origin, Setting, SettingFault, SettingValue};
use crate::env_var;
use domain::diagnostic::did_you_mean;
use pipeline::source::{DeliveryExtent, RepeatPolicy};
use rule_engine::options::{FailingCases, UnknownTeams};
use serde_json::{Value, json};

/// A setting that takes one of a few words.
pub trait Word: Copy + PartialEq + 'static {
    const ALL: &'static [(&'static str, Self)];
    /// What is said of another text.
    const REFUSAL: &'static str;
    /// The word that is meant as long as the settings are refused.
    const FALLBACK: Self;

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, word)| *word)
    }

    fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(name, _)| *name).collect()
    }
}

impl<W: Word> SettingValue for W {
    type Written = String;

    fn read(written: String) -> (W, Vec<SettingFault>) {
        match W::by_name(&written) {
            Some(word) => (word, Vec::new()),
            None => {
                let message = format!("'{written}' {}", W::REFUSAL);
                (W::FALLBACK, vec![SettingFault::new(message, hint::<W>(&written))])
            }
        }
    }

    fn shown(&self) -> Value {
        let word = W::ALL.iter().find(|(_, known)| known == self);
        word.map_or(Value::Null, |(name, _)| (*name).into())
    }

    fn schema() -> Value {
        json!({ "enum": W::names() })
    }
}

impl Word for UnknownTeams {
    const ALL: &'static [(&'static str, UnknownTeams)] = &[
        (UnknownTeams::Allow.name(), UnknownTeams::Allow),
        (UnknownTeams::Warn.name(), UnknownTeams::Warn),
        (UnknownTeams::Refuse.name(), UnknownTeams::Refuse),
    ];
    const REFUSAL: &'static str = "is not a way to treat unknown teams";
    const FALLBACK: UnknownTeams = UnknownTeams::Allow;
}

impl Word for FailingCases {
    const ALL: &'static [(&'static str, FailingCases)] =
        &[("refuse", FailingCases::Refuse), ("warn", FailingCases::Warn)];
    const REFUSAL: &'static str = "is not a way to treat failing cases";
    const FALLBACK: FailingCases = FailingCases::Refuse;
}

impl Word for DeliveryExtent {
    const ALL: &'static [(&'static str, DeliveryExtent)] =
        &[("billing_period", DeliveryExtent::BillingPeriod), ("day", DeliveryExtent::Day)];
    const REFUSAL: &'static str = "is nothing that a delivery states as a whole";
    const FALLBACK: DeliveryExtent = DeliveryExtent::BillingPeriod;
}

impl Word for RepeatPolicy {
    const ALL: &'static [(&'static str, RepeatPolicy)] =
        &[("refuse", RepeatPolicy::Refuse), ("count", RepeatPolicy::Count)];
    const REFUSAL: &'static str = "is not a way to treat repeated charges";
    const FALLBACK: RepeatPolicy = RepeatPolicy::Refuse;
}

/// A word that a variable says instead of the file.
pub fn of_environment<W: Word>(
    variable: &'static str,
    setting: &mut Setting<W>,
    refuse: &mut dyn FnMut(String, String),
) {
    let Some(text) = env_var::value(variable) else { return };
    let text = text.to_string_lossy();
    match W::by_name(&text) {
        Some(word) => *setting = Setting::from(word, Origin::Env(variable)),
        None => refuse(format!("{variable} is '{text}'"), hint::<W>(&text)),
    }
}

/// The hint where none of the words is written.
fn hint<W: Word>(written: &str) -> String {
    match did_you_mean(written, W::names()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("write one of: {}", W::names().join(", ")),
    }
}
