//! A server for tests that look at the parts of requests: method, headers, body.

use super::web::{Web, reply};

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether the connection ends in the middle of the body.
    pub is_cut: bool,
}

impl Asked {
    fn of(request: &str) -> Asked {
        let (head, body) = request.split_once("\n\n").expect("a head");
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Asked { method, target, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    pub fn json(body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type", "application/json".into())],
            body: body.into(),
            is_cut: false,
        }
    }

    pub fn status(status: u16, body: &str) -> Answer {
        Answer { status, ..Answer::json(body) }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let headers: Vec<String> =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut bytes = reply(self.status, &headers, &self.body).unwrap_or_default();
        bytes.truncate(if self.is_cut { bytes.len() - self.body.len() / 2 } else { bytes.len() });
        bytes
    }
}

/// A server in this process. It runs until the process ends.
pub struct HttpServer(Web);

impl HttpServer {
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> HttpServer {
        HttpServer(Web::start(move |_, request| Some(answer(&Asked::of(request)).bytes())))
    }

    pub fn url(&self) -> String {
        self.0.url("")
    }

    /// All requests until now.
    pub fn asked(&self) -> Vec<Asked> {
        self.0.seen().iter().map(|request| Asked::of(request)).collect()
    }
}
