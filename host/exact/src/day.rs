//! Calendar days in UTC.

use chrono::{Datelike, Months, NaiveDate, Weekday};
use std::fmt;
use std::str::FromStr;

pub const SECONDS: i64 = 86_400;

/// A calendar day in UTC, counted from 1970-01-01.
///
/// A day is made for every row of a bill, so it is a plain number. The calendar is asked only where
/// a date is read or shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i32);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a date such as 2026-03-31")]
pub struct NotADate(pub String);

/// Neither a date nor a point in time in UTC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a day such as 2026-03-31")]
pub struct NotADay(String);

impl Day {
    pub const fn from_epoch(days: i32) -> Day {
        Day(days)
    }

    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// Nothing where the calendar has no such day. Years are 1 to 9999, as RFC 3339 can write them.
    pub fn from_civil(year: i32, month: u32, day: u32) -> Option<Day> {
        let date = NaiveDate::from_ymd_opt(year, month, day);
        date.filter(|_| (1..=9999).contains(&year)).map(Day::from)
    }

    /// Reads `20260331`.
    pub fn from_compact(text: &str) -> Option<Day> {
        // A plain split would panic at a position inside a character.
        let (year, rest) = text.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        read_date(format!("{year}-{month}-{day}").as_bytes())
    }

    /// As [`Day::from_civil`], of numbers as an answer in JSON has them.
    pub fn from_numbers(year: i64, month: i64, day: i64) -> Option<Day> {
        let part = |number: i64| u32::try_from(number).ok();
        Day::from_civil(i32::try_from(year).ok()?, part(month)?, part(day)?)
    }

    /// Year, month and day of the month.
    pub fn civil(self) -> (i32, u32, u32) {
        let date = self.date();
        (date.year(), date.month(), date.day())
    }

    /// The day of a date or of a point in time: `2026-03-31`, `2026-03-31T08:00:00Z`.
    ///
    /// A point in time that is not in UTC is refused. Its clock is not looked at.
    pub fn parse(text: &str) -> Result<Day, NotADay> {
        let refuse = || NotADay(text.chars().take(40).collect());
        // In another zone, the same clock can belong to another day.
        let is_utc = match text.as_bytes().get(10) {
            None => true,
            Some(b'T') => text.ends_with('Z'),
            Some(_) => false,
        };
        let date = text.get(..10).filter(|_| is_utc).ok_or_else(refuse)?;
        read_date(date.as_bytes()).ok_or_else(refuse)
    }

    /// The day of a point in time, in seconds since 1970-01-01.
    pub fn from_unix(seconds: i64) -> Day {
        // Rounded down: cut off towards zero, the last second of 1969 would fall into 1970.
        let days = seconds.div_euclid(SECONDS);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Whether the day is in the years 1 to 9999, which texts of dates can name.
    pub fn is_in_calendar(self) -> bool {
        // 0001-01-01 and 9999-12-31. Rows are asked this, so no calendar is.
        (-719_162..=2_932_896).contains(&self.0)
    }

    /// The day of a point in time, in milliseconds since 1970-01-01.
    pub fn of_instant(at_ms: i64) -> Day {
        Day::from_unix(at_ms.div_euclid(1000))
    }

    /// Its first second, counted from 1970-01-01.
    pub fn start(self) -> i64 {
        i64::from(self.0) * SECONDS
    }

    /// Its first moment, such as `2026-03-31T00:00:00Z`.
    pub fn midnight(self) -> String {
        format!("{self}T00:00:00Z")
    }

    /// Days beyond 32 bits do not exist: the sum stops there.
    pub const fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// The days from this one up to and without another.
    pub fn until(self, end: Day) -> impl Iterator<Item = Day> {
        (self.0..end.0).map(Day)
    }

    /// Monday of the day's week.
    pub fn week_start(self) -> Day {
        self.plus(-(self.date().weekday().days_since(Weekday::Mon) as i32))
    }

    /// Sunday is 0 and Saturday is 6, as cron counts.
    pub fn weekday(self) -> u32 {
        self.date().weekday().num_days_from_sunday()
    }

    /// The first day of its month.
    pub fn month_start(self) -> Day {
        self.plus(1 - self.date().day() as i32)
    }

    /// The first day of the month that is so many months later; before 0, earlier.
    pub fn month_plus(self, months: i32) -> Day {
        let start = self.month_start().date();
        let distance = Months::new(months.unsigned_abs());
        let moved = if months < 0 {
            start.checked_sub_months(distance).unwrap_or(NaiveDate::MIN)
        } else {
            start.checked_add_months(distance).unwrap_or(NaiveDate::MAX)
        };
        Day::from(moved)
    }

    /// `chrono` knows some 262,000 years in both directions; a day outside is its first or last.
    fn date(self) -> NaiveDate {
        let end = if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
        NaiveDate::from_epoch_days(self.0).unwrap_or(end)
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Day {
        Day(date.to_epoch_days())
    }
}

/// Reads `2026-03-31` and nothing else. Written by hand because bills have such a text in every
/// row.
#[inline]
pub fn read_date(date: &[u8]) -> Option<Day> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
        })
    };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    Day::from_civil(year as i32, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
}

impl FromStr for Day {
    type Err = NotADate;
    fn from_str(text: &str) -> Result<Day, NotADate> {
        read_date(text.as_bytes()).ok_or_else(|| NotADate(text.into()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn days_are_counted_through_leap_years() {
        // By Python's date.toordinal.
        for (text, days) in [
            ("0001-01-01", -719_162),
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-10-01", 20_727),
            ("2100-03-01", 47_541),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!((day(text).epoch_days(), day(text).to_string()), (days, text.to_owned()));
            assert_eq!(text.parse(), Ok(day(text)));
            assert_eq!(day(text).start(), i64::from(days) * SECONDS);
        }
        assert_eq!(day("2026-02-28").plus(1), day("2026-03-01"));
        assert_eq!(Day::parse("2026-11-01T08:00:00Z"), Day::parse("2026-11-01"));
    }

    #[test]
    fn months_are_counted_over_years() {
        assert_eq!(day("2024-03-31").month_start(), day("2024-03-01"));
        assert_eq!(day("2026-02-17").month_plus(-2), day("2025-12-01"));
        assert_eq!(day("2026-12-31").month_plus(1), day("2027-01-01"));
        assert_eq!(day("2024-01-31").month_plus(1), day("2024-02-01"));
        let leap: Vec<Day> = day("2024-02-28").until(day("2024-03-01")).collect();
        assert_eq!(leap, [day("2024-02-28"), day("2024-02-29")]);
        assert_eq!(Day::from_unix(1_730_419_200).midnight(), "2024-11-01T00:00:00Z");
        assert_eq!(Day::from_civil(2023, 2, 29), None);
        assert_eq!(Day::from_numbers(2024, 2, 29), Some(day("2024-02-29")));
        assert_eq!(Day::from_compact("20240229"), Some(day("2024-02-29")));
        for text in ["", "2024022", "202402290", "2024-2-9", "20230229", "2024０1"] {
            assert_eq!(Day::from_compact(text), None, "{text}");
        }
        assert_eq!(Day::from_numbers(2024, -2, 29), None);
        assert_eq!(Day::from_numbers(i64::MAX, 1, 1), None);
        assert_eq!(Day::from_civil(2024, 2, 29), Some(day("2024-02-29")));
    }

    #[test]
    fn a_day_outside_of_four_digit_years_is_not_in_the_calendar() {
        let (first, last) = (day("0001-01-01"), day("9999-12-31"));
        assert!(first.is_in_calendar() && last.is_in_calendar());
        assert!(!first.plus(-1).is_in_calendar() && !last.plus(1).is_in_calendar());
    }

    #[test]
    fn weeks_begin_on_monday() {
        // 2026-11-22 is a Sunday.
        assert_eq!(day("2026-11-22").week_start(), day("2026-11-16"));
        assert_eq!(day("2026-11-16").week_start(), day("2026-11-16"));
        assert_eq!((day("2026-11-22").weekday(), day("2026-11-21").weekday()), (0, 6));
        // The Monday before 1970-01-01, which was a Thursday.
        assert_eq!(Day::from_epoch(0).week_start(), day("1969-12-29"));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "0000-01-01",
            "2026-00-01",
            "2026-01-00",
            "2026-02-29",
            "2026-02-30",
            "2026-13-01",
            "2026-1-1",
            "20260101",
            "2026-01-012",
            "+026-01-01",
            "-026-01-01",
            "２026-01-01",
            "today",
        ] {
            assert_eq!(Day::parse(text), Err(NotADay(text.into())));
            assert_eq!(text.parse::<Day>(), Err(NotADate(text.into())));
        }
        for text in ["2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z"] {
            assert_eq!(Day::parse(text), Err(NotADay(text.into())));
        }
    }

    #[test]
    fn days_beyond_the_calendar_stop_at_its_ends() {
        assert_eq!(Day::from_unix(i64::MAX), Day::from_epoch(i32::MAX));
        assert_eq!(Day::of_instant(i64::MIN), Day::from_epoch(i32::MIN));
        assert_eq!(Day::from_epoch(i32::MAX).plus(1), Day::from_epoch(i32::MAX));
        assert_eq!(Day::from_epoch(i32::MAX).civil(), (262_142, 12, 31));
        assert_eq!(Day::from_epoch(i32::MIN).civil(), (-262_143, 1, 1));
        assert_eq!(Day::of_instant(-1), day("1969-12-31"));
    }
}
