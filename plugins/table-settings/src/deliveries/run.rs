//! The runs of an export: those that manifests name, and those that only folders tell.

use super::choice::Files;
use super::manifest::{self, Fault, Manifest, Near, is_manifest, table_of};
use super::place::{Place, Range, split, time_of};
use apportion_plugin_sdk::Error;
use apportion_plugin_sdk::file::Entry;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// An export and the days of its delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub export: String,
    pub range: Option<Range>,
    /// The manifest's file, where no folder names a period: one folder may hold those of several
    /// reports.
    manifest: String,
}

impl Scope {
    /// The scope of a manifest. Where no folder names a period, the manifest and its files may.
    fn of(name: &str, stated: Option<&Manifest>) -> Scope {
        if let Some(place) = Place::of(name) {
            return Scope::of_place(&place);
        }
        let of_keys =
            |stated: &Manifest| stated.keys.iter().find_map(|key| Some(Place::of(key)?.range));
        let of_period = |stated: &Manifest| {
            stated.period.map(|start| Range { start, end: start.month_plus(1) })
        };
        let range = stated.and_then(|stated| of_period(stated).or_else(|| of_keys(stated)));
        let (folder, file) = split(name);
        Scope { export: folder.into(), range, manifest: file.into() }
    }

    pub fn of_place(place: &Place) -> Scope {
        let (export, range) = (place.export.clone(), Some(place.range));
        Scope { export, range, manifest: String::new() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub name: String,
    pub tables: BTreeSet<String>,
    /// Whether it is named by the manifest of the period, which is overwritten each time.
    pub is_current: bool,
    pub id: Option<String>,
    pub times: [Option<String>; 3],
    pub kind: Option<String>,
    /// The reason why it cannot count, and whether it may pass.
    pub fault: Option<(String, bool)>,
}

impl Run {
    /// The order of two runs; nothing where they cannot be told apart.
    pub fn compare(&self, other: &Run) -> Option<Ordering> {
        let by_manifest = self.is_current.cmp(&other.is_current);
        let by_time = self.times.iter().zip(&other.times).map(|pair| match pair {
            (Some(one), Some(other)) => one.cmp(other),
            _ => Ordering::Equal,
        });
        std::iter::once(by_manifest).chain(by_time).find(|order| order.is_ne())
    }
}

/// The runs that manifests name.
pub(super) fn of_manifests(
    tables: &[String],
    files: &Files<'_>,
) -> Result<BTreeMap<Scope, Vec<Run>>, Error> {
    let mut scopes: BTreeMap<Scope, Vec<Run>> = BTreeMap::new();
    let tables = Tables::new(tables);
    for entry in files.entries.iter().filter(|entry| is_manifest(&entry.name)) {
        let stated = Manifest::parse(&(files.read)(&entry.name)?);
        // Other programs have a `manifest.json` too.
        let is_foreign = manifest::is_of_azure(&entry.name) && Place::of(&entry.name).is_none();
        if stated == Err(Fault::Unknown) && is_foreign {
            continue;
        }
        let scope = Scope::of(&entry.name, stated.as_ref().ok());
        let run = run(entry, &scope, stated, &tables);
        scopes.entry(scope).or_default().push(run);
    }
    for runs in scopes.values_mut() {
        refuse_contradictions(runs);
        one_each(runs);
    }
    Ok(scopes)
}

fn run(entry: &Entry, scope: &Scope, stated: Result<Manifest, Fault>, tables: &Tables<'_>) -> Run {
    let place = Place::of(&entry.name);
    // Data Exports have their files in a folder beside the manifests.
    let name = place.as_ref().map_or_else(
        || entry.name.clone(),
        |place| place.delivery().replace("/metadata/", "/data/"),
    );
    let mut run = Run {
        name,
        tables: BTreeSet::new(),
        is_current: place.as_ref().is_some_and(|place| place.run.is_empty()),
        id: None,
        times: [place.as_ref().and_then(|place| time_of(&place.run)), None, entry.modified.clone()],
        kind: None,
        fault: None,
    };
    let near = tables.near(scope);
    match stated {
        Err(Fault::Unknown) => {
            run.fault = Some(("its manifest names no files".into(), false));
        }
        Err(Fault::Passing(why)) => {
            run.fault = Some((format!("its manifest cannot be relied on: {why}"), true));
        }
        Err(Fault::Lasting(why)) => {
            run.fault = Some((format!("its manifest cannot be relied on: {why}"), false));
        }
        Ok(stated) => {
            (run.id, run.times[1], run.kind) = (stated.run, stated.time, stated.kind);
            for key in &stated.keys {
                match table_of(key, tables.names, &near) {
                    Some(table) => drop(run.tables.insert(table.to_owned())),
                    None => run.fault = Some(missing(key)),
                }
            }
            let of_place = place.and_then(|place| place.range.billing_period());
            if let Some((said, folder)) = stated.period.zip(of_place).filter(|(a, b)| a != b) {
                let why = format!("its manifest is of {said}, and its folder of {folder}");
                run.fault = Some((why, false));
            } else if stated.keys.is_empty() {
                run.fault = Some(("its manifest names no files".into(), true));
            }
        }
    }
    run
}

fn missing(key: &str) -> (String, bool) {
    (format!("its manifest names {key}, which is not among the files of the source"), true)
}

/// The tables by their places, because each manifest asks for those of its own period.
struct Tables<'t> {
    names: &'t [String],
    by_scope: BTreeMap<Scope, Vec<Near<'t>>>,
    loose: Vec<&'t str>,
}

impl<'t> Tables<'t> {
    fn new(names: &'t [String]) -> Tables<'t> {
        let mut tables = Tables { names, by_scope: BTreeMap::new(), loose: Vec::new() };
        for table in names {
            let Some(place) = Place::of(table) else {
                tables.loose.push(table);
                continue;
            };
            let below = &table[place.period_folder.len()..];
            let parts = if place.run.is_empty() { 1 } else { below.matches('/').count() };
            tables.by_scope.entry(Scope::of_place(&place)).or_default().push(Near { table, parts });
        }
        tables
    }

    fn near(&self, scope: &Scope) -> Vec<Near<'t>> {
        let own = Scope { manifest: String::new(), ..scope.clone() };
        let mut near = self.by_scope.get(&own).cloned().unwrap_or_default();
        let is_near = |table: &&&str| scope.export.is_empty() || is_below(table, &scope.export);
        near.extend(self.loose.iter().filter(is_near).map(|table| Near { table, parts: 1 }));
        near
    }
}

fn is_below(table: &str, folder: &str) -> bool {
    table.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Two manifests of one run that name different files: neither can be relied on.
fn refuse_contradictions(runs: &mut [Run]) {
    let differ = |one: &Run, other: &Run| {
        one.id.is_some()
            && one.id == other.id
            && one.fault.is_none()
            && other.fault.is_none()
            && one.tables != other.tables
    };
    let known = runs.to_vec();
    for run in runs {
        if known.iter().any(|other| differ(run, other)) {
            let id = run.id.as_deref().unwrap_or_default();
            run.fault = Some((format!("two manifests of {id} name different files"), true));
        }
    }
}

/// Keeps one of the manifests that name the same files. The one of the period is a copy of that
/// in the folder of its assembly.
fn one_each(runs: &mut Vec<Run>) {
    runs.sort_by_key(|run| (run.fault.is_some(), !run.is_current));
    let mut kept: Vec<Run> = Vec::new();
    for run in runs.drain(..) {
        let same = kept.iter_mut().find(|known| {
            !run.tables.is_empty() && known.tables == run.tables && known.fault == run.fault
        });
        match same {
            Some(known) => {
                // The assembly's folder says more than the period's.
                if known.is_current && !run.is_current {
                    known.name = run.name;
                }
            }
            None => kept.push(run),
        }
    }
    *runs = kept;
}

/// Adds a file that no manifest names to the run that its folder tells.
pub(super) fn add_file(
    runs: &mut Vec<Run>,
    table: &str,
    place: &Place,
    has_manifests: bool,
    modified: Option<String>,
) {
    let name = place.delivery();
    if let Some(run) = runs.iter_mut().find(|run| run.name == name && run.fault.is_some()) {
        run.tables.insert(table.into());
        return;
    }
    let fault = has_manifests.then(|| ("no manifest of its period names it".to_owned(), true));
    let known = runs.iter_mut().find(|run| run.name == name && run.fault == fault);
    match known {
        Some(run) => {
            run.tables.insert(table.into());
            run.times[2] = run.times[2].take().max(modified);
        }
        None => runs.push(Run {
            name: if has_manifests && runs.iter().any(|run| run.name == name) {
                table.into()
            } else {
                name
            },
            tables: BTreeSet::from([table.into()]),
            is_current: false,
            id: None,
            times: [time_of(&place.run), None, modified],
            kind: None,
            fault,
        }),
    }
}
