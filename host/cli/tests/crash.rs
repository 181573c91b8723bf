//! `kill -9` at many points of a run: the ledger is as before the run or as after it, it verifies,
//! and the next run completes the work.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn apportion(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apportion"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn output(folder: &Path, arguments: &[&str]) -> String {
    let output = apportion(folder, arguments).output().expect("apportion starts");
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {} {text} {errors}", output.status);
    text.into_owned()
}

/// A month of 30,000 charges, each day with costs of its own.
fn bill(factor: u32) -> String {
    let mut text = String::from(
        "ChargePeriodStart,BilledCost,EffectiveCost,BillingCurrency,ServiceName,ChargeCategory,ResourceId,Tags\n",
    );
    for row in 0..30_000_u32 {
        let (day, team) = (row % 30 + 1, ["payments", "search", "web"][row as usize % 3]);
        let cost = (row * 7919 % 100_003) * factor;
        writeln!(text, "2026-09-{day:02}T00:00:00Z,0.{cost:07},0.{cost:07},USD,Compute,Usage,vm-{},\"{{\"\"team\"\":\"\"{team}\"\"}}\"", row % 997)
            .expect("memory");
    }
    text
}

fn prepare(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(folder.join("bills")).expect("a folder");
    output(&folder, &["init"]);
    std::fs::write(folder.join("bills/bill.csv"), bill(1)).expect("a bill");
    folder
}

fn costs(folder: &Path) -> String {
    output(
        folder,
        &["costs", "--group-by", "team,service_name", "--granularity", "daily", "--format", "csv"],
    )
}

/// Starts a run and kills it once a file of the ledger has grown to `bytes`. Returns whether the
/// run was still alive.
fn kill_at(folder: &Path, file: &str, bytes: u64) -> bool {
    let mut run = apportion(folder, &["run", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("apportion starts");
    let file = folder.join(file);
    let size = || std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    loop {
        if run.try_wait().expect("a child").is_some() {
            return false;
        }
        if size() >= bytes {
            run.kill().expect("kill");
            run.wait().expect("a child");
            return true;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_run_leaves_all_or_nothing() {
    let folder = prepare("crash");
    output(&folder, &["run", "--quiet"]);
    let before = costs(&folder);
    let clean = prepare("crash-clean");
    std::fs::write(clean.join("bills/bill.csv"), bill(3)).expect("a bill");
    output(&clean, &["run", "--quiet"]);
    let after = costs(&clean);
    assert_ne!(before, after);

    std::fs::write(folder.join("bills/bill.csv"), bill(3)).expect("a bill");
    let mut caught = 0;
    for step in 0..24_u64 {
        caught += u32::from(kill_at(&folder, "apportion.db-wal", step * step * 4096));
        let now = costs(&folder);
        assert!(
            now == before || now == after,
            "killed at step {step}, the costs are neither those before nor those after"
        );
        assert!(output(&folder, &["ledger", "verify"]).contains("verified"));
        if now == after {
            break;
        }
    }
    assert!(caught >= 3, "only {caught} runs were caught alive");
    output(&folder, &["run", "--quiet"]);
    assert_eq!(costs(&folder), after);
    assert!(output(&folder, &["ledger", "verify"]).contains("verified"));
}

/// The first run is killed while it makes the ledger: when the file is there, when it has its first
/// page, and while its log grows.
#[test]
fn a_first_run_that_is_killed_is_made_again() {
    let folder = prepare("crash-first");
    output(&folder, &["run", "--quiet"]);
    let whole = costs(&folder);
    let mut caught = 0;
    for (file, bytes) in [
        ("apportion.db", 0),
        ("apportion.db", 1),
        ("apportion.db-wal", 1),
        ("apportion.db-wal", 64 * 1024),
        ("apportion.db-wal", 256 * 1024),
    ] {
        for name in ["apportion.db", "apportion.db-wal", "apportion.db-shm"] {
            drop(std::fs::remove_file(folder.join(name)));
        }
        caught += u32::from(kill_at(&folder, file, bytes));
        output(&folder, &["run", "--quiet"]);
        assert_eq!(costs(&folder), whole, "killed at {bytes} bytes of {file}");
        assert!(output(&folder, &["ledger", "verify"]).contains("verified"));
    }
    assert!(caught >= 3, "only {caught} runs were caught alive");
}

/// Each of two first runs posts, or says that the other holds the ledger.
#[test]
fn two_first_runs_at_one_time_both_end_well() {
    let folder = prepare("crash-two");
    for round in 0..5 {
        for name in ["apportion.db", "apportion.db-wal", "apportion.db-shm"] {
            drop(std::fs::remove_file(folder.join(name)));
        }
        let start = || {
            let mut run = apportion(&folder, &["run", "--quiet"]);
            run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("apportion starts")
        };
        let runs = [start(), start()].map(|run| run.wait_with_output().expect("a child"));
        let has_posted = runs.each_ref().map(|run| run.status.success());
        assert!(has_posted.contains(&true), "round {round}: {runs:?}");
        for run in runs.iter().filter(|run| !run.status.success()) {
            let text = String::from_utf8_lossy(&run.stderr);
            assert!(text.contains("L105: another run is writing to the ledger"), "{text}");
        }
        assert!(output(&folder, &["ledger", "verify"]).contains("verified"));
    }
}

/// The ledger of an older version that `tests/old-ledger` has.
fn old_ledger(name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old-ledger");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    for name in [
        "apportion.toml",
        "rules/direct/team-tag.rhai",
        "rules/direct/team-tag.cases.toml",
        "bills/2026-01.csv",
        "bills/2026-02.csv",
    ] {
        let to = folder.join(name);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(from.join(name), to).expect("a file of the old ledger");
    }
    let packed = std::fs::read(from.join("apportion.db.gz")).expect("the ledger");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("gzip");
    std::fs::write(folder.join("apportion.db"), bytes).expect("a ledger");
    folder
}

/// The first run of a new version upgrades the ledger. It is killed before, while and after it
/// does; the next one finds the old ledger or the upgraded one, whole.
#[test]
fn an_upgrade_that_is_killed_leaves_the_ledger_whole() {
    let clean = old_ledger("crash-upgrade-clean");
    output(&clean, &["run", "--quiet"]);
    let after = costs(&clean);
    let mut caught = 0;
    for bytes in [1, 8 * 1024, 32 * 1024, 64 * 1024, 96 * 1024, 128 * 1024, 192 * 1024] {
        let folder = old_ledger("crash-upgrade");
        caught += u32::from(kill_at(&folder, "apportion.db-wal", bytes));
        output(&folder, &["run", "--quiet"]);
        assert_eq!(costs(&folder), after, "killed at {bytes} bytes");
        assert!(output(&folder, &["ledger", "verify"]).contains("verified"));
    }
    assert!(caught >= 3, "only {caught} runs were caught alive");
}
