//! Usage on its way into the ledger: rows → quantities by metric, day and keys, added up exactly.
//!
//! Keys are read once for each distinct text of a row's identifying cells, so a month of hourly
//! rows costs little more than adding. One thread is enough: usage is small beside a bill.

use crate::cell::{CellFault, Dates, SetAsideRow, quantity, says_nothing};
use crate::columns::Input;
use crate::interner::{Secrets, TextHashes, hash_rows};
use decode::{Batch, CellForm, Cells, WantedColumn};
use domain::charge::RawUsage;
use domain::code::{AMOUNT_COMMA, Code};
use domain::diagnostic::Diagnostic;
use domain::mapping::{Origin, UsageMapping};
use domain::period::{DateOrder, Day, Period, parse_instant};
use domain::tag::{self, RawTags, TagSchema};
use domain::text_form::DecimalMark;
use domain::usage::{Keys, NotAQuantity, Quantity, canonical_keys};
use foldhash::{HashMap, HashMapExt};
use ledger::{CollectionId, Restated, Transaction, UsageDay, UsageRows};
use reports::coverage::days::KnownDays;
use std::collections::{BTreeMap, BTreeSet};

/// Rows set aside that are kept with their reason. All others are only counted.
const REJECTED_KEPT: usize = 1000;

/// How a table of usage is read.
pub struct UsageReading {
    pub wanted: Vec<WantedColumn>,
    period_start: Input,
    metrics: Vec<Metric>,
    keys: Vec<(String, Input)>,
    tags: Option<usize>,
    skips: Vec<(usize, Vec<String>)>,
    nulls: Vec<String>,
    date_order: DateOrder,
    /// Of quantities in texts.
    pub decimal_mark: DecimalMark,
}

struct Metric {
    metric: Input,
    value: usize,
    unit: Input,
}

impl UsageReading {
    pub fn new(mapping: &UsageMapping) -> UsageReading {
        let mut wanted = Vec::new();
        let mut want = |name: &str, form: CellForm| {
            wanted.push(WantedColumn { name: name.to_owned(), form });
            wanted.len() - 1
        };
        let mut input = |origin: &Origin, form: CellForm| match origin {
            Origin::Column(column) => Input::Column(want(column, form)),
            Origin::Constant(text) => Input::Constant(text.clone()),
            // The plugin host refuses such an answer before it comes here.
            Origin::FirstOf(_) => Input::Constant(String::new()),
        };
        let period_start = input(&mapping.period_start, CellForm::Typed);
        let named: Vec<_> = mapping
            .metrics
            .iter()
            .map(|from| (input(&from.metric, CellForm::Text), input(&from.unit, CellForm::Text)))
            .collect();
        let keys = mapping
            .keys
            .iter()
            .map(|from| (from.key.clone(), input(&from.origin, CellForm::Text)))
            .collect();
        let values = mapping.metrics.iter().map(|from| want(&from.value, CellForm::Typed));
        let values = values.collect::<Vec<_>>();
        let tags = mapping.tags.as_ref().map(|column| want(column, CellForm::Text));
        let skips = mapping
            .skips
            .iter()
            .map(|skip| (want(&skip.column, CellForm::Text), skip.values.clone()))
            .collect();
        let metrics = named
            .into_iter()
            .zip(values)
            .map(|((metric, unit), value)| Metric { metric, value, unit })
            .collect();
        UsageReading {
            wanted,
            period_start,
            metrics,
            keys,
            tags,
            skips,
            nulls: mapping.nulls.clone(),
            date_order: mapping.date_order,
            decimal_mark: DecimalMark::Point,
        }
    }

    /// The columns that identify a row's series: metric and keys, without day and quantities.
    fn identity(&self) -> Vec<usize> {
        let named = self.metrics.iter().flat_map(|from| [&from.metric, &from.unit]);
        let inputs = named.chain(self.keys.iter().map(|(_, input)| input));
        let columns = inputs.filter_map(|input| match input {
            Input::Column(column) | Input::CommaNumber(column) => Some(*column),
            Input::Constant(_) => None,
        });
        columns.chain(self.tags).chain(self.skips.iter().map(|(column, _)| *column)).collect()
    }

    /// Of equal keys the last one counts, so the tags stand first.
    fn raw_keys(&self, batch: &Batch<'_>, row: usize) -> Result<RawTags, CellFault> {
        let mut keys = match self.tags {
            Some(column) => {
                let text = self.text(&Input::Column(column), batch, row);
                tag::parse(&text)
                    .map_err(|error| CellFault::new(Some(column), error.to_string()))?
            }
            None => RawTags::new(),
        };
        keys.extend(
            self.keys.iter().map(|(key, input)| (key.clone(), self.text(input, batch, row))),
        );
        Ok(keys)
    }

    fn text(&self, input: &Input, batch: &Batch<'_>, row: usize) -> String {
        let text = match input {
            Input::Column(column) | Input::CommaNumber(column) => {
                batch.columns[*column].text(row).trim().to_owned()
            }
            Input::Constant(text) => text.trim().to_owned(),
        };
        if says_nothing(text.as_bytes(), &self.nulls) { String::new() } else { text }
    }
}

/// The meaning of a row's identifying cells.
#[derive(Clone, Copy)]
enum SeriesClass {
    /// The first of its series. The others follow in the order of its metrics.
    Series(usize),
    Skipped,
    /// Not understood, with the number of the reason.
    Rejected(usize),
}

/// A metric with its keys.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Series {
    metric: String,
    keys: Keys,
}

/// The usage of one source.
pub struct GatheredUsage<'a> {
    schema: &'a TagSchema,
    secrets: Secrets,
    period: Period,
    /// The unit of each metric, with its source if that is another one.
    units: BTreeMap<String, (String, Option<String>)>,
    series: Vec<Series>,
    numbers: HashMap<Series, usize>,
    sums: HashMap<(usize, Day), Quantity>,
    pub rows: u64,
    pub set_aside: Vec<SetAsideRow>,
    pub set_aside_count: u64,
}

/// A source's usage of one metric, for the report of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageReport {
    pub rows: u64,
    pub metrics: Vec<MetricReport>,
    pub days_new: u64,
    pub days_changed: u64,
    pub days_unchanged: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricReport {
    pub metric: String,
    pub unit: String,
    pub days: u64,
    pub total: Quantity,
}

impl<'a> GatheredUsage<'a> {
    pub fn new(schema: &'a TagSchema, secrets: Secrets, period: Period) -> GatheredUsage<'a> {
        GatheredUsage {
            schema,
            secrets,
            period,
            units: BTreeMap::new(),
            series: Vec::new(),
            numbers: HashMap::new(),
            sums: HashMap::new(),
            rows: 0,
            set_aside: Vec::new(),
            set_aside_count: 0,
        }
    }

    /// Learns the units of other sources. A metric is added up over all sources, so it has one
    /// unit.
    pub fn expect_units(
        &mut self,
        source: &str,
        transaction: &Transaction<'_>,
    ) -> Result<(), Diagnostic> {
        // Loaded once, before rows add the units of this source.
        if self.units.is_empty() {
            for (other, metric, unit) in transaction.usage_units()? {
                if other != source {
                    self.units.insert(metric, (unit, Some(other)));
                }
            }
        }
        Ok(())
    }

    /// Takes one row from a plugin, or says why it cannot.
    pub fn take(&mut self, usage: RawUsage) -> Result<(), String> {
        let day = parse_instant(usage.period_start.as_bytes(), DateOrder::Iso)
            .map_err(|error| format!("period_start: {error}"))?;
        let value =
            Quantity::parse(usage.value.as_bytes()).map_err(|error| format!("value: {error}"))?;
        let series = self.series(usage.metric.trim(), usage.unit.trim(), usage.keys)?;
        let value = self.used(series, value).map_err(|error| format!("value: {error}"))?;
        self.add(series, day, value)?;
        self.rows += 1;
        Ok(())
    }

    /// Reads all rows of a table.
    pub fn reader<'r>(&'r mut self, reading: &'r UsageReading) -> UsageReader<'r, 'a> {
        UsageReader {
            dates: Dates::new(reading.date_order),
            identity: reading.identity(),
            classes: HashMap::new(),
            series: Vec::new(),
            reasons: Vec::new(),
            texts: Vec::new(),
            hashes: Vec::new(),
            reading,
            gathered: self,
        }
    }

    fn series(&mut self, metric: &str, unit: &str, keys: RawTags) -> Result<usize, String> {
        if metric.is_empty() {
            return Err("the metric is empty".into());
        }
        match self.units.get(metric) {
            None => drop(self.units.insert(metric.to_owned(), (unit.to_owned(), None))),
            Some((known, _)) if known == unit => {}
            Some((known, source)) => {
                let by = source.as_ref().map_or_else(
                    || "rows before it".to_owned(),
                    |source| format!("the source {source}"),
                );
                return Err(format!(
                    "{metric} is in '{unit}' here and in '{known}' in {by}: a metric has one unit, \
                     so convert it or give it another name"
                ));
            }
        }
        let series = Series { metric: metric.to_owned(), keys: canonical_keys(keys, self.schema) };
        if let Some(number) = self.numbers.get(&series) {
            return Ok(*number);
        }
        self.numbers.insert(series.clone(), self.series.len());
        self.series.push(series);
        Ok(self.series.len() - 1)
    }

    fn used(&self, series: usize, value: Quantity) -> Result<Quantity, NotAQuantity> {
        value.used_by(&self.series[series].keys)
    }

    fn add(&mut self, series: usize, day: Day, value: Quantity) -> Result<(), String> {
        // Days that nobody asked for stay as they were stated before.
        if !self.period.contains(day) {
            return Ok(());
        }
        let sum = self.sums.entry((series, day)).or_default();
        *sum = sum
            .checked_add(value)
            .ok_or_else(|| format!("with it the sum of {day} is beyond what can be counted"))?;
        Ok(())
    }

    /// States the usage of each day, and returns the metrics and days that changed.
    ///
    /// A day with unchanged usage keeps its old statement. A day that the source was asked for and
    /// did not give is stated as empty.
    pub fn state(
        self,
        transaction: &mut Transaction<'_>,
        id: CollectionId,
        source: &str,
        asked: &KnownDays,
    ) -> Result<(UsageReport, BTreeSet<(String, Day)>), Diagnostic> {
        let GatheredUsage { series, sums, units, rows, .. } = self;
        let mut days: BTreeMap<(&str, Day), UsageRows> = BTreeMap::new();
        for ((number, day), value) in sums {
            let Series { metric, keys } = &series[number];
            days.entry((metric, day)).or_default().push((keys.clone(), value));
        }
        let (mut report, mut changed) =
            (UsageReport { rows, ..UsageReport::default() }, BTreeSet::new());
        let mut metrics: BTreeMap<&str, MetricReport> = BTreeMap::new();
        let mut gone = BTreeMap::new();
        if let Some(days) = asked.span() {
            let known = transaction.usage_days(days)?.into_iter();
            let known = known
                .filter(|known| known.source == source && known.rows > 0 && asked.has(known.day));
            gone.extend(known.map(|known| ((known.metric, known.day), known.unit)));
        }
        let mut count = |restated: Restated, metric: &str, day: Day| {
            match restated {
                Restated::New => report.days_new += 1,
                Restated::Changed => report.days_changed += 1,
                Restated::Unchanged => report.days_unchanged += 1,
            }
            if restated != Restated::Unchanged {
                changed.insert((metric.to_owned(), day));
            }
        };
        for ((metric, day), mut rows) in days {
            // The sums come out of a hash table, and a statement's digest goes by their order.
            rows.sort_unstable();
            let unit = units.get(metric).map_or("", |(unit, _)| unit);
            let of_metric = metrics.entry(metric).or_insert_with(|| MetricReport {
                metric: metric.to_owned(),
                unit: unit.to_owned(),
                days: 0,
                total: Quantity::ZERO,
            });
            of_metric.days += 1;
            // Each row is below 10²⁸ of 10³⁸, and the sum of each day was checked.
            of_metric.total = rows.iter().fold(of_metric.total, |total, (_, value)| {
                Quantity(total.0.saturating_add(value.0))
            });
            count(
                transaction.restate_usage(id, &UsageDay { source, day, metric, unit }, &rows)?,
                metric,
                day,
            );
            gone.remove(&(metric.to_owned(), day));
        }
        for ((metric, day), unit) in gone {
            count(
                transaction.restate_usage(
                    id,
                    &UsageDay { source, day, metric: &metric, unit: &unit },
                    &UsageRows::new(),
                )?,
                &metric,
                day,
            );
        }
        report.metrics = metrics.into_values().collect();
        Ok((report, changed))
    }
}

/// Reads one table.
pub struct UsageReader<'r, 'a> {
    reading: &'r UsageReading,
    gathered: &'r mut GatheredUsage<'a>,
    dates: Dates,
    identity: Vec<usize>,
    classes: HashMap<(u64, u64), SeriesClass>,
    /// One for each metric of the mapping, class by class.
    series: Vec<usize>,
    reasons: Vec<(Option<usize>, String)>,
    texts: Vec<TextHashes>,
    hashes: Vec<(u64, u64)>,
}

impl UsageReader<'_, '_> {
    pub fn take(&mut self, batch: &Batch<'_>) {
        let identity: Vec<(usize, Cells<'_>)> =
            self.identity.iter().map(|column| (*column, batch.columns[*column])).collect();
        let mut hashes = std::mem::take(&mut self.hashes);
        let secrets = &self.gathered.secrets;
        hash_rows(&identity, batch.rows, secrets, &mut self.texts, &mut hashes);
        for (row, hash) in hashes.iter().enumerate() {
            if let Err(refusal) = self.row(batch, row, *hash) {
                let code = refusal.code;
                self.set_aside(code, |wanted| {
                    refusal.of_row(batch, row, |column| &wanted[column].name)
                });
            }
        }
        self.hashes = hashes;
        for row in batch.unreadable {
            self.set_aside(row.code, |_| SetAsideRow::unreadable(row));
        }
    }

    fn row(&mut self, batch: &Batch<'_>, row: usize, hash: (u64, u64)) -> Result<(), CellFault> {
        let class = match self.classes.get(&hash) {
            Some(class) => *class,
            None => {
                let class = self.meet(batch, row);
                self.classes.insert(hash, class);
                class
            }
        };
        let first = match class {
            SeriesClass::Skipped => return Ok(()),
            SeriesClass::Rejected(reason) => {
                let (column, reason) = self.reasons[reason].clone();
                return Err(CellFault::new(column, reason));
            }
            SeriesClass::Series(first) => first,
        };
        let day = self.dates.day(&self.reading.period_start, batch, row)?;
        let reading = self.reading;
        // A row is taken as a whole or not at all.
        let mut values = Vec::with_capacity(self.reading.metrics.len());
        for (at, Metric { value: column, .. }) in reading.metrics.iter().enumerate() {
            let value = quantity(*column, &reading.nulls, reading.decimal_mark, batch, row)?;
            let used = value.map(|value| self.gathered.used(self.series[first + at], value));
            let used = used.transpose();
            values.push(used.map_err(|it| CellFault::new(Some(*column), it.to_string()))?);
        }
        for (at, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                let column = Some(self.reading.metrics[at].value);
                self.gathered
                    .add(self.series[first + at], day, value)
                    .map_err(|reason| CellFault::new(column, reason))?;
            }
        }
        self.gathered.rows += 1;
        Ok(())
    }

    fn meet(&mut self, batch: &Batch<'_>, row: usize) -> SeriesClass {
        let reading = self.reading;
        for (column, values) in &reading.skips {
            if values.iter().any(|value| *value == batch.columns[*column].text(row)) {
                return SeriesClass::Skipped;
            }
        }
        let keys = match reading.raw_keys(batch, row) {
            Ok(keys) => keys,
            Err(refusal) => {
                self.reasons.push((refusal.column, refusal.reason));
                return SeriesClass::Rejected(self.reasons.len() - 1);
            }
        };
        let first = self.series.len();
        for from in &reading.metrics {
            let (metric, unit) =
                (reading.text(&from.metric, batch, row), reading.text(&from.unit, batch, row));
            match self.gathered.series(&metric, &unit, keys.clone()) {
                Ok(number) => self.series.push(number),
                Err(reason) => {
                    // The row's other metrics go with it: a row counts in full or not at all.
                    self.series.truncate(first);
                    let at_fault = if metric.is_empty() { &from.metric } else { &from.unit };
                    let column = match at_fault {
                        Input::Column(column) | Input::CommaNumber(column) => Some(*column),
                        Input::Constant(_) => None,
                    };
                    self.reasons.push((column, reason));
                    return SeriesClass::Rejected(self.reasons.len() - 1);
                }
            }
        }
        SeriesClass::Series(first)
    }

    fn set_aside(&mut self, code: Code, row: impl FnOnce(&[WantedColumn]) -> SetAsideRow) {
        self.gathered.set_aside_count += 1;
        let kept = &mut self.gathered.set_aside;
        // A decimal comma decides over the whole table, however many rows were set aside before.
        let is_wanted = code == AMOUNT_COMMA && kept.iter().all(|row| row.code != code);
        if kept.len() < REJECTED_KEPT || is_wanted {
            kept.push(row(&self.reading.wanted));
        }
    }
}
