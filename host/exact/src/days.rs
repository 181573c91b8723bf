//! A set of days, shown by its stretches.

use crate::day::Day;
use std::collections::BTreeSet;

/// Days in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days(BTreeSet<Day>);

impl Days {
    pub fn insert(&mut self, day: Day) {
        self.0.insert(day);
    }

    pub fn contains(&self, day: Day) -> bool {
        self.0.contains(&day)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// First and last day of each stretch without a gap.
    pub fn stretches(&self) -> Vec<(Day, Day)> {
        let mut stretches: Vec<(Day, Day)> = Vec::new();
        for day in &self.0 {
            match stretches.last_mut() {
                Some((_, last)) if last.plus(1) == *day => *last = *day,
                _ => stretches.push((*day, *day)),
            }
        }
        stretches
    }

    /// `from 2026-02-27 to 2026-03-01, on 2026-11-05`
    pub fn in_words(&self) -> String {
        let words = |(first, last): &(Day, Day)| {
            if first == last { format!("on {first}") } else { format!("from {first} to {last}") }
        };
        self.stretches().iter().map(words).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_shown_by_its_ends() {
        let mut days = Days::default();
        for day in ["2026-11-05", "2026-02-28", "2026-03-01", "2026-02-27"] {
            days.insert(day.parse().unwrap_or_else(|error| panic!("{error}")));
        }
        assert_eq!(days.in_words(), "from 2026-02-27 to 2026-03-01, on 2026-11-05");
        assert_eq!(days.stretches().len(), 2);
    }
}
