//! Gives a weight to a target that is not there.

use apportion_plugin_sdk::{
    Allocator, Driver, Error, Manifest, Pool, Target, Weight, register_allocator,
};

struct Guest;

impl Allocator for Guest {
    fn manifest() -> Manifest {
        test_plugins::allocator("lies-about-weights")
    }

    fn allocate(_: &str, _: &Pool, targets: &[Target], _: &[Driver]) -> Result<Vec<Weight>, Error> {
        Ok(vec![Weight { target: targets.len() as u32, weight: 1 }])
    }
}

register_allocator!(Guest);
