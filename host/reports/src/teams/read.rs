//! A team's cost read from the ledger.

use crate::code;
use crate::costs::query::{Granularity, GroupBy};
use crate::costs::read::{CostTable, costs, costs_with_rules, has_team, teams};
use crate::stored::RulesOf;
use crate::teams::query::TeamQuery;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use ledger::Reader;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamCosts {
    pub query: TeamQuery,
    pub spans: CostTable,
    pub by_service: Vec<CostPart>,
    pub by_environment: Vec<CostPart>,
    pub by_application: Vec<CostPart>,
}

/// The cost of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostPart {
    /// Empty for cost without a value.
    pub key: String,
    pub currency: Currency,
    pub amount: Sum,
}

/// Refuses a team, or an account in its place, that never bore a cost.
pub fn team_costs(
    ledger: &Reader,
    query: &TeamQuery,
    rules_of: &RulesOf<'_>,
) -> Result<TeamCosts, Diagnostic> {
    if !has_team(ledger, &query.team)? {
        return Err(unknown(ledger, &query.team)?);
    }
    let services = query.costs(Granularity::Total, &[GroupBy::ServiceName]);
    // Both are derived from the charges, so one scan answers them together.
    let others = query.costs(Granularity::Total, &[GroupBy::Environment, GroupBy::Application]);
    let others = costs_with_rules(ledger, &others, rules_of)?;
    Ok(TeamCosts {
        spans: costs(ledger, &query.costs(query.granularity, &[]))?,
        by_service: parts(&costs(ledger, &services)?, 0),
        by_environment: parts(&others, 0),
        by_application: parts(&others, 1),
        query: query.clone(),
    })
}

fn unknown(ledger: &Reader, team: &str) -> Result<Diagnostic, Diagnostic> {
    let known = teams(ledger)?;
    let hint = match did_you_mean(team, known.iter().map(String::as_str)) {
        Some(close) => Hint::text(format!("did you mean `{close}`?")),
        None => Hint::deed("costs --group-by team", "/api/v1/costs?group_by=team")
            .then(" lists the teams"),
    };
    let message = format!("no team '{team}' ever bore a cost");
    Ok(Diagnostic::new(code::NOTHING_TO_EXPLAIN, message).hint(hint))
}

/// Sums a table by one of its columns: by currency, the largest first.
fn parts(table: &CostTable, column: usize) -> Vec<CostPart> {
    let mut sums: BTreeMap<(Currency, &str), Sum> = BTreeMap::new();
    for row in &table.rows {
        let key = row.keys.get(column).map_or("", String::as_str);
        *sums.entry((row.currency, key)).or_default() += row.amount;
    }
    let part = |((currency, key), amount): ((Currency, &str), Sum)| CostPart {
        key: key.to_owned(),
        currency,
        amount,
    };
    let mut parts: Vec<CostPart> =
        sums.into_iter().filter(|(_, amount)| !amount.is_zero()).map(part).collect();
    parts.sort_by(|left, right| {
        left.currency.cmp(&right.currency).then(right.amount.cmp(&left.amount))
    });
    parts
}
