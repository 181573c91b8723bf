//! The costs of a cluster by the prices of the settings: estimates until a bill comes.

use crate::cluster::Cluster;
use crate::object::Node;
use crate::options::Prices;
use crate::quantity::{GIB, decimal};
use crate::usage::{IDLE, Keys, Reckoner, Shared};
use apportion_plugin_sdk::{Charge, Dimension, Field, Rejected, Tag};
use exact::ratio::scaled;
use exact::split::split;

/// Divides a price in 10⁻¹² an hour times seconds into billionths.
const PER_SECOND: u128 = 3600 * 1000;

pub struct Priced {
    pub charges: Vec<Charge>,
    /// Objects without a price.
    pub rejected: Vec<Rejected>,
}

struct Writer<'a> {
    prices: &'a Prices,
    /// The start of the day.
    day: &'a str,
    done: Priced,
}

pub fn charges(
    reckoner: &Reckoner<'_>,
    prices: &Prices,
    shared: &[Shared<'_>],
    day: &str,
) -> Priced {
    let mut writer =
        Writer { prices, day, done: Priced { charges: Vec::new(), rejected: Vec::new() } };
    if !prices.node_hour.is_empty() {
        shared.iter().for_each(|node| writer.node(node, reckoner.name));
    }
    if !prices.volume_gib_hour.is_empty() {
        writer.volumes(reckoner);
    }
    if let Some(price) = prices.load_balancer_hour {
        for balancer in &reckoner.cluster.load_balancers {
            let keys = reckoner.of_load_balancer(balancer);
            let amount = scaled(
                price,
                reckoner.span.seconds_between(balancer.created, i64::MAX),
                PER_SECOND,
            );
            writer.charge(
                amount,
                "Networking",
                "Load Balancer",
                &balancer.service,
                "hours of a load balancer",
                &keys,
                &[],
            );
        }
    }
    writer.done
}

impl Writer<'_> {
    fn node(&mut self, shared: &Shared<'_>, cluster: &str) {
        let node = shared.node;
        let Some(price) = Prices::of(&self.prices.node_hour, &node.instance_type) else {
            return self.unpriced(format!("nodes/{}", node.name), "node_hour", &node.instance_type);
        };
        let amount = scaled(price, shared.seconds, PER_SECOND);
        let weights: Vec<u128> = shared.parts.iter().map(|(_, weight)| *weight).collect();
        if !self.prices.by_workload || weights.iter().sum::<u128>() == 0 {
            let keys: Keys =
                [("cluster", cluster), ("node", &node.name), ("resource_id", &node.provider_id)]
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
            return self.of_node(amount, node, &keys);
        }
        for ((keys, _), part) in shared.parts.iter().zip(split(amount, &weights)) {
            self.of_node(part, node, keys);
        }
    }

    fn of_node(&mut self, amount: u128, node: &Node, keys: &Keys) {
        let idle = keys.get("namespace").is_some_and(|namespace| namespace == IDLE);
        let what = if idle { "hours of a node that nobody requested" } else { "hours of a node" };
        let place = [
            (Field::RegionId, node.region.as_str()),
            (Field::AvailabilityZone, &node.zone),
            (Field::SkuId, &node.instance_type),
        ];
        self.charge(amount, "Compute", "Instance", &node.name, what, keys, &place);
    }

    fn volumes(&mut self, reckoner: &Reckoner<'_>) {
        let cluster: &Cluster = reckoner.cluster;
        for volume in cluster.volumes.values() {
            let claim = cluster.claims.iter().find(|claim| claim.volume == volume.name);
            let Some(price) = Prices::of(&self.prices.volume_gib_hour, &volume.class) else {
                self.unpriced(
                    format!("persistentvolumes/{}", volume.name),
                    "volume_gib_hour",
                    &volume.class,
                );
                continue;
            };
            let mut keys = claim.map(|claim| reckoner.of_claim(claim)).unwrap_or_default();
            keys.insert("cluster".into(), reckoner.name.into());
            if !volume.id.is_empty() {
                keys.insert("resource_id".into(), volume.id.clone());
            }
            // First the price of one GiB for all seconds, then for all GiB: rounding one GiB would
            // lose digits.
            let seconds = reckoner.span.seconds_between(volume.created, i64::MAX);
            let amount =
                scaled(price * seconds, volume.bytes.min(PER_SECOND * GIB), PER_SECOND * GIB);
            let what = if claim.is_some() {
                "GiB-hours of a volume"
            } else {
                "GiB-hours of a volume that nobody claims"
            };
            self.charge(amount, "Storage", "Volume", &volume.name, what, &keys, &[]);
        }
    }

    fn unpriced(&mut self, location: String, table: &str, kind: &str) {
        let reason = format!(
            "there is no price of '{kind}'; add `\"{kind}\" = \"…\"` to prices.{table}, or \"*\" \
             for all others"
        );
        self.done.rejected.push(Rejected { location, reason, excerpt: String::new() });
    }

    #[expect(clippy::too_many_arguments, reason = "a charge has as many parts")]
    fn charge(
        &mut self,
        amount: u128,
        category: &str,
        kind: &str,
        name: &str,
        what: &str,
        keys: &Keys,
        more: &[(Field, &str)],
    ) {
        if amount == 0 {
            return;
        }
        let dimension =
            |(field, value): (Field, &str)| Dimension { field, value: value.to_owned() };
        let fixed = [
            (Field::ServiceCategory, category),
            (Field::ResourceType, kind),
            (Field::ResourceName, name),
            (Field::ResourceId, keys.get("resource_id").map_or("", String::as_str)),
            (Field::ChargeDescription, what),
        ];
        let tag = |(key, value): (&String, &String)| {
            // The same names as the tags in bills.
            let is_ours = matches!(
                key.as_str(),
                "cluster" | "namespace" | "workload" | "pod" | "node" | "service" | "claim"
            );
            Tag {
                key: if is_ours { format!("kubernetes-{key}") } else { key.clone() },
                value: value.clone(),
            }
        };
        let amount = decimal(amount);
        self.done.charges.push(Charge {
            charge_period_start: self.day.into(),
            billed_cost: amount.clone(),
            effective_cost: amount,
            billing_currency: self.prices.currency.clone(),
            service_name: "Kubernetes".into(),
            charge_category: "Usage".into(),
            dimensions: fixed
                .into_iter()
                .chain(more.iter().copied())
                .filter(|(_, value)| !value.is_empty())
                .map(dimension)
                .collect(),
            tags: keys
                .iter()
                .filter(|(key, _)| {
                    !matches!(key.as_str(), "resource_id" | "storage_class" | "address")
                })
                .map(tag)
                .collect(),
            ..Charge::default()
        });
    }
}
