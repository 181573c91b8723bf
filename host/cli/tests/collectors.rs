//! Collectors against the real counterparts, end to end: a server holds costs, the binary collects them, the ledger has them.

#[path = "collectors/api_server.rs"]
mod api_server;
#[path = "collectors/asking.rs"]
mod asking;
#[path = "collectors/aws.rs"]
mod aws;
#[path = "collectors/azure.rs"]
mod azure;
#[path = "collectors/credentials.rs"]
mod credentials;
#[path = "collectors/every.rs"]
mod every;
#[path = "collectors/forward.rs"]
mod forward;
#[path = "collectors/gcp.rs"]
mod gcp;
#[path = "collectors/http_json.rs"]
mod http_json;
#[path = "collectors/kubernetes.rs"]
mod kubernetes;
#[path = "collectors/opencost.rs"]
mod opencost;
#[path = "collectors/prometheus.rs"]
mod prometheus;
#[path = "collectors/proxy.rs"]
mod proxy;
#[path = "collectors/reports.rs"]
mod reports;
#[path = "collectors/saas.rs"]
mod saas;
#[path = "cli/scene.rs"]
mod scene;
#[path = "collectors/servers.rs"]
mod servers;
#[path = "collectors/stores.rs"]
mod stores;
#[path = "collectors/trust.rs"]
mod trust;
#[path = "../../plugin-host/tests/plugins/web.rs"]
mod web;

/// The scripts are there in CI.
#[test]
fn the_counterparts_can_be_started() {
    if let Some(scripts) = servers::scripts() {
        assert!(scripts.join("lib.sh").is_file());
    }
}
