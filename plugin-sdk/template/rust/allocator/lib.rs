//! The allocator `my-plugin`: each team bears a shared cost in proportion to its usage of a metric.

use apportion_plugin_sdk::{
    Allocator, Driver, Error, Kind, Manifest, Pool, Target, Weight, register_allocator,
};
use serde_json::Value;

struct MyPlugin;

impl Allocator for MyPlugin {
    fn manifest() -> Manifest {
        Manifest::new(
            Kind::Allocator,
            "my-plugin",
            env!("CARGO_PKG_VERSION"),
            "Shares a cost by the usage of one metric",
        )
        .config_schema(include_str!("../config-schema.json"))
    }

    /// It returns weights and never amounts: the host splits.
    fn allocate(
        config: &str,
        _pool: &Pool,
        targets: &[Target],
        drivers: &[Driver],
    ) -> Result<Vec<Weight>, Error> {
        let config: Value = serde_json::from_str(config)
            .map_err(|error| Error::config(format!("the settings are not JSON: {error}")))?;
        let metric = config["metric"]
            .as_str()
            .ok_or_else(|| Error::config("`metric` is missing"))?;
        let used = |team: &str| {
            let of_team = drivers.iter().filter(|driver| driver.metric == metric);
            let of_team = of_team.filter(|driver| {
                driver
                    .keys
                    .iter()
                    .any(|tag| tag.key == "team" && tag.value == team)
            });
            of_team
                .map(|driver| thousandths(&driver.value))
                .sum::<Result<u64, Error>>()
        };
        (0_u32..)
            .zip(targets)
            .map(|(target, facts)| {
                Ok(Weight {
                    target,
                    weight: used(&facts.team)?,
                })
            })
            .collect()
    }
}

/// A quantity as a whole number, so that no float decides who pays.
fn thousandths(value: &str) -> Result<u64, Error> {
    let refuse = || Error::config(format!("the quantity '{value}' is not understood"));
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let digits = |text: &str| text.parse::<u64>().map_err(|_| refuse());
    digits(whole)?
        .checked_mul(1_000)
        .and_then(|whole| whole.checked_add(digits(&fraction).ok()?))
        .ok_or_else(refuse)
}

register_allocator!(MyPlugin);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_whole_thousandths() {
        assert_eq!(thousandths("12.5").ok(), Some(12_500));
        assert_eq!(thousandths("7").ok(), Some(7_000));
        assert_eq!(thousandths("-1").is_ok(), false);
    }
}
