//! Files and objects that the paths of a source lead to, local or in a store, by name.

use crate::failure::{Failure, Kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    /// RFC 3339.
    pub modified: Option<String>,
}

/// What one source may read.
pub struct Files {}

impl Files {
    pub fn entries(&self) -> Result<Vec<Entry>, Failure> {
        Ok(Vec::new())
    }

    pub fn read(&self, name: &str, _offset: u64, _length: u32) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(Kind::Config, format!("there is no file '{name}'")))
    }
}
