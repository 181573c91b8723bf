//! The order of day and month in dates with slashes. Azure writes both, by the language of whoever
//! made the export.

use crate::map::{Options, find};
use apportion_plugin_sdk::table_decode::{TableInfo, distinct, sample};
use apportion_plugin_sdk::{DateOrder, Error, Feed, Mapping, Origin, Problem, Value};
use exact::day::Day;
use table_settings::deliveries::CountingTable;

/// Rows that are looked at before the whole column is.
const ROWS: u32 = 1_000;

/// The order of the dates of a table: that of the settings, or the one that its dates tell.
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
    let rows = sample(&table.name, ROWS).map_err(Error::Unavailable)?;
    let column = |header: &str| -> Vec<Slashed> {
        let at = table.columns.iter().position(|column| column.name == header);
        let cells =
            at.map_or_else(Vec::new, |at| rows.iter().filter_map(|row| row.get(at)).collect());
        cells.into_iter().filter_map(|cell| Slashed::read(cell)).collect()
    };
    let dates = column(days);
    if dates.is_empty() {
        return Ok(DateOrder::MonthDayYear);
    }
    // The last day of a billing period is above 12, and its first day is mostly the first.
    let edge = |name: &str| find(table, name).map_or_else(Vec::new, &column);
    let (starts, ends) = (edge("billingperiodstartdate"), edge("billingperiodenddate"));
    let edges: Vec<Slashed> = ends.iter().chain(&starts).copied().collect();
    let told = told(table, &dates)?
        .or(by_range(&dates, counted))
        .or(self::told(table, &edges)?)
        .or(by_first(&starts));
    match told {
        Some(order) => Ok(order),
        None => {
            let cells = distinct(&table.name, days, u32::MAX).map_err(Error::Unavailable)?;
            let all: Vec<Slashed> = cells.iter().filter_map(|cell| Slashed::read(cell)).collect();
            let told = self::told(table, &all)?.or_else(|| either(&all));
            told.ok_or_else(|| ambiguous(table, days, &all))
        }
    }
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

/// The order in which all billing periods begin with a first of a month, if they do not in the
/// other.
fn by_first(starts: &[Slashed]) -> Option<DateOrder> {
    let (month_first, day_first) =
        (starts.iter().all(|date| date.second == 1), starts.iter().all(|date| date.first == 1));
    only(month_first, day_first).filter(|_| !starts.is_empty())
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
