//! The question: which team, over which spans.

use crate::costs::filter::CostFilter;
use crate::costs::query::{CostQuery, Granularity, GroupBy};
use domain::axis::Axis;
use domain::period::Period;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamQuery {
    pub team: String,
    pub axis: Axis,
    pub period: Period,
    pub granularity: Granularity,
}

impl TeamQuery {
    pub(super) fn costs(&self, granularity: Granularity, group_by: &[GroupBy]) -> CostQuery {
        CostQuery {
            axis: self.axis,
            period: self.period,
            granularity,
            group_by: group_by.to_vec(),
            filter: vec![CostFilter::of(GroupBy::Team, &self.team)],
        }
    }
}
