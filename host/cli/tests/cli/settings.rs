//! The origins of settings, and the errors of wrong ones.

use crate::scene::{SETTINGS, Scene};

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", &format!("ledger = \"file.db\"\n{SETTINGS}"));
    let ledger = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output =
            scene.run_with(&[arguments, &["config", "show"]].concat(), environment).expect(0);
        output
            .stdout
            .lines()
            .next()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .unwrap_or_default()
    };
    assert_eq!(ledger(&[], &[]), "ledger = \"file.db\" # apportion.toml:1");
    assert_eq!(
        ledger(&[], &[("APPORTION_LEDGER", "env.db")]),
        "ledger = \"env.db\" # env APPORTION_LEDGER"
    );
    assert_eq!(
        ledger(&["--ledger", "flag.db"], &[("APPORTION_LEDGER", "env.db")]),
        "ledger = \"flag.db\" # --ledger"
    );
    let show = scene.run("config show --format json").expect(0).json();
    let rules =
        show.as_array().and_then(|lines| lines.iter().find(|line| line["key"] == "rules")).cloned();
    assert_eq!(
        rules,
        Some(serde_json::json!({ "key": "rules", "value": "rules", "origin": "default" }))
    );
    // What has no value has a null there, and no line in text: TOML has no null.
    let is_null = |line: &serde_json::Value| line["value"].is_null();
    assert!(show.as_array().is_some_and(|lines| lines.iter().any(is_null)));
    let text = scene.run("config show").expect(0).says("sources.aws.plugin = ");
    assert!(!text.stdout.contains("= null"), "{}", text.stdout);
}

/// `config show` shows the reach of a source and the places of its secrets. It reads no value of a
/// secret for that.
#[test]
fn what_a_source_reaches_is_shown_as_it_is_written() {
    let scene = Scene::with_rules();
    let sections = "[sources.api]\nplugin = \"http-json\"\ngrants = [\"http\"]\n[sources.api.http]\nallow = [\"GET https://api.example.com/\"]\n\
        no_proxy = [\"internal.example\"]\nproxy_auth = { env = \"PROXY_AUTH\" }\n[sources.api.secrets.token]\nenv = \"TOKEN\"\n\
        for = [\"https://api.example.com/\"]\n[trust]\nrequire_signature = true\n";
    scene.write("apportion.toml", sections);
    let environment = [("TOKEN", "never-shown"), ("APPORTION_PROXY", "http://proxy:3128")];
    let shown = scene.run_with(&["config", "show"], &environment).expect(0).stdout;
    for line in [
        "sources.api.http.allow = [\"GET https://api.example.com/\"] # apportion.toml:5",
        "sources.api.http.no_proxy = [\"internal.example\"] # apportion.toml:6",
        "sources.api.http.proxy_auth.env = \"PROXY_AUTH\" # apportion.toml:7",
        "sources.api.secrets.token.env = \"TOKEN\" # apportion.toml:9",
        "sources.api.secrets.token.for = [\"https://api.example.com/\"] # apportion.toml:10",
        "trust.require_signature = true # apportion.toml:12",
        "sources.*.http.proxy = \"http://proxy:3128\" # env APPORTION_PROXY",
    ] {
        let is_there = shown
            .lines()
            .any(|known| known.split_whitespace().collect::<Vec<_>>().join(" ") == line);
        assert!(is_there, "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("never-shown"));
}

#[test]
fn paths_are_relative_to_the_settings_file() {
    let scene = Scene::with_bill();
    let config = scene.path("apportion.toml").display().to_string();
    let elsewhere = Scene::empty();
    elsewhere.run_with(&["--config", &config, "run"], &[]).expect(0);
    assert!(scene.path("apportion.db").exists());
    elsewhere.run_with(&["ledger", "verify"], &[("APPORTION_CONFIG", &config)]).expect(0);
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", "[sources.aws]\nplugin = \"focus-file\"\npahts = [\"bills\"]\n");
    let output = scene.run("run").expect(1);
    assert_eq!(
        output.stderr,
        "error: apportion.toml:3:1: C103: there is no setting 'pahts' here\n    pahts = \
            [\"bills\"]\n    ^\n\nhint: Did you mean `paths`?\n"
    );
}

#[test]
fn the_schema_is_the_golden_one() {
    let golden = std::fs::read_to_string("apportion.schema.json").expect("the golden schema");
    assert_eq!(Scene::empty().run("config schema").expect(0).stdout, golden);
}
