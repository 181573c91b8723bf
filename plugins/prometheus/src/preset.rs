//! Queries by name for metrics that most clusters have: those of kube-state-metrics and the
//! kubelets.
//!
//! A container counts while it runs. With the basis `max` it counts by its request or by its use,
//! whichever is more at the instant. Where one of them is missing, the other one counts.

use crate::gpu::{self, Part};
use crate::options::{Aggregate, Query};
use apportion_plugin_sdk::{Error, Problem};
use table_settings::unknown;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Cpu,
    Memory,
    Gpu,
    Network,
    Storage,
}

/// The quantity that a container counts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    Max,
    Request,
    Usage,
}

const KINDS: [(&str, Kind); 5] = [
    ("cpu", Kind::Cpu),
    ("memory", Kind::Memory),
    ("gpu", Kind::Gpu),
    ("network", Kind::Network),
    ("storage", Kind::Storage),
];
pub const BASES: [(&str, Basis); 3] =
    [("max", Basis::Max), ("request", Basis::Request), ("usage", Basis::Usage)];
const BY: [&str; 3] = ["namespace", "workload", "pod"];

/// The window of a rate: it holds two samples even where they are five minutes apart.
const RATE_WINDOW: &str = "10m";
const RUNNING: &str = "max by (namespace, pod, container) (kube_pod_container_status_running) == 1";

#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    pub kind: Kind,
    pub metric: String,
    pub unit: String,
    pub by: Vec<String>,
    /// Labels of pods that become keys.
    pub labels: Vec<String>,
    pub basis: Basis,
    pub step: u32,
    /// The parts of a GPU that the settings write for resources.
    pub gpus: Vec<Part>,
}

pub fn known(name: &str) -> Result<Kind, Error> {
    let found = KINDS.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind).ok_or_else(|| unknown("preset", name, KINDS.map(|(name, _)| name)))
}

impl Preset {
    pub fn new(kind: Kind) -> Preset {
        let (metric, unit, basis) = match kind {
            Kind::Cpu => ("kubernetes.cpu.hours", "h", Basis::Max),
            Kind::Memory => ("kubernetes.memory.hours", "GiB·h", Basis::Max),
            Kind::Gpu => ("kubernetes.gpu.hours", "h", Basis::Request),
            Kind::Network => ("kubernetes.network.transmit", "B", Basis::Usage),
            Kind::Storage => ("kubernetes.storage.hours", "GiB·h", Basis::Request),
        };
        Preset {
            kind,
            metric: metric.into(),
            unit: unit.into(),
            by: vec!["namespace".into()],
            labels: Vec::new(),
            basis,
            step: 300,
            gpus: Vec::new(),
        }
    }

    pub fn query(self) -> Result<Query, Error> {
        self.check()?;
        let mut joined = self.measured();
        if self.by.iter().any(|key| key == "workload") {
            joined = join(&joined, "workload", WORKLOAD);
        }
        let mut keys: Vec<(String, String)> =
            self.by.iter().map(|key| (key.clone(), key.clone())).collect();
        for label in &self.labels {
            let column =
                format!("label_{}", label.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
            joined = join(
                &joined,
                &column,
                &format!("max by (namespace, pod, {column}) (kube_pod_labels{{{column}!=\"\"}})"),
            );
            keys.push((column, label.clone()));
        }
        let by = keys.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>().join(", ");
        let scale = match self.kind {
            Kind::Memory | Kind::Storage => " / 1073741824",
            // The rate is in bytes a second, and the integral takes it for bytes an hour.
            Kind::Network => " * 3600",
            Kind::Cpu | Kind::Gpu => "",
        };
        Ok(Query {
            metric: self.metric,
            unit: self.unit,
            text: format!("sum by ({by}) ({joined}){scale}"),
            keys: Some(keys),
            constants: Vec::new(),
            step: self.step,
            aggregate: Aggregate::Integral,
        })
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(key) = self.by.iter().find(|key| !BY.contains(&key.as_str())) {
            return Err(unknown("key of a preset", key, BY));
        }
        if self.by.is_empty() && self.labels.is_empty() {
            return Err(Error::Config(
                Problem::new("a preset without keys would belong to nobody")
                    .hint("by = [\"namespace\"]"),
            ));
        }
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        if self.kind == Kind::Storage
            && (!self.labels.is_empty() || self.by.iter().any(|key| key != "namespace"))
        {
            let problem = Problem::new(
                "storage is known by namespace only: a claim outlives the pods that use it",
            );
            return Err(Error::Config(
                problem.hint("{ preset = \"storage\", by = [\"namespace\"] }"),
            ));
        }
        if self.kind != Kind::Gpu && !self.gpus.is_empty() {
            return Err(Error::Config(Problem::new(format!(
                "the preset {name} counts no GPUs, so it has no setting gpus"
            ))));
        }
        let only = match self.kind {
            Kind::Cpu | Kind::Memory => return Ok(()),
            Kind::Gpu | Kind::Storage => ("request", Basis::Request),
            Kind::Network => ("usage", Basis::Usage),
        };
        if self.basis == only.1 {
            return Ok(());
        }
        Err(Error::Config(
            Problem::new(format!("the preset {name} has one basis only"))
                .hint(format!("basis = \"{}\"", only.0)),
        ))
    }

    /// The query in PromQL, grouped by namespace and pod at least.
    fn measured(&self) -> String {
        let requested = |resource: &str| {
            format!(
                "(max by (namespace, pod, container) \
                 (kube_pod_container_resource_requests{{resource{resource}}}) and ({RUNNING}))"
            )
        };
        let (request, usage) = match self.kind {
            Kind::Cpu => (
                requested("=\"cpu\""),
                format!(
                    "sum by (namespace, pod, container) \
                     (rate(container_cpu_usage_seconds_total{{container!=\"\", \
                     container!=\"POD\"}}[{RATE_WINDOW}]))"
                ),
            ),
            Kind::Memory => (
                requested("=\"memory\""),
                "sum by (namespace, pod, container) \
                 (container_memory_working_set_bytes{container!=\"\", container!=\"POD\"})"
                    .to_owned(),
            ),
            Kind::Gpu => return format!("({} and ({RUNNING}))", gpu::requested(&self.gpus)),
            Kind::Network => {
                return format!(
                    "sum by (namespace, pod) \
                (rate(container_network_transmit_bytes_total[{RATE_WINDOW}]))"
                );
            }
            Kind::Storage => {
                return "max by (namespace, persistentvolumeclaim) \
                    (kube_persistentvolumeclaim_resource_requests_storage_bytes)"
                    .to_owned();
            }
        };
        match self.basis {
            Basis::Request => request,
            Basis::Usage => usage,
            // Without a label that differs, `or` would hide one of them.
            Basis::Max => format!(
                "max by (namespace, pod, container) (label_replace({request}, \"basis\", \"request\", \"\", \"\") or \
                 label_replace({usage}, \"basis\", \"usage\", \"\", \"\"))"
            ),
        }
    }
}

/// A pod's deployment, cron job or other controller. A pod without one is its own workload.
const WORKLOAD: &str = "max by (namespace, pod, workload) (\
    label_replace(kube_pod_owner{owner_kind=\"ReplicaSet\"}, \"workload\", \"$1\", \"owner_name\", \"(.+)-[^-]+\") or \
    label_replace(kube_pod_owner{owner_kind=\"Job\"}, \"workload\", \"$1\", \"owner_name\", \"(.+?)(?:-[0-9]{8,})?\") or \
    label_replace(kube_pod_owner{owner_kind=\"<none>\"}, \"workload\", \"$1\", \"pod\", \"(.+)\") or \
    label_replace(kube_pod_owner{owner_kind!~\"ReplicaSet|Job|<none>\"}, \"workload\", \"$1\", \
        \"owner_name\", \"(.+)\"))";

/// Adds a label of the pod to its measurements. A pod without the label keeps its measurements.
fn join(measured: &str, label: &str, of_pods: &str) -> String {
    format!(
        "(({measured}) * on (namespace, pod) group_left ({label}) ({of_pods}) or ({measured}) \
         unless on (namespace, pod) ({of_pods}))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_has_keys_that_it_can_have() {
        let preset = |kind| Preset::new(kind);
        let refused = |preset: Preset| match preset.query() {
            Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let pods = Preset { by: vec!["pods".into()], ..preset(Kind::Cpu) };
        assert_eq!(
            refused(pods),
            ("there is no key of a preset 'pods'".into(), "did you mean `pod`?".into())
        );
        let nobody = Preset { by: Vec::new(), ..preset(Kind::Cpu) };
        assert_eq!(refused(nobody).1, "by = [\"namespace\"]");
        let storage = Preset { by: vec!["workload".into()], ..preset(Kind::Storage) };
        assert!(refused(storage).0.starts_with("storage is known by namespace only"));
        let gpu = Preset { basis: Basis::Max, ..preset(Kind::Gpu) };
        assert_eq!(
            refused(gpu),
            ("the preset gpu has one basis only".into(), "basis = \"request\"".into())
        );
    }

    #[test]
    fn labels_of_pods_are_asked_for_as_kube_state_metrics_spells_them() {
        let preset = Preset {
            labels: vec!["app.kubernetes.io/name".into()],
            basis: Basis::Request,
            ..Preset::new(Kind::Memory)
        };
        let query = preset.query().unwrap();
        let pair = |label: &str, key: &str| (label.to_owned(), key.to_owned());
        assert_eq!(
            query.keys,
            Some(vec![
                pair("namespace", "namespace"),
                pair("label_app_kubernetes_io_name", "app.kubernetes.io/name")
            ])
        );
        assert!(
            query.text.starts_with("sum by (namespace, label_app_kubernetes_io_name) (("),
            "{}",
            query.text
        );
        assert!(query.text.ends_with(") / 1073741824"), "{}", query.text);
    }
}
