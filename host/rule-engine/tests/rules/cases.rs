//! The language of cases, and their reports.

use crate::support::{lines, rule, set, shown};
use rule_engine::cases::{CaseReport, run_sources};
use rule_engine::set::RuleSet;

fn report(set: &RuleSet, cases: &str) -> CaseReport {
    run_sources(&[("r".to_owned(), cases.to_owned())], set)
}

fn one(allocate: &str) -> RuleSet {
    set(&[("r", &rule(1, "charge.service_name != \"none\"", allocate))])
}

/// The report of a single case with this expectation.
fn expecting(allocate: &str, expect: &str) -> String {
    let cases =
        format!("[[case]]\nname = \"n\"\ncharge = {{ service_name = \"x\" }}\nexpect = {expect}\n");
    let report = report(&one(allocate), &cases);
    assert_eq!(report.passed, usize::from(report.failures.is_empty()));
    lines(&report.failures).join("\n")
}

/// A rule that fails is told where it failed, and any other answer where the case expects another.
fn place_of(told: &str) -> &'static str {
    if told.contains("got R") { "r.rhai:4:23" } else { "r.cases.toml:4:10" }
}

#[test]
fn every_expectation_can_pass_and_fail() {
    for (allocate, pass, fail, told) in [
        (
            "assign(\"a\")",
            "{ assign = \"a\" }",
            "{ assign = \"b\" }",
            "expected assign b, got assign a",
        ),
        (
            "assign(#{team: \"a\", environment: \"p\"})",
            "{ assign = { team = \"a\", environment = \"p\" } }",
            "{ assign = \"a\" }",
            "expected assign a, got assign a (environment=p)",
        ),
        (
            "split(#{a: 60, b: 40})",
            "{ split = { b = \"0.4\", a = \"0.6\" } }",
            "{ split = { a = 50, b = 50 } }",
            "expected split a 50, b 50, got split a 60, b 40",
        ),
        (
            "split([[\"b\", 1], [\"a\", 2]])",
            "{ split = [[\"b\", \"1\"], { team = \"a\", weight = 2 }] }",
            "{ split = [[\"a\", 2], [\"b\", 1]] }",
            "expected split a 2, b 1, got split b 1, a 2",
        ),
        (
            "even([\"b\", \"a\"])",
            "{ even = [\"b\", \"a\"] }",
            "{ even = [\"a\", \"b\"] }",
            "expected split a 1, b 1, got split b 1, a 1",
        ),
        (
            "by_cost(#{basis: \"list_cost\"})",
            "{ by_cost = { basis = \"list_cost\" } }",
            "{ by_cost = { when_zero = \"even\" } }",
            "expected by_cost all teams when_zero even, got by_cost all teams basis list_cost",
        ),
        (
            "by_cost([\"a\"], #{environment: \"p\"})",
            "{ by_cost = { teams = [\"a\"], filter = { environment = \"p\" } } }",
            "{ by_cost = { teams = [\"a\"] } }",
            "expected by_cost a, got by_cost a where tag:environment = \"p\"",
        ),
        (
            "exclude(\"why\")",
            "{ exclude = \"why\" }",
            "{ exclude = \"not\" }",
            "expected exclude \"not\", got exclude \"why\"",
        ),
        ("pass()", "\"pass\"", "\"no match\"", "expected no match, got pass"),
        (
            "throw 1",
            "{ error = \"R202\" }",
            "{ error = \"R203\" }",
            "expected error R203, got R202 at 4:23: the rule threw: 1",
        ),
    ] {
        assert_eq!(expecting(allocate, pass), "", "{pass}");
        assert_eq!(
            expecting(allocate, fail),
            format!("{}: R302: \"n\": {told}", place_of(told)),
            "{fail}"
        );
    }
}

#[test]
fn nothing_unknown_is_passed_over() {
    for (cases, told) in [
        (
            "[[cases]]\nname = \"n\"\n",
            "r.cases.toml:1:3: R301: the file does not know 'cases'; there are [[case]], \
             [[property]] and [tables]",
        ),
        (
            "[[case]]\nname = \"n\"\nchrge = {}\n",
            "r.cases.toml:3:1: R301: a case does not know 'chrge'; did you mean 'charge'?",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = {}\n",
            "r.cases.toml:1:1: R301: the case lacks 'expect'",
        ),
        (
            "[[case]]\ncharge = {}\nexpect = \"pass\"\n",
            "r.cases.toml:1:1: R301: the case lacks 'name'",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = { service = \"x\" }\nexpect = \"pass\"\n",
            "r.cases.toml:3:12: R301: charges have no field 'service'",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = { sevice_name = \"x\" }\nexpect = \"pass\"\n",
            "r.cases.toml:3:12: R301: charges have no field 'sevice_name'; did you mean \
             'service_name'?",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = { billed_cost = 1.5 }\nexpect = \"pass\"\n",
            "r.cases.toml:3:26: R301: an amount is written in quotes, \"1.50\", so that it is \
             exact",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = {}\nexpect = { asign = \"x\" }\n",
            "r.cases.toml:4:12: R301: 'expect' does not know 'asign'; did you mean 'assign'?",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = {}\nexpect = { error = \"L101\" }\n",
            "r.cases.toml:4:20: R301: 'L101' is not an error of a running rule; there are R201, \
             R202, R203, R204, R206, R207",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = {}\nexpect = \"unallocated\"\n",
            "r.cases.toml:4:10: R301: \"unallocated\" is said by the whole set: add through_set = \
             true, or expect \"no match\"",
        ),
        (
            "[[case]]\nname = \"n\"\ncharge = {}\nexpect = \"nothing\"\n",
            "r.cases.toml:4:10: R301: 'nothing' is not an expectation; there are \"pass\", \"no \
             match\", \"unallocated\" and tables",
        ),
    ] {
        assert_eq!(lines(&report(&one("pass()"), cases).failures), [told], "{cases}");
    }
    let broken = lines(&report(&one("pass()"), "[[case]]\nname = \n").failures);
    assert!(broken.first().is_some_and(|line| line.starts_with("r.cases.toml:2:")), "{broken:?}");
}

#[test]
fn rules_without_cases_and_cases_without_rules_fail() {
    let none = "r.rhai: R301: the rule has no cases\n  hint: write r.cases.toml with at least one \
                [[case]]";
    let other = run_sources(&[("other".to_owned(), "[[case]]".to_owned())], &one("pass()"));
    assert_eq!(shown(&other.missing), none);
    assert_eq!(
        shown(&other.failures),
        "other.cases.toml: R301: there is no rule other.rhai for these cases"
    );
    assert_eq!(other.rules_without_cases().collect::<Vec<_>>(), ["r"]);
    // An empty file has no cases either.
    let empty = report(&one("pass()"), "");
    assert_eq!((shown(&empty.missing).as_str(), shown(&empty.failures).as_str()), (none, ""));
    assert_eq!(shown(&empty.findings()), none);
}

#[test]
fn amounts_must_be_given_where_they_are_read() {
    let rules =
        set(&[("r", &rule(1, "charge.billed_cost >= 1.5", "assign(charge.charge_period_start)"))]);
    let case = |charge: &str, expect: &str| {
        format!("[[case]]\nname = \"n\"\ncharge = {{ {charge} }}\nexpect = {expect}\n")
    };
    let found = report(&rules, &case("", "\"no match\""));
    assert_eq!(
        shown(&found.failures),
        "r.cases.toml:4:10: R302: \"n\": expected no match, got a read of billed_cost, which the \
         case does not give\n    \
         expect = \"no match\"\n             ^\n  hint: give the charge billed_cost = \"1.50\""
    );
    let given = case(
        "billed_cost = \"1.50\", charge_period_start = \"2026-03-01\"",
        "{ assign = \"2026-03-01\" }",
    );
    assert_eq!(shown(&report(&rules, &given).failures), "");
    assert_eq!(
        shown(&report(&rules, &case("billed_cost = \"1.499999999\"", "\"no match\"")).failures),
        ""
    );
}

#[test]
fn a_case_can_go_through_the_whole_set() {
    let rules = set(&[
        ("first", &rule(1, "charge.tag(\"team\") != \"\"", "assign(\"first\")")),
        ("r", &rule(2, "true", "pass()")),
    ]);
    let cases = "[[case]]\nname = \"n\"\ncharge = { tags = { team = \"x\" } }\nexpect = { assign \
                 = \"r\" }\nthrough_set = true\n\n\
                 [[case]]\nname = \"m\"\ncharge = {}\nexpect = \"unallocated\"\nthrough_set = \
                 true\n";
    let found = report(&rules, cases);
    let failed: Vec<String> =
        lines(&found.failures).into_iter().filter(|line| line.contains("R302")).collect();
    assert_eq!(
        failed,
        ["r.cases.toml:4:10: R302: \"n\": expected assign r, got assign first (by first)"]
    );
    assert_eq!(found.passed, 1);
}

#[test]
fn coverage_names_what_no_case_reaches() {
    let case = |name: &str, service: &str, expect: &str| {
        format!(
            "[[case]]\nname = \"{name}\"\ncharge = {{ service_name = \"{service}\" }}\nexpect = \
             {expect}\n"
        )
    };
    let never = |cases: &str| {
        report(&one("assign(\"a\")"), cases)
            .rules
            .first()
            .map(|rule| rule.never_reached())
            .unwrap_or_default()
    };
    assert_eq!(never(&case("n", "none", "\"no match\"")), ["matches → true", "allocate"]);
    assert_eq!(never(&case("n", "x", "{ assign = \"a\" }")), ["matches → false"]);
    assert_eq!(
        never(&format!(
            "{}{}",
            case("n", "none", "\"no match\""),
            case("m", "x", "{ assign = \"a\" }")
        )),
        Vec::<&str>::new()
    );
}

#[test]
fn cases_can_bring_their_tables() {
    let folder = [("accounts", "account,team\n1,mine\n"), ("other", "k,v\nx,kept\n")];
    let body = "assign(lookup(\"accounts\", charge.sub_account_id) + lookup(\"other\", \"x\"))";
    let set = crate::support::set_with_tables(&[("r", &rule(1, "true", body))], &folder);
    let case = |team: &str| {
        format!(
            "[[case]]\nname = \"n\"\ncharge = {{ sub_account_id = \"1\" }}\nexpect = {{ assign = \
             \"{team}\" }}\n"
        )
    };
    let tables = "[tables]\naccounts = \"\"\"\naccount,team\n1,theirs\n\"\"\"\n";
    assert_eq!(shown(&report(&set, &case("minekept")).failures), "");
    assert_eq!(shown(&report(&set, &format!("{tables}{}", case("theirskept"))).failures), "");
    let broken = tables.replace("1,theirs", "1");
    assert_eq!(
        lines(&report(&set, &format!("{broken}{}", case("x"))).failures),
        ["r.cases.toml (tables.accounts):2:1: R107: the row has 1 cells, the header has 2; after \
          this cell, 'team' is missing"]
    );
    let wrong = report(&set, &format!("[tables]\naccounts = 1\n{}", case("x")));
    assert_eq!(
        lines(&wrong.failures),
        ["r.cases.toml:2:12: R301: a table, as CSV, must be a text in quotes"]
    );
}
