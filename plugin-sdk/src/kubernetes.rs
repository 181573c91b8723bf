//! The power to list objects of a Kubernetes cluster. Ask for it as `kubernetes` in the manifest.

use crate::Error;
pub use crate::bindings::collector::apportion::plugin::kubernetes::{Page, Query};

pub fn list(query: &Query) -> Result<Page, Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::kubernetes::list(query);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::answer_kubernetes(query)
}
