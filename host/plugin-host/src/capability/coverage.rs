//! Days that a collection reports as complete or as unknown. Every plugin may report them.

use super::State;
use crate::convert::unread;
use crate::printable::printable;
use crate::wit::bindings::{coverage as wit, types};
use domain::period::Period;
use domain::port::UnknownDays;

/// The most reports of one collection. A source with more is at fault.
const SAID_MAX: usize = 366;

/// The reports since the last page.
#[derive(Debug, Default)]
pub struct CoverageReport {
    complete: Vec<Period>,
    unknown: Vec<UnknownDays>,
    count: usize,
}

impl CoverageReport {
    /// Days that are complete, and those that are unknown.
    pub fn take(&mut self) -> (Vec<Period>, Vec<UnknownDays>) {
        (std::mem::take(&mut self.complete), std::mem::take(&mut self.unknown))
    }
}

impl State {
    fn say(
        &mut self,
        days: &types::Period,
        say: impl FnOnce(&mut CoverageReport, Period),
    ) -> wasmtime::Result<Result<(), types::Error>> {
        self.count_call()?;
        self.said.count += 1;
        if self.said.count > SAID_MAX {
            return Ok(Err(types::Error::Bug(format!(
                "it said more than {SAID_MAX} times which days it knows"
            ))));
        }
        Ok(match unread(days) {
            Ok(period) => {
                say(&mut self.said, period);
                Ok(())
            }
            Err(reason) => Err(types::Error::Bug(reason)),
        })
    }
}

impl wit::Host for State {
    fn complete(&mut self, days: types::Period) -> wasmtime::Result<Result<(), types::Error>> {
        self.say(&days, |said, period| said.complete.push(period))
    }

    fn unknown(
        &mut self,
        days: types::Period,
        reason: String,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        self.say(&days, |said, period| {
            said.unknown.push(UnknownDays { period, reason: printable(&reason) })
        })
    }
}
