//! The promise to vendors: a plugin that was built for an earlier version of the contract runs as
//! it did.

use super::*;
use domain::field::Field;
use domain::mapping::Feed;
use domain::recipient::Target;
use domain::text_form::TextForm;
use plugin_host::{AllocatorDriver, AllocatorPool, PluginKind};
use std::path::Path;

fn old(name: &str) -> Vec<u8> {
    let path = Path::new("tests/since-v0.1.0").join(name).with_extension("wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn loaded(host: &PluginHost, name: &str) -> Plugin {
    let plugin = load(host, name, &old(name));
    assert_eq!(plugin.contract(), "0.1.0");
    plugin
}

#[test]
fn collectors_of_the_version_before_collect_what_the_newest_do() {
    let host = host(limits());
    for (name, newest) in [
        ("collects_charges", test_artifacts::COLLECTS_CHARGES),
        ("collects_json", test_artifacts::COLLECTS_JSON),
    ] {
        let before =
            charges(collect(&granted(&loaded(&host, name)), &request("", Vec::new())).unwrap());
        let now = load(&host, name, newest);
        assert_eq!(now.contract(), "0.1.1");
        assert_eq!(before, charges(collect(&granted(&now), &request("", Vec::new())).unwrap()));
        assert_eq!(before.len(), 3);
    }
}

#[test]
fn a_reader_of_files_of_the_version_before_maps_todays_bills() {
    let plugin = loaded(&host(limits()), "focus_file");
    assert_eq!(plugin.world(), "apportion:plugin/collector@0.1.0");
    let path = Path::new("../../plugins/focus-file/fixtures/focus_1_4.csv");
    let bill =
        GrantedTable { name: "focus_1_4.csv".into(), path: path.into(), form: TextForm::default() };
    let batches = collect(&granted(&plugin), &request("{}", vec![bill])).unwrap();
    let [Batch { rows: Rows::Mapped(mapping), .. }] = batches.as_slice() else {
        panic!("{batches:?}")
    };
    assert_eq!(mapping.table, "focus_1_4.csv");
    assert!(mapping.origin(Feed::Dimension(Field::PROVIDER_NAME)).is_some());
}

#[test]
fn powers_of_the_version_before_are_linked_and_refused_as_ever() {
    let host = host(limits());
    let plugin = loaded(&host, "asks_http");
    let refused = plugin.collector(&Grants::new("bill", []).unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(refused.hint_text().as_deref(), Some("[sources.bill]\ngrants = [\"http\"]"));
    // The power is granted, but no request is allowed. The question reaches the host, and the host
    // refuses it.
    let granted = plugin.collector(&Grants::new("bill", ["http"]).unwrap()).unwrap();
    let http = reach::http::Http::new(
        reach::http::HttpOptions::new("bill"),
        reach::secret::Secrets::default(),
    );
    let granted = granted.with_clients(reach::Clients {
        http: Some(std::sync::Arc::new(http)),
        ..reach::Clients::default()
    });
    let refused = collect(&granted, &request("GET https://example.org/", Vec::new())).unwrap_err();
    assert!(refused.message.contains("https://example.org/"), "{}", refused.message);
}

#[test]
fn allocators_of_the_version_before_weigh_what_the_newest_do() {
    let plugin = loaded(&host(limits()), "allocates_by_driver");
    assert_eq!(plugin.kind(), PluginKind::Allocator);
    let pool = AllocatorPool {
        rule: "r".into(),
        period_start: "2026-03-01".into(),
        amount: "1".into(),
        currency: "USD".into(),
    };
    let driver = |team: &str, value: &str| AllocatorDriver {
        metric: "m".into(),
        keys: vec![("team".into(), team.into())],
        value: value.into(),
    };
    let targets = ["search", "payments"].map(Target::team);
    let weights = plugin.allocator().unwrap().allocate(
        "{}",
        &pool,
        &targets,
        &[driver("payments", "30"), driver("search", "7")],
    );
    assert_eq!(weights, Ok(vec![7, 30]));
}

/// A collector names the days that it has completely, and the days that its source does not know.
#[test]
fn what_is_said_of_days_comes_with_the_pages_and_after_the_last_one() {
    let plugin = load(&host(limits()), "knows", test_artifacts::SAYS_WHAT_IT_KNOWS);
    let batches = collect(&granted(&plugin), &request("", Vec::new())).unwrap();
    let said: Vec<String> = batches
        .iter()
        .map(|batch| {
            let complete = batch
                .complete
                .iter()
                .map(|period| format!("complete {}..{}", period.start(), period.end()));
            let unknown = batch.unknown.iter().map(|days| {
                format!("unknown {}..{}: {}", days.period.start(), days.period.end(), days.reason)
            });
            complete.chain(unknown).collect::<Vec<_>>().join(", ")
        })
        .collect();
    assert_eq!(
        said,
        ["complete 2026-03-01..2026-04-01", "unknown 2026-02-01..2026-03-01: it was asleep"]
    );
    for (config, words) in [
        ("2026-13-01", "'2026-13-01' is not a date such as 2026-03-31"),
        ("often", "it said more than 366 times which days it knows"),
    ] {
        let (_, message) = refusal(&granted(&plugin), &request(config, Vec::new()));
        assert!(message.contains(words), "{message}");
    }
}
