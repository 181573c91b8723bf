//! The trait of an allocator, and the macro that exports it from a component.

use crate::bindings::allocator::exports::apportion::plugin::allocate::Guest;
use crate::{Driver, Error, Manifest, Pool, Target, Weight, tell_panics};
use std::marker::PhantomData;

/// Gives the weights by which a shared cost is split. It cannot see a clock, a file or the network,
/// and keeps nothing between calls.
pub trait Allocator: 'static {
    fn manifest() -> Manifest;
    fn allocate(
        config: &str,
        pool: &Pool,
        targets: &[Target],
        drivers: &[Driver],
    ) -> Result<Vec<Weight>, Error>;
}

/// An allocator as the component's exports.
pub struct ExportedAllocator<A>(PhantomData<A>);

impl<A: Allocator> Guest for ExportedAllocator<A> {
    fn describe() -> Manifest {
        tell_panics();
        A::manifest()
    }

    fn allocate(
        config: String,
        pool: Pool,
        targets: Vec<Target>,
        drivers: Vec<Driver>,
    ) -> Result<Vec<Weight>, Error> {
        tell_panics();
        A::allocate(&config, &pool, &targets, &drivers)
    }
}

/// Exports a type that implements `Allocator` from this component. A component has one.
#[macro_export]
macro_rules! register_allocator {
    ($allocator:ty) => {
        type RegisteredAllocator = $crate::ExportedAllocator<$allocator>;
        $crate::bindings::allocator::export_allocator!(RegisteredAllocator with_types_in $crate::bindings::allocator);
    };
}
