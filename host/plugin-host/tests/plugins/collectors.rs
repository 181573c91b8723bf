//! Plugins that behave: forms, tables, logs, reported failures.

use super::*;
use domain::field::Field;
use domain::text_form::TextForm;
use plugin_host::code;
use plugin_host::{LogLevel, LogLine};
use std::sync::{Arc, Mutex};

#[test]
fn the_form_of_a_page_leaves_no_trace() {
    let host = host(limits());
    let collected = [
        test_artifacts::COLLECTS_CHARGES,
        test_artifacts::COLLECTS_JSON,
        test_artifacts::COLLECTS_ARROW,
    ]
    .map(|bytes| {
        charges(collect(&granted(&load(&host, "form", bytes)), &request("", Vec::new())).unwrap())
    });
    let [typed, json, arrow] = collected;
    assert_eq!(typed, json);
    assert_eq!(typed, arrow);
    let charge = |start: &str,
                  billed: &str,
                  effective: &str,
                  currency: &str,
                  dimensions: &[(&str, &str)],
                  tags: &[(&str, &str)]| RawCharge {
        charge_period_start: start.into(),
        billed_cost: billed.into(),
        effective_cost: effective.into(),
        billing_currency: currency.into(),
        dimensions: dimensions
            .iter()
            .map(|(name, value)| (Field::by_name(name).unwrap(), (*value).to_owned()))
            .collect(),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..RawCharge::default()
    };
    let account = ("sub_account_id", "99");
    let expect = [
        charge(
            "2026-03-01T00:00:00Z",
            "12.50",
            "12.50",
            "USD",
            &[("service_name", "Compute"), account, ("charge_category", "Usage")],
            &[("team", "payments")],
        ),
        charge(
            "2026-03-02T00:00:00Z",
            "-3.25",
            "-3.25",
            "USD",
            &[("service_name", "Compute"), account, ("charge_category", "Credit")],
            &[],
        ),
        charge(
            "2026-03-03T00:00:00Z",
            "0.01",
            "1E-8",
            "EUR",
            &[("service_name", "Storage"), ("charge_category", "Usage")],
            &[("team", "search"), ("env", "prod")],
        ),
    ];
    assert_eq!(typed, expect);
}

#[test]
fn a_granted_plugin_sees_its_tables_by_name_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let tables = vec![table(&folder, "a.csv", "x,y\n1,2\n3,4\n1,5\n")];
    let host = host(limits());
    let plugin = granted(&load(&host, "tables", test_artifacts::ASKS_FOR_TABLES));
    let batches = collect(&plugin, &request("", tables)).unwrap();
    let seen =
        "a.csv csv [\"x\", \"y\"] [[\"1\", \"2\"]] [\"1\", \"3\"]\nthere is no table '/etc/passwd'";
    assert_eq!(
        batches.iter().map(|batch| batch.state.as_deref()).collect::<Vec<_>>(),
        [Some(seen)]
    );
}

#[test]
fn a_table_that_cannot_be_read_is_reported_with_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let empty = table(&folder, "empty.csv", "");
    let gone = GrantedTable {
        name: "gone.csv".into(),
        path: folder.path().join("gone.csv"),
        form: TextForm::default(),
    };
    let host = host(limits());
    let plugin = granted(&load(&host, "tables", test_artifacts::ASKS_FOR_TABLES));
    assert_eq!(
        refusal(&plugin, &request("", vec![gone])),
        (decode::code::FILE_NOT_FOUND, "gone.csv does not exist".into())
    );
    assert_eq!(
        refusal(&plugin, &request("", vec![empty])),
        (decode::code::FILE_NOT_A_TABLE, "empty.csv is empty".into())
    );
}

#[test]
fn reported_failures_keep_their_kind() {
    let host = host(limits());
    let plugin = granted(&load(&host, "fails", test_artifacts::FAILS));
    for (config, code, ending) in [
        ("config", domain::code::PLUGIN_CONFIG, "it is wrong (says plugin fails 0.1.0 ("),
        ("missing-column", decode::code::COLUMN_MISSING, "it is wrong (says plugin fails 0.1.0 ("),
        (
            "duplicate-column",
            decode::code::COLUMN_DUPLICATE,
            "it is wrong (says plugin fails 0.1.0 (",
        ),
        ("auth", domain::code::PLUGIN_FAILED, ") was refused by its source: the key has expired"),
        (
            "rate-limited",
            domain::code::PLUGIN_FAILED,
            ") was told by its source to come back in 30 s",
        ),
        ("transient", domain::code::PLUGIN_FAILED, ") failed for now: the line is bad"),
        ("unavailable", domain::code::PLUGIN_FAILED, ") cannot reach its source: nobody is there"),
        ("bug", domain::code::PLUGIN_FAILED, ") reports a fault in itself: two and two are five"),
    ] {
        let (refused, message) = refusal(&plugin, &request(config, Vec::new()));
        assert_eq!(refused, code, "{config}: {message}");
        assert!(message.contains(ending), "{config}: {message}");
    }
    let diagnostic = collect(&plugin, &request("missing-column", Vec::new())).unwrap_err();
    assert_eq!(
        diagnostic.location.as_ref().map(|location| location.to_string()).as_deref(),
        Some("a.csv:1")
    );
    assert_eq!(diagnostic.hint_text().as_deref(), Some("make it right"));
}

#[test]
fn a_check_returns_everything_to_be_mended() {
    let host = host(limits());
    let plugin = granted(&load(&host, "fails", test_artifacts::FAILS));
    assert_eq!(plugin.check(&request("fine", Vec::new())), Ok(Vec::new()));
    let problems = plugin.check(&request("problems", Vec::new())).unwrap();
    assert_eq!(
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        [domain::code::PLUGIN_CONFIG, domain::code::PLUGIN_CONFIG]
    );
    assert_eq!(problems[0].hint_text().as_deref(), Some("do that"));
    assert!(
        problems[1]
            .message
            .starts_with("and \u{FFFD}[31mthat\u{FFFD}[0m\u{FFFD}too (says plugin fails"),
        "{}",
        problems[1].message
    );
}

#[test]
fn a_log_is_kept_up_to_its_limit_and_the_rest_is_counted() {
    let heard: Arc<Mutex<Vec<LogLine>>> = Arc::default();
    let ear = heard.clone();
    let host = host(limits());
    let plugin = granted(&load(&host, "chatters", test_artifacts::CHATTERS)).with_log(Arc::new(
        move |identity, line| {
            assert_eq!(identity.name, "chatters");
            ear.lock().unwrap().push(line);
        },
    ));
    assert_eq!(charges(collect(&plugin, &request("", Vec::new())).unwrap()).len(), 3);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 101);
    assert_eq!(heard[99], LogLine { level: LogLevel::Info, message: "line 99".into() });
    assert_eq!(
        heard[100],
        LogLine { level: LogLevel::Warn, message: "4901 more lines were not kept".into() }
    );
}

#[test]
fn a_refusing_sink_ends_the_collection_with_its_own_diagnostic() {
    let host = host(limits());
    let plugin = granted(&load(&host, "endless", test_artifacts::ENDLESS_BATCHES));
    let mut pages = 0;
    let full = Diagnostic::new(domain::code::INTERNAL, "the disk is full");
    let ended = plugin.collect(&request("rows", Vec::new()), &mut |_| {
        pages += 1;
        if pages == 3 { Err(full.clone()) } else { Ok(()) }
    });
    assert_eq!((ended, pages), (Err(full.clone()), 3));
}

#[test]
fn what_a_collection_cost_is_counted() {
    let host = host(limits());
    let plugin = granted(&load(&host, "good", test_artifacts::COLLECTS_CHARGES));
    let (outcome, cost) = plugin.collect_metered(&request("", Vec::new()), &mut |_| Ok(()));
    assert_eq!((outcome, cost.starts, cost.rows), (Ok(()), 1, 3));
    assert_eq!((cost.requests, cost.denials, cost.waited_us, cost.fuel), (0, 0, 0, 0));
    // A memory is made of pages of 64 KiB.
    assert!(
        cost.bytes > 0 && cost.memory_bytes >= 65_536 && cost.memory_bytes % 65_536 == 0,
        "{cost:?}"
    );
    // A plugin that runs into its limit of calls has made all of them, and one too many.
    let calls = granted(&load(&host, "calls", test_artifacts::CALLS_THE_HOST_FOREVER));
    let (outcome, cost) = calls.collect_metered(&request("", Vec::new()), &mut |_| Ok(()));
    assert_eq!(
        (outcome.map_err(|failure| failure.code), cost.host_calls),
        (Err(code::PLUGIN_CALLS), 20_001)
    );
}
