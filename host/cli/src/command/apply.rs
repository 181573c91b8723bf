//! `apply`: posts exactly the changes of a plan file, or nothing.

use super::run;
use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::signals::StopWatch;
use crate::ui::Ui;
use installation::apply::{plan_file, post};
use installation::settings::Need;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct ApplyArgs {
    /// The file that `plan --out` wrote
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Exit with 0 although rules failed on charges
    #[arg(long)]
    pub allow_incomplete: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn apply(ui: Ui, global: &GlobalArgs, args: &ApplyArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    let (promise, _) = plan_file(&args.plan)?;
    let rules = run::rules_in_use(ui, &settings)?;
    let bar = ui.progress();
    let watch = StopWatch::start(run::ROLLED_BACK);
    let applied = post(&settings, &rules, &promise, &mut |step| {
        run::advance_to_commit(&bar, Some(&watch), step);
    });
    bar.finish_and_clear();
    let report = applied?;
    run::show(ui, &report, args.format)?;
    run::warn_of_unknown_teams(ui, &settings, &rules)?;
    run::verdict(ui, &report, args.allow_incomplete)
}
