//! The requests to a cluster within the day, in exact sums.

use crate::cluster::Cluster;
use crate::gpu::UNITS;
use crate::object::{Claim, LoadBalancer, Node, Pod, Resources, Told, load_balancer_id, workload};
use crate::options::{Options, Weights};
use crate::quantity::{GIB, NANOS};
use crate::span::Span;
use apportion_plugin_sdk::Rejected;
use exact::ratio::{divide, scaled};
use exact::split::split;
use std::collections::BTreeMap;

/// The namespace of a node's idle part.
pub const IDLE: &str = "__idle__";

const HOUR: u128 = 3600;

pub type Keys = BTreeMap<String, String>;

/// Metric, unit and keys → billionths.
pub type Rows = BTreeMap<(&'static str, &'static str, Keys), u128>;

/// A node's time within the day, shared by requests.
pub struct Shared<'a> {
    pub node: &'a Node,
    pub seconds: u128,
    /// Each requester with its weight; the idle part comes last.
    pub parts: Vec<(Keys, u128)>,
}

/// The keys of one thing, without empty ones.
fn keys<'a>(
    own: impl IntoIterator<Item = (&'a str, &'a str)>,
    told: &'a Told,
    namespace: Option<&'a Told>,
) -> Keys {
    // A thing's own keys win over its labels, and these over labels of its namespace.
    let labels = namespace
        .into_iter()
        .flatten()
        .chain(told)
        .map(|(name, value)| (name.as_str(), value.as_str()));
    labels
        .chain(own)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub struct Reckoner<'a> {
    pub cluster: &'a Cluster,
    pub options: &'a Options,
    pub span: Span,
    /// The cluster's name.
    pub name: &'a str,
    /// No labels, for things that have none.
    pub none: Told,
}

impl<'a> Reckoner<'a> {
    /// The keys of a pod: its place and its owner.
    fn of_pod(&self, pod: &Pod) -> Keys {
        let workload = workload(pod, &self.cluster.owners);
        let node = self.cluster.nodes.get(&pod.node);
        let own = [
            ("cluster", self.name),
            ("namespace", &pod.namespace),
            ("workload", &workload),
            ("pod", if self.options.pods { &pod.name } else { "" }),
            ("node", &pod.node),
            ("resource_id", node.map_or("", |node| &node.provider_id)),
        ];
        keys(own, &pod.told, self.cluster.namespaces.get(&pod.namespace))
    }

    /// The seconds of the day in which a pod existed.
    fn seconds(&self, pod: &Pod) -> u128 {
        self.span.seconds_between(pod.start, pod.end.unwrap_or(i64::MAX))
    }

    pub fn rows(&self, shared: &[Shared<'_>]) -> Rows {
        let mut sums = Rows::new();
        let mut add = |metric: &'static str, unit: &'static str, keys: &Keys, amount: u128| {
            if amount > 0 {
                *sums.entry((metric, unit, keys.clone())).or_default() += amount;
            }
        };
        for pod in &self.cluster.pods {
            let (keys, seconds) = (self.of_pod(pod), self.seconds(pod));
            add("kubernetes.pod.cpu.request", "core·h", &keys, pod.requests.cpu * seconds);
            add("kubernetes.pod.memory.request", "GiB·h", &keys, pod.requests.memory * seconds);
            add("kubernetes.pod.gpu.request", "GPU·h", &keys, pod.requests.gpu * seconds);
        }
        for claim in &self.cluster.claims {
            add(
                "kubernetes.pvc.capacity",
                "GiB·h",
                &self.of_claim(claim),
                claim.bytes * self.span.seconds_between(claim.created, i64::MAX),
            );
        }
        for balancer in &self.cluster.load_balancers {
            let seconds = self.span.seconds_between(balancer.created, i64::MAX);
            add(
                "kubernetes.load_balancer.hours",
                "h",
                &self.of_load_balancer(balancer),
                seconds * NANOS,
            );
        }
        // Each sum is rounded once, at the end.
        let mut rows: Rows = sums
            .into_iter()
            .map(|((metric, unit, keys), sum)| ((metric, unit, keys), hours(unit, sum)))
            .collect();
        for node in shared {
            let weights: Vec<u128> = node.parts.iter().map(|(_, weight)| *weight).collect();
            for ((keys, _), share) in node.parts.iter().zip(split(NANOS, &weights)) {
                rows.insert(("kubernetes.node.share", "1", keys.clone()), share);
            }
        }
        rows.retain(|_, value| *value > 0);
        rows
    }

    pub fn of_claim(&self, claim: &Claim) -> Keys {
        let id = self.cluster.volumes.get(&claim.volume).map_or("", |volume| &volume.id);
        let own = [
            ("cluster", self.name),
            ("namespace", &claim.namespace),
            ("claim", &claim.name),
            ("storage_class", &claim.class),
            ("resource_id", id),
        ];
        keys(own, &claim.told, self.cluster.namespaces.get(&claim.namespace))
    }

    pub fn of_load_balancer(&self, balancer: &LoadBalancer) -> Keys {
        let id = load_balancer_id(&balancer.address);
        let own = [
            ("cluster", self.name),
            ("namespace", &balancer.namespace),
            ("service", &balancer.service),
            ("address", &balancer.address),
            ("resource_id", &id),
        ];
        keys(own, &balancer.told, self.cluster.namespaces.get(&balancer.namespace))
    }

    /// Each node with the requests of its pods.
    pub fn shared(&self, rejected: &mut Vec<Rejected>) -> Vec<Shared<'a>> {
        let mut pods: BTreeMap<&str, BTreeMap<Keys, Resources>> = BTreeMap::new();
        // A node is at least as old as its pods. It looks younger if it left the cluster and joined
        // again.
        let mut first: BTreeMap<&str, i64> = BTreeMap::new();
        for pod in &self.cluster.pods {
            let seconds = self.seconds(pod);
            let start = first.entry(&pod.node).or_insert(pod.start);
            *start = pod.start.min(*start);
            let all = pods.entry(&pod.node).or_default().entry(self.of_pod(pod)).or_default();
            all.cpu += pod.requests.cpu * seconds;
            all.memory += pod.requests.memory * seconds;
            all.gpu += pod.requests.gpu * seconds;
        }
        let mut shared = Vec::new();
        for node in self.cluster.nodes.values() {
            let since = first
                .get(node.name.as_str())
                .map_or(node.created, |first| node.created.min(*first));
            let seconds = self.span.seconds_between(since, i64::MAX);
            match self.share(node, seconds, pods.remove(node.name.as_str()).unwrap_or_default()) {
                Some(parts) => shared.push(Shared { node, seconds, parts }),
                None => rejected.push(Rejected {
                    location: format!("nodes/{}", node.name),
                    reason: "what was requested of it is too much to be weighed".into(),
                    excerpt: String::new(),
                }),
            }
        }
        shared
    }

    fn share(
        &self,
        node: &Node,
        seconds: u128,
        pods: BTreeMap<Keys, Resources>,
    ) -> Option<Vec<(Keys, u128)>> {
        let there = Resources {
            cpu: node.capacity.cpu * seconds,
            memory: node.capacity.memory * seconds,
            gpu: node.capacity.gpu * seconds,
        };
        let cpu = within(there.cpu, pods.values().map(|pod| pod.cpu).collect());
        let memory = within(there.memory, pods.values().map(|pod| pod.memory).collect());
        let gpu = within(there.gpu, pods.values().map(|pod| pod.gpu).collect());
        // Without GPUs, larger sums of the others fit.
        let units = if there.gpu == 0 { 1 } else { UNITS };
        let (mut parts, mut used) = (Vec::new(), 0_u128);
        for (((keys, cpu), memory), gpu) in pods.into_keys().zip(cpu).zip(memory).zip(gpu) {
            let weight = weight(self.options.weights, Resources { cpu, memory, gpu }, units)?;
            used = used.checked_add(weight)?;
            parts.push((keys, weight));
        }
        let idle = weight(self.options.weights, there, units)?.checked_sub(used)?;
        let own = [
            ("cluster", self.name),
            ("namespace", IDLE),
            ("node", &node.name),
            ("resource_id", &node.provider_id),
        ];
        parts.push((keys(own, &self.none, None), idle));
        // The total has to fit, with one bit to spare.
        (used + idle < 1 << 127).then_some(parts)
    }
}

/// Scales requests down where they exceed the node, so that no more than the node is shared.
fn within(there: u128, requested: Vec<u128>) -> Vec<u128> {
    if requested.iter().sum::<u128>() > there { split(there, &requested) } else { requested }
}

/// The weight of nano-core-seconds, byte-seconds and GPU-seconds together, in one unit.
fn weight(weights: Weights, of: Resources, units: u128) -> Option<u128> {
    let cpu = of.cpu.checked_mul(weights.cpu)?.checked_mul(GIB * units)?;
    let memory = of.memory.checked_mul(weights.memory)?.checked_mul(NANOS * units)?;
    let gpu = of.gpu.checked_mul(weights.gpu)?.checked_mul(GIB)?;
    cpu.checked_add(memory)?.checked_add(gpu).filter(|sum| *sum < 1 << 126)
}

/// Seconds of something → billionths of hours of it.
fn hours(unit: &str, sum: u128) -> u128 {
    match unit {
        "GiB·h" => scaled(sum, NANOS, HOUR * GIB),
        "GPU·h" => divide(sum, HOUR * UNITS),
        _ => divide(sum, HOUR),
    }
}
