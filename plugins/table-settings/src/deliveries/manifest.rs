//! Manifests: they name the files of a run.
//!
//! CUR 1.0 has `REPORT/20260301-20260401/REPORT-Manifest.json`, and a copy in the folder of each
//! assembly. Data Exports have `EXPORT/metadata/BILLING_PERIOD=2026-03/EXPORT-Manifest.json`, or
//! one in a folder of each execution below that. Azure has `manifest.json` beside the files.

use super::place::split;
use exact::day::Day;
use serde_json::{Map, Value};

/// The longest manifest that is read. Real ones are far shorter: they name some files and columns.
pub const BYTES_MAX: u64 = 16 << 20;

/// Manifests that AWS writes for other programs beside its own.
const OF_OTHERS: [&str; 2] = ["RedshiftManifest.json", "QuickSightManifest.json"];

/// Says whether a file is a manifest, by its name.
pub fn is_manifest(name: &str) -> bool {
    let file = split(name).1;
    let is_of_aws =
        file.ends_with("Manifest.json") && !OF_OTHERS.iter().any(|other| file.ends_with(other));
    is_of_aws || is_of_azure(name)
}

pub fn is_of_azure(name: &str) -> bool {
    ["manifest.json", "_manifest.json"].contains(&split(name).1)
}

/// The content of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The assembly, execution or run.
    pub run: Option<String>,
    /// The first day of the billing period.
    pub period: Option<Day>,
    /// The time of the run, as text that sorts.
    pub time: Option<String>,
    /// The kind of export, such as `ActualCost`.
    pub kind: Option<String>,
    pub keys: Vec<String>,
}

/// The reason why a manifest cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has none of the members of a manifest.
    Unknown,
    /// It may be written completely a moment later.
    Passing(String),
    Lasting(String),
}

impl Manifest {
    pub fn parse(bytes: &[u8]) -> Result<Manifest, Fault> {
        let parsed: Value = serde_json::from_slice(bytes)
            .map_err(|error| Fault::Passing(format!("it is not JSON: {error}")))?;
        let Some(members) = parsed.as_object() else { return Err(Fault::Unknown) };
        if let Some(blobs) = members.get("blobs") {
            return of_azure(members, blobs);
        }
        let keys = ["reportKeys", "dataFiles"].iter().find_map(|key| members.get(*key));
        let Some(keys) = keys else { return Err(Fault::Unknown) };
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let start = parsed["billingPeriod"]["start"].as_str();
        Ok(Manifest {
            run: text("assemblyId").or_else(|| text("executionId")),
            period: start.and_then(|start| Day::from_compact(start.get(..8)?)),
            time: None,
            kind: None,
            keys: texts(keys, Value::as_str)?,
        })
    }
}

fn of_azure(members: &Map<String, Value>, blobs: &Value) -> Result<Manifest, Fault> {
    let text = |part: &str, name: &str| {
        members.get(part).and_then(|part| part.get(name)).and_then(Value::as_str)
    };
    for count in ["blobCount", "dataRowCount", "byteCount"] {
        not_negative(members, count)?;
    }
    for blob in blobs.as_array().into_iter().flatten().filter_map(Value::as_object) {
        for count in ["dataRowCount", "byteCount"] {
            not_negative(blob, count)?;
        }
    }
    let keys = texts(blobs, |blob| blob.get("blobName").and_then(Value::as_str))?;
    let said = members.get("blobCount").and_then(Value::as_u64);
    if let Some(said) = said.filter(|said| usize::try_from(*said) != Ok(keys.len())) {
        let named = keys.len();
        return Err(Fault::Passing(format!("it counts {said} files and names {named}")));
    }
    Ok(Manifest {
        run: text("runInfo", "runId").map(str::to_owned),
        period: None,
        time: text("runInfo", "submittedTime").map(str::to_owned),
        kind: text("exportConfig", "type").map(str::to_owned),
        keys,
    })
}

fn not_negative(members: &Map<String, Value>, count: &str) -> Result<(), Fault> {
    match members.get(count) {
        None | Some(Value::Null) => Ok(()),
        Some(number) if number.is_u64() => Ok(()),
        Some(other) => Err(Fault::Lasting(format!("its {count} is {other}, which is no count"))),
    }
}

fn texts<'a>(
    list: &'a Value,
    text: impl Fn(&'a Value) -> Option<&'a str>,
) -> Result<Vec<String>, Fault> {
    let no_list = || Fault::Lasting(format!("its files are {list}, which is no list of names"));
    let items = list.as_array().ok_or_else(no_list)?;
    items.iter().map(|item| text(item).map(str::to_owned).ok_or_else(no_list)).collect()
}

/// A table of the manifest's own period, and how many parts of its name have to agree with a key
/// from the file upwards: below the folder of a run, all down from that folder.
#[derive(Clone, Copy, Debug)]
pub struct Near<'t> {
    pub table: &'t str,
    pub parts: usize,
}

/// The table that a manifest's key means.
///
/// A folder or prefix may have been copied, so the end of one name has to be the other, with whole
/// folders. Of several such tables, and where there is none, those of the manifest's own period
/// decide.
pub fn table_of<'t>(key: &str, tables: &'t [String], near: &[Near<'t>]) -> Option<&'t str> {
    let key = key
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or(key, |(_, key)| key)
        .trim_start_matches('/');
    let ends = |whole: &str, end: &str| {
        whole == end || whole.strip_suffix(end).is_some_and(|front| front.ends_with('/'))
    };
    let own: Vec<&str> =
        near.iter().map(|near| near.table).filter(|table| ends(table, key)).collect();
    if let [found] = own.as_slice() {
        return Some(found);
    }
    let names = || tables.iter().map(String::as_str);
    let mut same = names().filter(|table| ends(table, key));
    if let Some(found) = same.next() {
        return same.next().is_none().then_some(found);
    }
    let longest = names()
        .filter(|table| table.contains('/') && ends(key, table))
        .max_by_key(|table| table.len());
    longest.or_else(|| ends_alike(key, near))
}

/// The near table that shares most folders with the key, from the file upwards. Two tables that
/// share as many cannot be told apart.
fn ends_alike<'t>(key: &str, near: &[Near<'t>]) -> Option<&'t str> {
    let shared =
        |table: &str| key.rsplit('/').zip(table.rsplit('/')).take_while(|(a, b)| a == b).count();
    let fitting = || near.iter().filter(|near| shared(near.table) >= near.parts.max(1));
    let most = fitting().map(|near| shared(near.table)).max()?;
    let mut best = fitting().filter(|near| shared(near.table) == most);
    best.next().filter(|_| best.next().is_none()).map(|near| near.table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_that_cannot_be_right_are_not_believed() {
        for (text, expect) in [
            ("{", "it is not JSON"),
            (r#"{"reportKeys": 7}"#, "its files are 7"),
            (r#"{"dataFiles": ["a", 7]}"#, "which is no list of names"),
            (r#"{"blobs": [{"blobName": "a"}], "blobCount": 2}"#, "counts 2 files and names 1"),
            (r#"{"blobs": [{"blobName": "a"}], "blobCount": -1}"#, "its blobCount is -1"),
            (r#"{"blobs": [{"blobName": "a", "dataRowCount": -3}]}"#, "its dataRowCount is -3"),
            (r#"{"blobs": [{"blobName": "a", "byteCount": "9"}]}"#, "its byteCount is \"9\""),
            (r#"{"blobs": [{"name": "a"}]}"#, "which is no list of names"),
        ] {
            match Manifest::parse(text.as_bytes()) {
                Err(Fault::Passing(why) | Fault::Lasting(why)) => {
                    assert!(why.contains(expect), "{text} gave {why}")
                }
                other => panic!("{text} gave {other:?}"),
            }
        }
        for text in ["{}", "[]", r#"{"name": "a web page"}"#] {
            assert_eq!(Manifest::parse(text.as_bytes()), Err(Fault::Unknown), "{text}");
        }
    }

    #[test]
    fn manifests_are_known_by_their_names() {
        for (name, expect) in [
            ("r/20260301-20260401/r-Manifest.json", true),
            ("acme/20260301-20260331/202603030310/a/manifest.json", true),
            ("acme/20260301-20260331/a/_manifest.json", true),
            ("r/20260301-20260401/a/r-RedshiftManifest.json", false),
            ("r/20260301-20260401/a/r-QuickSightManifest.json", false),
            ("r/20260301-20260401/a/r-1.csv", false),
            ("web/webmanifest.json", false),
        ] {
            assert_eq!(is_manifest(name), expect, "{name}");
        }
    }

    #[test]
    fn a_key_means_one_table_or_none() {
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let tables =
            names(&["in/r/20260301-20260401/a/r-1.csv", "in/r/20260301-20260401/b/r-1.csv"]);
        let near: Vec<Near<'_>> = tables.iter().map(|table| Near { table, parts: 2 }).collect();
        let of = |key: &str| table_of(key, &tables, &near).map(str::to_owned);
        // The prefix `finance/cur` was synced to the folder `in`.
        assert_eq!(of("finance/cur/r/20260301-20260401/b/r-1.csv").as_ref(), Some(&tables[1]));
        assert_eq!(of("s3://bucket/r/20260301-20260401/a/r-1.csv").as_ref(), Some(&tables[0]));
        assert_eq!(of("/r/20260301-20260401/a/r-1.csv").as_ref(), Some(&tables[0]));
        assert_eq!(of("elsewhere/r-1.csv"), None);
        assert_eq!(of("r/20260301-20260401/a/r-2.csv"), None);
        // The file of an older assembly is not that of the new one, which is missing.
        assert_eq!(table_of("p/x/20260301-20260401/c/r-1.csv", &tables[..1], &near[..1]), None);
        assert_eq!(of("other/20260301-20260401/a/r-1.csv").as_ref(), Some(&tables[0]));
    }
}
