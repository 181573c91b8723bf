//! One file for each verb, with its long help beside it.

mod apply;
mod approval;
pub mod compile_plugin;
mod config;
mod costs;
mod demo;
mod explain;
mod init;
mod ledger;
mod period;
mod plan;
mod plan_text;
mod plugin;
pub mod rule;
mod run;
mod serve;
mod source;
mod token;
mod usage;

use crate::args::{Args, Command};
use crate::error::Failure;
use crate::log::{self, LogForm};
use crate::ui::Ui;
use clap::Parser;
use clap::error::ErrorKind;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

/// Reads the command line and does what it says.
pub fn dispatch() -> Result<(), Failure> {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            return Ok(Ui::new(false).data(&error.render().to_string())?);
        }
        Err(error) => return Err(Failure::Usage(error.render().to_string())),
    };
    let ui = Ui::new(args.global.quiet);
    if args.global.quiet {
        log::set_form(LogForm { level: LevelFilter::WARN, ..log::form() });
    }
    match &args.command {
        Command::Init(init) => init::init(ui, init),
        Command::Run(run) => run::run(ui, &args.global, run),
        Command::Plan(plan) => plan::plan(ui, &args.global, plan),
        Command::Apply(apply) => apply::apply(ui, &args.global, apply),
        Command::Costs(costs) => costs::costs(ui, &args.global, costs),
        Command::Usage(usage) => usage::usage(ui, &args.global, usage),
        Command::Explain(explain) => explain::explain(ui, &args.global, explain),
        Command::Rule(rule) => rule::rule(ui, &args.global, rule),
        Command::Plugin(plugin) => plugin::plugin(ui, &args.global, plugin),
        Command::Source(source) => source::source(ui, &args.global, source),
        Command::Ledger(ledger) => ledger::ledger(ui, &args.global, ledger),
        Command::Period(period) => period::period(ui, &args.global, period),
        Command::Config(config) => config::config(ui, &args.global, config),
        Command::Serve(serve) => serve::serve(ui, &args.global, serve),
        Command::Demo(demo) => demo::demo(ui, demo),
        Command::CompilePlugin(args) => compile_plugin::compile(ui, args),
    }
}

/// Pretty JSON with a line end.
fn json_text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A document as pretty JSON, its members by name.
fn document_text(document: &impl Serialize) -> String {
    json_text(&json!(document))
}
