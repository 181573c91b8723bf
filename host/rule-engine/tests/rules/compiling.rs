//! Mistakes that are refused before anything runs, each with its code and place.

use crate::support::{HEADER, lines, rule, set, shown, try_set};
use domain::field::Field;
use rule_engine::lint;
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;

fn refused(text: &str) -> Vec<String> {
    refused_with(text, &[])
}

fn refused_with(text: &str, tables: &[(&str, &str)]) -> Vec<String> {
    match try_set(&[("a/b", text)], tables) {
        Ok(_) => Vec::new(),
        Err(findings) => lines(&findings),
    }
}

#[test]
fn syntax_errors_have_a_place_and_a_caret() {
    let text = format!(
        "{HEADER}fn matches(charge) {{\n    charge.service_name == \n}}\nfn allocate(charge) {{ \
         pass() }}\n"
    );
    let findings = try_set(&[("a/b", &text)], &[]).err().unwrap_or_default();
    assert_eq!(shown(&findings), "a/b.rhai:5:1: R101: unexpected '}'\n    }\n    ^");
}

#[test]
fn what_reaches_outside_does_not_exist() {
    for (word, call) in [
        ("eval", "eval(\"1\")"),
        ("print", "print(\"x\")"),
        ("debug", "debug(\"x\")"),
        ("sleep", "sleep(1)"),
    ] {
        let found = refused(&rule(1, &format!("{call}; true"), "pass()"));
        assert_eq!(
            found,
            [format!(
                "a/b.rhai:3:22: R101: rules do not have `{word}`: a rule only computes from the \
                 charge that it is given"
            )]
        );
    }
    let found = refused(&rule(1, "import \"x\" as y; true", "pass()"));
    assert_eq!(
        found,
        ["a/b.rhai:3:22: R101: rules do not have `import`: a rule only computes from the charge \
             that it is given"]
    );
    let found = refused(&rule(1, "timestamp(); true", "pass()"));
    assert_eq!(found, ["a/b.rhai:3:22: R101: there is no function `timestamp`"]);
}

#[test]
fn unknown_names_are_found_without_running() {
    let found = refused(&rule(1, "charge.servicename == \"x\"", "assing(charge.tag(\"team\"))"));
    assert_eq!(
        found,
        [
            "a/b.rhai:3:29: R103: charges have no field 'servicename'; did you mean \
             'service_name'?",
            "a/b.rhai:4:23: R101: there is no function `assing`; did you mean `assign`?"
                .replace('`', "'")
                .replacen("'assing'", "`assing`", 1)
                .as_str(),
        ]
    );
    assert_eq!(
        refused(&rule(1, "charge.team == \"x\"", "pass()")),
        ["a/b.rhai:3:29: R103: charges have no field 'team'; tags are read with \
             `charge.tag(\"team\")`"]
    );
    let indexed = "a/b.rhai:3:28: R103: the charge is not indexed: write `charge.service_name`, or \
                   `charge.tags[\"team\"]` for a tag";
    assert_eq!(refused(&rule(1, "charge[\"service_name\"] == \"x\"", "pass()")), [indexed]);
    let text =
        format!("{HEADER}fn matches(c) {{ c.region == \"x\" }}\nfn allocate(c) {{ pass() }}\n");
    assert_eq!(
        refused(&text)
            .first()
            .map(|line| line.starts_with("a/b.rhai:3:19: R103: charges have no field 'region'")),
        Some(true)
    );
}

#[test]
fn a_dimension_that_is_not_collected_names_the_line_to_add() {
    let options = RuleOptions {
        dimensions: vec![Field::SERVICE_NAME, Field::REGION_ID],
        ..RuleOptions::default()
    };
    let text = rule(1, "charge.sku_id != \"\"", "pass()");
    let findings =
        RuleSet::from_sources(&[("a/b".into(), text)], &[], &options).err().unwrap_or_default();
    assert_eq!(
        shown(&findings),
        "a/b.rhai:3:29: R106: the dimension 'sku_id' exists but is not collected\n    \
         fn matches(charge) { charge.sku_id != \"\" }\n                                ^\n  \
         hint: in apportion.toml: `dimensions = [\"service_name\", \"region_id\", \"sku_id\"]`"
    );
}

#[test]
fn the_charge_cannot_be_changed() {
    for (body, place, what) in [
        (
            "charge.service_name = \"x\"; true",
            "3:22",
            "a rule cannot change the charge; it only decides who pays",
        ),
        (
            "charge.tags[\"team\"] = \"x\"; true",
            "3:22",
            "a rule cannot change the charge; it only decides who pays",
        ),
        (
            "charge.region_id += \"x\"; true",
            "3:22",
            "a rule cannot change the charge; it only decides who pays",
        ),
        ("charge = 5; true", "3:22", "a rule cannot change the charge; it only decides who pays"),
        ("let charge = 5; true", "3:26", "`charge` is the charge and cannot be declared again"),
        (
            "charge.service_name.make_upper(); true",
            "3:42",
            "`make_upper` changes a value in place, and a charge cannot be changed",
        ),
    ] {
        assert_eq!(
            refused(&rule(1, body, "pass()")),
            [format!("a/b.rhai:{place}: R104: {what}")],
            "{body}"
        );
    }
}

#[test]
fn headers_are_literal_and_complete() {
    let functions = "fn matches(charge) { true }\nfn allocate(charge) { pass() }\n";
    let header = |header: &str| refused(&format!("{header}\n{functions}"));
    assert_eq!(header(""), ["a/b.rhai: R105: the rule has no `rule(#{…})` header"]);
    assert_eq!(
        header("rule(#{});"),
        ["a/b.rhai:1:1: R105: the header lacks a priority; rules are tried from the lowest up"]
    );
    assert_eq!(
        header("rule(#{ priority: \"1\" });"),
        ["a/b.rhai:1:19: R105: 'priority' must be a whole number, such as 300"]
    );
    assert_eq!(
        header("rule(#{ priority: 1.5 });"),
        ["a/b.rhai:1:19: R105: 'priority' must be a whole number, such as 300"]
    );
    assert_eq!(
        header("rule(#{ priority: 1,\n  onwer: \"x\" });"),
        ["a/b.rhai:2:3: R105: the header does not know 'onwer'; did you mean 'owner'?"]
    );
    assert_eq!(
        header("rule(#{ priority: 1, from: \"2026-02-30\" });"),
        ["a/b.rhai:1:28: R105: 'from' must be a date such as \"2027-03-31\""]
    );
    assert_eq!(
        header("rule(#{ priority: 1, enabled: 1 });"),
        ["a/b.rhai:1:31: R105: 'enabled' must be true or false"]
    );
    let backwards = header("rule(#{ priority: 1, from: \"2026-02-01\", until: \"2026-02-01\" });");
    assert_eq!(
        backwards,
        ["a/b.rhai:1:1: R105: the rule would end on 2026-02-01, before it starts on 2026-02-01"]
    );
    assert_eq!(
        header("let x = 1;"),
        ["a/b.rhai:1:1: R105: the first statement must be the `rule(#{…})` header"]
    );
    assert_eq!(
        header("rule(#{ priority: 1 });\nlet x = 1;"),
        ["a/b.rhai:2:1: R105: only the header may stand outside the functions; this would never \
             run"]
    );
    assert_eq!(header("rule(#{ priority: -5 });"), Vec::<String>::new());
}

#[test]
fn both_functions_must_be_there() {
    assert_eq!(
        refused(&format!("{HEADER}fn matches(charge) {{ true }}")),
        ["a/b.rhai: R102: the rule lacks `fn allocate(charge)`, which says who pays"]
    );
    let text = format!("{HEADER}fn matches() {{ true }}\nfn allocate(charge) {{ pass() }}");
    assert_eq!(
        refused(&text),
        ["a/b.rhai:3:14: R102: `matches` takes the charge and nothing else, not 0 parameters"]
    );
    let text = format!("{}fn assign(team) {{ pass() }}", rule(1, "true", "pass()"));
    assert_eq!(refused(&text), ["a/b.rhai:5:17: R101: a rule cannot redefine `assign`"]);
}

#[test]
fn limits_within_limits_are_found_without_a_run() {
    let twice = "`bounded` cannot limit shares that are limited already: write all limits into one \
                 `bounded`";
    let negative =
        "`bounded` cannot limit negative shares: write when_negative \"zero\" or \"stay\"";
    for (body, place, what) in [
        ("bounded(bounded(by_cost(), #{at_most: #{a: 1}}), #{at_least: #{a: 5}})", "4:31", twice),
        (
            "bounded(by_usage(\"cpu\", #{when_zero: bounded(even([\"a\"]), #{at_most: #{a: 1}})}), \
             #{at_least: #{b: 5}})",
            "4:60",
            twice,
        ),
        ("bounded(by_cost(#{when_negative: \"keep\"}), #{at_most: #{a: 1}})", "4:56", negative),
    ] {
        let refused = refused(&rule(1, "false", body));
        assert_eq!(refused, [format!("a/b.rhai:{place}: R101: {what}")], "{body}");
    }
    let limited_later = "by_cost(#{when_negative: \"keep\", when_zero: bounded(even([\"a\"]), \
                         #{at_most: #{a: 1}})})";
    let of_a_plugin = "bounded(plugin(\"p\", #{when_negative: \"keep\"}), #{at_most: #{a: 1}})";
    for body in [limited_later, of_a_plugin] {
        assert_eq!(refused(&rule(1, "false", body)), Vec::<String>::new(), "{body}");
    }
}

#[test]
fn tables_are_checked_with_the_rules() {
    let text = rule(1, "lookup(\"acounts\", charge.sub_account_id) != ()", "pass()");
    assert_eq!(
        refused_with(&text, &[("accounts", "k,v\na,1\n")]),
        ["a/b.rhai:3:29: R107: there is no table 'acounts'; did you mean 'accounts'?"]
    );
    assert_eq!(refused(&text), ["a/b.rhai:3:29: R107: there is no table 'acounts', and no other"]);
    let text = rule(1, "lookup(\"t\", \"k\", \"cost_centre\") != ()", "pass()");
    assert_eq!(
        refused_with(&text, &[("t", "k,team,cost_center\n")]),
        ["a/b.rhai:3:39: R107: the table 't' has no column 'cost_centre'; did you mean \
             'cost_center'?"]
    );
    assert_eq!(
        refused_with(&rule(1, "true", "pass()"), &[("t", "k,v\na,1\nb,2\na,3\n")]),
        ["tables/t.csv:4:1: R107: the key 'a' already stands on line 2"]
    );
}

#[test]
fn all_findings_of_all_rules_come_at_once() {
    let broken = rule(1, "charge.nothing == 1", "pass()");
    let found = try_set(&[("a", &broken), ("b", "fn"), ("c", &rule(1, "true", "pass()"))], &[])
        .err()
        .unwrap_or_default();
    let files: Vec<&str> = found
        .iter()
        .filter_map(|finding| finding.location.as_ref())
        .map(|location| location.file.as_str())
        .collect();
    assert_eq!(files, ["a.rhai", "b.rhai"]);
}

#[test]
fn lints_say_what_works_and_could_be_better() {
    let slow = "rule(#{ priority: 2, owner: \"x\", review_by: \"2026-01-31\" });\nfn \
                matches(charge) { charge.billed_cost > 5 }\nfn allocate(charge) { pass() }";
    let set = set(&[("first", &rule(1, "true", "assign(\"a\")")), ("slow", slow)]);
    let lints = lint::check(&set, Some(crate::support::day("2026-02-01")));
    assert_eq!(lines(&lints.errors), Vec::<String>::new());
    assert_eq!(
        lines(&lints.warnings),
        [
            "first.rhai:2:1: R109: the rule has no owner",
            "first.rhai:2:1: R109: the rule has no review date",
            "slow.rhai:1: R108: the rule has no doc comment",
            "slow.rhai:1:1: R109: the rule was to be reviewed by 2026-01-31",
            "slow.rhai:2:29: R109: reading 'billed_cost' makes the rule run for every single \
             charge instead of once per resource",
            "slow.rhai:2:20: R111: the rule is never reached: first comes first and claims \
             everything",
        ]
    );
    let strict = RuleOptions { require_doc: true, ..RuleOptions::default() };
    let set = RuleSet::from_sources(&[("slow".into(), slow.into())], &[], &strict)
        .unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    assert_eq!(
        lines(&lint::check(&set, None).errors),
        ["slow.rhai:1: R108: the rule has no doc comment"]
    );
}

#[test]
fn rules_in_the_shadow_of_others_are_told() {
    let same = "charge.tag(\"a\") == \"b\"";
    let spread = "//! A rule.\nrule(#{ priority: 3, from: \"2026-03-01\" });\nfn matches(charge) \
                  {\n    // As above.\n    charge.tag( \"a\" )==\"b\"\n}\nfn allocate(charge) { \
                  pass() }";
    let helped = |answer: &str| {
        format!("{}fn mine(charge) {{ {answer} }}\n", rule(9, "mine(charge)", "pass()"))
    };
    let rules = [
        ("one", rule(1, same, "assign(\"a\")")),
        ("two", spread.to_owned()),
        ("open", rule(4, "charge.tag(\"c\") == \"\"", "pass()")),
        ("passed", rule(5, "charge.tag(\"c\") == \"\"", "assign(\"a\")")),
        ("helped", helped("true")),
        ("otherwise-helped", helped("false")),
    ];
    let rules: Vec<(&str, &str)> = rules.iter().map(|(id, text)| (*id, text.as_str())).collect();
    let pool = (
        "pool",
        "//! A pool.\nrule(#{ priority: 1, stage: \"distribution\" });\nfn allocate(pool) { \
         by_cost() }",
    );
    let set = set(&[rules, vec![pool]].concat());
    let told = lines(&lint::check(&set, None).warnings);
    let told: Vec<&String> = told.iter().filter(|line| !line.contains("R109")).collect();
    assert_eq!(
        told,
        [
            "two.rhai:3:20: R111: the rule is never reached: one comes first and `matches` says \
             the same there",
            "otherwise-helped.rhai:2:1: R112: helped has the priority 9 as well; it is tried first \
             only because of its name",
        ]
    );
    assert_eq!(
        lint::check(&set, None).warnings.last().and_then(|warning| warning.hint_text()).as_deref(),
        Some("priority: 10")
    );
}

#[test]
fn rules_that_are_never_valid_together_may_share_a_priority() {
    let header = |dates: &str| {
        format!(
            "//! A rule.\nrule(#{{ priority: 1, owner: \"x\", review_by: \"2027-01-01\", {dates} \
             }});\n"
        )
    };
    let functions = "fn matches(charge) { true }\nfn allocate(charge) { assign(\"a\") }";
    let (old, young) =
        (header("until: \"2026-04-01\"") + functions, header("from: \"2026-04-01\"") + functions);
    let set = set(&[("old", &old), ("young", &young)]);
    assert_eq!(lines(&lint::check(&set, None).warnings), Vec::<String>::new());
}

#[test]
fn tables_that_no_rule_reads_are_told() {
    let table =
        [("accounts", "k,v\n"), ("spare", "k,v\n"), ("teams", "team,x\n"), ("used", "k,v\n")];
    let reading =
        rule(1, "lookup(\"accounts\", \"k\") != ()", "by_usage(\"m\", #{ table: \"used\" })");
    let told = |text: &str| {
        lines(&lint::check(&crate::support::set_with_tables(&[("a", text)], &table), None).warnings)
            .split_off(2)
    };
    assert_eq!(
        told(&reading),
        ["tables/spare.csv:1: R113: no rule looks anything up in the table 'spare'"]
    );
    let worked_out = rule(1, "lookup(\"acc\" + \"ounts\", \"k\") != ()", "pass()");
    assert_eq!(told(&worked_out), Vec::<String>::new());
}
