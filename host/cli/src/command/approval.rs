//! `rule approve` and `rule history`: approvals of rules, and the rules that posted.

use super::run;
use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::period::instant;
use domain::port::Rules;
use installation::amount_text::counted;
use installation::apply::plan_file;
use installation::approval::record;
use installation::settings::Settings;
use installation::{env_var, ledger_file, rules};
use ledger::Approval;
use pipeline::apply::short;
use pipeline::history::{Changes, UsedRules};
use rule_engine::lint;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
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

pub fn approve(ui: Ui, settings: &Settings, args: &ApproveArgs) -> Result<(), Failure> {
    let rules = run::rules_in_use(ui, settings)?;
    // Nobody should vouch for rules that `serve` would not take.
    let lints = lint::check(&rules, None);
    if !lints.errors.is_empty() {
        return Err(lints.errors.into());
    }
    let generation = rules.generation().to_owned();
    let plan = match &args.plan {
        None => None,
        Some(path) => {
            let (promise, text) = plan_file(path)?;
            promise.check_rules(&generation)?;
            Some((promise, text))
        }
    };
    let approver = args.by.clone().or_else(env_var::user).unwrap_or_default();
    record(settings, &generation, &approver, &args.note, plan)?;
    ui.note(&format!("rules {} are approved by {approver}", short(&generation)));
    Ok(())
}

pub fn history(ui: Ui, settings: &Settings, format: Format) -> Result<(), Failure> {
    let ledger = ledger_file::reader(settings)?;
    // Rules that are broken now still have a history.
    let now = rules::load(settings).ok();
    let now = now.as_ref().map(|rules| rules as &dyn Rules);
    let history = pipeline::history::history(&ledger, now)?;
    Ok(ui.data(&match format {
        Format::Json => json_text(&history.iter().map(used_json).collect()),
        Format::Text => history.iter().flat_map(lines).map(|line| ui.shown(&line) + "\n").collect(),
    })?)
}

fn lines(used: &UsedRules) -> Vec<String> {
    let mut lines = Vec::new();
    match &used.first {
        None => lines.push(format!("{}  not used yet", short(&used.generation))),
        Some(first) => {
            let runs = counted(used.runs, "run", "runs");
            lines.push(format!(
                "{}  {runs}, the first is run {} at {}",
                short(&used.generation),
                first.run.0,
                instant(first.at_ms)
            ));
        }
    }
    lines.extend(match &used.changes {
        Some(changes) => change_lines(changes),
        None => vec!["  what it changes is not known: no plan was approved with it".into()],
    });
    for approval in &used.approvals {
        let plan = if approval.plan.is_some() { ", having seen a plan" } else { "" };
        lines.push(format!(
            "  approved by {} at {}{plan}: {}",
            approval.approver,
            instant(approval.at_ms),
            approval.note
        ));
    }
    lines
}

fn change_lines(changes: &Changes) -> Vec<String> {
    let Changes { added, removed, changed } = changes;
    let kinds = [("added", added), ("removed", removed), ("changed", changed)];
    let told = kinds.into_iter().filter(|(_, names)| !names.is_empty());
    told.map(|(what, names)| format!("  {what}: {}", names.join(", "))).collect()
}

fn used_json(used: &UsedRules) -> Value {
    let approval = |approval: &Approval| {
        let plan: Option<Value> =
            approval.plan.as_ref().and_then(|plan| serde_json::from_str(plan).ok());
        json!({
            "by": approval.approver,
            "at": instant(approval.at_ms),
            "note": approval.note,
            "plan": plan,
        })
    };
    json!({
        "generation": used.generation,
        "runs": used.runs,
        "first_run": used.first.as_ref().map(|first| json!({
            "run": first.run.0,
            "at": instant(first.at_ms),
        })),
        "added": used.changes.as_ref().map_or(&[][..], |changes| &changes.added),
        "removed": used.changes.as_ref().map_or(&[][..], |changes| &changes.removed),
        "changed": used.changes.as_ref().map_or(&[][..], |changes| &changes.changed),
        "approvals": used.approvals.iter().map(approval).collect::<Vec<_>>(),
    })
}
