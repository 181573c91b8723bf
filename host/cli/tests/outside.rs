//! The tier `test-outside`: the binary with real servers, recorded bills and other toolchains.
//!
//! These tests need folders beside the checkout, and programs that they install. `cargo test`
//! leaves this binary out (`test = false` in `Cargo.toml`); `make test-outside` runs it, and so
//! does `make test` where `CI` is set. A test whose needs are missing fails.

#[path = "vendor/api.rs"]
mod api;
#[path = "outside/aws.rs"]
mod aws;
#[path = "outside/azure.rs"]
mod azure;
#[path = "outside/cluster.rs"]
mod cluster;
#[path = "outside/credentials.rs"]
mod credentials;
#[path = "outside/decimal.rs"]
mod decimal;
#[path = "outside/expected.rs"]
mod expected;
#[path = "outside/field.rs"]
mod field;
#[path = "outside/field/aws.rs"]
mod field_aws;
#[path = "outside/field/azure.rs"]
mod field_azure;
#[path = "outside/field/focus.rs"]
mod field_focus;
#[path = "outside/field/other.rs"]
mod field_other;
#[path = "outside/field_rules.rs"]
mod field_rules;
#[path = "outside/field_rules/names.rs"]
mod field_rules_names;
#[path = "outside/field_rules/periods.rs"]
mod field_rules_periods;
#[path = "outside/field_rules/shares.rs"]
mod field_rules_shares;
#[path = "outside/gcp.rs"]
mod gcp;
#[path = "outside/kubernetes.rs"]
mod kubernetes;
#[path = "outside/opencost.rs"]
mod opencost;
#[path = "vendor/projects.rs"]
mod projects;
#[path = "outside/prometheus.rs"]
mod prometheus;
#[path = "outside/proxy.rs"]
mod proxy;
#[path = "outside/real_bills.rs"]
mod real_bills;
#[path = "outside/reports.rs"]
mod reports;
#[path = "outside/saas.rs"]
mod saas;
#[path = "cli/scene.rs"]
mod scene;
mod scenes;
#[path = "cli/server.rs"]
mod server;
#[path = "outside/stores.rs"]
mod stores;
#[path = "outside/trust.rs"]
mod trust;
#[path = "outside/vendor.rs"]
mod vendor;

#[test]
fn the_counterparts_can_be_started() {
    assert!(test_support::outside::scripts().join("lib.sh").is_file());
}
