//! Rules, decisions and weights as they were: stored once, never changed.

use crate::fixture::{OneRule, charge, day, end, findings, good, run, source_day, start, usd};
use domain::code;
use domain::decision::{Decision, Outcome, OutcomeId, RuleIndex, Verdict};
use domain::generation::Generation;
use domain::recipient::{Recipient, Target};
use domain::run::RunId;
use domain::sharing::Sharing;
use domain::split::Shares;
use ledger::{GenerationId, Ledger, Weights};

fn outcome(team: &str) -> Outcome {
    Outcome {
        verdict: Verdict::Decided {
            rule: RuleIndex(0),
            decision: Decision::Assign(Recipient::team(team)),
        },
    }
}

#[test]
fn rules_come_back_as_they_were_and_are_stored_once() {
    let mut ledger = good(Ledger::in_memory());
    let (first, second) = (OneRule::new("g1"), OneRule::new("g2"));
    for rules in [&first, &second, &first] {
        run(&mut ledger, rules, &source_day("aws", "2026-01-03"), &[charge("payments", 1, 1)]);
    }
    let id = |digest: &str| good(ledger.generation_id(&Generation::parse(digest)));
    assert_eq!(
        [id("g1"), id("g2"), id("g3")],
        [Some(GenerationId(1)), Some(GenerationId(2)), None]
    );
    assert_eq!(good(ledger.generation(GenerationId(2))), Some(Generation::new("g2", None)));
    let uses: Vec<(RunId, u64)> =
        good(ledger.generations()).iter().map(|row| (row.run, row.runs)).collect();
    assert_eq!(uses, [(RunId(1), 2), (RunId(2), 1)]);
    assert_eq!(good(ledger.rules(GenerationId(1))), first.facts);
    assert_eq!(good(ledger.rules(GenerationId(2))), second.facts);
    assert_eq!(good(ledger.tables(GenerationId(2))), domain::port::Rules::tables(&second));
}

#[test]
fn decisions_grow_and_do_not_change() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let known = [Outcome { verdict: Verdict::Unallocated }, outcome("a"), outcome("b")];
    let decided = [OutcomeId(1), OutcomeId::PER_CHARGE, OutcomeId(0), OutcomeId(2)];
    for count in [2, 4] {
        let mut transaction = good(ledger.begin(&start()));
        let generation = good(transaction.save_generation(&rules, None));
        good(transaction.save_decisions(generation, &known[..count.min(3)], &decided[..count]));
        good(transaction.commit(&end(generation)));
    }
    assert_eq!(good(ledger.decisions(GenerationId(1))), decided);
    assert_eq!(good(ledger.outcomes(GenerationId(1))), known);
    assert_eq!(good(ledger.decisions(GenerationId(2))), []);
    let mut transaction = good(ledger.begin(&start()));
    let mut refused = |outcomes: &[Outcome], decisions: &[OutcomeId]| {
        transaction
            .save_decisions(GenerationId(1), outcomes, decisions)
            .map_err(|error| (error.code, error.message))
    };
    assert_eq!(
        refused(&known, &[OutcomeId(1), OutcomeId(1)]),
        Err((code::INTERNAL, "the decision of generation 1 for resource 1 would change".into()))
    );
    assert_eq!(
        refused(&known, &[OutcomeId(3)]),
        Err((code::INTERNAL, "a decision names outcome 3 of 3".into()))
    );
    let changed = refused(&[outcome("z")], &[])
        .map_err(|(code, message)| (code, message.starts_with("outcome 0 of generation 1 was ")));
    assert_eq!(changed, Err((code::INTERNAL, true)));
}

#[test]
fn weights_hold_until_they_change() {
    let mut ledger = good(Ledger::in_memory());
    let rules = OneRule::new("g1");
    let full = Target { cost_center: Some("4711".into()), ..Target::team("b") };
    let weights = |share| {
        let shares = Shares::cumulated(vec![share, i64::MAX], i64::MAX)
            .unwrap_or_else(|error| panic!("{error}"));
        vec![Weights {
            outcome: OutcomeId(0),
            sharing: Sharing {
                recipients: vec![Recipient::Unallocated, full.clone().into()],
                shares,
                refunds: None,
            },
            step: 3,
        }]
    };
    let place = day("2026-01-03");
    for given in [weights(5), weights(5), weights(6), Vec::new()] {
        let mut transaction = good(ledger.begin(&start()));
        let generation = good(transaction.save_generation(&rules, None));
        good(transaction.save_decisions(
            generation,
            &[Outcome { verdict: Verdict::Unallocated }],
            &[],
        ));
        good(transaction.save_weights(place, usd(), &given));
        good(transaction.commit(&end(generation)));
    }
    for (run, expected) in [(1, weights(5)), (2, weights(5)), (3, weights(6)), (4, Vec::new())] {
        assert_eq!(good(ledger.weights(RunId(run), place, usd())), expected, "run {run}");
    }
    assert_eq!(good(ledger.weights(RunId(0), place, usd())), []);
    assert_eq!(good(ledger.weights(RunId(3), place.plus(1), usd())), []);
    assert_eq!(findings(&ledger), Vec::<String>::new());
}
