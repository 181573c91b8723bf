//! The clients of plugins: HTTP, object stores, Kubernetes and AWS. The only crate that knows
//! network clients.
//!
//! The operator says, for each source, which servers and stores it may reach. This crate checks
//! that at every call. Secrets are read here and put into requests here; no type that holds one can
//! be printed, and no log line names one. This crate knows nothing of wasm, ledgers or rules. Its
//! functions block; one small runtime serves all clients.

pub mod aws;
pub mod aws_cost_explorer;
pub mod aws_organizations;
pub mod cassette;
pub mod code;
pub mod failure;
pub mod fetch;
pub mod http;
pub mod kubernetes;
pub mod object_store;
pub mod runtime;
pub mod secret;
mod tls;
pub mod toml_table;

use std::sync::Arc;

/// The clients of one source. A power without a client cannot be used.
#[derive(Clone, Default)]
pub struct Clients {
    pub files: Option<Arc<object_store::SourceFiles>>,
    /// The tables that the host reads for the plugin. The plugin itself cannot read them here.
    pub tables: Option<Arc<object_store::SourceFiles>>,
    pub http: Option<Arc<dyn cassette::Exchange>>,
    pub kubernetes: Option<Arc<dyn kubernetes::ClusterLists>>,
    pub cost_explorer: Option<Arc<dyn aws_cost_explorer::CostPages>>,
    pub organizations: Option<Arc<dyn aws_organizations::AccountPages>>,
}
