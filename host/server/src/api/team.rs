//! What one team owes, and for what.

use crate::api::answer::{Amount, Asked, PeriodShown};
use crate::api::openapi::{Body, Operation, PERIOD, TEAM, granularity_of};
use crate::error::Problem;
use crate::parameters::{Parameters, Span};
use crate::state::State;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::money::{Currency, Sum};
use domain::port::RuleFacts;
use ledger::Reader;
use reports::costs::{
    CostQuery, CostTable, Granularity, GroupBy, costs, costs_with_rules, has_team, teams,
};
use reports::derive::RulesOf;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub const TEAM_COSTS: Operation = Operation {
    path: "/api/v1/costs/team/{team}",
    id: "get_team_costs",
    summary: "What one team owes: in all, by span, by service, by environment and by application.",
    parameters: &[TEAM, PERIOD[0], PERIOD[1], granularity_of("monthly")],
    body: Body::Json("TeamCosts"),
    errors: &[400, 404, 500, 503],
};

#[derive(Serialize)]
struct TeamCosts {
    team: String,
    period: PeriodShown,
    granularity: &'static str,
    /// One amount a currency: currencies are never added together.
    total: Vec<Amount>,
    costs: Vec<SpanCost>,
    breakdown: Breakdown,
}

#[derive(Serialize)]
struct SpanCost {
    period_start: Option<String>,
    cost: Amount,
}

#[derive(Serialize)]
struct Breakdown {
    by_service: Vec<Part>,
    by_environment: Vec<Part>,
    by_application: Vec<Part>,
}

/// The largest first.
#[derive(Serialize)]
struct Part {
    key: String,
    cost: Amount,
}

pub async fn team_costs(
    Shared(state): Shared<State>,
    Path(team): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(&asked.uri, &["start_date", "end_date", "granularity"], &[])?;
    let (span, granularity) = (parameters.span()?, parameters.granularity(Granularity::Monthly)?);
    let installation = state.installation().clone();
    asked
        .answer(&state, move |ledger| {
            if !has_team(ledger, &team)? {
                return Err(unknown(&team, &teams(ledger)?));
            }
            let rules_of = |facts: &[RuleFacts], tables: &[(String, String)]| {
                installation.stored_rules(facts, tables)
            };
            Ok(TeamCosts::read(ledger, &team, span, granularity, &rules_of)?)
        })
        .await
}

fn unknown(team: &str, known: &BTreeSet<String>) -> Problem {
    let hint = match did_you_mean(team, known.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`?"),
        None => "/api/v1/costs?group_by=team lists the teams".into(),
    };
    Problem::not_found(format!("no team '{team}' ever bore a cost"), hint)
}

impl TeamCosts {
    fn read(
        ledger: &Reader,
        team: &str,
        span: Span,
        granularity: Granularity,
        rules_of: &RulesOf<'_>,
    ) -> Result<TeamCosts, Diagnostic> {
        let query = |granularity: Granularity, group_by: &[GroupBy]| CostQuery {
            period: span.period,
            granularity,
            group_by: group_by.to_vec(),
            filter: vec![(GroupBy::Team, team.to_owned())],
        };
        let spans = costs(ledger, &query(granularity, &[]))?;
        let services = costs(ledger, &query(Granularity::Total, &[GroupBy::ServiceName]))?;
        // Both are derived from the charges, so one scan answers them together.
        let others = costs_with_rules(
            ledger,
            &query(Granularity::Total, &[GroupBy::Environment, GroupBy::Application]),
            rules_of,
        )?;
        let by_span = spans.rows.iter().map(|row| SpanCost {
            period_start: row.period_start.map(|day| day.to_string()),
            cost: Amount::new(row.currency, row.amount),
        });
        Ok(TeamCosts {
            team: team.into(),
            period: span.into(),
            granularity: granularity.name(),
            total: Amount::totals(&spans.totals),
            costs: by_span.collect(),
            breakdown: Breakdown {
                by_service: parts(&services, 0),
                by_environment: parts(&others, 0),
                by_application: parts(&others, 1),
            },
        })
    }
}

/// Sums a table by one of its columns.
fn parts(table: &CostTable, column: usize) -> Vec<Part> {
    let mut sums: BTreeMap<(Currency, &str), Sum> = BTreeMap::new();
    for row in &table.rows {
        let key = row.keys.get(column).map_or("", String::as_str);
        *sums.entry((row.currency, key)).or_default() += row.amount;
    }
    let mut sums: Vec<((Currency, &str), Sum)> =
        sums.into_iter().filter(|(_, sum)| !sum.is_zero()).collect();
    sums.sort_by(|((left_currency, _), left), ((right_currency, _), right)| {
        left_currency.cmp(right_currency).then(right.cmp(left))
    });
    sums.into_iter()
        .map(|((currency, key), sum)| Part {
            key: key.to_owned(),
            cost: Amount::new(currency, sum),
        })
        .collect()
}
