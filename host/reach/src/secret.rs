//! Secrets: where their values come from. A value can be put into a request and blotted out of a text; it cannot be shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the operator keeps a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    Env(String),
    File(PathBuf),
    /// A program and its arguments, such as a vault's client; its output is the value.
    Command(Vec<String>),
}

/// The slots of one source.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub slots: BTreeMap<String, Keeper>,
}
