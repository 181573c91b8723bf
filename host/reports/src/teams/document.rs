//! A team's cost as it is shown.

use crate::costs::read::CostRow;
use crate::document::{AmountDocument, AxisText, DateText, PeriodDocument};
use crate::teams::read::{CostPart, TeamCosts};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "TeamCosts")]
pub struct TeamCostsDocument {
    team: String,
    axis: AxisText,
    /// Of days by the axis.
    period: PeriodDocument,
    granularity: &'static str,
    /// One amount a currency.
    total: Vec<AmountDocument>,
    costs: Vec<SpanCostDocument>,
    breakdown: BreakdownDocument,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SpanCost")]
struct SpanCostDocument {
    period_start: Option<DateText>,
    cost: AmountDocument,
}

/// Each by currency, the largest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Breakdown")]
struct BreakdownDocument {
    by_service: Vec<CostPartDocument>,
    by_environment: Vec<CostPartDocument>,
    by_application: Vec<CostPartDocument>,
}

/// The cost of one value; the empty key is cost without a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Part")]
struct CostPartDocument {
    key: String,
    cost: AmountDocument,
}

impl From<&TeamCosts> for TeamCostsDocument {
    fn from(costs: &TeamCosts) -> TeamCostsDocument {
        let span = |row: &CostRow| SpanCostDocument {
            period_start: row.period_start.map(DateText::from),
            cost: AmountDocument::new(row.currency, row.amount),
        };
        TeamCostsDocument {
            team: costs.query.team.clone(),
            axis: costs.query.axis.into(),
            period: costs.query.period.into(),
            granularity: costs.query.granularity.name(),
            total: AmountDocument::list(&costs.spans.totals),
            costs: costs.spans.rows.iter().map(span).collect(),
            breakdown: BreakdownDocument {
                by_service: parts(&costs.by_service),
                by_environment: parts(&costs.by_environment),
                by_application: parts(&costs.by_application),
            },
        }
    }
}

fn parts(parts: &[CostPart]) -> Vec<CostPartDocument> {
    let shown = |part: &CostPart| CostPartDocument {
        key: part.key.clone(),
        cost: AmountDocument::new(part.currency, part.amount),
    };
    parts.iter().map(shown).collect()
}
