//! Passes requests on, for tests that stand between the binary and another server.

use std::process::Command;

/// Sends a request on with its own headers, and gives the answer. `more` are arguments for curl.
pub fn sent_on(url: &str, request: &str, more: &[&str]) -> Vec<u8> {
    let (head, _) = request.split_once("\n\n").expect("a head");
    let mut lines = head.lines();
    let mut words = lines.next().expect("a request").split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    let mut command = Command::new("curl");
    // Some servers treat curl differently from other programs, so it does not send its name.
    command.args(["-sSi", "--raw", "--http1.1", "-A", "", &format!("{url}{path}")]).args(more);
    if method == "HEAD" {
        command.arg("-I");
    }
    for line in
        lines.filter(|line| !["host:", "connection:"].iter().any(|own| line.starts_with(own)))
    {
        command.args(["-H", line]);
    }
    let output = command.output().expect("curl");
    assert!(
        output.status.success(),
        "{method} {url}{path}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer = output.stdout;
    // The test answers once on each connection, so the answer says that the connection ends.
    let line_end = answer.windows(2).position(|bytes| bytes == b"\r\n").map_or(0, |at| at + 2);
    [&answer[..line_end], b"connection: close\r\n", &answer[line_end..]].concat()
}
