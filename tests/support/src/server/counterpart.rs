//! Real servers, such as object stores and the APIs of clouds. Each has a port and a folder.
//!
//! Scripts beside the checkout start them. Installed programs are kept in the user's cache, and one
//! test at a time installs them.

use crate::outside::{cache, one_at_a_time, scripts};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Starts a server, and then changes the first lines of installed programs. These lines name the
/// test's folder, which vanishes with the test. They now name the cache.
const STARTED_AND_SETTLED: &str = r#"
bash "$0" "$@"; status=$?
grep -rlsI "^#!$LAB/" "$CACHE"/venv/*/bin | xargs -r sed -i "1s|^#!$LAB/|#!$CACHE/|"
exit $status
"#;

/// A running server. It stops when the test drops this value.
pub struct Server {
    script: PathBuf,
    /// The name of the started server, if the script knows several. The script needs it to stop
    /// that one.
    name: Option<String>,
    lab: TempDir,
    pub port: u16,
    /// The variables that the script says to export.
    exported: BTreeMap<String, String>,
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A free port with ten thousand ports above it, because some servers listen there too.
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

/// A Kubernetes API, and the port of its etcd. Its first build takes seven minutes on two cores;
/// the user's cache keeps it.
pub fn kube_apiserver() -> (Server, u16) {
    let build = "test -x \"$LAB/k8s/bin/kube-apiserver\" || bash \"$0\"";
    let mut command = one_at_a_time();
    command.args(["bash", "-c", build]).arg(scripts().join("build-kube-apiserver.sh"));
    let built = command.env("LAB", cache()).output().expect("flock and bash");
    assert!(
        built.status.success(),
        "kube-apiserver cannot be built:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let etcd_port = free_pair();
    let server = Server::start("kube-apiserver", &[], &[("ETCD_PORT", &etcd_port.to_string())]);
    (server, etcd_port)
}

impl Server {
    /// Runs `start-<name>.sh`. Some servers listen at the neighbors of their port too. Another test
    /// may have taken those in the meantime, so other ports are tried.
    pub fn start(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Server {
        let script = scripts().join(format!("start-{name}.sh"));
        let mut said = String::new();
        for _ in 0..3 {
            match Server::started(&script, arguments, settings) {
                Ok(server) => return server,
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
        let mut command = one_at_a_time();
        command.args(["bash", "-c", STARTED_AND_SETTLED]).arg(script).args(arguments);
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
            // Dropping the value stops the processes that did start.
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
