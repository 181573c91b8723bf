//! Behaves well: each team's weight is the sum of its drivers, in whole units.

use apportion_plugin_sdk::{
    Allocator, Driver, Error, Manifest, Pool, Target, Weight, register_allocator,
};

struct Guest;

impl Allocator for Guest {
    fn manifest() -> Manifest {
        test_plugins::allocator("allocates-by-driver")
    }

    fn allocate(
        _: &str,
        _: &Pool,
        targets: &[Target],
        drivers: &[Driver],
    ) -> Result<Vec<Weight>, Error> {
        let of_team = |driver: &&Driver, team: &str| {
            driver.keys.iter().any(|key| key.key == "team" && key.value == team)
        };
        let weight = |team: &str| {
            drivers
                .iter()
                .filter(|driver| of_team(driver, team))
                .filter_map(|driver| driver.value.parse::<u64>().ok())
                .sum()
        };
        Ok((0_u32..)
            .zip(targets)
            .map(|(target, facts)| Weight { target, weight: weight(&facts.team) })
            .collect())
    }
}

register_allocator!(Guest);
