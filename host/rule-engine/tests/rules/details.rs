//! Rules that read what a charge says beside its amounts.

use crate::support::{day, line, resource, rule, set, shown, words};
use domain::charge::{ChargeLine, KeptDetails};
use domain::detail::{Detail, LineDetails};
use domain::dictionary::Dictionary;
use domain::figure::Figure;
use domain::port::Rules;
use rule_engine::cases::run_sources;
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;

/// A charge of the source `aws` that says so much.
fn told(details: &[(Detail, &str)]) -> ChargeLine {
    let mut told = LineDetails::of("aws");
    for (detail, text) in details {
        told.set(*detail, Figure::parse(text.as_bytes()).ok());
    }
    ChargeLine { details: Some(Box::new(told)), ..line("2026-03-01", 1, 1) }
}

fn decided(set: &RuleSet, charges: &[ChargeLine]) -> Vec<String> {
    let mut dictionary = Dictionary::new();
    let id = resource(&mut dictionary, &[("service_name", "EC2")]);
    let mut decider = set.decider();
    let alone = decider.decide(&dictionary, id, day("2026-03-01"), None);
    assert_eq!(words(decider.as_ref(), alone), "per charge");
    let mut one = |line: &ChargeLine| {
        let outcome = decider.decide(&dictionary, id, line.day, Some(line));
        words(decider.as_ref(), outcome)
    };
    charges.iter().map(&mut one).collect()
}

#[test]
fn every_detail_is_read_to_the_last_digit() {
    for detail in Detail::ALL {
        let name = detail.name();
        let rules = set(&[
            ("a", &rule(1, &format!("charge.{name} > 100"), "assign(\"large\")")),
            ("b", &rule(2, &format!("charge.{name} < 0"), "assign(\"credit\")")),
            ("c", &rule(3, "true", "assign(\"rest\")")),
        ]);
        let charge = |text: &str| told(&[(detail, text)]);
        assert_eq!(
            decided(
                &rules,
                &[
                    charge("100"),
                    charge("100.0000000000000000000000001"),
                    charge("0"),
                    charge("-0.000000000000000000000000001"),
                    charge("1e15"),
                ]
            ),
            ["assign rest", "assign large", "assign rest", "assign credit", "assign large"],
            "{name}"
        );
    }
}

/// The script's numbers have 96 bits: 79,228,162,514,264,337,593,543,950,335 is the largest.
#[test]
fn a_number_that_is_too_long_is_suspended_and_never_rounded() {
    let rules = set(&[("a", &rule(1, "charge.consumed_quantity > 1", "assign(\"large\")"))]);
    let charge = |text: &str| told(&[(Detail::ConsumedQuantity, text)]);
    let answers = decided(
        &rules,
        &[
            charge("79228162514264337593543950335"),
            charge("79228162514264337593543950336"),
            charge("123456789012345.678901234567891"),
            charge("1e399"),
            charge("0.00000000000000000000000000001"),
        ],
    );
    let suspended = "a.rhai:3:29: R207: consumed_quantity has more digits than the 28 that rules \
                     compute with exactly; decide by another value of the charge (it read \
                     consumed_quantity (a number))";
    assert_eq!(answers, ["assign large", suspended, suspended, suspended, suspended]);
}

#[test]
fn an_unknown_detail_is_suspended_and_no_rule_can_pass_over_it_unseen() {
    let suspended = |place: &str| {
        format!(
            "a.rhai:{place}: R207: the charge of the source 'aws' does not say list_cost: its \
             bill lacks ListCost, or `details` did not keep \"prices\" when it was collected; ask \
             first with `charge.has_detail(\"list_cost\")` (it read list_cost (unknown))"
        )
    };
    for (matches, place) in [
        ("charge.list_cost > 1", "3:29"),
        ("charge.list_cost == 0", "3:29"),
        ("!(charge.list_cost > 1)", "3:31"),
        ("try { charge.list_cost > 1 } catch { false }", "3:35"),
        ("charge.list_cost <= charge.contracted_cost", "3:29"),
    ] {
        let rules =
            set(&[("a", &rule(1, matches, "assign(\"a\")")), ("b", &rule(2, "true", "pass()"))]);
        let answers = decided(&rules, &[told(&[(Detail::ContractedCost, "5")])]);
        assert_eq!(answers, [suspended(place)], "{matches}");
    }
}

#[test]
fn a_rule_can_ask_first() {
    let matches = "charge.has_detail(\"list_cost\") && charge.list_cost > charge.billed_cost";
    let rules = set(&[
        ("a", &rule(1, matches, "assign(\"discounted\")")),
        ("b", &rule(2, "true", "assign(\"rest\")")),
    ]);
    // Billed is one nano.
    let charges = [
        told(&[]),
        told(&[(Detail::ListCost, "0")]),
        told(&[(Detail::ListCost, "0.000000001")]),
        told(&[(Detail::ListCost, "0.000000002")]),
        told(&[(Detail::PricingQuantity, "7")]),
    ];
    assert_eq!(
        decided(&rules, &charges),
        ["assign rest", "assign rest", "assign rest", "assign discounted", "assign rest"]
    );
    let worked_out = rule(1, "charge.has_detail(\"list_\" + \"costs\")", "assign(\"a\")");
    let answers = decided(
        &set(&[("a", &rule(0, "charge.billed_cost < 0", "pass()")), ("b", &worked_out)]),
        &[told(&[])],
    );
    assert_eq!(
        answers,
        ["b.rhai:3:29: R207: charges have no detail 'list_costs'; did you mean 'list_cost'? (it \
          read nothing)"]
    );
}

#[test]
fn details_are_read_from_the_ledger_only_for_rules_that_read_them() {
    for (text, reads) in [
        (rule(1, "charge.billed_cost > 1", "assign(\"a\")"), false),
        (rule(1, "charge.tag(\"list_cost\") == \"pricing_quantity\"", "assign(\"a\")"), false),
        (rule(1, "charge.pricing_quantity > 1", "assign(\"a\")"), true),
        (rule(1, "charge.has_detail(\"list_cost\")", "assign(\"a\")"), true),
        (
            rule(1, "true", "assign(if `${charge.list_cost}` == \"1\" { \"a\" } else { \"b\" })"),
            true,
        ),
        (
            format!(
                "{}fn large(line) {{ line.contracted_cost > 1 }}\n",
                rule(1, "large(charge)", "assign(\"a\")")
            ),
            true,
        ),
        (rule(1, "Fn(\"has_\" + \"detail\").call(charge, \"list_cost\")", "assign(\"a\")"), true),
    ] {
        assert_eq!(set(&[("a", &text)]).reads_details(), reads, "{text}");
    }
}

#[test]
fn a_detail_that_no_source_keeps_names_the_setting() {
    let found = |details: KeptDetails, matches: &str| {
        let options = RuleOptions { details, ..RuleOptions::default() };
        let text = rule(1, matches, "pass()");
        shown(
            &RuleSet::from_sources(&[("a".into(), text)], &[], &options).err().unwrap_or_default(),
        )
    };
    let invoice = KeptDetails { invoice: true, ..KeptDetails::NONE };
    assert_eq!(
        found(invoice, "charge.list_unit_price > 1"),
        "a.rhai:3:29: R106: the detail 'list_unit_price' exists but is not kept\n    \
         fn matches(charge) { charge.list_unit_price > 1 }\n                                ^\n  \
         hint: in apportion.toml: `details = [\"prices\", \"invoice\"]`"
    );
    let prices = KeptDetails { prices: true, ..KeptDetails::NONE };
    assert_eq!(found(prices, "charge.list_unit_price > 1"), "");
    assert!(
        found(prices, "charge.pricing_quantity > 1")
            .ends_with("hint: in apportion.toml: `details = [\"prices\", \"quantities\"]`")
    );
    let all = |matches: &str| {
        let text = found(KeptDetails::ALL, matches);
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        all("charge.pricing_quantitty > 1"),
        "a.rhai:3:29: R103: charges have no field 'pricing_quantitty'; did you mean \
         'pricing_quantity'?"
    );
    assert_eq!(
        all("charge.has_detail(\"listcost\")"),
        "a.rhai:3:40: R103: charges have no detail 'listcost'; did you mean 'list_cost'?"
    );
    assert_eq!(
        all("charge.has_detail(\"team\")"),
        "a.rhai:3:40: R103: charges have no detail 'team'; there are pricing_quantity, \
         consumed_quantity, list_cost, contracted_cost, list_unit_price, contracted_unit_price"
    );
}

#[test]
fn an_explanation_names_the_details_that_were_read() {
    let rules = set(&[(
        "a",
        &rule(
            1,
            "charge.pricing_quantity > 1 && !charge.has_detail(\"list_cost\")",
            "assign(\"a\")",
        ),
    )]);
    let mut dictionary = Dictionary::new();
    let id = resource(&mut dictionary, &[]);
    let line = told(&[(Detail::PricingQuantity, "730.50")]);
    let explanation = rules.decider().explain(&dictionary, id, line.day, Some(&line));
    let read: Vec<(&str, &str)> = explanation
        .tried
        .iter()
        .flat_map(|tried| &tried.read)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(read, [("pricing_quantity", "730.5"), ("list_cost", "unknown")]);
}

/// The failures of these cases, for a rule that asks first for the list cost.
fn failures(cases: &str) -> Vec<String> {
    let rules = set(&[(
        "r",
        &rule(
            1,
            "charge.has_detail(\"list_cost\") && charge.list_cost >= 2 * charge.pricing_quantity",
            "assign(\"a\")",
        ),
    )]);
    let report = run_sources(&[("r".to_owned(), cases.to_owned())], &rules);
    report.failures.iter().map(ToString::to_string).collect()
}

#[test]
fn cases_give_details_and_can_say_that_they_are_unknown() {
    let case = |charge: &str, expect: &str| {
        format!("[[case]]\nname = \"n\"\ncharge = {{ {charge} }}\nexpect = {expect}\n")
    };
    for (charge, expect) in [
        ("list_cost = \"2.50\", pricing_quantity = \"1.25\"", "{ assign = \"a\" }"),
        ("list_cost = \"-2.50\", pricing_quantity = \"-1.24\"", "\"no match\""),
        ("list_cost = 0, pricing_quantity = 0", "{ assign = \"a\" }"),
        ("list_cost = \"unknown\"", "\"no match\""),
        ("list_cost = \"1\", pricing_quantity = \"unknown\"", "{ error = \"R207\" }"),
        (
            "list_cost = \"1\", pricing_quantity = \"123456789012345678901234567890\"",
            "{ error = \"R207\" }",
        ),
    ] {
        assert_eq!(failures(&case(charge, expect)), [""; 0], "{charge}");
    }
    let told = failures(&case("list_cost = \"2\"", "{ assign = \"a\" }")).join("");
    assert!(
        told.contains("got a read of pricing_quantity, which the case does not give"),
        "{told}"
    );
    let hint = "hint: give the charge pricing_quantity = \"1.50\", or \"unknown\"";
    assert!(told.ends_with(hint), "{told}");
    let told = failures(&case("list_cost = \"much\"", "\"pass\"")).join("");
    assert!(
        told.starts_with(
            "r.cases.toml:3:24: R301: 'much' is not a decimal number, nor \"unknown\""
        ),
        "{told}"
    );
}

#[test]
fn properties_draw_details_and_find_the_unguarded_read() {
    let property = |charges: &str| {
        format!(
            "[[case]]\nname = \"n\"\ncharge = {{ list_cost = \"unknown\" }}\n\
             expect = \"no match\"\n[[property]]\nname = \"p\"\ncharges = {{ {charges} }}\n\
             never = \"error\"\n"
        )
    };
    let whole =
        "list_cost = [\"1\", \"unknown\", \"-5\"], pricing_quantity = [\"0\", \"-7\", \"1e15\"]";
    assert_eq!(failures(&property(whole)), [""; 0]);
    let told = failures(&property("list_cost = \"1\", pricing_quantity = { any = true }")).join("");
    assert!(
        told.contains("R305: \"p\" does not hold: expected never an error, got R207"),
        "{told}"
    );
    assert!(told.contains("pricing_quantity = \"unknown\""), "{told}");
}
