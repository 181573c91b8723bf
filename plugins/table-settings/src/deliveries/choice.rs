//! Of each billing period of an export, the newest complete run.

use super::manifest::{self, Fault, Manifest, Near, is_manifest, table_of};
use super::place::{Place, Range, split, time_of};
use apportion_plugin_sdk::deliveries::Delivery;
use apportion_plugin_sdk::file::Entry;
use apportion_plugin_sdk::{Error, Problem};
use exact::day::Day;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The files of the source, where the plugin may see them.
pub struct Files<'a> {
    pub entries: &'a [Entry],
    pub read: &'a dyn Fn(&str) -> Result<Vec<u8>, Error>,
}

/// A table that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub table: String,
    /// The folders of its export. Nothing for a file that is in no folder of an export.
    pub export: Option<String>,
    /// The days that its delivery is of.
    pub range: Option<Range>,
    pub billing_period: Option<Day>,
    /// The kind of export as its manifest names it, such as `ActualCost`.
    pub kind: Option<String>,
}

/// The tables that count, and all deliveries.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    pub tables: Vec<Counted>,
    pub deliveries: Vec<Delivery>,
}

impl Chosen {
    pub(super) fn leave_out(&mut self, name: String, period: Option<Day>, why: String) {
        if !self.deliveries.iter().any(|known| known.name == name) {
            let billing_period = period.map(|day| day.to_string());
            self.deliveries.push(Delivery { name, billing_period, left_out: Some(why) });
        }
    }

    /// Leaves out tables that were counted so far, with their deliveries.
    pub fn drop_tables(&mut self, why: &str, is_dropped: impl Fn(&Counted) -> bool) {
        let (dropped, kept) = std::mem::take(&mut self.tables).into_iter().partition(is_dropped);
        self.tables = kept;
        let dropped: Vec<Counted> = dropped;
        for table in dropped {
            let name = Place::of(&table.table).map_or(table.table, |place| place.delivery());
            self.deliveries.retain(|known| known.name != name || known.left_out.is_some());
            self.leave_out(name, table.billing_period, why.to_owned());
        }
    }
}

/// An export and the days of its delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    export: String,
    range: Option<Range>,
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

    fn of_place(place: &Place) -> Scope {
        let (export, range) = (place.export.clone(), Some(place.range));
        Scope { export, range, manifest: String::new() }
    }
}

#[derive(Clone, Debug)]
struct Run {
    name: String,
    tables: BTreeSet<String>,
    /// Whether it is named by the manifest of the period, which is overwritten each time.
    is_current: bool,
    id: Option<String>,
    times: [Option<String>; 3],
    kind: Option<String>,
    /// The reason why it cannot count, and whether it may pass.
    fault: Option<(String, bool)>,
}

impl Run {
    /// The order of two runs; nothing where they cannot be told apart.
    fn compare(&self, other: &Run) -> Option<Ordering> {
        let by_manifest = self.is_current.cmp(&other.is_current);
        let by_time = self.times.iter().zip(&other.times).map(|pair| match pair {
            (Some(one), Some(other)) => one.cmp(other),
            _ => Ordering::Equal,
        });
        std::iter::once(by_manifest).chain(by_time).find(|order| order.is_ne())
    }
}

pub fn choose(tables: &[String], files: Option<Files<'_>>) -> Result<Chosen, Error> {
    let can_see = files.is_some();
    let mut scopes = match &files {
        Some(files) => of_manifests(tables, files)?,
        None => BTreeMap::new(),
    };
    let with_manifests: BTreeSet<Scope> = scopes.keys().cloned().collect();
    let named: BTreeSet<String> =
        scopes.values().flatten().flat_map(|run| run.tables.iter().cloned()).collect();
    let entries = files.as_ref().map_or(&[][..], |files| files.entries);
    let mut loose = Vec::new();
    for table in tables.iter().filter(|table| !named.contains(*table)) {
        match Place::of(table) {
            Some(place) => {
                let scope = Scope::of_place(&place);
                let has_manifests = with_manifests.contains(&scope);
                let runs = scopes.entry(scope).or_default();
                add_file(runs, table, &place, has_manifests, modified(entries, table));
            }
            None => loose.push(table),
        }
    }
    let mut chosen = Chosen::default();
    for (scope, runs) in scopes {
        pick(&mut chosen, &scope, runs, tables, can_see)?;
    }
    refuse_overlaps(&chosen)?;
    refuse_repeats(&chosen)?;
    for table in loose {
        let is_beside = named.iter().any(|named| split(named).0 == split(table).0);
        if is_beside {
            chosen.leave_out(table.clone(), None, "no manifest beside it names it".into());
        } else {
            chosen.tables.push(Counted {
                table: table.clone(),
                export: None,
                range: None,
                billing_period: None,
                kind: None,
            });
        }
    }
    if chosen.tables.is_empty() {
        return Err(Error::config(
            "the manifests name none of the files that were given to the source",
        ));
    }
    // Tables are read in the order in which the host names them.
    chosen.tables.sort_by_key(|counted| tables.iter().position(|table| *table == counted.table));
    Ok(chosen)
}

fn modified(entries: &[Entry], name: &str) -> Option<String> {
    entries.iter().find(|entry| entry.name == name).and_then(|entry| entry.modified.clone())
}

/// The runs that manifests name.
fn of_manifests(tables: &[String], files: &Files<'_>) -> Result<BTreeMap<Scope, Vec<Run>>, Error> {
    let mut scopes: BTreeMap<Scope, Vec<Run>> = BTreeMap::new();
    for entry in files.entries.iter().filter(|entry| is_manifest(&entry.name)) {
        let stated = Manifest::parse(&(files.read)(&entry.name)?);
        // Other programs have a `manifest.json` too.
        let is_foreign = manifest::is_of_azure(&entry.name) && Place::of(&entry.name).is_none();
        if stated == Err(Fault::Unknown) && is_foreign {
            continue;
        }
        let scope = Scope::of(&entry.name, stated.as_ref().ok());
        let run = run(entry, &scope, stated, tables);
        scopes.entry(scope).or_default().push(run);
    }
    for runs in scopes.values_mut() {
        refuse_contradictions(runs);
        one_each(runs);
    }
    Ok(scopes)
}

fn run(entry: &Entry, scope: &Scope, stated: Result<Manifest, Fault>, tables: &[String]) -> Run {
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
    let near = near(scope, tables);
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
                match table_of(key, tables, &near) {
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

fn near<'t>(scope: &Scope, tables: &'t [String]) -> Vec<Near<'t>> {
    let parts = |table: &str| match Place::of(table) {
        Some(place) => {
            let own = place.export == scope.export && Some(place.range) == scope.range;
            let below = table.len() - place.period_folder.len();
            let folders = table[table.len() - below..].matches('/').count();
            own.then_some(if place.run.is_empty() { 1 } else { folders })
        }
        None => (scope.export.is_empty() || is_below(table, &scope.export)).then_some(1),
    };
    tables.iter().filter_map(|table| parts(table).map(|parts| Near { table, parts })).collect()
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
fn add_file(
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

/// Adds the newest complete run of a scope to what counts.
fn pick(
    chosen: &mut Chosen,
    scope: &Scope,
    runs: Vec<Run>,
    tables: &[String],
    can_see: bool,
) -> Result<(), Error> {
    let period = scope.range.and_then(|range| range.billing_period());
    let (complete, broken): (Vec<Run>, Vec<Run>) =
        runs.into_iter().partition(|run| run.fault.is_none());
    if complete.is_empty() && broken.iter().any(|run| !run.tables.is_empty()) {
        return Err(incomplete(&broken));
    }
    let newest = newest(&complete, tables, can_see)?.cloned();
    if let Some(newest) = &newest {
        for table in &newest.tables {
            chosen.tables.push(Counted {
                table: table.clone(),
                export: Some(scope.export.clone()),
                range: scope.range,
                billing_period: period,
                kind: newest.kind.clone(),
            });
        }
        let billing_period = period.map(|day| day.to_string());
        let name = newest.name.clone();
        chosen.deliveries.push(Delivery { name, billing_period, left_out: None });
    }
    for run in
        complete.into_iter().filter(|run| Some(&run.name) != newest.as_ref().map(|n| &n.name))
    {
        chosen.leave_out(run.name, period, "a newer run of the same period counts".into());
    }
    for run in broken {
        let why = run.fault.map(|(why, _)| why).unwrap_or_default();
        chosen.leave_out(run.name, period, why);
    }
    Ok(())
}

/// The newest run, which has to be newer than every other one.
fn newest<'r>(runs: &'r [Run], tables: &[String], can_see: bool) -> Result<Option<&'r Run>, Error> {
    let Some(first) = runs.first() else { return Ok(None) };
    let newest = runs.iter().fold(first, |best, run| match run.compare(best) {
        Some(Ordering::Greater) => run,
        _ => best,
    });
    let rival = runs
        .iter()
        .find(|run| run.name != newest.name && newest.compare(run) != Some(Ordering::Greater));
    match rival {
        None => Ok(Some(newest)),
        Some(rival) => Err(unordered(newest, rival, tables, can_see)),
    }
}

fn unordered(one: &Run, other: &Run, tables: &[String], can_see: bool) -> Error {
    let (one, other) = if one.name < other.name { (one, other) } else { (other, one) };
    let message = format!(
        "{} and {} are runs of the same period, and adding them up would count it twice: nothing \
         says which is the newer one",
        one.name, other.name
    );
    let hint = if can_see {
        format!("paths = [\"{}\"]", other.name)
    } else if tables.iter().any(|table| table.contains("://")) {
        "grants = [\"table-decode\", \"object-store\", \"file\"]".into()
    } else {
        "grants = [\"table-decode\", \"file\"]".into()
    };
    Error::Config(Problem::new(message).hint(hint))
}

fn incomplete(broken: &[Run]) -> Error {
    let (why, passes, name) = broken
        .iter()
        .filter_map(|run| run.fault.as_ref().map(|(why, passes)| (why, *passes, &run.name)))
        // That a file is not named says less than what is wrong with a manifest.
        .min_by_key(|(why, ..)| why.starts_with("no manifest"))
        .map_or(("", false, ""), |(why, passes, name)| (why.as_str(), passes, name.as_str()));
    let message = format!("{name} is not complete: {why}");
    if passes { Error::Transient(message) } else { Error::config(message) }
}

/// Refuses a table that two manifests of different periods or exports name.
fn refuse_repeats(chosen: &Chosen) -> Result<(), Error> {
    let mut known = BTreeSet::new();
    match chosen.tables.iter().find(|counted| !known.insert(&counted.table)) {
        None => Ok(()),
        Some(twice) => Err(Error::config(format!(
            "manifests of two deliveries name {}, which would be counted twice",
            twice.table
        ))),
    }
}

/// Refuses two deliveries of an export that have the same days.
fn refuse_overlaps(chosen: &Chosen) -> Result<(), Error> {
    let scopes: BTreeSet<(&String, Range)> = chosen
        .tables
        .iter()
        .filter_map(|counted| counted.export.as_ref().zip(counted.range))
        .collect();
    for (export, range) in &scopes {
        let other = scopes
            .iter()
            .find(|(name, other)| name == export && other > range && range.overlaps(other));
        if let Some((_, other)) = other {
            let folder = |range: &Range| {
                let last = range.end.plus(-1);
                format!("{} to {last}", range.start)
            };
            let message = format!(
                "{export} has two deliveries with the same days, which would be counted twice: {} \
                 and {}",
                folder(range),
                folder(other)
            );
            let narrow = "narrow the source's `paths` to the deliveries that should count";
            return Err(Error::Config(Problem::new(message).hint(narrow)));
        }
    }
    Ok(())
}
