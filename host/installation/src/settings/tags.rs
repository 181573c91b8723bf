//! `[tags.NAME]`: the spellings of one tag.

use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use crate::reading::Reading;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::tag::{TagRule, TagSchema, folded_key, folded_value};
use reach::toml_table;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

section! {
    /// The spellings of one tag.
    pub struct TagSection {
        /// Other keys that mean the same, in order of preference; keys match in any case.
        pub synonyms: Setting<Synonyms> = Setting::default_of(Synonyms::default()),
        /// Whether values are lower-cased and trimmed.
        pub fold_values: Setting<bool> = Setting::default_of(false),
        /// Other values that mean the same, compared after folding.
        pub values: Setting<ValueSynonyms> =
            Setting::default_of(ValueSynonyms::default()),
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

/// Spellings of values with what they mean, and with their places in the file.
#[derive(Clone, Debug, Default)]
pub struct ValueSynonyms(BTreeMap<Spanned<String>, String>);

impl SettingValue for ValueSynonyms {
    type Written = BTreeMap<Spanned<String>, String>;

    fn read(written: BTreeMap<Spanned<String>, String>) -> (ValueSynonyms, Vec<SettingFault>) {
        (ValueSynonyms(written), Vec::new())
    }

    fn shown(&self) -> Value {
        let pairs = self.0.iter();
        pairs.map(|(spelling, meant)| (spelling.get_ref().as_str(), meant.as_str())).collect()
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

/// The tags of all sections. A key that would mean two tags is refused, and so is a value that
/// would mean two values.
pub fn schema_of(
    sections: &BTreeMap<String, Spanned<TagSection>>,
    reading: &Reading<'_>,
    findings: &mut Vec<Diagnostic>,
) -> TagSchema {
    refuse_shared_keys(sections, reading, findings);
    let mut rule = |(name, section): (&String, &Spanned<TagSection>)| {
        let section = section.get_ref();
        let synonyms = section.synonyms.value.0.iter();
        TagRule {
            name: name.clone(),
            synonyms: synonyms.map(|synonym| synonym.get_ref().clone()).collect(),
            fold_values: section.fold_values.value,
            value_synonyms: value_synonyms(section, reading, findings),
        }
    };
    TagSchema { rules: sections.iter().map(&mut rule).collect(), absent: Vec::new() }
}

/// Finds keys of two sections that the tag reader takes for one. All tags of the second section
/// would be read as those of the first.
fn refuse_shared_keys(
    sections: &BTreeMap<String, Spanned<TagSection>>,
    reading: &Reading<'_>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut claims: Vec<(Range<usize>, &str, &str)> = Vec::new();
    for (name, section) in sections {
        claims.push((section.span(), name, name));
        let synonyms = section.get_ref().synonyms.value.0.iter();
        claims.extend(synonyms.map(|key| (key.span(), key.get_ref().as_str(), name.as_str())));
    }
    // In the order of the file, so that the second place is the one that is refused.
    claims.sort_by_key(|(span, ..)| span.start);
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (span, key, name) in claims {
        let owner = *owners.entry(folded_key(key)).or_insert(name);
        if owner != name {
            let message = format!("'{key}' would mean both the tag '{owner}' and the tag '{name}'");
            let hint = Hint::text("keys match in any case: leave this one to ")
                .then(Hint::setting(toml_table::header(&["tags", owner])))
                .then(" or to ")
                .then(Hint::setting(toml_table::header(&["tags", name])));
            findings.push(reading.finding(CONFIG_VALUE, &span, message).hint(hint));
        }
    }
}

/// Spellings as the tag reader compares them. Two that it takes for one must mean the same.
fn value_synonyms(
    section: &TagSection,
    reading: &Reading<'_>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut spellings: Vec<_> = section.values.value.0.iter().collect();
    spellings.sort_by_key(|(spelling, _)| spelling.span().start);
    let mut synonyms: BTreeMap<String, String> = BTreeMap::new();
    for (spelling, meant) in spellings {
        let written = spelling.get_ref();
        let compared =
            if section.fold_values.value { folded_value(written) } else { written.clone() };
        let known = synonyms.entry(compared).or_insert_with(|| meant.clone());
        if known != meant {
            let message = format!("the value '{written}' would mean both '{known}' and '{meant}'");
            let hint = "with fold_values, values match in any case and without spaces around them: \
                        keep one of these spellings";
            findings.push(reading.finding(CONFIG_VALUE, &spelling.span(), message).hint(hint));
        }
    }
    synonyms
}
