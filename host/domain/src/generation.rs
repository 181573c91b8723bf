//! The rules and tables that a day was allocated by.

use crate::csv::CsvRows;
use crate::period::Day;
use crate::port::RuleFacts;
use std::fmt;

/// A set of rules and tables by its digest, and the stretch of days that it was used for.
///
/// Rules, and rows of tables, can begin or cease to be valid on a day. Such turning days cut time
/// into stretches, numbered from 0, and a resource may be decided otherwise in each stretch. So
/// each stretch is kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation {
    digest: String,
    stretch: Option<u32>,
}

impl Generation {
    /// Rules without turning days have no stretch.
    pub fn new(digest: impl Into<String>, stretch: Option<u32>) -> Generation {
        Generation { digest: digest.into(), stretch }
    }

    /// Reads what `Display` wrote. Any other text is a digest as a whole.
    pub fn parse(text: &str) -> Generation {
        let parts = text.rsplit_once('/');
        match parts.and_then(|(digest, number)| Some((digest, number.parse().ok()?))) {
            Some((digest, number)) => Generation::new(digest, Some(number)),
            None => Generation::new(text, None),
        }
    }

    /// Of the rules and tables, hex. All stretches have the same.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn stretch(&self) -> Option<u32> {
        self.stretch
    }
}

/// The columns of a lookup table with the first day of a row, and with the day on which it has
/// ceased to be valid.
pub const VALID_FROM: &str = "valid_from";
pub const VALID_UNTIL: &str = "valid_until";

/// The days on which a rule, or a row of a table, begins or ceases to be valid, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurningDays(Vec<Day>);

impl TurningDays {
    /// Of rules and of tables by name with their text.
    pub fn of(rules: &[RuleFacts], tables: &[(String, String)]) -> TurningDays {
        let enabled = rules.iter().filter(|rule| rule.enabled);
        let mut days: Vec<Day> =
            enabled.flat_map(|rule| [rule.from, rule.until]).flatten().collect();
        days.extend(tables.iter().flat_map(|(_, text)| days_of_table(text)));
        days.sort_unstable();
        days.dedup();
        TurningDays(days)
    }

    /// The number of the stretch that a day falls in. A turning day belongs to the stretch after
    /// it.
    pub fn stretch(&self, day: Day) -> usize {
        self.0.partition_point(|turning| *turning <= day)
    }

    /// The number of the stretch that is in force on all days to come.
    pub fn last_stretch(&self) -> usize {
        self.0.len()
    }

    /// The number in a generation's name. Rules without turning days are one generation, without a
    /// stretch in its name.
    pub fn numbered(&self, stretch: usize) -> Option<u32> {
        (!self.0.is_empty()).then_some(stretch as u32)
    }

    /// A day of each stretch, in order.
    pub fn sample_days(&self) -> impl Iterator<Item = Day> + '_ {
        let before = self.0.first().map_or(Day::from_epoch(0), |day| day.plus(-1));
        std::iter::once(before).chain(self.0.iter().copied())
    }
}

/// The days in a table's columns of validity. Rules refuse a table with a cell that is no day.
fn days_of_table(text: &str) -> Vec<Day> {
    let mut rows = CsvRows::of(text).flatten();
    let header = rows.next().unwrap_or_default();
    let is_dated = |name: &str| name == VALID_FROM || name == VALID_UNTIL;
    let dated: Vec<usize> = (0..header.len())
        .filter(|at| header.get(*at).is_some_and(|it| is_dated(&it.text)))
        .collect();
    // Most tables have no such column, and can be long.
    if dated.is_empty() {
        return Vec::new();
    }
    let days = |row: Vec<crate::csv::CsvCell>| -> Vec<Day> {
        dated.iter().filter_map(|at| row.get(*at)?.text.parse().ok()).collect()
    };
    rows.flat_map(days).collect()
}

/// `<digest>`, or `<digest>/<number of the stretch>`.
impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)?;
        self.stretch.map_or(Ok(()), |number| write!(f, "/{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::RuleVersion;
    use crate::port::{Mutual, Stage};

    #[test]
    fn a_generation_is_read_as_it_was_written() {
        for text in ["c0ffee", "c0ffee/0", "c0ffee/12"] {
            assert_eq!(Generation::parse(text).to_string(), text);
        }
        let third = Generation::parse("c0ffee/2");
        assert_eq!((third.digest(), third.stretch()), ("c0ffee", Some(2)));
        assert_eq!(Generation::parse("c0ffee/x"), Generation::new("c0ffee/x", None));
    }

    #[test]
    fn enabled_rules_cut_time_where_they_begin_and_end() {
        let day = |text: &str| Some(text.parse().unwrap());
        let rules = [
            dated(true, day("2026-03-01"), day("2026-04-01")),
            dated(true, None, day("2026-03-01")),
            dated(false, day("2026-01-01"), None),
        ];
        let turning = TurningDays::of(&rules, &[]);
        let stretches = ["2026-01-15", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"]
            .map(|day| turning.stretch(day.parse().unwrap()));
        assert_eq!(stretches, [0, 0, 1, 1, 2]);
        assert_eq!(turning.last_stretch(), 2);
        assert_eq!(turning.numbered(1), Some(1));
        let sample_days: Vec<String> = turning.sample_days().map(|day| day.to_string()).collect();
        assert_eq!(sample_days, ["2026-02-28", "2026-03-01", "2026-04-01"]);
    }

    #[test]
    fn rules_without_turning_days_are_one_generation() {
        let turning = TurningDays::of(&[dated(true, None, None)], &[]);
        assert_eq!(turning.stretch("2026-01-15".parse().unwrap()), 0);
        assert_eq!(turning.numbered(0), None);
    }

    #[test]
    fn rows_of_tables_cut_time_too() {
        let table = "team,valid_from,cost_center,valid_until\natlas,,CC1,2026-03-01\n\
                     atlas,2026-03-01,CC2,\nboreas, 2026-05-01 ,CC3,\n";
        let tables =
            [("teams".to_owned(), table.to_owned()), ("plain".into(), "a,b\n1,2\n".into())];
        let turning = TurningDays::of(&[dated(true, None, None)], &tables);
        let days: Vec<String> = turning.sample_days().map(|day| day.to_string()).collect();
        assert_eq!(days, ["2026-02-28", "2026-03-01", "2026-05-01"]);
    }

    fn dated(enabled: bool, from: Option<Day>, until: Option<Day>) -> RuleFacts {
        RuleFacts {
            version: RuleVersion { rule: "a".into(), digest: "0".repeat(64) },
            name: "a".into(),
            priority: 1,
            owner: "finops@example.com".into(),
            review_by: None,
            description: "Rule.".into(),
            enabled,
            from,
            until,
            stage: Stage::Attribution,
            mutual: Mutual::Reciprocal,
            source: String::new(),
        }
    }
}
