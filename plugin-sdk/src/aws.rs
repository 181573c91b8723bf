//! The powers to ask AWS: `aws-cost-explorer` and `aws-organizations` in the manifest.

use crate::Error;
pub use crate::bindings::collector::apportion::plugin::aws_cost_explorer as cost_explorer;
pub use crate::bindings::collector::apportion::plugin::aws_organizations as organizations;

pub fn get_cost_and_usage(query: &cost_explorer::Query) -> Result<cost_explorer::Page, Error> {
    #[cfg(target_family = "wasm")]
    return cost_explorer::get_cost_and_usage(query);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::answer_aws_cost_explorer(query)
}

/// The accounts, page by page.
pub fn accounts(next: Option<String>) -> Result<organizations::Page, Error> {
    #[cfg(target_family = "wasm")]
    return organizations::accounts(next.as_deref());
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::answer_aws_organizations(&next)
}
