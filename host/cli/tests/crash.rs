//! `kill -9` at many points of a run: the ledger is as before the run or as after it, it verifies,
//! and the next run completes the work.

use std::fmt::Write;
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

/// Starts a run and kills it once the ledger's write-ahead log has grown to `bytes`. Returns
/// whether the run was still alive.
fn kill_at(folder: &Path, bytes: u64) -> bool {
    let mut run = apportion(folder, &["run", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("apportion starts");
    let size =
        |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len());
    loop {
        if run.try_wait().expect("a child").is_some() {
            return false;
        }
        if size("apportion.db-wal") >= bytes {
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
        caught += u32::from(kill_at(&folder, step * step * 4096));
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
