//! A source that asks OpenCost, and a rule by which each namespace pays for itself.

use crate::scene::Scene;
use serde_json::Value;
use std::collections::BTreeMap;
use test_support::server::http::{Answer, HttpServer};

pub const BY_TAG: &str = "//! Everything is paid by its namespace, and what has none by nobody.\n\
    rule(#{ owner: \"finops@example.com\", review_by: \"2099-01-01\", priority: 100 });\n\nfn matches(charge) { charge.has_tag(\"namespace\") }\n\n\
    // A namespace belongs to the team of its name.\nfn allocate(charge) { assign(charge.tag(\"namespace\")) }\n";

/// A source that asks the server, with more settings in `config`.
pub fn scene(server: &HttpServer, config: &str) -> Scene {
    let scene = Scene::empty();
    configure(&scene, server, config);
    scene.write("rules/kubernetes/namespace.rhai", BY_TAG);
    scene
}

pub fn configure(scene: &Scene, server: &HttpServer, config: &str) {
    let url = server.url();
    scene.write(
        "apportion.toml",
        &format!(
            "dimensions = [\"service_name\", \"resource_name\", \"provider_name\"]\n\n[sources.cluster]\nplugin = \"opencost\"\ngrants = [\"http\"]\n\n\
             [sources.cluster.http]\nallow = [\"GET {url}\"]\nnetworks = [\"127.0.0.1/32\"]\nretries = 0\n\n\
             [sources.cluster.config]\nurl = \"{url}\"\n{config}\n"
        ),
    );
}

pub fn answer(body: String) -> HttpServer {
    HttpServer::start(move |_| Answer::json(body.clone()))
}

/// Runs some days, and returns the source's part of the report.
pub fn collected(scene: &Scene, from: &str, to: &str, exit: i32) -> Value {
    scene.run(&format!("run --from {from} --to {to} --format json")).expect(exit).json()["sources"]
        [0]
    .clone()
}

/// The costs of all days by the values of a group.
pub fn grouped(scene: &Scene, group: &str) -> BTreeMap<String, String> {
    let output =
        scene.run(&format!("costs --group-by {group} --granularity total --format csv")).expect(0);
    let amount = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[1].to_owned(), cells[3].to_owned())
    };
    output.stdout.lines().skip(1).map(amount).collect()
}

pub fn figures<const N: usize>(figures: [(&str, &str); N]) -> BTreeMap<String, String> {
    figures.map(|(key, amount)| (key.to_owned(), amount.to_owned())).into()
}
