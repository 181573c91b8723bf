//! The order of day and month in dates with slashes. Azure writes both, by the language of whoever
//! made the export.

use crate::map::{Options, find};
use apportion_plugin_sdk::table_decode::{TableInfo, distinct};
use apportion_plugin_sdk::{DateOrder, Error, Feed, Mapping, Origin, Problem, Value};
use exact::day::Day;
use table_settings::deliveries::CountingTable;

/// The host gives no more cells of a column. Dates are far fewer, unless each has a time.
const CELLS_MAX: usize = 10_000;

/// The order of the dates of a table: that of the settings, or the one that its dates tell.
///
/// All dates of the file are looked at, because a late row can tell what thousands before it do
/// not. Numbers above 12 decide first, and then the days of the folder and of the billing periods.
pub fn order(
    table: &TableInfo,
    counted: &CountingTable,
    mapping: &Mapping,
    options: &Options,
) -> Result<DateOrder, Error> {
    if let Some(order) = options.date_order {
        return Ok(order);
    }
    let Some(days) = column_of_days(mapping) else { return Ok(DateOrder::MonthDayYear) };
    let dates = slashed(table, days)?;
    if dates.is_empty() {
        return Ok(DateOrder::MonthDayYear);
    }
    let edge = |name: &str| match find(table, name) {
        Some(header) => slashed(table, header),
        None => Ok(Vec::new()),
    };
    let (starts, ends) = (edge("billingperiodstartdate")?, edge("billingperiodenddate")?);
    let all: Vec<Slashed> = dates.iter().chain(&ends).chain(&starts).copied().collect();
    if let Some(order) = told(table, &all)? {
        return Ok(order);
    }
    let order = match (by_range(&dates, counted), by_periods(&dates, &starts)) {
        // Days that were not looked at could be outside.
        _ if dates.len() >= CELLS_MAX => None,
        (Some(one), Some(other)) if one != other => None,
        (None, None) => either(&all),
        (one, other) => one.or(other),
    };
    order.ok_or_else(|| ambiguous(table, days, &all))
}

/// The different dates with slashes of a column.
fn slashed(table: &TableInfo, header: &str) -> Result<Vec<Slashed>, Error> {
    let cells = distinct(&table.name, header, u32::MAX).map_err(Error::Unavailable)?;
    Ok(cells.iter().filter_map(|cell| Slashed::read(cell)).collect())
}

fn column_of_days(mapping: &Mapping) -> Option<&str> {
    let from = mapping.feeds.iter().find(|from| from.feed == Feed::ChargePeriodStart)?;
    match &from.origin {
        Origin::Column(header) => Some(header),
        Origin::Constant(_) => None,
        Origin::FirstOf(choices) => choices.iter().find_map(|choice| match &choice.value {
            Value::Column(header) => Some(header.as_str()),
            _ => None,
        }),
    }
}

/// The three numbers of a date such as `05/03/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slashed {
    first: i64,
    second: i64,
    year: i64,
}

impl Slashed {
    fn read(cell: &str) -> Option<Slashed> {
        let date = cell.trim().split([' ', 'T']).next()?;
        let mut parts = date.split('/').map(|part| part.parse::<i64>().ok());
        let (first, second, year) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Slashed { first, second, year })
    }

    fn day(self, order: DateOrder) -> Option<Day> {
        match order {
            DateOrder::DayMonthYear => Day::from_numbers(self.year, self.second, self.first),
            _ => Day::from_numbers(self.year, self.first, self.second),
        }
    }
}

/// The order that numbers above 12 tell.
fn told(table: &TableInfo, dates: &[Slashed]) -> Result<Option<DateOrder>, Error> {
    let day_first = dates.iter().find(|date| date.first > 12);
    let month_first = dates.iter().find(|date| date.second > 12);
    match (day_first, month_first) {
        (Some(one), Some(other)) => {
            let message = format!(
                "{} has dates of both orders: {}/{}/{} and {}/{}/{}",
                table.name, one.first, one.second, one.year, other.first, other.second, other.year
            );
            let hint = "date_order = \"mdy\"";
            Err(Error::Config(Problem::new(message).hint(hint).table(&table.name)))
        }
        (Some(_), None) => Ok(Some(DateOrder::DayMonthYear)),
        (None, Some(_)) => Ok(Some(DateOrder::MonthDayYear)),
        (None, None) => Ok(None),
    }
}

/// Dates with the same number twice are the same days in both orders.
fn either(dates: &[Slashed]) -> Option<DateOrder> {
    dates.iter().all(|date| date.first == date.second).then_some(DateOrder::MonthDayYear)
}

/// The order in which all dates are in the days of the delivery's folder, if the other is not.
fn by_range(dates: &[Slashed], counted: &CountingTable) -> Option<DateOrder> {
    let range = counted.range?;
    let fits = |order: DateOrder| {
        let inside = |day: Day| range.start <= day && day < range.end;
        dates.iter().all(|date| date.day(order).is_some_and(inside))
    };
    only(fits(DateOrder::MonthDayYear), fits(DateOrder::DayMonthYear))
}

/// The order in which each date is in a billing period, if the other has a date that is in none.
/// Periods may begin on any day of a month.
fn by_periods(dates: &[Slashed], starts: &[Slashed]) -> Option<DateOrder> {
    let fits = |order: DateOrder| {
        let starts: Vec<Day> = starts.iter().filter_map(|start| start.day(order)).collect();
        let inside = |day: Day| starts.iter().any(|start| *start <= day && day < start.plus(31));
        dates.iter().all(|date| date.day(order).is_some_and(inside))
    };
    only(fits(DateOrder::MonthDayYear), fits(DateOrder::DayMonthYear))
}

fn only(month_first: bool, day_first: bool) -> Option<DateOrder> {
    match (month_first, day_first) {
        (true, false) => Some(DateOrder::MonthDayYear),
        (false, true) => Some(DateOrder::DayMonthYear),
        _ => None,
    }
}

fn ambiguous(table: &TableInfo, column: &str, dates: &[Slashed]) -> Error {
    let example = dates.iter().find(|date| date.first != date.second);
    let example = example.map_or_else(String::new, |date| {
        let days = [DateOrder::DayMonthYear, DateOrder::MonthDayYear]
            .map(|order| date.day(order).map_or_else(String::new, |day| day.to_string()));
        let Slashed { first, second, year } = date;
        format!(": {first:02}/{second:02}/{year} can be {} or {}", days[0], days[1])
    });
    let message =
        format!("{} does not tell whether its dates begin with the day{example}", table.name);
    let problem = Problem::new(message).hint("date_order = \"dmy\" | \"mdy\"");
    Error::Config(problem.table(&table.name).column(column))
}
