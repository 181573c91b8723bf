//! The command line, and nothing but it.

use crate::command::rule::review::Quarter;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Month};
use installation::settings::{Need, Settings, SettingsPlace};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Parser, Debug)]
#[command(
    name = "apportion",
    version,
    about = "Allocate what infrastructure costs to the teams that cause it",
    long_about = include_str!("command/apportion.md"),
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub struct Args {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(ClapArgs, Clone, Debug, Default)]
pub struct GlobalArgs {
    /// Settings file [env: APPORTION_CONFIG] [default: apportion.toml]
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Ledger file, instead of the one in the settings [env: APPORTION_LEDGER]
    #[arg(long, global = true, value_name = "PATH")]
    pub ledger: Option<PathBuf>,
    /// Print data and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl GlobalArgs {
    /// Reads the settings that the arguments name.
    pub fn settings(&self, need: Need) -> Result<Settings, Vec<Diagnostic>> {
        let place = SettingsPlace { config: self.config.clone(), ledger: self.ledger.clone() };
        Settings::load(&place, need)
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Write a settings file and a starter set of rules
    #[command(long_about = include_str!("command/init.md"))]
    Init(InitArgs),
    /// Collect, allocate and post
    #[command(long_about = include_str!("command/run.md"))]
    Run(RunArgs),
    /// Show what the rules of the folder would change in the money, and post nothing
    #[command(long_about = include_str!("command/plan.md"))]
    Plan(PlanArgs),
    /// Post exactly what a plan file says
    #[command(long_about = include_str!("command/apply.md"))]
    Apply(ApplyArgs),
    /// Show what each team owes
    #[command(long_about = include_str!("command/costs.md"))]
    Costs(CostsArgs),
    /// Show the usage by which rules can share costs
    #[command(long_about = include_str!("command/usage.md"))]
    Usage(UsageArgs),
    /// Say why a team or resource costs what it does
    #[command(long_about = include_str!("command/explain.md"))]
    Explain(ExplainArgs),
    /// Write, check, test, document and approve the rules
    #[command(subcommand, long_about = include_str!("command/rule.md"))]
    Rule(RuleCommand),
    /// List and inspect plugins
    #[command(subcommand, long_about = include_str!("command/plugin.md"))]
    Plugin(PluginCommand),
    /// Check the sources and see how they stand
    #[command(subcommand, long_about = include_str!("command/source.md"))]
    Source(SourceCommand),
    /// Verify and back up the ledger
    #[command(subcommand, long_about = include_str!("command/ledger.md"))]
    Ledger(LedgerCommand),
    /// Close and reopen months
    #[command(subcommand, long_about = include_str!("command/period.md"))]
    Period(PeriodCommand),
    /// Show the settings and where each comes from
    #[command(subcommand, long_about = include_str!("command/config.md"))]
    Config(ConfigCommand),
    /// Answer over HTTP, and reload rules while serving
    #[command(long_about = include_str!("command/serve.md"))]
    Serve(ServeArgs),
    /// Generate a believable estate and run it
    #[command(long_about = include_str!("command/demo.md"))]
    Demo(DemoArgs),
    /// The part of the host that compiles what strangers wrote; it is started by the host itself
    #[command(hide = true)]
    CompilePlugin(crate::command::compile_plugin::Args),
}

#[derive(ClapArgs, Debug)]
pub struct InitArgs {
    /// Folder to write to
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

#[derive(ClapArgs, Debug)]
pub struct RunArgs {
    /// Collect nothing: allocate the stored charges with the rules as they are now
    #[arg(long)]
    pub stored: bool,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// Write what the plugins ask over HTTP and are answered to this folder, to be played by `plugin replay`
    #[arg(long, value_name = "DIR", conflicts_with = "stored")]
    pub record: Option<PathBuf>,
    /// Exit with 0 although rows or sources are missing
    #[arg(long)]
    pub allow_incomplete: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
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

#[derive(ClapArgs, Debug)]
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

#[derive(ClapArgs, Debug)]
pub struct ApproveArgs {
    /// The plan that was looked at, kept with the approval
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub note: String,
    /// Who approves [env: USER]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

#[derive(ClapArgs, Clone, Debug, Default)]
pub struct PeriodArgs {
    /// First day or month, such as 2026-01-15 or 2026-01
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last day or month, included
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
}

#[derive(ClapArgs, Debug)]
pub struct CostsArgs {
    /// What to group by: team, service_name, environment, application, cost_center, rule, source, account, a dimension, tag:KEY
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "team,service_name")]
    pub group_by: Vec<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// Length of the periods
    #[arg(long, value_enum, default_value_t)]
    pub granularity: GranularityName,
    /// Only what has this value, such as team=payments; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub filter: Vec<String>,
    /// How the costs are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

#[derive(ClapArgs, Debug)]
pub struct UsageArgs {
    /// Only this metric
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Add up by these keys, such as team,namespace
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    pub group_by: Vec<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// How the usage is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

#[derive(ClapArgs, Debug)]
pub struct ExplainArgs {
    /// A team, a resource id, or entry:ID
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Only charges of this service: with a team and a month, a line of its invoice
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// How the explanation is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Subcommand, Debug)]
pub enum RuleCommand {
    /// Write a rule and its cases, to be changed
    New(NewRuleArgs),
    /// Show one rule: facts, source, cases and the money it placed
    Show(ShowRuleArgs),
    /// Compile and lint the rules; silent when all is well
    Check {
        /// The day on which reviews may be overdue, such as 2026-12-31; otherwise today
        #[arg(long, value_name = "DAY")]
        on: Option<Day>,
        /// How the findings are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Lay the rules out anew: indents, blanks, empty lines
    Fmt {
        /// Change nothing, and fail if a rule is laid out otherwise
        #[arg(long)]
        check: bool,
    },
    /// Run the cases of the rules
    Test(TestRulesArgs),
    /// Write a page for each pack of rules, out of the rules and their cases
    Docs(RuleDocsArgs),
    /// Say which rules are to be reviewed in a quarter, by owner
    Review(ReviewArgs),
    /// Run the rules on the ledger's resources, and say what each one costs
    Bench {
        /// How the figures are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write definitions, schemas and snippets for editors
    Definitions {
        /// Folder to write to
        #[arg(long, value_name = "DIR", default_value = "rule-definitions")]
        out: PathBuf,
    },
    /// List the rules in the order they are tried, with the money each one placed
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Record in the ledger that the rules as they are now may post
    Approve(ApproveArgs),
    /// List every set of rules that was used or approved, with what changed
    History {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(ClapArgs, Debug)]
pub struct NewRuleArgs {
    /// Pack and name, such as network/nat-gateways
    #[arg(value_name = "PACK/NAME")]
    pub rule: String,
    /// Who answers for the rule; otherwise who answers for its neighbors
    #[arg(long)]
    pub owner: Option<String>,
    /// A rule of the stage distribution, which shares what stands in its pool
    #[arg(long)]
    pub pool: bool,
}

#[derive(ClapArgs, Debug)]
pub struct RuleDocsArgs {
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "rule-docs")]
    pub out: PathBuf,
    /// The month whose cost is shown, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
}

#[derive(ClapArgs, Debug)]
pub struct ReviewArgs {
    /// The quarter, such as 2026Q4; otherwise this one
    #[arg(long, value_name = "QUARTER")]
    pub quarter: Option<Quarter>,
    /// The month whose cost is shown, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub struct TestRulesArgs {
    /// Say also which branches no case takes, and what share of a month's cost each rule decided
    #[arg(long)]
    pub coverage: bool,
    /// The month whose cost is looked at, such as 2026-03; otherwise the last one
    #[arg(long, value_name = "MONTH", requires = "coverage")]
    pub month: Option<Month>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(ClapArgs, Debug)]
pub struct ShowRuleArgs {
    /// The rule's id, such as shared/tax
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// How the rule is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Subcommand, Debug)]
pub enum PluginCommand {
    /// List the bundled plugins and those the settings name
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show what plugins have cost: time, memory, rows, calls, by source
    Stats {
        /// How the figures are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write a plugin's project, which builds and passes its tests at once
    New(NewPluginArgs),
    /// Make the component of a plugin's project
    Build {
        /// The project's folder
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
    /// Try a plugin on the conformance kit, with the network off
    Test {
        /// The project's folder, or a .wasm file with conformance.toml beside it
        #[arg(value_name = "DIR_OR_PATH", default_value = ".")]
        target: PathBuf,
        /// How the report is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Collect once more what `run --record` recorded, with the network off
    Replay {
        /// The recording
        #[arg(value_name = "CASSETTE")]
        cassette: PathBuf,
        /// Another plugin than that of the recording: a bundled one's name, or a path
        #[arg(long, value_name = "NAME_OR_PATH")]
        plugin: Option<String>,
        /// How the outcome is printed; json has all charges
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Install a plugin: a .wasm file, an https address, or oci://REGISTRY/NAME@sha256:DIGEST
    Install(InstallArgs),
    /// Compare the installed plugins with plugins.lock; silent when all is well
    Verify,
    /// Tell what a new version of a plugin would break
    Compat(CompatArgs),
    /// Show everything about a plugin before anything runs
    Inspect {
        /// A bundled plugin's name, or the path of a .wasm file
        #[arg(value_name = "NAME_OR_PATH")]
        plugin: String,
        /// How the facts are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(ClapArgs, Debug)]
pub struct NewPluginArgs {
    /// The plugin's name: small letters, digits and hyphens
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What the plugin does
    #[arg(long, value_enum, default_value_t)]
    pub kind: PluginKind,
    /// What it is written in
    #[arg(long, value_enum, default_value_t)]
    pub lang: PluginLanguage,
    /// Folder to write to, instead of one with the plugin's name
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PluginKind {
    /// Says what a source charged
    #[default]
    Collector,
    /// Says by which weights a shared cost is split
    Allocator,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PluginLanguage {
    #[default]
    Rust,
    Python,
    Javascript,
}

#[derive(ClapArgs, Debug)]
pub struct InstallArgs {
    /// A .wasm file, an https address, or oci://REGISTRY/NAME@sha256:DIGEST
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The SHA-256 that it must have, hex
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// A power that the version before did not ask for; once for each
    #[arg(long, value_name = "POWER")]
    pub agree: Vec<String>,
}

#[derive(ClapArgs, Debug)]
pub struct CompatArgs {
    /// The version that is in use: a plugin's name, or the path of a .wasm file
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The version that would take its place
    #[arg(value_name = "NEW")]
    pub new: String,
}

#[derive(Subcommand, Debug)]
pub enum SourceCommand {
    /// Find the files of the sources and let their plugins look at them; silent when all is well
    Check {
        /// One source only
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Show how fresh the sources are, what failed, when they are due, and which days are missing
    Status {
        /// One source only, with its whole calendar
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// How the status is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Collect a source and keep nothing: how fast its plugin starts and hands over
    Measure {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
        /// How the figures are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Forget what a source's plugin left for its next collection
    Reset {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Write what a source says of things, such as accounts, as a lookup table of the rules
    Table {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
        /// The file to write; otherwise tables/NAME.csv in the folder of the rules
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Subcommand, Debug)]
pub enum LedgerCommand {
    /// Prove the ledger: balances, totals and the hash chain
    Verify {
        /// How the report is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Copy the ledger, also while a run writes to it
    Backup {
        /// The file to write
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
pub enum PeriodCommand {
    /// Close a month: nothing is posted to it any more
    Close {
        /// The month, such as 2026-03
        #[arg(value_name = "MONTH")]
        month: Month,
        /// Why, for the record
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Reopen a closed month
    Reopen {
        /// The month, such as 2026-03
        #[arg(value_name = "MONTH")]
        month: Month,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// List the months that were closed or reopened
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Show every setting with its origin
    Show {
        /// How the settings are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the JSON schema of the settings file, for editors
    Schema,
}

#[derive(ClapArgs, Debug)]
pub struct ServeArgs {
    /// Loopback address to listen on [env: APPORTION_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Let who has the token in this file approve and apply plans; the file is made if it is not there
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub struct DemoArgs {
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "apportion-demo")]
    pub dir: PathBuf,
    /// Another seed makes another estate
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Answer over HTTP when done
    #[arg(long)]
    pub serve: bool,
    /// Loopback address to listen on with --serve [env: APPORTION_LISTEN]
    #[arg(long, value_name = "ADDRESS", requires = "serve")]
    pub listen: Option<SocketAddr>,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    #[default]
    Text,
    Json,
    Csv,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GranularityName {
    Daily,
    Weekly,
    #[default]
    Monthly,
    Total,
}
