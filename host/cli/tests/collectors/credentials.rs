//! Who asks AWS: a role of another account, a profile, credentials that are over. No secret is in what is said.

use crate::api_server::{Answer, HttpServer};
use crate::scene::{Output, Scene};
use crate::servers::Server;
use serde_json::{Value, json};
use std::process::Command;

const KEYS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_MAX_ATTEMPTS", "1"),
];

fn explorer(aws: &str) -> Scene {
    let scene = Scene::with_rules();
    let source = "[sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\n[sources.explorer.aws]\n";
    scene.write("apportion.toml", &format!("{source}{aws}\n"));
    scene
}

fn run(scene: &Scene, endpoint: &str, environment: &[(&str, &str)], exit: i32) -> Output {
    let all: Vec<(&str, &str)> =
        environment.iter().copied().chain([("AWS_ENDPOINT_URL", endpoint)]).collect();
    let output =
        scene.run_with(&["run", "--from", "2026-03", "--to", "2026-03"], &all).expect(exit);
    for secret in ["a-secret-of-tests", "secret-of-the-profile"] {
        assert!(
            !output.stdout.contains(secret) && !output.stderr.contains(secret),
            "{}",
            output.stderr
        );
    }
    output
}

/// Answers every question with no costs; the access keys that it was asked with.
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

/// Asks moto, which looks at no signature, with an access key; the answer as it is.
fn ask(url: &str, key: &str, service: &str, target: &str, body: &str) -> String {
    let authorization = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={key}/20260301/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let mut command = Command::new("curl");
    command.args(["-sSf", "-X", "POST", url, "-H", &authorization, "-d", body]);
    if !target.is_empty() {
        command.args([
            "-H",
            &format!("X-Amz-Target: {target}"),
            "-H",
            "Content-Type: application/x-amz-json-1.1",
        ]);
    }
    let output = command.output().expect("curl runs");
    assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_role_of_another_account_sees_what_that_account_has() {
    let Some(moto) = Server::start("moto", &[], &[]) else { return };
    let role = "arn:aws:iam::222222222222:role/apportion";
    let answer = ask(
        &moto.url(),
        "testing",
        "sts",
        "",
        &format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=test"),
    );
    let key = answer
        .split("<AccessKeyId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a key");
    let organizations = |key: &str, action: &str, body: Value| {
        ask(
            &moto.url(),
            key,
            "organizations",
            &format!("AWSOrganizationsV20161128.{action}"),
            &body.to_string(),
        );
    };
    for (key, name) in [("testing", "ours"), (key, "theirs")] {
        organizations(key, "CreateOrganization", json!({ "FeatureSet": "ALL" }));
        organizations(
            key,
            "CreateAccount",
            json!({ "AccountName": name, "Email": format!("{name}@example.com") }),
        );
    }
    let seen = |aws: &str| {
        let scene = Scene::with_rules();
        let source = "[sources.organization]\nplugin = \"aws-organizations\"\ngrants = [\"aws-organizations\"]\n[sources.organization.aws]\n";
        scene.write("apportion.toml", &format!("{source}{aws}\n"));
        let environment: Vec<(&str, &str)> =
            KEYS.into_iter().chain([("AWS_ENDPOINT_URL", moto.url().leak() as &str)]).collect();
        scene
            .run_with(
                &["source", "table", "organization", "--out", "rules/tables/accounts.csv"],
                &environment,
            )
            .expect(0);
        scene.read("rules/tables/accounts.csv")
    };
    let (with, without) = (seen(&format!("role = \"{role}\"\nexternal_id = \"e-1\"")), seen(""));
    assert!(with.contains(",theirs,") && !with.contains(",ours,"), "{with}");
    assert!(without.contains(",ours,") && !without.contains(",theirs,"), "{without}");
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
    // Without a name the environment counts.
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

/// A proxy of the environment is for the web; its password is nobody's to read.
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

/// SeaweedFS looks at signatures, as moto does not.
#[test]
fn a_strict_store_refuses_a_wrong_secret_and_gives_the_bill_to_the_right_one() {
    let Some(server) = Server::start("seaweedfs", &[], &[]) else { return };
    let bill = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName\n12.5,12.5,USD,2026-03-01T00:00:00Z,Usage,Compute\n";
    let scene = Scene::with_rules();
    scene.write("bill.csv", bill);
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["-sSf", "--user", "AKLAB:lab-secret", "--aws-sigv4", "aws:amz:us-east-1:s3"])
            .args(arguments)
            .output();
        let output = output.expect("curl runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    curl(&["-X", "PUT", &format!("{}/billing-export", server.url())]);
    curl(&[
        "-T",
        &scene.path("bill.csv").display().to_string(),
        &format!("{}/billing-export/march/bill.csv", server.url()),
    ]);
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.bill]\nplugin = \"focus-file\"\npaths = [\"s3://billing-export/march/*.csv\"]\ngrants = [\"table-decode\", \"object-store\"]\n\
             [sources.bill.store]\nendpoint = \"{}\"\nallow_http = true\n",
            server.url()
        ),
    );
    let with = |key: &str, secret: &str, exit: i32| {
        let keys = [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let output = scene.run_with(&["run"], &keys).expect(exit);
        assert!(!output.stderr.contains(secret), "{}", output.stderr);
        output
    };
    for (key, secret) in [("AKLAB", "another-secret"), ("NOBODY", "lab-secret")] {
        let output = with(key, secret, 3);
        assert!(output.stderr.contains("F302"), "{}", output.stderr);
    }
    // One that may read this bucket and do nothing else.
    let output = with("AKREAD", "read-secret", 0);
    assert!(output.stdout.contains("bill: 1 charge, 0 set aside"), "{}", output.stdout);
}

/// A proxy between us and moto that does harm: AWS throttles, breaks off and fails.
#[test]
fn storms_between_us_and_aws_are_gaps_and_the_next_run_mends_them() {
    let Some(moto) = Server::start("moto", &[], &[]) else { return };
    let port = crate::servers::free_port().to_string();
    let Some(faults) = Server::start("faults", &["storm", &port, &moto.url()], &[]) else { return };
    let post = |url: &str, body: &Value| {
        let output = Command::new("curl")
            .args([
                "-sSf",
                "-X",
                "POST",
                "-H",
                "Content-Type: application/json",
                "-d",
                &body.to_string(),
                url,
            ])
            .output();
        assert!(output.expect("curl runs").status.success(), "{url}");
    };
    let group = json!({ "Keys": ["Compute", "111111111111"], "Metrics": { "UnblendedCost": { "Amount": "7.25", "Unit": "USD" }, "AmortizedCost": { "Amount": "7.25", "Unit": "USD" } } });
    let day = json!({ "Estimated": false, "TimePeriod": { "Start": "2026-03-01", "End": "2026-03-02" }, "Total": {}, "Groups": [group] });
    post(
        &format!("{}/moto-api/static/ce/cost-and-usage-results", moto.url()),
        &json!({ "results": [{ "ResultsByTime": [day] }] }),
    );
    let scene = explorer("");
    let through = format!("http://127.0.0.1:{port}");
    let rules = |rule: Value| post(&format!("{}/rules", faults.exported("FAULTS")), &json!([rule]));
    for (error, words) in [
        (
            json!({ "code": "LimitExceededException", "status": 400 }),
            "is asked too often (LimitExceededException)",
        ),
        (
            json!({ "code": "ExpiredTokenException", "status": 400 }),
            "have expired (ExpiredTokenException)",
        ),
    ] {
        rules(json!({ "service": "ce", "operation": "GetCostAndUsage", "error": error }));
        let output = run(&scene, &through, &KEYS, 3);
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    rules(json!({ "service": "ce", "operation": "GetCostAndUsage", "reset": true }));
    let output = run(&scene, &through, &KEYS, 3);
    assert!(output.stderr.contains("P201"), "{}", output.stderr);
    let status = |name: &str| {
        scene.run("source status explorer --format json").expect(0).json()[0][name].clone()
    };
    assert_eq!((status("newest_day"), status("last_success")), (Value::Null, Value::Null));
    post(&format!("{}/rules", faults.exported("FAULTS")), &json!([]));
    run(&scene, &through, &KEYS, 0);
    assert_eq!(status("newest_day"), "2026-03-01");
    assert!(scene.run("costs --granularity total --format csv").expect(0).stdout.contains("7.25"));
}
