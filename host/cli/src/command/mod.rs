//! One file for each verb, with its long help beside it.

mod apply;
mod approval;
mod changes;
mod compile_plugin;
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
mod rule;
mod run;
mod serve;
mod source;
mod token;
mod usage;

use crate::args::GlobalArgs;
use crate::error::Failure;
use crate::log;
use crate::ui::Ui;
use clap::Parser;
use clap::error::ErrorKind;
use installation::settings::log::Log;

#[derive(Parser, Debug)]
#[command(
    name = "apportion",
    version,
    about = "Allocate what infrastructure costs to the teams that cause it",
    long_about = include_str!("apportion.md"),
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub struct CommandLine {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Write a settings file and a starter set of rules
    #[command(long_about = include_str!("init.md"))]
    Init(init::InitArgs),
    /// Collect, allocate and post
    #[command(long_about = include_str!("run.md"))]
    Run(run::RunArgs),
    /// Show what the rules of the folder would change in the money, and post nothing
    #[command(long_about = include_str!("plan.md"))]
    Plan(plan::PlanArgs),
    /// Post exactly what a plan file says
    #[command(long_about = include_str!("apply.md"))]
    Apply(apply::ApplyArgs),
    /// Show what each team owes
    #[command(long_about = include_str!("costs.md"))]
    Costs(costs::CostsArgs),
    /// Show the usage by which rules can share costs
    #[command(long_about = include_str!("usage.md"))]
    Usage(usage::UsageArgs),
    /// Say why a team or resource costs what it does
    #[command(long_about = include_str!("explain.md"))]
    Explain(explain::ExplainArgs),
    /// Write, check, test, document and approve the rules
    #[command(subcommand, long_about = include_str!("rule.md"))]
    Rule(rule::RuleCommand),
    /// List and inspect plugins
    #[command(subcommand, long_about = include_str!("plugin.md"))]
    Plugin(plugin::PluginCommand),
    /// Check the sources and see how they stand
    #[command(subcommand, long_about = include_str!("source.md"))]
    Source(source::SourceCommand),
    /// Verify and back up the ledger
    #[command(subcommand, long_about = include_str!("ledger.md"))]
    Ledger(ledger::LedgerCommand),
    /// Close and reopen months
    #[command(subcommand, long_about = include_str!("period.md"))]
    Period(period::PeriodCommand),
    /// Show the settings and where each comes from
    #[command(subcommand, long_about = include_str!("config.md"))]
    Config(config::ConfigCommand),
    /// Answer over HTTP, and reload rules while serving
    #[command(long_about = include_str!("serve.md"))]
    Serve(serve::ServeArgs),
    /// Generate a believable estate and run it
    #[command(long_about = include_str!("demo.md"))]
    Demo(demo::DemoArgs),
    /// The part of the host that compiles what strangers wrote; it is started by the host itself
    #[command(hide = true)]
    CompilePlugin(compile_plugin::CompileArgs),
}

/// Reads the command line and does what it says.
pub fn dispatch() -> Result<(), Failure> {
    let args = match CommandLine::try_parse() {
        Ok(args) => args,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            return Ok(Ui::new(false).data(&error.render().to_string())?);
        }
        Err(error) => {
            // No settings are read for a command line that cannot be understood.
            log::follow(&Log::of_environment(), false);
            return Err(Failure::Usage(error.render().to_string()));
        }
    };
    let ui = Ui::new(args.global.quiet);
    log::follow(&Log::of_environment(), args.global.quiet);
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
