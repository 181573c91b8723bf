//! The days that an API is asked for.

use apportion_plugin_sdk::{Error, Request, run_info};
use exact::day::Day;

/// The first second of the year 2000. There are no cloud bills from before.
const EARLIEST: i64 = 946_684_800;

/// Days from `start` up to and without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: Day,
    pub end: Day,
}

impl Window {
    /// The days of the period. Without a period, the months before the run's own and that month up
    /// to the day of the run.
    pub fn wanted(request: &Request, months_before: i32) -> Result<Window, Error> {
        let day = |text: &str| {
            Day::parse(text).map_err(|error| Error::Bug(format!("the host's day {error}")))
        };
        let Some(period) = &request.period else {
            let today = day(&run_info::now())?;
            return Ok(Window { start: today.month_plus(-months_before), end: today.plus(1) });
        };
        // The period of everything has bounds that no API accepts, and no API has costs of
        // tomorrow.
        let earliest = Day::from_unix(EARLIEST);
        let end = day(&period.end)?;
        let end = Day::parse(&run_info::now()).map_or(end, |today| end.min(today.plus(1)));
        Ok(Window { start: day(&period.start)?.max(earliest), end })
    }

    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    pub fn holds(&self, day: Day) -> bool {
        self.start <= day && day < self.end
    }

    /// The first days of all months that the window touches.
    pub fn months(&self) -> Vec<Day> {
        let months = std::iter::successors(Some(self.start.month_start()), |month| {
            Some(month.month_plus(1))
        });
        months.take_while(|month| *month < self.end).collect()
    }

    pub fn days(&self) -> Vec<Day> {
        self.start.until(self.end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::{Period, fixture};

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn without_a_period_some_months_are_asked_for() {
        fixture::run("s", "2026-02-17T08:00:00Z");
        let request = |period: Option<(&str, &str)>| Request {
            config: String::new(),
            period: period.map(|(start, end)| Period { start: start.into(), end: end.into() }),
            state: None,
        };
        let window = Window::wanted(&request(None), 2).unwrap();
        assert_eq!((window.start, window.end), (day("2025-12-01"), day("2026-02-18")));
        assert_eq!(window.months(), [day("2025-12-01"), day("2026-01-01"), day("2026-02-01")]);
        let all = Window::wanted(&request(Some(("0001-01-01", "9999-12-31"))), 2).unwrap();
        assert_eq!((all.start, all.end), (day("2000-01-01"), day("2026-02-18")));
        assert!(
            Window::wanted(&request(Some(("2026-03-01", "2026-04-01"))), 2).unwrap().is_empty()
        );
    }
}
