//! Generated files of this crate, which its tests keep fresh: `UPDATE=1 cargo test` writes them
//! anew.

use std::fs;
use std::path::Path;

pub fn check(name: &str, expect: &str) {
    let path = Path::new(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, expect).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == expect, "host/cli/{name} is stale: run `UPDATE=1 cargo test -p apportion`");
}
