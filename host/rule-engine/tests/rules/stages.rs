//! Rules of the later stages, and all ways to share costs.

use crate::support::{day, decided, lines, rule, set, set_with_tables, sources, try_set, words};
use domain::port::{Mutual, Rules, Stage};
use rule_engine::cases::run_sources;
use rule_engine::options::{RuleOptions, UnknownTeams};
use rule_engine::set::RuleSet;

const IDLE: &str = "//! Idle.\nrule(#{ priority: 10, stage: \"distribution\" });\nfn \
                    allocate(pool) { by_usage(\"cpu\", #{when_zero: even([\"a\", \"b\"])}) }\n";
const PLATFORM: &str = "//! Platform.\nrule(#{ priority: 20, stage: \"cascade\", \
                        team: \"platform\", mutual: \"step_down\" });\nfn allocate(team) { if team \
                        == \"platform\" { by_cost() } else { assign(\"x\") } }\n";

fn allocated(body: &str) -> String {
    decided(
        &set(&[("r", &rule(1, "true", body)), ("shared/idle", IDLE)]),
        &[("team", "payments"), ("resource_id", "i-1")],
    )
}

#[test]
fn rules_of_later_stages_are_asked_for_their_pool_or_team() {
    let set = set(&[
        ("r", &rule(1, "true", "assign(pool(\"shared/idle\"))")),
        ("shared/idle", IDLE),
        ("cascade/platform", PLATFORM),
    ]);
    let mut decider = set.decider();
    let asked = decider.later_stages(day("2026-03-01"));
    let told: Vec<String> =
        asked.into_iter().map(|outcome| words(decider.as_ref(), outcome)).collect();
    assert_eq!(told, ["by_usage cpu when_zero split a 1, b 1", "by_cost all teams"]);
    let stages: Vec<(&str, &Stage, Mutual)> = set
        .facts()
        .iter()
        .map(|facts| (facts.version.rule.as_str(), &facts.stage, facts.mutual))
        .collect();
    let platform = Stage::Cascade("platform".into());
    assert_eq!(
        stages,
        [
            ("r", &Stage::Attribution, Mutual::Reciprocal),
            ("shared/idle", &Stage::Distribution, Mutual::Reciprocal),
            ("cascade/platform", &platform, Mutual::StepDown)
        ]
    );
    assert_eq!(decided(&set, &[]), "assign the pool shared/idle");
}

#[test]
fn rules_of_later_stages_hold_in_their_time_and_may_have_no_opinion() {
    let limited =
        IDLE.replace("priority: 10", "priority: 10, from: \"2026-04-01\", until: \"2026-05-01\"");
    let silent = PLATFORM.replace("by_cost()", "pass()");
    let set = set(&[
        ("r", &rule(1, "true", "pass()")),
        ("shared/idle", &limited),
        ("cascade/platform", &silent),
    ]);
    let mut decider = set.decider();
    for (on, count) in [("2026-03-31", 0), ("2026-04-01", 1), ("2026-04-30", 1), ("2026-05-01", 0)]
    {
        assert_eq!(decider.later_stages(day(on)).len(), count, "{on}");
    }
}

#[test]
fn a_failing_rule_of_a_later_stage_is_told_with_its_place() {
    let broken =
        IDLE.replace("by_usage(\"cpu\", #{when_zero: even([\"a\", \"b\"])})", "exclude(\"why\")");
    let set = set(&[("r", &rule(1, "true", "pass()")), ("shared/idle", &broken)]);
    let mut decider = set.decider();
    let asked = decider.later_stages(day("2026-03-01"));
    assert_eq!(
        words(decider.as_ref(), asked[0]),
        "shared/idle.rhai:3:19: R201: `exclude` sets charges aside, not what stands in a pool"
    );
}

#[test]
fn wrong_headers_and_functions_of_stages_are_refused() {
    let refused = |header: &str, functions: &str| {
        let text = format!("//! A rule.\nrule(#{{ priority: 1{header} }});\n{functions}\n");
        lines(&try_set(&[("r", &text)], &[]).err().unwrap_or_default()).join("\n")
    };
    let allocate = "fn allocate(pool) { by_cost() }";
    assert_eq!(
        refused(
            ", stage: \"second\"",
            "fn matches(charge) { true }\nfn allocate(charge) { pass() }"
        ),
        "r.rhai:2:29: R105: 'stage' is \"attribution\", \"distribution\" or \"cascade\""
    );
    assert!(refused(", stage: \"cascade\"", allocate).contains(
        "r.rhai:2:1: R105: a rule with `stage: \"cascade\"` needs `team`, whose cost it passes on"
    ));
    assert!(
        refused(", stage: \"distribution\", team: \"x\"", allocate)
            .contains("'team' goes with `stage: \"cascade\"`")
    );
    assert!(refused(", stage: \"cascade\", team: \" \"", allocate).contains("'team' is blank"));
    assert!(
        refused(
            ", mutual: \"step_down\"",
            "fn matches(charge) { true }\nfn allocate(charge) { pass() }"
        )
        .contains("'mutual' goes with a stage")
    );
    assert!(
        refused(", stage: \"distribution\", mutual: \"both\"", allocate)
            .contains("'mutual' is \"reciprocal\" or \"step_down\"")
    );
    assert!(refused(", stage: 2", allocate).contains("'stage' must be a text in quotes"));
    assert_eq!(
        refused(", stage: \"distribution\"", &format!("fn matches(charge) {{ true }}\n{allocate}")),
        "r.rhai:3:20: R102: a rule of the stage distribution is asked for its pool only, so \
         `matches` would never run"
    );
    assert_eq!(
        refused(", stage: \"distribution\"", ""),
        "r.rhai: R102: the rule lacks `fn allocate(pool)`, which says who pays"
    );
}

#[test]
fn pools_must_exist_and_a_team_is_passed_on_once() {
    let named = |body: &str| {
        lines(
            &try_set(&[("r", &rule(1, "true", body)), ("shared/idle", IDLE)], &[])
                .err()
                .unwrap_or_default(),
        )
        .join("\n")
    };
    assert_eq!(
        named("assign(pool(\"shared/idel\"))"),
        "r.rhai:4:35: R110: no rule with `stage: \"distribution\"` is called 'shared/idel'; did \
         you mean 'shared/idle'?"
    );
    assert_eq!(
        allocated("assign(pool(\"shared/\" + charge.tag(\"team\")))"),
        "r.rhai:4:30: R201: no rule with `stage: \"distribution\"` is called 'shared/payments'; \
         there are shared/idle (it read tag:team = \"payments\")"
    );
    let twice = |second: &str| {
        lines(&try_set(&[("a", PLATFORM), ("b", second)], &[]).err().unwrap_or_default()).join("\n")
    };
    assert_eq!(
        twice(PLATFORM),
        "b.rhai:1: R110: a passes on the cost of the same team at the same time"
    );
    assert_eq!(twice(&PLATFORM.replace("priority: 20", "priority: 20, enabled: false")), "");
}

#[test]
fn every_way_to_share_is_understood() {
    for (body, expect) in [
        ("by_usage(\"cpu\", [\"b\", \"a\"])", "by_usage cpu of b, a"),
        (
            "by_usage(\"cpu\", #{namespace: \"shop\", \"tag:zone\": \"1\"})",
            "by_usage cpu where namespace = \"shop\" where zone = \"1\"",
        ),
        (
            "by_usage(\"cpu\", #{key: \"tag:namespace\", table: \"owners\", window: 30})",
            "by_usage cpu key namespace table owners window 30 days",
        ),
        (
            "by_usage(\"cpu\", #{unknown: \"ignore\", window: \"month\"})",
            "by_usage cpu unknown ignore window month",
        ),
        ("by_usage(\"cpu\", #{unknown: #{team: \"platform\"}})", "by_usage cpu unknown platform"),
        ("by_usage(\"cpu\", #{window: \"week\"})", "by_usage cpu window week"),
        (
            "by_cost(#{region_id: \"eu\"}, #{basis: \"allocated\", window: \"week\"})",
            "by_cost all teams where region_id = \"eu\" basis allocated window week",
        ),
        ("by_cost(#{basis: \"direct\", window: \"day\"})", "by_cost all teams"),
        (
            "rate_card(\"m\", 1, #{currency: \"usd\", window: \"month\", remainder: \"a\"})",
            "rate_card m window month at 1 USD, remainder to a",
        ),
        (
            "by_usage(\"cpu\", #{when_zero: by_cost(#{when_zero: \"even\"})})",
            "by_usage cpu when_zero by_cost all teams when_zero even",
        ),
        (
            "split([[pool(\"shared/idle\"), 40], [\"a\", 60]])",
            "split the pool shared/idle 40, a 60",
        ),
        ("even([\"a\", pool(\"shared/idle\")])", "split a 1, the pool shared/idle 1"),
        (
            "tiered([[10.5, assign(\"a\")], [20, by_cost()]])",
            "tiered up to 10.500000000: split a 1; up to 20.000000000: by_cost all teams",
        ),
        (
            "rate_card(\"bytes\", 0.000000000001, #{zone: \"1\"}, #{remainder: #{team: \"net\"}})",
            "rate_card bytes where zone = \"1\" at 0.000000000001, remainder to net",
        ),
        (
            "bounded(even([\"a\", \"b\"]), #{at_most: #{a: \"12.5%\"}})",
            "split a 1, b 1 a at most 12.5%",
        ),
        (
            "bounded(by_cost(#{when_negative: \"stay\"}), #{at_most: #{a: 1}})",
            "by_cost all teams a at most 1.000000000 when_negative stay",
        ),
        // Limits of what takes its place are no limits of limits.
        (
            "by_cost(#{when_negative: \"keep\", when_zero: bounded(even([\"a\"]), #{at_most: #{a: \
             1}})})",
            "by_cost all teams when_zero split a 1 a at most 1.000000000 when_negative keep",
        ),
        ("plugin(\"p\")", "plugin p {} all teams"),
        (
            "plugin(\"p\", #{a: [1, 2.5, true, (), \"x\\\"y\"]}, #{when_zero: \"even\"})",
            "plugin p {\"a\":[1,2.5,true,null,\"x\\\"y\"]} all teams when_zero even",
        ),
    ] {
        let set = set_with_tables(
            &[("r", &rule(1, "true", body)), ("shared/idle", IDLE)],
            &[("owners", "namespace,team\nshop,payments\n")],
        );
        assert_eq!(decided(&set, &[]), expect, "{body}");
    }
}

/// A body of `allocate`, and the message that refuses it.
const WRONG_SHARES: &[(&str, &str)] = &[
    ("by_usage(\"\")", "`by_usage` needs the name of a metric, and it is blank"),
    (
        "by_usage(\"cpu\", #{windw: 3, window: 2})",
        "`by_usage`: there is no option 'windw'; did you mean 'window'? beside the option window; \
         filters are a map of their own, before it",
    ),
    (
        "by_usage(\"cpu\", #{window: 0})",
        "`by_usage`: window is \"day\", \"week\", \"month\" or a number of days up to 400, not the \
         number 0",
    ),
    (
        "by_usage(\"cpu\", #{table: \"nobody\"})",
        "`by_usage`: there is no table 'nobody', and no other",
    ),
    (
        "by_usage(\"cpu\", #{unknown: \"platform\"})",
        "`by_usage`: unknown is \"unallocated\", \"ignore\", #{team: \"platform\"} or a pool",
    ),
    (
        "by_usage(\"cpu\", #{recipients: 5})",
        "`by_usage`: recipients is a map from values of the key to teams or pools, not the number \
         5",
    ),
    (
        "by_usage(\"cpu\", [pool(\"shared/idle\")])",
        "`by_usage` takes teams here, not the pool shared/idle",
    ),
    (
        "by_cost(#{basis: \"net_cost\"})",
        "`by_cost`: basis is \"direct\", \"billed_cost\", \"contracted_cost\", \"list_cost\" or \
         \"allocated\"",
    ),
    (
        "by_cost(#{window: \"charge_period\"})",
        "`by_cost`: a charge is kept with the day on which its period begins, and not with the \
         end: write window \"month\" for a monthly fee",
    ),
    (
        "by_cost(#{window: 7})",
        "`by_cost`: window is \"day\", \"week\" or \"month\", not the number 7",
    ),
    (
        "rate_card(\"m\", 1, #{window: 7, remainder: \"a\"})",
        "`rate_card`: a window of some days moves with the day, so the same usage would be charged \
         on each of them: window is \"day\", \"week\" or \"month\"",
    ),
    (
        "rate_card(\"m\", 1, #{currency: \"dollars\", remainder: \"a\"})",
        "`rate_card`: currency is a code such as \"USD\", not \"dollars\"",
    ),
    (
        "by_cost(#{when_negative: \"flip\"})",
        "`by_cost`: when_negative is \"zero\", \"keep\" or \"stay\"",
    ),
    (
        "by_cost(#{when_zero: exclude(\"x\")})",
        "`by_cost`: when_zero is \"stay\", \"even\", or another way to share, such as by_cost()",
    ),
    ("tiered([])", "`tiered` needs at least one tier"),
    (
        "tiered([[(), by_cost()], [5, by_cost()]])",
        "`tiered`: only the last tier can be without an end",
    ),
    (
        "tiered([[5, by_cost()], [5, by_cost()]])",
        "`tiered`: a tier up to 5.000000000 follows one up to 5.000000000",
    ),
    (
        "tiered([5])",
        "`tiered` takes pairs such as [1000, by_cost()], and () for the last tier, not the number \
         5",
    ),
    (
        "rate_card(\"cpu\", 1)",
        "`rate_card` needs the option remainder: who bears what the prices leave of the cost",
    ),
    (
        "rate_card(\"cpu\", -1, #{remainder: \"a\"})",
        "`rate_card`: -1 is negative, too large, or has more than 18 decimals",
    ),
    (
        "rate_card(\"cpu\", [[5, 1]], #{remainder: \"a\"})",
        "`rate_card` needs a last tier without an end, [(), price]",
    ),
    (
        "rate_card(\"cpu\", [[5, 1], [4, 1], [(), 1]], #{remainder: \"a\"})",
        "`rate_card`: the tiers must rise, and only the last can be without an end",
    ),
    (
        "bounded(tiered([[(), by_cost()]]), #{at_most: #{a: 1}})",
        "`bounded` cannot limit tiers and rate cards, because they give amounts: change their tiers or \
         prices",
    ),
    (
        "bounded(by_cost(#{when_zero: tiered([[(), by_cost()]])}), #{at_most: #{a: 1}})",
        "`bounded` cannot limit tiers and rate cards, because they give amounts: change their \
         tiers or prices",
    ),
    (
        "let inner = bounded(by_cost(), #{at_most: #{a: 1}}); bounded(inner, #{at_most: #{a: 2}})",
        "`bounded` cannot limit shares that are limited already: write all limits into one \
         `bounded`",
    ),
    (
        "let other = bounded(by_cost(), #{at_most: #{a: 1}}); bounded(by_usage(\"cpu\", \
         #{when_zero: other}), #{at_least: #{b: 1}})",
        "`bounded` cannot limit shares that are limited already: write all limits into one \
         `bounded`",
    ),
    (
        "let credits = by_cost(#{when_negative: \"keep\"}); bounded(credits, #{at_most: #{a: 1}})",
        "`bounded` cannot limit negative shares: write when_negative \"zero\" or \"stay\"",
    ),
    (
        "let credits = by_cost(#{when_negative: \"keep\"}); bounded(by_cost(#{when_zero: \
         credits}), #{at_most: #{a: 1}})",
        "`bounded` cannot limit negative shares: write when_negative \"zero\" or \"stay\"",
    ),
    ("bounded(by_cost(), #{})", "`bounded` needs at_least or at_most, with at least one team"),
    (
        "bounded(by_cost(), #{at_least: #{a: 15}, at_most: #{a: 5}})",
        "`bounded` cannot hold a at least 15.000000000 at most 5.000000000",
    ),
    (
        "bounded(by_cost(), #{at_most: #{a: \"140%\"}})",
        "`bounded`: '140%' is not a part such as \"40%\" or \"12.5%\"",
    ),
    (
        "bounded(exclude(\"x\"), #{at_most: #{a: 1}})",
        "`bounded` takes a way to share, such as by_cost(), not a decision",
    ),
    (
        "bounded(by_cost(), #{at_mots: #{a: 1}})",
        "`bounded`: there is no option 'at_mots'; did you mean 'at_most'?",
    ),
    ("plugin(\" \")", "`plugin` needs the name of an allocator plugin, and it is blank"),
    ("plugin(\"p\", #{}, #{metrics: []})", "`plugin`: there is no option 'metrics'"),
    ("plugin(\"p\", #{a: charge})", "`plugin` cannot hand over the charge"),
    (
        "even([pool(\"shared/idle\"), pool(\"shared/idle\")])",
        "`even` names 'the pool shared/idle' twice",
    ),
];

#[test]
fn every_wrong_way_to_share_is_refused() {
    for (body, message) in WRONG_SHARES {
        let told = allocated(body);
        assert!(told.contains(&format!("R201: {message}")), "{body}\n{told}");
    }
}

#[test]
fn cases_check_shares_with_given_costs_and_usage() {
    let set = set_with_tables(
        &[
            (
                "r",
                &rule(
                    1,
                    "charge.service_name == \"EKS\"",
                    "by_usage(\"cpu\", #{key: \"namespace\", table: \"owners\", recipients: \
                     #{idle: pool(\"shared/idle\")}})",
                ),
            ),
            ("shared/idle", IDLE),
        ],
        &[("owners", "namespace,team\nshop,payments\nblog,web\n")],
    );
    let usage = "usage = [{ metric = \"cpu\", namespace = \"shop\", value = \"3\" }, { metric \
                 = \"cpu\", namespace = \"idle\", value = \"1\" }, { metric = \"mem\", namespace \
                 = \"blog\", value = \"9\" }]";
    let case = |expect: &str| {
        format!(
            "[[case]]\nname = \"n\"\namount = \"100\"\ncharge = {{ service_name = \"EKS\" }}\n\
             {usage}\nexpect = {expect}\n"
        )
    };
    let told = |cases: &str, idle: &str| {
        let report = run_sources(&sources(&[("r", cases), ("shared/idle", idle)]), &set);
        lines(&report.failures).join("\n")
    };
    let idle = "[[case]]\nname = \"i\"\namount = \"1\"\nexpect = { shares = { a = \"0.5\", b \
                = \"0.5\" } }\n[[case]]\nname = \"w\"\nexpect = { decision = \"by_usage cpu \
                when_zero split a 1, b 1\" }\n";
    assert_eq!(
        told(&case("{ shares = { payments = \"75\", \"pool shared/idle\" = \"25\" } }"), idle),
        ""
    );
    assert_eq!(
        told(&case("{ shares = { payments = \"76\", \"pool shared/idle\" = \"24\" } }"), idle),
        "r.cases.toml:6:10: R302: \"n\": expected payments 76.000000000, pool shared/idle \
         24.000000000, got payments 75.000000000, pool shared/idle 25.000000000"
    );
    assert_eq!(
        told(&case("{ shares = { payments = \"100\" } }").replace("amount = \"100\"\n", ""), idle),
        "r.cases.toml:5:10: R301: a case that expects shares needs the amount that is shared: \
         amount = \"100\""
    );
    let with_charge = "[[case]]\nname = \"i\"\ncharge = {}\nexpect = { decision = \"x\" }\n";
    assert_eq!(
        told(
            &case("{ shares = { payments = \"75\", \"pool shared/idle\" = \"25\" } }"),
            with_charge
        ),
        "shared/idle.cases.toml:1:1: R301: the rule is asked for its pool or team and sees no \
         charge"
    );
}

#[test]
fn unknown_teams_are_refused_where_the_settings_say_so() {
    let options = |unknown_teams| RuleOptions { unknown_teams, ..RuleOptions::default() };
    let build = |body: &str, tables: &[(&str, &str)], unknown_teams| {
        let rules = sources(&[("r", &rule(1, "true", body)), ("shared/idle", IDLE)]);
        RuleSet::from_sources(&rules, &sources(tables), &options(unknown_teams))
    };
    let teams: &[(&str, &str)] =
        &[("teams", "team,cost_center\npayments,CC-1\nsearch,CC-2\na,1\nb,2\n")];
    let told = |body: &str, unknown_teams| {
        let set =
            build(body, teams, unknown_teams).unwrap_or_else(|findings| panic!("{findings:?}"));
        decided(&set, &[])
    };
    let refusal = "r.rhai:4:23: R206: there is no team 'serach' in tables/teams.csv; did you mean \
                   'search'? (it read nothing)";
    for body in [
        "assign(\"serach\")",
        "split(#{payments: 1, serach: 2})",
        "even([\"payments\", \"serach\"])",
        "by_cost([\"serach\"])",
        "by_cost(#{when_zero: \"even\"})",
        "by_usage(\"cpu\", [\"serach\"])",
    ] {
        let expected =
            if body.contains("serach") { refusal } else { "by_cost all teams when_zero even" };
        assert_eq!(told(body, UnknownTeams::Refuse), expected, "{body}");
        assert!(!told(body, UnknownTeams::Warn).contains("R206"), "{body}");
    }
    for body in [
        "by_usage(\"cpu\", #{recipients: #{x: \"serach\"}})",
        "by_usage(\"cpu\", #{unknown: #{team: \"serach\"}})",
        "rate_card(\"cpu\", 1, #{remainder: \"serach\"})",
        "bounded(by_cost(), #{at_most: #{serach: 1}})",
        "by_cost(#{when_zero: assign(\"serach\")})",
        "tiered([[(), even([\"serach\"])]])",
    ] {
        assert!(
            told(body, UnknownTeams::Refuse).contains("R206: there is no team 'serach'"),
            "{body}"
        );
    }
    let missing = build("pass()", &[], UnknownTeams::Warn).err().unwrap_or_default();
    assert_eq!(
        lines(&missing),
        ["tables/teams.csv: R107: the setting unknown_teams = \"warn\" needs the table of \
             teams, and there is none"]
    );
    let generation = |unknown_teams| {
        build("pass()", teams, unknown_teams)
            .map(|set| set.generation().to_owned())
            .unwrap_or_default()
    };
    assert_eq!(generation(UnknownTeams::Allow), generation(UnknownTeams::Warn));
    assert_ne!(generation(UnknownTeams::Allow), generation(UnknownTeams::Refuse));
}
