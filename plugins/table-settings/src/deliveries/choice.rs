//! Of each billing period of an export, the newest complete run.

use super::place::{Place, Range, split};
use super::run::{Run, Scope, add_file, of_manifests};
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

/// A table whose rows count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountingTable {
    pub table: String,
    /// The name of its delivery. Nothing for a file that is in no delivery.
    pub delivery: Option<String>,
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
pub struct DeliveryChoice {
    pub tables: Vec<CountingTable>,
    pub deliveries: Vec<Delivery>,
}

impl DeliveryChoice {
    pub(super) fn leave_out(&mut self, name: String, period: Option<Day>, why: String) {
        if !self.deliveries.iter().any(|known| known.name == name) {
            let billing_period = period.map(|day| day.to_string());
            self.deliveries.push(Delivery { name, billing_period, left_out: Some(why) });
        }
    }

    /// Leaves out tables that were counted so far. A delivery goes with the last of its tables:
    /// were it still counted, what it said of its billing period would be taken back.
    pub fn drop_tables(&mut self, why: &str, is_dropped: impl Fn(&CountingTable) -> bool) {
        let (dropped, kept): (Vec<CountingTable>, Vec<CountingTable>) =
            std::mem::take(&mut self.tables).into_iter().partition(is_dropped);
        let staying: BTreeSet<&String> =
            kept.iter().filter_map(|table| table.delivery.as_ref()).collect();
        for table in dropped {
            let gone = table.delivery.filter(|name| !staying.contains(name));
            if let Some(name) = &gone {
                self.deliveries.retain(|known| known.name != *name || known.left_out.is_some());
            }
            let name = gone.unwrap_or(table.table);
            self.leave_out(name, table.billing_period, why.to_owned());
        }
        self.tables = kept;
    }
}

pub fn choose(tables: &[String], files: Option<Files<'_>>) -> Result<DeliveryChoice, Error> {
    let can_see = files.is_some();
    let mut scopes = match &files {
        Some(files) => of_manifests(tables, files)?,
        None => BTreeMap::new(),
    };
    let with_manifests: BTreeSet<Scope> = scopes.keys().cloned().collect();
    let named: BTreeSet<String> =
        scopes.values().flatten().flat_map(|run| run.tables.iter().cloned()).collect();
    let entries = files.as_ref().map_or(&[][..], |files| files.entries);
    let modified: BTreeMap<&String, Option<String>> =
        entries.iter().map(|entry| (&entry.name, entry.modified.clone())).collect();
    let mut loose = Vec::new();
    for table in tables.iter().filter(|table| !named.contains(*table)) {
        match Place::of(table) {
            Some(place) => {
                let scope = Scope::of_place(&place);
                let has_manifests = with_manifests.contains(&scope);
                let runs = scopes.entry(scope).or_default();
                let modified = modified.get(table).cloned().flatten();
                add_file(runs, table, &place, has_manifests, modified);
            }
            None => loose.push(table),
        }
    }
    let mut chosen = DeliveryChoice::default();
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
            chosen.tables.push(CountingTable {
                table: table.clone(),
                delivery: None,
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
    let places: BTreeMap<&String, usize> =
        tables.iter().enumerate().map(|(place, table)| (table, place)).collect();
    chosen.tables.sort_by_key(|counted| places.get(&counted.table).copied());
    Ok(chosen)
}

/// Adds the newest complete run of a scope to what counts.
fn pick(
    chosen: &mut DeliveryChoice,
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
            chosen.tables.push(CountingTable {
                table: table.clone(),
                delivery: Some(newest.name.clone()),
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
fn refuse_repeats(chosen: &DeliveryChoice) -> Result<(), Error> {
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
fn refuse_overlaps(chosen: &DeliveryChoice) -> Result<(), Error> {
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
