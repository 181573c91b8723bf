//! Header and settings → the mapping of a bill. Each collector gives the usual columns of its
//! fields, and the settings override them.

use crate::deliveries::{CountingTable, DeliveryChoice};
use crate::field::{FEED_COLUMNS, FeedColumn, NEEDED, WISHED};
use crate::{closest, date_order, named, object, settings, skips, texts, texts_by_key, unknown};
use apportion_plugin_sdk::table_decode::{TableInfo, describe, tables};
use apportion_plugin_sdk::{
    Batch, DateOrder, Error, Feed, FeedFrom, Mapping, Origin, Problem, Rows, Skip, TagColumn,
};
use serde_json::Value;

/// The settings that all collectors of bills in tables have.
pub const KEYS: [&str; 6] = ["constants", "columns", "tag_columns", "nulls", "date_order", "skip"];

#[derive(Debug)]
pub struct Options {
    /// Constants in place of columns, by the field's name.
    pub constants: Vec<(String, String)>,
    /// Headers in place of the usual ones, by the field's name.
    pub columns: Vec<(String, String)>,
    /// Tags and their headers.
    pub tag_columns: Vec<(String, String)>,
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
    pub skips: Vec<Skip>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            constants: Vec::new(),
            columns: Vec::new(),
            tag_columns: Vec::new(),
            // Texts that real bills write in empty cells.
            nulls: vec!["NULL".into(), "null".into()],
            date_order: DateOrder::Iso,
            skips: Vec::new(),
        }
    }
}

impl Options {
    /// Reads the settings. A setting that not all collectors have goes to `own`, which returns
    /// whether it knows the setting.
    pub fn parse(
        config: &str,
        usual: Options,
        own_keys: &[&'static str],
        mut own: impl FnMut(&str, &Value) -> Result<bool, Error>,
    ) -> Result<Options, Error> {
        let mut options = usual;
        if config.trim().is_empty() {
            return Ok(options);
        }
        for (key, value) in object("the settings", &settings(config)?)? {
            match key.as_str() {
                "constants" => options.constants = by_field(key, value)?,
                "columns" => options.columns = by_field(key, value)?,
                "tag_columns" => options.tag_columns = texts_by_key(key, value)?,
                "nulls" => options.nulls = texts(key, value)?,
                "date_order" => options.date_order = date_order(value)?,
                "skip" => options.skips = skips(value)?,
                _ if own(key, value)? => {}
                _ => return Err(unknown("setting", key, own_keys.iter().copied().chain(KEYS))),
            }
        }
        Ok(options)
    }
}

pub fn by_field(what: &str, value: &Value) -> Result<Vec<(String, String)>, Error> {
    let pairs = texts_by_key(what, value)?;
    match pairs.iter().find(|(name, _)| !FEED_COLUMNS.iter().any(|target| target.name == name)) {
        Some((name, _)) => {
            Err(unknown("field", name, FEED_COLUMNS.iter().map(|target| target.name)))
        }
        None => Ok(pairs),
    }
}

/// The tables of the source. At least one is needed.
pub fn granted_tables() -> Result<Vec<TableInfo>, Error> {
    let tables = tables().map_err(Error::Unavailable)?;
    if tables.is_empty() {
        Err(Error::config("no file was given to the source"))
    } else {
        Ok(tables)
    }
}

/// The pages of a collector that maps its tables.
pub struct Pages {
    rows: std::vec::IntoIter<Rows>,
}

impl Pages {
    /// Pages of the tables that count. They are looked into one by one, and other tables are not
    /// fetched.
    pub fn of(
        chosen: &DeliveryChoice,
        mut map: impl FnMut(&TableInfo, &CountingTable) -> Result<Vec<Rows>, Error>,
    ) -> Result<Pages, Error> {
        let mut rows = Vec::new();
        for counted in &chosen.tables {
            let table = describe(&counted.table).map_err(Error::Unavailable)?;
            rows.extend(map(&table, counted)?.into_iter().map(|rows| stated(rows, counted)));
        }
        Ok(Pages { rows: rows.into_iter() })
    }

    pub fn open(
        mut map: impl FnMut(&TableInfo) -> Result<Vec<Rows>, Error>,
    ) -> Result<Pages, Error> {
        let mut rows = Vec::new();
        for table in granted_tables()? {
            rows.extend(map(&table)?);
        }
        Ok(Pages { rows: rows.into_iter() })
    }
}

impl Iterator for Pages {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.rows.next().map(Batch::new)
    }
}

/// The period of a table's delivery decides over those of its rows, so these are not read.
///
/// A delivery of a week states its days, and not the billing period that they are in: what other
/// weeks said of the period must stay when their files are gone.
fn stated(rows: Rows, counted: &CountingTable) -> Rows {
    match rows {
        Rows::Mapped(mut mapping) if counted.range.is_some() => {
            mapping.billing_period = counted.billing_period.map(|day| day.to_string());
            mapping.feeds.retain(|from| from.feed != Feed::BillingPeriodStart);
            Rows::Mapped(mapping)
        }
        rows => rows,
    }
}

/// The problems of the tables that count, or of the way to find them.
pub fn check(
    chosen: Result<DeliveryChoice, Error>,
    mut map: impl FnMut(&TableInfo, &CountingTable) -> Result<Vec<Rows>, Error>,
) -> Result<Vec<Problem>, Error> {
    let chosen = match chosen {
        Err(Error::Config(problem)) => return Ok(vec![problem]),
        chosen => chosen?,
    };
    let mut problems = Vec::new();
    for counted in &chosen.tables {
        let table = describe(&counted.table).map_err(Error::Unavailable)?;
        problems.extend(found(map(&table, counted))?);
    }
    Ok(problems)
}

/// The problems of all tables.
pub fn check_all(
    mut map: impl FnMut(&TableInfo) -> Result<Vec<Rows>, Error>,
) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    for table in granted_tables()? {
        problems.extend(found(map(&table))?);
    }
    Ok(problems)
}

fn found(mapped: Result<Vec<Rows>, Error>) -> Result<Vec<Problem>, Error> {
    match mapped {
        Ok(rows) => Ok(rows
            .iter()
            .flat_map(|rows| match rows {
                Rows::Mapped(mapping) => wishes(mapping),
                _ => Vec::new(),
            })
            .collect()),
        Err(
            Error::Config(problem)
            | Error::MissingColumn(problem)
            | Error::DuplicateColumn(problem),
        ) => Ok(vec![problem]),
        Err(error) => Err(error),
    }
}

/// The mapping of a table, or an error that names what its header lacks. `usual` gives the column
/// of a field that the settings do not name.
pub fn map(
    table: &TableInfo,
    options: &Options,
    usual: &dyn Fn(&FeedColumn) -> Result<Option<Origin>, Error>,
) -> Result<Mapping, Error> {
    let mut mapping = Mapping {
        nulls: options.nulls.clone(),
        date_order: options.date_order,
        ..Mapping::new(&table.name)
    };
    let mut missing = Vec::new();
    for (position, target) in FEED_COLUMNS.iter().enumerate() {
        match feed(table, options, target, usual)? {
            Some(feed) => mapping.feeds.push(feed),
            None if position < NEEDED => missing.push(target),
            None => {}
        }
    }
    if let Some(first) = missing.first() {
        return Err(Error::MissingColumn(missing_columns(table, first, &missing)));
    }
    for (key, column) in &options.tag_columns {
        mapping
            .tag_columns
            .push(TagColumn { key: key.clone(), column: named(table, "tag_columns", column)? });
    }
    for skip in &options.skips {
        mapping.skips.push(Skip {
            column: named(table, "skip", &skip.column)?,
            values: skip.values.clone(),
        });
    }
    Ok(mapping)
}

/// Warnings of a mapping that works, but lacks a field that it should have.
pub fn wishes(mapping: &Mapping) -> Vec<Problem> {
    let is_fed = |feed: Feed| mapping.feeds.iter().any(|from| from.feed == feed);
    let lacking = FEED_COLUMNS[WISHED].iter().filter(|wished| !is_fed(wished.feed));
    lacking
        .map(|target| {
            Problem::new(format!(
                "{} has no column {}: rules and reports will see it empty",
                mapping.table, target.column
            ))
            .hint(format!(
                "constants = {{ {} = \"{}\" }}",
                target.name,
                if target.name == "charge_category" { "Usage" } else { "…" }
            ))
            .table(&mapping.table)
            .column(target.column)
        })
        .collect()
}

/// The origin of a field: a constant wins over a column of the settings, and this over the usual
/// column.
fn feed(
    table: &TableInfo,
    options: &Options,
    target: &FeedColumn,
    usual: &dyn Fn(&FeedColumn) -> Result<Option<Origin>, Error>,
) -> Result<Option<FeedFrom>, Error> {
    let by_name = |pairs: &[(String, String)]| {
        pairs.iter().find(|(name, _)| name == target.name).map(|(_, value)| value.clone())
    };
    if let Some(value) = by_name(&options.constants) {
        return Ok(Some(FeedFrom::constant(target.feed, value)));
    }
    if let Some(column) = by_name(&options.columns) {
        return Ok(Some(FeedFrom::column(target.feed, named(table, "columns", &column)?)));
    }
    Ok(usual(target)?.map(|origin| FeedFrom { feed: target.feed, origin }))
}

/// One problem for all columns that are missing, with one line for all of them.
fn missing_columns(table: &TableInfo, first: &FeedColumn, missing: &[&FeedColumn]) -> Problem {
    let names: Vec<&str> = missing.iter().map(|target| target.column).collect();
    let noun = if names.len() == 1 { "column" } else { "columns" };
    Problem::new(format!(
        "{} has no {noun} {}, without which its rows cannot become charges",
        table.name,
        names.join(", ")
    ))
    .hint(stand_ins(table, missing))
    .table(&table.name)
    .column(first.column)
}

/// The settings that stand in for missing columns: the closest header, or what is left to say.
fn stand_ins(table: &TableInfo, missing: &[&FeedColumn]) -> String {
    let headers = || table.columns.iter().map(|column| column.name.as_str());
    let unsaid = "<the column that holds it>";
    let close =
        |target: &FeedColumn| closest(target.column, headers()).or_else(|| meant(target, headers));
    let billed = missing
        .iter()
        .find(|target| target.name == "billed_cost")
        .map(|target| close(target).unwrap_or(unsaid));
    let (mut columns, mut constants) = (Vec::new(), Vec::new());
    for target in missing {
        match (target.name, close(target)) {
            (name, Some(close)) => columns.push(format!("{name} = \"{close}\"")),
            ("billing_currency", None) => constants.push("billing_currency = \"USD\"".to_owned()),
            ("effective_cost", None) => {
                let billed = billed.unwrap_or("BilledCost");
                columns.push(format!("effective_cost = \"{billed}\""));
            }
            (name, None) => columns.push(format!("{name} = \"{unsaid}\"")),
        }
    }
    let section = |name: &str, entries: &[String]| {
        (!entries.is_empty()).then(|| format!("{name} = {{ {} }}", entries.join(", ")))
    };
    let sections = [section("columns", &columns), section("constants", &constants)];
    sections.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A header that most bills use for a field.
fn meant<'t, H: Iterator<Item = &'t str>>(
    target: &FeedColumn,
    headers: impl Fn() -> H,
) -> Option<&'t str> {
    let usual: &[&str] = match target.name {
        "billed_cost" => &["cost", "amount", "total", "charge"],
        "billing_currency" => &["currency", "currency code"],
        "charge_period_start" => &["date", "day", "usage date", "start date"],
        _ => &[],
    };
    let is = |header: &str, word: &str| header.trim().eq_ignore_ascii_case(word);
    usual.iter().find_map(|word| headers().find(|header| is(header, word)))
}
