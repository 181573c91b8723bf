//! The sets of rules through time: their use, their changes and their approvals.

use domain::diagnostic::Diagnostic;
use domain::run::RunId;
use ledger::{Approval, GenerationId, Reader};
use std::collections::BTreeMap;

/// A set of rules and tables that a run has used or somebody has approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedRules {
    /// Digest of the rules and tables, hex.
    pub generation: String,
    /// Nothing for rules that were approved and have not been used yet.
    pub first: Option<FirstUse>,
    /// Runs that ended with these rules.
    pub runs: u64,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUse {
    pub run: RunId,
    pub at_ms: i64,
    /// Since the rules that were first used before these: rules by id, tables as
    /// `tables/<name>.csv`.
    pub changes: Changes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<String>,
}

/// Oldest first. Rules that were never used come last.
pub fn history(ledger: &Reader) -> Result<Vec<UsedRules>, Diagnostic> {
    let mut used: Vec<UsedRules> = Vec::new();
    let mut before = BTreeMap::new();
    for row in ledger.generations()? {
        let digest = row.generation.digest();
        if let Some(known) = used.iter_mut().find(|known| known.generation == digest) {
            known.runs += row.runs;
            continue;
        }
        let texts = texts(ledger, row.id)?;
        let changes = changes(&before, &texts);
        before = texts;
        used.push(UsedRules {
            generation: digest.to_owned(),
            first: Some(FirstUse { run: row.run, at_ms: row.first_used_at_ms, changes }),
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
                runs: 0,
                approvals: vec![approval],
            }),
        }
    }
    Ok(used)
}

/// Digests of rules and texts of tables, by name.
fn texts(
    ledger: &Reader,
    generation: GenerationId,
) -> Result<BTreeMap<String, String>, Diagnostic> {
    let rules =
        ledger.rules(generation)?.into_iter().map(|rule| (rule.version.rule, rule.version.digest));
    let tables = ledger
        .tables(generation)?
        .into_iter()
        .map(|(name, text)| (format!("tables/{name}.csv"), text));
    Ok(rules.chain(tables).collect())
}

fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Changes {
    let missing = |from: &BTreeMap<String, String>, in_other: &BTreeMap<String, String>| {
        from.keys().filter(|name| !in_other.contains_key(*name)).cloned().collect::<Vec<_>>()
    };
    let is_changed =
        |(name, text): &(&String, &String)| before.get(*name).is_some_and(|old| old != *text);
    Changes {
        added: missing(after, before),
        removed: missing(before, after),
        changed: after.iter().filter(is_changed).map(|(name, _)| name.clone()).collect(),
    }
}
