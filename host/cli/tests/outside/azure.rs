//! The two cost APIs of Azure: recorded answers, and a stand-in for Azure Resource Manager.
//! Microsoft's own client proved the stand-in.

use crate::expected::{compare, expected};
use crate::scene::Scene;
use crate::scenes::asking::{collect, grouped, nanos};
use crate::scenes::azure::source;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use test_support::outside::data;
use test_support::server::counterpart::Server;
use test_support::server::http::{Answer, HttpServer};

/// A server that gives the recorded answer for its own month. Other months and the next page have
/// no rows.
fn serve(body: &str, from: &'static str) -> HttpServer {
    let body = body.to_owned();
    HttpServer::start(move |asked| {
        let port = asked.header("host").expect("a host").to_owned();
        let empty = r#"{"properties": {"columns": [], "rows": []}, "value": []}"#;
        let is_asked = asked.method == "GET" || asked.body.contains(&format!(r#""from":"{from}T"#));
        if !is_asked || asked.target.contains("skiptoken") {
            return Answer::json(empty);
        }
        Answer::json(body.replace("https://management.azure.com", &format!("http://{port}")))
    })
}

#[test]
fn recorded_answers_add_up_to_what_they_say() {
    let data = data();
    for (file, config, metric, groups, since) in [
        (
            "query_billing_account_daily",
            "mode = 'query', costs = 'actual', cost_column = 'PreTaxCost'",
            "PreTaxCost",
            &[("tag:resource_group", "ResourceGroup")][..],
            "2018-03-31",
        ),
        (
            "query_mca_billing_account_grouping",
            "mode = 'query', costs = 'actual'",
            "PreTaxCost",
            &[("tag:resource_group", "ResourceGroup")],
            "2018-03-31",
        ),
        (
            "usage_details_legacy",
            "mode = 'usage_details', costs = 'actual'",
            "cost",
            &[
                ("service_name", "consumedService"),
                ("sub_account_id", "subscriptionId"),
                ("tag:env", "env"),
                ("tag:dev", "dev"),
            ],
            "2019-04-01",
        ),
        (
            "usage_details_modern_mca",
            "mode = 'usage_details', costs = 'actual', agreement = 'mca'",
            "costInBillingCurrency",
            &[
                ("service_name", "consumedService"),
                ("sub_account_id", "subscriptionGuid"),
                ("tag:env", "env"),
                ("tag:dev", "dev"),
            ],
            "2019-10-30",
        ),
    ] {
        let server = serve(
            &fs::read_to_string(data.join(format!("azure-api/{file}.json"))).expect("an answer"),
            since,
        );
        let (scene, source) = collect(&source(&server, config, since), 0);
        compare(&scene, &source, &expected(&data, &format!("azure_{file}")), metric, groups);
    }
}

/// Sends the stand-in a request that Azure itself does not have.
fn post(port: u16, path: &str, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

fn settings(url: &str, config: &str) -> String {
    format!(
        "dimensions = [\"service_name\"]\n[sources.azure]\nplugin = \"azure-cost\"\ngrants = [\"http\"]\nsince = \"2026-10-01\"\n\
         config = {{ mode = 'query', url = '{url}', cost_column = 'PreTaxCost', {config} }}\n\
         [sources.azure.http]\nallow = [\"POST {url}/\"]\nnetworks = [\"127.0.0.0/8\"]\n\
         [sources.azure.secrets.token]\nfor = [\"{url}/\"]\n\
         oauth2 = {{ token_url = \"{url}/tenant/oauth2/v2.0/token\", client_id = \"app\", client_secret = {{ env = \"AZURE_SECRET\" }}, scope = \"https://management.azure.com/.default\" }}\n"
    )
}

/// The stand-in has four rows of two days, in pages of two. It gives the same rows to every
/// question, so they count once for each cost and month that is asked for: 19.545363672276512 +
/// 173.41979241290323 + 0.16677720329728665 − 1.5.
#[test]
fn the_stand_in_of_azure_is_asked_with_a_token_of_its_own() {
    let server = Server::start("azure-cost", &[], &[]);
    let url = server.url();
    let scene = Scene::with_rules();
    scene.write("apportion.toml", &settings(&url, "scope = 'subscriptions/s-1', costs = 'actual'"));
    post(server.port, "/_lab/throttle", r#"{"times": 1}"#);
    let output =
        scene.run_with(&["run", "--format", "json"], &[("AZURE_SECRET", "secret")]).expect(0);
    assert!(!output.stderr.contains("lab-token") && !output.stdout.contains("lab-token"));
    let source = &output.json()["sources"][0];
    let months = source["charges"].as_i64().expect("a count") / 4;
    assert!(months >= 1 && source["charges"] == months * 4, "{source}");
    let groups = grouped(&scene, "tag:resource_group");
    let times = |amount: &str| nanos(amount) * i128::from(months);
    // 19.545363672276512 and 0.16677720329728665 are rounded separately.
    assert!(
        (groups["shop"] - times("19.712140875573799")).abs() <= 2 * i128::from(months),
        "{groups:?}"
    );
    assert!(
        (groups["data"] - times("173.41979241290323")).abs() <= i128::from(months),
        "{groups:?}"
    );
    assert_eq!(groups[""], times("-1.5"));

    let refused = Scene::with_rules();
    refused.write("apportion.toml", &settings(&url, "scope = 'subscriptions/forbidden'"));
    let said = refused.run_with(&["run"], &[("AZURE_SECRET", "secret")]).expect(3).stderr;
    assert!(
        said.contains(
            "RBACAccessDenied: The client does not have authorization to perform action."
        ),
        "{said}"
    );
    let said = refused.run_with(&["run"], &[("AZURE_SECRET", "not the secret")]).expect(3).stderr;
    assert!(said.contains("token") && !said.contains("not the secret"), "{said}");
}
