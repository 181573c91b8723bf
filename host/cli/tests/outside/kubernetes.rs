//! The collector `kubernetes` against a real API server: it collects the objects that were created,
//! and a bill is shared by them.

use crate::cluster::Cluster;
use crate::scene::{Output, Scene};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use test_support::server::counterpart::kube_apiserver;
use test_support::server::forward::sent_on;
use test_support::server::web::Web;

const DAY: u64 = 86_400;

/// Now, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// The time that is so many seconds after midnight of `day`, as text.
fn text(day: &str, seconds: u64) -> String {
    format!("{day}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn today() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output().expect("date is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn namespace(name: &str, team: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "team": team } } })
}

fn node(name: &str, id: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Node", "spec": { "providerID": id },
        "metadata": { "name": name, "labels": { "node.kubernetes.io/instance-type": "m5.xlarge", "topology.kubernetes.io/region": "eu-west-1" } } })
}

fn pod(namespace: &str, name: &str, node: &str, cpu: &str, memory: &str) -> Value {
    let resources = json!({ "requests": { "cpu": cpu, "memory": memory } });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": namespace, "name": name },
        "spec": { "nodeName": node, "containers": [{ "name": "main", "image": "x:1", "resources": resources }] } })
}

/// Creates three namespaces on a node, as in the worked table, a volume and a load balancer. On
/// another node, it creates pods that have ended.
fn fill(cluster: &Cluster, day: &str, quarter: u64) {
    let disk = json!({ "driver": "ebs.csi.aws.com", "volumeHandle": "vol-1" });
    let size = json!({ "storage": "100Gi" });
    cluster.apply(&[
        namespace("payments", "payments"),
        namespace("checkout", "checkout"),
        namespace("kube-system", "platform"),
    ]);
    cluster.apply(&[
        json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "pv-1" }, "spec": { "capacity": size, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "gp3", "csi": disk, "claimRef": { "namespace": "payments", "name": "data" } } }),
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": "payments", "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "volumeName": "pv-1", "resources": { "requests": size } } }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "checkout", "name": "web" },
            "spec": { "type": "LoadBalancer", "ports": [{ "port": 443 }], "selector": { "app": "web" } } }),
        node("n1", "aws:///eu-west-1a/i-1"),
        node("n2", "aws:///eu-west-1a/i-2"),
    ]);
    let mut pods = vec![
        pod("payments", "a", "n1", "1", "4Gi"),
        pod("checkout", "b", "n1", "800m", "2Gi"),
        pod("kube-system", "c", "n1", "0.2", "512Mi"),
        pod("payments", "waiting", "n1", "2", "1Gi"),
    ];
    pods.extend(
        (1..=3).map(|number| pod("checkout", &format!("job-{number}"), "n2", "3600m", "3600Gi")),
    );
    cluster.apply(&pods);
    cluster.status("persistentvolume", "", "pv-1", &json!({ "phase": "Bound" }));
    cluster.status(
        "persistentvolumeclaim",
        "payments",
        "data",
        &json!({ "phase": "Bound", "capacity": size }),
    );
    let address = "k8s-checkout-web-0123456789abcdef.elb.eu-west-1.amazonaws.com";
    cluster.status(
        "service",
        "checkout",
        "web",
        &json!({ "loadBalancer": { "ingress": [{ "hostname": address }] } }),
    );
    for name in ["n1", "n2"] {
        cluster.status(
            "node",
            "",
            name,
            &json!({ "capacity": { "cpu": "4", "memory": "16Gi", "pods": "110" } }),
        );
    }
    for (namespace, name) in [("payments", "a"), ("checkout", "b"), ("kube-system", "c")] {
        cluster.status(
            "pod",
            namespace,
            name,
            &json!({ "phase": "Running", "startTime": "2026-01-01T00:00:00Z" }),
        );
    }
    for number in 1..=3 {
        let ended = json!({ "exitCode": 0, "finishedAt": text(day, number * quarter), "startedAt": text(day, 0) });
        let container = json!({ "name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": { "terminated": ended } });
        let status = json!({ "phase": "Succeeded", "startTime": text(day, 0), "containerStatuses": [container] });
        cluster.status("pod", "checkout", &format!("job-{number}"), &status);
    }
    // Ages are whole seconds, and age zero has no usage yet, so this waits for the next second.
    let youngest = now();
    while now() <= youngest {
        std::thread::yield_now();
    }
}

fn settings(kubeconfig: &str, more: &str) -> String {
    format!(
        "dimensions = [\"service_name\", \"resource_id\"]\n\n[sources.aws]\nplugin = \"focus-file\"\npaths = [\"bills\"]\ngrants = [\"table-decode\"]\n\n\
         [sources.eu-1]\nplugin = \"kubernetes\"\ngrants = [\"kubernetes\"]\nconfig = {{ page_size = 2 }}\n\n[sources.eu-1.kubernetes]\nkubeconfig = \"{kubeconfig}\"\n{more}\n"
    )
}

fn rule(doc: &str, header: &str, body: &str) -> String {
    format!(
        "//! {doc}\nrule(#{{ owner: \"finops@example.com\", review_by: \"2099-01-01\", {header} }});\n\n{body}\n"
    )
}

/// A bill of the day: two instances, a volume and a load balancer. The cluster knows one of the
/// instances.
fn scene(cluster: &Cluster, day: &str) -> Scene {
    let scene = Scene::empty();
    scene.write("apportion.toml", &settings(cluster.kubeconfig(), "context = \"admin\""));
    let line = |(cost, service, id): (&str, &str, &str)| {
        format!("{cost},{cost},USD,{day}T00:00:00Z,Usage,{service},{id}\n")
    };
    let rows = [
        ("4.608", "EC2", "arn:aws:ec2:eu-west-1:1:instance/i-1"),
        ("2.304", "EC2", "i-9"),
        ("0.131507", "EBS", "arn:aws:ec2:eu-west-1:1:volume/vol-1"),
        (
            "0.54",
            "ELB",
            "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/k8s-checkout-web/0123456789abcdef",
        ),
    ];
    let header = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,ResourceId\n";
    scene.write("bills/bill.csv", &format!("{header}{}", rows.map(line).concat()));
    for (name, priority, service, metric) in [
        ("nodes", 100, "EC2", "kubernetes.node.share"),
        ("volumes", 110, "EBS", "kubernetes.pvc.capacity"),
        ("balancers", 120, "ELB", "kubernetes.load_balancer.hours"),
    ] {
        let body = format!(
            "fn matches(charge) {{ charge.service_name == \"{service}\" }}\n\nfn allocate(charge) {{\n    by_usage(\"{metric}\", #{{ resource_id: charge.resource_id }}, #{{ \
             when_zero: split([[pool(\"kubernetes/unknown\"), 1]]) }})\n}}"
        );
        scene.write(
            &format!("rules/kubernetes/{name}.rhai"),
            &rule("By what the cluster says of it.", &format!("priority: {priority}"), &body),
        );
    }
    let unknown = "fn allocate(pool) { assign(\"platform\") }";
    scene.write(
        "rules/kubernetes/unknown.rhai",
        &rule("What no cluster knows.", "stage: \"distribution\", priority: 200", unknown),
    );
    scene
}

/// Team → amount, from the CSV of `costs`.
fn costs(scene: &Scene) -> BTreeMap<String, String> {
    let output = scene.run("costs --group-by team --granularity total --format csv").expect(0);
    let line = |line: &str| line.split(',').skip(1).map(str::to_owned).collect::<Vec<_>>();
    output
        .stdout
        .lines()
        .skip(1)
        .map(line)
        .map(|cells| (cells[0].clone(), cells[2].clone()))
        .collect()
}

fn usage(scene: &Scene, metric: &str, by: &str) -> String {
    let output =
        scene.run(&format!("usage --group-by {by} --metric {metric} --format csv")).expect(0);
    output
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.trim_start_matches(metric).trim_start_matches(',').to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The usage is that of the created objects. They are collected in pages of two.
fn check_usage(scene: &Scene, quarter: u64) {
    // Python's Fraction computed these shares of 4 cores and 16 GiB, at 0.031611 and 0.004237.
    let n1 = "__idle__,n1,0.532720505,1\ncheckout,n1,0.173823596,1\nkube-system,n1,0.043455899,1\npayments,n1,0.250000000,1";
    let shares = usage(scene, "kubernetes.node.share", "namespace,node");
    let of_n1: Vec<&str> = shares.lines().filter(|line| line.contains(",n1,")).collect();
    assert_eq!(of_n1.join("\n"), n1);
    // A second of 3.6 cores is a thousandth of a core-hour. A second of 3600 GiB is a GiB-hour. The
    // three pods lived for 1, 2 and 3 quarters, which are 6.
    let hours = |metric: &str| {
        usage(scene, metric, "node")
            .lines()
            .find_map(|line| line.strip_prefix("n2,"))
            .map(str::to_owned)
    };
    let thousandths = 6 * quarter;
    assert_eq!(
        hours("kubernetes.pod.cpu.request"),
        Some(format!("{}.{:03}000000,core·h", thousandths / 1000, thousandths % 1000))
    );
    assert_eq!(
        hours("kubernetes.pod.memory.request"),
        Some(format!("{}.000000000,GiB·h", 6 * quarter))
    );
    let workloads = usage(scene, "kubernetes.pod.cpu.request", "workload");
    assert!(!workloads.contains("waiting") && workloads.contains("pod/job-2,"), "{workloads}");
}

/// Everything is paid once: the teams and the idle part add up to the bill.
fn check_costs(scene: &Scene) {
    // 4.608 is shared by the shares of the node. The volume is 0.131507, the load balancer is 0.54,
    // and the instance that no cluster knows is 2.304.
    let expected = [
        ("checkout", "1.340979130"),
        ("payments", "1.283507000"),
        ("platform", "2.504244783"),
        ("unallocated", "2.454776087"),
    ];
    let costs = costs(scene);
    let nanos = |amount: &str| amount.replace('.', "").parse::<i64>().expect("an amount");
    assert_eq!(
        costs.keys().map(String::as_str).collect::<Vec<_>>(),
        expected.map(|(team, _)| team)
    );
    for (team, amount) in expected {
        assert!((nanos(&costs[team]) - nanos(amount)).abs() <= 1, "{team}: {costs:?}");
    }
    assert_eq!(costs.values().map(|amount| nanos(amount)).sum::<i64>(), 7_583_507_000);
    scene.run("ledger verify").expect(0);
}

/// The source's failure, as JSON: its code, message and hint.
fn failure(scene: &Scene) -> (String, String, String) {
    let run: Output = scene.run("run --format json").expect(3);
    let sources = run.json()["sources"].clone();
    let source = sources
        .as_array()
        .and_then(|sources| sources.iter().find(|source| source["name"] == "eu-1"))
        .expect("the source");
    let text = |key: &str| source["failure"][key].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"), text("hint"))
}

/// The user `nobody` may list nothing before it gets the role that the refusal prints.
fn check_refusals(cluster: &Cluster, scene: &Scene) {
    let with = |more: &str| scene.write("apportion.toml", &settings(cluster.kubeconfig(), more));
    with("context = \"nobody\"");
    let (code, message, hint) = failure(scene);
    assert_eq!(code, "P201");
    assert!(message.contains("does not allow it: namespaces is forbidden: User \"nobody\" cannot list resource \"namespaces\""), "{message}");
    let role = hint
        .split_once("\n\n")
        .and_then(|(_, rest)| rest.split_once("\n\nkubectl "))
        .unwrap_or_else(|| panic!("{hint}"));
    cluster.kubectl(&["apply", "-f", "-"], role.0);
    cluster.kubectl(&role.1.split_whitespace().collect::<Vec<_>>(), "");
    scene.run("run").expect(0);

    with("context = \"nobody\"\nresources = [\"namespaces\", \"pods\"]");
    let (code, message, hint) = failure(scene);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("P208", "the source 'eu-1' does not grant \"nodes\" of its cluster")
    );
    assert_eq!(
        hint,
        "[sources.eu-1.kubernetes]\nresources = [\"namespaces\", \"pods\", \"nodes\"]"
    );
    with("resources = [\"secrets\"]");
    scene.run("run").fails_with(1, "C104", "can never be granted");
    with("context = \"nowhere\"");
    assert!(failure(scene).1.contains("cannot be used: it has no context 'nowhere'"));
}

/// Wrong credentials, an unknown authority, and a port where nobody listens.
fn check_connections(cluster: &Cluster, scene: &Scene) {
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).expect("the kubeconfig");
    let with = |kubeconfig: &str| {
        scene.write("kubeconfig", kubeconfig);
        scene.write("apportion.toml", &settings("kubeconfig", "timeout_seconds = 10"));
        failure(scene)
    };
    let (code, message, hint) = with(&kubeconfig.replace("admin-token", "wrong-token"));
    assert_eq!(code, "P201");
    assert!(
        message.contains("does not know who asks: Unauthorized")
            && hint.contains("auth can-i list namespaces"),
        "{message} {hint}"
    );
    let authority = kubeconfig
        .split_once(", certificate-authority: ")
        .and_then(|(_, rest)| rest.split_once(' '))
        .expect("an authority")
        .0;
    let (_, message, _) =
        with(&kubeconfig.replace(&format!(", certificate-authority: {authority}"), ""));
    assert!(
        message.contains("shows a certificate that the kubeconfig does not trust"),
        "{message}"
    );
    let (_, message, hint) = with(&kubeconfig.replace(&cluster.server.port.to_string(), "1"));
    assert!(
        message.contains("cannot be reached")
            && hint.contains("kubectl --kubeconfig kubeconfig version"),
        "{message} {hint}"
    );
    assert!(!message.contains("admin-token"));
    // The usage that was collected before is still there.
    check_costs(scene);
}

/// Two ways into the cluster: a program for credentials that the kubeconfig names, and the service
/// account of a pod inside the cluster.
fn check_ways_in(cluster: &Cluster, day: &str) {
    let scene = scene(cluster, day);
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).expect("the kubeconfig");
    let program = |text: &str| {
        let path = scene.path("credentials.sh");
        scene.write("credentials.sh", &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("a program");
        let exec = format!(
            "exec: {{ apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: \"{}\" }}",
            path.display()
        );
        scene.write("kubeconfig", &kubeconfig.replace("token: admin-token", &exec));
        scene.write("apportion.toml", &settings("kubeconfig", ""));
    };
    program(
        r#"echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "admin-token"}}'"#,
    );
    scene.run_with(&["run"], &[("PATH", "/usr/bin:/bin")]).expect(0);
    check_costs(&scene);
    program("echo 'admin-token is refused' | tee /dev/stderr; exit 3");
    let (code, message, _) = failure(&scene);
    assert_eq!(code, "P201");
    assert!(
        message.contains("gives no credentials: `")
            && message.contains("ended with exit status: 3")
            && !message.contains("admin-token"),
        "{message}"
    );

    // The account of a pod gets the role that the refusal printed.
    cluster.kubectl(&["create", "serviceaccount", "apportion", "--namespace", "default"], "");
    cluster.kubectl(
        &[
            "create",
            "clusterrolebinding",
            "inside",
            "--clusterrole=apportion",
            "--serviceaccount=default:apportion",
        ],
        "",
    );
    let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "audiences": ["https://localhost"] } });
    let answer = cluster.kubectl(
        &[
            "create",
            "--raw",
            "/api/v1/namespaces/default/serviceaccounts/apportion/token",
            "-f",
            "-",
        ],
        &request.to_string(),
    );
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let inside = scene_of_pod(cluster, day);
    inside.write("pod/token", answer["status"]["token"].as_str().expect("a token"));
    inside.write("pod/namespace", "default");
    inside
        .write("pod/ca.crt", &std::fs::read_to_string(cluster.authority()).expect("a certificate"));
    run_as_pod(cluster, &inside);
    check_costs(&inside);
    let outside = inside.run("run").expect(3);
    assert!(
        outside.stderr.contains("names no kubeconfig, and does not run in a cluster"),
        "{}",
        outside.stderr
    );
}

fn scene_of_pod(cluster: &Cluster, day: &str) -> Scene {
    let scene = scene(cluster, day);
    scene.write("apportion.toml", &settings("", "").replace("kubeconfig = \"\"\n", ""));
    scene
}

/// Runs the binary as in a pod: the account's files are at a pod's place, and a pod's variables
/// name the cluster.
fn run_as_pod(cluster: &Cluster, scene: &Scene) {
    let script = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && cp pod/* /run/secrets/kubernetes.io/serviceaccount/ && exec \"$0\" run";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--map-root-user", "bash", "-c", script])
        .arg(env!("CARGO_BIN_EXE_apportion"))
        .current_dir(scene.path(""));
    command
        .env("APPORTION_CACHE", scene.path("cache"))
        .env("KUBERNETES_SERVICE_HOST", "localhost")
        .env("KUBERNETES_SERVICE_PORT", cluster.server.port.to_string());
    let output = command.output().expect("unshare");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The cluster forgets a list in its middle, as real clusters do some minutes after a list was
/// begun. The collector then lists again from the start.
fn check_compaction(cluster: &Cluster, day: &str) {
    let scene = scene(cluster, day);
    let (target, etcd) =
        (cluster.server.url().replace("http://127.0.0.1", "https://localhost"), cluster.etcd());
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).expect("the kubeconfig");
    let authority = cluster.authority();
    let is_forgotten = std::sync::atomic::AtomicBool::new(false);
    let between = Web::start(move |_, request| {
        let path = request.split(' ').nth(1).expect("a path");
        if path.contains("continue=")
            && !is_forgotten.swap(true, std::sync::atomic::Ordering::SeqCst)
        {
            forget(&etcd);
        }
        Some(sent_on(&target, request, &["--cacert", &authority]))
    });
    let address = format!("https://localhost:{}", cluster.server.port);
    scene.write("kubeconfig", &kubeconfig.replace(&address, &between.url("")));
    scene.write("apportion.toml", &settings("kubeconfig", ""));
    scene.run("run").expect(0);
    // The list was begun twice, and no object is counted twice.
    assert_eq!(
        between
            .seen()
            .iter()
            .filter(|request| request.starts_with("GET /api/v1/namespaces?&limit=2 "))
            .count(),
        2
    );
    check_costs(&scene);
}

/// Makes etcd drop every revision but the newest.
fn forget(etcd: &str) {
    let ask = |path: &str, body: &Value| -> Value {
        let output = Command::new("curl")
            .args(["-sSf", "-X", "POST", "-d", &body.to_string(), &format!("{etcd}/v3/kv/{path}")])
            .output()
            .expect("curl");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    // Base64 of `a` and `b`.
    let answer = ask("put", &json!({ "key": "YQ==", "value": "Yg==" }));
    ask("compaction", &json!({ "revision": answer["header"]["revision"], "physical": true }));
}

/// Before today's bill comes, the nodes cost their hours by the price list. After that, only the
/// bill counts: it lacks one of both nodes, and is settled at once.
fn check_estimates(cluster: &Cluster, day: &str) {
    let scene = scene(cluster, day);
    let billed = scene.read("bills/bill.csv");
    let header = billed.lines().next().expect("a header");
    scene.write(
        "bills/bill.csv",
        &format!("{header}\n1,1,USD,2026-01-01T00:00:00Z,Usage,EC2,i-9\n"),
    );
    let priced = settings(cluster.kubeconfig(), "context = \"admin\"").replace(
        "config = { page_size = 2 }",
        "accrues_for = \"aws\"\nsettled_after_days = 0\n\
         config = { prices = { currency = \"USD\", node_hour = { \"m5.xlarge\" = \"0.192\" } } }",
    );
    scene.write("apportion.toml", &priced);
    scene.run("run").expect(0);
    let nanos = |amount: &str| amount.replace('.', "").parse::<i64>().expect("an amount");
    let total = || costs(&scene).values().map(|amount| nanos(amount)).sum::<i64>();
    // The pod of one core existed for as long as both nodes did. So the estimate is 2 × 0.192 for
    // each of its core-hours, up to the rounding of the parts.
    let cores = usage(&scene, "kubernetes.pod.cpu.request", "namespace,node");
    let hours = cores
        .lines()
        .find_map(|line| line.strip_prefix("payments,n1,")?.strip_suffix(",core·h"))
        .expect("the pod");
    let estimate = total() - 1_000_000_000;
    assert!(
        estimate > 0 && (estimate * 1_000 - nanos(hours) * 384).abs() < 10_000,
        "{estimate} of {hours} hours"
    );

    let rows: String = billed.lines().skip(1).map(|line| format!("{line}\n")).collect();
    scene.write("bills/today.csv", &format!("{header}\n{rows}"));
    let report = scene.run("run --format json").expect(0).json();
    let source = report["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .find(|source| source["name"] == "eu-1")
        .expect("the cluster")
        .clone();
    assert_eq!(
        (&source["accrual"]["days_taken_back"], &source["charges"]),
        (&1.into(), &0.into()),
        "{source}"
    );
    assert_eq!(total(), 1_000_000_000 + 7_583_507_000);
    // It stays so: the day has a bill, so later usage of the cluster adds nothing.
    scene.run("run").expect(0);
    assert_eq!(total(), 8_583_507_000);
    scene.run("ledger verify").expect(0);
}

#[test]
fn a_cluster_is_listed_as_it_is_and_shares_its_bill_once() {
    let (server, etcd_port) = kube_apiserver();
    let cluster = Cluster { server, etcd_port };
    let (day, quarter) = (today(), now() % DAY / 4);
    fill(&cluster, &day, quarter);
    let scene = scene(&cluster, &day);
    scene.run("run").expect(0);
    check_usage(&scene, quarter);
    check_costs(&scene);
    check_estimates(&cluster, &day);
    check_refusals(&cluster, &scene);
    check_connections(&cluster, &scene);
    check_ways_in(&cluster, &day);
    check_compaction(&cluster, &day);
}
