//! The days that Cost Explorer is asked for.

use apportion_plugin_sdk::aws::cost_explorer::Granularity;
use apportion_plugin_sdk::{Error, Period};
use exact::day::Day;

/// Days from `start` up to and without `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: Day,
    pub end: Day,
}

impl Window {
    /// `None` where Cost Explorer has nothing.
    ///
    /// Without a period, the window goes from the first day of the previous month up to today. A
    /// month counts on its first day: a period asks for each whole month whose first day it holds.
    /// Cost Explorer knows no day after the current month.
    pub fn new(
        period: Option<&Period>,
        granularity: Granularity,
        now: &str,
    ) -> Result<Option<Window>, Error> {
        let today = day(now)?;
        let this_month = today.month();
        let (start, end) = match (period, granularity) {
            (None, _) => (this_month.before().first_day(), today),
            (Some(period), Granularity::Daily) => (day(&period.start)?, day(&period.end)?),
            (Some(period), Granularity::Monthly) => {
                (first_at_or_after(day(&period.start)?), first_at_or_after(day(&period.end)?))
            }
        };
        let end = end.min(this_month.next().first_day());
        Ok((start < end).then_some(Window { start, end }))
    }
}

fn first_at_or_after(day: Day) -> Day {
    let first = day.month_start();
    if day == first { first } else { day.month().next().first_day() }
}

/// The day of a date or of a point in time, as the host gives them.
fn day(text: &str) -> Result<Day, Error> {
    Day::parse(text).map_err(|_| Error::Bug(format!("'{text}' is not a day")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within((start, end): (&str, &str)) -> Window {
        Window { start: day(start).unwrap(), end: day(end).unwrap() }
    }

    #[test]
    fn days_and_months_of_a_period() {
        let now = "2026-11-25T13:00:00Z";
        for (period, granularity, expect) in [
            (None, Granularity::Daily, Some(("2026-10-01", "2026-11-25"))),
            (None, Granularity::Monthly, Some(("2026-10-01", "2026-11-25"))),
            (
                Some(("2026-11-03", "2026-11-05")),
                Granularity::Daily,
                Some(("2026-11-03", "2026-11-05")),
            ),
            (
                Some(("2026-11-20", "2027-01-01")),
                Granularity::Daily,
                Some(("2026-11-20", "2026-12-01")),
            ),
            (Some(("2027-01-01", "2027-02-01")), Granularity::Daily, None),
            (
                Some(("2026-09-01", "2026-11-01")),
                Granularity::Monthly,
                Some(("2026-09-01", "2026-11-01")),
            ),
            (
                Some(("2026-09-15", "2026-10-20")),
                Granularity::Monthly,
                Some(("2026-10-01", "2026-11-01")),
            ),
            (
                Some(("2026-11-01", "2026-11-20")),
                Granularity::Monthly,
                Some(("2026-11-01", "2026-12-01")),
            ),
            (Some(("2026-11-02", "2026-11-20")), Granularity::Monthly, None),
        ] {
            let period = period.map(|(start, end)| Period { start: start.into(), end: end.into() });
            let window = Window::new(period.as_ref(), granularity, now).unwrap();
            assert_eq!(window, expect.map(within), "{period:?} {granularity:?}");
        }
        let new_year = Window::new(None, Granularity::Daily, "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(new_year, Some(within(("2025-12-01", "2026-01-01"))));
        let now = "2026-12-31T23:59:59Z";
        let period = Period { start: "2026-12-01".into(), end: "2027-03-01".into() };
        let window = Window::new(Some(&period), Granularity::Daily, now).unwrap();
        assert_eq!(window, Some(within(("2026-12-01", "2027-01-01"))));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "now", "2026-13-01", "2026-02-30", "2026-11-25T13:00:00+01:00"] {
            let refused = Window::new(None, Granularity::Daily, text);
            assert_eq!(refused, Err(Error::Bug(format!("'{text}' is not a day"))));
        }
    }
}
