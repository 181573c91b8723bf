//! The settings that decide money beside the rules. They are part of a generation, so a change of
//! them is planned, approved and remembered like a change of a rule.
//!
//! Where files lie, and when and how often they are read, decides nothing here: that changes the
//! bills and not the way in which they are read.

use crate::settings::Settings;
use crate::settings::section::Section;
use crate::settings::setting::Origin;
use crate::settings::source::SourceSettings;
use crate::sources::kept;
use domain::charge::KeptDetails;
use reach::toml_table;
use rule_engine::digest;
use rule_engine::options::UnknownTeams;
use std::collections::BTreeMap;

/// The settings of a source that decide how its bills are read.
const OF_SOURCES: [&str; 12] = [
    "plugin",
    "delimiter",
    "delivery",
    "repeats",
    "encoding",
    "skip_lines",
    "decimal_comma",
    "accrues_for",
    "accrues_by",
    "settled_after_days",
    "formerly",
    "config",
];
const DIMENSIONS: &str = "dimensions";
const ABSENT_VALUES: &str = "absent_values";

/// By section, as it is written in the settings file, with its text. Defaults are left out, so that
/// a new setting with a default leaves generations as they are. Allocators stand with the digests
/// of their components.
pub fn money_settings(
    settings: &Settings,
    allocators: &BTreeMap<String, Vec<u8>>,
) -> Vec<(String, String)> {
    let dimensions: Vec<&str> =
        settings.dimensions.value.iter().map(|field| field.name()).collect();
    let mut texts = vec![(DIMENSIONS.to_owned(), lines(dimensions))];
    if settings.unknown_teams.value == UnknownTeams::Refuse {
        texts.push(("unknown_teams".into(), UnknownTeams::Refuse.name().into()));
    }
    if settings.absent_values.origin != Origin::Default {
        let values = settings.absent_values.value.iter().map(String::as_str).collect();
        texts.push((ABSENT_VALUES.into(), lines::<&str>(values)));
    }
    for (name, section) in &settings.tags {
        texts.push((tag_header(name), written(&mut section.get_ref().clone(), |_| true)));
    }
    texts.extend(
        settings.sources().map(|source| (source_header(&source.name), of_source(settings, source))),
    );
    texts.extend(
        allocators
            .iter()
            .map(|(name, digest)| (toml_table::header(&["allocators", name]), digest::hex(digest))),
    );
    texts
}

/// Whether the settings of this section take effect when a source is collected.
pub fn is_read_by(section: &str, source: &str) -> bool {
    [DIMENSIONS, ABSENT_VALUES].contains(&section)
        || section.starts_with("[tags.")
        || section == source_header(source)
}

fn tag_header(name: &str) -> String {
    toml_table::header(&["tags", name])
}

pub fn source_header(name: &str) -> String {
    toml_table::header(&["sources", name])
}

fn of_source(settings: &Settings, source: &SourceSettings) -> String {
    let mut text = written(&mut source.clone(), |key| OF_SOURCES.contains(&key));
    // Of the source, or of the installation.
    let kept = kept(settings, source);
    if kept != KeptDetails::default() {
        text.push_str(&format!("details = {}\n", kept.names().join(", ")));
    }
    text
}

/// The settings that are written in the file, one a line.
fn written(section: &mut dyn Section, counts: impl Fn(&str) -> bool) -> String {
    let mut texts = Vec::new();
    section.each("", &mut |key, setting| {
        if counts(key) && *setting.origin() != Origin::Default {
            texts.push(format!("{key} = {}", setting.shown()));
        }
    });
    lines(texts)
}

fn lines<T: AsRef<str>>(texts: Vec<T>) -> String {
    texts.iter().map(|text| format!("{}\n", text.as_ref())).collect()
}
