//! A set of days, said by rows of them.

use crate::Day;
use std::collections::BTreeSet;

/// Days in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days(BTreeSet<Day>);

impl Days {
    pub fn insert(&mut self, day: Day) {
        self.0.insert(day);
    }

    pub fn has(&self, day: Day) -> bool {
        self.0.contains(&day)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// First and last of the days in a row.
    pub fn rows(&self) -> Vec<(Day, Day)> {
        let mut rows: Vec<(Day, Day)> = Vec::new();
        for day in &self.0 {
            match rows.last_mut() {
                Some((_, last)) if last.plus(1) == *day => *last = *day,
                _ => rows.push((*day, *day)),
            }
        }
        rows
    }

    /// In words.
    pub fn said(&self) -> String {
        let row = |(first, last): &(Day, Day)| {
            if first == last { format!("on {first}") } else { format!("from {first} to {last}") }
        };
        self.rows().iter().map(row).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row_are_said_by_their_ends() {
        let mut days = Days::default();
        for day in ["2026-11-05", "2026-02-28", "2026-03-01", "2026-02-27"] {
            days.insert(Day::parse(day).unwrap());
        }
        assert_eq!(days.said(), "from 2026-02-27 to 2026-03-01, on 2026-11-05");
        assert_eq!(days.rows().len(), 2);
    }
}
