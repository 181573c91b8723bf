//! HTTP: requests that the operator allows, with secrets put in, and answers with secrets taken out.

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

/// Where the value of a secret belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Bearer,
    /// The user; without one the value is `user:password` itself.
    Basic(Option<String>),
    Header(String),
    Query(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub secrets: Vec<(String, Place)>,
    pub body: Option<Vec<u8>>,
    /// Whether it does no harm to send it twice.
    pub repeatable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What one source may ask, and the client that does.
pub struct Http {}

impl Http {
    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        Err(Failure::denied(format!("no request may go to {}", request.url), ""))
    }

    pub fn slots(&self) -> Vec<String> {
        Vec::new()
    }
}
