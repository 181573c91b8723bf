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
