//! Properties: laws for many charges, and the smallest charge that breaks one.

use crate::support::{lines, rule, set_with_tables};
use rule_engine::cases::{self, CaseReport};
use rule_engine::code::CASE_FAILED;

/// A case, because a file needs one. It does not matter whether it passes.
const CASE: &str = "[[case]]\nname = \"c\"\ncharge = {}\nexpect = \"no match\"\n";

fn run(rule_text: &str, property: &str) -> CaseReport {
    let set = set_with_tables(&[("a/b", rule_text)], &[("accounts", "account,team\n111,web\n")]);
    let mut report = cases::run_sources(
        &[("a/b".to_owned(), format!("{CASE}[[property]]\nname = \"p\"\n{property}\n"))],
        &set,
    );
    report.failures.retain(|failure| failure.code != CASE_FAILED);
    report
}

/// A rule that fails on one tag only. For other tags, it names teams that a property may not list.
fn picky() -> String {
    rule(
        1,
        "charge.tag(\"team\").trim() != \"\"",
        "if charge.tag(\"team\") == \"nobody\" { throw \"who?\"; } assign(charge.tag(\"team\"))",
    )
}

fn broken(rule_text: &str, property: &str) -> (String, String) {
    let report = run(rule_text, property);
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
    let message = lines(&report.failures).concat();
    // The charge depends on the seed, and the report has the seed.
    let (message, charge) = message.split_once(" (charge ").unwrap_or((&message, ""));
    let seed = report.properties[0].seed;
    assert_eq!(charge, format!("{} of seed {seed})", report.properties[0].tried));
    (message.to_owned(), report.failures[0].hint_text().unwrap_or_default())
}

#[test]
fn what_holds_is_reported_with_its_seed_and_count() {
    let report = run(
        &picky(),
        "charges = { region_id = [\"a\", \"b\"], tags = { team = [\"x\", \"y\", \"z\"] } }\nalways \
         = { team_in = [\"x\", \"y\", \"z\"] }",
    );
    assert_eq!(crate::support::shown(&report.failures), "");
    let run = &report.properties[0];
    assert_eq!((run.rule.as_str(), run.name.as_str(), run.tried, run.holds), ("a/b", "p", 6, true));
    let again =
        self::run(&picky(), "charges = { tags = { team = { any = true } } }\nnever = \"no match\"");
    assert_eq!(again.properties[0].seed, run.seed);
}

#[test]
fn the_rule_s_own_texts_lead_to_the_charge_that_breaks_it_and_it_is_made_small() {
    let (message, hint) = broken(
        &picky(),
        "charges = { region_id = { any = true }, service_name = [\"EC2\", \"S3\"], tags = { team = \
         { any = true } } }\nnever = \"error\"",
    );
    assert_eq!(
        message,
        "a/b.cases.toml:8:1: R305: \"p\" does not hold: expected never an error, got R202 at 4:59: \
         the rule threw: who?"
    );
    assert_eq!(
        hint,
        "the smallest that was found: charge = { service_name = \"EC2\", tags = { team \
         = \"nobody\" } }"
    );
    let (message, hint) = broken(
        &picky(),
        "charges = { tags = { team = { any = true } } }\nalways = { team_in = [\"x\"] }",
    );
    assert!(message.contains("expected always only teams of x, got assign "), "{message}");
    // "xteam" was drawn; "", "x" and every single letter of it hold or are listed.
    assert_eq!(hint, "the smallest that was found: charge = { tags = { team = \"xt\" } }");
}

#[test]
fn answers_that_hang_on_what_should_not_count_are_found() {
    let nosy =
        rule(1, "true", "if charge.region_id == \"eu\" { assign(\"a\") } else { assign(\"b\") }");
    let (message, hint) =
        broken(&nosy, "charges = { service_name = \"EC2\" }\nindependent_of = [\"region_id\"]");
    assert!(
        message.contains("expected the same answer whatever region_id is, got assign "),
        "{message}"
    );
    assert!(hint.contains("region_id = \"eu\"") && hint.contains("\nand charge = "), "{hint}");
    let report = run(
        &nosy,
        "charges = { service_name = { any = true } }\nindependent_of = [\"sku_id\", \"tag:note\"]",
    );
    assert_eq!(crate::support::shown(&report.failures), "");
}

#[test]
fn shares_have_the_sign_of_the_amount() {
    let keep = rule(1, "true", "by_cost(#{ when_negative: \"keep\" })");
    let law = "amount = [\"100\", \"-100\"]\ncosts = { web = [\"100\", \"-20\"], mobile = \"100\" \
               }\nshares = \"positive\"";
    let (message, hint) = broken(&keep, law);
    // 100 by 100 : -20 is 125 and -25.
    assert!(message.ends_with("got mobile 125.000000000, web -25.000000000"), "{message}");
    assert_eq!(
        hint,
        "the smallest that was found: charge = {}, amount = \"100\", costs = { mobile = \"100\", \
         web = \"-20\" }"
    );
    let report = run(&rule(1, "true", "by_cost()"), law);
    assert_eq!(
        (crate::support::shown(&report.failures).as_str(), report.properties[0].tried),
        ("", 4)
    );
}

#[test]
fn properties_that_cannot_be_meant_are_refused_with_their_place() {
    for (property, expect) in [
        (
            "charges = {}",
            "a/b.cases.toml:5:1: R301: the property lacks a law: always, never, shares or \
             independent_of",
        ),
        (
            "never = \"eror\"",
            "a/b.cases.toml:7:9: R301: 'eror' is not an answer; there are \"decision\", \"no \
             match\", \"pass\", \"error\", \"unallocated\" and { team_in = [ … ] }",
        ),
        (
            "never = \"error\"\nalways = \"pass\"",
            "a/b.cases.toml:7:1: R301: a property has one law; write another [[property]] for the \
             other",
        ),
        (
            "charges = { regoin_id = \"a\" }\nnever = \"error\"",
            "a/b.cases.toml:7:13: R301: charges have no field 'regoin_id'; did you mean \
             'region_id'?",
        ),
        (
            "charges = { region_id = [] }\nnever = \"error\"",
            "a/b.cases.toml:7:25: R301: the list has no value",
        ),
        ("charges = { billed_cost = \"x\" }\nnever = \"error\"", "a/b.cases.toml:7:27: R301: "),
        (
            "shares = \"positive\"",
            "a/b.cases.toml:7:1: R301: shares are shares of something: add amount = \"100\"",
        ),
        (
            "nevr = \"error\"",
            "a/b.cases.toml:7:1: R301: a property does not know 'nevr'; did you mean 'never'?",
        ),
    ] {
        let found = lines(&run(&picky(), property).failures).concat();
        assert!(found.starts_with(expect), "{property}:\n{found}\nand not\n{expect}");
    }
}
