//! Hostile files, scripts and saves.

use crate::support::{decided, lines, rule, set, shown, try_set};
use domain::port::Rules;
use rule_engine::options::RuleOptions;
use rule_engine::reload::LiveRules;
use rule_engine::set::RuleSet;
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

const CASES: &str = "[[case]]\nname = \"all\"\ncharge = {}\nexpect = { assign = \"a\" }\n";

#[test]
fn one_charge_in_a_million() {
    let throws = "if charge.resource_id == \"i-999999\" { throw \"unlucky\" } assign(\"a\")";
    let rules = set(&[("r", &rule(1, "true", throws))]);
    let mut dictionary = domain::dictionary::Dictionary::default();
    let mut decider = rules.decider();
    let mut by_outcome = BTreeMap::new();
    for number in 0..1_000_000_u32 {
        let resource =
            crate::support::resource(&mut dictionary, &[("resource_id", &format!("i-{number}"))]);
        let outcome =
            decider.decide(&dictionary, resource, crate::support::day("2026-03-01"), None);
        let (count, last) = by_outcome.entry(outcome).or_insert((0, number));
        (*count, *last) = (*count + 1, number);
    }
    let told: Vec<(u32, u32, String)> = by_outcome
        .into_iter()
        .map(|(outcome, (count, last))| {
            (count, last, crate::support::words(decider.as_ref(), outcome))
        })
        .collect();
    let expected =
        "r.rhai:4:61: R202: the rule threw: unlucky (it read resource_id = \"i-999999\")";
    assert_eq!(
        told,
        [(999_999, 999_998, "assign a".to_owned()), (1, 999_999, expected.to_owned())]
    );
}

#[test]
fn numbers_that_are_none_are_no_weights() {
    for (weight, expect) in [
        ("\"NaN\"", "R201: the weight of 'a' must be a number, not the text \"NaN\""),
        ("\"inf\"", "R201: the weight of 'a' must be a number, not the text \"inf\""),
        ("()", "R201: the weight of 'a' must be a number, not nothing, ()"),
        ("true", "R201: the weight of 'a' must be a number, not "),
        ("1e999", "R101: "),
        ("99999999999999999999999999999999", "R101: "),
        ("0.0 / 0.0", "R204: "),
        ("1 / 0", "R204: "),
    ] {
        let text = rule(1, "true", &format!("split(#{{ a: {weight}, b: 1 }})"));
        let found = match try_set(&[("r", &text)], &[]) {
            Ok(rules) => decided(&rules, &[]),
            Err(findings) => lines(&findings).join("\n"),
        };
        assert!(found.starts_with("r.rhai:4:") && found.contains(expect), "{weight}: {found}");
    }
}

#[test]
fn a_million_targets_meet_a_limit_that_is_named() {
    let many = "let t = []; for n in 0..1000000 { t.push(\"team-\" + n); } even(t)";
    let found = decided(&set(&[("r", &rule(1, "true", many))]), &[]);
    assert!(
        found.contains("R203: ") && (found.contains("lists") || found.contains("operations")),
        "{found}"
    );
    let row: Vec<String> = (0..1_000_000).map(|number| format!("\"t{number}\"")).collect();
    let found =
        match try_set(&[("r", &rule(1, "true", &format!("even([{}])", row.join(","))))], &[]) {
            Ok(rules) => decided(&rules, &[]),
            Err(findings) => lines(&findings).join("\n"),
        };
    assert!(
        found.len() < 2_000 && found.starts_with("r.rhai"),
        "{}",
        found.chars().take(300).collect::<String>()
    );
    assert!(found.contains("R101") || found.contains("R203") || found.contains("R201"), "{found}");
}

#[test]
fn a_file_saved_half_way_is_told_or_whole() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let write = |name: &str, text: &[u8]| {
        fs::write(dir.path().join(name), text).unwrap_or_else(|error| panic!("{error}"))
    };
    let whole = "//! Größe zählt.\nrule(#{ priority: 1 });\nfn matches(charge) { \
                 lookup(\"t\", \"k\") == \"ü\" }\nfn allocate(charge) { assign(\"a\") }\n";
    let table = "k,v\nk,ü\nl,\"two\nlines\"\n";
    write("r.rhai", whole.as_bytes());
    fs::create_dir(dir.path().join("tables")).unwrap_or_else(|error| panic!("{error}"));
    write("tables/t.csv", table.as_bytes());
    assert!(RuleSet::load(dir.path(), &RuleOptions::default()).is_ok());
    let mut told = 0;
    for end in 0..whole.len() {
        write("r.rhai", &whole.as_bytes()[..end]);
        told += usize::from(
            RuleSet::load(dir.path(), &RuleOptions::default())
                .is_err_and(|findings| !findings.is_empty()),
        );
    }
    // All beginnings are refused, except those that only lack the last line end.
    assert!(told >= whole.len() - 2, "{told} of {}", whole.len());
    write("r.rhai", whole.as_bytes());
    for end in 0..table.len() {
        write("tables/t.csv", &table.as_bytes()[..end]);
        // Some beginnings of a table are tables; none of them panics.
        let _either = RuleSet::load(dir.path(), &RuleOptions::default());
    }
}

#[test]
fn a_table_that_goes_while_rules_use_it_keeps_the_last_good_set() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap_or_else(|error| panic!("{error}"))
    };
    fs::create_dir(dir.path().join("tables")).unwrap_or_else(|error| panic!("{error}"));
    write("tables/t.csv", "k,v\nk,a\n");
    write("r.rhai", &rule(1, "true", "assign(lookup(\"t\", \"k\"))"));
    write("r.cases.toml", CASES);
    let live = LiveRules::start(dir.path(), RuleOptions::default(), || None)
        .unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    fs::remove_file(dir.path().join("tables/t.csv")).unwrap_or_else(|error| panic!("{error}"));
    let findings = live.try_reload().err().unwrap_or_default();
    assert!(
        lines(&findings)[0].ends_with("r.rhai:4:37: R107: there is no table 't', and no other"),
        "{:?}",
        lines(&findings)
    );
    assert_eq!(decided(&live.current(), &[]), "assign a");
}

#[test]
fn readers_have_one_whole_set_while_rules_are_saved_without_end() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let save = |team: &str| {
        let write = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).unwrap_or_else(|error| panic!("{error}"))
        };
        // The second rule decides the charges that the first one leaves. In one set, both name the
        // same team.
        write(
            "one.rhai",
            &rule(1, "charge.service_name == \"EC2\"", &format!("assign(\"{team}\")")),
        );
        write("two.rhai", &rule(2, "true", &format!("assign(\"{team}\")")));
        let case = |service: &str, expect: &str| {
            format!(
                "[[case]]\nname = \"{service}\"\ncharge = {{ service_name = \"{service}\" }}\n\
                 expect = {expect}\n"
            )
        };
        let assigned = format!("{{ assign = \"{team}\" }}");
        write("one.cases.toml", &[case("EC2", &assigned), case("S3", "\"no match\"")].concat());
        write("two.cases.toml", &case("S3", &assigned));
    };
    save("a");
    let live = LiveRules::start(dir.path(), RuleOptions::default(), || None)
        .unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let (done, live) = (&AtomicBool::new(false), &live);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for turn in 0..200 {
                save(if turn % 2 == 0 { "b" } else { "a" });
                // The watcher may read half of a save. The half is refused, or is a set of its own.
                let _either = live.try_reload();
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(move || {
            let mut asked = 0_u32;
            while !done.load(Ordering::Acquire) || asked == 0 {
                let rules = live.current();
                let before = rules.generation().to_owned();
                let (one, again) = (
                    decided(&rules, &[("service_name", "EC2")]),
                    decided(&rules, &[("service_name", "EC2")]),
                );
                let two = decided(&rules, &[("service_name", "S3")]);
                assert!(
                    one.starts_with("assign ") && two.starts_with("assign ") && one == again,
                    "{one} {again} {two}"
                );
                assert_eq!(rules.generation(), before);
                asked += 1;
            }
        });
    });
    assert!(live.generation_count() > 2);
    save("a");
    assert!(live.try_reload().is_ok());
    assert_eq!(decided(&live.current(), &[("service_name", "S3")]), "assign a");
}

/// Every key stands once; the three kinds of them are of three scripts.
#[test]
fn a_table_of_a_million_rows_is_read_and_its_last_fault_is_found() {
    const ROWS: usize = 1_000_000;
    let kinds = ["account", "счёт", "口座"];
    let mut text = String::from("key,team\n");
    for number in 0..ROWS {
        text.push_str(&format!("{}-{number},team-{}\n", kinds[number % 3], number % 1000));
    }
    let found = "lookup(\"t\", charge.sub_account_id) != ()";
    let rule = rule(1, found, "assign(lookup(\"t\", charge.sub_account_id))");
    let table = |text: &str| try_set(&[("pack/r", &rule)], &[("t", text)]);
    let rules = table(&text).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    for (key, expected) in [
        ("account-0", "assign team-0"),
        ("account-999999", "assign team-999"),
        ("счёт-999997", "assign team-997"),
        ("сче\u{308}т-1", "assign team-1"),
        ("口座-500000", "assign team-0"),
        ("счёт-0", "unallocated"),
        ("account-1000000", "unallocated"),
    ] {
        assert_eq!(decided(&rules, &[("sub_account_id", key)]), expected, "{key}");
    }
    // The header is line 1, and `number` stands on line `number + 2`.
    text.push_str("口座-2,web\n");
    let findings = table(&text).err().unwrap_or_default();
    let told =
        format!("tables/t.csv:{}:1: R107: the key '口座-2' already stands on line 4", ROWS + 2);
    assert_eq!(lines(&findings), [told]);
}

#[test]
fn ten_thousand_files_are_a_set_like_any_other() {
    let texts: Vec<(String, String)> = (0..10_000)
        .map(|number| {
            (
                format!("pack/r{number:05}"),
                rule(number, &format!("charge.service_name == \"s{number}\""), "assign(\"a\")"),
            )
        })
        .collect();
    let rules = RuleSet::from_sources(&texts, &[], &RuleOptions::default())
        .unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    assert_eq!(rules.facts().len(), 10_000);
    assert_eq!(decided(&rules, &[("service_name", "s9999")]), "assign a");
    let mut broken = texts;
    broken[7_777].1 = rule(1, "true", "assign(");
    let findings =
        RuleSet::from_sources(&broken, &[], &RuleOptions::default()).err().unwrap_or_default();
    assert!(lines(&findings)[0].starts_with("pack/r07777.rhai:4:"), "{:?}", lines(&findings));
}
