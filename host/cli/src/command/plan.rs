//! `plan`: the changes in money that other rules would make. Nothing is posted.

use crate::args::{Format, GlobalArgs, PeriodArgs};
use crate::command::plan_text;
use crate::error::Failure;
use crate::query;
use crate::signals::StopWatch;
use crate::ui::{Ui, document_text};
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use installation::file;
use installation::ledger_file;
use installation::plan::{PlanScope, make};
use installation::settings::setting::{Origin, Setting};
use installation::settings::{Need, Settings};
use ledger::Ledger;
use pipeline::apply::file_text;
use pipeline::plan::Plan;
use pipeline::plan::document::PlanDocument;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct PlanArgs {
    /// One day or month, such as 2026-01
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub period: Option<String>,
    #[command(flatten)]
    pub range: PeriodArgs,
    /// Folder of the rules, instead of the one in the settings
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Go by the charges as they were known at the end of this day
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
    /// Write the plan to a file, to be approved and applied
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Keep the scratch ledger at this path
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn plan(ui: Ui, global: &GlobalArgs, args: &PlanArgs) -> Result<(), Failure> {
    let mut settings = global.settings(Need::File)?;
    if let Some(dir) = &args.rules {
        settings.rules = Setting::from(dir.clone(), Origin::Flag("--rules"));
    }
    let scope =
        PlanScope { period: period(args)?, as_of: args.as_of.as_deref().map(day).transpose()? };
    let rules = super::run::rules_in_use(ui, &settings)?;
    let _watch = StopWatch::start("stopped: nothing was posted, and no plan was written");
    let mut scratch = scratch(ui, &settings, args.keep.as_deref())?;
    let bar = ui.progress();
    let planned =
        make(&settings, &rules, &mut scratch, scope, &mut |step| super::run::advance(&bar, step));
    bar.finish_and_clear();
    let planned = planned?;
    if let Some(out) = &args.out {
        file::write(out, &file_text(&planned))?;
    }
    ui.data(&match args.format {
        Format::Text => ui.shown(&plan_text::text_of(ui, &planned)),
        Format::Json => document_text(&PlanDocument::from(&planned)),
    })?;
    ui.note(&next(args, &planned));
    Ok(())
}

/// A nameless copy of the ledger, or one that stays.
fn scratch(ui: Ui, settings: &Settings, keep: Option<&Path>) -> Result<Ledger, Diagnostic> {
    let ledger = ledger_file::reader(settings)?;
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
        (Some(out), None, None) => {
            format!("nothing was posted; next: `apportion apply {}`", out.display())
        }
        (None, None, None) => "nothing was posted; `apportion plan --out plan.json` makes a file \
            that can be approved and applied"
            .into(),
    }
}
