//! Sends the requests of its settings, and reports the answers in its state. A line such as `GET
//! URL` sends a request. The lines before it can be `header NAME VALUE`, `secret SLOT PLACE
//! [NAME]`, `body TEXT` and `once`. After `well`, answers other than 2xx are errors of the plugin.

use apportion_plugin_sdk::http::{self, Method, Place, Request as HttpRequest};
use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, Rows, register_collector};

struct Guest(Option<String>);

fn place(words: &[&str]) -> Place {
    match words {
        ["bearer"] => Place::Bearer,
        ["basic"] => Place::Basic(None),
        ["basic", user] => Place::Basic(Some((*user).into())),
        ["header", name] => Place::Header((*name).into()),
        ["query", name] => Place::Query((*name).into()),
        other => panic!("{other:?} is no place"),
    }
}

fn asked(script: &str) -> Result<String, Error> {
    let mut seen = vec![format!("slots: {}", http::slots().join(","))];
    let mut request = HttpRequest::get("");
    let mut well = false;
    for line in script.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["header", name, value @ ..] => request = request.header(*name, value.join(" ")),
            ["secret", slot, words @ ..] => request = request.secret(*slot, place(words)),
            ["body", text @ ..] => request.body = Some(text.join(" ").into_bytes()),
            ["once"] => request.repeatable = false,
            ["well"] => well = true,
            [method, url] => {
                request.method = match *method {
                    "GET" => Method::Get,
                    "HEAD" => Method::Head,
                    "POST" => Method::Post,
                    other => panic!("{other} is no method"),
                };
                request.url = (*url).into();
                let response = if well { http::ask(&request)? } else { http::send(&request)? };
                let headers: Vec<String> = response
                    .headers
                    .iter()
                    .map(|header| format!("{}={}", header.name, header.value))
                    .collect();
                seen.push(format!(
                    "{} {} {}",
                    response.status,
                    headers.join(","),
                    String::from_utf8_lossy(&response.body)
                ));
                request = HttpRequest::get("");
            }
            other => panic!("{other:?} is no line"),
        }
    }
    Ok(seen.join("\n"))
}

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("asks-http").power("http", "to ask what it is told to ask")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        Ok(Guest(Some(request.config)))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(script) = self.0.take() else { return Ok(None) };
        Ok(Some(Batch { state: Some(asked(&script)?), ..Batch::new(Rows::Charges(Vec::new())) }))
    }
}

register_collector!(Guest);
