//! `apply`: posts what a plan file says, or nothing.

use super::opening;
use super::run;
use crate::args::{ApplyArgs, GlobalArgs};
use crate::error::Failure;
use crate::settings::{Need, Settings};
use crate::ui::Ui;
use domain::diagnostic::Diagnostic;
use domain::port::Rules;

use pipeline::apply::Promise;
use pipeline::code;
use pipeline::run::{Progress, RunReport};
use rule_engine::set::RuleSet;
use std::fs;
use std::path::Path;

pub fn apply(ui: Ui, global: &GlobalArgs, args: &ApplyArgs) -> Result<(), Failure> {
    let settings = Settings::load(global, Need::File)?;
    let (promise, _) = plan_file(&args.plan)?;
    let rules = opening::rules(&settings)?;
    let bar = ui.progress();
    let applied = post(&settings, &rules, &promise, &mut |step| run::advance(&bar, step));
    bar.finish_and_clear();
    let report = applied?;
    run::show(ui, &report, args.format)?;
    run::warn_of_unknown_teams(ui, &settings, &rules)?;
    run::verdict(ui, &report, args.allow_incomplete)
}

/// Posts what the plan promises.
pub fn post(
    settings: &Settings,
    rules: &RuleSet,
    promise: &Promise,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    promise.check_rules(rules.generation())?;
    let mut ledger = opening::ledger(settings)?;
    opening::check_approval(settings, &ledger, rules.generation())?;
    let allocators = opening::allocators(settings)?;
    pipeline::apply::apply(
        &mut ledger,
        promise,
        run::stored(settings, rules, &allocators),
        progress,
    )
}

/// A plan file with its text.
pub fn plan_file(path: &Path) -> Result<(Promise, String), Diagnostic> {
    let text = fs::read_to_string(path).map_err(|error| {
        Diagnostic::new(
            code::PLAN_UNREADABLE,
            format!("the plan {} cannot be read: {error}", path.display()),
        )
        .hint("make one with `apportion plan --out plan.json`")
    })?;
    let promise =
        Promise::read(&text).map_err(|finding| finding.at(path.display().to_string(), 0, 0))?;
    Ok((promise, text))
}
