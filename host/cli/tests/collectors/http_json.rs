//! `http-json` against a server in this process: it collects pages with a token into the ledger,
//! unless the deployment forbids it.

use crate::scene::Scene;
use test_support::server::web::{Web, reply};

const TOKEN: &str = "t0ken-of-the-test";

/// A server with two pages by cursor, for requests with the token. The second page has a row
/// without a cost.
fn api() -> Web {
    Web::start(|_, request| {
        if !request.contains(&format!("authorization: Bearer {TOKEN}\n")) {
            return reply(401, &[], "who are you?");
        }
        let first = r#"{"currency": "USD", "days": [{"date": "2026-03-01", "items": [
            {"product": "Search", "cost": 10.10, "owner": "payments"}, {"product": "Search", "cost": 0.000000001, "owner": "search"}]}], "next": "p2"}"#;
        let second = r#"{"currency": "USD", "days": [{"date": "2026-03-02", "items": [
            {"product": "Store", "cost": "-1.5", "owner": "payments"}, {"product": "Store", "owner": "search"}]}], "next": null}"#;
        reply(200, &[], if request.contains("cursor=p2") { second } else { first })
    })
}

fn scene(web: &Web, grants: &str, limits: &str) -> Scene {
    let scene = Scene::with_rules();
    let root = web.url("/");
    let settings = format!(
        r#"{limits}
[sources.acme]
plugin = "http-json"
grants = [{grants}]

[sources.acme.http]
allow = ["GET {root}v1/"]
networks = ["127.0.0.0/8"]

[sources.acme.secrets.token]
env = "ACME_TOKEN"
for = ["{root}"]

[sources.acme.config]
url = "{root}v1/costs?from={{start}}&to={{end}}"
auth = {{ slot = "token", place = "bearer" }}
paging = {{ style = "cursor", path = "$.next", parameter = "cursor" }}
rows = "$.days[*].items[*]"
fields = {{ charge_period_start = "^.date", billed_cost = "$.cost", billing_currency = "^^.currency", service_name = "$.product" }}
tags = {{ team = "$.owner" }}
"#
    );
    scene.write("apportion.toml", &settings);
    scene
}

#[test]
fn pages_become_charges_and_the_token_stays_with_the_host() {
    let web = api();
    let scene = scene(&web, "\"http\"", "");
    let arguments = ["run", "--from", "2026-03", "--to", "2026-03"];
    // One row has no cost: the run posts the others, and says so.
    let output = scene.run_with(&arguments, &[("ACME_TOKEN", TOKEN)]).expect(3);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(
        said.contains("page 2: /days/0/items/1") && said.contains("it has no billed_cost"),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");
    assert!(
        web.seen()[0].starts_with("GET /v1/costs?from=2026-03-01&to=2026-04-01 HTTP/1.1\n"),
        "{:?}",
        web.seen()
    );
    let report = scene
        .run("costs --from 2026-03 --to 2026-03 --group-by team --format csv")
        .expect(0)
        .stdout;
    // Payments costs 10.10 - 1.5, and search costs a nano.
    assert!(report.contains("8.6") && report.contains("0.000000001"), "{report}");
    let ledger = std::fs::read(scene.path("apportion.db")).unwrap();
    assert!(!ledger.windows(TOKEN.len()).any(|bytes| bytes == TOKEN.as_bytes()));
}

#[test]
fn a_token_that_is_not_set_or_refused_is_a_gap_with_words() {
    let web = api();
    let scene = scene(&web, "\"http\"", "");
    let unset = scene.run("run --from 2026-03 --to 2026-03").expect(3);
    assert!(
        unset.stderr.contains("the environment variable ACME_TOKEN is not set"),
        "{}",
        unset.stderr
    );
    assert_eq!(web.seen().len(), 0);
    let wrong = scene
        .run_with(
            &["run", "--from", "2026-03", "--to", "2026-03"],
            &[("ACME_TOKEN", "an-old-token")],
        )
        .expect(3);
    assert!(
        wrong.stderr.contains("answered 401: who are you?")
            && !wrong.stderr.contains("an-old-token"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn what_is_missing_of_manifest_grant_and_ceiling_is_named_with_its_line() {
    let web = api();
    let period = ["run", "--from", "2026-03", "--to", "2026-03"];
    let ungranted = scene(&web, "", "").run_with(&period, &[]).expect(3);
    assert!(
        ungranted.stderr.contains("which source 'acme' does not grant"),
        "{}",
        ungranted.stderr
    );
    assert!(
        ungranted.stderr.contains("[sources.acme]\ngrants = [\"http\"]"),
        "{}",
        ungranted.stderr
    );
    let low = scene(&web, "\"http\"", "[limits]\npowers = [\"table-decode\"]\n")
        .run_with(&period, &[])
        .expect(3);
    assert!(
        low.stderr.contains(
            "which source 'acme' grants, but the deployment does not allow (apportion.toml:2)"
        ),
        "{}",
        low.stderr
    );
    assert!(
        low.stderr.contains("[limits]\npowers = [\"table-decode\", \"http\"]"),
        "{}",
        low.stderr
    );
    // The variable wins over the file, so the hint extends the variable.
    let lower = scene(&web, "\"http\"", "[limits]\npowers = [\"http\"]\n")
        .run_with(&period, &[("APPORTION_POWERS", "file")])
        .expect(3);
    assert!(
        lower.stderr.contains("the deployment does not allow (APPORTION_POWERS)"),
        "{}",
        lower.stderr
    );
    assert!(lower.stderr.contains("export APPORTION_POWERS=file,http"), "{}", lower.stderr);
    let unknown =
        scene(&web, "\"http\"", "[limits]\npowers = [\"htttp\"]\n").run_with(&period, &[]);
    unknown.fails_with(1, "C104", "Did you mean `http`?");
    let variable = scene(&web, "\"http\"", "").run_with(&period, &[("APPORTION_POWERS", "net")]);
    variable.fails_with(1, "C104", "APPORTION_POWERS names 'net', and there is no such power");
    assert_eq!(web.seen().len(), 0);
}
