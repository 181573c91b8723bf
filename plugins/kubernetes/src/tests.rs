//! Recorded objects → usage and charges, with figures worked out by hand.

mod gpu;

use super::*;
use apportion_plugin_sdk::fixture;
use apportion_plugin_sdk::kubernetes::Page;
use apportion_plugin_sdk::{Charge, Field};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW: &str = "2026-11-25T10:00:00Z";

/// Lists by kind; a missing kind is an empty list.
fn answer(lists: Value) {
    fixture::run("eu-1", NOW);
    fixture::kubernetes(move |query| {
        let all = lists.get(&query.resource).and_then(Value::as_array).cloned().unwrap_or_default();
        let at = query.next.as_deref().map_or(0, |next| next.parse().unwrap_or(0));
        let end = (at + query.limit as usize).min(all.len());
        let next = (end < all.len()).then(|| end.to_string());
        Ok(Page { objects: Value::Array(all[at..end].to_vec()).to_string().into_bytes(), next })
    });
}

struct Collected {
    /// Metric and keys → value and unit.
    usage: BTreeMap<String, String>,
    charges: Vec<Charge>,
    rejected: Vec<(String, String)>,
}

fn collect(config: &str) -> Collected {
    let mut collector = open(config, None).unwrap_or_else(|error| panic!("{error:?}"));
    let mut all = Collected { usage: BTreeMap::new(), charges: Vec::new(), rejected: Vec::new() };
    while let Some(batch) = collector.next().unwrap_or_else(|error| panic!("{error:?}")) {
        for row in batch.usage {
            assert_eq!(row.period_start, "2026-11-25T00:00:00Z");
            let keys: Vec<String> = row
                .keys
                .iter()
                .filter(|key| key.key != "cluster")
                .map(|key| format!("{}={}", key.key, key.value))
                .collect();
            let known = all.usage.insert(
                format!("{} {}", row.metric.trim_start_matches("kubernetes."), keys.join(" ")),
                format!("{} {}", row.value, row.unit),
            );
            assert_eq!(known, None, "one row for each metric and keys");
        }
        all.rejected.extend(batch.rejected.into_iter().map(|row| (row.location, row.reason)));
        match batch.rows {
            Rows::Charges(charges) => all.charges.extend(charges),
            other => panic!("{other:?}"),
        }
    }
    all
}

fn open(config: &str, period: Option<Period>) -> Result<Kubernetes, Error> {
    Kubernetes::open(Request { config: config.into(), period, state: None })
}

fn node(name: &str, id: &str, kind: &str, cpu: &str, memory: &str) -> Value {
    json!({
        "metadata": { "name": name, "creationTimestamp": "2026-11-01T00:00:00Z", "labels": {
            "node.kubernetes.io/instance-type": kind, "topology.kubernetes.io/region": "eu-west-1", "topology.kubernetes.io/zone": "eu-west-1a",
        } },
        "spec": { "providerID": id },
        "status": { "capacity": { "cpu": cpu, "memory": memory, "pods": "110" }, "allocatable": { "cpu": "3920m", "memory": memory } },
    })
}

fn pod(namespace: &str, name: &str, node: &str, start: &str, cpu: &str, memory: &str) -> Value {
    json!({
        "metadata": { "namespace": namespace, "name": name },
        "spec": { "nodeName": node, "containers": [{ "name": "main", "resources": { "requests": { "cpu": cpu, "memory": memory }, "limits": { "cpu": "8" } } }] },
        "status": { "phase": "Running", "startTime": start },
    })
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    object
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .unwrap_or_else(|| panic!("{parent}"))
        .insert(key.into(), value);
    object
}

fn controlled(object: Value, kind: &str, name: &str) -> Value {
    with(
        object,
        "/metadata/ownerReferences",
        json!([{ "kind": "Other", "name": "x" }, { "kind": kind, "name": name, "controller": true }]),
    )
}

/// The example of the README: an m5.xlarge with 4 cores and 16 GiB. Three namespaces request a
/// part.
fn worked() -> Value {
    let start = "2026-11-20T00:00:00Z";
    json!({
        "nodes": [node("n1", "aws:///eu-west-1a/i-1", "m5.xlarge", "4", "16Gi")],
        "pods": [
            pod("payments", "a", "n1", start, "1", "4Gi"),
            pod("checkout", "b", "n1", start, "800m", "2Gi"),
            pod("kube-system", "c", "n1", start, "0.2", "512Mi"),
        ],
    })
}

#[test]
fn hours_are_counted_within_the_day_only() {
    answer(json!({
        "nodes": [node("n1", "aws:///eu-west-1a/i-1", "m5.xlarge", "4", "16Gi")],
        "pods": [
            // Ten hours of this day; earlier hours belong to other days.
            pod("shop", "old", "n1", "2026-11-20T00:00:00Z", "100m", "128Mi"),
            pod("shop", "new", "n1", "2026-11-25T07:30:00Z", "1.5", "1G"),
            with(with(pod("shop", "ended", "n1", "2026-11-25T01:00:00Z", "2", "0"), "/status/phase", json!("Succeeded")), "/status/containerStatuses",
                json!([{ "state": { "terminated": { "finishedAt": "2026-11-25T01:20:00Z" } } }, { "state": { "terminated": { "finishedAt": "2026-11-25T01:15:00Z" } } }])),
            with(with(pod("shop", "ended-yesterday", "n1", "2026-11-24T01:00:00Z", "2", "1Gi"), "/status/phase", json!("Failed")), "/status/conditions",
                json!([{ "lastTransitionTime": "2026-11-24T02:00:00Z" }])),
            with(pod("shop", "waiting", "n1", "2026-11-25T00:00:00Z", "2", "1Gi"), "/status/phase", json!("Pending")),
            json!({ "metadata": { "namespace": "shop", "name": "refused" }, "spec": {}, "status": { "phase": "Failed", "reason": "OutOfcpu" } }),
        ],
    }));
    let all = collect("");
    assert_eq!(all.rejected, []);
    let row = |what: &str, pod: &str| {
        all.usage
            .get(&format!(
                "{what} namespace=shop node=n1 resource_id=aws:///eu-west-1a/i-1 workload=pod/{pod}"
            ))
            .cloned()
    };
    assert_eq!(row("pod.cpu.request", "old").as_deref(), Some("1 core·h"));
    assert_eq!(row("pod.memory.request", "old").as_deref(), Some("1.25 GiB·h"));
    assert_eq!(row("pod.cpu.request", "new").as_deref(), Some("3.75 core·h"));
    // 2.5 × 10⁹ ÷ 2³⁰.
    assert_eq!(row("pod.memory.request", "new").as_deref(), Some("2.328306437 GiB·h"));
    assert_eq!(row("pod.cpu.request", "ended").as_deref(), Some("0.666666667 core·h"));
    assert_eq!(row("pod.memory.request", "ended"), None);
    assert!(!all.usage.keys().any(|row| row.contains("waiting")
        || row.contains("yesterday")
        || row.contains("refused")));
}

#[test]
fn a_node_is_shared_by_the_worked_vector() {
    answer(worked());
    let all = collect("");
    let share = |namespace: &str, workload: &str| {
        let row =
            if workload.is_empty() { String::new() } else { format!(" workload=pod/{workload}") };
        all.usage[&format!(
            "node.share namespace={namespace} node=n1 resource_id=aws:///eu-west-1a/i-1{row}"
        )]
            .clone()
    };
    // 0.031611 and 0.004237, by Python's Fraction; together they are 1.
    assert_eq!(share("payments", "a"), "0.25 1");
    assert_eq!(share("checkout", "b"), "0.173823596 1");
    assert_eq!(share("kube-system", "c"), "0.043455899 1");
    assert_eq!(share("__idle__", ""), "0.532720505 1");
}

#[test]
fn prices_become_charges_that_add_up() {
    answer(worked());
    // 0.192 an hour for ten hours, split as the README splits 4.608 of a whole day.
    let all = collect(r#"{"prices": {"currency": "USD", "node_hour": {"m5.xlarge": "0.192"}}}"#);
    let amounts: Vec<(&str, &str)> = all
        .charges
        .iter()
        .map(|charge| (charge.tags[1].value.as_str(), charge.effective_cost.as_str()))
        .collect();
    assert_eq!(
        amounts,
        [
            ("checkout", "0.333741304"),
            ("kube-system", "0.083435326"),
            ("payments", "0.48"),
            ("__idle__", "1.02282337")
        ]
    );
    assert_eq!(333_741_304 + 83_435_326 + 480_000_000 + 1_022_823_370, 1_920_000_000);
    let first = &all.charges[0];
    let dimension = |field: Field| {
        first
            .dimensions
            .iter()
            .find(|dimension| dimension.field == field)
            .map(|dimension| dimension.value.as_str())
    };
    assert_eq!(dimension(Field::ResourceId), Some("aws:///eu-west-1a/i-1"));
    assert_eq!(dimension(Field::ResourceType), Some("Instance"));
    assert_eq!(dimension(Field::AvailabilityZone), Some("eu-west-1a"));
    let tags: Vec<&str> = first.tags.iter().map(|tag| tag.key.as_str()).collect();
    assert_eq!(
        tags,
        ["kubernetes-cluster", "kubernetes-namespace", "kubernetes-node", "kubernetes-workload"]
    );
    let whole =
        collect(r#"{"prices": {"currency": "USD", "node_hour": {"*": "0.192"}, "split": "node"}}"#);
    assert_eq!(
        whole.charges.iter().map(|charge| charge.billed_cost.as_str()).collect::<Vec<_>>(),
        ["1.92"]
    );
    let unpriced =
        collect(r#"{"prices": {"currency": "USD", "node_hour": {"m5.large": "0.096"}}}"#);
    assert_eq!(unpriced.charges, []);
    let reason = "there is no price of 'm5.xlarge'; add `\"m5.xlarge\" = \"…\"` to \
        prices.node_hour, or \"*\" for all others";
    assert_eq!(unpriced.rejected, [("nodes/n1".into(), reason.into())]);
}

/// A node with a GPU at list prices of 30, 30 and 10 for GPU, CPU and memory costs 35: the parts
/// are 15, 15 and 5.
#[test]
fn list_prices_are_scaled_to_what_a_node_costs() {
    let gpu_node =
        with(node("n1", "", "g", "1", "1Gi"), "/status/capacity/nvidia.com~1gpu", json!("1"));
    let gpu_node = with(
        with(gpu_node, "/metadata/creationTimestamp", json!("2026-11-25T09:00:00Z")),
        "/status/capacity",
        json!({ "cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1" }),
    );
    let of = |name: &str, requests: Value| {
        with(
            pod("x", name, "n1", "2026-11-25T09:00:00Z", "0", "0"),
            "/spec/containers",
            json!([{ "name": "m", "resources": { "requests": requests } }]),
        )
    };
    answer(
        json!({ "nodes": [gpu_node], "pods": [of("cpu", json!({ "cpu": "1" })), of("gpu", json!({ "nvidia.com/gpu": 1 })), of("ram", json!({ "memory": "1Gi" }))] }),
    );
    let all = collect(
        r#"{"weights": {"cpu": "30", "memory": "10", "gpu": "30"}, "prices": {"currency": "USD",
            "node_hour": {"g": "35"}}}"#,
    );
    assert_eq!(
        all.charges.iter().map(|charge| charge.billed_cost.as_str()).collect::<Vec<_>>(),
        ["15", "15", "5"]
    );
    assert_eq!(all.usage["pod.gpu.request namespace=x node=n1 workload=pod/gpu"], "1 GPU·h");
}

/// AWS's own vector: 9 to 1, pods of 1 core and 4 GiB twice, of half a core and 2 GiB twice, an
/// hour at 1 dollar.
#[test]
fn nine_to_one_splits_as_aws_does() {
    let start = "2026-11-25T09:00:00Z";
    let of = |name: &str, cpu: &str, memory: &str| pod("x", name, "n1", start, cpu, memory);
    let fresh = with(
        node("n1", "i-1", "m5.xlarge", "4", "16Gi"),
        "/metadata/creationTimestamp",
        json!(start),
    );
    answer(
        json!({ "nodes": [fresh], "pods": [of("a", "1", "4Gi"), of("b", "1", "4Gi"), of("c", "500m", "2Gi"), of("d", "0.5", "2Gi")] }),
    );
    let all = collect(
        r#"{"weights": {"cpu": "9", "memory": "1"}, "prices": {"currency": "USD",
            "node_hour": {"m5.xlarge": "1"}}}"#,
    );
    assert_eq!(
        all.charges.iter().map(|charge| charge.billed_cost.as_str()).collect::<Vec<_>>(),
        ["0.25", "0.25", "0.125", "0.125", "0.25"]
    );
}

#[test]
fn a_node_that_is_promised_twice_is_shared_once() {
    let start = "2026-11-25T00:00:00Z";
    answer(json!({
        "nodes": [node("n1", "i-1", "m5.xlarge", "4", "16Gi")],
        "pods": [pod("a", "a", "n1", start, "6", "4Gi"), pod("b", "b", "n1", start, "2", "4Gi")],
    }));
    let all = collect(r#"{"weights": {"cpu": "4", "memory": "1"}}"#);
    let share = |namespace: &str| {
        all.usage
            .iter()
            .find(|(row, _)| row.starts_with(&format!("node.share namespace={namespace} ")))
            .map(|(_, value)| value.as_str())
    };
    // 8 cores of 4: 3 and 1 of 4 are left, that is (12 + 4) and (4 + 4) of 32; 8 GiB are idle.
    assert_eq!(
        (share("a"), share("b"), share("__idle__")),
        (Some("0.5 1"), Some("0.25 1"), Some("0.25 1"))
    );
}

/// A node that rejoined the cluster at nine. Its pod has run since midnight, and requests half of
/// it.
#[test]
fn a_node_is_as_old_as_its_pods() {
    let again = with(
        node("n1", "i-1", "m5.xlarge", "4", "16Gi"),
        "/metadata/creationTimestamp",
        json!("2026-11-25T09:00:00Z"),
    );
    answer(
        json!({ "nodes": [again], "pods": [pod("a", "a", "n1", "2026-11-24T00:00:00Z", "2", "8Gi")] }),
    );
    let all = collect(r#"{"prices": {"currency": "USD", "node_hour": {"*": "0.2"}}}"#);
    assert_eq!(
        all.charges.iter().map(|charge| charge.billed_cost.as_str()).collect::<Vec<_>>(),
        ["1", "1"]
    );
}

#[test]
fn workloads_are_the_owners_of_owners_and_labels_are_inherited() {
    let start = "2026-11-25T00:00:00Z";
    let namespace =
        |name: &str, labels: Value| json!({ "metadata": { "name": name, "labels": labels } });
    let replica_set = |name: &str| {
        controlled(
            json!({ "metadata": { "namespace": "shop", "name": name } }),
            "Deployment",
            "web",
        )
    };
    let web = |name: &str, set: &str| {
        controlled(pod("shop", name, "n1", start, "1", "0"), "ReplicaSet", set)
    };
    answer(json!({
        "namespaces": [namespace("shop", json!({ "team": "payments", "cost_center": "cc-1", "environment": "prod", "kubernetes.io/metadata.name": "shop" }))],
        "nodes": [node("n1", "i-1", "m5.xlarge", "8", "16Gi")],
        "apps/replicasets": [replica_set("web-1"), replica_set("web-2")],
        "batch/jobs": [controlled(json!({ "metadata": { "namespace": "shop", "name": "report-123" } }), "CronJob", "report")],
        "pods": [
            web("web-1-a", "web-1"), web("web-1-b", "web-1"), web("web-2-a", "web-2"),
            controlled(pod("shop", "report-123-x", "n1", start, "1", "0"), "Job", "report-123"),
            with(controlled(pod("shop", "db-0", "n1", start, "1", "0"), "StatefulSet", "db"), "/metadata/labels", json!({ "team": "search", "owner": "" })),
            controlled(pod("shop", "kube-proxy-n1", "n1", start, "1", "0"), "Node", "n1"),
            controlled(pod("other", "lost-1", "n1", start, "1", "0"), "ReplicaSet", "web-1"),
        ],
    }));
    let all = collect(r#"{"page_size": 2}"#);
    let cpu: Vec<String> = all
        .usage
        .iter()
        .filter(|(row, _)| row.starts_with("pod.cpu"))
        .map(|(row, value)| format!("{} {value}", row.trim_start_matches("pod.cpu.request ")))
        .collect();
    assert_eq!(
        cpu,
        [
            // Three pods of two ReplicaSets are one Deployment.
            "cost-center=cc-1 environment=prod namespace=shop node=n1 resource_id=i-1 \
             team=payments workload=cronjob/report 10 core·h",
            "cost-center=cc-1 environment=prod namespace=shop node=n1 resource_id=i-1 \
             team=payments workload=deployment/web 30 core·h",
            "cost-center=cc-1 environment=prod namespace=shop node=n1 resource_id=i-1 \
             team=payments workload=pod/kube-proxy-n1 10 core·h",
            "cost-center=cc-1 environment=prod namespace=shop node=n1 resource_id=i-1 team=search \
             workload=statefulset/db 10 core·h",
            "namespace=other node=n1 resource_id=i-1 workload=replicaset/web-1 10 core·h",
        ]
    );
    let apart = collect(
        r#"{"pods": true, "workloads": false, "labels": {"team": [], "environment": [],
            "cost-center": []}}"#,
    );
    assert_eq!(
        apart.usage["pod.cpu.request namespace=shop node=n1 pod=web-1-a resource_id=i-1 \
            workload=replicaset/web-1"],
        "10 core·h"
    );
}

#[test]
fn init_containers_and_overhead_count_as_they_are_reserved() {
    let start = "2026-11-25T09:00:00Z";
    let container = |cpu: &str| json!({ "name": "c", "resources": { "requests": { "cpu": cpu } } });
    let sidecar = |cpu: &str| with(container(cpu), "/restartPolicy", json!("Always"));
    let of = |name: &str, spec: Value| with(pod("x", name, "n1", start, "0", "0"), "/spec", spec);
    answer(json!({
        "nodes": [node("n1", "i-1", "m5.xlarge", "64", "16Gi")],
        "pods": [
            of("a", json!({ "nodeName": "n1", "initContainers": [container("3"), container("1")], "containers": [container("1"), container("1")], "overhead": { "cpu": "250m" } })),
            of("b", json!({ "nodeName": "n1", "initContainers": [sidecar("1"), container("1500m")], "containers": [container("1")] })),
            of("c", json!({ "nodeName": "n1", "resources": { "requests": { "cpu": "5" } }, "containers": [container("1")] })),
        ],
    }));
    let all = collect("");
    // The largest init container, 3, and 0.25; a sidecar beside 1.5; the pod's own resources.
    for (pod, hours) in [("a", "3.25"), ("b", "2.5"), ("c", "5")] {
        assert_eq!(
            all.usage[&format!(
                "pod.cpu.request namespace=x node=n1 resource_id=i-1 workload=pod/{pod}"
            )],
            format!("{hours} core·h")
        );
    }
}

#[test]
fn volumes_and_load_balancers_have_hours_and_prices() {
    let volume = |name: &str, id: Value, phase: &str| {
        let mut object = json!({
            "metadata": { "name": name, "creationTimestamp": "2026-11-25T08:00:00Z" },
            "spec": { "capacity": { "storage": "100Gi" }, "storageClassName": "gp3", "claimRef": { "namespace": "shop", "name": "data" } },
            "status": { "phase": phase },
        });
        object["spec"].as_object_mut().unwrap().extend(id.as_object().cloned().unwrap());
        object
    };
    let claim = |name: &str, phase: &str| {
        json!({
            "metadata": { "namespace": "shop", "name": name, "creationTimestamp": "2026-11-25T08:00:00Z", "labels": { "team": "data" } },
            "spec": { "volumeName": "pv-1", "storageClassName": "gp3" },
            "status": { "phase": phase, "capacity": { "storage": "100Gi" } },
        })
    };
    let service = |name: &str, kind: &str, ingress: Value| json!({ "metadata": { "namespace": "shop", "name": name, "creationTimestamp": "2026-11-25T06:00:00Z" }, "spec": { "type": kind }, "status": { "loadBalancer": { "ingress": ingress } } });
    answer(json!({
        "persistentvolumes": [volume("pv-1", json!({ "csi": { "volumeHandle": "vol-1" } }), "Bound"), volume("pv-2", json!({ "awsElasticBlockStore": { "volumeID": "aws://eu-west-1a/vol-2" } }), "Released")],
        "persistentvolumeclaims": [claim("data", "Bound"), claim("waiting", "Pending")],
        "services": [
            service("web", "LoadBalancer", json!([{ "hostname": "k8s-shop-web-ab12-0123456789abcdef.elb.eu-west-1.amazonaws.com" }])),
            service("ip", "LoadBalancer", json!([{ "ip": "203.0.113.7" }])),
            service("new", "LoadBalancer", json!([])),
            service("inner", "ClusterIP", json!([])),
        ],
    }));
    let all = collect(
        r#"{"prices": {"currency": "USD", "volume_gib_hour": {"*": "0.00005479452"},
            "load_balancer_hour": "0.0225"}}"#,
    );
    assert_eq!(all.rejected, []);
    assert_eq!(
        all.usage.iter().map(|(row, value)| format!("{row}: {value}")).collect::<Vec<_>>(),
        [
            "load_balancer.hours address=203.0.113.7 namespace=shop service=ip: 4 h",
            "load_balancer.hours \
             address=k8s-shop-web-ab12-0123456789abcdef.elb.eu-west-1.amazonaws.com \
             namespace=shop resource_id=net/k8s-shop-web-ab12/0123456789abcdef service=web: 4 h",
            "pvc.capacity claim=data namespace=shop resource_id=vol-1 storage_class=gp3 \
             team=data: 200 GiB·h",
        ]
    );
    let amounts: Vec<(&str, usize)> =
        all.charges.iter().map(|charge| (charge.billed_cost.as_str(), charge.tags.len())).collect();
    // 200 GiB-hours of both volumes, one of which nobody claims: 0.010958904; 4 hours of 0.0225.
    assert_eq!(amounts, [("0.010958904", 4), ("0.010958904", 1), ("0.09", 3), ("0.09", 3)]);
}

#[test]
fn what_cannot_be_understood_is_set_aside_with_its_place() {
    let start = "2026-11-25T00:00:00Z";
    let good = pod("shop", "good", "n1", start, "1", "0");
    answer(json!({
        "namespaces": [{ "metadata": {} }],
        "nodes": [node("n1", "i-1", "m5.xlarge", "4", "16Gi"), node("n2", "i-2", "m5.xlarge", "four", "16Gi"), { "metadata": { "name": "n3" } }],
        "pods": [
            good.clone(),
            with(good.clone(), "/status/startTime", json!("yesterday")),
            with(good.clone(), "/status/phase", json!("Dreaming")),
            with(good.clone(), "/status/phase", json!("Succeeded")),
            with(good.clone(), "/spec/nodeName", json!("")),
            pod("shop", "negative", "n1", start, "-1", "0"),
            pod("shop", "huge", "n1", start, "1E", "0"),
            pod("shop", "list", "n1", start, "1", "12 GB"),
            with(good, "/spec/containers", json!([{ "name": "c", "resources": { "requests": { "cpu": ["1"] } } }])),
            7,
        ],
        "persistentvolumes": [{ "metadata": { "name": "pv" }, "spec": {} }],
    }));
    let all = collect("");
    let rejected: Vec<String> =
        all.rejected.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
    assert_eq!(
        rejected,
        [
            "namespaces: metadata.name is missing",
            "nodes/n2: status.capacity: cpu: 'four' is no quantity",
            "nodes/n3: status.capacity is missing",
            "pods/shop/good: status.startTime: 'yesterday' is no point in time such as \
             2026-11-25T08:00:00Z",
            "pods/shop/good: status.phase is 'Dreaming', which is unknown",
            "pods/shop/good: it has ended, and nothing says when",
            "pods/shop/good: spec.nodeName is missing",
            "pods/shop/negative: container 'main': cpu: '-1' is below zero",
            "pods/shop/huge: container 'main': more than a million cores, GPUs or TiB",
            "pods/shop/list: container 'main': memory: '12 GB' is no quantity",
            "pods/shop/good: container 'c': cpu is no quantity",
            "pods: metadata.namespace is missing",
            "persistentvolumes/pv: spec.capacity.storage is missing",
        ]
    );
    assert_eq!(
        all.usage["pod.cpu.request namespace=shop node=n1 resource_id=i-1 workload=pod/good"],
        "10 core·h"
    );
}

#[test]
fn only_the_day_of_the_run_is_known() {
    answer(worked());
    for (start, end, batches, unknown) in [
        ("2026-11-25", "2026-11-26", 1, None),
        ("2026-11-01", "2026-12-01", 1, Some("2026-11-01/2026-11-25")),
        ("2026-11-01", "2026-11-20", 0, Some("2026-11-01/2026-11-20")),
        ("2026-11-26", "2026-11-27", 0, None),
    ] {
        fixture::take_said();
        let collector = open("", Some(Period { start: start.into(), end: end.into() })).unwrap();
        assert_eq!(collector.batches.len(), batches, "{start}");
        let said = fixture::take_said()
            .into_iter()
            .next()
            .map(|said| format!("{}/{}", said.days.start, said.days.end));
        assert_eq!(said.as_deref(), unknown);
    }
}

#[test]
fn a_cluster_without_anything_is_one_empty_batch() {
    answer(json!({}));
    let mut collector = open("", None).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(collector.next(), Ok(Some(Batch::new(Rows::Charges(Vec::new())))));
    assert_eq!(collector.next(), Ok(None));
}

#[test]
fn many_rows_come_in_pieces() {
    let row = Usage {
        metric: "m".into(),
        period_start: "d".into(),
        keys: Vec::new(),
        value: "1".into(),
        unit: "h".into(),
    };
    let pieces = batches(Rows::Charges(Vec::new()), vec![row; 2 * BATCH_ROWS + 1], Vec::new());
    assert_eq!(
        pieces.iter().rev().map(|piece| piece.usage.len()).collect::<Vec<_>>(),
        [BATCH_ROWS, BATCH_ROWS, 1]
    );
}
