//! Runs into the ledger of the settings.

use crate::approval;
use crate::clock;
use crate::ledger_file;
use crate::plugins;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::port::{Allocators, Rules};
use pipeline::feed::Patience;
use pipeline::progress::Progress;
use pipeline::report::RunReport;
use pipeline::run::RunOptions;
use pipeline::source::Source;
use std::time::Duration;

/// How often a source is tried within a run, where its failure says that this may help.
const TRIES: u32 = 3;

/// The sources of a run.
pub enum RunInput<'a> {
    /// None: the run allocates the stored charges.
    Nothing,
    /// These sources. A failed one is tried again after `wait`.
    Sources { sources: Vec<Source>, wait: &'a (dyn Fn(Duration) + Sync) },
}

/// One run into the settings' ledger.
pub fn post(
    settings: &Settings,
    rules: &dyn Rules,
    input: RunInput<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    let mut ledger = ledger_file::open_for_runs(settings)?;
    approval::check(settings, &ledger, rules.generation())?;
    let allocators = plugins::allocators(settings)?;
    let mut options = stored(settings, rules, &allocators);
    if let RunInput::Sources { sources, wait } = input {
        options.collect = true;
        options.sources = sources;
        options.patience = Patience { tries: TRIES, wait };
    }
    pipeline::run::run(&mut ledger, options, progress)
}

/// The options of a run over stored charges.
pub fn stored<'a>(
    settings: &'a Settings,
    rules: &'a dyn Rules,
    allocators: &'a dyn Allocators,
) -> RunOptions<'a> {
    RunOptions {
        sources: Vec::new(),
        rules,
        allocators,
        tag_schema: &settings.tag_schema,
        dimensions: &settings.dimensions.value,
        collect: false,
        threads: settings.limits.threads.value.size(),
        sources_at_once: settings.limits.sources_at_once.value.size(),
        patience: Patience { tries: TRIES, wait: &std::thread::sleep },
        at_ms: clock::now_ms(),
        now_ms: &clock::now_ms,
        version: env!("CARGO_PKG_VERSION").into(),
    }
}
