//! The days that a collection covers, beyond its rows. Every plugin may call this.

use crate::{Error, Period};

/// This collection holds all that the source has of these days.
///
/// The host takes back what it collected earlier of such a day, unless this collection has rows of
/// it. It assumes this of the days that it asked for. A collector that was asked for everything has
/// to call this.
pub fn complete(days: &Period) -> Result<(), Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::coverage::complete(days);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::say(days, None)
}

/// The source does not know these days, or has forgotten them.
///
/// A day without rows is then a gap, and not a day without costs. Rows of earlier collections stay.
/// `reason` is for the operator.
pub fn unknown(days: &Period, reason: &str) -> Result<(), Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::coverage::unknown(days, reason);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::say(days, Some(reason))
}
