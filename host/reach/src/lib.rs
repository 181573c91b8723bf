//! Reaches outside on behalf of plugins: HTTP, object stores, Kubernetes, AWS; the only crate that knows network clients.
//!
//! What may be reached is said by the operator, for one source at a time, and checked here at every call. Secrets are read
//! here, put into requests here, and go nowhere else: no type that holds one can be printed. This crate knows nothing of
//! wasm, ledgers or rules; everything in it is blocking, over one small runtime.

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

pub use failure::{Failure, Kind};

use std::sync::Arc;

/// What one source may reach; what is `None` it cannot.
#[derive(Clone, Default)]
pub struct Reach {
    pub files: Option<Arc<object_store::Files>>,
    /// Where the host gets the tables that it reads for the plugin; no power of the plugin's own.
    pub tables: Option<Arc<object_store::Files>>,
    pub http: Option<Arc<dyn cassette::Exchange>>,
    pub kubernetes: Option<Arc<dyn kubernetes::Lists>>,
    pub cost_explorer: Option<Arc<dyn aws_cost_explorer::Costs>>,
    pub organizations: Option<Arc<dyn aws_organizations::Accounts>>,
}
