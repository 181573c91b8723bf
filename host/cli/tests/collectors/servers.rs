#![allow(dead_code, reason = "each test needs other parts")]
//! Real counterparts: the start scripts beside the project, each server with a port and a folder of its own.
//!
//! What they install is kept in the user's cache, and installed by one test at a time.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Programs that are installed name the folder that they are installed from, which goes with the test: they are told the cache's.
const STARTED_AND_SETTLED: &str = r#"
bash "$0" "$@"; status=$?
grep -rlsI "^#!$LAB/" "$CACHE"/venv/*/bin | xargs -r sed -i "1s|^#!$LAB/|#!$CACHE/|"
exit $status
"#;

/// A server that ends with the test.
pub struct Server {
    script: PathBuf,
    /// Which of several that the script started; it is told when it is to stop one.
    name: Option<String>,
    lab: TempDir,
    pub port: u16,
    /// What the script says to export.
    exported: BTreeMap<String, String>,
}

/// The folder of the scripts; `None` where there is none, which only a person's machine may have.
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
pub fn scripts() -> Option<PathBuf> {
    if let Ok(folder) = Path::new("../../../shared/servers").canonicalize() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the start scripts of the servers are missing");
    println!("skipped: there are no start scripts of servers beside the project");
    None
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// One that still has ten thousand above it, where some servers listen too.
fn free_low_port() -> u16 {
    (0..1_000).map(|_| free_port()).find(|port| *port < 50_000).expect("a free port below 50000")
}

/// Two neighboring ports that nobody listens on.
fn free_pair() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..100)
        .map(|_| free_port())
        .find(|port| port.checked_add(1).is_some_and(is_free))
        .expect("two free ports")
}

/// A Kubernetes API, and the port of its etcd. What it is built from takes seven minutes of two cores, once: the result is kept in the user's cache.
pub fn kube_apiserver() -> Option<(Server, u16)> {
    let script = scripts()?.join("build-kube-apiserver.sh");
    let cache = cache();
    fs::create_dir_all(&cache).expect("a cache");
    let build = "test -x \"$LAB/k8s/bin/kube-apiserver\" || bash \"$0\"";
    let built = Command::new("flock")
        .arg("-o")
        .arg(cache.join("lock"))
        .args(["bash", "-c", build])
        .arg(&script)
        .env("LAB", &cache)
        .output();
    let built = built.expect("flock and bash");
    assert!(
        built.status.success(),
        "kube-apiserver cannot be built:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let etcd_port = free_pair();
    Some((
        Server::start("kube-apiserver", &[], &[("ETCD_PORT", &etcd_port.to_string())])?,
        etcd_port,
    ))
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("apportion-lab")
}

/// Debian packages, installed where they are missing; `None` where nobody may install any, which only a person's machine may be.
pub fn packages(names: &[&str]) -> Option<()> {
    let scripts = scripts()?;
    let cache = cache();
    fs::create_dir_all(&cache).expect("a cache");
    let mut command = Command::new("flock");
    command
        .arg("-o")
        .arg(cache.join("lock"))
        .args(["bash", "-c", ". ./lib.sh; debs \"$@\"", "packages"])
        .args(names);
    let output = command.current_dir(scripts).env("LAB", &cache).output().expect("flock and bash");
    assert!(
        output.status.success(),
        "{names:?} cannot be installed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}

impl Server {
    /// Runs `start-<name>.sh`; `None` where there are no scripts. Some servers listen at the neighbors of their port too, which another
    /// test may have by then: another port is tried.
    pub fn start(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Option<Server> {
        let script = scripts()?.join(format!("start-{name}.sh"));
        let mut said = String::new();
        for _ in 0..3 {
            match Server::started(&script, arguments, settings) {
                Ok(server) => return Some(server),
                Err(reason) => said = reason,
            }
        }
        panic!("{name} did not start:\n{said}");
    }

    fn started(
        script: &Path,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Result<Server, String> {
        let (lab, cache, port) = (TempDir::new().expect("a folder"), cache(), free_low_port());
        for folder in ["venv", "npm", "k8s"] {
            fs::create_dir_all(cache.join(folder)).expect("a cache");
            std::os::unix::fs::symlink(cache.join(folder), lab.path().join(folder))
                .expect("a link");
        }
        let mut command = Command::new("flock");
        command
            .arg("-o")
            .arg(cache.join("lock"))
            .args(["bash", "-c", STARTED_AND_SETTLED])
            .arg(script)
            .args(arguments);
        command
            .env("LAB", lab.path())
            .env("CACHE", &cache)
            .env("PORT", port.to_string())
            .envs(settings.iter().copied());
        let output = command.output().expect("flock and bash");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let name = arguments.first().map(|name| (*name).to_owned());
        let mut server =
            Server { script: script.to_owned(), name, lab, port, exported: BTreeMap::new() };
        if !output.status.success() {
            // What of it runs ends with the value.
            return Err(format!("{stdout}\n{stderr}"));
        }
        let words = stdout
            .lines()
            .filter_map(|line| line.strip_prefix("export "))
            .flat_map(str::split_whitespace);
        server.exported = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(server)
    }

    /// A value that the script says to export.
    pub fn exported(&self, name: &str) -> &str {
        self.exported.get(name).map_or_else(|| panic!("{name} is not exported"), String::as_str)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn folder(&self) -> &Path {
        self.lab.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("bash")
            .arg(&self.script)
            .arg("stop")
            .args(&self.name)
            .env("LAB", self.lab.path())
            .output();
    }
}
