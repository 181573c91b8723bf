//! Runs as they are shown.

use crate::document::{AmountDocument, TimeText};
use crate::runs::read::{RunDetail, RunFacts, RunPage};
use domain::charge::RejectedRow;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Runs")]
pub struct RunsDocument {
    runs: Vec<RunDocument>,
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Run")]
struct RunDocument {
    id: i64,
    /// Unfinished: under way, or interrupted.
    #[schemars(extend("enum" = ["complete", "incomplete", "failed", "unfinished"]))]
    state: &'static str,
    version: String,
    started_at: TimeText,
    ended_at: Option<TimeText>,
    /// Digest of the rules.
    generation: Option<String>,
    charges: u64,
    rejected: u64,
    /// What its entries put from some accounts into others, by currency.
    moved: Vec<AmountDocument>,
    /// Sources of which nothing was collected.
    failed_sources: Vec<String>,
    /// Why it failed.
    note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RunDetail")]
pub struct RunDetailDocument {
    #[serde(flatten)]
    run: RunDocument,
    rejected_by_source: Vec<RejectedCountDocument>,
    rejected_rows: Vec<RejectedRowDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RejectedCount")]
struct RejectedCountDocument {
    source: String,
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RejectedRow")]
struct RejectedRowDocument {
    source: String,
    /// file:line:column, or what the source has instead.
    location: String,
    reason: String,
    excerpt: String,
}

impl RunsDocument {
    pub fn page(page: &RunPage, next: Option<String>) -> RunsDocument {
        let runs = page.runs.iter().map(RunDocument::from).collect();
        RunsDocument { runs, next_page_token: next }
    }
}

impl From<&RunFacts> for RunDocument {
    fn from(facts: &RunFacts) -> RunDocument {
        let (row, end) = (&facts.row, facts.row.end.as_ref());
        RunDocument {
            id: row.id.0,
            state: end.map_or("unfinished", |end| end.state.name()),
            version: row.version.clone(),
            started_at: TimeText::at(row.started_at_ms),
            ended_at: end.map(|end| TimeText::at(end.at_ms)),
            generation: facts.generation.as_ref().map(ToString::to_string),
            charges: end.map_or(0, |end| end.charges),
            rejected: end.map_or(0, |end| end.rejected),
            moved: AmountDocument::list(&facts.moved),
            failed_sources: facts.failed_sources.clone(),
            note: end.map_or_else(String::new, |end| end.note.clone()),
        }
    }
}

impl From<&RunDetail> for RunDetailDocument {
    fn from(detail: &RunDetail) -> RunDetailDocument {
        let count = |(source, count): &(String, u64)| RejectedCountDocument {
            source: source.clone(),
            count: *count,
        };
        let row = |(source, rejected): &(String, RejectedRow)| {
            let RejectedRow { location, reason, excerpt } = rejected.clone();
            RejectedRowDocument { source: source.clone(), location, reason, excerpt }
        };
        RunDetailDocument {
            run: RunDocument::from(&detail.run),
            rejected_by_source: detail.rejected_counts.iter().map(count).collect(),
            rejected_rows: detail.rejected.iter().map(row).collect(),
        }
    }
}
