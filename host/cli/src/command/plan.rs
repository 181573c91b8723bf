//! `plan`: what other rules would change in the money, with nothing posted.

use super::opening;
use crate::args::{Format, GlobalArgs, PeriodArgs, PlanArgs};
use crate::command::plan_text;
use crate::error::Failure;
use crate::query;
use crate::settings::{Need, Origin, Setting, Settings};
use crate::ui::Ui;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::{RuleFacts, Rules};
use ledger::Ledger;
use pipeline::apply::file_text;
use pipeline::plan::{Plan, PlanOptions};
use pipeline::run::Progress;
use rule_engine::set::RuleSet;
use std::fs;
use std::path::Path;

pub fn plan(ui: Ui, global: &GlobalArgs, args: &PlanArgs) -> Result<(), Failure> {
    let mut settings = Settings::load(global, Need::File)?;
    if let Some(dir) = &args.rules {
        settings.rules = Setting { value: dir.clone(), origin: Origin::Flag("--rules") };
    }
    let wanted =
        Wanted { period: period(args)?, as_of: args.as_of.as_deref().map(day).transpose()? };
    let rules = opening::rules(&settings)?;
    let mut scratch = scratch(ui, &settings, args.keep.as_deref())?;
    let bar = ui.progress();
    let planned =
        make(&settings, &rules, &mut scratch, wanted, &mut |step| super::run::advance(&bar, step));
    bar.finish_and_clear();
    let planned = planned?;
    if let Some(out) = &args.out {
        fs::write(out, file_text(&planned)).map_err(|error| {
            Diagnostic::new(
                decode::code::FILE_UNREADABLE,
                format!("the plan cannot be written to {}: {error}", out.display()),
            )
            .hint("choose a folder that exists and is writable")
        })?;
    }
    ui.data(&match args.format {
        Format::Text => plan_text::text_of(ui, &planned),
        Format::Json => super::json_text(&planned.document()),
    })?;
    ui.note(&next(args, &planned));
    Ok(())
}

/// What a plan is asked for.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub period: Period,
    pub as_of: Option<Day>,
}

/// Makes a plan on a scratch copy, which is changed by it.
pub fn make(
    settings: &Settings,
    rules: &RuleSet,
    scratch: &mut Ledger,
    wanted: Wanted,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Diagnostic> {
    let allocators = opening::allocators(settings)?;
    let rules_of =
        |facts: &[RuleFacts], tables: &[(String, String)]| -> Result<Box<dyn Rules>, Diagnostic> {
            opening::stored_rules(settings, facts, tables)
        };
    let options = PlanOptions {
        rules,
        allocators: &allocators,
        rules_of: &rules_of,
        period: wanted.period,
        as_of: wanted.as_of,
        threads: settings.limits.threads.value,
        at_ms: query::now_ms(),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    pipeline::plan::plan(scratch, &options, progress)
}

/// A nameless copy of the ledger, or one that stays.
fn scratch(ui: Ui, settings: &Settings, keep: Option<&Path>) -> Result<Ledger, Diagnostic> {
    let ledger = opening::reader(settings)?;
    let bar = ui.progress();
    bar.set_message("copying the ledger");
    let mut copied = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let scratch = match keep {
        None => ledger.scratch(&mut copied),
        Some(path) => ledger.backup(path, &mut copied).and_then(|()| Ledger::open(path)),
    };
    bar.finish_and_clear();
    scratch
}

fn period(args: &PlanArgs) -> Result<Period, Diagnostic> {
    let range = match &args.period {
        Some(span) => PeriodArgs { from: Some(span.clone()), to: Some(span.clone()) },
        None => args.range.clone(),
    };
    Ok(query::period(&range)?.unwrap_or(Period::all()))
}

fn day(text: &str) -> Result<Day, Diagnostic> {
    text.parse().map_err(|error| {
        Diagnostic::new(code::QUERY_INVALID, format!("--as-of: {error}"))
            .hint("write `--as-of 2026-03-31`")
    })
}

fn next(args: &PlanArgs, plan: &Plan) -> String {
    match (&args.out, plan.as_of, &args.rules) {
        (_, Some(_), _) | (_, _, Some(_)) => "nothing was posted".into(),
        (Some(out), None, None) => format!("nothing was posted; next: `apportion apply {}`", out.display()),
        (None, None, None) => "nothing was posted; `apportion plan --out plan.json` makes a file that can be approved and applied".into(),
    }
}
