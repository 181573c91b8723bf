//! The first-party plugin `focus-file` as it is embedded, on the fixtures of its own tests.

use super::*;
use domain::code;
use domain::field::Field;
use domain::mapping::{Feed, Mapping, Origin};
use domain::text_form::TextForm;

fn bundled(name: &str) -> &'static [u8] {
    bundled_plugins::PLUGINS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, bytes)| *bytes)
        .unwrap()
}

fn fixture(name: &str) -> GrantedTable {
    let path = std::path::Path::new("../../plugins/focus-file/fixtures").join(name);
    GrantedTable { name: name.into(), path, form: TextForm::default() }
}

fn plugin() -> CollectorPlugin {
    granted(&load(&host(limits()), "focus-file", bundled("focus-file")))
}

fn mappings(config: &str, tables: Vec<GrantedTable>) -> Result<Vec<Mapping>, Diagnostic> {
    let of_batch = |batch: Batch| match batch.rows {
        Rows::Mapped(mapping) => mapping,
        other => panic!("{other:?}"),
    };
    Ok(collect(&plugin(), &request(config, tables))?.into_iter().map(of_batch).collect())
}

#[test]
fn every_bundled_plugin_loads_under_its_name() {
    let host = PluginHost::new(HostOptions::default()).unwrap();
    for (name, bytes) in bundled_plugins::PLUGINS {
        let plugin = load(&host, name, bytes);
        assert_eq!(plugin.identity().name, *name);
        assert_eq!(plugin.identity().version, "0.1.0");
        assert_eq!(plugin.identity().digest.len(), 64);
    }
}

#[test]
fn maps_each_version_of_focus_in_the_order_of_the_files() {
    let names =
        ["focus_1_0.csv", "focus_1_1.csv", "focus_1_2.csv", "focus_1_3.csv", "focus_1_4.csv"];
    let mappings = mappings("{}", names.map(fixture).into()).unwrap();
    assert_eq!(mappings.iter().map(|mapping| mapping.table.as_str()).collect::<Vec<_>>(), names);
    // The dimensions of the domain that each version has a column for, the four needed fields, the
    // tags, and the seven of billing period, quantities, prices and costs.
    assert_eq!(
        mappings.iter().map(|mapping| mapping.feeds.len()).collect::<Vec<_>>(),
        [41, 45, 48, 49, 48]
    );
    let provider =
        |mapping: &Mapping| mapping.origin(Feed::Dimension(Field::PROVIDER_NAME)).cloned();
    assert_eq!(provider(&mappings[0]), Some(Origin::Column("ProviderName".into())));
    assert_eq!(provider(&mappings[4]), Some(Origin::Column("ServiceProviderName".into())));
    assert_eq!(mappings[0].nulls, ["NULL", "null"]);
}

#[test]
fn a_missing_column_is_named_with_its_file_and_the_line_that_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let bill = || {
        vec![table(
            &folder,
            "bill.csv",
            "\u{FEFF}BilledCost,EffectiveCost,ChargePeriodStart\r\n1,1,2026-03-01\r\n",
        )]
    };
    let refused = mappings("{}", bill()).unwrap_err();
    assert_eq!(refused.code, decode::code::COLUMN_MISSING);
    assert_eq!(
        refused.location.as_ref().map(|location| location.to_string()).as_deref(),
        Some("bill.csv:1")
    );
    assert!(refused.message.starts_with(
        "bill.csv has no column BillingCurrency, without which its rows cannot become charges"
    ));
    assert_eq!(
        refused.hint_text().as_deref(),
        Some("config = { constants = { billing_currency = \"USD\" } }")
    );
    let mapped = mappings(r#"{"constants": {"billing_currency": "USD"}}"#, bill()).unwrap();
    assert_eq!(mapped[0].origin(Feed::BillingCurrency), Some(&Origin::Constant("USD".into())));
    assert_eq!(mapped[0].origin(Feed::BilledCost), Some(&Origin::Column("BilledCost".into())));
}

#[test]
fn other_datasets_and_unknown_settings_are_refused() {
    let refused = |config: &str, table: &str| {
        let diagnostic = mappings(config, vec![fixture(table)]).unwrap_err();
        (diagnostic.code, diagnostic.message.clone(), diagnostic.hint_text().unwrap_or_default())
    };
    let (code, message, _) = refused("{}", "contract_commitment.csv");
    assert_eq!(code, code::PLUGIN_CONFIG);
    assert!(
        message.starts_with(
            "contract_commitment.csv is the FOCUS dataset Contract Commitment, whose rows \
         are not charges"
        ),
        "{message}"
    );
    let (code, message, hint) = refused(r#"{"constant": {}}"#, "focus_1_0.csv");
    assert_eq!(code, code::PLUGIN_CONFIG);
    assert!(message.starts_with("there is no setting 'constant'"), "{message}");
    assert_eq!(hint, "did you mean `constants`?");
}

#[test]
fn a_header_that_names_a_needed_column_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let twice = table(
        &folder,
        "twice.csv",
        "BilledCost,EffectiveCost,BilledCost,BillingCurrency,ChargePeriodStart\n1,1,1,USD,2026-03-01\n",
    );
    assert_eq!(mappings("{}", vec![twice]).unwrap_err().code, decode::code::COLUMN_DUPLICATE);
}

#[test]
fn a_check_tells_what_is_strongly_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let bare = table(
        &folder,
        "bare.csv",
        "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ServiceName\n",
    );
    let problems = plugin().check(&request("{}", vec![bare, fixture("focus_1_2.csv")])).unwrap();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].message.starts_with("bare.csv has no column ChargeCategory"),
        "{}",
        problems[0].message
    );
}
