//! The question: whose cost is explained, and how deep.

use domain::axis::Axis;
use domain::code::QUERY_INVALID;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::period::Period;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainQuery {
    /// A team, an account, a resource, or `entry:<number>`.
    pub what: String,
    /// With a team and a month this is a line of its invoice.
    pub service_name: Option<String>,
    pub axis: Axis,
    /// Of days by the axis. An entry has days of its own.
    pub period: Period,
    /// Nothing for what is usual: the resources of a resource, and the summary of all else.
    pub depth: Option<ExplainDepth>,
}

/// Each depth has what the one before has, and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExplainDepth {
    /// The parts by rule, pool and correction, and the largest resources.
    Summary,
    /// How each rule spread shared costs, on the latest days.
    Rules,
    /// The largest resources of each rule, with what was read of them and their prices.
    Resources,
    /// All resources, and all days of shared costs.
    All,
}

impl ExplainDepth {
    pub const EACH: [ExplainDepth; 4] =
        [ExplainDepth::Summary, ExplainDepth::Rules, ExplainDepth::Resources, ExplainDepth::All];

    pub fn name(self) -> &'static str {
        match self {
            ExplainDepth::Summary => "summary",
            ExplainDepth::Rules => "rules",
            ExplainDepth::Resources => "resources",
            ExplainDepth::All => "all",
        }
    }

    /// The next one that says more.
    pub fn deeper(self) -> Option<ExplainDepth> {
        ExplainDepth::EACH.into_iter().find(|depth| *depth > self)
    }
}

impl FromStr for ExplainDepth {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<ExplainDepth, Diagnostic> {
        let found = ExplainDepth::EACH.into_iter().find(|depth| depth.name() == name);
        found.ok_or_else(|| {
            let hint = match did_you_mean(name, ExplainDepth::EACH.map(ExplainDepth::name)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "use summary, rules, resources or all".into(),
            };
            Diagnostic::new(QUERY_INVALID, format!("there is no '{name}'")).hint(hint)
        })
    }
}
