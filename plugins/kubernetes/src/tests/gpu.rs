//! Nodes with GPUs that are shared and sliced, with figures worked out by hand.

use super::*;

/// A node with these resources beside 8 cores, from midnight on, at 1.6 an hour: 16 by ten.
fn gpu_node(labels: Value, devices: Value) -> Value {
    let mut node = node("n1", "i-1", "g", "8", "1Gi");
    for (object, pointer) in [(&labels, "/metadata/labels"), (&devices, "/status/capacity")] {
        let into = node.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        into.extend(object.as_object().cloned().unwrap());
    }
    node
}

fn gpu_pod(name: &str, requests: Value) -> Value {
    with(
        pod("x", name, "n1", "2026-11-20T00:00:00Z", "0", "0"),
        "/spec/containers",
        json!([{ "name": "m", "resources": { "requests": requests } }]),
    )
}

const GPU_PRICES: &str = r#"{"weights": {"cpu": "1", "memory": "0", "gpu": "4"},
    "prices": {"currency": "USD", "node_hour": {"g": "1.6"}}, "gpu_resources": {}}"#;

fn costs(all: &Collected) -> Vec<&str> {
    all.charges.iter().map(|charge| charge.billed_cost.as_str()).collect()
}

#[test]
fn pods_that_share_a_gpu_count_by_their_part_of_it() {
    // Two GPUs, shared by four pods each: 8 cores and 2 × 4 are 16. The parts are 3 × ¼ × 4 and
    // ¼ × 4 + 4 cores, and 8 are idle.
    for name in ["nvidia.com/gpu.shared", "nvidia.com/gpu"] {
        answer(json!({
            "nodes": [gpu_node(json!({ "nvidia.com/gpu.replicas": "4" }), json!({ name: "8" }))],
            "pods": [
                gpu_pod("a", json!({ name: "3" })),
                gpu_pod("b", json!({ name: 1, "cpu": "4" })),
            ],
        }));
        let all = collect(GPU_PRICES);
        assert_eq!((all.rejected.len(), costs(&all)), (0, vec!["3", "5", "8"]), "{name}");
        let hours = |pod: &str| {
            let row =
                format!("pod.gpu.request namespace=x node=n1 resource_id=i-1 workload=pod/{pod}");
            all.usage[&row].clone()
        };
        assert_eq!((hours("a"), hours("b")), ("7.5 GPU·h".into(), "2.5 GPU·h".into()));
    }
    // Some GPUs are shared and renamed, and one is not: it counts as a whole.
    answer(json!({
        "nodes": [gpu_node(
            json!({ "nvidia.com/gpu.replicas": "4" }),
            json!({ "nvidia.com/gpu.shared": "4", "nvidia.com/gpu": "1" }),
        )],
        "pods": [
            gpu_pod("a", json!({ "nvidia.com/gpu": "1" })),
            gpu_pod("b", json!({ "nvidia.com/gpu.shared": "1" })),
        ],
    }));
    let all = collect(GPU_PRICES);
    assert_eq!(costs(&all), ["4", "1", "11"]);
}

#[test]
fn slices_of_a_gpu_count_by_their_number() {
    // Sevenths of a GPU that weighs 7: 3 + 4 × 1 and 7 cores are 14, at 14 for ten hours.
    let mut node =
        gpu_node(json!({}), json!({ "nvidia.com/mig-3g.20gb": "1", "nvidia.com/mig-1g.5gb": "4" }));
    node["status"]["capacity"]["cpu"] = json!("7");
    answer(json!({
        "nodes": [node],
        "pods": [
            gpu_pod("a", json!({ "nvidia.com/mig-3g.20gb": "1" })),
            gpu_pod("b", json!({ "nvidia.com/mig-1g.5gb": "2", "cpu": "1" })),
        ],
    }));
    let prices = |memory: &str| {
        format!(
            r#"{{"weights": {{"cpu": "1", "memory": "{memory}", "gpu": "7"}}, "prices":
                {{"currency": "USD", "node_hour": {{"g": "1.4"}}}}}}"#
        )
    };
    let all = collect(&prices("0"));
    assert_eq!(costs(&all), ["3", "3", "8"]);
    let row = "pod.gpu.request namespace=x node=n1 resource_id=i-1 workload=pod/a";
    // 3 ÷ 7 × 10.
    assert_eq!(all.usage[row], "4.285714286 GPU·h");
}

#[test]
fn shared_gpus_are_never_guessed() {
    let estate = || {
        json!({
            "nodes": [gpu_node(json!({}), json!({ "nvidia.com/gpu.shared": "8" }))],
            "pods": [gpu_pod("a", json!({ "nvidia.com/gpu.shared": "4" }))],
        })
    };
    answer(estate());
    let all = collect(GPU_PRICES);
    let reason = "no label 'nvidia.com/gpu.replicas' of its node says how many pods share one \
        nvidia.com/gpu.shared; write `gpu_resources = { \"nvidia.com/gpu.shared\" = \"0.25\" }` if \
        they are four";
    assert_eq!(
        all.rejected,
        [
            ("nodes/n1".into(), format!("status.capacity: {reason}")),
            ("pods/x/a".into(), format!("container 'm': {reason}")),
        ]
    );
    assert_eq!(costs(&all), [""; 0]);
    // Of 8 cores and 8 eighths of a GPU that weighs 4, 4 eighths are 2 of 12.
    answer(estate());
    let written = GPU_PRICES.replace(
        r#""gpu_resources": {}"#,
        r#""gpu_resources":
        {"nvidia.com/gpu.shared": "0.125"}"#,
    );
    let all = collect(&written.replace("1.6", "1.2"));
    assert_eq!((all.rejected.len(), costs(&all)), (0, vec!["2", "10"]));
    // An accelerator that nobody knows counts as nothing, until its part is written.
    let fpga = || {
        json!({
            "nodes": [gpu_node(json!({}), json!({ "example.com/fpga": "2" }))],
            "pods": [gpu_pod("a", json!({ "example.com/fpga": "1", "cpu": "2" }))],
        })
    };
    answer(fpga());
    assert_eq!(costs(&collect(GPU_PRICES)), ["4", "12"]);
    // One is a GPU: (2 + 4) of (8 + 8).
    answer(fpga());
    let written = GPU_PRICES
        .replace(r#""gpu_resources": {}"#, r#""gpu_resources": {"example.com/fpga": "1"}"#);
    assert_eq!(costs(&collect(&written)), ["6", "10"]);
}
