//! The dates that an answer goes by.

/// One axis for a whole answer: its total, its groups and its breakdowns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The day of posting: what was owed in a month. A closed month never changes.
    #[default]
    Posting,
    /// The day of the charge: what was consumed in a month, as it is known now.
    Charge,
}

impl Axis {
    pub const ALL: [Axis; 2] = [Axis::Posting, Axis::Charge];

    pub fn name(self) -> &'static str {
        match self {
            Axis::Posting => "posting",
            Axis::Charge => "charge",
        }
    }

    /// As a heading says it.
    pub fn words(self) -> &'static str {
        match self {
            Axis::Posting => "by the day of posting",
            Axis::Charge => "by the day of the charge",
        }
    }

    pub fn by_name(name: &str) -> Option<Axis> {
        Axis::ALL.into_iter().find(|known| known.name() == name)
    }
}
