//! What a source has found: its deliveries, counted or left out. Every plugin may call this.

use crate::Error;
pub use crate::bindings::collector::apportion::plugin::deliveries::Delivery;

/// Says that a delivery was found. One that is left out is said too, or its rows would be missed.
pub fn found(delivery: &Delivery) -> Result<(), Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::deliveries::found(delivery);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::find(delivery)
}

impl Delivery {
    /// A delivery that counts, and does not say which billing period it states.
    pub fn new(name: impl Into<String>) -> Delivery {
        Delivery { name: name.into(), billing_period: None, left_out: None }
    }

    /// States a billing period as a whole. `start` is its first day, such as `2026-03-01`.
    #[must_use]
    pub fn billing_period(self, start: impl Into<String>) -> Delivery {
        Delivery { billing_period: Some(start.into()), ..self }
    }

    /// Does not count. `reason` is for the operator, such as `a newer run has the same month`.
    #[must_use]
    pub fn left_out(self, reason: impl Into<String>) -> Delivery {
        Delivery { left_out: Some(reason.into()), ..self }
    }
}
