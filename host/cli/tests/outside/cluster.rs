//! A Kubernetes API for a test, and the tools that speak with it.

use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use test_support::server::counterpart::Server;

pub struct Cluster {
    pub server: Server,
    pub etcd_port: u16,
}

impl Cluster {
    pub fn kubeconfig(&self) -> &str {
        self.server.exported("KUBECONFIG")
    }

    /// The path of the certificate that signed the server's certificate.
    pub fn authority(&self) -> String {
        let kubeconfig = std::fs::read_to_string(self.kubeconfig()).expect("the kubeconfig");
        kubeconfig
            .split_once("certificate-authority: \"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .expect("an authority")
            .0
            .to_owned()
    }

    pub fn etcd(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_port)
    }

    pub fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl is installed");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("kubectl reads");
        let output = child.wait_with_output().expect("kubectl ends");
        assert!(
            output.status.success(),
            "kubectl {arguments:?}\n{}\n{input}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn apply(&self, objects: &[Value]) {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        self.kubectl(&["apply", "-f", "-"], &list.to_string());
    }

    /// Gives an object the status that a kubelet or controller would.
    pub fn status(&self, kind: &str, namespace: &str, name: &str, status: &Value) {
        let patch = json!({ "status": status }).to_string();
        self.kubectl(
            &[
                "patch",
                kind,
                name,
                "--namespace",
                namespace,
                "--subresource=status",
                "--type=merge",
                "--patch",
                &patch,
            ],
            "",
        );
    }
}
