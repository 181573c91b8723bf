//! OpenCost, played by a server that gives its recorded answers. Python's Decimal computed the
//! expected totals from the same texts.

use crate::scene::Scene;
use crate::scenes::opencost::{BY_TAG, answer, collected, configure, figures, grouped, scene};
use serde_json::Value;
use std::fs;
use std::path::Path;
use test_support::outside::{data, folder};
use test_support::server::http::{Answer, Asked, HttpServer};

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The amount without trailing zeros.
fn plain(amount: &Value) -> &str {
    let amount = amount.as_str().expect("text");
    if amount.contains('.') { amount.trim_end_matches('0').trim_end_matches('.') } else { amount }
}

/// Picks the day that is asked for out of a recorded answer with all days.
fn by_day(body: &str, asked: &Asked) -> Answer {
    let all: Value = serde_json::from_str(body).expect("JSON");
    let (_, day) = asked.target.split_once("window=").expect("a window");
    let of_day = |set: &&Value| {
        let row = set.as_object().and_then(|set| set.values().next());
        row.and_then(|row| row["window"]["start"].as_str())
            .is_some_and(|start| start[..10] == day[..10])
    };
    let sets: Vec<&Value> = all["data"].as_array().expect("sets").iter().filter(of_day).collect();
    Answer::json(format!(
        "{{\"code\":200,\"status\":\"success\",\"data\":{}}}",
        serde_json::to_string(&sets).expect("JSON")
    ))
}

#[test]
fn a_month_of_allocations_is_charged_to_the_last_digit() {
    let answers = folder("servers/opencost-answers");
    let body = text(&answers, "month-namespace-daily.json");
    let server = HttpServer::start(move |asked| by_day(&body, asked));
    let scene = scene(&server, "mode = \"charges\"\naggregate = [\"namespace\"]");
    let source = collected(&scene, "2026-10", "2026-10", 0);
    assert_eq!(
        (plain(&source["totals"][0]["billed_cost"]), &source["set_aside"]),
        ("102.62921", &Value::from(0))
    );
    assert_eq!(
        grouped(&scene, "team"),
        figures([
            ("data", "0.720290000"),
            ("kube-system", "2.567420000"),
            ("shop", "99.341500000")
        ])
    );
    // The components of all days, each rounded to five digits. Over the month, the rounding adds up
    // to nothing.
    let services = grouped(&scene, "service_name");
    for (service, amount) in [
        ("Kubernetes CPU", "42.805130000"),
        ("Kubernetes Memory", "10.554950000"),
        ("Kubernetes Storage", "8.153620000"),
        ("Kubernetes Network", "22.451030000"),
        ("Kubernetes Load Balancer", "18.664480000"),
    ] {
        assert_eq!(services[service], amount, "{service}");
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 31);
    let window = "window=2026-10-01T00%3A00%3A00Z%2C2026-10-02T00%3A00%3A00Z";
    assert_eq!(
        asked[0].target,
        format!(
            "/allocation/compute?{window}&aggregate=namespace&step=1d&accumulate=false&includeIdle=true"
        )
    );
    // Asking again changes nothing.
    assert_eq!(collected(&scene, "2026-10", "2026-10", 0)["days"]["unchanged"], 31);
    scene.run("ledger verify").expect(0);
}

#[test]
fn a_month_of_allocations_is_usage_too() {
    let answers = folder("servers/opencost-answers");
    let body = text(&answers, "month-namespace-daily.json");
    let server = HttpServer::start(move |asked| by_day(&body, asked));
    let scene = scene(&server, "mode = \"usage\"\nmetrics = [\"cpu\", \"memory\", \"cost\"]");
    collected(&scene, "2026-10", "2026-10", 0);
    let usage = scene.run("usage --group-by namespace --format csv").expect(0);
    // The memory of the job adds up two days, 18.666666667 and 40.666666667.
    assert_eq!(
        usage.stdout,
        "metric,namespace,total,unit\n\
         kubernetes.cost,data,0.720290000,USD\nkubernetes.cost,kube-system,2.567420000,USD\nkubernetes.cost,shop,99.341500000,USD\n\
         kubernetes.cpu.hours,data,14.833340000,h\nkubernetes.cpu.hours,kube-system,74.400000000,h\nkubernetes.cpu.hours,shop,1264.883330000,h\n\
         kubernetes.memory.hours,data,59.333333334,GiB·h\nkubernetes.memory.hours,kube-system,50.859375000,GiB·h\n\
         kubernetes.memory.hours,shop,2380.966666667,GiB·h\n"
    );
    // One day: 95348273971.2 byte hours, divided by 2³⁰.
    let usage = scene.run("usage --group-by namespace --metric kubernetes.memory.hours --from 2026-10-16 --to 2026-10-16 --format csv").expect(0);
    assert!(
        usage.stdout.contains("kubernetes.memory.hours,shop,88.800000000,GiB·h\n"),
        "{}",
        usage.stdout
    );
}

#[test]
fn allocations_and_idle_are_what_the_nodes_cost() {
    let answers = folder("servers/opencost-answers");
    let server = answer(text(&answers, "month-idle.json"));
    let scene = scene(&server, "mode = \"charges\"\naggregate = [\"namespace\"]");
    let run = scene.run("run --from 2026-10-01 --to 2026-10-01 --format json").expect(0);
    assert!(
        run.stderr.contains("a window is longer than a day, and all of it is of its first day"),
        "{}",
        run.stderr
    );
    assert_eq!(plain(&run.json()["sources"][0]["totals"][0]["billed_cost"]), "338.29217");
    // OpenCost's assets have two nodes of 144.511584 each. Its eight rounded amounts are off by
    // 0.000012.
    let services = grouped(&scene, "service_name");
    let nanos =
        |service: &str| services[service].replace('.', "").parse::<i64>().expect("a number");
    let difference = nanos("Kubernetes CPU") + nanos("Kubernetes Memory") - 2 * 144_511_584_000;
    assert_eq!(difference, 12_000);
    // 145.34369 + 90.31945 of it are idle. No namespace is charged for them.
    assert_eq!(grouped(&scene, "tag:allocation_kind")["idle"], "235.663140000");
    assert_eq!(grouped(&scene, "team")["unallocated"], "235.663140000");
}

#[test]
fn containers_hours_and_unrounded_costs_are_read() {
    let answers = folder("servers/opencost-answers");
    let server = answer(text(&answers, "day-container.json"));
    let scene = scene(&server, "mode = \"charges\"");
    collected(&scene, "2026-10-31", "2026-10-31", 0);
    // Two pods of the team red cost 1.52788 and 1.609.
    let teams = grouped(&scene, "tag:team");
    assert_eq!(teams["red"], "3.136880000");
    let server = answer(text(&answers, "day-summary-container.json"));
    configure(&scene, &server, "mode = \"charges\"\napi = \"summary\"");
    let source = collected(&scene, "2026-10-31", "2026-10-31", 0);
    assert_eq!(plain(&source["totals"][0]["billed_cost"]), "3.2196931068196614305");
    assert!(
        server.asked()[0].target.starts_with("/allocation/compute/summary?window=2026-10-31T"),
        "{:?}",
        server.asked()
    );
    let server = answer(text(&answers, "day-namespace-hourly.json"));
    configure(&scene, &server, "mode = \"usage\"\nmetrics = [\"cpu\"]");
    collected(&scene, "2026-10-31", "2026-10-31", 0);
    let usage = scene.run("usage --metric kubernetes.cpu.hours --format json").expect(0).json();
    assert_eq!(usage["metrics"][0]["total"], "36.000000000");
}

#[test]
fn published_examples_add_up_to_what_is_expected() {
    let data = data();
    let expected = |name: &str| {
        serde_json::from_str::<Value>(&text(&data, &format!("expected/{name}.json"))).expect("JSON")
    };
    let allocation = expected("opencost_allocation_example");
    let server = answer(text(&data, "k8s-opencost/allocation-example-output.json"));
    let scene = scene(&server, "mode = \"charges\"\naggregate = [\"namespace\"]");
    let source = collected(&scene, "2023-07-12", "2023-07-12", 0);
    let totals = &allocation["totals"]["__none__"];
    for cost in ["billed_cost", "effective_cost"] {
        assert_eq!(plain(&source["totals"][0][cost]), totals["totalCost"], "{cost}");
    }
    let namespaces = grouped(&scene, "team");
    for (namespace, costs) in
        allocation["by"]["namespace"]["__none__"].as_object().expect("namespaces")
    {
        assert_eq!(
            plain(&Value::from(namespaces[namespace].as_str())),
            costs["totalCost"],
            "{namespace}"
        );
    }

    let cloud = expected("opencost_cloudcost_example");
    let server = answer(text(&data, "k8s-opencost/cloudCost-example-output.json"));
    for (config, billed, effective) in [
        ("", "invoicedCost", "amortizedNetCost"),
        ("billed = \"listCost\"", "listCost", "amortizedNetCost"),
    ] {
        configure(
            &scene,
            &server,
            &format!(
                "mode = \"charges\"\napi = \"cloud-cost\"\naggregate = [\"provider\"]\n{config}"
            ),
        );
        for (start, costs) in cloud["by"]["window.start"]["__none__"].as_object().expect("days") {
            let day = &start[..10];
            let source = collected(&scene, day, day, 0);
            let totals = &source["totals"][0];
            assert_eq!(plain(&totals["billed_cost"]), costs[billed], "{day} {billed}");
            assert_eq!(plain(&totals["effective_cost"]), costs[effective], "{day} {effective}");
            assert_eq!(source["charges"], cloud["row_counts_by"]["window.start"][start], "{day}");
        }
    }
}

/// The plugin reads saved answers by the power `file`. The totals are the same, without a server.
#[test]
fn saved_answers_add_up_to_what_is_expected() {
    let data = data();
    let collect = |file: &str, config: &str| {
        let scene = Scene::empty();
        scene.write("rules/kubernetes/namespace.rhai", BY_TAG);
        let path = data.join(file);
        scene.write(
            "apportion.toml",
            &format!("[sources.cluster]\nplugin = \"opencost\"\npaths = [{path:?}]\ngrants = [\"file\"]\n\n[sources.cluster.config]\nmode = \"charges\"\n{config}\n"),
        );
        let source = scene.run("run --format json").expect(0).json()["sources"][0].clone();
        assert_eq!(source["set_aside"], 0, "{file}");
        (scene, source)
    };
    let expected = |name: &str| {
        serde_json::from_str::<Value>(&text(&data, &format!("expected/{name}.json"))).expect("JSON")
    };
    let allocation = expected("opencost_allocation_example");
    let (scene, source) =
        collect("k8s-opencost/allocation-example-output.json", "aggregate = [\"namespace\"]");
    assert_eq!(
        plain(&source["totals"][0]["billed_cost"]),
        allocation["totals"]["__none__"]["totalCost"]
    );
    let namespaces = grouped(&scene, "team");
    for (namespace, costs) in
        allocation["by"]["namespace"]["__none__"].as_object().expect("namespaces")
    {
        assert_eq!(
            plain(&Value::from(namespaces[namespace].as_str())),
            costs["totalCost"],
            "{namespace}"
        );
    }
    let cloud = expected("opencost_cloudcost_example");
    let (_, source) = collect(
        "k8s-opencost/cloudCost-example-output.json",
        "api = \"cloud-cost\"\nbilled = \"listCost\"",
    );
    let totals = &cloud["totals"]["__none__"];
    assert_eq!(source["charges"], cloud["rows"]);
    assert_eq!(plain(&source["totals"][0]["billed_cost"]), totals["listCost"]);
    assert_eq!(plain(&source["totals"][0]["effective_cost"]), totals["amortizedNetCost"]);
}
