//! Approvals stay, and the digests of a journal tell whether anything has moved.

use crate::fixture::{OneRule, charge, findings, good, month, run, source_day};
use ledger::code;
use ledger::{Approval, Ledger};

fn approval(generation: &str, note: &str) -> Approval {
    Approval {
        at_ms: 7,
        approver: "Ada".into(),
        note: note.into(),
        generation: generation.into(),
        plan: Some("{\"a\": 1}".into()),
    }
}

#[test]
fn approvals_are_kept_in_order_and_hold_for_their_generation_only() {
    let mut ledger = good(Ledger::in_memory());
    good(ledger.approve(&approval("g1", "looked at")));
    good(ledger.approve(&Approval { plan: None, ..approval("g2", "looked at again") }));
    assert_eq!(
        good(ledger.approvals()),
        [approval("g1", "looked at"), Approval { plan: None, ..approval("g2", "looked at again") }]
    );
    assert_eq!((good(ledger.is_approved("g1")), good(ledger.is_approved("g3"))), (true, false));
    assert_eq!(findings(&ledger), Vec::<String>::new());
    for wrong in
        [approval("g1", " "), Approval { approver: String::new(), ..approval("g1", "looked at") }]
    {
        assert_eq!(ledger.approve(&wrong).map_err(|error| error.code), Err(code::APPROVAL_INVALID));
    }
}

#[test]
fn digests_move_with_what_they_are_over_and_with_nothing_else() {
    let mut ledger = good(Ledger::in_memory());
    let digests = |ledger: &Ledger| {
        (good(ledger.identity()), good(ledger.inputs_digest()), good(ledger.standing_digest()))
    };
    assert_eq!(digests(&ledger).0, None);
    let place = source_day("aws", "2026-01-03");
    run(&mut ledger, &OneRule::new("g1"), &place, &[charge("payments", 10, 8)]);
    let first = digests(&ledger);
    run(&mut ledger, &OneRule::new("g1"), &place, &[charge("payments", 10, 8)]);
    assert_eq!(digests(&ledger), first, "the same charges again move nothing");
    good(ledger.close_period(month("2025-12"), 1, "done"));
    let closed = digests(&ledger);
    assert_eq!((&closed.0, &closed.2), (&first.0, &first.2));
    assert_ne!(closed.1, first.1, "a closed month sends corrections elsewhere");
    run(&mut ledger, &OneRule::new("g1"), &place, &[charge("payments", 10, 9)]);
    let changed = digests(&ledger);
    assert_eq!(changed.0, first.0);
    assert!(changed.1 != closed.1 && changed.2 != closed.2);
}

#[test]
fn a_scratch_copy_can_be_written_and_leaves_the_journal_alone() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let mut ledger = good(Ledger::open_or_create(&folder.path().join("a.ledger")));
    let place = source_day("aws", "2026-01-03");
    run(&mut ledger, &OneRule::new("g1"), &place, &[charge("payments", 10, 8)]);
    let before = good(ledger.standing_digest());
    let mut scratch = good(ledger.scratch(&mut |_, _| {}));
    assert_eq!(
        (good(scratch.identity()), good(scratch.standing_digest())),
        (good(ledger.identity()), before.clone())
    );
    run(&mut scratch, &OneRule::new("g2"), &place, &[charge("search", 10, 8)]);
    assert_ne!(good(scratch.standing_digest()), before);
    assert_eq!((findings(&scratch), good(ledger.standing_digest())), (Vec::new(), before));
    drop(scratch);
    let left = std::fs::read_dir(folder.path())
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
        .map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| name.to_string_lossy().starts_with("a.ledger")));
}
