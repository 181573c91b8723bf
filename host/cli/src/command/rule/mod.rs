//! `rule`: what the authors of rules work with, one file for each verb.

mod bench;
mod check;
mod definitions;
mod docs;
mod fmt;
mod list;
mod money;
pub mod review;
mod scaffold;
mod schema;
mod shares;
mod show;
mod test;

use super::approval;
use crate::args::{GlobalArgs, RuleCommand};
use crate::error::Failure;
use crate::ui::Ui;
use domain::period::{Day, Month};
use domain::port::RuleFacts;
use installation::clock;
use installation::settings::Need;
use serde_json::{Value, json};

const DAY_MS: i64 = 86_400_000;

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

/// Nothing if the clock is beyond all calendars.
fn today() -> Option<Day> {
    i32::try_from(clock::now_ms().div_euclid(DAY_MS)).ok().map(Day::from_epoch)
}

fn this_month() -> Month {
    today().unwrap_or(Day::from_epoch(0)).month()
}

fn facts_json(rule: &RuleFacts, placed: Option<&money::Sums>) -> Value {
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    json!({
        "rule": rule.version.rule,
        "digest": rule.version.digest,
        "name": rule.name,
        "priority": rule.priority,
        "stage": rule.stage.name(),
        "owner": rule.owner,
        "review_by": day(rule.review_by),
        "enabled": rule.enabled,
        "from": day(rule.from),
        "until": day(rule.until),
        "description": rule.description,
        "placed": money::json(placed),
    })
}
