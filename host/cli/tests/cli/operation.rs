//! A bad day of an operator: rules that are broken at a restart, settings that break while `serve`
//! runs, runs that are stopped; and what the log, `/readyz` and `runs` say of it.

use crate::scene::{BILL, SETTINGS, Scene};
use crate::serving::{Server, json};
use serde_json::Value;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

fn reasons(server: &Server) -> Vec<Value> {
    let answer = server.get("/readyz");
    if answer.starts_with("HTTP/1.1 200") {
        return Vec::new();
    }
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    json(&answer)["reasons"].as_array().expect("reasons").clone()
}

fn costs_of_payments(server: &Server) -> String {
    server.get("/api/v1/costs/team/payments?start_date=2026-01-01&end_date=2026-01-31")
}

#[test]
fn serve_starts_with_the_rules_of_the_last_run_where_those_on_disk_are_broken() {
    let scene = Scene::after_run();
    let rule = scene.read("rules/shared/support.rhai");
    // The rule compiles and fails its case.
    scene.write("rules/shared/support.rhai", &rule.replace("by_cost()", "assign(\"search\")"));
    let mut server = Server::start(&scene);
    // 60 of its own, and 60 of 90 parts of 10 for support.
    assert!(costs_of_payments(&server).contains("66.666666666"));
    let found = reasons(&server);
    assert_eq!(
        (found.len(), &found[0]["part"], &found[0]["code"]),
        (2, &"rules".into(), &"R302".into())
    );
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    let in_force = json(&server.get("/api/v1/rules"));
    assert_eq!(in_force["rules"].as_array().map(Vec::len), Some(2), "{in_force}");
    scene.write("rules/shared/support.rhai", &rule);
    server.wait_for("the rules are well again");
    assert_eq!(reasons(&server), Vec::<Value>::new());
}

/// The settings do not collect any more what the rules read: neither the rules on disk nor those of
/// the last run can be compiled. Reports are answered, and runs are refused by name.
#[test]
fn serve_starts_without_rules_where_not_even_those_of_the_last_run_compile() {
    let scene = Scene::after_run();
    // A source that was never tried is due at once.
    let new = "[sources.new]\nplugin = \"focus-file\"\npaths = [\"bills\"]\n\
        grants = [\"table-decode\"]\nschedule = \"0 0 1 1 *\"\n";
    let settings = format!("dimensions = [\"provider_name\"]\n{SETTINGS}{new}");
    scene.write("apportion.toml", &settings);
    let server = Server::start(&scene);
    assert!(costs_of_payments(&server).contains("66.666666666"));
    assert_eq!(json(&server.get("/api/v1/rules"))["rules"], Value::Array(Vec::new()));
    let parts = |server: &Server| -> Vec<Value> {
        reasons(server).iter().map(|reason| reason["part"].clone()).collect()
    };
    while !parts(&server).contains(&"run".into()) {
        std::thread::yield_now();
    }
    assert!(parts(&server).contains(&"rules".into()));
    assert_eq!(json(&server.get("/api/v1/runs"))["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn before_the_first_run_broken_rules_are_refused() {
    let scene = Scene::with_bill();
    scene.write("rules/shared/support.rhai", "fn matches(");
    scene.run("serve --listen 127.0.0.1:0").fails_with(1, "R101", "rules/shared/support.rhai");
}

#[test]
fn settings_that_break_while_serve_runs_are_told_and_the_old_ones_stay() {
    let scene = Scene::after_run();
    let mut server = Server::start(&scene);
    assert_eq!(reasons(&server), Vec::<Value>::new());
    scene.write("apportion.toml", &format!("ruels = \"x\"\n{SETTINGS}"));
    let line = server.wait_for("C103");
    // Every line begins with its time.
    assert_eq!(line.as_bytes().get(4..5), Some(b"-".as_slice()), "{line}");
    assert!(line.contains("Z warning: apportion.toml:1:1: C103: there is no setting 'ruels' here"));
    server.wait_for("the settings of the start stay in force");
    assert_eq!(reasons(&server)[0]["part"], "settings");
    scene.write("apportion.toml", &format!("unknown_teams = \"warn\"\n{SETTINGS}"));
    server.wait_for("apportion.toml was saved; `serve` takes it when it is started again");
    assert_eq!(reasons(&server), Vec::<Value>::new());
    std::fs::remove_file(scene.path("apportion.toml")).expect("the settings");
    server.wait_for("C101");
    assert_eq!(reasons(&server)[0]["code"], "C101");
    scene.write("apportion.toml", SETTINGS);
    server.wait_for("apportion.toml is again as it was read");
}

/// One row of the scheduled run has no number as its cost.
#[test]
fn the_log_has_the_run_its_rows_set_aside_and_its_failures() {
    let scene = Scene::with_bill();
    scene.write("bills/jan.csv", &BILL.replace("30,30,USD", "thirty,30,USD"));
    scene.write(
        "apportion.toml",
        &SETTINGS.replace("[tags.team]", "schedule = \"0 0 1 1 *\"\n[tags.team]"),
    );
    let mut server = Server::start(&scene);
    let row = server.wait_for("row set aside");
    assert!(
        row.contains("F201") && row.contains("run=1") && row.contains("source=\"aws\""),
        "{row}"
    );
    assert!(row.contains("jan.csv:3"), "{row}");
    let collected = server.wait_for("collected aws");
    assert!(collected.contains("charges=4") && collected.contains("set_aside=1"), "{collected}");
    let ended = server.wait_for("run 1 is incomplete");
    assert!(ended.contains("reversed=0") && ended.contains("by=\"schedule of aws\""), "{ended}");
    let metrics = server.get("/metrics");
    for line in [
        "apportion_last_run_set_aside_rows{source=\"aws\"} 1",
        // The row that was set aside counts as well.
        "apportion_plugin_rows_total{plugin=\"focus-file\",source=\"aws\"} 5",
        "apportion_process_runs_total 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn refused_tokens_and_changes_leave_a_line() {
    let scene = Scene::after_run();
    let mut server = Server::start_with(&scene, &["--token-file", "token"]);
    let token = scene.read("token").trim().to_owned();
    let refused = server.post("/api/v1/plan/apply", "s3cret-that-is-wrong", "{}");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let line = server.wait_for("a change was refused: S205");
    assert!(line.contains("method=POST path=/api/v1/plan/apply"), "{line}");
    assert!(!line.contains("s3cret"), "{line}");
    for name in ["rules/shared/support.rhai", "rules/shared/support.cases.toml"] {
        let text = scene.read(name).replace("by_cost()", "assign(\"platform\")");
        scene.write(name, &text.replace("{ by_cost = {} }", "{ assign = \"platform\" }"));
    }
    server.wait_for("plan for rules ");
    let plan = json(&server.get("/api/v1/plan"));
    let body = serde_json::json!({
        "generation": plan["plan"]["generation"]["after"], "outcome": plan["plan"]["outcome"],
    });
    let applied = server.post("/api/v1/plan/apply", &token, &body.to_string());
    assert!(applied.starts_with("HTTP/1.1 200"), "{applied}");
    let line = server.wait_for("run 2 is complete");
    assert!(line.contains("by=\"plan over HTTP\"") && line.contains("method=POST"), "{line}");
}

#[test]
fn rows_set_aside_are_in_a_log_that_machines_read() {
    let scene = Scene::with_bill();
    scene.write("bills/jan.csv", &BILL.replace("30,30,USD", "thirty,30,USD"));
    let output = scene.run_with(&["run"], &[("APPORTION_LOG_FORMAT", "json")]).expect(3);
    let lines: Vec<Value> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let row = lines.iter().find(|line| {
        line["message"].as_str().is_some_and(|text| text.starts_with("row set aside"))
    });
    let row = row.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!((&row["run"], &row["source"]), (&1.into(), &"aws".into()));
    assert!(row["place"].as_str().is_some_and(|place| place.contains("jan.csv:3")), "{row}");
}

#[test]
fn runs_are_listed_with_what_they_moved() {
    let scene = Scene::after_run();
    scene.write("bills/jan.csv", &BILL.replace("60,60,USD", "70,70,USD"));
    scene.run("run").expect(0);
    std::fs::remove_dir_all(scene.path("bills")).expect("the bills");
    scene.run("run").expect(1);
    let text = scene.run("runs").expect(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("run  began (UTC)"), "{text}");
    assert!(
        lines.iter().any(|line| line.trim_start().starts_with("1  ") && line.contains("complete")),
        "{text}"
    );
    let runs = scene.run("runs --format json").expect(0).json();
    let of = |run: i64| {
        runs["runs"].as_array().expect("runs").iter().find(|known| known["id"] == run).cloned()
    };
    let first = of(1).expect("the first run");
    assert_eq!((&first["charges"], &first["state"]), (&5.into(), &"complete".into()));
    let second = of(2).expect("the second run");
    // Of 10 for support, payments pays 7 in place of 6.666666666, beside its 10 more. Search pays
    // as much less as payments pays more for it.
    let moved = serde_json::json!([{ "amount": "10.333333334", "currency": "USD" }]);
    assert_eq!(second["moved"], moved);
    assert_eq!(
        scene.run("runs --last 1 --format json").expect(0).json()["runs"].as_array().map(Vec::len),
        Some(1)
    );
}

/// A source that never answers, so that the run is under way when it is stopped.
#[test]
fn a_run_that_is_stopped_says_that_nothing_is_posted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (asked, was_asked) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let _read = stream.read(&mut [0; 1024]);
        asked.send(()).expect("the test waits");
        // Held open, and never answered.
        std::thread::park();
    });
    let scene = Scene::after_run();
    scene.write(
        "apportion.toml",
        &format!(
            r#"{SETTINGS}
[sources.acme]
plugin = "http-json"
grants = ["http"]
[sources.acme.http]
allow = ["GET http://{address}/"]
networks = ["127.0.0.0/8"]
[sources.acme.config]
url = "http://{address}/costs?from={{start}}&to={{end}}"
rows = "$.rows[*]"
[sources.acme.config.fields]
charge_period_start = "$.date"
billed_cost = "$.cost"
billing_currency = "$.currency"
service_name = "$.service"
"#
        ),
    );
    let arguments = ["run", "--from", "2026-03", "--to", "2026-03"];
    let run = scene.command(&arguments, &[]).stderr(Stdio::piped()).spawn().expect("a run");
    was_asked.recv().expect("the source is asked");
    let sent = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    let output = run.wait_with_output().expect("an end");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    let words = "stopped: the run is rolled back, and nothing of it is posted";
    assert!(told.contains(words), "{told}");
    let runs = scene.run("runs --format json").expect(0).json();
    assert_eq!(
        (&runs["runs"][0]["state"], &runs["runs"][0]["moved"]),
        (&"unfinished".into(), &serde_json::json!([]))
    );
    scene.run("ledger verify").expect(0);
}

#[test]
fn source_status_needs_no_ledger() {
    Scene::with_bill().run("source status").expect(0).says("aws\n").says("never");
}

/// A team whose name is a formula, another line and an escape sequence.
#[test]
fn names_move_no_cursor_and_become_no_formula() {
    let scene = Scene::with_bill();
    let hostile = BILL
        .replace("\"\"payments\"\"", "\"\"=cmd|calc\"\"")
        .replace("\"\"Search \"\"", "\"\"a\\nb\\u001b[2J\"\"");
    scene.write("bills/jan.csv", &hostile);
    scene.run("run").expect(0);
    for command in ["costs", "costs --group-by tag:team", "explain team/=cmd|calc"] {
        let told = scene.run(command).expect(0).stdout;
        assert!(!told.contains('\u{1b}'), "{command}: {told:?}");
    }
    assert!(scene.run("costs --group-by team").stdout.contains("a\\nb\\u{1b}[2j"));
    let csv = scene.run("costs --group-by team --format csv").expect(0).stdout;
    assert!(csv.contains(",'=cmd|calc,"), "{csv}");
}
