//! `rule`: the verbs for authors of rules, one file each.

mod bench;
mod calendar;
mod check;
mod definitions;
mod docs;
mod facts;
mod fmt;
mod list;
mod money;
mod review;
mod scaffold;
mod schema;
mod shares;
mod show;
mod test;

use super::approval::{self, ApproveArgs};
use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::Ui;
use calendar::today;
use docs::RuleDocsArgs;
use domain::period::Day;
use installation::settings::Need;
use review::ReviewArgs;
use scaffold::NewRuleArgs;
use show::ShowRuleArgs;
use std::path::PathBuf;
use test::TestRulesArgs;

#[derive(clap::Subcommand, Debug)]
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

pub fn rule(ui: Ui, global: &GlobalArgs, command: &RuleCommand) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    match command {
        RuleCommand::New(args) => scaffold::new(ui, &settings, args),
        RuleCommand::Show(args) => show::show(ui, &settings, args),
        RuleCommand::Check { on, format } => check::check(ui, &settings, on.or(today()), *format),
        RuleCommand::Fmt { check } => fmt::fmt(ui, &settings, *check),
        RuleCommand::Test(args) => test::test(ui, &settings, args),
        RuleCommand::Docs(args) => docs::docs(ui, &settings, args),
        RuleCommand::Review(args) => review::review(ui, &settings, args),
        RuleCommand::Bench { format } => bench::bench(ui, &settings, *format),
        RuleCommand::Definitions { out } => definitions::write(ui, &settings, out),
        RuleCommand::List { format } => list::list(ui, &settings, *format),
        RuleCommand::Approve(approval) => approval::approve(ui, &settings, approval),
        RuleCommand::History { format } => approval::history(ui, &settings, *format),
    }
}
