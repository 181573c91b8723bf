//! `serve` as a process: it answers, takes good rules as they are saved, and keeps the last good ones.

use crate::scene::Scene;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    fn start(scene: &Scene) -> Server {
        let mut child = scene.command(&["serve", "--listen", "127.0.0.1:0"], &[]).stderr(Stdio::piped()).spawn().expect("the server starts");
        let stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let mut server = Server { child, stderr, address: String::new() };
        let line = server.wait_for("listening on http://");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(';').next());
        server.address = address.expect("the line names the address").to_owned();
        server
    }

    /// Reads stderr up to a line with these words.
    fn wait_for(&mut self, words: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).expect("stderr is text") > 0, "'{words}' never came; there was\n{seen}");
            if line.contains(words) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).expect("the request goes out");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer comes back");
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_saved_rule_counts_from_the_next_run_on_and_a_broken_one_changes_nothing() {
    let scene = Scene::after_run();
    let mut server = Server::start(&scene);
    let costs = |server: &Server| server.get("/api/v1/costs/team/payments?start_date=2026-01-01&end_date=2026-01-31");
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(costs(&server).contains("66.666666666"), "{}", costs(&server));

    let rule = scene.read("rules/shared/support.rhai");
    scene.write("rules/shared/support.rhai", &rule.replace("by_cost() }", "by_cost( }"));
    server.wait_for("rules/shared/support.rhai:6:");
    server.wait_for("the last good ones stay in force");
    assert!(server.get("/api/v1/rules").contains("R101"));

    scene.write(
        "rules/shared/support.cases.toml",
        &scene.read("rules/shared/support.cases.toml").replace("{ by_cost = {} }", "{ assign = \"platform\" }"),
    );
    scene.write("rules/shared/support.rhai", &rule.replace("by_cost()", "assign(\"platform\")"));
    server.wait_for("rules reloaded: generation ");
    assert!(!server.get("/api/v1/rules").contains("R101"));
    let plan = server.wait_for("plan for rules ");
    assert!(plan.contains("USD 10.00 between teams"), "{plan}");
    let plan = server.get("/api/v1/plan");
    assert!(plan.contains(r#""state":"made""#) && plan.contains(r#""name":"platform""#), "{plan}");
    assert!(costs(&server).contains("66.666666666"), "nothing was posted");

    scene.run("run").expect(0);
    assert!(costs(&server).contains("60.000000000") && !costs(&server).contains("66.666666666"), "{}", costs(&server));
}
