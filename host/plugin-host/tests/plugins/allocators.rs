//! The world `allocator`: weights in the order of the targets, and fuel that runs out at the same
//! point everywhere.

use super::*;
use domain::money::Sum;
use domain::port::{AllocatorCall, Allocators};
use domain::recipient::Target;
use plugin_host::code;
use plugin_host::{AllocatorDriver, AllocatorPool, AllocatorSet};

fn pool() -> AllocatorPool {
    AllocatorPool {
        rule: "aws/shared".into(),
        period_start: "2026-03-01".into(),
        amount: "100.00".into(),
        currency: "USD".into(),
    }
}

fn driver(team: &str, value: &str) -> AllocatorDriver {
    AllocatorDriver {
        metric: "network.egress.bytes".into(),
        keys: vec![("team".into(), team.into())],
        value: value.into(),
    }
}

fn allocate(host: &PluginHost, bytes: &[u8]) -> Result<Vec<u64>, Diagnostic> {
    let targets = ["search", "payments", "idle"].map(Target::team);
    let drivers = [
        driver("payments", "30"),
        driver("search", "7"),
        driver("payments", "12"),
        driver("unknown", "99"),
    ];
    load(host, "allocator", bytes).allocator().unwrap().allocate("{}", &pool(), &targets, &drivers)
}

#[test]
fn weights_come_in_the_order_of_the_targets() {
    assert_eq!(allocate(&host(limits()), test_artifacts::ALLOCATES_BY_DRIVER), Ok(vec![7, 42, 0]));
}

#[test]
fn a_spinning_allocator_runs_out_of_fuel() {
    let host = host(limits());
    let refused = allocate(&host, test_artifacts::SPINS_IN_ALLOCATE).unwrap_err();
    assert_eq!(refused.code, code::PLUGIN_FUEL);
    // 50 million for the call, and a million for each of three targets and four drivers.
    assert!(
        refused
            .message
            .ends_with("was stopped in `allocate`: it used up its fuel of 57000000 units"),
        "{}",
        refused.message
    );
    assert_eq!(allocate(&host, test_artifacts::ALLOCATES_BY_DRIVER), Ok(vec![7, 42, 0]));
    still_works(&host);
}

#[test]
fn a_weight_for_nobody_is_junk() {
    let refused = allocate(&host(limits()), test_artifacts::LIES_ABOUT_WEIGHTS).unwrap_err();
    assert_eq!(refused.code, domain::code::PLUGIN_JUNK);
    assert!(
        refused.message.ends_with("returned junk from `allocate`: there is no target 3, only 3"),
        "{}",
        refused.message
    );
}

#[test]
fn what_allocators_cost_is_counted_and_handed_over_once() {
    let host = host(limits());
    let mut set = AllocatorSet::default();
    set.insert(
        "spins",
        load(&host, "spins", test_artifacts::SPINS_IN_ALLOCATE).allocator().unwrap(),
    );
    let call = AllocatorCall {
        plugin: "spins",
        config: "{}",
        rule: "aws/shared",
        day: "2026-03-01".parse().unwrap(),
        currency: "USD".parse().unwrap(),
        total: Sum::ZERO,
        targets: &[Target::team("search")],
        usage: Vec::new(),
    };
    assert_eq!(set.weights(&call).map_err(|failure| failure.code), Err(code::PLUGIN_FUEL));
    let costs = set.take_costs();
    assert_eq!((costs.len(), costs[0].1.starts, costs[0].1.rows), (1, 1, 0));
    // The fuel of the start counts, and all fuel of the call: 50 million, with a million for the
    // target.
    assert!(costs[0].1.fuel >= 51_000_000, "{:?}", costs[0].1);
    assert_eq!(set.take_costs(), []);
}
