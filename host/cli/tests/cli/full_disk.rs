//! A disk that fills at any write: files may grow to ever larger sizes, until the command is done.
//! Each failure says which file or disk it is about, and leaves everything as it was.

use crate::plans::{changed, planned};
use crate::scene::{Output, Scene};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The largest size that is tried, in blocks of 512 bytes.
const BLOCKS_MAX: u64 = 8_192;

/// The sizes of files that are allowed in turn: every one at first, then in steps that grow.
/// Smaller steps find no more, and each one takes three runs.
fn sizes() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0), |blocks| Some(blocks + 1 + blocks / 3))
        .take_while(|blocks| *blocks <= BLOCKS_MAX)
}

/// Runs a command of blanks and words while no file may become larger.
fn limited(scene: &Scene, command: &str, blocks: u64) -> Output {
    let binary = env!("CARGO_BIN_EXE_apportion");
    let script = format!("ulimit -f {blocks}; exec '{binary}' {command}");
    scene.output_of(scene.command_of("sh", &["-c", &script]))
}

/// All files but those of the ledger, with their content.
fn files(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(&scene.path(""), "", &mut found);
    found.retain(|name, _| !name.starts_with("apportion.db"));
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
}

/// What everybody bears, if there is a ledger.
fn figures(scene: &Scene) -> Vec<serde_json::Value> {
    let has_ledger = scene.path("apportion.db").exists();
    if has_ledger { scene.cost_rows("team,service_name") } else { Vec::new() }
}

/// Fails the command at every write in turn. Every failure has one of these words, and the first
/// word is in one of them. Afterwards the command goes well, and its figures are those of one that
/// met no full disk.
fn fill(command: &str, prepare: &dyn Fn() -> Scene, words: &[&str]) {
    let (mut failures, mut named) = (0, 0);
    let untroubled = prepare();
    untroubled.run(command).expect(0);
    let whole = figures(&untroubled);
    for blocks in sizes() {
        let scene = prepare();
        let before = files(&scene);
        let had_ledger = scene.path("apportion.db").exists();
        let output = limited(&scene, command, blocks);
        if output.code == 0 {
            assert!(failures > 0 && named > 0, "{command}: {failures} failures, {named} named");
            return;
        }
        failures += 1;
        let told = &output.stderr;
        // A plugin that cannot be kept ends with the code of plugins.
        assert!([1, 3].contains(&output.code), "{command} at {blocks}: {told}");
        assert!(words.iter().any(|word| told.contains(word)), "{command} at {blocks}: {told}");
        named += u32::from(words.first().is_some_and(|word| told.contains(word)));
        assert!(files(&scene) == before, "{command} at {blocks} left {:?}", files(&scene).keys());
        if had_ledger {
            scene.run("ledger verify").expect(0);
        }
        scene.run(command).expect(0);
        assert_eq!(figures(&scene), whole, "{command} at {blocks}");
        if scene.path("apportion.db").exists() {
            scene.run("ledger verify").expect(0);
        }
    }
    panic!("{command} never went well");
}

const STORAGE: &str = "L107: the ledger's storage reports: disk I/O error; nothing was kept";

#[test]
fn a_first_run_and_a_later_one() {
    fill("run --quiet", &Scene::with_bill, &[STORAGE]);
    let later = || {
        let scene = Scene::after_run();
        scene.write("bills/jan.csv", &crate::scene::BILL.replace("60,60", "61,61"));
        scene
    };
    fill("run --quiet", &later, &[STORAGE]);
}

#[test]
fn a_plan_that_is_applied() {
    fill("apply plan.json --quiet", &planned, &[STORAGE]);
}

#[test]
fn a_month_that_is_closed_and_opened_again() {
    fill("period close 2026-01 --quiet", &Scene::after_run, &[STORAGE]);
    let closed = || {
        let scene = Scene::after_run();
        scene.run("period close 2026-01 --quiet").expect(0);
        scene
    };
    fill("period reopen 2026-01 --reason credit --quiet", &closed, &[STORAGE]);
}

#[test]
fn an_approval_and_a_plan() {
    fill("rule approve --by Ada --note agreed", &planned, &[STORAGE]);
    fill("plan --out plan.json", &changed, &[STORAGE, "F102: plan.json cannot be written"]);
}

/// The plugin's folder and the lock are written together.
#[test]
fn a_plugin_that_is_installed() {
    let fetched = || {
        let scene = Scene::with_rules();
        scene.write_bytes("v1.wasm", test_artifacts::ACME_BILL);
        // Compiled into the cache, whose files are not those of this test.
        scene.run("plugin install v1.wasm").expect(0);
        for name in ["plugins", "plugins.lock"] {
            let path = scene.path(name);
            drop(fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)));
        }
        scene
    };
    let named = "cannot be written: File too large";
    fill("plugin install v1.wasm", &fetched, &[named, "cannot start: File too large"]);
}

#[test]
fn a_backup_says_that_it_is_the_backup() {
    let scene = Scene::after_run();
    let mut named = 0;
    for blocks in sizes() {
        let output = limited(&scene, "ledger backup copies.db", blocks);
        let left = files(&scene);
        if output.code == 0 {
            assert!(named > 0, "no failure was one of the backup");
            assert!(left.contains_key("copies.db"));
            return;
        }
        named += u32::from(output.stderr.contains("copies.db: L107: the backup cannot be written"));
        assert!(left.keys().all(|name| !name.starts_with("copies.db")), "{:?}", left.keys());
    }
    panic!("the backup never went well");
}

#[test]
fn files_of_rules_and_settings() {
    fill("init", &Scene::empty, &["F102: apportion.toml cannot be written", "cannot be written"]);
    fill("rule new network/nat --owner a@b.c", &Scene::with_rules, &["cannot be written"]);
}

/// A plugin that cannot be kept, since a file has the name of its folder, is in no lock.
#[test]
fn a_plugin_that_cannot_be_written_is_not_locked() {
    let scene = Scene::with_rules();
    scene.write_bytes("v1.wasm", test_artifacts::ACME_BILL);
    scene.write("plugins", "a file");
    let before = files(&scene);
    scene.run("plugin install v1.wasm").fails_with(3, "P104", "cannot be written");
    assert!(files(&scene) == before, "{:?}", files(&scene).keys());
}

/// A device that is always full: the plan is made, and the file is named that could not take it.
#[test]
fn a_plan_whose_file_cannot_be_written() {
    let scene = Scene::after_run();
    let told = scene.run("plan --out /dev/full").expect(1).stderr;
    assert!(told.contains("F102: /dev/full cannot be written: No space left"), "{told}");
}

/// The first run is killed within its first milliseconds, and the next one does all of it.
#[test]
fn a_first_run_that_is_killed_at_any_moment_is_made_again() {
    let whole = Scene::after_run().cost_rows("team");
    let mut caught = 0;
    for ms in [0, 1, 2, 4, 6, 9, 13, 18, 25, 33, 42, 60, 90, 140, 220, 350] {
        let scene = Scene::with_bill();
        let began = std::time::Instant::now();
        let mut run = scene.command(&["run", "--quiet"], &[]).spawn().expect("apportion starts");
        while began.elapsed().as_millis() < ms {
            std::thread::yield_now();
        }
        caught += u32::from(run.try_wait().expect("a child").is_none());
        run.kill().expect("kill");
        run.wait().expect("a child");
        scene.run("run --quiet").expect(0);
        assert_eq!(scene.cost_rows("team"), whole, "killed after {ms} ms");
        scene.run("ledger verify").expect(0);
    }
    assert!(caught >= 5, "only {caught} runs were caught alive");
}
