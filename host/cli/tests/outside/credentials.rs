//! Credentials for AWS: a role of another account, keys for a strict store, and faults on the way.
//! No output contains a secret.

use crate::scene::Scene;
use crate::scenes::credentials::{KEYS, explorer, run};
use serde_json::{Value, json};
use std::process::Command;
use test_support::server::counterpart::Server;

/// Asks moto with an access key, and returns the answer unchanged. Moto checks no signatures.
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
    let moto = Server::start("moto", &[], &[]);
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

/// SeaweedFS checks signatures. Moto does not.
#[test]
fn a_strict_store_refuses_a_wrong_secret_and_gives_the_bill_to_the_right_one() {
    let server = Server::start("seaweedfs", &[], &[]);
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
    // This key may read this bucket and do nothing else.
    let output = with("AKREAD", "read-secret", 0);
    assert!(output.stdout.contains("bill: 1 charge, 0 set aside"), "{}", output.stdout);
}

/// A proxy before moto plays faults of AWS: it throttles, breaks off and fails.
#[test]
fn storms_between_us_and_aws_are_gaps_and_the_next_run_mends_them() {
    let moto = Server::start("moto", &[], &[]);
    let port = test_support::server::counterpart::free_port().to_string();
    let faults = Server::start("faults", &["storm", &port, &moto.url()], &[]);
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
