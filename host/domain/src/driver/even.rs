//! Equal shares, for the decision `even` and for a spread with `when_zero: "even"`.
//!
//! `even` is a split whose weights are all one. It has no driver of its own, so the two are stored
//! and told alike.

use super::fixed::FixedDriver;
use super::method::RecipientWeights;
use crate::recipient::Recipient;

/// The same share for each, in the order given.
pub fn evenly(recipients: Vec<Recipient>) -> FixedDriver {
    FixedDriver { weights: recipients.into_iter().map(|recipient| (recipient, 1)).collect() }
}

/// The same recipients, whose own weights add up to nothing, with the same share for each.
pub(crate) fn even_weights(weights: RecipientWeights) -> RecipientWeights {
    weights.into_iter().map(|(recipient, _)| (recipient, 1)).collect()
}
