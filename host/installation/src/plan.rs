//! Makes a plan on a scratch copy of the ledger.

use crate::clock;
use crate::plugins;
use crate::rules::stored;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::{RuleFacts, Rules};
use ledger::Ledger;
use ledger::backup::on_scratch;
use pipeline::plan::{Plan, PlanOptions};
use pipeline::progress::Progress;

/// The charges that a plan goes by.
#[derive(Clone, Copy)]
pub struct PlanScope {
    pub period: Period,
    pub as_of: Option<Day>,
}

/// Makes a plan on a scratch copy, which is changed by it.
pub fn make(
    settings: &Settings,
    rules: &dyn Rules,
    scratch: &mut Ledger,
    scope: PlanScope,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Diagnostic> {
    let allocators = plugins::allocators(settings)?;
    let rules_of = |facts: &[RuleFacts],
                    tables: &[(String, String)]|
     -> Result<Box<dyn Rules>, Diagnostic> { stored(settings, facts, tables) };
    let options = PlanOptions {
        rules,
        allocators: &allocators,
        rules_of: &rules_of,
        period: scope.period,
        as_of: scope.as_of,
        threads: settings.limits.threads.value.size(),
        at_ms: clock::now_ms(),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    let planned = pipeline::plan::plan(scratch, &options, progress);
    // A copy that stays is a ledger with a place of its own.
    match scratch.path() {
        None => planned.map_err(on_scratch),
        Some(_) => planned,
    }
}
