//! What a collection says of whole days, beyond its rows. Always there.

use crate::{Error, Period};

/// All that the source has of these days is in this collection: what was collected earlier of a day without rows is taken
/// back. It goes without saying of the days that were asked for; a source that was asked for all there is has to say it.
pub fn complete(days: &Period) -> Result<(), Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::coverage::complete(days);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::say(days, None)
}

/// The source does not know these days, or not any more: those without rows are gaps and not days without costs, and what
/// was collected of them earlier stays. `reason` is for the operator.
pub fn unknown(days: &Period, reason: &str) -> Result<(), Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::coverage::unknown(days, reason);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::say(days, Some(reason))
}
