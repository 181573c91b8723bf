//! Posts exactly the changes of a plan file, or nothing.

use crate::approval;
use crate::ledger_file;
use crate::plan;
use crate::plugins;
use crate::run;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::Rules;
use pipeline::apply::Promise;
use pipeline::code;
use pipeline::progress::Progress;
use pipeline::report::RunReport;
use std::fs;
use std::path::Path;

/// Posts the changes that the plan promises.
pub fn post(
    settings: &Settings,
    rules: &dyn Rules,
    promise: &Promise,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    promise.check_rules(rules.generation())?;
    let mut ledger = ledger_file::open(settings)?;
    approval::check(settings, &ledger, rules.generation())?;
    let allocators = plugins::allocators(settings)?;
    let mut run = run::stored(settings, rules, &allocators);
    let collected: Vec<_> =
        promise.collected.iter().filter_map(|name| settings.source(name)).collect();
    plan::collect(settings, &collected, &mut run)?;
    pipeline::apply::apply(&mut ledger, promise, run, progress)
}

/// A plan file with its text.
pub fn plan_file(path: &Path) -> Result<(Promise, String), Diagnostic> {
    let text = fs::read_to_string(path).map_err(|error| {
        Diagnostic::new(
            code::PLAN_UNREADABLE,
            format!("the plan {} cannot be read: {error}", path.display()),
        )
        .hint(Hint::text("make one with ").then(Hint::command("plan --out plan.json")))
    })?;
    let promise =
        Promise::read(&text).map_err(|finding| finding.at(path.display().to_string(), 0, 0))?;
    Ok((promise, text))
}
