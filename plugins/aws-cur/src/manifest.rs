//! Manifests: they name the files of a report that count. AWS writes a report anew until the month
//! is closed, and older files stay beside the new ones.
//!
//! CUR 1.0 has `REPORT/20260301-20260401/REPORT-Manifest.json`, and a copy in the folder of each
//! assembly. Data Exports have `EXPORT/metadata/BILLING_PERIOD=2026-03/EXPORT-Manifest.json`, or
//! one in a folder of each execution below that.

use apportion_plugin_sdk::Error;
use apportion_plugin_sdk::file::Entry;
use exact::day::Day;
use exact::period::Month;
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest manifest that is read. Real ones are far shorter: they name some files and columns.
pub const BYTES_MAX: u64 = 16 << 20;

/// The source's tables, chosen by manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub read: Vec<String>,
    pub skipped: Vec<String>,
    /// Billing periods that the chosen tables hold whole: the first day, and the day after the
    /// last.
    pub complete: Vec<[String; 2]>,
}

/// A report's billing period: its folder, and the part of the path that names the period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    report: String,
    period: String,
}

/// Leaves out tables that the newest manifest of their report and period does not name.
/// Tables without a manifest are read.
pub fn choose(
    tables: Vec<String>,
    entries: &[Entry],
    read: &dyn Fn(&str) -> Result<Vec<u8>, Error>,
) -> Result<Chosen, Error> {
    let mut newest: BTreeMap<Scope, &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| is_manifest(&entry.name)) {
        let known = newest.entry(scope(folder(&entry.name))).or_insert(entry);
        if rank(entry) > rank(known) {
            *known = entry;
        }
    }
    let (mut named, mut complete) = (Vec::new(), Vec::new());
    for (scope, manifest) in &newest {
        let parsed: Value = serde_json::from_slice(&read(&manifest.name)?).map_err(|error| {
            Error::Transient(format!("the manifest {} is not JSON: {error}", manifest.name))
        })?;
        named.extend(files(manifest, &parsed, &tables)?);
        complete.extend(days_of(&scope.period).or_else(|| days_said(&parsed)));
    }
    let (read, skipped) = tables.into_iter().partition(|table| {
        named.contains(table) || !newest.keys().any(|scope| scope.covers(table))
    });
    Ok(Chosen { read, skipped, complete })
}

/// The days of a billing period, from the part of a path that names it.
fn days_of(period: &str) -> Option<[String; 2]> {
    if let Some((_, month)) = period.split_once('=') {
        let month: Month = month.parse().ok()?;
        return Some([month.first_day(), month.next().first_day()].map(|day| day.to_string()));
    }
    let (start, end) = period.split_once('-')?;
    Some([day(start)?, day(end)?])
}

/// The days of the billing period that a manifest names.
fn days_said(manifest: &Value) -> Option<[String; 2]> {
    let said = |edge: &str| day(manifest["billingPeriod"][edge].as_str()?.get(..8)?);
    Some([said("start")?, said("end")?])
}

/// `20260301` as `2026-03-01`.
fn day(text: &str) -> Option<String> {
    Day::from_compact(text).map(|day| day.to_string())
}

fn is_manifest(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|last| last.ends_with("Manifest.json"))
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The report and period of a folder. Where no part of the path names a period, the whole folder is
/// the report.
fn scope(folder: &str) -> Scope {
    let parts: Vec<&str> = folder.split('/').collect();
    let Some(at) = parts.iter().position(|part| is_period(part)) else {
        return Scope { report: folder.into(), period: String::new() };
    };
    // Data Exports have manifests and data in folders beside each other.
    let end = if at > 0 && ["metadata", "data"].contains(&parts[at - 1]) { at - 1 } else { at };
    Scope { report: parts[..end].join("/"), period: parts[at].into() }
}

/// `20260301-20260401`, or a partition such as `BILLING_PERIOD=2026-03`.
fn is_period(part: &str) -> bool {
    let is_day = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    part.split_once('-').is_some_and(|(start, end)| is_day(start) && is_day(end))
        || part.to_ascii_uppercase().starts_with("BILLING_PERIOD=")
}

impl Scope {
    fn covers(&self, table: &str) -> bool {
        let other = scope(folder(table));
        if self.period.is_empty() { is_below(&other.report, &self.report) } else { other == *self }
    }
}

fn is_below(folder: &str, above: &str) -> bool {
    above.is_empty()
        || folder == above
        || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Ranks manifests: the highest is the newest.
///
/// The period's own manifest is overwritten each time, so it wins over those of single assemblies.
/// Executions are named by their time. Otherwise the time of writing decides.
fn rank(entry: &Entry) -> (std::cmp::Reverse<usize>, Option<&str>, Option<&str>, &str) {
    let folder = folder(&entry.name);
    let last = folder.rsplit('/').next().unwrap_or_default();
    let by_time = last
        .get(..8)
        .is_some_and(|start| start.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        && !is_period(last);
    (
        std::cmp::Reverse(folder.split('/').count()),
        by_time.then_some(last),
        entry.modified.as_deref(),
        &entry.name,
    )
}

/// The tables that a manifest names. A table that is missing makes the report incomplete.
fn files(manifest: &Entry, parsed: &Value, tables: &[String]) -> Result<Vec<String>, Error> {
    let keys = ["reportKeys", "dataFiles"]
        .iter()
        .find_map(|key| parsed.get(*key))
        .and_then(Value::as_array);
    let keys = keys.ok_or_else(|| {
        Error::config(format!(
            "the manifest {} names no files: it has neither reportKeys nor dataFiles",
            manifest.name
        ))
    })?;
    let mut found = Vec::new();
    for key in keys {
        let key = key.as_str().unwrap_or_default();
        let table = table_of(manifest, key, tables).ok_or_else(|| {
            Error::Transient(format!(
                "the manifest {} names {key}, which is not among the files of the source: the \
                 report is not complete",
                manifest.name
            ))
        })?;
        found.push(table);
    }
    Ok(found)
}

/// The table of a key. In a copy of the report's folders, the end of the key has to match, or the
/// file name below the manifest's folder.
fn table_of(manifest: &Entry, key: &str, tables: &[String]) -> Option<String> {
    let key = key
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or(key, |(_, key)| key)
        .trim_start_matches('/');
    let whole = tables.iter().find(|table| {
        table.as_str() == key || table.strip_suffix(key).is_some_and(|front| front.ends_with('/'))
    });
    let end = || {
        tables
            .iter()
            .filter(|table| {
                key.strip_suffix(table.as_str()).is_some_and(|front| front.ends_with('/'))
            })
            .max_by_key(|table| table.len())
    };
    let file = key.rsplit('/').next().unwrap_or_default();
    let below = || {
        let of = scope(folder(&manifest.name));
        let mut same = tables
            .iter()
            .filter(|table| table.rsplit('/').next() == Some(file) && of.covers(table));
        same.next().filter(|_| same.next().is_none())
    };
    whole.or_else(end).or_else(below).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, modified: &str) -> Entry {
        Entry { name: name.into(), size: 1, modified: Some(modified.into()) }
    }

    /// The tables that are read and skipped, for manifests and the keys that each names.
    fn chosen(
        tables: &[&str],
        manifests: &[(&str, &str, &str)],
    ) -> Result<(Vec<String>, Vec<String>), String> {
        let mut entries: Vec<Entry> = tables.iter().map(|name| entry(name, "")).collect();
        entries.extend(manifests.iter().map(|(name, modified, _)| entry(name, modified)));
        let texts: Vec<(String, String)> = manifests
            .iter()
            .map(|(name, _, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let read = move |name: &str| {
            Ok(texts
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, text)| text.clone().into_bytes())
                .unwrap_or_default())
        };
        let tables = tables.iter().map(|name| (*name).to_owned()).collect();
        choose(tables, &entries, &read)
            .map(|chosen| (chosen.read, chosen.skipped))
            .map_err(|error| format!("{error:?}"))
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_manifest_of_the_period_wins_over_those_of_assemblies() {
        let tables = [
            "s3://b/p/r/20260301-20260401/old/r-1.csv.gz",
            "s3://b/p/r/20260301-20260401/new/r-1.csv.gz",
            "s3://b/p/r/20260401-20260501/a/r-1.csv.gz",
        ];
        let old = r#"{"reportKeys": ["p/r/20260301-20260401/old/r-1.csv.gz"]}"#;
        let new = r#"{"reportKeys": ["/p/r/20260301-20260401/new/r-1.csv.gz"]}"#;
        let manifests = [
            ("s3://b/p/r/20260301-20260401/r-Manifest.json", "2026-04-03", new),
            ("s3://b/p/r/20260301-20260401/old/r-Manifest.json", "2026-04-04", old),
        ];
        assert_eq!(
            chosen(&tables, &manifests),
            Ok((texts(&[tables[1], tables[2]]), texts(&[tables[0]])))
        );
        // Without the period's own manifest, the later one counts.
        let manifests = [
            ("s3://b/p/r/20260301-20260401/new/r-Manifest.json", "2026-04-05", new),
            ("s3://b/p/r/20260301-20260401/old/r-Manifest.json", "2026-04-04", old),
        ];
        assert_eq!(
            chosen(&tables, &manifests),
            Ok((texts(&[tables[1], tables[2]]), texts(&[tables[0]])))
        );
    }

    #[test]
    fn executions_of_data_exports_replace_each_other() {
        let data = |execution: &str, part: u32| {
            format!(
                "s3://b/x/e/data/BILLING_PERIOD=2026-03/{execution}/e-0000{part}.snappy.parquet"
            )
        };
        let first = data("20260401T010101.000Z-a", 1);
        let (second, third) =
            (data("20260402T010101.000Z-b", 1), data("20260402T010101.000Z-b", 2));
        let tables = [first.as_str(), second.as_str(), third.as_str()];
        let old = format!(r#"{{"dataFiles": ["{first}"]}}"#);
        let new = format!(r#"{{"dataFiles": ["{second}", "{third}"]}}"#);
        let manifest = |execution: &str| {
            format!("s3://b/x/e/metadata/BILLING_PERIOD=2026-03/{execution}/e-Manifest.json")
        };
        let (early, late) =
            (manifest("20260401T010101.000Z-a"), manifest("20260402T010101.000Z-b"));
        // The folders' names give the time of the executions. When files were copied does not
        // matter.
        let manifests = [
            (late.as_str(), "2026-01-01", new.as_str()),
            (early.as_str(), "2026-09-01", old.as_str()),
        ];
        assert_eq!(
            chosen(&tables, &manifests),
            Ok((vec![second.clone(), third.clone()], vec![first.clone()]))
        );
    }

    #[test]
    fn a_copy_of_the_folder_is_understood_by_file_names() {
        let tables = ["bills/r-1.csv.gz", "bills/r-2.csv.gz", "other/x.csv"];
        let manifest = r#"{"reportKeys": ["/p/r/20260301-20260401/id/r-1.csv.gz"]}"#;
        let manifests = [("bills/r-Manifest.json", "2026-04-03", manifest)];
        assert_eq!(
            chosen(&tables, &manifests),
            Ok((texts(&["bills/r-1.csv.gz", "other/x.csv"]), texts(&["bills/r-2.csv.gz"])))
        );
        // Files of two assemblies have the same names.
        let tables = ["20260301-20260401/id/r-1.csv.gz", "20260301-20260401/old/r-1.csv.gz"];
        let manifests = [("20260301-20260401/r-Manifest.json", "2026-04-03", manifest)];
        assert_eq!(chosen(&tables, &manifests), Ok((texts(&tables[..1]), texts(&tables[1..]))));
    }

    #[test]
    fn a_manifest_says_which_days_are_complete() {
        let complete = |folder: &str, said: &str| {
            let (table, manifest) =
                (format!("{folder}/r-1.csv"), format!("{folder}/r-Manifest.json"));
            let text = format!(r#"{{"reportKeys": ["{table}"]{said}}}"#).into_bytes();
            choose(vec![table.clone()], &[entry(&table, ""), entry(&manifest, "")], &move |_| {
                Ok(text.clone())
            })
            .unwrap()
            .complete
        };
        let days = |start: &str, end: &str| vec![[start.to_owned(), end.to_owned()]];
        assert_eq!(complete("p/r/20260301-20260401", ""), days("2026-03-01", "2026-04-01"));
        assert_eq!(
            complete("x/e/data/BILLING_PERIOD=2026-12", ""),
            days("2026-12-01", "2027-01-01")
        );
        let said = r#", "billingPeriod": {"start": "20180801T000000.000Z",
            "end": "20180901T000000.000Z"}"#;
        assert_eq!(complete("copied", said), days("2018-08-01", "2018-09-01"));
        assert_eq!(complete("copied", ""), Vec::<[String; 2]>::new());
    }

    #[test]
    fn without_manifests_all_is_read() {
        assert_eq!(
            chosen(&["a/x.csv", "b/y.csv"], &[]),
            Ok((texts(&["a/x.csv", "b/y.csv"]), Vec::new()))
        );
    }

    #[test]
    fn a_report_that_is_not_complete_is_not_read_at_all() {
        let refused = |text: &str| {
            chosen(
                &["p/20260301-20260401/r-1.csv"],
                &[("p/20260301-20260401/r-Manifest.json", "", text)],
            )
            .unwrap_err()
        };
        let missing = refused(
            r#"{"reportKeys": ["p/20260301-20260401/r-1.csv", "p/20260301-20260401/r-2.csv"]}"#,
        );
        assert!(
            missing.contains("Transient")
                && missing
                    .contains("names p/20260301-20260401/r-2.csv, which is not among the files"),
            "{missing}"
        );
        assert!(refused("{").contains("is not JSON"));
        assert!(refused("{}").contains("it has neither reportKeys nor dataFiles"));
    }
}
