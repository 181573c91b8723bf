//! The log on stderr: its formats and levels. It contains no secret.

use crate::scene::{Output, SETTINGS, Scene};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;

const TOKEN: &str = "t0ken-of-the-log";
const FORMATS: [&str; 2] = ["text", "json"];
const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// Starts a server that refuses every request and quotes it with its secret. Returns its address.
fn quoting_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4_096];
            let length = stream.read(&mut request).unwrap_or_default();
            let body = &request[..length];
            let head = format!("HTTP/1.1 401 No\r\nContent-Length: {length}\r\n\r\n");
            let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    address
}

fn asking(address: &str) -> Scene {
    let scene = Scene::with_rules();
    let settings = format!(
        r#"[sources.acme]
plugin = "http-json"
grants = ["http"]

[sources.acme.http]
allow = ["GET http://{address}/"]
networks = ["127.0.0.0/8"]
retries = 0

[sources.acme.secrets.token]
env = "ACME_TOKEN"
for = ["http://{address}/"]

[sources.acme.config]
url = "http://{address}/costs?from={{start}}&to={{end}}"
auth = {{ slot = "token", place = "bearer" }}
rows = "$.rows[*]"
fields = {{ charge_period_start = "$.date", billed_cost = "$.cost", billing_currency = "$.currency" }}
"#
    );
    scene.write("apportion.toml", &settings);
    scene
}

fn lines(output: &Output) -> Vec<Value> {
    let line =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    output.stderr.lines().map(line).collect()
}

#[test]
fn no_level_of_the_log_shows_a_secret() {
    let address = quoting_server();
    for format in FORMATS {
        for level in LEVELS {
            let environment = [
                ("ACME_TOKEN", TOKEN),
                ("APPORTION_LOG_FORMAT", format),
                ("APPORTION_LOG_LEVEL", level),
            ];
            let arguments = ["run", "--from", "2026-03", "--to", "2026-03"];
            let output = asking(&address).run_with(&arguments, &environment).expect(3);
            let all = format!("{}{}", output.stdout, output.stderr);
            assert!(!all.contains(TOKEN), "{format} {level}: {all}");
            assert!(output.stderr.contains("N101"), "{format} {level}: {}", output.stderr);
        }
    }
}

#[test]
fn a_line_of_json_has_the_parts_of_a_finding() {
    let scene = Scene::with_rules();
    let settings = format!("{SETTINGS}\n[log]\nformat = \"json\"\n");
    scene.write("apportion.toml", &settings);
    let output = scene.run("run").expect(1);
    let error = lines(&output).pop().expect("a line");
    assert_eq!((&error["level"], &error["code"]), (&"error".into(), &"F101".into()));
    assert!(
        error["message"].as_str().is_some_and(|text| text.contains("finds no file")),
        "{error}"
    );
    assert!(
        error["hint"].as_str().is_some_and(|text| text.contains("put the bill there")),
        "{error}"
    );
    // The variable wins over the file.
    let text = scene.run_with(&["run"], &[("APPORTION_LOG_FORMAT", "text")]).expect(1).stderr;
    assert!(text.starts_with("error: F101: "), "{text}");
}

/// Settings and command lines that are refused, while the form of the log is known.
#[test]
fn what_ends_a_command_early_is_a_line_of_json_too() {
    let scene = Scene::with_rules();
    let refusal = |settings: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        scene.write("apportion.toml", settings);
        let output = scene.run_with(arguments, environment);
        let [line] = lines(&output).try_into().unwrap_or_else(|lines| panic!("{lines:?}"));
        [&line["level"], &line["code"], &line["message"], &line["hint"]]
            .map(|part| part.as_str().unwrap_or_default().to_owned())
    };
    let json = "[log]\nformat = \"json\"\n";
    for (settings, code, message, hint) in [
        ("ledger = 7\n", "C102", "invalid type: integer `7`, expected a text in quotes", ""),
        ("ruels = \"x\"\n", "C103", "there is no setting 'ruels' here", "Did you mean `rules`?"),
        (
            "unknown_teams = \"no\"\n",
            "C104",
            "'no' is not a way to treat unknown teams",
            "write one of: allow, warn, refuse",
        ),
    ] {
        let expect = ["error", code, message, hint];
        assert_eq!(refusal(&format!("{settings}{json}"), &["run"], &[]), expect);
        let variable = [("APPORTION_LOG_FORMAT", "json")];
        assert_eq!(refusal(settings, &["run"], &variable), expect);
        // The variable wins over the file.
        let variable = [("APPORTION_LOG_FORMAT", "text")];
        let text = scene.run_with(&["run"], &variable).stderr;
        assert!(text.starts_with("error: ") && text.contains(code), "{text}");
    }
    // A text that breaks off is read as far as it goes.
    let [_, code, ..] = refusal(&format!("{json}[sources\n"), &["run"], &[]);
    assert_eq!(code, "C102");
    let usage = refusal("", &["rn"], &[("APPORTION_LOG_FORMAT", "json")]);
    let hint = "tip: a similar subcommand exists: 'runs'\n\n\
                Usage: apportion [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.";
    assert_eq!(usage, ["error", "C201", "unrecognized subcommand 'rn'", hint]);
}

#[test]
fn the_level_leaves_out_what_is_less() {
    let scene = Scene::with_bill();
    let note = |level: &str| {
        let environment = [("APPORTION_LOG_LEVEL", level)];
        scene.run_with(&["source", "check"], &environment).expect(0).stderr
    };
    assert!(note("info").contains("1 file, read by focus-file"));
    assert_eq!(note("warn"), "");
    let refused = scene.run_with(&["run"], &[("APPORTION_LOG_LEVEL", "all")]);
    refused.fails_with(1, "C104", "write one of: error, warn, info, debug");
}
