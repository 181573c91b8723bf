//! Settings that are resolved, and those that are refused.

use super::*;
use domain::text_form::{DecimalMark, Encoding, TextForm};

fn resolve(text: &str) -> Result<Settings, String> {
    let reading = Reading::new("apportion.toml", text);
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
fn a_source_says_how_its_text_tables_are_written() {
    let form = |lines: &str| {
        let text = format!("[sources.a]\nplugin = 'p'\npaths = ['a']\n{lines}");
        let settings = resolve(&text).unwrap_or_else(|refusal| panic!("{refusal}"));
        settings.source("a").map(SourceSettings::text_form)
    };
    assert_eq!(form(""), Some(TextForm::default()));
    let expect = TextForm {
        delimiter: b';',
        encoding: Encoding::Windows1252,
        skip_lines: 4,
        decimal_mark: DecimalMark::Comma,
    };
    let lines =
        "delimiter = ';'\nencoding = 'Windows-1252'\nskip_lines = 4\ndecimal_comma = true\n";
    assert_eq!(form(lines), Some(expect));
    let refusal = refusal(
        "[sources.a]\nplugin = 'p'\npaths = ['a']\nencoding = 'ebcdic'\nskip_lines = 5000\n",
    );
    for expect in [
        "apportion.toml:4:12: C104: 'ebcdic' is no encoding that is known here",
        "hint: there are: utf-8, utf-16, latin-1, windows-1252",
        "apportion.toml:5:14: C104: skip_lines = 5000 is out of bounds",
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
            ["settled_after_days = 5", "accrues_for = 'aws'"],
            "apportion.toml:4:22: C104: settled_after_days is for estimates, and this source names \
             no bill",
        ),
        (
            ["", "accrues_for = 'aws'\naccrues_by = ['service_name', 'region_name']"],
            "apportion.toml:9:14: C104: estimates cannot be matched by region_name, which is no \
             dimension that is kept",
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
fn a_former_name_is_nobodys_name() {
    let source = |name: &str, formerly: &str| {
        format!("[sources.{name}]\nplugin = 'focus-file'\npaths = ['a']\n{formerly}\n")
    };
    let two = |of_first: &str, of_second: &str| {
        [source("amazon", of_first), source("azure", of_second)].concat()
    };
    assert!(resolve(&two("formerly = ['aws', 'aws-old']", "formerly = ['az']")).is_ok());
    for (settings, expect) in [
        (
            two("formerly = ['azure']", ""),
            "apportion.toml:4:12: C104: 'azure' is a source, and cannot be a former name of \
             'amazon'",
        ),
        (
            two("formerly = ['amazon']", ""),
            "C104: 'amazon' is a source, and cannot be a former name of 'amazon'",
        ),
        (
            two("formerly = ['aws']", "formerly = ['aws']"),
            "apportion.toml:8:12: C104: 'amazon' and 'azure' cannot both have been 'aws'",
        ),
    ] {
        let refusal = refusal(&settings);
        assert!(refusal.contains(expect), "{expect} is not in\n{refusal}");
    }
}

#[test]
fn a_bill_that_is_missing_is_to_be_added() {
    let refusal = refusal("[sources.a]\nplugin = 'p'\naccrues_for = 'b'\n");
    assert!(
        refusal.ends_with("hint: add the source of the bill, which has no `accrues_for` itself"),
        "{refusal}"
    );
}

#[test]
fn an_empty_path_is_refused_with_a_hint_for_any_path() {
    for (text, at) in [("ledger = ''\n", "1:10"), ("rules = ''\n", "1:9")] {
        let refusal = refusal(text);
        let expect = format!("apportion.toml:{at}: C104: a path cannot be empty");
        assert!(refusal.starts_with(&expect), "{refusal}");
        assert!(refusal.ends_with("hint: write a path, or leave the line out"), "{refusal}");
    }
}

/// What is no setting stands behind the settings of its source; names of sources may hold dots.
#[test]
fn every_value_stands_with_its_section() {
    let settings = resolve(
        "[trust]\nrequire_signature = true\n\
         [sources.a]\nplugin = 'p'\n[sources.a.secrets.s]\nenv = 'S'\nfor = ['https://h/']\n\
         [sources.a.http]\nallow = ['GET https://h/']\n\
         [sources.'a.b']\nplugin = 'q'\nconfig = { x = 1 }\n\
         [sources.'a.b'.http]\nproxy_auth = { env = 'P' }\n",
    );
    let lines = settings.unwrap_or_else(|refusal| panic!("{refusal}")).lines();
    let place = |key: &str| lines.iter().position(|line| line.key == key).expect(key);
    let shown = |key: &str| format!("{} {}", lines[place(key)].value, lines[place(key)].origin);
    let of_a = place("sources.a.config") + 1;
    assert_eq!(place("sources.a.secrets.s.env"), of_a);
    assert_eq!(place("sources.a.secrets.s.for"), of_a + 1);
    assert_eq!(place("sources.a.b.plugin"), of_a + 2);
    let of_other = place("sources.a.b.config") + 1;
    assert_eq!(place("sources.a.b.http.proxy_auth.env"), of_other);
    assert_eq!(place("trust.require_signature"), lines.len() - 1);
    assert_eq!(shown("trust.require_signature"), "true apportion.toml:2");
    assert_eq!(shown("sources.a.b.config"), "{\"x\":1} apportion.toml:12");
}

#[test]
fn a_key_means_one_tag() {
    for (text, expect) in [
        (
            "[tags.owner]\n[tags.team]\nsynonyms = ['Owner']\n",
            "3:13: C104: 'Owner' would mean both the tag 'owner' and the tag 'team'",
        ),
        // The section that stands later, whatever the order of the names.
        (
            "[tags.team]\nfold_values = true\n[tags.Team]\nfold_values = true\n",
            "3:1: C104: 'Team' would mean both the tag 'team' and the tag 'Team'",
        ),
        (
            "[tags.app]\nsynonyms = ['x', 'TEAM']\n[tags.team]\n",
            "3:1: C104: 'team' would mean both the tag 'app' and the tag 'team'",
        ),
        (
            "[tags.b]\nsynonyms = ['owner']\n[tags.a]\nsynonyms = ['o', 'Owner']\n",
            "4:18: C104: 'Owner' would mean both the tag 'b' and the tag 'a'",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(&format!("apportion.toml:{expect}\n")), "{refusal}");
        assert_eq!(refusal.matches("C104").count(), 1, "{refusal}");
    }
    let refusal = refusal("[tags.team]\n[tags.Team]\n");
    assert!(
        refusal.ends_with(
            "hint: keys match in any case: leave this one to `[tags.team]` or to `[tags.Team]`"
        ),
        "{refusal}"
    );
    let refusal = self::refusal("[tags.'é']\n[tags.'É']\n");
    assert!(refusal.contains("'É' would mean both the tag 'é' and the tag 'É'"), "{refusal}");
    let refusal = self::refusal("[tags.'a.b']\n[tags.'A.b']\n");
    assert!(refusal.ends_with("to `[tags.\"a.b\"]` or to `[tags.\"A.b\"]`"), "{refusal}");
}

/// A section may repeat its own key, and a blank is part of a key.
#[test]
fn a_key_that_means_one_tag_only_is_read() {
    for text in
        ["[tags.team]\nsynonyms = ['Team', 'owner', 'OWNER']\n", "[tags.team]\n[tags.'team ']\n"]
    {
        assert_eq!(refusal(text), "resolved", "{text}");
    }
}

#[test]
fn a_folded_value_means_one_value() {
    let values = |fold: bool, values: &str| {
        format!("[tags.team]\nfold_values = {fold}\nvalues = {{ {values} }}\n")
    };
    let two = "Aa = 'x', b = 'b', ' aa' = 'y'";
    let refused = refusal(&values(true, two));
    assert!(
        refused.starts_with(
            "apportion.toml:3:31: C104: the value ' aa' would mean both 'x' and 'y'\n"
        ),
        "{refused}"
    );
    assert!(refused.ends_with("keep one of these spellings"), "{refused}");
    // Without folding these are two values, and two spellings of one meaning are no question.
    assert_eq!(refusal(&values(false, two)), "resolved");
    assert_eq!(refusal(&values(true, "Aa = 'x', aa = 'x'")), "resolved");
    // A spelling is folded like the values that it is compared with.
    let settings = resolve(&values(true, "PAY = 'Payments'")).expect("good settings");
    let tags = vec![("TEAM".to_owned(), " Pay ".to_owned())];
    assert_eq!(settings.tag_schema.canonical(&tags), [("team".to_owned(), "Payments".to_owned())]);
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

/// The keeper is the one that the store of this scheme reads.
#[test]
fn a_password_in_a_url_is_refused_with_the_keeper_of_its_place() {
    let s3 = "take it out, and name its keeper:\n[sources.\"a.b\".store]\n\
        access_key = { env = \"VARIABLE\" }\nsecret_key = { env = \"OTHER\" }";
    let azure = "take it out, and name its keeper:\n[sources.\"a.b\".store]\n\
        account_key = { env = \"VARIABLE\" }\na shared access signature goes into `sas`";
    let google = "take it out, and name its keeper:\n[sources.\"a.b\".store]\n\
        service_account = { file = \"key.json\" }";
    for (settings, hint) in [
        ("paths = ['s3://key:s3cr3t@bucket/x']\n", s3),
        ("paths = ['az://key:s3cr3t@acme/bills/x']\n", azure),
        ("paths = ['gs://key:s3cr3t@bucket/x']\n", google),
        ("[sources.'a.b'.store]\nendpoint = 'https://key:s3cr3t@h'\n", s3),
        (
            "paths = ['az://acme/bills']\n[sources.'a.b'.store]\nendpoint = 'https://k:s3cr3t@h'\n",
            azure,
        ),
        (
            "[sources.'a.b'.aws]\nendpoint = 'https://key:s3cr3t@h'\n",
            "take it out, and name who asks:\n[sources.\"a.b\".aws]\nprofile = \"billing\"",
        ),
        (
            "[sources.'a.b'.http]\nallow = ['GET https://h/']\n[sources.'a.b'.secrets.t]\n\
             for = ['https://h/']\noauth2 = { token_url = 'https://id:s3cr3t@h/', \
             client_id = 'id', client_secret = { env = 'S' } }\n",
            "write the URL of the token endpoint; \
             a user and a password go into `client_id` and `client_secret`",
        ),
        (
            "[sources.'a.b'.store]\nbearer = { command = ['curl', 'https://me:s3cr3t@h/'] }\n",
            "take it out, and let the program read it itself, as `curl --netrc` does",
        ),
        ("[sources.'a.b'.store]\nregion = 'https://me:s3cr3t@h'\n", "take it out"),
    ] {
        let refusal = refusal(&format!("[sources.'a.b']\nplugin = 'p'\n{settings}"));
        assert!(refusal.contains("C104: "), "{refusal}");
        assert!(!refusal.contains("s3cr3t"), "{refusal}");
        assert_eq!(refusal.split_once("hint: ").map(|(_, hint)| hint), Some(hint), "{settings}");
    }
}

/// Lines and messages of all that is refused in the sections of a source.
fn flaws(sections: &str) -> Vec<String> {
    let text = format!("[sources.x]\nplugin = 'p'\n{sections}");
    let reading = Reading::new("apportion.toml", &text);
    let settings: Settings = reading.parse().unwrap_or_else(|finding| panic!("{finding}"));
    let findings = settings
        .resolve(&SettingsPlace::default(), PathBuf::from("."), &reading)
        .err()
        .unwrap_or_default();
    let line = |finding: &Diagnostic| finding.location.as_ref().map_or(0, |place| place.line);
    findings.iter().map(|finding| format!("{}: {}", line(finding), finding.message)).collect()
}

#[test]
fn sections_of_clients_that_are_in_order() {
    let sections = "[sources.x.http]\nallow = ['GET https://*.example.com/v1/', 'POST http://127.0.0.1:90']\nnetworks = ['127.0.0.0/8']\nretries = 0\n\
        proxy = 'http://proxy:3128'\nproxy_auth = { env = 'P' }\nno_proxy = ['internal.example', '10.0.0.0/8']\nca_file = 'ca.pem'\n\
        [sources.x.secrets.a]\nenv = 'A'\nfor = ['https://api.example.com/v1/costs']\n\
        [sources.x.secrets.b]\noauth2 = { token_url = 'https://login.example.org/t', client_id = 'me', client_secret = { file = 's' } }\nfor = ['https://*.example.com']\n\
        [sources.x.secrets.c]\ngoogle_service_account = { file = 'k.json' }\nfor = ['http://127.0.0.1:90']\n";
    assert_eq!(flaws(sections), Vec::<String>::new());
}

#[test]
fn every_flaw_has_its_line() {
    let sections = "[sources.x.http]\nallow = ['https://h/', 'PUT https://h/', 'GET https://*/',\n'GET https://h/?q', 'GET https://h/v1']\nnetworks = ['0.0.0.0/0', 'home']\n\
        timeout_seconds = 0\nproxy = 'http://me:pw@proxy'\nproxy_auth = {}\nno_proxy = ['*.internal']\n\
        [sources.x.secrets.a]\nenv = 'A'\nfile = 'a'\nfor = ['https://h/']\n\
        [sources.x.secrets.b]\nenv = 'A'\n\
        [sources.x.secrets.c]\nenv = 'A'\nfor = ['https://other/', 'http://h/']\n\
        [sources.x.secrets.d]\noauth2 = { token_url = 'here', client_id = 'me', client_secret = {} }\nfor = ['https://h/']\n";
    assert_eq!(
        flaws(sections),
        [
            "4: 'https://h/' cannot be allowed: it is not a method and a URL",
            "4: 'PUT https://h/' cannot be allowed: the methods are GET, HEAD, POST",
            "4: 'GET https://*/' cannot be allowed: a star can only stand for the first \
                labels of a name, as in *.example.com",
            "5: 'GET https://h/?q' cannot be allowed: a query or fragment cannot be part of it",
            "6: 0.0.0.0/0 would be every address there is",
            "6: 'home' is not a range of addresses",
            "7: timeout_seconds = 0 is out of bounds",
            "8: this proxy cannot be used: a user or password cannot stand in a URL: secrets have \
                slots",
            "9: it is not said where this secret is kept",
            "10: '*.internal' is no host that could be asked without the proxy",
            "11: this secret is kept in 2 places, and it has to be one",
            "15: it is not said where this secret may go",
            "19: the secret may go to https://other/, which this source may not ask",
            "19: the secret may go to http://h/, which this source may not ask",
            "21: tokens cannot come from there: 'here' is not a URL: relative URL without a \
                base",
            "21: it is not said where this secret is kept",
        ]
    );
}
#[test]
fn every_flaw_of_stores_clusters_and_aws_has_its_line() {
    let sections = "[sources.x.store]\nregion = ''\ntimeout_seconds = 601\nsas = {}\n\
        [sources.x.kubernetes]\ncontext = 'c'\ntimeout_seconds = 0\n\
        [sources.x.aws]\nrole = 'r'\nendpoint = 'here'\ncalls = 10001\nprofile = ' '\n\
        [sources.y]\nplugin = 'p'\n[sources.y.aws]\nexternal_id = 'id'\n";
    assert_eq!(
        flaws(sections),
        [
            "4: region is empty",
            "5: timeout_seconds = 601 is out of bounds",
            "6: it is not said where this secret is kept",
            "8: [sources.x.kubernetes] has a context, and no kubeconfig that it could be of",
            "9: timeout_seconds = 0 is out of bounds",
            "11: the role 'r' is not the ARN of a role",
            "12: the endpoint 'here' is not a URL",
            "13: calls = 10001 is out of bounds",
            "14: profile is empty",
            "18: [sources.y.aws] has an external_id and no role",
        ]
    );
}

#[test]
fn rules_read_the_details_that_any_source_keeps() {
    let a = "[sources.a]\nplugin = 'p'\npaths = ['a']\n";
    let b = a.replace("sources.a", "sources.b");
    for (text, expect) in [
        (String::new(), "prices quantities invoice"),
        ("details = []\n".to_owned(), ""),
        (format!("details = ['prices']\n{a}"), "prices"),
        (format!("details = ['prices']\n{a}details = ['quantities']\n"), "quantities"),
        (format!("details = ['prices']\n{a}details = ['quantities']\n{b}"), "prices quantities"),
    ] {
        let settings = resolve(&text).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(crate::rules::rule_options(&settings).details.names().join(" "), expect);
    }
}
