//! Converts between columns and the domain's types. The file is not trusted, so every value that is
//! read is checked.

use crate::error::{Stored, corrupt};
use crate::{Result, StoredSegment};
use domain::account::Account;
use domain::decimal::Exact;
use domain::entry::EntryKind;
use domain::money::{Currency, Sum};
use domain::period::Day;
use domain::run::{DayTotals, DeliveryDay, Fingerprint, RunState, SourceDay};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};

/// Reads all rows of a query.
pub fn rows<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut found = statement.query(parameters).stored()?;
    let mut list = Vec::new();
    while let Some(row) = found.next().stored()? {
        list.push(read(row)?);
    }
    Ok(list)
}

/// Reads the first row of a query. `None` if there is none.
pub fn row<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql).stored()?;
    let mut found = statement.query(parameters).stored()?;
    found.next().stored()?.map(read).transpose()
}

/// Reads a single number.
pub fn number(connection: &Connection, sql: &str, parameters: impl Params) -> Result<i64> {
    row(connection, sql, parameters, |row| cell(row, 0))?
        .ok_or_else(|| corrupt(format!("`{sql}` has no answer")))
}

pub fn execute(connection: &Connection, sql: &str, parameters: impl Params) -> Result<()> {
    connection.prepare_cached(sql).stored()?.execute(parameters).stored()?;
    Ok(())
}

pub fn cell<T: FromSql>(row: &Row<'_>, at: usize) -> Result<T> {
    row.get(at).stored()
}

pub fn text<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str> {
    row.get_ref(at)
        .stored()?
        .as_str()
        .map_err(|error| corrupt(format!("a stored text cannot be read: {error}")))
}

pub fn bytes<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r [u8]> {
    row.get_ref(at)
        .stored()?
        .as_blob()
        .map_err(|error| corrupt(format!("stored bytes cannot be read: {error}")))
}

pub fn day(row: &Row<'_>, at: usize) -> Result<Day> {
    cell(row, at).map(Day::from_epoch)
}

pub fn optional_day(row: &Row<'_>, at: usize) -> Result<Option<Day>> {
    Ok(cell::<Option<i32>>(row, at)?.map(Day::from_epoch))
}

pub fn currency(row: &Row<'_>, at: usize) -> Result<Currency> {
    text(row, at)?.parse().map_err(|error| corrupt(format!("a stored currency is wrong: {error}")))
}

pub fn sum(row: &Row<'_>, at: usize) -> Result<Sum> {
    let text = text(row, at)?;
    text.parse()
        .map(Sum::from_nanos)
        .map_err(|_| corrupt(format!("the stored total '{text}' is not a number")))
}

pub fn sum_text(sum: Sum) -> String {
    sum.nanos().to_string()
}

/// Counts are stored as signed numbers.
pub fn count(row: &Row<'_>, at: usize) -> Result<u64> {
    u64::try_from(cell::<i64>(row, at)?).map_err(|_| corrupt("a stored count is negative"))
}

pub fn stored_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub fn digest(row: &Row<'_>, at: usize) -> Result<[u8; 32]> {
    cell(row, at)
}

pub fn account(path: &str) -> Result<Account> {
    Account::parse(path).map_err(|error| corrupt(format!("a stored account is wrong: {error}")))
}

pub fn entry_kind(row: &Row<'_>, at: usize) -> Result<EntryKind> {
    let name = text(row, at)?;
    EntryKind::by_name(name).ok_or_else(|| corrupt(format!("'{name}' is not a kind of entry")))
}

pub fn run_state(row: &Row<'_>, at: usize) -> Result<RunState> {
    let name = text(row, at)?;
    let states = [RunState::Complete, RunState::Incomplete, RunState::Failed];
    states
        .into_iter()
        .find(|state| state.name() == name)
        .ok_or_else(|| corrupt(format!("'{name}' is not a run's state")))
}

/// Source, day and currency, from three columns that begin at `at`.
pub fn source_day(row: &Row<'_>, at: usize) -> Result<SourceDay> {
    Ok(SourceDay {
        source: cell(row, at)?,
        day: day(row, at + 1)?,
        currency: currency(row, at + 2)?,
    })
}

/// A billing period, or nothing.
pub fn stored_period(period: Option<Day>) -> Option<i32> {
    period.map(Day::epoch_days)
}

/// Source, day, currency, the six columns of totals, billing period.
pub fn statement(row: &Row<'_>) -> Result<(DeliveryDay, DayTotals)> {
    let day =
        DeliveryDay { source_day: source_day(row, 0)?, billing_period: optional_day(row, 9)? };
    Ok((day, day_totals(row, 3)?))
}

/// Rows, billed and effective nanos, data, billing period.
pub fn stored_segment(row: &Row<'_>) -> Result<StoredSegment> {
    Ok(StoredSegment {
        rows: cell(row, 0)?,
        billed: sum(row, 1)?,
        effective: sum(row, 2)?,
        data: cell(row, 3)?,
        billing_period: optional_day(row, 4)?,
    })
}

/// Charges, billed, effective, both rests and the fingerprint, from six columns that begin at `at`.
pub fn day_totals(row: &Row<'_>, at: usize) -> Result<DayTotals> {
    let exact = |at: usize| -> Result<Exact> {
        let text = text(row, at)?;
        text.parse().map_err(|error| corrupt(format!("a stored rest is wrong: {error}")))
    };
    Ok(DayTotals {
        charges: count(row, at)?,
        billed: sum(row, at + 1)?,
        effective: sum(row, at + 2)?,
        billed_rest: exact(at + 3)?,
        effective_rest: exact(at + 4)?,
        fingerprint: Fingerprint(u128::from_be_bytes(cell(row, at + 5)?)),
    })
}
