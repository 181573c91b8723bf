//! Every error of the command line, settings, files and ledger. The tests provoke it, and check its
//! code and exit code.

use crate::scene::{BILL, SETTINGS, Scene};
use ledger::{Ledger, RunStart};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;

const HEADER: &str =
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ServiceName,ChargeCategory\n";

#[test]
fn settings_that_are_missing_or_wrong() {
    let scene = Scene::empty();
    scene.run("run").fails_with(1, "C101", "`apportion init` writes one");
    scene.run("--config other.toml costs").fails_with(1, "C101", "other.toml");
    let refused = |text: &str, code: &str, words: &str| {
        scene.write("apportion.toml", text);
        scene.run("run").fails_with(1, code, words);
    };
    refused(
        "ledger = 7\n",
        "C102",
        "apportion.toml:1:10: C102: invalid type: integer `7`, expected a text in quotes",
    );
    refused("ledger = \n", "C102", "apportion.toml:1:");
    refused(
        "[sources.aws]\nplugin = \"focus-file\"\ngrants = [\"table-decode\"]\n",
        "C104",
        "the source 'aws' has no paths",
    );
    refused("ruels = \"x\"\n", "C103", "Did you mean `rules`?");
    refused(
        "dimensions = [\"service\"]\n",
        "C104",
        "apportion.toml:1:15: C104: there is no dimension 'service'",
    );
    refused("[server]\nlisten = \"8080\"\n", "C104", "is not an address with a port");
}

#[test]
fn a_run_without_sources_says_what_to_add() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", "");
    scene.run("run").fails_with(1, "C104", "add a section `[sources.NAME]`");
}

#[test]
fn bills_that_are_not_there() {
    let scene = Scene::with_rules();
    scene.run("run").fails_with(1, "F101", "the source 'aws' finds no file at bills");
    fs::create_dir(scene.path("bills")).expect("a folder");
    scene.run("run").fails_with(1, "F101", "*.csv, *.csv.gz, *.csv.zip, *.parquet");
    assert!(!scene.path("apportion.db").exists(), "no ledger is made for nothing");
}

#[test]
fn bills_that_cannot_be_opened() {
    let scene = Scene::with_bill();
    let _socket = UnixListener::bind(scene.path("bills/socket.csv"))
        .expect("a socket, which nobody can open as a file");
    scene.run("run").fails_with(1, "F102", "bills/socket.csv cannot be read");
}

#[test]
fn a_folder_that_contains_itself() {
    let scene = Scene::with_bill();
    symlink(scene.path("bills"), scene.path("bills/again")).expect("a link");
    scene.run("run").fails_with(1, "F103", "contains itself through a link");
}

/// Opening a pipe would wait for its writer for ever.
#[test]
fn a_pipe_among_the_bills_is_refused_and_elsewhere_passed_over() {
    let scene = Scene::with_bill();
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(scene.path(name)).status();
        assert!(made.expect("mkfifo runs").success());
    };
    pipe("bills/notes");
    scene.run("run").expect(0);
    pipe("bills/late.csv");
    scene.run("run").fails_with(1, "F102", "late.csv cannot be read: it is a pipe");
    fs::remove_file(scene.path("bills/late.csv")).expect("the pipe can go");
    // A link to a device is no loop.
    symlink("/dev/zero", scene.path("bills/zero.csv")).expect("a link");
    scene.run("run").fails_with(
        1,
        "F102",
        "bills/zero.csv cannot be read: it is a pipe, a socket or a device, not a file",
    );
}

/// None of them is waited for, written into or replaced.
#[test]
fn a_ledger_is_a_file_and_nothing_else() {
    let scene = Scene::with_bill();
    let made = std::process::Command::new("mkfifo").arg(scene.path("pipe.db")).status();
    assert!(made.expect("mkfifo runs").success());
    let special = "it is a pipe, a socket or a device, not a file";
    for (ledger, why) in
        [("bills", "it is a folder, not a file"), ("/dev/null", special), ("pipe.db", special)]
    {
        scene.write("apportion.toml", &format!("ledger = \"{ledger}\"\n{SETTINGS}"));
        let expect = format!("error: {ledger}: L103: this is not an Apportion ledger: {why}\n");
        for command in ["run", "costs", "ledger verify", "period close 2026-01"] {
            scene.run(command).fails_with(1, "L103", &expect);
            scene.run(&format!("--ledger {ledger} {command}")).fails_with(1, "L103", &expect);
        }
    }
}

/// A bill that cannot be read as a whole fails its source; the other source is posted, and the run
/// is incomplete.
#[test]
fn a_broken_bill_stops_its_source_and_no_other() {
    let broken: [(&str, &[u8], &str); 5] = [
        ("cut.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "F104"),
        ("empty.csv", b"", "F105"),
        ("semicolons.csv", b"BilledCost;EffectiveCost;BillingCurrency;ChargePeriodStart;ServiceName\n1;1;USD;2026-01-01;S3\n", "F106"),
        ("lacking.csv", b"BilledCost,BillingCurrency,ServiceName\n1,USD,S3\n", "F107"),
        ("twice.csv", b"BilledCost,EffectiveCost,BilledCost,BillingCurrency,ChargePeriodStart\n1,1,1,USD,2026-01-01\n", "F108"),
    ];
    for (name, bytes, code) in broken {
        let scene = Scene::with_bill();
        scene.write(
            "apportion.toml",
            &format!(
                "{SETTINGS}[sources.other]\nplugin = \"focus-file\"\npaths = \
                [\"{name}\"]\ngrants = [\"table-decode\"]\n"
            ),
        );
        scene.write_bytes(name, bytes);
        let run = scene.run("run --format json").fails_with(3, "N101", "1 source failed");
        let json = run.json();
        assert_eq!(json["sources"][1]["failure"]["code"], code, "{name}: {}", run.stderr);
        assert_eq!(json["sources"][0]["charges"], 5);
        assert!(run.stderr.contains(&format!("{code}: ")), "{name}: {}", run.stderr);
        assert_eq!(json["conservation"][0]["charged"], "105.375000000");
    }
}

#[test]
fn rows_that_cannot_be_understood_are_shown_and_counted() {
    let scene = Scene::with_rules();
    let rows = "1,1,USD,2026-01-01,S3,Usage\n1,1,USD,yesterday,S3,Usage\nx,1,USD,2026-01-01,S3,Usage\n1,1,USD,2026-01-01\n2,2,U$D,2026-01-01,S3,Usage\n1,1,USD,2026-01-01,5\" \
        disk,Usage\n";
    scene.write("bills/a.csv", &format!("{HEADER}{rows}"));
    let run = scene.run("run").fails_with(3, "N101", "5 rows were set aside");
    for line in [
        "F201: bills/a.csv:3:9: ChargePeriodStart: 'yesterday'",
        "F201: bills/a.csv:4:1: BilledCost: 'x'",
        "F202: bills/a.csv:5: the row has 4 cells and the header 6",
        "F201: bills/a.csv:6:5: BillingCurrency: 'U$D'",
        "F203: bills/a.csv:7",
    ] {
        assert!(run.stdout.contains(line), "'{line}' is not in\n{}", run.stdout);
    }
    assert!(run.stdout.contains("aws: 1 charge, 5 set aside"), "{}", run.stdout);
    let allowed = scene.run("run --allow-incomplete").expect(0);
    assert!(allowed.stderr.starts_with("warning: N101: "), "{}", allowed.stderr);
    scene.run("ledger verify").expect(0);
}

#[test]
fn plugins_that_are_missing_wrong_or_without_grants() {
    let scene = Scene::with_bill();
    let with = |from: &str, to: &str| scene.write("apportion.toml", &SETTINGS.replace(from, to));
    with("\"focus-file\"", "\"focus-fiel\"");
    scene.run("run").fails_with(1, "P101", "Did you mean `focus-file`?");
    with("\"focus-file\"", "\"vendor.wasm\"");
    scene.run("run").fails_with(1, "P101", "the plugin vendor.wasm cannot be read");
    scene.write("vendor.wasm", "not a component");
    scene.run("run").fails_with(3, "N101", "it is not WebAssembly");
    scene.run("plugin inspect vendor.wasm").fails_with(1, "P102", "it is not WebAssembly");
    with("grants = [\"table-decode\"]", "grants = []");
    scene.run("run").fails_with(3, "N101", "grants = [\"table-decode\"]");
    with(
        "grants = [\"table-decode\"]",
        "grants = [\"table-decode\"]\nconfig = { date_ordr = \"iso\" }",
    );
    scene.run("run").fails_with(1, "P103", "Did you mean `date_order`?");
    scene.run("source check").fails_with(1, "P103", "date_ordr");
}

#[test]
fn rules_that_are_wrong() {
    let scene = Scene::with_bill();
    let rule = scene.read("rules/direct/team.rhai");
    scene.write("rules/direct/team.rhai", &rule.replace("charge.has_tag(", "charge.has_tag(("));
    scene.run("rule check").fails_with(1, "R101", "rules/direct/team.rhai:4:");
    scene.run("run").fails_with(1, "R101", "rules/direct/team.rhai:4:");
    scene.write(
        "rules/direct/team.rhai",
        &rule.replace("charge.has_tag(\"team\")", "charge.servce_name == \"x\""),
    );
    scene.run("rule check").fails_with(1, "R103", "service_name");
    scene.write(
        "rules/direct/team.rhai",
        &rule.replace("assign(charge.tag(\"team\"))", "assign(\"x\")"),
    );
    scene.run("rule test").fails_with(1, "R302", "a tagged charge");
    scene.write("rules/direct/team.cases.toml", "");
    scene.write(
        "rules/direct/team.rhai",
        &rule.replace("assign(charge.tag(\"team\"))", "throw \"no\""),
    );
    let run = scene.run("run").fails_with(3, "N101", "in suspense");
    assert!(run.stdout.contains("R202"), "{}", run.stdout);
    fs::remove_dir_all(scene.path("rules")).expect("the rules can go");
    scene.run("run").fails_with(1, "R303", "rules");
}

#[test]
fn queries_that_cannot_be_understood() {
    let scene = Scene::after_run();
    scene.run("costs --group-by taem").fails_with(1, "N202", "did you mean `team`?");
    scene.run("costs --from 2026-02 --to 2026-01").fails_with(
        1,
        "N202",
        "the period ends on 2026-01-31, before it starts on 2026-02-01",
    );
    scene.run("costs --filter team").fails_with(
        1,
        "N202",
        "write `team=payments`, or `team!=payments` for all others",
    );
    scene.run("costs --from 2026-13").fails_with(
        1,
        "N202",
        "'2026-13' is neither a day nor a month",
    );
    scene.run("costs --from 2026-03 --to 2026-01").fails_with(1, "N202", "before it starts");
    scene.run("explain nobody").fails_with(1, "N201", "nothing in the ledger is called 'nobody'");
}

#[test]
fn ledgers_that_are_missing_foreign_or_of_the_future() {
    let scene = Scene::with_bill();
    scene.run("costs").fails_with(1, "L101", "`apportion run` makes it");
    scene.write(
        "apportion.db",
        "no database at all, but long enough to be looked at as if it \
        were one, which takes a header of a hundred bytes",
    );
    scene.run("run").fails_with(1, "L103", "apportion.db");
    scene.run("ledger verify").fails_with(1, "L103", "apportion.db");
    // An empty file is a ledger that is not made yet.
    scene.write("apportion.db", "");
    scene.run("costs").fails_with(1, "L101", "`apportion run` makes it");
    scene.run("run").expect(0);
    let scene = Scene::after_run();
    // SQLite keeps `user_version` in bytes 60 to 63 of its header.
    let mut bytes = fs::read(scene.path("apportion.db")).expect("the ledger");
    bytes[63] = 99;
    fs::write(scene.path("apportion.db"), bytes).expect("the ledger");
    scene.run("run").fails_with(1, "L102", "format 99");
    scene.run("costs").fails_with(1, "L102", "format 99");
}

#[test]
fn a_second_run_is_told_of_the_first() {
    let scene = Scene::after_run();
    let mut first = Ledger::open(&scene.path("apportion.db")).expect("the ledger opens");
    let writing =
        first.begin(&RunStart { at_ms: 0, version: "test".into() }).expect("the first run begins");
    scene.run("run").fails_with(1, "L105", "");
    scene.run("costs").expect(0).says("payments");
    drop(writing);
    scene.run("run").expect(0);
}

/// Root may write everything. Under root, the binary therefore runs as the user `nobody`, from a
/// copy that this user can reach.
#[test]
fn a_ledger_that_cannot_be_written() {
    let scene = Scene::after_run();
    let readable = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions")
    };
    readable(&scene.path("apportion.db"), 0o444);
    let is_root = fs::OpenOptions::new().append(true).open(scene.path("apportion.db")).is_ok();
    let binary = scene.path("apportion");
    fs::copy(env!("CARGO_BIN_EXE_apportion"), &binary).expect("a copy of the binary");
    readable(&binary, 0o755);
    readable(&scene.path(""), 0o555);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&binary);
        command.args(arguments).current_dir(scene.path("")).env_clear();
        if is_root {
            command.uid(65534);
        }
        let output = command.output().expect("the binary runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (close, read) =
        (run(&["period", "close", "2026-01"]), run(&["costs", "--group-by", "team"]));
    readable(&scene.path(""), 0o755);
    assert_eq!(close.0, Some(1), "{}", close.2);
    assert!(close.2.starts_with("error: ") && close.2.contains("L104: "), "{}", close.2);
    assert_eq!(read.0, Some(0), "{}", read.2);
    assert!(read.1.contains("payments"), "{}", read.1);
    scene.run("--ledger no/such/folder/x.db run").fails_with(
        1,
        "L104",
        "choose a folder that exists",
    );
}

#[test]
fn a_ledger_that_was_tampered_with() {
    let scene = Scene::after_run();
    let path = scene.path("apportion.db");
    let bytes = fs::read(&path).expect("the ledger");
    // Wherever the name of the collected source stands in the file, another name is written over
    // it.
    let at: Vec<usize> = bytes
        .windows(12)
        .enumerate()
        .filter(|(_, window)| *window == b"provider/aws")
        .map(|(at, _)| at)
        .collect();
    assert!(!at.is_empty(), "the account's name stands in the file");
    let mut changed = bytes;
    at.iter().for_each(|at| changed[at + 9] = b'b');
    fs::write(&path, changed).expect("the ledger");
    scene.run("ledger verify").fails_with(1, "L201", "");
}

#[test]
fn serving_is_for_loopback_only() {
    let scene = Scene::with_rules();
    scene.run("serve --listen 0.0.0.0:8080").fails_with(1, "S101", "0.0.0.0:8080");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    scene.write("bills/a.csv", BILL);
    scene.run("run").expect(0);
    scene.run(&format!("serve --listen {address}")).fails_with(1, "S102", &address);
}
