//! Recipients with their exact shares: the answer of a spread, and what a run keeps of it.

use crate::recipient::Recipient;
use crate::split::Shares;

/// Recipients in a fixed order, each with its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub recipients: Vec<Recipient>,
    /// In the order of the recipients.
    pub shares: Shares,
}

impl Sharing {
    /// Each recipient with its weight.
    pub fn weighted(&self) -> impl Iterator<Item = (&Recipient, i64)> {
        self.recipients.iter().zip(self.shares.weights())
    }

    /// The recipients that get more than nothing.
    pub fn takers(&self) -> Vec<Recipient> {
        self.weighted()
            .filter(|(_, weight)| *weight != 0)
            .map(|(recipient, _)| recipient.clone())
            .collect()
    }
}
