//! Rules share costs by usage from files: the worked vectors of Kubernetes costs, end to end.

use crate::scene::Scene;
use std::collections::BTreeMap;

const SETTINGS: &str = r#"dimensions = ["service_name", "resource_id"]

[sources.aws]
plugin = "focus-file"
paths = ["bills"]
grants = ["table-decode"]

[sources.cluster]
plugin = "usage-file"
paths = ["usage"]
grants = ["table-decode"]

[sources.cluster.config]
period_start = "hour"
"#;

fn rule(doc: &str, header: &str, body: &str) -> String {
    format!(
        "//! {doc}\nrule(#{{ owner: \"finops@example.com\", review_by: \"2099-01-01\", {header} \
            }});\n\n{body}\n"
    )
}

/// The bill names a node by its instance id and a volume by its tag. The cluster names the node by
/// its provider id.
fn cluster() -> Scene {
    let scene = Scene::empty();
    scene.write("apportion.toml", SETTINGS);
    scene.write(
        "bills/bill.csv",
        "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,ResourceId,Tags\n\
         4.608,4.608,USD,2024-10-23T00:00:00Z,Usage,EC2,i-0abc1234def567890,\n\
         0.131507,0.131507,USD,2024-10-23T00:00:00Z,Usage,EBS,vol-1,\"{\"\"team\"\": \
             \"\"payments\"\"}\"\n",
    );
    // The shares of a node with 96 core hours and 384 GiB hours. A core is worth 0.031611/0.004237
    // GiB. Python's Fraction computed the shares.
    scene.write(
        "usage/node.csv",
        "hour,metric,value,unit,resource_id,holder\n\
         2024-10-23T00:00:00Z,kubernetes.node.share,0.25,1,aws:///eu-west-1a/i-0abc1234def567890,payments\n\
         2024-10-23T00:00:00Z,kubernetes.node.share,0.173823596,1,aws:///eu-west-1a/i-0abc1234def567890,checkout\n\
         2024-10-23T00:00:00Z,kubernetes.node.share,0.043455899,1,aws:///eu-west-1a/i-0abc1234def567890,kube-system\n\
         2024-10-23T00:00:00Z,kubernetes.node.share,0.325490640,1,aws:///eu-west-1a/i-0abc1234def567890,idle cpu\n\
         2024-10-23T00:00:00Z,kubernetes.node.share,0.207229865,1,aws:///eu-west-1a/i-0abc1234def567890,idle memory\n",
    );
    scene.write("usage/pods.csv", &pods());
    write_rules(&scene);
    scene
}

/// The hourly rows of the day. They add up to 24, 19.2 and 4.8 core hours.
fn pods() -> String {
    let mut hours = "hour,metric,value,unit,namespace\n".to_owned();
    for hour in 0..24 {
        for (namespace, cores, gib) in
            [("payments", "1", "4"), ("checkout", "0.8", "2"), ("kube-system", "0.2", "0.5")]
        {
            hours += &format!(
                "2024-10-23T{hour:02}:00:00Z,kubernetes.cpu.hours,{cores},h,{namespace}\n"
            );
            hours += &format!(
                "2024-10-23T{hour:02}:00:00Z,kubernetes.memory.hours,{gib},GiB·h,{namespace}\n"
            );
        }
    }
    hours
}

fn write_rules(scene: &Scene) {
    scene.write(
        "rules/kubernetes/node.rhai",
        &rule(
            "What each namespace has of a node, it pays; what nobody has is idle.",
            "priority: 100",
            "fn matches(charge) { charge.service_name == \"EC2\" }\n\nfn allocate(charge) {\n    \
             by_usage(\"kubernetes.node.share\", #{ resource_id: charge.resource_id }, #{\n        key: \"holder\",\n        recipients: #{ \
             \"kube-system\": pool(\"kubernetes/system\"), \"idle cpu\": \
                 pool(\"kubernetes/idle-cpu\"), \"idle memory\": pool(\"kubernetes/idle-memory\") \
                 },\n    })\n}",
        ),
    );
    scene.write(
        "rules/kubernetes/volumes.rhai",
        &rule(
            "Volumes are paid by the team of their tag.",
            "priority: 200",
            "fn matches(charge) { charge.has_tag(\"team\") }\n\nfn allocate(charge) { \
                assign(charge.tag(\"team\")) }",
        ),
    );
    for (name, metric) in [("cpu", "kubernetes.cpu.hours"), ("memory", "kubernetes.memory.hours")] {
        scene.write(
            &format!("rules/kubernetes/idle-{name}.rhai"),
            &rule(
                "What is idle is shared by what is used.",
                "stage: \"distribution\", priority: 300",
                &format!(
                    "fn allocate(pool) {{ by_usage(\"{metric}\", #{{}}, #{{ key: \
                    \"namespace\", recipients: #{{ \"kube-system\": pool(\"kubernetes/system\") \
                    }} }}) }}"
                ),
            ),
        );
    }
    scene.write(
        "rules/kubernetes/system.rhai",
        &rule(
            "The cluster's own namespace is shared by what the others cost before anything idle: \
                1.152 + 0.131507 to 0.800979130.",
            "stage: \"distribution\", priority: 400",
            "fn allocate(pool) { split(#{ payments: 1283507000, checkout: 800979130 }) }",
        ),
    );
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

#[test]
fn a_node_of_the_bill_is_shared_by_what_the_cluster_says() {
    let scene = cluster();
    let run = scene.run("run").expect(0);
    assert!(
        run.stdout.contains(
            "  cluster: 149 rows of usage, 0 set aside; 3 days new, 0 changed, 0 \
            unchanged (usage-file 0.1.0)\n"
        ),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("    kubernetes.cpu.hours 48.000000000 h in 1 day\n"),
        "{}",
        run.stdout
    );
    // The table of worked figures has five digits: 2.88196 and 1.85755 of 4.73951.
    let costs = costs(&scene);
    assert_eq!(costs.keys().map(String::as_str).collect::<Vec<_>>(), ["checkout", "payments"]);
    let nanos = |team: &str| costs[team].replace('.', "").parse::<i64>().expect("a number");
    assert_eq!(nanos("payments") + nanos("checkout"), 4_739_507_000);
    // Python's Fraction, rounded down share by share, gives 2881959038 and 1857547962.
    assert!((nanos("payments") - 2_881_959_038).abs() <= 2, "{costs:?}");
    scene.run("ledger verify").expect(0);

    let usage = scene
        .run("usage --group-by namespace --metric kubernetes.memory.hours --format csv")
        .expect(0);
    assert_eq!(
        usage.stdout,
        "metric,namespace,total,unit\nkubernetes.memory.hours,checkout,48.000000000,GiB·h\nkubernetes.memory.hours,kube-system,12.000000000,GiB·h\n\
         kubernetes.memory.hours,payments,96.000000000,GiB·h\n"
    );
    let explained = scene.run("explain payments").expect(0);
    for words in [
        "kubernetes/node",
        "kubernetes/idle-cpu",
        "kubernetes/idle-memory",
        "kubernetes/system",
        "kubernetes/volumes",
    ] {
        assert!(explained.stdout.contains(words), "'{words}' is not in\n{}", explained.stdout);
    }
}

#[test]
fn split_cost_allocation_of_a_node_gives_the_documented_totals() {
    let scene = cluster();
    scene.write(
        "bills/bill.csv",
        "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,ResourceId,Tags\n\
         1,1,USD,2024-10-23T00:00:00Z,Usage,EC2,arn:aws:ec2:eu-west-1:1:instance/i-1,\n",
    );
    // Two pods have a quarter of a dollar each, and two have an eighth each. The unused quarter is
    // shared in the same proportions.
    let rows: String =
        [("a", "0.25"), ("b", "0.25"), ("c", "0.125"), ("d", "0.125"), ("unused", "0.25")]
            .map(|(holder, share)| {
                format!("2024-10-23T00:00:00Z,kubernetes.node.share,{share},1,i-1,{holder}\n")
            })
            .concat();
    scene.write("usage/node.csv", &format!("hour,metric,value,unit,resource_id,holder\n{rows}"));
    std::fs::remove_file(scene.path("usage/pods.csv")).expect("the file is there");
    scene.write(
        "rules/kubernetes/node.rhai",
        &rule(
            "What each pod has of a node, it pays.",
            "priority: 100",
            "fn matches(charge) { charge.service_name == \"EC2\" }\n\nfn allocate(charge) {\n    by_usage(\"kubernetes.node.share\", #{ resource_id: charge.resource_id },\n        \
             #{ key: \"holder\", recipients: #{ \"unused\": pool(\"kubernetes/unused\") } })\n}",
        ),
    );
    for pool in ["idle-cpu", "idle-memory", "system"] {
        std::fs::remove_file(scene.path(&format!("rules/kubernetes/{pool}.rhai")))
            .expect("the file is there");
    }
    scene.write(
        "rules/kubernetes/unused.rhai",
        &rule(
            "What nobody has of the nodes goes as what they have.",
            "stage: \"distribution\", priority: 300",
            "fn allocate(pool) { by_usage(\"kubernetes.node.share\", [\"a\", \"b\", \"c\", \
                \"d\"], #{}, #{ key: \"holder\" }) }",
        ),
    );
    scene.run("run").expect(0);
    // 0.25 + 0.25/3 and 0.125 + 0.25/6. The nanos that are left over go by the order of names.
    let expected =
        [("a", "0.333333333"), ("b", "0.333333333"), ("c", "0.166666667"), ("d", "0.166666667")];
    assert_eq!(
        costs(&scene),
        expected.map(|(team, amount)| (team.to_owned(), amount.to_owned())).into()
    );
}

#[test]
fn gaps_are_shown_as_gaps_and_unknown_metrics_are_named() {
    let scene = cluster();
    scene.write(
        "usage/pods.csv",
        "hour,metric,value,unit,namespace\n2024-10-23,requests,1,,a\n2024-10-24,requests,2.5,,b\n2024-10-27,requests,1234,,a\n",
    );
    scene.run("run --allow-incomplete").expect(0);
    let usage = scene.run("usage --metric requests").expect(0);
    let lines: Vec<String> = usage
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "metric source from to days rows total unit",
            "requests cluster 2024-10-23 2024-10-27 3 3 1,237.5",
            "gap: cluster says nothing of requests from 2024-10-25 to 2024-10-26",
        ]
    );
    let json =
        scene.run("usage --metric requests --from 2024-10-24 --format json").expect(0).json();
    assert_eq!(json["metrics"][0]["gaps"][0]["start_date"], "2024-10-25");
    assert_eq!(json["metrics"][0]["total"], "1236.500000000");
    scene.run("usage --metric reqests").fails_with(1, "N202", "did you mean `requests`?");
}

#[test]
fn rows_of_usage_that_cannot_be_read_are_set_aside_with_their_place() {
    let scene = cluster();
    scene.write(
        "usage/pods.csv",
        "hour,metric,value,unit,namespace\n2024-10-23,requests,1,,a\n2024-10-23,requests,lots,,b\n2024-10-23,,1,,b\n2024-10-23,requests,,,b\n",
    );
    let run = scene.run("run --allow-incomplete").expect(0);
    assert!(
        run.stdout.contains("F201: usage/pods.csv:3:21: value: 'lots' is not a decimal number"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("F201: usage/pods.csv:4:12: metric: the metric is empty"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("2 set aside"), "{}", run.stdout);
}

#[test]
fn an_allocator_plugin_says_the_weights_and_cannot_lose_money() {
    let scene = cluster();
    for name in ["kubernetes/idle-cpu", "kubernetes/idle-memory", "kubernetes/system"] {
        std::fs::remove_file(scene.path(&format!("rules/{name}.rhai"))).expect("the file is there");
    }
    scene.write("usage/node.csv", "hour,metric,value,unit,team\n2024-10-23,people,7,,checkout\n2024-10-23,people,42,,search\n");
    std::fs::remove_file(scene.path("usage/pods.csv")).expect("the file is there");
    scene.write(
        "rules/kubernetes/node.rhai",
        &rule(
            "By heads.",
            "priority: 100",
            "fn matches(charge) { charge.service_name == \"EC2\" }\n\nfn allocate(charge) {\n    \
             plugin(\"by-heads\", #{}, #{ teams: [\"checkout\", \"search\", \"web\"], usage: \
                 [\"people\"] })\n}",
        ),
    );
    scene.write(
        "apportion.toml",
        &format!("{SETTINGS}\n[allocators]\nby-heads = \"plugins/heads.wasm\"\n"),
    );
    scene.write_bytes("plugins/heads.wasm", test_artifacts::ALLOCATES_BY_DRIVER);
    scene.run("run").expect(0);
    // 4.608 × 7/49 rounded down, and the rest.
    let expected =
        [("checkout", "0.658285714"), ("payments", "0.131507000"), ("search", "3.949714286")];
    assert_eq!(
        costs(&scene),
        expected.map(|(team, amount)| (team.to_owned(), amount.to_owned())).into()
    );
    scene.run("explain checkout --depth rules").expect(0).says("by-heads");

    // A plugin that answers junk stops the run before anything is posted. The earlier costs stay.
    scene.write_bytes("plugins/heads.wasm", test_artifacts::LIES_ABOUT_WEIGHTS);
    scene.run("run").fails_with(3, "P207", "there is no target 3, only 3");
    assert_eq!(
        costs(&scene),
        expected.map(|(team, amount)| (team.to_owned(), amount.to_owned())).into()
    );
    scene.run("ledger verify").expect(0);
}

/// The figures were worked out apart, in Python's Fraction, from the bill, the usage and the rules.
/// Namespaces pay for nodes by their shares, and search has the benefit of its reservation. After
/// these charges tax, refunds and support have their turn, in this order. They weigh by all that a
/// team bears by then in the month and currency, and all but the European tax at one provider. So
/// tax adds to the weights of support, and what is still in pools does not. The first 50 a day of
/// support are shared evenly, so only November shares some of it by cost.
/// Idle and system costs follow, the pools by egress and by heads, and people before finance.
/// Platform X and observability Y serve each other: X = a + Y/5 and Y = b + 3X/20. The data
/// platform and security are last.
#[test]
fn the_company_s_figures_are_those_worked_out_apart() {
    let scene = Scene::empty();
    let copied = std::process::Command::new("cp")
        .args(["-r", "../../examples/company/.", "../../rules/company"])
        .arg(scene.path(""))
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    std::fs::rename(scene.path("company"), scene.path("rules")).expect("the rules are there");
    scene.run("run").expect(0);
    let output =
        scene.run("costs --group-by team --from 2026-10 --to 2026-11 --format csv").expect(0);
    let lines: Vec<Vec<&str>> =
        output.stdout.lines().map(|line| line.split(',').collect()).collect();
    let found: BTreeMap<(&str, &str), i64> = lines
        .iter()
        .filter(|cells| cells[2] == "USD")
        .map(|cells| {
            let amount = cells[3].replace('.', "").parse().expect("an amount");
            ((cells[1], cells[0]), amount)
        })
        .collect();
    let expected: BTreeMap<(&str, &str), i64> = [
        ("analytics", 114_711_079_267, 229_773_931_290),
        ("checkout", 70_178_109_498, 139_596_814_707),
        ("logistics", 24_456_802_310, 46_763_576_855),
        ("marketing", 72_007_548_479, 144_760_655_466),
        ("mobile", 44_624_631_244, 87_922_617_430),
        ("payments", 116_015_255_514, 233_049_749_642),
        ("people", 374_065_116, 748_130_233),
        ("search", 91_028_681_171, 182_315_373_675),
        ("sellers", 50_073_061_903, 99_566_422_477),
        ("storefront", 111_430_765_498, 225_302_728_226),
        ("unallocated", 7_000_000_000, 14_000_000_000),
    ]
    .into_iter()
    .flat_map(|(team, october, november)| {
        [((team, "2026-10"), october), ((team, "2026-11"), november)]
    })
    .collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, amount) in &expected {
        // An amount that is split as a whole can be off by a nano at each of a handful of stages.
        assert!((found[key] - amount).abs() <= 5, "{key:?}: {} and not {amount}", found[key]);
    }
    // All that is charged in dollars in both months.
    assert_eq!(found.values().sum::<i64>(), 2_105_700_000_000);
}
