//! The ledger over HTTP, on loopback only: costs, explanations, usage, runs, rules, plans and
//! metrics. A client with the token can approve and apply plans. All else is read-only.
//!
//! The server knows no SQL, no script, no plugin and no settings file. It asks `installation`,
//! `reports` and `ledger`, and writes the answer as JSON. Every request reads one state of the
//! ledger, through a connection of its own on a blocking thread. Amounts are decimal text, never
//! JSON numbers. Errors inside are logged; clients learn the code and a request id.

mod api;
mod buckets;
pub mod code;
mod error;
mod guard;
mod page_token;
mod parameters;
mod readiness;
mod state;

pub use api::openapi::document;
pub use state::{ServerOptions, State};

use api::openapi::Operation;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use error::Problem;
use std::future::Future;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The version of this program, which is part of every answer's ETag.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Requests are short: a note and two digests.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Every path with what answers it.
fn routes() -> [(&'static Operation, MethodRouter<State>); 17] {
    [
        (&api::home::HOME, get(api::home::home)),
        (&api::home::STYLE, get(api::home::style)),
        (&api::health::HEALTHZ, get(api::health::healthz)),
        (&api::health::READYZ, get(api::health::readyz)),
        (&api::metrics::METRICS, get(api::metrics::metrics)),
        (&api::costs::COSTS, get(api::costs::costs)),
        (&api::team::TEAM_COSTS, get(api::team::team_costs)),
        (&api::explain::EXPLAIN, get(api::explain::explain)),
        (&api::entries::ENTRIES, get(api::entries::entries)),
        (&api::usage::USAGE, get(api::usage::usage)),
        (&api::sources::SOURCES, get(api::sources::sources)),
        (&api::runs::RUNS, get(api::runs::runs)),
        (&api::runs::RUN, get(api::runs::run)),
        (&api::rules::RULES, get(api::rules::rules)),
        (&api::plan::PLAN, get(api::plan::plan)),
        (&api::change::APPROVE, post(api::change::approve)),
        (&api::change::APPLY, post(api::change::apply)),
    ]
}

/// All operations, in the order of the API's document.
pub fn operations() -> Vec<&'static Operation> {
    let mut operations: Vec<&Operation> =
        routes().into_iter().map(|(operation, _)| operation).collect();
    operations.push(&api::openapi::OPENAPI);
    operations
}

/// The whole application, also for tests in process.
pub fn router(state: State) -> Router {
    let mut router = Router::new();
    let own = (&api::openapi::OPENAPI, get(api::openapi::openapi));
    for (operation, handler) in routes().into_iter().chain([own]) {
        let path = operation.path;
        router = router.route(
            path,
            handler.layer(middleware::map_response(move |response| guard::labeled(path, response))),
        );
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(method_refused)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

async fn no_such_path(uri: axum::http::Uri) -> Problem {
    let paths: Vec<&str> = operations().into_iter().map(|operation| operation.path).collect();
    Problem::no_such_path(uri.path(), &paths)
}

async fn method_refused(method: axum::http::Method, uri: axum::http::Uri) -> Problem {
    let operation = operations().into_iter().find(|operation| operation.path == uri.path());
    Problem::method_refused(method.as_str(), uri.path(), operation.map_or("GET", Operation::method))
}

/// Listens, calls `ready` with the address, and answers until `shutdown` ends. Requests under way
/// are finished.
pub async fn serve(
    options: ServerOptions,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Diagnostic> {
    let listen = options.listen;
    if !listen.ip().is_loopback() {
        return Err(Diagnostic::new(
            code::ADDRESS_REFUSED,
            format!(
                "{listen} can be reached from other machines, \
                 and everybody there could read all costs, because reading needs no token"
            ),
        )
        .hint(Hint::command(format!("serve --listen 127.0.0.1:{}", listen.port()))));
    }
    let in_use = |error: std::io::Error| {
        Diagnostic::new(code::ADDRESS_IN_USE, format!("{listen} cannot be listened on: {error}"))
            .hint(Hint::command("serve --listen 127.0.0.1:0"))
    };
    let listener = TcpListener::bind(listen).await.map_err(in_use)?;
    ready(listener.local_addr().map_err(in_use)?);
    let served =
        axum::serve(listener, router(State::new(options))).with_graceful_shutdown(shutdown).await;
    served.map_err(|error| {
        Diagnostic::new(domain::code::INTERNAL, format!("the server ended: {error}"))
            .hint(Hint::text("start ").then(Hint::command("serve")).then(" again"))
    })
}
