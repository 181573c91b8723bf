//! A process that is killed at any of its writes to the ledger's log. SQLite writes the log from
//! its start to its end, so each length of it is the state that a kill leaves: between two pages,
//! and within one.

use crate::plans::planned;
use crate::scene::Scene;
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use domain::period::Period;
use ledger::{BalanceFilter, Bucket, Reader};
use std::fs;
use std::path::Path;

/// The header of the log, and that of each page in it, before its 8 KiB.
const LOG_HEADER: usize = 32;
const FRAME: usize = 24 + 8192;

fn opened(ledger: &Path) -> Reader {
    Reader::open(ledger).unwrap_or_else(|error| panic!("{error}"))
}

/// All that a command could have changed by halves.
fn state(ledger: &Path) -> String {
    let reader = opened(ledger);
    let read = || -> Result<String, Diagnostic> {
        assert_eq!(reader.verify(&mut |_| {})?.findings, []);
        let mut told = format!("{:?}", reader.closed_months()?);
        for axis in Axis::ALL {
            let filter = BalanceFilter::of(Period::all()).on(axis).by(Bucket::Day);
            told += &format!("{:?}", reader.balances(&filter)?);
        }
        reader.approvals()?.into_iter().for_each(|approval| told += &approval.approver);
        Ok(told)
    };
    read().unwrap_or_else(|error| panic!("{error}"))
}

/// Makes the command once, and then again from each state that a kill could have left of it.
fn killed_at_each_write(prepare: &dyn Fn() -> Scene, command: &[&str]) {
    let scene = prepare();
    let (ledger, log) = (scene.path("apportion.db"), scene.path("apportion.db-wal"));
    let (file, before) = (fs::read(&ledger).expect("a ledger"), state(&ledger));
    let lay = |written: &[u8]| {
        // The index of the log does not outlive a crash of the machine.
        drop(fs::remove_file(scene.path("apportion.db-shm")));
        fs::write(&ledger, &file).expect("the ledger");
        fs::write(&log, written).expect("the log");
    };
    // While somebody reads, the log is not emptied into the file.
    let reader = opened(&ledger);
    reader.hold().unwrap_or_else(|error| panic!("{error}"));
    scene.run_with(command, &[]).expect(0);
    let written = fs::read(&log).expect("a log");
    assert!(fs::read(&ledger).expect("a ledger") == file, "{command:?} wrote into the file itself");
    drop(reader);
    let after = state(&ledger);
    assert_ne!(before, after, "{command:?}");

    let frames = (written.len() - LOG_HEADER) / FRAME;
    let lengths = (0..=frames).flat_map(|frame| {
        let end = LOG_HEADER + frame * FRAME;
        [end, (end + FRAME / 2).min(written.len())]
    });
    let (mut halves, mut is_done) = (0, false);
    for (number, length) in [0, LOG_HEADER / 2].into_iter().chain(lengths).enumerate() {
        lay(&written[..length]);
        let now = state(&ledger);
        let place = format!("{command:?}, killed after {length} bytes of {}", written.len());
        assert!(now == before && !is_done || now == after, "{place}: {now}");
        is_done = now == after;
        // Each start of the command takes a while, so the further writes are taken in larger steps.
        if !is_done && (number < 8 || number.is_multiple_of(1 + frames / 8)) {
            lay(&written[..length]);
            halves += 1;
            scene.run_with(command, &[]).expect(0);
            assert_eq!(state(&ledger), after, "{place}, then made again");
        }
    }
    assert!(is_done && halves >= 4, "{command:?}: {halves} of {frames} pages");
}

#[test]
fn a_run_of_a_changed_bill() {
    let prepare = || {
        let scene = Scene::after_run();
        scene.write("bills/jan.csv", &crate::scene::BILL.replace("60,60", "61,61"));
        scene
    };
    killed_at_each_write(&prepare, &["run", "--quiet"]);
}

#[test]
fn an_approval_a_plan_and_a_close() {
    let approve = ["rule", "approve", "--by", "Ada", "--note", "as agreed"];
    killed_at_each_write(&planned, &approve);
    killed_at_each_write(&planned, &["apply", "plan.json", "--quiet"]);
    let close = ["period", "close", "2026-01", "--quiet", "--because", "booked"];
    killed_at_each_write(&Scene::after_run, &close);
    let closed = || {
        let scene = Scene::after_run();
        scene.run_with(&close, &[]).expect(0);
        scene
    };
    killed_at_each_write(&closed, &["period", "reopen", "2026-01", "--reason", "a credit"]);
}
