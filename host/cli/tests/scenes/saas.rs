//! Services that give their bills over their own APIs, and servers that play them.

use crate::scenes::asking::{SECRET, Source};
use std::sync::atomic::{AtomicBool, Ordering};
use test_support::server::http::{Answer, Asked, HttpServer};

/// A service: its plugin, its settings, the secrets that it needs, and where its first answer is.
pub struct Service {
    pub plugin: &'static str,
    pub config: &'static str,
    pub slots: &'static [&'static str],
    pub path: &'static str,
}

pub const DATADOG: Service = Service {
    plugin: "saas-datadog",
    config: "",
    slots: &["api_key", "application_key"],
    path: "/api/v2/usage/historical_cost",
};

pub const GITHUB: Service = Service {
    plugin: "saas-github",
    config: "organization = 'GitHub'",
    slots: &["token"],
    path: "/organizations/GitHub/settings/billing/usage",
};

pub const OPENAI: Service = Service {
    plugin: "saas-openai",
    config: "",
    slots: &["token"],
    path: "/v1/organization/costs",
};

pub const ATLAS: Service = Service {
    plugin: "saas-mongodb-atlas",
    config: "organization_id = '66d7254246a21a41036ff2e9'",
    slots: &["token"],
    path: "/api/atlas/v2/orgs/66d7254246a21a41036ff2e9/invoices/pending",
};

/// An answer without any costs, in the forms of all services at once.
pub const EMPTY: &str = r#"{"data": [], "results": [], "usageItems": [], "timePeriod": {"year": 2025}, "lineItems": [], "id": "i", "resultSetMetaData": {"rowType": []}}"#;

impl Service {
    pub fn source<'a>(&'a self, server: &HttpServer, more: &str, since: &'a str) -> Source<'a> {
        let parts = [format!("url = '{}'", server.url()), self.config.to_owned(), more.to_owned()];
        let config =
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        Source { plugin: self.plugin, url: server.url(), config, slots: self.slots, since }
    }
}

/// A server that answers questions at one path, and all others with `EMPTY`.
pub fn serve(
    path: &'static str,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> HttpServer {
    HttpServer::start(move |asked| {
        if asked.target.split('?').next() == Some(path) { answer() } else { Answer::json(EMPTY) }
    })
}

/// A server that answers the first question at a path, and all others with `EMPTY`.
pub fn serve_once(path: &'static str, answer: Answer) -> HttpServer {
    let is_given = AtomicBool::new(false);
    serve(path, move || {
        if is_given.swap(true, Ordering::SeqCst) { Answer::json(EMPTY) } else { answer.clone() }
    })
}

pub fn bearer(asked: &Asked) {
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
}
