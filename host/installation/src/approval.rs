//! Approvals: the check before rules post, and the record of who approved them.

use crate::clock;
use crate::ledger_file;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use ledger::{Approval, Reader};
use pipeline::apply::{Promise, short};
use pipeline::code;

/// Refuses rules without an approval, where the settings demand one.
pub fn check(settings: &Settings, ledger: &Reader, generation: &str) -> Result<(), Diagnostic> {
    if !settings.require_approval.value || ledger.is_approved(generation)? {
        return Ok(());
    }
    let message = format!(
        "the rules {} are not approved, which require_approval demands ({})",
        short(generation),
        settings.require_approval.origin
    );
    Err(Diagnostic::new(code::APPROVAL_MISSING, message).hint(
        Hint::text("look at ")
            .then(Hint::deed("plan --out plan.json", "GET /api/v1/plan"))
            .then(", then ")
            .then(Hint::deed(
                "rule approve --plan plan.json --note \"why\"",
                "POST /api/v1/plan/approve",
            )),
    ))
}

/// Records an approval, with the plan that the approver has seen.
pub fn record(
    settings: &Settings,
    generation: &str,
    approver: &str,
    note: &str,
    plan: Option<(Promise, String)>,
) -> Result<(), Diagnostic> {
    let mut ledger = ledger_file::open_for_runs(settings)?;
    if let Some((promise, _)) = &plan
        && ledger.identity()?.as_ref() != Some(&promise.ledger)
    {
        return Err(Diagnostic::new(
            code::PLAN_OTHER_LEDGER,
            "the plan was made on another ledger",
        )
        .hint("name the ledger of the plan with `--ledger PATH`, or make a new plan"));
    }
    ledger.approve(&Approval {
        at_ms: clock::now_ms(),
        approver: approver.to_owned(),
        note: note.to_owned(),
        generation: generation.to_owned(),
        plan: plan.map(|(_, text)| text),
    })
}
