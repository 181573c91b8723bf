//! Sets of days: which are asked for, which were covered, and which a collection knows in full.

use domain::period::{Day, Period};
use domain::port::UnknownDays;
use ledger::StoredAttempt;
use std::collections::{BTreeMap, BTreeSet};

/// The days that a source is asked for when a run names none: those that were never asked for, and
/// the last ones again, since clouds restate them. A source without a window is asked for all there
/// is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceWindow {
    /// The first day that is wanted. `None`: the first day that was ever asked for, which is the
    /// first of the month before the first collection.
    pub since: Option<Day>,
    pub restate_days: u32,
}

impl SourceWindow {
    /// From the first day that is not covered to the end of today, and the days before it that may
    /// have been restated. Today is not over: it is asked for again until a run asks after its end.
    pub fn period(self, coverage: &Coverage, today: Day) -> Period {
        let (since, end) = (self.first_day(coverage, today), today.plus(1));
        let first = (since.epoch_days()..end.epoch_days())
            .map(Day::from_epoch)
            .find(|day| !coverage.has(*day))
            .unwrap_or(today);
        let restated = first.plus(-i32::try_from(self.restate_days).unwrap_or(i32::MAX / 4));
        let start = restated.max(since).min(end);
        // The start was just cut at the end.
        Period::new(start, end).unwrap_or_else(|_| Period::all())
    }

    /// A period that was asked for. An open end is the first day that is wanted, or the end of
    /// today.
    pub fn closed(self, asked: Period, coverage: &Coverage, today: Day) -> Period {
        let (mut start, mut end) = (asked.start(), asked.end());
        if start == Period::all().start() {
            start = self.first_day(coverage, today).min(end);
        }
        if end == Period::all().end() {
            end = today.plus(1).max(start);
        }
        Period::new(start, end).unwrap_or(asked)
    }

    pub(super) fn first_day(self, coverage: &Coverage, today: Day) -> Day {
        self.since.or(coverage.first_asked).unwrap_or_else(|| today.month().before().first_day())
    }
}

/// The days that a source was asked for with success, after they were over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub(super) days: BTreeSet<Day>,
    /// Asked for before they were over.
    pub(super) partial: BTreeSet<Day>,
    /// Days that the source does not know, with its reason. Asking again would not help.
    pub(super) unknown: BTreeMap<Day, String>,
    /// Whether it was ever asked for all there is.
    pub(super) all: bool,
    /// The first day of the first attempt, whether it went well or not.
    pub(super) first_asked: Option<Day>,
}

impl Coverage {
    pub fn of(attempts: &[StoredAttempt]) -> Coverage {
        let asked = attempts.iter().find_map(|attempt| attempt.attempt.period);
        let first_asked = asked.map(Period::start).filter(|day| *day > Day::from_epoch(0));
        let mut coverage = Coverage { first_asked, ..Coverage::default() };
        for StoredAttempt { at_ms, attempt, .. } in
            attempts.iter().filter(|attempt| attempt.attempt.failure.is_none())
        {
            let today = Day::of_instant(*at_ms);
            match attempt.period {
                None => {
                    coverage.all = true;
                    coverage.unknown.clear();
                }
                Some(period) => {
                    // A later answer about a day takes the place of an earlier one.
                    coverage.unknown.retain(|day, _| !period.contains(*day));
                    // A period without a beginning asks for all earlier days. Costs before the
                    // epoch do not exist.
                    let start = period.start().max(Day::from_epoch(0));
                    coverage.days.extend(
                        (start.epoch_days()..period.end().min(today).epoch_days())
                            .map(Day::from_epoch),
                    );
                    coverage.partial.extend(Some(today).filter(|today| period.contains(*today)));
                }
            }
            for UnknownDays { period, reason } in &attempt.unknown {
                let (start, end) =
                    (period.start().max(Day::from_epoch(0)), period.end().min(today.plus(1)));
                let days = (start.epoch_days()..end.epoch_days()).map(Day::from_epoch);
                let asked =
                    days.filter(|day| attempt.period.is_none_or(|asked| asked.contains(*day)));
                coverage.unknown.extend(asked.map(|day| (day, reason.clone())));
            }
        }
        coverage
    }

    pub fn has(&self, day: Day) -> bool {
        self.days.contains(&day)
    }

    /// Whether the source was asked for the day and knows it, so that what it did not give does not
    /// exist.
    pub fn knows(&self, day: Day) -> bool {
        self.has(day) && !self.unknown.contains_key(&day)
    }
}

/// The days of which a collection has all that its source has.
#[derive(Clone, Debug, Default)]
pub struct KnownDays {
    /// The days that were asked for. `None`: all there is, and the source names the days that it
    /// has in full.
    pub asked: Option<Period>,
    pub complete: Vec<Period>,
    pub unknown: Vec<UnknownDays>,
}

impl KnownDays {
    pub fn has(&self, day: Day) -> bool {
        let is_unknown = self.unknown.iter().any(|unknown| unknown.period.contains(day));
        !is_unknown
            && self
                .asked
                .iter()
                .chain(self.complete.iter().filter(|_| self.asked.is_none()))
                .any(|period| period.contains(day))
    }

    /// All such days lie in it.
    pub fn span(&self) -> Option<Period> {
        let start = self.complete.iter().map(|period| period.start()).min();
        let end = self.complete.iter().map(|period| period.end()).max();
        // The first start is not after the last end.
        self.asked.or_else(|| Period::new(start?, end?).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::code;
    use domain::diagnostic::Diagnostic;
    use domain::port::PluginIdentity;
    use domain::run::RunId;
    use ledger::{Attempt, AttemptFailure};

    const DAY_MS: i64 = 86_400_000;

    fn day(text: &str) -> Day {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    /// `on start end` with an exclamation mark if it failed; `-` for all there is.
    fn attempts(text: &str) -> Vec<StoredAttempt> {
        let plugin =
            PluginIdentity { name: "p".into(), version: "1".into(), digest: String::new() };
        let attempt = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let period = (words[1] != "-").then(|| {
                Period::new(day(words[1]), day(words[2])).unwrap_or_else(|error| panic!("{error}"))
            });
            let failed = Diagnostic::new(code::PLUGIN_FAILED, "down");
            let failure = line.ends_with('!').then(|| AttemptFailure::from(&failed));
            let at_ms = i64::from(day(words[0]).epoch_days()) * DAY_MS + 3_600_000;
            StoredAttempt {
                run: RunId(1),
                at_ms,
                plugin: plugin.clone(),
                attempt: Attempt {
                    period,
                    tries: 1,
                    without_state: false,
                    failure,
                    unknown: Vec::new(),
                },
            }
        };
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(attempt).collect()
    }

    #[test]
    fn an_open_end_is_the_first_wanted_day_or_the_end_of_today() {
        let closed = |from: Option<&str>, end: Option<&str>| {
            let all = Period::all();
            let start = from.map_or(all.start(), day);
            let asked = Period::new(start, end.map_or(all.end(), day)).unwrap();
            let window = SourceWindow { since: Some(day("2026-01-15")), restate_days: 3 };
            let period = window.closed(asked, &Coverage::default(), day("2026-03-10"));
            format!("{} {}", period.start(), period.end())
        };
        assert_eq!(closed(Some("2026-03-01"), None), "2026-03-01 2026-03-11");
        assert_eq!(closed(None, Some("2026-03-01")), "2026-01-15 2026-03-01");
        assert_eq!(closed(Some("2026-02-01"), Some("2026-03-01")), "2026-02-01 2026-03-01");
        // Nothing is wanted before the first day, and nothing is known of the future.
        assert_eq!(closed(None, Some("2026-01-01")), "2026-01-01 2026-01-01");
        assert_eq!(closed(Some("2026-05-01"), None), "2026-05-01 2026-05-01");
    }

    fn asked(since: &str, restate_days: u32, history: &str, today: &str) -> String {
        let period = SourceWindow { since: (since != "-").then(|| day(since)), restate_days }
            .period(&Coverage::of(&attempts(history)), day(today));
        format!("{} {}", period.start(), period.end())
    }

    #[test]
    fn the_first_time_all_wanted_days_are_asked_for_and_then_what_is_missing_or_may_be_restated() {
        assert_eq!(asked("2026-01-01", 3, "", "2026-03-10"), "2026-01-01 2026-03-11");
        // Asked for on the 10th: days to the 9th are over. Two days later the 10th is the first
        // gap.
        let once = "2026-03-10 2026-01-01 2026-03-11";
        assert_eq!(asked("2026-01-01", 3, once, "2026-03-12"), "2026-03-07 2026-03-13");
        assert_eq!(asked("2026-01-01", 0, once, "2026-03-12"), "2026-03-10 2026-03-13");
        assert_eq!(asked("2026-01-01", 0, once, "2026-03-10"), "2026-03-10 2026-03-11");
        assert_eq!(asked("2026-03-09", 30, once, "2026-03-12"), "2026-03-09 2026-03-13");
    }

    #[test]
    fn days_that_failed_or_lie_between_are_caught_up_with() {
        let failed = "2026-03-10 2026-01-01 2026-03-11\n2026-03-20 2026-03-07 2026-03-21 !";
        assert_eq!(asked("2026-01-01", 3, failed, "2026-04-02"), "2026-03-07 2026-04-03");
        let hole = "2026-03-10 2026-01-01 2026-02-01\n2026-03-10 2026-02-15 2026-03-11";
        assert_eq!(asked("2026-01-01", 0, hole, "2026-03-11"), "2026-02-01 2026-03-12");
        // Nobody said since when: the month before the first collection.
        assert_eq!(asked("-", 3, "", "2026-03-10"), "2026-02-01 2026-03-11");
        assert_eq!(
            asked("-", 3, "2026-03-10 2026-02-01 2026-03-11 !", "2026-05-10"),
            "2026-02-01 2026-05-11"
        );
        // A first day in the future asks for nothing.
        assert_eq!(asked("2027-01-01", 3, "", "2026-03-10"), "2026-03-11 2026-03-11");
    }

    #[test]
    fn a_period_without_ends_covers_what_was_over() {
        let all = Period::all();
        let plugin =
            PluginIdentity { name: "p".into(), version: "1".into(), digest: String::new() };
        let attempt = Attempt {
            period: Some(all),
            tries: 1,
            without_state: false,
            failure: None,
            unknown: Vec::new(),
        };
        let coverage = Coverage::of(&[StoredAttempt {
            run: RunId(1),
            at_ms: 2 * DAY_MS + 1,
            plugin,
            attempt,
        }]);
        assert_eq!(
            [0, 1, 2, 3].map(|day| coverage.has(Day::from_epoch(day))),
            [true, true, false, false]
        );
    }
}
