//! Kubernetes: lists of kinds that the operator granted.

use crate::failure::{Failure, Kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub resource: String,
    pub namespace: Option<String>,
    pub label_selector: Option<String>,
    pub field_selector: Option<String>,
    pub limit: u32,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// A JSON array.
    pub objects: Vec<u8>,
    pub next: Option<String>,
}

/// One cluster, and what one source may list of it.
pub struct Kubernetes {}

impl Kubernetes {
    pub fn list(&self, query: &Query) -> Result<Page, Failure> {
        Err(Failure::new(Kind::Config, format!("{} cannot be listed", query.resource)))
    }

    pub fn version(&self) -> Result<String, Failure> {
        Err(Failure::new(Kind::Config, "there is no cluster"))
    }
}
