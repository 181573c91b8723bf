//! Costs of cases: what they say, and what rules ask of them.

use crate::support::{rule, set, shown};
use rule_engine::cases::run_sources;

/// The report of shares of 40 among payments and search by this rule and these costs.
fn shares(allocate: &str, costs: &str, payments: &str, search: &str) -> String {
    let cases = format!(
        "[[case]]\nname = \"n\"\ncharge = {{}}\namount = \"40\"\ncosts = {costs}\nexpect = {{ \
         shares = {{ payments = \"{payments}\", search = \"{search}\" }} }}\n"
    );
    let rules = set(&[("r", &rule(1, "charge.service_name != \"none\"", allocate))]);
    shown(&run_sources(&[("r".to_owned(), cases)], &rules).failures)
}

/// 40 by 10 : 30 is 10 and 30, and by 10 : 10 it is 20 and 20.
#[test]
fn costs_of_cases_are_filtered_as_the_rule_says() {
    let plain = "{ payments = \"10\", search = \"30\" }";
    let aws = r#"{ payments = { amount = "10", provider_name = "AWS" }, search = [
        { amount = "10", provider_name = "AWS" }, { amount = "20", provider_name = "Azure" }] }"#;
    let tags = r#"{ payments = [
        { amount = "10", environment = "prod", "tag:tier" = "1" }], search = [
        { amount = "10", "tag:environment" = "prod", "tag:tier" = "1" }] }"#;
    for (allocate, costs, payments, search) in [
        ("by_cost()", plain, "10", "30"),
        ("by_cost()", aws, "10", "30"),
        ("by_cost(#{ provider_name: \"AWS\" })", aws, "20", "20"),
        ("by_cost(#{ provider_name: \"Azure\" })", aws, "0", "40"),
        ("by_cost(#{ environment: \"prod\", \"tag:tier\": \"1\" })", tags, "20", "20"),
        (
            "bounded(by_cost(#{ provider_name: \"AWS\" }), #{ at_most: #{ search: 5 } })",
            aws,
            "35",
            "5",
        ),
    ] {
        assert_eq!(shares(allocate, costs, payments, search), "", "{allocate}");
    }
    // What passed whatever the filter said is told now.
    let nonsense = "by_cost(#{ provider_name: \"nonsense\" })";
    assert!(shares(nonsense, aws, "20", "20").contains("got pool r 40"));
    assert!(
        shares("by_cost(#{ provider_name: \"AWS\" })", aws, "10", "30")
            .contains("got payments 20.000000000, search 20.000000000")
    );
}

#[test]
fn costs_that_do_not_say_what_the_filter_reads_are_refused() {
    let told = |allocate: &str, costs: &str| {
        let told = shares(allocate, costs, "10", "30");
        let from = told.find("got ").unwrap_or_default();
        told[from..].lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        told("by_cost(#{ provider_name: \"AWS\" })", "{ payments = \"10\", search = \"30\" }"),
        "got a question about costs where provider_name = \"AWS\", and the case does not say the \
         provider_name of the cost of payments\n  hint: costs = { payments = { amount = \"10\", \
         provider_name = \"AWS\" } }"
    );
    // The other parts of the team's cost say it, and this one has another dimension.
    let half = r#"{ payments = [
        { amount = "4", region_id = "eu" }, { amount = "6", environment = "prod" }] }"#;
    assert_eq!(
        told("by_cost(#{ environment: \"prod\" })", half),
        "got a question about costs where tag:environment = \"prod\", and the case does not say \
         the tag:environment of the cost of payments\n  hint: costs = { payments = { amount = \
         \"4\", region_id = \"eu\", \"tag:environment\" = \"prod\" } }"
    );
    // A fallback asks as well.
    let fallback = "by_usage(\"cpu\", #{ when_zero: by_cost(#{ region_id: \"eu\" }) })";
    assert!(told(fallback, "{ payments = \"10\" }").contains("where region_id = \"eu\""));
}

/// The figures of a support plan: payments has direct cost, and the others bear shared cost. 40 by
/// 100 : 0 is 40 and 0, and by 100 : 300 it is 10 and 30.
#[test]
fn costs_of_cases_have_a_basis_and_a_window() {
    let both = r#"{ payments = [
        { amount = "100", basis = "direct" }, { amount = "100", basis = "allocated" }], search = [
        { amount = "300", basis = "allocated" }] }"#;
    let month = "by_cost(#{ basis: \"allocated\", window: \"month\" })";
    assert_eq!(shares("by_cost(#{ basis: \"allocated\" })", both, "10", "30"), "");
    assert_eq!(shares(month, both, "10", "30"), "");
    assert_eq!(shares("by_cost()", both, "40", "0"), "");
    let billed = shares("by_cost(#{ basis: \"billed_cost\" })", both, "10", "30");
    assert!(
        billed.contains(
            "got a question about costs of basis \"billed_cost\" and window \"day\", which the \
             case does not give\n"
        ),
        "{billed}"
    );
    assert!(
        billed.ends_with(
            "hint: costs = { payments = { amount = \"100\", basis = \"billed_cost\" } }"
        ),
        "{billed}"
    );
    let days = r#"{ payments = [
        { amount = "30", window = "day" }, { amount = "300", window = "month" }], search = [
        { amount = "900", window = "month" }] }"#;
    assert_eq!(shares("by_cost(#{ window: \"month\" })", days, "10", "30"), "");
    assert_eq!(shares("by_cost()", days, "40", "0"), "");
    assert!(shares("by_cost(#{ window: \"week\" })", days, "10", "30").contains("window \"week\""));
}

#[test]
fn costs_that_cannot_be_read_are_told_with_their_place() {
    for (costs, told) in [
        (
            "{ payments = { provider_name = \"AWS\" } }",
            "5:22: R301: the cost of payments lacks its amount: { amount = \"10\" }",
        ),
        (
            "{ payments = { amount = 1.5 } }",
            "5:33: R301: an amount is written in quotes, \"1.50\", so that it is exact",
        ),
        (
            "{ payments = { amount = \"1\", provider_nam = \"AWS\" } }",
            "5:38: R301: `by_cost` cannot filter by 'provider_nam'; did you mean 'provider_name'?; \
             tags are written \"tag:<key>\"",
        ),
        (
            "{ payments = [{ amount = \"1\", basis = \"net\" }] }",
            "5:47: R301: 'basis' is \"direct\", \"billed_cost\", \"contracted_cost\", \
             \"list_cost\" or \"allocated\", not 'net'",
        ),
        (
            "{ payments = { amount = \"1\", window = \"year\" } }",
            "5:47: R301: 'window' is \"day\", \"week\" or \"month\", not 'year'",
        ),
        ("[\"10\"]", "5:9: R301: 'costs' must be a table, { … }"),
    ] {
        let told_now = shares("by_cost()", costs, "10", "30");
        assert_eq!(
            told_now.lines().next(),
            Some(format!("r.cases.toml:{told}").as_str()),
            "{costs}"
        );
    }
}
