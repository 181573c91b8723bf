//! The day and the month that it is, by the wall clock.

use domain::period::{Day, Month};
use installation::clock;

const DAY_MS: i64 = 86_400_000;

/// Nothing if the clock is beyond all calendars.
pub fn today() -> Option<Day> {
    i32::try_from(clock::now_ms().div_euclid(DAY_MS)).ok().map(Day::from_epoch)
}

pub fn this_month() -> Month {
    today().unwrap_or(Day::from_epoch(0)).month()
}
