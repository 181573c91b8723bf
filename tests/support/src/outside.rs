//! The needs of the tier `test-outside`: recorded data, and scripts that start real servers. They
//! lie beside the checkout.
//!
//! These tests are only run where they are asked for, so a missing part is a failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of the outside tests, beside the checkout. Tests start in their package's folder.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new("../../../shared").join(name);
    path.canonicalize().unwrap_or_else(|error| {
        panic!("the outside tests need {}: {error}; `make test` runs all others", path.display())
    })
}

/// Bills and recorded answers, with the sums that they must come to.
pub fn data() -> PathBuf {
    folder("data")
}

/// The scripts that start real servers.
pub fn scripts() -> PathBuf {
    folder("servers")
}

/// The folder that keeps installed programs from one test to the next.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let cache = cache.join("apportion-lab");
    fs::create_dir_all(&cache).expect("a cache");
    cache
}

/// A program that waits until no other test installs anything.
pub fn one_at_a_time() -> Command {
    let mut command = Command::new("flock");
    command.arg("-o").arg(cache().join("lock"));
    // Cargo sets this for tests, and the makefiles of Kubernetes would build into it.
    command.env_remove("OUT_DIR");
    command
}

/// Installs Debian packages that are missing.
pub fn packages(names: &[&str]) {
    let mut command = one_at_a_time();
    command.args(["bash", "-c", ". ./lib.sh; debs \"$@\"", "packages"]).args(names);
    let output = command.current_dir(scripts()).env("LAB", cache()).output();
    let output = output.expect("flock and bash");
    assert!(
        output.status.success(),
        "{names:?} cannot be installed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
