//! AWS Organizations by the official SDK.

use crate::failure::{Failure, Kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub status: String,
    pub tags: Vec<(String, String)>,
    /// From the root down.
    pub units: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub accounts: Vec<Account>,
    pub next: Option<String>,
}

pub struct Organizations {}

impl Organizations {
    pub fn accounts(&self, _next: Option<&str>) -> Result<Page, Failure> {
        Err(Failure::new(Kind::Config, "there is no organization"))
    }
}
