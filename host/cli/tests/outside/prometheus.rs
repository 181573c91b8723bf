//! A month of Prometheus, day by day. The expected usage is computed from the data that the history
//! was made of.

use crate::scene::Scene;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use test_support::server::counterpart::Server;

/// The seconds between two samples. The history goes from 2026-10-01 to the end of the month.
const STEP: i64 = 300;
const DAY: i64 = 86_400;

/// A pod of the history: namespace, workload, team, thousandths of a core requested and used, MiB
/// requested, and the seconds of the month at which it begins and ends. The demo data gives those
/// as parts of the month.
struct Pod(&'static str, &'static str, &'static str, i64, i64, i64, i64, i64);

const PODS: [Pod; 5] = [
    Pod("shop", "web", "red", 500, 300, 1_024, 0, 31 * DAY),
    // This pod lives from the 16th at noon. It uses more than it requests.
    Pod("shop", "web", "red", 500, 900, 1_024, 1_339_200, 31 * DAY),
    // This pod lives to the 24th at six.
    Pod("shop", "api", "blue", 1_000, 200, 2_048, 0, 2_008_800),
    // This pod lives from the 28th at 21:36 to the 29th at 5:02:24.
    Pod("data", "etl", "green", 2_000, 1_800, 8_192, 2_410_560, 2_437_344),
    Pod("kube-system", "coredns", "", 100, 10, 70, 0, 31 * DAY),
];

/// The number of instants of a day at which a pod is seen. Prometheus looks back five minutes for a
/// sample, so the last sample is seen twice.
fn instants(pod: &Pod, day: i64) -> i64 {
    let first_sample = (pod.6 + STEP - 1) / STEP * STEP;
    let last_seen = pod.7 / STEP * STEP + STEP;
    (0..DAY / STEP)
        .map(|count| day * DAY + count * STEP)
        .filter(|time| (first_sample..=last_seen).contains(time))
        .count() as i64
}

/// Thousandths × instants of five minutes, as hours with nine decimals.
fn hours(thousandths: i64) -> String {
    let nanos = (thousandths * 1_000_000 * 10 / 12 + 5) / 10;
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

type Figures = BTreeMap<String, String>;

/// The expected usage of a day, by metric and keys. Days count from 0.
fn expected(day: i64) -> Figures {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for pod in &PODS {
        let seen = instants(pod, day);
        let Pod(namespace, workload, team, request, usage, mib, from, _) = *pod;
        // A rate needs two samples, so a new pod has only its request at its first instant.
        let born_today = from > 0 && from / DAY == day;
        let used = if born_today && usage > request {
            request + (seen - 1) * usage
        } else {
            seen * usage.max(request)
        };
        if seen > 0 {
            *sums.entry(format!("kubernetes.cpu.hours,{namespace},,")).or_default() += used;
            *sums.entry(format!("cores.requested,{namespace},,")).or_default() += request * seen;
            // 1/1024 of a GiB has ten digits, so the sum stays in MiB until the end.
            *sums
                .entry(format!("kubernetes.memory.hours,{namespace},{workload},{team}"))
                .or_default() += mib * seen;
        }
    }
    let figure = |(key, sum): (String, i64)| {
        let value =
            if key.starts_with("kubernetes.memory") { hours_of_mib(sum) } else { hours(sum) };
        (key, value)
    };
    let mut figures: Figures = sums.into_iter().map(figure).collect();
    // A hundred GiB all day.
    figures.insert("kubernetes.storage.hours,shop,,".into(), "2400.000000000".into());
    figures.insert("egress,shop,,".into(), egress(day));
    figures
}

/// MiB × instants of five minutes in GiB hours, rounded half-even at the billionth.
fn hours_of_mib(mib: i64) -> String {
    let (nanos, rest) = (
        i128::from(mib) * 1_000_000_000 / (12 * 1_024),
        i128::from(mib) * 1_000_000_000 % (12 * 1_024),
    );
    let up = rest * 2 > 12 * 1_024 || (rest * 2 == 12 * 1_024 && nanos % 2 == 1);
    let nanos = nanos + i128::from(up);
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// Each web pod sends 50,000 bytes a second. On the first day of the second one, Prometheus guesses
/// half a step more.
fn egress(day: i64) -> String {
    let bytes: i64 = match day {
        0..=14 => 50_000 * DAY,
        15 => 50_000 * DAY + 50_000 * (43_200 + 150),
        _ => 2 * 50_000 * DAY,
    };
    format!("{bytes}.000000000")
}

fn settings(server: &Server, queries: &str) -> String {
    format!(
        "[sources.aws]\nplugin = \"focus-file\"\npaths = [\"bills\"]\ngrants = [\"table-decode\"]\n\n\
         [sources.cluster]\nplugin = \"prometheus\"\ngrants = [\"http\"]\n\n\
         [sources.cluster.http]\nallow = [\"GET {url}/api/v1/\"]\nnetworks = [\"127.0.0.1/32\"]\nretries = 0\n\n\
         [sources.cluster.config]\nurl = \"{url}\"\nqueries = [\n{queries}]\n",
        url = server.url()
    )
}

const QUERIES: &str = r#"
  "cpu",
  { preset = "cpu", basis = "request", metric = "cores.requested" },
  { preset = "memory", basis = "request", by = ["namespace", "workload"], labels = ["team"] },
  "storage",
  { metric = "egress", unit = "B", query = "sum by (namespace) (increase(kubecost_pod_network_egress_bytes_total[1d]))", aggregate = "increase" },
  { metric = "cores.peak", query = "container_cpu_allocation", keys = { namespace = "namespace" }, aggregate = "max" },
  { metric = "samples", query = "count by (namespace) (container_cpu_allocation)", step = "1h", aggregate = "sum" },
  { metric = "etl", query = "sum by (namespace) (container_cpu_allocation{namespace='data'})" },
"#;

const BILL: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,ResourceId\n\
                    10,10,USD,2026-10-02T00:00:00Z,Usage,EC2,i-1\n7,7,USD,2026-10-29T00:00:00Z,Usage,EC2,i-1\n";

const RULE: &str = "//! What each namespace has of the cluster's cores, it pays.\n\
    rule(#{ owner: \"finops@example.com\", review_by: \"2099-01-01\", priority: 100 });\n\n\
    fn matches(charge) { charge.service_name == \"EC2\" }\n\n\
    fn allocate(charge) { by_usage(\"kubernetes.cpu.hours\", #{}, #{ key: \"namespace\" }) }\n";

/// The stored usage of a day, by metric and keys.
fn stored(scene: &Scene, day: i64) -> Figures {
    let date = format!("2026-10-{:02}", day + 1);
    let output = scene
        .run(&format!(
            "usage --group-by namespace,workload,team --from {date} --to {date} --format csv"
        ))
        .expect(0);
    let figure = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[..4].join(","), cells[4].to_owned())
    };
    output.stdout.lines().skip(1).map(figure).collect()
}

#[test]
fn a_month_of_prometheus_is_usage_day_by_day() {
    let exporter = test_support::server::counterpart::free_port().to_string();
    let server =
        Server::start("prometheus", &[], &[("END", "1793491200"), ("EXPORTER_PORT", &exporter)]);
    let scene = Scene::empty();
    scene.write("bills/bill.csv", BILL);
    scene.write("rules/kubernetes/cores.rhai", RULE);
    scene.write("apportion.toml", &settings(&server, QUERIES));
    let run = scene.run("run --from 2026-10-01 --to 2026-11-02").expect(0);
    for day in 0..31 {
        let (mut stored, expected) = (stored(&scene, day), expected(day));
        let others: Figures = stored
            .extract_if(.., |key, _| {
                ["cores.peak", "samples", "etl"].iter().any(|metric| key.starts_with(metric))
            })
            .collect();
        assert_eq!(stored, expected, "day {day}");
        by_hand(day, &stored, &others);
    }
    gaps_are_said(&scene, &run.stderr);
    what_is_used_spreads_the_bill(&scene);
    wrong_queries_are_refused(&scene, &server);
    what_is_forgotten_is_not_taken_back(&scene, &server);
}

/// Compares some figures with those computed by hand.
fn by_hand(day: i64, stored: &Figures, others: &Figures) {
    let is = |figures: &Figures, key: &str, value: &str| {
        assert_eq!(figures.get(key).map(String::as_str), Some(value), "day {day}: {key}")
    };
    match day {
        1 => {
            // Half a core and a whole one, for a day.
            is(stored, "cores.requested,shop,,", "36.000000000");
            is(stored, "kubernetes.memory.hours,kube-system,coredns,", "1.640625000");
            is(others, "cores.peak,shop,,", "1.500000000");
            is(others, "samples,shop,,", "48.000000000");
        }
        // 12 + (0.5 + 143 × 0.9)/12 + 24
        15 => is(stored, "kubernetes.cpu.hours,shop,,", "46.766666667"),
        // 12 + 21.6 + 74/12, since the api is seen until 6:05.
        23 => {
            is(stored, "kubernetes.cpu.hours,shop,,", "39.766666667");
            is(others, "cores.peak,shop,,", "2.400000000");
        }
        // The pod is seen at 62 instants after midnight, until 5:05.
        28 => {
            is(stored, "kubernetes.cpu.hours,data,,", "10.333333333");
            is(others, "etl,data,,", "10.333333333");
        }
        _ => {}
    }
}

fn gaps_are_said(scene: &Scene, stderr: &str) {
    for line in [
        // The history ends with a sample at midnight.
        "cores.peak: there is no data on 2026-11-02, which is a gap and not zero",
        "cores.peak: nothing was measured during parts of 2026-11-01 (286 of 288 instants, the first 00:10)",
        "etl: there is no data from 2026-10-01 to 2026-10-27, from 2026-10-30 to 2026-11-02, which is a gap and not zero",
        "etl: nothing was measured during parts of 2026-10-28 (260 of 288 instants, the first 00:00), 2026-10-29 (226 of 288 instants, the first 05:10)",
    ] {
        assert!(stderr.contains(line), "'{line}' is not in\n{stderr}");
    }
    // A day without data has no row, and so no zero.
    let usage = scene.run("usage --metric etl --format json").expect(0).json();
    assert_eq!(
        (&usage["metrics"][0]["days"], usage["metrics"][0]["start_date"].as_str()),
        (&2.into(), Some("2026-10-28")),
        "{usage}"
    );
}

/// The bill is shared by core hours: 36 and 2.4 on the 2nd; 33.6, 2.4 and 10.333333333 on the 29th.
fn what_is_used_spreads_the_bill(scene: &Scene) {
    let costs = scene.run("costs --group-by team --granularity daily --format csv").expect(0);
    for line in [
        "2026-10-02,shop,USD,9.375",
        "2026-10-02,kube-system,USD,0.625",
        "2026-10-29,data,USD,1.561151079",
        "2026-10-29,shop,USD,5.076258993",
    ] {
        assert!(costs.stdout.contains(line), "'{line}' is not in\n{}", costs.stdout);
    }
    scene.run("ledger verify").expect(0);
}

fn wrong_queries_are_refused(scene: &Scene, server: &Server) {
    for (query, words) in [
        (
            "sum by (namespace",
            "Prometheus refuses the query of wrong (bad_data): 1:18: parse error: unclosed left parenthesis",
        ),
        (
            "kube_pod_labels * on (namespace) kube_pod_owner",
            "Prometheus refuses the query of wrong (execution): ",
        ),
    ] {
        scene.write(
            "apportion.toml",
            &settings(server, &format!("{{ metric = \"wrong\", query = \"{query}\" }},\n")),
        );
        let run = scene.run("run --from 2026-10-02 --to 2026-10-02").expect(3);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(words) && said.contains(&format!("the query is: {query}")), "{said}");
    }
    scene.write("apportion.toml", &settings(server, "{ metric = \"wrong\", query = \"sum by (namespace) (container_cpu_allocation) / 0\" },\n"));
    let run = scene.run("run --from 2026-10-02 --to 2026-10-02").expect(3);
    assert!(
        run.stdout.contains("288 of 288 samples are no numbers, the first at 00:00"),
        "{}",
        run.stdout
    );
}

fn what_is_forgotten_is_not_taken_back(scene: &Scene, server: &Server) {
    scene.write("apportion.toml", &settings(server, "\"cpu\"\n"));
    // Days without any data are gaps, and the run succeeds.
    let run = scene.run("run --from 2026-09-29 --to 2026-10-02").expect(0);
    let line = "kubernetes.cpu.hours: there is no data from 2026-09-29 to 2026-09-30, which is a gap and not zero";
    assert!(run.stderr.contains(line), "{}", run.stderr);
    assert!(run.stdout.contains("    2026-09-29 to 2026-09-30 unknown: no query has data: Prometheus has forgotten that time"), "{}", run.stdout);
    let (start, end) = (1_790_899_200 - STEP, 1_790_899_200 + DAY);
    let path = format!(
        "/api/v1/admin/tsdb/delete_series?match[]=%7B__name__!=%22%22%7D&start={start}&end={end}"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    write!(stream, "POST {path} HTTP/1.0\r\ncontent-length: 0\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 204"), "{answer}");
    let run = scene.run("run --from 2026-10-02 --to 2026-10-02").expect(3);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("no query has any data from 2026-10-02 to 2026-10-02: Prometheus has forgotten that time"), "{said}");
    assert_eq!(stored(scene, 1)["kubernetes.cpu.hours,shop,,"], "36.000000000");
    let run = scene.run("run --from 2026-10-01 --to 2026-10-02").expect(0);
    assert!(run.stdout.contains("    2026-10-02 unknown: no query has data"), "{}", run.stdout);
    assert_eq!(stored(scene, 1)["kubernetes.cpu.hours,shop,,"], "36.000000000");
}

/// What Prometheus itself says of the figures of `serve`: nothing.
#[test]
fn promtool_finds_nothing_in_the_metrics() {
    let scene = Scene::after_run();
    let mut serve = scene
        .command(&["serve", "--listen", "127.0.0.1:0"], &[])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let stderr = BufReader::new(serve.stderr.take().expect("stderr is a pipe"));
    let address = stderr
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split("http://").nth(1)?.split(';').next()?.to_owned()))
        .expect("the server says where it listens");
    // The second answer has the latencies of the first one.
    let [_, metrics] = [(); 2].map(|()| {
        let mut stream = TcpStream::connect(&address).expect("the server listens");
        write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
    });
    serve.kill().and_then(|()| serve.wait()).expect("the server ends");
    assert!(
        metrics.contains("apportion_http_request_duration_seconds_count{route=\"/metrics\"} 1")
    );
    assert!(metrics.contains("process_resident_memory_bytes"), "{metrics}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, which comes with prometheus");
    promtool.stdin.take().expect("a pipe").write_all(metrics.as_bytes()).expect("it reads");
    let told = promtool.wait_with_output().expect("an end");
    let words = [told.stdout, told.stderr].concat();
    assert!(told.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}
