//! Calendar days in UTC.

use std::fmt;

pub const SECONDS: i64 = 86_400;

/// A calendar day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADay(String);

impl Day {
    /// The day of `2026-03-31` or of `2026-03-31T08:00:00Z`; a time that is not in UTC is refused.
    pub fn parse(text: &str) -> Result<Day, NotADay> {
        let refuse = || NotADay(text.chars().take(40).collect());
        let is_utc = match text.as_bytes().get(10) {
            None => true,
            Some(b'T') => text.ends_with('Z'),
            Some(_) => false,
        };
        let date = text.get(..10).filter(|_| is_utc).ok_or_else(refuse)?;
        let mut parts = date.split('-').map(|part| {
            if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None }
        });
        let mut part = || parts.next().flatten().ok_or_else(refuse);
        let (year, month, day): (i64, i64, i64) = (part()?, part()?, part()?);
        Day::from_civil(year, month, day).ok_or_else(refuse)
    }

    /// Nothing where there is no such day.
    pub fn from_civil(year: i64, month: i64, day: i64) -> Option<Day> {
        let found = Day(days_from_civil(year, month, day));
        (found.civil() == (year, month, day)).then_some(found)
    }

    /// The day of so many seconds after 1970.
    pub fn from_unix(seconds: i64) -> Day {
        Day(seconds.div_euclid(SECONDS))
    }

    /// Its first moment, such as `2026-03-31T00:00:00Z`.
    pub fn midnight(self) -> String {
        format!("{self}T00:00:00Z")
    }

    /// The first day of its month.
    pub fn month_start(self) -> Day {
        Day(self.0 - self.civil().2 + 1)
    }

    /// The first day of the month that is so many months later, or earlier.
    pub fn month_plus(self, months: i64) -> Day {
        let (year, month, _) = self.civil();
        let count = year * 12 + month - 1 + months;
        Day(days_from_civil(count.div_euclid(12), count.rem_euclid(12) + 1, 1))
    }

    /// The days from this one up to and without another.
    pub fn until(self, end: Day) -> Vec<Day> {
        (self.0..end.0).map(Day).collect()
    }

    pub fn plus(self, days: i64) -> Day {
        Day(self.0 + days)
    }

    /// Its first second, counted from 1970.
    pub fn start(self) -> i64 {
        self.0 * SECONDS
    }

    /// Year, month and day of the month.
    pub fn civil(self) -> (i64, i64, i64) {
        // Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last one.
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for NotADay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not a day such as 2026-03-31", self.0)
    }
}

impl std::error::Error for NotADay {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_through_leap_years() {
        // By Python's date.toordinal.
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-10-01", 20_727),
            ("2100-03-01", 47_541),
        ] {
            let day = Day::parse(text).unwrap();
            assert_eq!((day.start(), day.to_string()), (days * SECONDS, text.to_owned()));
        }
        assert_eq!(Day::parse("2026-02-28").unwrap().plus(1).to_string(), "2026-03-01");
        assert_eq!(Day::parse("2026-11-01T08:00:00Z"), Day::parse("2026-11-01"));
    }

    #[test]
    fn months_are_counted_over_years() {
        let day = |text: &str| Day::parse(text).unwrap();
        assert_eq!(day("2024-03-31").month_start(), day("2024-03-01"));
        assert_eq!(day("2026-02-17").month_plus(-2), day("2025-12-01"));
        assert_eq!(day("2026-12-31").month_plus(1), day("2027-01-01"));
        assert_eq!(
            day("2024-02-28").until(day("2024-03-01")),
            [day("2024-02-28"), day("2024-02-29")]
        );
        assert_eq!(Day::from_unix(1_730_419_200).midnight(), "2024-11-01T00:00:00Z");
        assert_eq!(
            (Day::from_civil(2023, 2, 29), Day::from_civil(2024, 2, 29)),
            (None, Some(day("2024-02-29")))
        );
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "20260101",
            "2026-01-012",
            "+026-01-01",
            "today",
            "2026-01-01T00:00:00+02:00",
        ] {
            assert_eq!(Day::parse(text), Err(NotADay(text.into())));
        }
    }
}
