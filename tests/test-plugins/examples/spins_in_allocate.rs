//! Never comes back.

use apportion_plugin_sdk::{
    Allocator, Driver, Error, Manifest, Pool, Target, Weight, register_allocator,
};

struct Guest;

impl Allocator for Guest {
    fn manifest() -> Manifest {
        test_plugins::allocator("spins-in-allocate")
    }

    fn allocate(_: &str, _: &Pool, _: &[Target], _: &[Driver]) -> Result<Vec<Weight>, Error> {
        loop {
            std::hint::black_box(());
        }
    }
}

register_allocator!(Guest);
