//! The state of sources: status, reset, the cost of plugins, and collecting on schedule while
//! `serve` answers.

use crate::scene::{BILL, SETTINGS, Scene};
use crate::serving::Server;

#[test]
fn a_status_shows_how_fresh_a_source_is_and_a_calendar_of_its_days() {
    let scene = Scene::after_run();
    scene.write("bills/jan.csv", &BILL.replace("60,60,USD", "61,61,USD"));
    scene.run("run").expect(0);
    let status = scene.run("source status aws").expect(0);
    let lines: Vec<&str> = status.stdout.lines().collect();
    assert_eq!(lines[0], "aws (focus-file 0.1.0)");
    assert!(
        lines[1].starts_with("  last success  ") && lines[1].ends_with(" UTC, run 2"),
        "{}",
        lines[1]
    );
    // 5 January was restated. 1 February is as it was first collected. Between them the bill has no
    // charges.
    let expected = [
        "  newest day    2026-02-01".to_owned(),
        format!("  2026-01       {}r{}", " ".repeat(4), ".".repeat(26)),
        "  2026-02       #".to_owned(),
        "                # full  r restated  . empty".to_owned(),
    ];
    assert_eq!(lines[2..], expected);
    let json = scene.run("source status --format json").expect(0).json();
    assert_eq!(
        (&json[0]["name"], &json[0]["attempts"], &json[0]["gap_days"]),
        (&"aws".into(), &2.into(), &0.into())
    );
    assert_eq!(
        json[0]["coverage"][0],
        serde_json::json!({ "start_date": "2026-01-05", "end_date": "2026-01-05", "state": "restated" })
    );
    let reset = scene.run("source reset aws").expect(0);
    assert!(reset.stderr.contains("aws has no state"), "{}", reset.stderr);
    scene.run("source status asw").fails_with(2, "C201", "Did you mean `aws`?");
}

#[test]
fn what_plugins_cost_is_shown_by_source() {
    let scene = Scene::after_run();
    scene.run("run").expect(0);
    let stats = scene.run("plugin stats --format json").expect(0).json();
    assert_eq!(
        (&stats[0]["plugin"], &stats[0]["source"], &stats[0]["runs"]),
        (&"focus-file".into(), &"aws".into(), &2.into())
    );
    // The plugin was started for two collections. It names its table and sends no requests. It
    // looks for manifests, by an optional power that it has not; nothing was denied.
    assert_eq!(
        (&stats[0]["cost"]["starts"], &stats[0]["cost"]["requests"], &stats[0]["cost"]["denials"]),
        (&2.into(), &0.into(), &0.into())
    );
    assert!(
        stats[0]["cost"]["host_calls"].as_u64() > Some(0)
            && stats[0]["cost"]["memory_bytes"].as_u64() > Some(0),
        "{stats}"
    );
    let table = scene.run("plugin stats").expect(0).stdout;
    assert!(
        table.starts_with("plugin      source  runs  starts  seconds  waited  MiB  rows"),
        "{table}"
    );
}

#[test]
fn windows_and_schedules_that_cannot_be_are_refused_with_their_place() {
    let scene = Scene::with_bill();
    let with = |line: &str| {
        scene.write(
            "apportion.toml",
            &SETTINGS.replace("paths = [\"bills\"]\n", &format!("paths = [\"bills\"]\n{line}\n")),
        )
    };
    for (line, words) in [
        (
            "schedule = \"60 * * * *\"",
            "apportion.toml:4:12: C104: '60 * * * *' is not a schedule: '60' is not a minute from \
                0 to 59",
        ),
        (
            "since = \"2026-01-01\"",
            "apportion.toml:4:9: C104: the source 'aws' has paths, which are read whole",
        ),
        (
            "restate_days = 3",
            "apportion.toml:4:16: C104: the source 'aws' has paths, which are read whole",
        ),
    ] {
        with(line);
        scene.run("run").fails_with(1, "C104", words);
    }
}

#[test]
fn serve_collects_what_is_due_and_one_source_that_fails_blocks_no_other() {
    let scene = Scene::with_bill();
    let tags = SETTINGS.split_once("\n\n").map_or("", |(_, tags)| tags);
    let due = |name: &str, paths: &str| {
        format!(
            "[sources.{name}]\nplugin = \"focus-file\"\npaths = [\"{paths}\"]\ngrants = \
                [\"table-decode\"]\nschedule = \"0 0 1 1 *\"\n"
        )
    };
    scene.write(
        "apportion.toml",
        &format!("{}{}{tags}", due("aws", "bills"), due("lost", "nowhere.csv")),
    );
    // Neither source was ever tried, so both are due at once. They are not due again before the new
    // year.
    let mut server = Server::start(&scene);
    server.wait_for("collected aws, lost as scheduled: run 1 is incomplete");
    let answer = server.get("/api/v1/sources");
    assert!(
        answer.contains(r#""last_success":{"run":1,"at":""#) && answer.contains(r#""code":"F101""#),
        "{answer}"
    );
    // 60 of EC2, and two thirds of the 10 for support.
    let costs = server.get("/api/v1/costs/team/payments?start_date=2026-01-01&end_date=2026-01-31");
    assert!(costs.contains("66.666666"), "{costs}");
    drop(server);
    let status = scene.run("source status lost").expect(0).stdout;
    assert!(
        status.contains("  last success  never\n")
            && status.contains(": F101: the source 'lost' finds no file at nowhere.csv"),
        "{status}"
    );
    assert!(status.contains("-01-01 00:00 UTC, by `serve` (\"0 0 1 1 *\")"), "{status}");
    scene.run("ledger verify").expect(0);
}
