//! Applies a plan: the same run once more, and only if nothing has moved since.
//!
//! A plan file is the plan's document with a digest over it. The digest shows whether the file was
//! changed after somebody looked at it. It is no signature.

use crate::code;
use crate::plan::Plan;
use crate::plan::document::{PlanDocument, SCHEMA};
use crate::progress::Progress;
use crate::report::RunReport;
use crate::run::{RunOptions, Terms, run_on_terms};
use crate::standing::Standing;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use ledger::{Ledger, Reader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A client of the API finds the latest plan there; nobody has to make it.
fn anew() -> Hint {
    Hint::text("look at what would change now: ")
        .then(Hint::deed("plan --out plan.json", "GET /api/v1/plan"))
}

/// The digests that a plan file promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    pub ledger: String,
    /// Digest of the rules, tables and settings.
    pub generation: String,
    inputs: String,
    outcome: String,
    as_of: Option<String>,
    /// Sources that the plan collected anew. Its application must collect them too.
    pub collected: Vec<String>,
}

/// The text of a plan file.
pub fn file_text(plan: &Plan) -> String {
    let mut document = json!(PlanDocument::from(plan));
    let digest = digest(&document);
    if let Some(members) = document.as_object_mut() {
        members.insert("digest".into(), json!(digest));
    }
    format!("{document:#}\n")
}

fn digest(document: &Value) -> String {
    Sha256::digest(document.to_string().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Promise {
    /// Reads the text of a plan file.
    pub fn read(text: &str) -> Result<Promise, Diagnostic> {
        let unreadable = |why: String| Diagnostic::new(code::PLAN_UNREADABLE, why).hint(anew());
        let mut document: Value = serde_json::from_str(text)
            .map_err(|error| unreadable(format!("this is not a plan: {error}")))?;
        let schema = document.get("schema").and_then(Value::as_str).unwrap_or_default();
        if schema != SCHEMA {
            return Err(unreadable(format!(
                "this is not a plan that this version reads: its schema is '{schema}' and not \
                 '{SCHEMA}'"
            )));
        }
        let written = document.as_object_mut().and_then(|members| members.remove("digest"));
        if written != Some(json!(digest(&document))) {
            return Err(unreadable(
                "the plan was changed after it was made: its digest does not fit".into(),
            ));
        }
        let text = |pointer: &str| {
            let found = document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            found.ok_or_else(|| unreadable(format!("the plan has no {pointer}")))
        };
        Ok(Promise {
            ledger: text("/ledger")?,
            generation: text("/generation/after")?,
            inputs: text("/inputs")?,
            outcome: text("/outcome")?,
            as_of: text("/as_of").ok(),
            collected: names(&document, "/collected"),
        })
    }

    /// Whether the plan is one of these rules.
    pub fn check_rules(&self, generation: &str) -> Result<(), Diagnostic> {
        if self.generation == generation {
            return Ok(());
        }
        let message = format!(
            "the rules are {} now, and the plan was made with {}",
            short(generation),
            short(&self.generation)
        );
        Err(Diagnostic::new(code::PLAN_RULES_MOVED, message).hint(anew()))
    }

    fn check_ledger(&self, ledger: &Reader) -> Result<(), Diagnostic> {
        if let Some(day) = &self.as_of {
            let message = format!(
                "the plan goes by the charges as they were known on {day}; what is posted goes by \
                 all that is known"
            );
            return Err(Diagnostic::new(code::PLAN_NOT_TO_APPLY, message).hint(
                Hint::text("make the plan without --as-of: ")
                    .then(Hint::deed("plan --out plan.json", "GET /api/v1/plan")),
            ));
        }
        if ledger.identity()?.as_ref() != Some(&self.ledger) {
            let message = "the plan was made on another ledger";
            return Err(Diagnostic::new(code::PLAN_OTHER_LEDGER, message)
                .hint("name the ledger of the plan with `--ledger PATH`, or make a new plan"));
        }
        if ledger.inputs_digest()? != self.inputs {
            if ledger.standing_digest()? == self.outcome {
                let message = "the plan has been applied already: what it promises is what stands";
                return Err(Diagnostic::new(code::PLAN_INPUTS_MOVED, message).hint(
                    Hint::text("see ")
                        .then(Hint::deed("rule history", "/api/v1/runs"))
                        .then(" and ")
                        .then(Hint::deed("costs", "/api/v1/costs")),
                ));
            }
            let message = "charges, entries or closed months have changed since the plan was made";
            return Err(Diagnostic::new(code::PLAN_INPUTS_MOVED, message).hint(anew()));
        }
        Ok(())
    }
}

/// Plans of older versions have no such member.
fn names(document: &Value, pointer: &str) -> Vec<String> {
    let names = document.pointer(pointer).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Posts the plan, or nothing. The options must collect the sources that the plan collected.
pub fn apply(
    ledger: &mut Ledger,
    promise: &Promise,
    options: RunOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<RunReport, Diagnostic> {
    promise.check_rules(options.rules.generation())?;
    promise.check_ledger(ledger)?;
    // Another run may post between the check and this run. Settings beside the rules may decide
    // too, such as a plugin's version. So the outcome is compared as well.
    let accept = |posted: &Reader| {
        if posted.standing_digest()? == promise.outcome {
            return Ok(());
        }
        let message = "the outcome is not that of the plan any more; nothing was posted";
        Err(Diagnostic::new(code::PLAN_INPUTS_MOVED, message).hint(anew()))
    };
    let standing = Standing::default();
    let terms = Terms { standing: &standing, known_until_ms: None, accept: &accept };
    run_on_terms(ledger, options, terms, progress)
}

/// Enough of a digest for people to tell it from others.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
