//! A plan as it is shown: a plan file holds it and the API answers it, so that there is one form.

use super::moves::RuleMove;
use super::redecided::{DecisionChanges, ResourceChange, RuleChange, Ruling};
use super::{Change, Plan};
use crate::history::Changes;
use crate::run::document::ConservationDocument;
use domain::period::Month;
use reports::document::{AmountDocument, DateText, PeriodDocument, TimeText};
use schemars::JsonSchema;
use serde::Serialize;

/// The form's name and version. A reader refuses any other.
pub const SCHEMA: &str = "apportion-plan/1";

/// The changes in money that other rules would make; a plan file holds them, with a digest beside
/// it. Costs go by the day of the charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
pub struct PlanDocument {
    #[schemars(extend("enum" = [SCHEMA]))]
    schema: &'static str,
    made_at: TimeText,
    version: String,
    /// The same for all copies of a ledger.
    ledger: String,
    generation: GenerationsDocument,
    /// The rules, tables and settings that differ.
    changes: ChangesDocument,
    /// Sources that were collected anew for the plan, because their settings differ.
    collected: Vec<String>,
    /// Sources of which only a run can tell the change, each with the reason.
    uncollected: Vec<String>,
    /// Digest of what the plan was made on.
    inputs: String,
    /// Digest of the entries that would stand.
    outcome: String,
    /// With the charges as they were known at the end of that day.
    as_of: Option<DateText>,
    period: PeriodDocument,
    source_days: u64,
    charges: u64,
    entries: EntryCountsDocument,
    moved: Vec<AmountDocument>,
    moved_elsewhere: Vec<AmountDocument>,
    teams: Vec<ChangeDocument>,
    services: Vec<ChangeDocument>,
    /// What all teams together bear by each rule.
    rules: Vec<ChangeDocument>,
    /// Every rule through which other money goes than before, whatever its stage.
    rule_moves: Vec<RuleMoveDocument>,
    redecided: RedecidedDocument,
    rules_silent: Vec<String>,
    rules_woken: Vec<String>,
    /// Such as 2026-09.
    closed_months: Vec<String>,
    conservation: Vec<ConservationDocument>,
    suspense: Vec<String>,
    unresolved: Vec<String>,
}

/// Digests of the rules that the ledger stands by, and of those that were tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PlanGenerations")]
struct GenerationsDocument {
    before: Option<String>,
    after: String,
}

/// Rules by id, tables as `tables/<name>.csv`, settings by section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "GenerationChanges")]
struct ChangesDocument {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "EntryCounts")]
pub struct EntryCountsDocument {
    pub posted: u64,
    pub reversed: u64,
    pub unchanged: u64,
}

/// The cost of a team, a service or a rule. The empty name is cost without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
struct ChangeDocument {
    name: String,
    before: AmountDocument,
    after: AmountDocument,
    change: AmountDocument,
}

/// A rule with what each team and pool bears by it, where that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RuleMove")]
struct RuleMoveDocument {
    rule: String,
    #[schemars(extend("example" = "cascade"))]
    stage: &'static str,
    moved: Vec<AmountDocument>,
    teams: Vec<ChangeDocument>,
}

/// Resources that are decided otherwise; the largest ones by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionChanges")]
struct RedecidedDocument {
    resources: u64,
    charges: u64,
    costs: Vec<AmountDocument>,
    by_rule: Vec<RuleChangeDocument>,
    largest: Vec<ResourceChangeDocument>,
}

/// All that one rule decided and another one decides now, or the same one otherwise.
/// The empty rule is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RuleChange")]
struct RuleChangeDocument {
    before: String,
    after: String,
    resources: u64,
    charges: u64,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ResourceChange")]
struct ResourceChangeDocument {
    resource: String,
    service_name: String,
    before: RulingDocument,
    after: RulingDocument,
    charges: u64,
    cost: AmountDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Ruling")]
struct RulingDocument {
    rule: String,
    /// The account that gets the cost first.
    #[schemars(extend("example" = "team/payments"))]
    to: String,
}

impl From<&Plan> for PlanDocument {
    fn from(plan: &Plan) -> PlanDocument {
        let changes = |changes: &[Change]| changes.iter().map(ChangeDocument::from).collect();
        PlanDocument {
            schema: SCHEMA,
            made_at: TimeText::at(plan.at_ms),
            version: plan.version.clone(),
            ledger: plan.ledger.clone(),
            generation: GenerationsDocument {
                before: plan.generation_before.clone(),
                after: plan.generation.clone(),
            },
            changes: ChangesDocument::from(&plan.changes),
            collected: plan.collected.clone(),
            uncollected: plan.uncollected.clone(),
            inputs: plan.inputs.clone(),
            outcome: plan.outcome.clone(),
            as_of: plan.as_of.map(DateText::from),
            period: plan.period.into(),
            source_days: plan.source_days,
            charges: plan.charges,
            entries: EntryCountsDocument {
                posted: plan.entries_posted,
                reversed: plan.entries_reversed,
                unchanged: plan.entries_unchanged,
            },
            moved: AmountDocument::list(&plan.moved),
            moved_elsewhere: AmountDocument::list(&plan.moved_elsewhere),
            teams: changes(&plan.teams),
            services: changes(&plan.services),
            rules: changes(&plan.rules),
            rule_moves: plan.rule_moves.iter().map(RuleMoveDocument::from).collect(),
            redecided: RedecidedDocument::from(&plan.redecided),
            rules_silent: plan.redecided.silent.clone(),
            rules_woken: plan.redecided.woken.clone(),
            closed_months: plan.closed.iter().map(Month::to_string).collect(),
            conservation: plan.conservation.iter().map(ConservationDocument::from).collect(),
            suspense: plan.suspense.clone(),
            unresolved: plan.unresolved.clone(),
        }
    }
}

impl From<&Changes> for ChangesDocument {
    fn from(changes: &Changes) -> ChangesDocument {
        let Changes { added, removed, changed } = changes.clone();
        ChangesDocument { added, removed, changed }
    }
}

impl From<&Change> for ChangeDocument {
    fn from(change: &Change) -> ChangeDocument {
        let amount = |amount| AmountDocument::new(change.currency, amount);
        ChangeDocument {
            name: change.name.clone(),
            before: amount(change.before),
            after: amount(change.after),
            change: amount(change.change()),
        }
    }
}

impl From<&RuleMove> for RuleMoveDocument {
    fn from(of: &RuleMove) -> RuleMoveDocument {
        RuleMoveDocument {
            rule: of.rule.clone(),
            stage: of.stage,
            moved: AmountDocument::list(&of.moved),
            teams: of.teams.iter().map(ChangeDocument::from).collect(),
        }
    }
}

impl From<&DecisionChanges> for RedecidedDocument {
    fn from(redecided: &DecisionChanges) -> RedecidedDocument {
        RedecidedDocument {
            resources: redecided.resources,
            charges: redecided.charges,
            costs: AmountDocument::list(&redecided.costs),
            by_rule: redecided.by_rule.iter().map(RuleChangeDocument::from).collect(),
            largest: redecided.largest.iter().map(ResourceChangeDocument::from).collect(),
        }
    }
}

impl From<&RuleChange> for RuleChangeDocument {
    fn from(change: &RuleChange) -> RuleChangeDocument {
        RuleChangeDocument {
            before: change.before.clone(),
            after: change.after.clone(),
            resources: change.resources,
            charges: change.charges,
            cost: AmountDocument::new(change.currency, change.cost),
        }
    }
}

impl From<&ResourceChange> for ResourceChangeDocument {
    fn from(change: &ResourceChange) -> ResourceChangeDocument {
        ResourceChangeDocument {
            resource: change.resource.clone(),
            service_name: change.service_name.clone(),
            before: RulingDocument::from(&change.before),
            after: RulingDocument::from(&change.after),
            charges: change.charges,
            cost: AmountDocument::new(change.currency, change.cost),
        }
    }
}

impl From<&Ruling> for RulingDocument {
    fn from(ruling: &Ruling) -> RulingDocument {
        RulingDocument { rule: ruling.rule.clone(), to: ruling.to.clone() }
    }
}
