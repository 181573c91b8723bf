//! The source-days that have charges of given resources. A segment begins with the numbers of its
//! resources, so the amounts behind them are not read.

use crate::row;
use crate::segment;
use crate::{Reader, Result};
use domain::dictionary::ResourceId;
use domain::period::Period;
use domain::run::SourceDay;
use std::collections::BTreeSet;

impl Reader {
    /// Of days of charges in the period, as they are stated now or ever were.
    pub fn resource_days(
        &self,
        resources: &[ResourceId],
        period: Period,
    ) -> Result<BTreeSet<SourceDay>> {
        let sql = "SELECT c.source, g.day, g.currency, g.data FROM segment g
             JOIN collection c ON c.id = g.collection WHERE g.day >= ?1 AND g.day < ?2";
        let period = (period.start().epoch_days(), period.end().epoch_days());
        let mut numbers = Vec::new();
        let mut days = BTreeSet::new();
        row::rows(&self.connection, sql, period, |row| {
            segment::decode_resources(row::bytes(row, 3)?, &mut numbers)?;
            if has_any(&numbers, resources) {
                days.insert(row::source_day(row, 0)?);
            }
            Ok(())
        })?;
        Ok(days)
    }
}

/// Whether two lists in order have a number in common. The longer one is searched.
fn has_any(numbers: &[u32], resources: &[ResourceId]) -> bool {
    match resources.len() < numbers.len() {
        true => resources.iter().any(|resource| numbers.binary_search(&resource.0).is_ok()),
        false => numbers.iter().any(|number| resources.binary_search(&ResourceId(*number)).is_ok()),
    }
}
