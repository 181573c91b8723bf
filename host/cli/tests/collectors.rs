//! Collectors end to end: a server of the test has costs, and the binary collects them into the
//! ledger.

#[path = "collectors/aws.rs"]
mod aws;
#[path = "collectors/azure.rs"]
mod azure;
#[path = "collectors/credentials.rs"]
mod credentials;
#[path = "collectors/every.rs"]
mod every;
#[path = "collectors/failing.rs"]
mod failing;
#[path = "collectors/gcp.rs"]
mod gcp;
#[path = "collectors/http_json.rs"]
mod http_json;
#[path = "collectors/opencost.rs"]
mod opencost;
#[path = "collectors/saas.rs"]
mod saas;
#[path = "cli/scene.rs"]
mod scene;
mod scenes;
#[path = "collectors/stores.rs"]
mod stores;
