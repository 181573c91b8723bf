//! A set of days, which a plugin can leave for its next collection.

use crate::{Day, NotADay};
use std::collections::BTreeSet;
use std::fmt;

/// Written as `2026-10-01/2026-10-31 2026-11-05`: days in a row by their first and last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days(BTreeSet<Day>);

impl Days {
    pub fn parse(text: &str) -> Result<Days, NotADay> {
        let mut days = Days::default();
        for row in text.split_whitespace() {
            let (first, last) = row.split_once('/').unwrap_or((row, row));
            let (first, last) = (Day::parse(first)?, Day::parse(last)?);
            days.0.extend((0..).map(|count| first.plus(count)).take_while(|day| *day <= last));
        }
        Ok(days)
    }

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

    /// Those that another set has too.
    pub fn common(&self, other: &Days) -> Days {
        Days(self.0.intersection(&other.0).copied().collect())
    }

    pub fn join(&mut self, other: &Days) {
        self.0.extend(&other.0);
    }

    /// In words.
    pub fn said(&self) -> String {
        let row = |(first, last): &(Day, Day)| if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
        self.rows().iter().map(row).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.rows().iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            if first == last { write!(f, "{blank}{first}")? } else { write!(f, "{blank}{first}/{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row_are_written_by_their_ends() {
        let text = "2026-02-27/2026-03-02 2026-11-05";
        let mut days = Days::parse(text).unwrap();
        assert_eq!((days.to_string().as_str(), days.rows().len()), (text, 2));
        assert_eq!(days.said(), "from 2026-02-27 to 2026-03-02, on 2026-11-05");
        days.insert(Day::parse("2026-03-03").unwrap());
        assert_eq!(days.common(&Days::parse("2026-03-02/2026-03-09").unwrap()).to_string(), "2026-03-02/2026-03-03");
        assert_eq!(Days::parse("").unwrap(), Days::default());
        assert!(Days::parse("2026-02-30").is_err());
    }
}
