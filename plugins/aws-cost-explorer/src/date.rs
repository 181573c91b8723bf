//! Days as Cost Explorer writes them. Such texts can be compared as they are.

use apportion_plugin_sdk::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: i32,
}

impl Month {
    /// The month of a day or of a point in time.
    pub fn of(day: &str) -> Result<Month, Error> {
        let unreadable = || Error::Bug(format!("'{day}' is not a day"));
        let part = |from: usize, to: usize| {
            day.get(from..to).and_then(|digits| digits.parse().ok()).ok_or_else(unreadable)
        };
        let month = Month { year: part(0, 4)?, month: part(5, 7)? };
        let day_of_month: i32 = part(8, 10)?;
        if (1..=12).contains(&month.month) && (1..=31).contains(&day_of_month) {
            Ok(month)
        } else {
            Err(unreadable())
        }
    }

    pub fn first_day(self) -> String {
        format!("{:04}-{:02}-01", self.year, self.month)
    }

    pub fn after(self) -> Month {
        self.moved(1)
    }

    pub fn before(self) -> Month {
        self.moved(-1)
    }

    fn moved(self, months: i32) -> Month {
        let months = self.year * 12 + self.month - 1 + months;
        Month { year: months.div_euclid(12), month: months.rem_euclid(12) + 1 }
    }
}

/// The day of a point in time such as `2026-03-31T08:00:00Z`.
pub fn day(instant: &str) -> Result<String, Error> {
    Month::of(instant)?;
    Ok(instant.get(..10).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other() {
        let month = |day: &str| Month::of(day).unwrap();
        assert_eq!(month("2026-12-31").after().first_day(), "2027-01-01");
        assert_eq!(month("2026-01-31T08:00:00Z").before().first_day(), "2025-12-01");
        assert_eq!(Month::of("2026-13-01"), Err(Error::Bug("'2026-13-01' is not a day".into())));
        assert_eq!(day("now"), Err(Error::Bug("'now' is not a day".into())));
    }
}
