//! Generations through time: their use, their changes and their approvals.

use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use domain::run::RunId;
use ledger::{Approval, GenerationId, Reader};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Rules, tables and settings that a run has used or somebody has approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedRules {
    /// Digest of all of them, hex.
    pub generation: String,
    /// Nothing for rules that were approved and have not been used yet.
    pub first: Option<FirstUse>,
    /// Since the rules that were first used before these. Of rules that were never used, what the
    /// plan of an approval says, or the difference of the rules as they are now. Nothing where
    /// neither is known.
    pub changes: Option<Changes>,
    /// Runs that ended with these rules.
    pub runs: u64,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUse {
    pub run: RunId,
    pub at_ms: i64,
}

/// Parts of a generation: rules by id, tables as `tables/<name>.csv`, settings by section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<String>,
}

/// Oldest first. Rules that were never used come last; `now` are those as they are now.
pub fn history(ledger: &Reader, now: Option<&dyn Rules>) -> Result<Vec<UsedRules>, Diagnostic> {
    let mut used: Vec<UsedRules> = Vec::new();
    let mut before = Parts::default();
    for row in ledger.generations()? {
        let digest = row.generation.digest();
        if let Some(known) = used.iter_mut().find(|known| known.generation == digest) {
            known.runs += row.runs;
            continue;
        }
        let parts = Parts::stored(ledger, row.id)?;
        let changes = before.changes(&parts);
        before = parts;
        used.push(UsedRules {
            generation: digest.to_owned(),
            first: Some(FirstUse { run: row.run, at_ms: row.first_used_at_ms }),
            changes: Some(changes),
            runs: row.runs,
            approvals: Vec::new(),
        });
    }
    for approval in ledger.approvals()? {
        match used.iter_mut().find(|known| known.generation == approval.generation) {
            Some(known) => known.approvals.push(approval),
            None => used.push(UsedRules {
                generation: approval.generation.clone(),
                first: None,
                changes: approved(ledger, &approval, now)?,
                runs: 0,
                approvals: vec![approval],
            }),
        }
    }
    Ok(used)
}

/// The changes that somebody approved. The ledger keeps the rules themselves only once they are
/// used.
fn approved(
    ledger: &Reader,
    approval: &Approval,
    now: Option<&dyn Rules>,
) -> Result<Option<Changes>, Diagnostic> {
    if let Some(rules) = now.filter(|rules| rules.generation() == approval.generation) {
        return Changes::to_rules(ledger, rules).map(Some);
    }
    let plan: Option<Value> =
        approval.plan.as_ref().and_then(|plan| serde_json::from_str(plan).ok());
    Ok(plan.and_then(|plan| serde_json::from_value(plan.get("changes")?.clone()).ok()))
}

/// The parts of a generation by name, each with its digest or its text.
#[derive(Default)]
struct Parts {
    rules: BTreeMap<String, String>,
    settings: BTreeMap<String, String>,
}

impl Parts {
    fn new(
        facts: Vec<RuleFacts>,
        tables: Vec<(String, String)>,
        settings: Vec<(String, String)>,
    ) -> Parts {
        let rules = facts.into_iter().map(|rule| (rule.version.rule, rule.version.digest));
        let tables = tables.into_iter().map(|(name, text)| (format!("tables/{name}.csv"), text));
        Parts { rules: rules.chain(tables).collect(), settings: settings.into_iter().collect() }
    }

    fn stored(ledger: &Reader, generation: GenerationId) -> Result<Parts, Diagnostic> {
        Ok(Parts::new(
            ledger.rules(generation)?,
            ledger.tables(generation)?,
            ledger.settings(generation)?,
        ))
    }

    fn changes(&self, after: &Parts) -> Changes {
        let mut changes = Changes::default();
        changes.add(&self.rules, &after.rules);
        changes.add_settings(&self.settings, &after.settings);
        changes
    }
}

impl Changes {
    /// From the generation that the ledger stands by, if any, to other rules.
    pub fn to_rules(ledger: &Reader, rules: &dyn Rules) -> Result<Changes, Diagnostic> {
        let before = match ledger.last_posted_run()? {
            Some(run) => Parts::stored(ledger, run.generation)?,
            None => Parts::default(),
        };
        let after = Parts::new(rules.facts().to_vec(), rules.tables(), rules.settings());
        Ok(before.changes(&after))
    }

    /// From settings that charges were collected with to others, by section with their texts.
    pub fn of_settings(before: &[(String, String)], after: &[(String, String)]) -> Changes {
        let sections = |texts: &[(String, String)]| texts.iter().cloned().collect();
        let mut changes = Changes::default();
        changes.add_settings(&sections(before), &sections(after));
        changes
    }

    /// Names what the other changes too, each once.
    pub fn merge(&mut self, other: Changes) {
        let Changes { added, removed, changed } = other;
        for (names, more) in
            [(&mut self.added, added), (&mut self.removed, removed), (&mut self.changed, changed)]
        {
            let fresh: Vec<String> =
                more.into_iter().filter(|name| !names.contains(name)).collect();
            names.extend(fresh);
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.added.iter().chain(&self.removed).chain(&self.changed)
    }

    /// A generation from before settings were stored says nothing of them.
    fn add_settings(
        &mut self,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) {
        if !before.is_empty() {
            self.add(before, after);
        }
    }

    fn add(&mut self, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
        let missing = |from: &BTreeMap<String, String>, in_other: &BTreeMap<String, String>| {
            from.keys().filter(|name| !in_other.contains_key(*name)).cloned().collect::<Vec<_>>()
        };
        let is_changed =
            |(name, text): &(&String, &String)| before.get(*name).is_some_and(|old| old != *text);
        self.added.extend(missing(after, before));
        self.removed.extend(missing(before, after));
        self.changed.extend(after.iter().filter(is_changed).map(|(name, _)| name.clone()));
    }
}
