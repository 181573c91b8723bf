//! How a source stands, read from its attempts, charges and usage.

use crate::coverage::days::Coverage;
use crate::coverage::query::SourceFacts;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::PluginIdentity;
use domain::run::RunId;
use domain::schedule::Schedule;
use ledger::{AttemptFailure, Reader};
use std::collections::BTreeSet;

/// The state of a day of a source.
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
    /// Days in a row of one state: first, last, state.
    pub fn spans(&self) -> Vec<(Day, Day, DayState)> {
        spans(self.days.iter().copied())
    }

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

/// Days in a row with the same value: first day, last day, value.
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

/// When a source is due that was last tried at a time; one that was never tried is due at once. So
/// is one that was tried in the future: the clock was set back, and nobody knows by how much.
pub fn due(schedule: &Schedule, last_tried_ms: Option<i64>, now_ms: i64) -> Option<i64> {
    last_tried_ms
        .filter(|last| *last <= now_ms)
        .map_or(Some(now_ms), |last| schedule.next_after(last))
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
    // A source that is asked for single days owes all days up to yesterday. Files owe nothing more.
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
