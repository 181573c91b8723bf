//! `serve` as a process, and its answers.

use crate::scene::Scene;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

pub struct Server {
    pub child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    pub fn start(scene: &Scene) -> Server {
        Server::start_with(scene, &[])
    }

    pub fn start_with(scene: &Scene, arguments: &[&str]) -> Server {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = scene
            .command(&arguments, &[])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let mut server = Server { child, stderr, address: String::new() };
        let line = server.wait_for("listening on http://");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(';').next());
        server.address = address.expect("the line names the address").to_owned();
        server
    }

    /// Reads stderr up to a line with these words.
    pub fn wait_for(&mut self, words: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert!(
                self.stderr.read_line(&mut line).expect("stderr is text") > 0,
                "'{words}' never came; there was\n{seen}"
            );
            if line.contains(words) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "", "")
    }

    pub fn ask(&self, what: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        write!(
            stream,
            "{what} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            self.address
        )
        .expect("the request goes out");
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

/// The body of an answer.
pub fn json(answer: &str) -> serde_json::Value {
    let body = answer
        .split("\r\n\r\n")
        .nth(1)
        .and_then(|body| body.find('{').and_then(|start| body.get(start..=body.rfind('}')?)));
    serde_json::from_str(body.expect("a body")).expect("JSON")
}
