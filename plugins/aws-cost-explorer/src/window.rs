//! Which days are asked for.

use crate::date::{Month, day};
use apportion_plugin_sdk::aws::cost_explorer::Granularity;
use apportion_plugin_sdk::{Error, Period};

/// Days from `start` up to and without `end`, as they are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: String,
    pub end: String,
}

impl Window {
    /// `None` where nothing is to be had.
    ///
    /// Without a period: from the first day of the previous month up to today. A month is its first day's, so that of a period
    /// those months are asked for, as a whole, whose first day lies in it. Cost Explorer knows no day after the current month.
    pub fn new(
        period: Option<&Period>,
        granularity: Granularity,
        now: &str,
    ) -> Result<Option<Window>, Error> {
        let today = day(now)?;
        let this_month = Month::of(now)?;
        let (start, end) = match (period, granularity) {
            (None, _) => (this_month.before().first_day(), today),
            (Some(period), Granularity::Daily) => (day(&period.start)?, day(&period.end)?),
            (Some(period), Granularity::Monthly) => {
                (first_at_or_after(&period.start)?, first_at_or_after(&period.end)?)
            }
        };
        let end = end.min(this_month.after().first_day());
        Ok((start < end).then_some(Window { start, end }))
    }
}

fn first_at_or_after(text: &str) -> Result<String, Error> {
    let month = Month::of(text)?;
    Ok(if day(text)? == month.first_day() { month.first_day() } else { month.after().first_day() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(
                window,
                expect.map(|(start, end)| Window { start: start.into(), end: end.into() }),
                "{period:?} {granularity:?}"
            );
        }
        let new_year = Window::new(None, Granularity::Daily, "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(new_year, Some(Window { start: "2025-12-01".into(), end: "2026-01-01".into() }));
    }
}
