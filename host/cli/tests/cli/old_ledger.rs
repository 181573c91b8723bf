//! A ledger of an older version. `tests/old-ledger` was written by the last version whose charges
//! had no details: two runs over two months, with January closed in between.

use crate::scene::Scene;
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/old-ledger");

fn old(name: &str) -> String {
    std::fs::read_to_string(Path::new(FOLDER).join(name)).expect("a file of the old ledger")
}

fn old_ledger() -> Scene {
    let scene = Scene::empty();
    for name in [
        "apportion.toml",
        "rules/direct/team-tag.rhai",
        "rules/direct/team-tag.cases.toml",
        "bills/2026-01.csv",
        "bills/2026-02.csv",
    ] {
        scene.write(name, &old(name));
    }
    let packed = std::fs::read(Path::new(FOLDER).join("apportion.db.gz")).expect("the ledger");
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("gzip");
    std::fs::write(scene.path("apportion.db"), bytes).expect("a ledger");
    scene
}

const COSTS: &str = "costs --group-by team --granularity monthly --format csv";
const BEFORE: &str = "\
period_of_posting,team,currency,amount
2026-01,payments,USD,1.113600000
2026-01,search,USD,2.000000000
2026-02,payments,USD,1.113600000
2026-02,search,USD,3.000000000
";

#[test]
fn an_old_ledger_is_read_once_it_is_upgraded() {
    let scene = old_ledger();
    scene.run(COSTS).fails_with(1, "L104", "must be upgraded first");
    scene.run("run --stored").expect(0);
    assert_eq!(scene.run(COSTS).expect(0).stdout, BEFORE);
    assert!(scene.run("ledger verify").expect(0).stdout.contains("verified: 6 entries"));
    // Its charges have no details; the same bill brings them, and no entry changes.
    let again = scene.run("run").expect(0).stdout;
    assert!(again.contains("0 entries posted, 0 reversed"), "{again}");
    assert_eq!(scene.run(COSTS).expect(0).stdout, BEFORE);
    assert!(scene.run("ledger verify").expect(0).stdout.contains("verified"));
    let settled = scene.run("run").expect(0).stdout;
    assert!(settled.contains("0 days new, 0 changed, 4 unchanged"), "{settled}");
}

#[test]
fn an_old_ledger_stays_as_it_is_in_a_check_of_its_sources() {
    let scene = old_ledger();
    let ledger = || std::fs::read(scene.path("apportion.db")).expect("a ledger");
    let before = ledger();
    let check = scene.run("source check").expect(0);
    assert!(check.stderr.contains("must be upgraded first"), "{}", check.stderr);
    assert!(check.stderr.contains("warning: L104: the ledger was not read"), "{}", check.stderr);
    assert!(check.stdout.contains("  ledger        not read\n"), "{}", check.stdout);
    assert_eq!(ledger(), before);
}

#[test]
fn an_old_ledger_takes_new_bills() {
    let scene = old_ledger();
    // 3 becomes 4 in February, and January is closed: its correction of 1 is posted in February.
    let february = old("bills/2026-02.csv").replace("00Z,3,3,3,3,0.2,", "00Z,4,4,4,4,0.2,");
    scene.write("bills/2026-02.csv", &february);
    let january = old("bills/2026-01.csv").replace("00Z,2,2,2,2,0.2,", "00Z,3,3,3,3,0.2,");
    scene.write("bills/2026-01.csv", &january);
    scene.run("run").expect(0);
    let costs = scene.run("costs --group-by team --granularity total --format csv").expect(0);
    // payments: 2 × 1.1136; search: 3 + 4.
    assert_eq!(
        costs.stdout,
        "period_of_posting,team,currency,amount\n\
         total,payments,USD,2.227200000\n\
         total,search,USD,7.000000000\n"
    );
    assert!(scene.run("ledger verify").expect(0).stdout.contains("verified"));
}
