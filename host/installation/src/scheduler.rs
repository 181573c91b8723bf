//! Collects sources when they are due, while `serve` answers: one run at a time, of all that are
//! due together.
//!
//! The ledger says when a source was tried last. A source that became due while nothing ran is
//! collected once.

use crate::clock;
use crate::ledger_file;
use crate::plugins;
use crate::rules::RulesInForce;
use crate::run::{self, RunInput};
use crate::run_log::RunLog;
use crate::settings::Settings;
use crate::settings::source::SourceSettings;
use crate::sources;
use crate::stop::Stop;
use domain::diagnostic::Diagnostic;
use domain::schedule::Schedule;
use ledger::code;
use pipeline::source::Source;
use plugin_host::Shelf;
use reports::coverage::read::due;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Other processes may collect a source as well. The ledger is read again after this time, to see
/// their runs.
const LOOKED_EVERY_MS: i64 = 60_000;
/// The wait after a run that met another process writing.
const AGAIN_MS: i64 = 15_000;
/// How long the end of `serve` waits for a run under way. One that takes longer is dropped, and
/// leaves the ledger as it was.
const ENDING: Duration = Duration::from_secs(10);

/// The thread that collects, until it is told to stop.
pub struct Scheduler {
    stop: Arc<Stop>,
    ended: Receiver<()>,
}

impl Scheduler {
    /// Starts the thread; `None` if no source has a schedule.
    pub fn start(
        settings: Arc<Settings>,
        rules: Arc<dyn RulesInForce>,
        runs: RunLog,
    ) -> std::io::Result<Option<Scheduler>> {
        let scheduled =
            |source: &SourceSettings| Some((source.name.clone(), source.schedule.value.0.clone()?));
        let sources: Vec<(String, Schedule)> = settings.sources().filter_map(scheduled).collect();
        if sources.is_empty() {
            return Ok(None);
        }
        let (stop, (ending, ended)) = (Arc::new(Stop::default()), channel());
        let stopping = Arc::clone(&stop);
        thread::Builder::new().name("scheduler".into()).spawn(move || {
            // Plugins stay loaded; a new file of one takes its place in the next run.
            let plugins = plugins::host(Some(&settings));
            let world = World {
                now_ms: &clock::now_ms,
                last_tried: &|name| last_tried(&settings, name),
                collect: &|names| {
                    collect(
                        &settings,
                        &*rules,
                        &runs,
                        sources_of(&settings, plugins.as_ref(), names),
                        names,
                        &stopping,
                    )
                },
                wait: &|time| stopping.wait(time),
            };
            follow(&sources, &world);
            // The receiver may be gone by now.
            let _gone = ending.send(());
        })?;
        Ok(Some(Scheduler { stop, ended }))
    }

    /// Waits for a run under way, but not for long.
    pub fn stop(self) {
        self.stop.stop();
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(ENDING) {
            tracing::warn!("a run under way is given up; `apportion runs` says how it ended");
        }
    }
}

/// The outside of the loop: clock, ledger, runs and waits. Tests replace it.
struct World<'a> {
    now_ms: &'a dyn Fn() -> i64,
    /// When a run tried to collect the source the last time.
    last_tried: &'a dyn Fn(&str) -> Result<Option<i64>, Diagnostic>,
    collect: &'a dyn Fn(&[&str]) -> Result<(), Diagnostic>,
    /// Whether to go on afterwards.
    wait: &'a dyn Fn(Duration) -> bool,
}

fn follow(sources: &[(String, Schedule)], world: &World<'_>) {
    // The ledger does not know the sources of a run that posted nothing.
    let mut tried: BTreeMap<&str, i64> = BTreeMap::new();
    loop {
        let now_ms = (world.now_ms)();
        let mut next_ms = now_ms + LOOKED_EVERY_MS;
        let mut are_due: Vec<&str> = Vec::new();
        for (name, schedule) in sources {
            let stored = (world.last_tried)(name).unwrap_or_default();
            // A clock that is set back leaves times of the future, which say nothing.
            let known = [stored, tried.get(name.as_str()).copied()].into_iter().flatten();
            match due(schedule, known.filter(|at_ms| *at_ms <= now_ms).max(), now_ms) {
                Some(at_ms) if at_ms <= now_ms => are_due.push(name),
                Some(at_ms) => next_ms = next_ms.min(at_ms),
                None => {}
            }
        }
        if !are_due.is_empty() {
            match (world.collect)(&are_due) {
                Err(failure) if failure.code == code::LEDGER_BUSY => next_ms = now_ms + AGAIN_MS,
                _ => {
                    tried.extend(are_due.into_iter().map(|name| (name, now_ms)));
                    next_ms = now_ms;
                }
            }
        }
        let wait_ms = u64::try_from(next_ms - (world.now_ms)()).unwrap_or(0);
        if !(world.wait)(Duration::from_millis(wait_ms)) {
            return;
        }
    }
}

fn last_tried(settings: &Settings, name: &str) -> Result<Option<i64>, Diagnostic> {
    if !settings.ledger.value.exists() {
        return Ok(None);
    }
    let attempts = ledger_file::reader(settings)?.attempts(name)?;
    Ok(attempts.last().map(|attempt| attempt.at_ms))
}

/// One run of the sources that are due. One that cannot even be opened fails like one that does not
/// answer.
fn collect(
    settings: &Settings,
    rules: &dyn RulesInForce,
    runs: &RunLog,
    sources: Result<Vec<Source>, Diagnostic>,
    names: &[&str],
    stop: &Stop,
) -> Result<(), Diagnostic> {
    let report = sources.and_then(|sources| {
        let wait = |time: Duration| {
            stop.wait(time);
        };
        let input = RunInput::Sources { sources, wait: &wait };
        run::post(settings, &*rules.current()?, input, &mut |_| {})
    });
    runs.note(&format!("schedule of {}", names.join(", ")), &report);
    report.map(|_| ())
}

fn sources_of(
    settings: &Settings,
    plugins: Result<&Shelf, &Diagnostic>,
    names: &[&str],
) -> Result<Vec<Source>, Diagnostic> {
    let host = plugins.map_err(Diagnostic::clone)?;
    let of_names: Vec<_> =
        settings.sources().filter(|source| names.contains(&source.name.as_str())).collect();
    Ok(sources::or_failures(settings, host, &of_names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    const MINUTE_MS: i64 = 60_000;
    const HOUR_MS: i64 = 60 * MINUTE_MS;

    /// Plays some hours from midnight on, and says at which minute which sources were collected.
    fn played(
        hours: i64,
        schedules: &[(&str, &str)],
        stored: &[(&str, i64)],
        outcome: &dyn Fn(i64) -> Result<(), Diagnostic>,
    ) -> Vec<String> {
        let sources: Vec<(String, Schedule)> = schedules
            .iter()
            .map(|(name, schedule)| {
                ((*name).into(), schedule.parse().unwrap_or_else(|error| panic!("{error}")))
            })
            .collect();
        let (now, happened) = (Cell::new(0_i64), RefCell::new(Vec::new()));
        let ledger = RefCell::new(
            stored
                .iter()
                .map(|(name, at_ms)| ((*name).to_owned(), *at_ms))
                .collect::<BTreeMap<String, i64>>(),
        );
        let world = World {
            now_ms: &|| now.get(),
            last_tried: &|name| Ok(ledger.borrow().get(name).copied()),
            collect: &|names| {
                happened.borrow_mut().push(format!(
                    "{} {}",
                    now.get() / MINUTE_MS,
                    names.join("+")
                ));
                let outcome = outcome(now.get());
                // A run takes two minutes.
                if outcome.is_ok() {
                    ledger
                        .borrow_mut()
                        .extend(names.iter().map(|name| ((*name).to_owned(), now.get())));
                    now.set(now.get() + 2 * MINUTE_MS);
                }
                outcome
            },
            wait: &|time| {
                now.set(now.get() + i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
                now.get() < hours * HOUR_MS
            },
        };
        follow(&sources, &world);
        happened.into_inner()
    }

    #[test]
    fn sources_are_collected_when_they_are_due_and_together() {
        let schedules = [("hourly", "15 * * * *"), ("often", "*/30 * * * *")];
        let stored = [("hourly", -1), ("often", -1)];
        // Both were tried just before midnight. `often` is due at 0:00, 0:30, 1:00 …, `hourly` at
        // 0:15 …
        let expected = ["0 often", "15 hourly", "30 often", "60 often", "75 hourly", "90 often"];
        assert_eq!(played(2, &schedules, &stored, &|_| Ok(())), expected);
        let together = [("a", "0 * * * *"), ("b", "0 * * * *")];
        assert_eq!(played(2, &together, &[("a", 0), ("b", 0)], &|_| Ok(())), ["60 a+b"]);
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        // Last tried three days ago: many times were missed.
        let stored = [("daily", -3 * 24 * HOUR_MS)];
        assert_eq!(
            played(30, &[("daily", "0 6 * * *")], &stored, &|_| Ok(())),
            ["0 daily", "360 daily"]
        );
        // One that was never tried is due at once.
        assert_eq!(played(2, &[("new", "0 6 * * *")], &[], &|_| Ok(())), ["0 new"]);
    }

    /// The ledger's last attempt lies two days ahead. The source is collected at once, and then as
    /// its schedule says, whether runs post or not.
    #[test]
    fn a_clock_that_is_set_back_stops_no_schedule() {
        let (schedules, stored) = ([("a", "0 * * * *")], [("a", 48 * HOUR_MS)]);
        assert_eq!(played(3, &schedules, &stored, &|_| Ok(())), ["0 a", "60 a", "120 a"]);
        let broken = |_| Err(Diagnostic::new(code::LEDGER_FULL, "full"));
        assert_eq!(played(3, &schedules, &stored, &broken), ["0 a", "60 a", "120 a"]);
    }

    #[test]
    fn a_run_that_comes_to_nothing_waits_for_the_next_time_unless_another_was_writing() {
        let broken = |_| Err(Diagnostic::new(code::LEDGER_FULL, "full"));
        assert_eq!(played(2, &[("a", "0 * * * *")], &[("a", 0)], &broken), ["60 a"]);
        let busy = |now_ms| {
            if now_ms < 61 * MINUTE_MS {
                Err(Diagnostic::new(code::LEDGER_BUSY, "busy"))
            } else {
                Ok(())
            }
        };
        assert_eq!(
            played(2, &[("a", "0 * * * *")], &[("a", 0)], &busy),
            ["60 a", "60 a", "60 a", "60 a", "61 a"]
        );
    }
}
