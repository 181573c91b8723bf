//! The promise to vendors: a plugin that was built for an earlier version of the contract runs as
//! it did.

use super::*;
use domain::field::Field;
use domain::mapping::Feed;
use domain::port::Delivery;
use domain::recipient::Target;
use domain::text_form::TextForm;
use plugin_host::{AllocatorDriver, AllocatorPool, PluginKind};
use std::path::Path;

fn old(version: &str, name: &str) -> Vec<u8> {
    let path = Path::new("tests").join(format!("since-v{version}")).join(name);
    let path = path.with_extension("wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn loaded_of(host: &PluginHost, version: &str, name: &str) -> Plugin {
    let plugin = load(host, name, &old(version, name));
    assert_eq!(plugin.contract(), version);
    plugin
}

fn loaded(host: &PluginHost, name: &str) -> Plugin {
    loaded_of(host, "0.1.0", name)
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
        assert_eq!(now.contract(), "0.2.0");
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
fn allocators_of_the_versions_before_weigh_what_the_newest_do() {
    let host = host(limits());
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
    let drivers = [driver("payments", "30"), driver("search", "7")];
    let newest = load(&host, "newest", test_artifacts::ALLOCATES_BY_DRIVER);
    assert_eq!(newest.contract(), "0.2.0");
    for plugin in [
        loaded_of(&host, "0.1.0", "allocates_by_driver"),
        loaded_of(&host, "0.1.1", "allocates_by_driver"),
        newest,
    ] {
        assert_eq!(plugin.kind(), PluginKind::Allocator);
        let weights = plugin.allocator().unwrap().allocate("{}", &pool, &targets, &drivers);
        assert_eq!(weights, Ok(vec![7, 30]), "{}", plugin.contract());
    }
}

#[test]
fn a_collector_of_0_1_1_hands_over_the_rows_and_days_that_it_did() {
    let host = host(limits());
    let before = loaded_of(&host, "0.1.1", "says_what_it_knows");
    assert_eq!(before.world(), "apportion:plugin/collector@0.1.1");
    let now = load(&host, "knows", test_artifacts::SAYS_WHAT_IT_KNOWS);
    assert_eq!(now.contract(), "0.2.0");
    let [before, now] =
        [before, now].map(|plugin| collect(&granted(&plugin), &request("", Vec::new())).unwrap());
    assert_eq!(said(&before), WHAT_IT_KNOWS);
    assert_eq!(said(&now), WHAT_IT_KNOWS);
    let rows = charges(before);
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0].billed_cost.as_str(), rows[0].list_cost.as_str()), ("12.50", ""));
    assert_eq!(rows[0].billing_period_start, "");
    assert_eq!(rows, charges(now));
}

/// The version stands in the names alone, so a component of a version to come is made of today's.
#[test]
fn a_version_to_come_is_refused_with_those_that_are_served() {
    let mut bytes = test_artifacts::COLLECTS_CHARGES.to_vec();
    let (now, later) = (b"@0.2.0", b"@0.3.0");
    let places: Vec<usize> = bytes
        .windows(now.len())
        .enumerate()
        .filter(|(_, window)| window == now)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        bytes[at..at + now.len()].copy_from_slice(later);
    }
    let refused = host(limits()).load("later", &bytes).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, plugin_host::code::PLUGIN_INVALID);
    assert!(
        refused.message.ends_with(
            "cannot be loaded: it is made for version 0.3.0 of the contract, and this host serves \
             0.1.0, 0.1.1 and 0.2.0"
        ),
        "{}",
        refused.message
    );
}

const WHAT_IT_KNOWS: [&str; 2] =
    ["complete 2026-03-01..2026-04-01", "unknown 2026-02-01..2026-03-01: it was asleep"];

/// What each page says of days.
fn said(batches: &[Batch]) -> Vec<String> {
    let words = |batch: &Batch| {
        let complete = batch
            .complete
            .iter()
            .map(|period| format!("complete {}..{}", period.start(), period.end()));
        let unknown = batch.unknown.iter().map(|days| {
            format!("unknown {}..{}: {}", days.period.start(), days.period.end(), days.reason)
        });
        complete.chain(unknown).collect::<Vec<_>>().join(", ")
    };
    batches.iter().map(words).collect()
}

/// A collector names the days that it has completely, and the days that its source does not know.
#[test]
fn what_is_said_of_days_comes_with_the_pages_and_after_the_last_one() {
    let plugin = load(&host(limits()), "knows", test_artifacts::SAYS_WHAT_IT_KNOWS);
    let batches = collect(&granted(&plugin), &request("", Vec::new())).unwrap();
    assert_eq!(said(&batches), WHAT_IT_KNOWS);
    for (config, words) in [
        ("2026-13-01", "'2026-13-01' is not a date such as 2026-03-31"),
        ("often", "it said more than 366 times which days it knows"),
    ] {
        let (_, message) = refusal(&granted(&plugin), &request(config, Vec::new()));
        assert!(message.contains(words), "{message}");
    }
}

/// A collector names the deliveries that it found, those that it leaves out too, and a charge has
/// its billing period, quantities, prices and costs.
#[test]
fn deliveries_come_with_the_pages_and_after_the_last_one() {
    let plugin = load(&host(limits()), "finds", test_artifacts::FINDS_DELIVERIES);
    let batches = collect(&granted(&plugin), &request("", Vec::new())).unwrap();
    let found: Vec<Vec<String>> = batches
        .iter()
        .map(|batch| {
            let words = |delivery: &Delivery| {
                let period = delivery.billing_period.map(|day| day.to_string());
                format!("{} {period:?} {:?}", delivery.name, delivery.left_out)
            };
            batch.deliveries.iter().map(words).collect()
        })
        .collect();
    assert_eq!(
        found,
        [
            vec![
                "march/run-2 Some(\"2026-03-01\") None",
                "march/run-1 Some(\"2026-03-01\") Some(\"a newer run has the same month\")",
            ],
            vec!["loose file None None"],
        ]
    );
    let [charge] = <[RawCharge; 1]>::try_from(charges(batches)).unwrap();
    assert_eq!(charge.billing_period_start, "2026-03-01");
    assert_eq!([charge.pricing_quantity, charge.consumed_quantity], ["4", "14400"]);
    assert_eq!([charge.list_unit_price, charge.contracted_unit_price], ["2.50", "2.00"]);
    assert_eq!([charge.list_cost, charge.contracted_cost], ["10.00", "8.00"]);
    for (config, words) in [
        (
            "2026-02-30",
            "the delivery 'run' has a billing period that is no date: '2026-02-30' is not a \
             date such as 2026-03-31",
        ),
        ("nameless", "it found a delivery without a name"),
        ("groundless", "it leaves out 'run' without a reason"),
        ("often", "it found more than 4000 deliveries"),
    ] {
        let (_, message) = refusal(&granted(&plugin), &request(config, Vec::new()));
        assert!(message.contains(words), "{message}");
    }
}
