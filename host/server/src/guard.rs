//! Around every request: the host that it names, its id, its count by route and status, and the
//! headers of its answer.

use crate::error::{Problem, all_paths};
use crate::state::State;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::time::Instant;
use tracing::Instrument;

/// The route of an answer: requests are counted by route and not by path.
#[derive(Clone, Copy)]
struct Route(&'static str);

const UNMATCHED: &str = "unmatched";

pub async fn labeled(path: &'static str, mut response: Response) -> Response {
    response.extensions_mut().insert(Route(path));
    response
}

pub async fn guard(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let (request_id, began) = (state.request_id(), Instant::now());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // All that is logged while the request is answered carries its id.
    let span = tracing::info_span!("request", id = %request_id, %method, %path);
    let response = match refused_host(&request) {
        Some(host) => Problem::host_refused(&host).into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    let route = response.extensions().get::<Route>().map_or(UNMATCHED, |route| route.0);
    state.count(route, response.status().as_u16(), began.elapsed());
    let mut response = span.in_scope(|| with_body(response, &request_id));
    let status = response.status();
    span.in_scope(|| tracing::debug!(status = status.as_u16(), "request was answered"));
    add_headers(response.headers_mut(), status, route, &request_id);
    response
}

/// The host that a request names, unless it is this machine. A page of another origin can point its
/// own name at this machine, and then its requests carry that name.
fn refused_host(request: &Request) -> Option<String> {
    let named = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let header = request
        .headers()
        .get(header::HOST)
        .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let hosts: Vec<String> = named.into_iter().chain(header).collect();
    if hosts.is_empty() {
        return Some(String::new());
    }
    hosts.into_iter().find(|host| !is_loopback(host))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            name
        }
        _ => host,
    };
    if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_ipv6() && address.is_loopback());
    }
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4() && address.is_loopback())
}

/// Writes the body of a problem, and logs what the client must not see.
fn with_body(mut response: Response, request_id: &str) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_server_error() => {
            Problem::internal(format!("answered {status} without a reason"))
        }
        // The framework refused it before a handler saw it, such as a path that is not UTF-8.
        None if status.is_client_error() => Problem {
            status,
            ..Problem::parameter(format!("the request cannot be understood: {status}"), all_paths())
        },
        None => return response,
    };
    if let Some(inner) = &problem.inner {
        tracing::error!("{} {inner}", status.as_u16());
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(problem.body(request_id));
    response
}

fn add_headers(headers: &mut HeaderMap, status: StatusCode, route: &str, request_id: &str) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value))
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    );
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if status == StatusCode::UNAUTHORIZED {
        set(header::WWW_AUTHENTICATE, "Bearer");
    }
    if route != "/" {
        set(header::CACHE_CONTROL, "no-store");
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_this_machine_are_taken() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.2:1",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "10.0.0.1:80",
            "127.0.0.1.example.com",
            "[::2]",
            "::1",
            "localhost:",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
