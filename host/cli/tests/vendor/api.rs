//! A vendor's API on this machine: three rows of March, in pages, for whoever has the token.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Planted: it must be in no recording.
pub const TOKEN: &str = "planted-secret-8d1f";

const ROWS: [(&str, &str); 3] = [
    (
        "2026-03-01",
        r#"{"day": "2026-03-01", "service": "Mail", "amount": "12.50", "currency": "EUR", "team": "search"}"#,
    ),
    (
        "2026-03-01",
        r#"{"day": "2026-03-01", "service": "Storage", "amount": "0.000000125", "currency": "EUR", "team": "payments"}"#,
    ),
    (
        "2026-03-02",
        r#"{"day": "2026-03-02", "service": "Mail", "amount": "-1.25", "currency": "EUR", "team": null}"#,
    ),
];

pub struct Api {
    port: u16,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    pub fn start() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                answer(stream);
            }
        });
        Api { port, ends, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is to end.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("the server ends"));
    }
}

fn answer(mut stream: TcpStream) {
    let mut lines =
        BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(first) = lines.next() else { return };
    // All of them are read, whatever they say: a client whose request is not taken hears no answer.
    let headers: Vec<String> = lines.collect();
    let may =
        headers.iter().any(|line| line.to_lowercase() == format!("authorization: bearer {TOKEN}"));
    let (status, body) =
        if may { ("200 OK", page(&first)) } else { ("401 Unauthorized", "{}".to_owned()) };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-echo: {TOKEN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// The rows of the days that are asked for, two a page; the answer repeats the token, as careless servers do.
fn page(request: &str) -> String {
    let query = request
        .split_whitespace()
        .nth(1)
        .and_then(|path| path.split_once('?'))
        .map_or("", |(_, query)| query);
    let parameter = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let (start, end) = (parameter("start"), parameter("end"));
    let size: usize = parameter("page_size").parse().unwrap_or(100);
    let number: usize = parameter("page").parse().unwrap_or(1);
    let wanted: Vec<&str> = ROWS
        .iter()
        .filter(|(day, _)| start.is_empty() || (*day >= start && *day < end))
        .map(|(_, row)| *row)
        .collect();
    let rows: Vec<&str> = wanted.iter().skip((number - 1) * size).take(size).copied().collect();
    let next = if number * size < wanted.len() { (number + 1).to_string() } else { "null".into() };
    format!("{{\"rows\": [{}], \"next\": {next}, \"echo\": \"{TOKEN}\"}}", rows.join(", "))
}
