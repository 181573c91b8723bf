//! Hours since 1970, and their text form.

use std::fmt;

/// A whole hour, counted from the start of 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hour(pub i64);

/// A month of a year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Month {
    pub year: i64,
    /// Counted from 1.
    pub number: i64,
}

impl Month {
    /// Reads `2026-06`.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, number) = text.split_once('-')?;
        let month = Month { year: year.parse().ok()?, number: number.parse().ok()? };
        ((1..=12).contains(&month.number) && (1970..=9999).contains(&month.year)).then_some(month)
    }

    pub fn next(self) -> Month {
        if self.number == 12 {
            Month { year: self.year + 1, number: 1 }
        } else {
            Month { number: self.number + 1, ..self }
        }
    }

    pub fn start(self) -> Hour {
        Hour(days_before(self.year, self.number) * 24)
    }

    pub fn days(self) -> i64 {
        (self.next().start().0 - self.start().0) / 24
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970 to the first of this month.
fn days_before(year: i64, month: i64) -> i64 {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months: i64 = LENGTHS.iter().take(month as usize - 1).sum();
    years + months + i64::from(month > 2 && is_leap(year))
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(24);
        // A year has at most 366 days, so this is never too late.
        let mut month = Month { year: 1970 + days / 366, number: 1 };
        while month.next().start().0 <= self.0 {
            month = month.next();
        }
        let day = days - month.start().0 / 24 + 1;
        write!(
            f,
            "{:04}-{:02}-{day:02}T{:02}:00:00Z",
            month.year,
            month.number,
            self.0.rem_euclid(24)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_start_where_the_calendar_says() {
        let start = |text: &str| Month::parse(text).map(|month| month.start().0 / 24);
        assert_eq!(start("1970-01"), Some(0));
        assert_eq!(start("2026-06"), Some(20_605));
        assert_eq!(start("2024-03"), Some(19_783));
        assert_eq!(start("2026-13"), None);
        assert_eq!(Month::parse("2024-02").map(Month::days), Some(29));
    }

    #[test]
    fn hours_are_written_as_focus_has_them() {
        assert_eq!(Hour(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Hour(20_605 * 24 + 13).to_string(), "2026-06-01T13:00:00Z");
        assert_eq!(Hour(19_782 * 24 + 23).to_string(), "2024-02-29T23:00:00Z");
        assert_eq!(Hour(20_818 * 24).to_string(), "2026-12-31T00:00:00Z");
    }
}
