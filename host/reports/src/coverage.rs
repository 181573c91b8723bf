//! Which days a source was asked for and what came of it: what to ask for next, and where the gaps are.
//!
//! A day that was asked for and charged nothing is empty. A day that failed or was never asked for is a gap: no cost of it is
//! known, which is not the same as none. So is a day that its source says it does not know, but asking again does not help.

mod document;

use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::{PluginIdentity, UnknownDays};
use domain::run::RunId;
use domain::schedule::Schedule;
use ledger::{AttemptFailure, Reader, StoredAttempt};
use std::collections::{BTreeMap, BTreeSet};

/// Which days a source is asked for where nobody says so: those that were never asked for, and the last ones again,
/// since clouds restate them. A source without one is asked for all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day that is wanted. Nobody said: the first one that was asked for, which is that of the month before.
    pub since: Option<Day>,
    pub restate_days: u32,
}

impl Window {
    /// From the first day that is not covered, and the days before it that may have been restated, to the end of today.
    /// Today is not over, so that it is asked for again until it was asked for after its end.
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

    fn first_day(self, coverage: &Coverage, today: Day) -> Day {
        self.since.or(coverage.first_asked).unwrap_or_else(|| today.month().before().first_day())
    }
}

/// The days that a source was asked for with success, after they were over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    days: BTreeSet<Day>,
    /// Asked for before they were over.
    partial: BTreeSet<Day>,
    /// Those that the source does not know, with its reason. Asking again would not help.
    unknown: BTreeMap<Day, String>,
    /// Whether it was ever asked for all there is.
    all: bool,
    /// Where the first attempt began, whatever became of it.
    first_asked: Option<Day>,
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
                    coverage.unknown.retain(|day, _| !period.contains(*day));
                    // A period without a beginning asks for all that came before; nobody has costs before the epoch.
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
}

/// The days of which a collection has all that its source has.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What it was asked for; without it all there is, of which the source has to say what it has in full.
    pub asked: Option<Period>,
    pub complete: Vec<Period>,
    pub unknown: Vec<UnknownDays>,
}

impl Known {
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

/// What is known of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayState {
    /// It has charges or usage.
    Full,
    /// It has, and once had others.
    Restated,
    /// It has estimates, which the bill will replace.
    Estimated,
    /// It was asked for before it was over.
    Partial,
    /// It was asked for, and had nothing.
    Empty,
    /// The source does not know it, or not any more.
    Unknown,
    /// It was asked for without success, or never.
    Gap,
}

impl DayState {
    pub const ALL: [DayState; 7] = [
        DayState::Full,
        DayState::Restated,
        DayState::Estimated,
        DayState::Partial,
        DayState::Empty,
        DayState::Unknown,
        DayState::Gap,
    ];

    /// How a calendar shows it.
    pub fn letter(self) -> char {
        match self {
            DayState::Full => '#',
            DayState::Restated => 'r',
            DayState::Estimated => 'e',
            DayState::Partial => 'p',
            DayState::Empty => '.',
            DayState::Unknown => '?',
            DayState::Gap => '!',
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            DayState::Full => "full",
            DayState::Restated => "restated",
            DayState::Estimated => "estimated",
            DayState::Partial => "partial",
            DayState::Empty => "empty",
            DayState::Unknown => "unknown",
            DayState::Gap => "gap",
        }
    }
}

/// What the settings say of a source.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    pub name: String,
    pub window: Option<Window>,
    /// Whether its charges are estimates of what another source will bill.
    pub is_estimate: bool,
    pub schedule: Option<Schedule>,
}

/// How a source stands.
#[derive(Clone, Debug)]
pub struct SourceStatus {
    pub name: String,
    /// As it was in the last attempt.
    pub plugin: Option<PluginIdentity>,
    pub last_success: Option<(RunId, i64)>,
    pub last_attempt: Option<(RunId, i64)>,
    /// Why the last attempt failed; nothing if it did not.
    pub failure: Option<AttemptFailure>,
    pub attempts: u64,
    pub has_state: bool,
    /// The newest day with charges or usage.
    pub newest_day: Option<Day>,
    /// As it is written.
    pub schedule: Option<String>,
    /// When it is due by its schedule; in the past where it is overdue.
    pub due_ms: Option<i64>,
    /// From the first day that is known or wanted to the last, without holes.
    pub days: Vec<(Day, DayState)>,
    /// Days without charges that the source does not know, with its reason: first, last, reason.
    pub unknown: Vec<(Day, Day, String)>,
}

impl SourceStatus {
    pub fn gaps(&self) -> usize {
        self.days.iter().filter(|(_, state)| *state == DayState::Gap).count()
    }
}

/// Reads how a source stands at a time.
pub fn status(
    ledger: &Reader,
    facts: &SourceFacts,
    at_ms: i64,
) -> Result<SourceStatus, Diagnostic> {
    let attempts = ledger.attempts(&facts.name)?;
    let (last, today) = (attempts.last(), Day::of_instant(at_ms));
    let succeeded = attempts.iter().rev().find(|attempt| attempt.attempt.failure.is_none());
    let charged = charged(ledger, &facts.name)?;
    let coverage = Coverage::of(&attempts);
    let last_tried = last.map(|attempt| attempt.at_ms);
    let unknown = coverage
        .unknown
        .iter()
        .filter(|(day, _)| !charged.contains(day))
        .map(|(day, reason)| (*day, reason.as_str()));
    let unknown = spans(unknown)
        .into_iter()
        .map(|(start, end, reason)| (start, end, reason.to_owned()))
        .collect();
    Ok(SourceStatus {
        name: facts.name.clone(),
        plugin: last.map(|attempt| attempt.plugin.clone()),
        last_success: succeeded.map(|attempt| (attempt.run, attempt.at_ms)),
        last_attempt: last.map(|attempt| (attempt.run, attempt.at_ms)),
        failure: last.and_then(|attempt| attempt.attempt.failure.clone()),
        attempts: attempts.len() as u64,
        has_state: ledger.state(&facts.name)?.is_some(),
        newest_day: charged.last().copied(),
        schedule: facts.schedule.as_ref().map(Schedule::to_string),
        due_ms: facts.schedule.as_ref().and_then(|schedule| due(schedule, last_tried, at_ms)),
        days: calendar(ledger, facts, &coverage, &charged, today)?,
        unknown,
    })
}

/// Days in a row of which the same is to be said: first, last, what.
pub fn spans<T: PartialEq>(days: impl Iterator<Item = (Day, T)>) -> Vec<(Day, Day, T)> {
    let mut spans: Vec<(Day, Day, T)> = Vec::new();
    for (day, what) in days {
        match spans.last_mut() {
            Some((_, end, same)) if *same == what && end.plus(1) == day => *end = day,
            _ => spans.push((day, day, what)),
        }
    }
    spans
}

/// When a source is due that was last tried then; one that was never tried is due at once.
pub fn due(schedule: &Schedule, last_tried_ms: Option<i64>, now_ms: i64) -> Option<i64> {
    last_tried_ms.map_or(Some(now_ms), |last| schedule.next_after(last))
}

/// The days that have charges or usage of a source.
fn charged(ledger: &Reader, source: &str) -> Result<BTreeSet<Day>, Diagnostic> {
    let charges = ledger
        .source_days(Period::all())?
        .into_iter()
        .filter(|day| day.source_day.source == source && day.totals.charges > 0);
    let usage = ledger
        .usage_days(Period::all())?
        .into_iter()
        .filter(|day| day.source == source && day.rows > 0);
    Ok(charges.map(|day| day.source_day.day).chain(usage.map(|day| day.day)).collect())
}

fn calendar(
    ledger: &Reader,
    facts: &SourceFacts,
    coverage: &Coverage,
    charged: &BTreeSet<Day>,
    today: Day,
) -> Result<Vec<(Day, DayState)>, Diagnostic> {
    let restated: BTreeSet<Day> = ledger.restated_days(&facts.name)?.into_iter().collect();
    let asked =
        coverage.days.first().into_iter().chain(coverage.days.last()).chain(&coverage.partial);
    // A source that is asked for single days owes all of them up to yesterday; files end where they end.
    let wanted = facts.window.map(|window| [window.first_day(coverage, today), today.plus(-1)]);
    let edges: BTreeSet<Day> = asked
        .chain(charged.first())
        .chain(charged.last())
        .copied()
        .chain(wanted.into_iter().flatten())
        .collect();
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Ok(Vec::new()) };
    let state = |day: Day| match charged.contains(&day) {
        true if coverage.partial.contains(&day)
            && (!coverage.has(day) || coverage.unknown.contains_key(&day)) =>
        {
            DayState::Partial
        }
        true if facts.is_estimate => DayState::Estimated,
        true if restated.contains(&day) => DayState::Restated,
        true => DayState::Full,
        false if coverage.unknown.contains_key(&day) => DayState::Unknown,
        false if coverage.has(day) => DayState::Empty,
        false if coverage.partial.contains(&day) => DayState::Partial,
        // All there is was asked for, and of this day there was nothing.
        false if coverage.all && facts.window.is_none() => DayState::Empty,
        false => DayState::Gap,
    };
    Ok((first.epoch_days()..=last.epoch_days())
        .map(Day::from_epoch)
        .map(|day| (day, state(day)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::code;
    use ledger::Attempt;

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

    fn asked(since: &str, restate_days: u32, history: &str, today: &str) -> String {
        let period = Window { since: (since != "-").then(|| day(since)), restate_days }
            .period(&Coverage::of(&attempts(history)), day(today));
        format!("{} {}", period.start(), period.end())
    }

    #[test]
    fn the_first_time_all_wanted_days_are_asked_for_and_then_what_is_missing_or_may_be_restated() {
        assert_eq!(asked("2026-01-01", 3, "", "2026-03-10"), "2026-01-01 2026-03-11");
        // Asked for on the 10th: days to the 9th are over. Two days later the 10th is the first that is missing.
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
