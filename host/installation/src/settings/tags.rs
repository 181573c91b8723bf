//! `[tags.NAME]`: the spellings of one tag.

use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use crate::reading::Reading;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::tag::{TagRule, TagSchema};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use toml::Spanned;

section! {
    /// The spellings of one tag.
    pub struct TagSection {
        /// Other keys that mean the same, in order of preference; keys match in any case.
        pub synonyms: Setting<Synonyms> = Setting::default_of(Synonyms::default()),
        /// Whether values are lower-cased and trimmed.
        pub fold_values: Setting<bool> = Setting::default_of(false),
        /// Other values that mean the same, compared after folding.
        pub values: Setting<BTreeMap<String, String>> = Setting::default_of(BTreeMap::new()),
    }
}

/// Keys with their places in the file.
#[derive(Clone, Debug, Default)]
pub struct Synonyms(Vec<Spanned<String>>);

impl SettingValue for Synonyms {
    type Written = Vec<Spanned<String>>;

    fn read(written: Vec<Spanned<String>>) -> (Synonyms, Vec<SettingFault>) {
        (Synonyms(written), Vec::new())
    }

    fn shown(&self) -> Value {
        self.0.iter().map(|key| key.get_ref().as_str()).collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }
}

/// The tags of all sections. A key that would mean two tags is refused.
pub fn schema_of(
    sections: &BTreeMap<String, TagSection>,
    reading: &Reading<'_>,
    findings: &mut Vec<Diagnostic>,
) -> TagSchema {
    let mut owners: HashMap<String, Vec<&str>> = HashMap::new();
    let mut rules = Vec::new();
    for (name, section) in sections {
        owners.entry(name.to_lowercase()).or_default().push(name);
        for synonym in &section.synonyms.value.0 {
            let owners_here = owners.entry(synonym.get_ref().to_lowercase()).or_default();
            match owners_here.iter().find(|owner| *owner != name) {
                Some(owner) => {
                    let message = format!(
                        "'{}' would mean both the tag '{owner}' and the tag '{name}'",
                        synonym.get_ref()
                    );
                    let finding = reading.finding(CONFIG_VALUE, &synonym.span(), message);
                    findings.push(finding.hint("give each key to one tag"));
                }
                None => owners_here.push(name),
            }
        }
        let synonyms = section.synonyms.value.0.iter();
        rules.push(TagRule {
            name: name.clone(),
            synonyms: synonyms.map(|synonym| synonym.get_ref().clone()).collect(),
            fold_values: section.fold_values.value,
            value_synonyms: section.values.value.clone(),
        });
    }
    TagSchema { rules }
}
