//! Raw cells → resources: one word for each thing, whatever its spelling in the bill.
//!
//! This is the cold half. It runs once for each distinct row identity, in the thread that sees it
//! first.

use crate::billed_days::BilledDays;
use crate::cell::says_nothing;
use crate::columns::{Identity, TableReading};
use crate::interner::{RowClass, RowTable, lock};
use crate::replaced_text;
use crate::terms::KnownTerms;
use decode::Cells;
use domain::dictionary::{Dictionary, Resource, ResourceId, Symbol, TagSetId};
use domain::field::{Field, canonical_value};
use domain::money::Currency;
use domain::period::Day;
use domain::tag::{self, RawTags, TagSchema};
use foldhash::{HashMap, HashMapExt};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The row identities of one table, over all threads. Another table may mean something else by the
/// same cells.
pub struct Identities<'a, 'r> {
    pub reading: &'a TableReading,
    registry: &'a Mutex<Registry<'r>>,
    known: Mutex<IdentityTable>,
    pub terms: KnownTerms<'a, 'r>,
}

#[derive(Default)]
struct IdentityTable {
    table: RowTable,
    reasons: Vec<Reason>,
    /// By column, the first id that was rounded as a number.
    rounded: BTreeMap<usize, String>,
    /// By column, the first text with a character that was replaced.
    replaced: BTreeMap<usize, String>,
}

/// A row identity, as far as threads need it.
#[derive(Clone, Copy)]
pub struct RowIdentity {
    pub class: RowClass,
    /// A resource with its currency and its digest.
    pub resource: Option<(ResourceId, Currency, u128)>,
}

/// The reason why rows of one identity cannot be charges, with the scan column at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub column: Option<usize>,
    pub text: String,
}

impl<'a, 'r> Identities<'a, 'r> {
    pub fn new(reading: &'a TableReading, registry: &'a Mutex<Registry<'r>>) -> Identities<'a, 'r> {
        let terms = KnownTerms::new(reading, registry);
        Identities { reading, registry, known: Mutex::default(), terms }
    }

    /// Looks up rows of a batch by their hashes, and reads the cells of rows that no thread has
    /// seen before.
    ///
    /// All rows of a batch go under one lock. With a lock for each row, the threads would mostly
    /// wait for each other.
    pub fn resolve(
        &self,
        rows: &[usize],
        hashes: &[(u64, u64)],
        columns: &[(usize, Cells<'_>)],
        mut take: impl FnMut(usize, RowIdentity),
    ) {
        let (mut known, mut registry) = (lock(&self.known), lock(self.registry));
        let IdentityTable { table, reasons, rounded, replaced } = &mut *known;
        for row in rows {
            let class = table.find(hashes[*row]).unwrap_or_else(|| {
                let class = registry.read(self.reading, columns, *row).unwrap_or_else(|reason| {
                    reasons.push(reason);
                    RowClass::Rejected(reasons.len() as u32 - 1)
                });
                note_rounded(rounded, self.reading, columns, *row);
                replaced_text::note(replaced, columns, *row);
                table.insert(hashes[*row], class);
                class
            });
            take(*row, registry.identity(class));
        }
    }

    /// Whether an estimate does not count any more.
    pub fn gives_way(&self, billed: &BilledDays, day: Day, of: ResourceId) -> bool {
        billed.gives_way(day, &lock(self.registry).dictionary, of)
    }

    /// The names of columns of ids whose cells were rounded as numbers, each with one of them.
    pub fn rounded(&self) -> Vec<(String, String)> {
        self.named(&lock(&self.known).rounded)
    }

    /// Columns whose texts have replaced characters, each with one such text.
    pub fn replaced(&self) -> Vec<(String, String)> {
        self.named(&lock(&self.known).replaced)
    }

    fn named(&self, texts: &BTreeMap<usize, String>) -> Vec<(String, String)> {
        let named = |(column, text): (&usize, &String)| {
            (self.reading.name(*column).to_owned(), text.clone())
        };
        texts.iter().map(named).collect()
    }

    pub fn reason(&self, number: u32) -> Reason {
        lock(&self.known)
            .reasons
            .get(number as usize)
            .cloned()
            .unwrap_or(Reason { column: None, text: String::new() })
    }
}

/// Spreadsheets show long ids as `1.23457E+11`, and save what they show.
fn note_rounded(
    rounded: &mut BTreeMap<usize, String>,
    reading: &TableReading,
    columns: &[(usize, Cells<'_>)],
    row: usize,
) {
    for ((_, identity), (column, cells)) in reading.identity.iter().zip(columns) {
        let Identity::Dimension(field) = identity else { continue };
        if field.name().ends_with("_id") && is_rounded(cells.plain(row)) {
            rounded.entry(*column).or_insert_with(|| cells.text(row).into_owned());
        }
    }
}

/// Whether a text is a number with a power of ten.
fn is_rounded(text: &[u8]) -> bool {
    // Most ids begin with a letter.
    if !text.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let Some(at) = text.iter().position(|byte| matches!(byte, b'E' | b'e')) else { return false };
    let (number, power) = (&text[..at], &text[at + 1..]);
    let power = power.strip_prefix(b"+").unwrap_or(power);
    let is_number = number.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    // Ids of hexadecimal digits, such as `7e12`, have no mark in front of the power.
    let has_mark =
        number.iter().any(|byte| matches!(byte, b'.' | b',')) || text[at + 1..].starts_with(b"+");
    is_number && has_mark && !power.is_empty() && power.iter().all(u8::is_ascii_digit)
}

/// The dictionary that all threads of a collection share.
pub struct Registry<'a> {
    pub dictionary: Dictionary,
    tag_texts: HashMap<String, Result<TagSetId, String>>,
    schema: &'a TagSchema,
    digests: Vec<u128>,
}

impl<'a> Registry<'a> {
    pub fn new(dictionary: Dictionary, schema: &'a TagSchema) -> Registry<'a> {
        Registry { dictionary, tag_texts: HashMap::new(), schema, digests: Vec::new() }
    }

    pub fn schema(&self) -> &'a TagSchema {
        self.schema
    }

    fn identity(&mut self, class: RowClass) -> RowIdentity {
        let RowClass::Resource(resource) = class else {
            return RowIdentity { class, resource: None };
        };
        RowIdentity {
            class,
            resource: Some((resource, self.dictionary.currency(resource), self.digest(resource))),
        }
    }

    /// The digest of a resource's meaning, computed once.
    fn digest(&mut self, resource: ResourceId) -> u128 {
        let at = resource.0 as usize;
        if self.digests.len() <= at {
            let (dictionary, known) = (&self.dictionary, self.digests.len());
            self.digests.extend((known..=at).map(|id| dictionary.digest(ResourceId(id as u32))));
        }
        self.digests[at]
    }

    fn read(
        &mut self,
        reading: &TableReading,
        columns: &[(usize, Cells<'_>)],
        row: usize,
    ) -> Result<RowClass, Reason> {
        // Before anything is read: rows that are no charges may hold anything.
        let is_skipped = reading.identity.iter().zip(columns).any(|((_, identity), (_, cells))| {
            let Identity::Skip(values) = identity else { return false };
            let text = cells.text(row);
            values.iter().any(|value| *value == text)
        });
        if is_skipped {
            return Ok(RowClass::Skipped);
        }
        let mut draft = Draft::default();
        for (identity, text) in &reading.constants {
            self.put(reading, &mut draft, identity, Cow::Borrowed(text), None)?;
        }
        for ((_, identity), (column, cells)) in reading.identity.iter().zip(columns) {
            self.put(reading, &mut draft, identity, cells.text(row), Some(*column))?;
        }
        let currency = draft
            .currency
            .ok_or_else(|| Reason { column: None, text: "BillingCurrency is empty".into() })?;
        let tags = self
            .tags_of(&reading.tag_prefixes, draft.tag_text.as_deref(), draft.maps, draft.tags)
            .map_err(|text| Reason { column: draft.tag_column, text })?;
        Ok(RowClass::Resource(self.dictionary.resource(&Resource {
            currency,
            tags,
            dimensions: draft.dimensions,
        })))
    }

    fn put<'t>(
        &mut self,
        reading: &TableReading,
        draft: &mut Draft<'t>,
        identity: &Identity,
        text: Cow<'t, str>,
        column: Option<usize>,
    ) -> Result<(), Reason> {
        if says_nothing(text.as_bytes(), &reading.nulls) {
            return Ok(());
        }
        match identity {
            Identity::Currency => {
                let currency = Currency::parse(text.as_bytes())
                    .map_err(|error| Reason { column, text: error.to_string() })?;
                draft.currency = Some(currency);
            }
            Identity::Dimension(field) => {
                let symbol =
                    self.dictionary.symbol(canonical_value(*field, &text).unwrap_or(&text));
                draft.dimensions.push((*field, symbol));
            }
            // Parsed after all cells, because columns that hold single tags are added to it.
            Identity::Tags => (draft.tag_text, draft.tag_column) = (Some(text), column),
            Identity::Tag(key) => draft.tags.push((key.clone(), text.into_owned())),
            Identity::TagMap(from, to) => {
                let tags = tag::parse(&text)
                    .map_err(|error| Reason { column, text: error.to_string() })?;
                draft.maps.extend(tags.into_iter().filter_map(|(key, value)| {
                    Some((format!("{to}{}", key.strip_prefix(from.as_str())?), value))
                }));
            }
            Identity::Skip(_) => {}
        }
        Ok(())
    }

    /// Tag texts repeat a thousandfold: each distinct one is parsed once.
    fn tags_of(
        &mut self,
        prefixes: &[String],
        text: Option<&str>,
        maps: RawTags,
        columns: RawTags,
    ) -> Result<TagSetId, String> {
        let text = text.unwrap_or_default();
        // The same text means the same tags only if its keys lose the same prefixes.
        let is_usual = maps.is_empty() && columns.is_empty() && prefixes.is_empty();
        if is_usual && let Some(known) = self.tag_texts.get(text) {
            return known.clone();
        }
        let parsed = tag::parse(text).map_err(|error| error.to_string()).map(|own| {
            // Of equal keys the last wins.
            let mut raw = maps;
            raw.extend(own);
            for (key, _) in &mut raw {
                if let Some(rest) =
                    prefixes.iter().find_map(|prefix| key.strip_prefix(prefix.as_str()))
                {
                    *key = rest.to_owned();
                }
            }
            raw.extend(columns);
            self.intern(&raw)
        });
        if is_usual {
            self.tag_texts.insert(text.to_owned(), parsed.clone());
        }
        parsed
    }

    fn intern(&mut self, raw: &RawTags) -> TagSetId {
        let canonical = self.schema.canonical(raw);
        let mut symbols: Vec<(Symbol, Symbol)> = canonical
            .iter()
            .map(|(key, value)| (self.dictionary.symbol(key), self.dictionary.symbol(value)))
            .collect();
        // The dictionary knows a set of tags by its ascending symbols.
        symbols.sort_unstable();
        self.dictionary.tag_set(&symbols)
    }
}

#[derive(Default)]
struct Draft<'t> {
    currency: Option<Currency>,
    dimensions: Vec<(Field, Symbol)>,
    tags: RawTags,
    maps: RawTags,
    tag_text: Option<Cow<'t, str>>,
    tag_column: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::charge::KeptDetails;
    use domain::mapping::{Feed, FeedFrom, Mapping, Origin, TagColumn, TagMap};
    use domain::period::DateOrder;

    fn column(name: &str) -> Origin {
        Origin::Column(name.into())
    }

    fn mapping(maps: &[(&str, &str, &str)], prefixes: &[&str]) -> Mapping {
        let feed = |feed, origin| FeedFrom { feed, origin };
        let map = |(column, from, to): &(&str, &str, &str)| TagMap {
            column: (*column).into(),
            from: (*from).into(),
            to: (*to).into(),
        };
        Mapping {
            table: "bill.csv".into(),
            feeds: vec![
                feed(Feed::BilledCost, column("Cost")),
                feed(Feed::EffectiveCost, column("Cost")),
                feed(Feed::BillingCurrency, Origin::Constant("USD".into())),
                feed(Feed::ChargePeriodStart, column("Day")),
                feed(Feed::Tags, column("Labels")),
            ],
            tag_columns: vec![TagColumn { key: "owner".into(), column: "Owner".into() }],
            tag_maps: maps.iter().map(map).collect(),
            skips: Vec::new(),
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
            tag_prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            short_rows: false,
            billing_period: None,
        }
    }

    /// The tags of a row whose identity has these cells: labels, one for each map, and the owner.
    fn tags(mapping: &Mapping, cells: &[&str]) -> Result<Vec<String>, String> {
        let reading = TableReading::new(mapping, &[], KeptDetails::NONE).unwrap();
        let schema = TagSchema::default();
        let mut registry = Registry::new(Dictionary::new(), &schema);
        let (mut buffer, mut ranges) = (Vec::new(), Vec::new());
        for cell in cells {
            let start = buffer.len() as u32;
            buffer.extend_from_slice(cell.as_bytes());
            ranges.push([(start, buffer.len() as u32)]);
        }
        let columns: Vec<(usize, Cells<'_>)> = reading
            .identity
            .iter()
            .zip(&ranges)
            .map(|((at, _), range)| {
                (*at, Cells::Text { buffer: &buffer, ranges: range, quoted: false })
            })
            .collect();
        assert_eq!(columns.len(), cells.len());
        match registry.read(&reading, &columns, 0) {
            Ok(RowClass::Resource(resource)) => {
                let dictionary = &registry.dictionary;
                let set = dictionary.resource_tags(resource);
                let shown = |(key, value): &(Symbol, Symbol)| {
                    format!("{}={}", dictionary.text(*key), dictionary.text(*value))
                };
                let mut tags: Vec<String> = dictionary.tags(set).iter().map(shown).collect();
                tags.sort();
                Ok(tags)
            }
            Ok(_) => panic!("it is a charge"),
            Err(reason) => Err(format!("{:?}: {}", reason.column, reason.text)),
        }
    }

    #[test]
    fn columns_of_many_tags_lose_and_get_prefixes() {
        // One column has tags of two kinds, and the nearer kind comes later.
        let mapping = mapping(
            &[("all", "account/", ""), ("all", "resource/", ""), ("unit", "", "category/")],
            &["user:"],
        );
        let all = r#"{"resource/team": "near", "account/team": "far", "account/user:env": "p",
            "other/x": "y"}"#;
        assert_eq!(
            tags(&mapping, &["", all, all, r#"{"Unit": "Platform"}"#, ""]),
            Ok(vec!["category/Unit=Platform".into(), "env=p".into(), "team=near".into()])
        );
        // Labels win over maps, and a column of one tag over both.
        let far = r#"{"account/team": "far", "account/owner": "far"}"#;
        assert_eq!(
            tags(&mapping, &[r#"{"team": "own", "owner": "label"}"#, far, far, "", "column"]),
            Ok(vec!["owner=column".into(), "team=own".into()])
        );
        // An empty value does not hide one from farther away.
        assert_eq!(
            tags(&mapping, &[r#"{"team": ""}"#, far, far, "[]", ""]),
            Ok(vec!["owner=far".into(), "team=far".into()])
        );
    }

    #[test]
    fn lists_of_keys_and_values_are_many_tags_too() {
        let mapping = mapping(&[("tags", "", ""), ("project", "", "")], &[]);
        let list = |key: &str, value: &str| {
            format!(r#"[{{"key":"{key}","value":"{value}","inherited":true,"namespace":"123"}}]"#)
        };
        assert_eq!(
            tags(&mapping, &["[]", &list("team", "osprey"), &list("env", "prod"), ""]),
            Ok(vec!["env=prod".into(), "team=osprey".into()])
        );
        assert_eq!(
            tags(&mapping, &["[]", &list("team", "far"), &list("team", "near"), ""]),
            Ok(vec!["team=near".into()])
        );
    }

    #[test]
    fn a_column_of_many_tags_that_is_broken_sets_the_row_aside() {
        let mapping = mapping(&[("unit", "", "category/")], &[]);
        let refused = tags(&mapping, &["", r#"{"Unit": "#, ""]).unwrap_err();
        assert!(refused.contains("the tags are neither JSON"), "{refused}");
    }

    #[test]
    fn an_id_that_a_spreadsheet_rounded_is_told_from_others() {
        for text in ["1.23457E+11", "1E+11", "1,23457E+11", "4.5e12"] {
            assert!(is_rounded(text.as_bytes()), "{text}");
        }
        for text in ["123456789012", "7e12", "1e9a", "E+11", "sub-1.5E+3", "1.5", "", "1.2E-5"] {
            assert!(!is_rounded(text.as_bytes()), "{text}");
        }
    }
}
