//! Settings that are resolved, and those that are refused.

use super::*;

fn resolve(text: &str) -> Result<Settings, String> {
    let reading = Reading { file: "apportion.toml", text };
    let settings: Settings = reading.parse().map_err(|finding| finding.to_string())?;
    let resolved = settings.resolve(&SettingsPlace::default(), PathBuf::from("."), &reading);
    resolved.map_err(|findings| {
        findings.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n")
    })
}

fn refusal(text: &str) -> String {
    resolve(text).map_or_else(|refusal| refusal, |_| "resolved".into())
}

#[test]
fn every_value_knows_where_it_comes_from() {
    let settings = resolve(
        "rules = 'r'\n\n[sources.aws]\nplugin = 'focus-file'\npaths = ['a']\nconfig = { a = { b = \
            [1, true] } }\n",
    );
    let settings = settings.unwrap_or_else(|refusal| panic!("{refusal}"));
    let source = settings.source("aws").expect("a source");
    assert_eq!(settings.rules.origin.to_string(), "apportion.toml:1");
    assert_eq!(settings.ledger, Setting::default_of(PathBuf::from("apportion.db")));
    assert_eq!(source.paths.origin.to_string(), "apportion.toml:5");
    assert_eq!(source.config.value.0.to_string(), r#"{"a":{"b":[1,true]}}"#);
    assert!(settings.source("asw").is_none());
}

#[test]
fn values_that_cannot_be_used_are_all_named() {
    let text = "dimensions = ['servce_name']\n[sources.'a b']\nplugin = 'p'\npaths = \
        []\ndelimiter = ';;'\ngrants = ['net']\n[server]\nlisten = 'home'\n[limits]\nthreads = 0\n";
    let refusal = refusal(text);
    for expect in [
        "apportion.toml:1:15: C104: there is no dimension 'servce_name'",
        "Did you mean `service_name`?",
        "C104: 'a b' cannot be the name of a source",
        "apportion.toml:4:9: C104: the source 'a b' has no paths",
        "apportion.toml:5:13: C104: ';;' cannot separate cells",
        "apportion.toml:6:11: C104: there is no power 'net' that could be granted",
        "apportion.toml:8:10: C104: 'home' is not an address with a port",
        "apportion.toml:10:11: C104: threads = 0 is out of bounds",
    ] {
        assert!(refusal.contains(expect), "{expect} is not in\n{refusal}");
    }
}

#[test]
fn estimates_stand_in_for_a_bill() {
    let source = |name: &str, bill: &str| {
        format!("[sources.{name}]\nplugin = 'focus-file'\npaths = ['a']\n{bill}\n")
    };
    let accruals =
        |bills: [&str; 2]| [source("aws", bills[0]), source("estimates", bills[1])].concat();
    assert!(resolve(&accruals(["", "accrues_for = 'aws'"])).is_ok());
    for (bills, expect) in [
        (
            ["", "accrues_for = 'asw'"],
            "apportion.toml:8:15: C104: there is no source 'asw' that 'estimates' could accrue for",
        ),
        (
            ["", "accrues_for = 'estimates'"],
            "apportion.toml:8:15: C104: the source 'estimates' cannot accrue for itself",
        ),
        (
            ["accrues_for = 'estimates'", "accrues_for = 'aws'"],
            "C104: 'aws' cannot accrue for 'estimates', which holds estimates too",
        ),
    ] {
        let refusal = refusal(&accruals(bills));
        assert!(refusal.contains(expect), "{expect} is not in\n{refusal}");
    }
}

#[test]
fn a_key_means_one_tag() {
    let refusal = refusal("[tags.owner]\n[tags.team]\nsynonyms = ['Owner']\n");
    assert!(
        refusal.starts_with(
            "apportion.toml:3:13: C104: 'Owner' would mean both the tag 'owner' and the tag 'team'"
        ),
        "{refusal}"
    );
}

#[test]
fn a_source_without_a_plugin_is_refused_at_its_section() {
    let refusal = refusal("\n[sources.aws]\npaths = ['a']\n");
    assert!(refusal.starts_with("apportion.toml:2:"), "{refusal}");
    assert!(refusal.contains("C102: missing field `plugin`"), "{refusal}");
}

#[test]
fn the_log_is_set_by_words() {
    let settings = resolve("[log]\nformat = 'json'\nlevel = 'warn'\n").expect("good settings");
    assert_eq!(settings.log.format.value, log::LogFormat::Json);
    assert_eq!(settings.log.level.value, log::LogLevel::Warn);
    let refusal = refusal("[log]\nformat = 'jsno'\n");
    assert!(
        refusal.starts_with("apportion.toml:2:10: C104: 'jsno' is no format of the log"),
        "{refusal}"
    );
    assert!(refusal.ends_with("Did you mean `json`?"), "{refusal}");
}

#[test]
fn every_bound_is_held() {
    for (name, least, most) in [
        ("threads", 1, 256),
        ("sources_at_once", 1, 64),
        ("plugin_seconds", 1, 3_600),
        ("plugin_memory_mib", 1, 4_096),
        ("compile_seconds", 1, 3_600),
        ("compile_memory_mib", 2_048, 65_536),
        ("rule_operations", 1, 100_000_000),
    ] {
        for good in [least, most] {
            assert!(resolve(&format!("[limits]\n{name} = {good}\n")).is_ok(), "{name} = {good}");
        }
        for bad in [least - 1, most + 1] {
            let refusal = refusal(&format!("[limits]\n{name} = {bad}\n"));
            let expect = format!("C104: {name} = {bad} is out of bounds");
            assert!(refusal.contains(&expect), "{refusal}");
            assert!(refusal.ends_with(&format!("hint: use {least} to {most}")), "{refusal}");
        }
    }
}
