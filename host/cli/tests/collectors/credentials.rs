//! Credentials for AWS: a role of another account, a profile, expired keys. No output contains a
//! secret.

use crate::scene::Scene;
use crate::scenes::credentials::{KEYS, explorer, run};
use serde_json::Value;
use test_support::server::http::{Answer, HttpServer};

/// A server that answers every question with no costs.
fn listener() -> HttpServer {
    HttpServer::start(|_| Answer::json("{\"ResultsByTime\":[]}"))
}

fn keys_used(server: &HttpServer) -> Vec<String> {
    let key = |header: &str| {
        header
            .split_once("Credential=")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(key, _)| key.to_owned())
    };
    server.asked().iter().filter_map(|asked| asked.header("authorization").and_then(key)).collect()
}

#[test]
fn a_role_is_asked_for_with_its_external_id_and_a_refusal_says_what_the_role_needs() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    let server =
        HttpServer::start(move |_| Answer::status(403, denied).header("content-type", "text/xml"));
    let scene =
        explorer("role = \"arn:aws:iam::111122223333:role/apportion\"\nexternal_id = \"e-17\"");
    let output = run(&scene, &server.url(), &KEYS, 3);
    let asked = server.asked().first().map(|asked| asked.body.clone()).unwrap_or_default();
    assert!(
        asked.contains("Action=AssumeRole")
            && asked.contains("ExternalId=e-17")
            && asked.contains("role%2Fapportion"),
        "{asked}"
    );
    assert!(
        output
            .stderr
            .contains("the role arn:aws:iam::111122223333:role/apportion could not be taken on"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains(
            "its trust policy has to name who asks, with the external id: try `aws sts assume-role"
        ),
        "{}",
        output.stderr
    );
}

#[test]
fn a_profile_that_is_named_is_used_whatever_the_environment_has() {
    let server = listener();
    let scene = explorer("profile = \"billing\"");
    scene.write(
        "aws/config",
        "[profile billing]\nregion = eu-central-1\n[profile empty]\nregion = eu-central-1\n",
    );
    scene.write("aws/credentials", "[billing]\naws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = secret-of-the-profile\n");
    let files =
        [("AWS_CONFIG_FILE", "aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "aws/credentials")];
    let environment: Vec<(&str, &str)> = KEYS.into_iter().chain(files).collect();
    run(&scene, &server.url(), &environment, 0);
    assert_eq!(keys_used(&server), ["AKIDOFPROFILE"]);
    // Without a named profile, the keys of the environment count.
    run(&explorer(""), &server.url(), &KEYS, 0);
    assert_eq!(keys_used(&server), ["AKIDOFPROFILE", "testing"]);
    for (profile, words) in [
        ("absent", "there are no credentials for AWS Cost Explorer in the profile 'absent'"),
        ("empty", "there are no credentials for AWS Cost Explorer in the profile 'empty'"),
    ] {
        let aws = scene.read("apportion.toml").replace("\"billing\"", &format!("\"{profile}\""));
        scene.write("apportion.toml", &aws);
        let output = run(&scene, &server.url(), &environment, 3);
        assert!(output.stderr.contains(words), "{}", output.stderr);
        scene.write("apportion.toml", &aws.replace(&format!("\"{profile}\""), "\"billing\""));
    }
    assert_eq!(
        keys_used(&server).len(),
        2,
        "nothing is asked with other credentials than those that are named"
    );
}

#[test]
fn credentials_that_are_over_or_unknown_leave_a_gap_and_say_how_to_sign_in() {
    for (code, words, hint) in [
        (
            "ExpiredTokenException",
            "the credentials for AWS Cost Explorer have expired (ExpiredTokenException)",
            "`aws sso login`",
        ),
        (
            "UnrecognizedClientException",
            "AWS Cost Explorer does not know the credentials",
            "check with `aws sts get-caller-identity`",
        ),
        (
            "InvalidSignatureException",
            "AWS Cost Explorer does not accept the signature",
            "compare `date -u` with the real time",
        ),
    ] {
        let body =
            format!("{{\"__type\":\"{code}\",\"message\":\"a-secret-of-tests is quoted here\"}}");
        let server = HttpServer::start(move |_| Answer::status(400, &body));
        let scene = explorer("");
        let output = run(&scene, &server.url(), &KEYS, 3);
        assert!(output.stderr.contains(words) && output.stderr.contains(hint), "{}", output.stderr);
        let status = scene.run("source status explorer --format json").expect(0).json();
        assert_eq!(status[0]["last_success"], Value::Null);
        assert!(status[0]["gap_days"].as_u64().is_some_and(|days| days >= 31), "{status}");
    }
}

#[test]
fn a_store_asks_with_the_profile_that_is_named() {
    let server = HttpServer::start(|_| {
        Answer::status(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    });
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.bill]\nplugin = \"focus-file\"\npaths = [\"s3://bills/*.csv\"]\ngrants = [\"table-decode\", \"object-store\"]\n\
             [sources.bill.store]\nendpoint = \"{}\"\nallow_http = true\nprofile = \"billing\"\n",
            server.url()
        ),
    );
    scene.write("aws/credentials", "[billing]\naws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = secret-of-the-profile\n");
    let files =
        [("AWS_CONFIG_FILE", "aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "aws/credentials")];
    let environment: Vec<(&str, &str)> = KEYS.into_iter().chain(files).collect();
    let output = scene.run_with(&["run"], &environment).expect(3);
    assert_eq!(
        keys_used(&server).first().map(String::as_str),
        Some("AKIDOFPROFILE"),
        "{}",
        output.stderr
    );
    scene.write(
        "apportion.toml",
        &scene.read("apportion.toml").replace("\"billing\"", "\"absent\""),
    );
    let asked = server.asked().len();
    let output = scene.run_with(&["run"], &environment).expect(3);
    assert!(output.stderr.contains("the profile 'absent' gives none"), "{}", output.stderr);
    assert_eq!(
        server.asked().len(),
        asked,
        "nothing is asked with other credentials than those that are named"
    );
}

/// A cluster is not asked through the proxy of the environment. No output contains a proxy's
/// password.
#[test]
fn a_cluster_goes_by_its_kubeconfig_whatever_proxy_the_environment_has() {
    let server = HttpServer::start(|_| {
        Answer::status(
            401,
            "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Unauthorized\",\"code\":401}",
        )
    });
    let scene = Scene::with_rules();
    let kubeconfig = |proxy: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster: {{ server: \"{}\"{proxy} }}\n\
             contexts:\n- name: c\n  context: {{ cluster: c, user: u }}\nusers:\n- name: u\n  user: {{ token: t }}\n",
            server.url()
        )
    };
    scene.write(
        "apportion.toml",
        "[sources.cluster]\nplugin = \"kubernetes\"\ngrants = [\"kubernetes\"]\n[sources.cluster.kubernetes]\nkubeconfig = \"kubeconfig\"\n",
    );
    scene.write("kubeconfig", &kubeconfig(""));
    let proxies = [
        ("HTTPS_PROXY", "http://user:pw-secret@127.0.0.1:9"),
        ("HTTP_PROXY", "http://user:pw-secret@127.0.0.1:9"),
    ];
    let output = scene.run_with(&["run"], &proxies).expect(3);
    assert!(
        output.stderr.contains("does not know who asks") && !output.stderr.contains("pw-secret"),
        "{}",
        output.stderr
    );
    scene.write("kubeconfig", &kubeconfig(", proxy-url: \"http://user:pw-secret@127.0.0.1:9\""));
    let output = scene.run_with(&["run"], &[]).expect(3);
    assert!(
        output.stderr.contains("the cluster of the source 'cluster' cannot be reached"),
        "{}",
        output.stderr
    );
    assert!(!output.stderr.contains("pw-secret"), "{}", output.stderr);
}
