//! Calendar months and half-open periods of days.

use crate::day::Day;
use std::fmt;
use std::str::FromStr;

/// A calendar month, by its first day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(Day);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a month such as 2026-03")]
pub struct NotAMonth(String);

/// Days from `start` up to and without `end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Period {
    start: Day,
    end: Day,
}

/// The period would end before it starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period would end on {end}, before it starts on {start}")]
pub struct Backwards {
    start: Day,
    end: Day,
}

impl Month {
    pub fn new(year: i32, month: u32) -> Option<Month> {
        Day::from_civil(year, month, 1).map(Month)
    }

    pub fn first_day(self) -> Day {
        self.0
    }

    pub fn before(self) -> Month {
        Month(self.0.month_plus(-1))
    }

    pub fn next(self) -> Month {
        Month(self.0.month_plus(1))
    }

    /// The first month of its quarter.
    pub fn quarter(self) -> Month {
        let (_, month, _) = self.0.civil();
        Month(self.0.month_plus(-(month.cast_signed() - 1).rem_euclid(3)))
    }

    /// The first month of its year.
    pub fn january(self) -> Month {
        let (_, month, _) = self.0.civil();
        Month(self.0.month_plus(1 - month.cast_signed()))
    }

    pub fn period(self) -> Period {
        Period { start: self.first_day(), end: self.next().first_day() }
    }
}

impl Period {
    pub fn new(start: Day, end: Day) -> Result<Period, Backwards> {
        if end < start { Err(Backwards { start, end }) } else { Ok(Period { start, end }) }
    }

    /// A period that holds each day of any bill.
    pub fn all() -> Period {
        Period { start: Day::from_epoch(i32::MIN / 2), end: Day::from_epoch(i32::MAX / 2) }
    }

    pub fn start(self) -> Day {
        self.start
    }

    /// The first day after the period.
    pub fn end(self) -> Day {
        self.end
    }

    pub fn days(self) -> impl Iterator<Item = Day> {
        self.start.until(self.end)
    }

    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }
}

impl Day {
    pub fn month(self) -> Month {
        Month(self.month_start())
    }
}

impl FromStr for Month {
    type Err = NotAMonth;
    fn from_str(text: &str) -> Result<Month, NotAMonth> {
        let first = format!("{text}-01").parse::<Day>();
        first.map(Month).map_err(|_| NotAMonth(text.into()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, _) = self.0.civil();
        f.pad(&format!("{year:04}-{month:02}"))
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn months_follow_each_other() {
        assert_eq!(
            (month("2024-02").before(), month("2024-02").next()),
            (month("2024-01"), month("2024-03"))
        );
        assert_eq!(
            (month("2026-12").next(), month("2026-01").before()),
            (month("2027-01"), month("2025-12"))
        );
        assert_eq!(month("2024-02").first_day().to_string(), "2024-02-01");
        let leap: Day = "2024-02-29".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(leap.month(), month("2024-02"));
        assert_eq!(month("0001-01").first_day().to_string(), "0001-01-01");
        assert_eq!(month("2024-02").period().days().count(), 29);
        assert_eq!(month("9999-12").period().days().count(), 31);
        assert_eq!(month("9999-12").next().to_string(), "10000-01");
    }

    #[test]
    fn quarters_and_years_begin_with_their_first_month() {
        for (of, quarter, january) in [
            ("2026-01", "2026-01", "2026-01"),
            ("2026-03", "2026-01", "2026-01"),
            ("2026-04", "2026-04", "2026-01"),
            ("2024-12", "2024-10", "2024-01"),
            ("0001-02", "0001-01", "0001-01"),
        ] {
            assert_eq!(month(of).quarter(), month(quarter), "{of}");
            assert_eq!(month(of).january(), month(january), "{of}");
        }
    }

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let period = month("2026-03").period();
        assert!(period.contains(period.start()) && !period.contains(period.end()));
        assert!(Period::all().contains(month("9999-12").first_day()));
        assert_eq!(
            Period::new(period.end(), period.start()).map_err(|error| error.to_string()),
            Err("the period would end on 2026-03-01, before it starts on 2026-04-01".into())
        );
        assert!(
            Period::new(period.end(), period.end())
                .is_ok_and(|empty| empty.days().next().is_none())
        );
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in [
            "",
            "2024",
            "2024-13",
            "2024-00",
            "0000-01",
            "2024-1",
            "24-01",
            "2024-1x",
            "2024-01-01",
        ] {
            assert_eq!(text.parse::<Month>(), Err(NotAMonth(text.into())), "{text}");
        }
    }
}
