//! Gaps in the measurements of a query, gathered over its days and shown in few lines.

use exact::day::Day;
use exact::days::Days;

/// The most days that are named one by one.
const NAMED: usize = 5;

/// The instants of a day without a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    None,
    /// `missing` of all `instants`; `first` is the time of the first one.
    Some {
        missing: usize,
        instants: usize,
        first: String,
    },
    All,
}

#[derive(Default)]
pub struct Gaps {
    /// Days without data.
    empty: Days,
    partial: Vec<String>,
}

impl Gaps {
    pub fn take(&mut self, day: Day, missing: Missing) {
        match missing {
            Missing::None => {}
            Missing::Some { missing, instants, first } => self
                .partial
                .push(format!("{day} ({missing} of {instants} instants, the first {first})")),
            Missing::All => self.empty.insert(day),
        }
    }

    /// Log lines for the operator.
    pub fn said(&self, metric: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.empty.is_empty() {
            lines.push(format!(
                "{metric}: there is no data {}, which is a gap and not zero",
                self.empty.in_words()
            ));
        }
        if !self.partial.is_empty() {
            let named = self.partial.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = self.partial.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more days") } else { String::new() };
            lines.push(format!(
                "{metric}: nothing was measured during parts of {named}{more}; \
                what was measured is collected"
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_data_are_one_line_and_parts_of_days_another() {
        let mut gaps = Gaps::default();
        let first = Day::parse("2026-02-27").unwrap();
        for count in 0..11 {
            gaps.take(
                first.plus(count),
                match count {
                    0..=2 | 5 => Missing::All,
                    3 => Missing::None,
                    _ => Missing::Some { missing: 2, instants: 24, first: "03:00".into() },
                },
            );
        }
        assert_eq!(
            gaps.said("cpu"),
            [
                "cpu: there is no data from 2026-02-27 to 2026-03-01, on 2026-03-04, which is a \
                 gap and not zero",
                "cpu: nothing was measured during parts of 2026-03-03 (2 of 24 instants, the first 03:00), 2026-03-05 (2 of 24 instants, the first 03:00), \
                 2026-03-06 (2 of 24 instants, the first 03:00), 2026-03-07 (2 of 24 instants, the first 03:00), \
                 2026-03-08 (2 of 24 instants, the first 03:00) and 1 more days; what was measured is collected",
            ]
        );
    }
}
