//! Answers as HTTP: unchanged answers are not sent again. Headers, pages, and addresses to listen
//! on.

use super::{TestServer, estate, options};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use server::ServerOptions;

#[tokio::test]
async fn an_answer_that_the_client_has_is_not_sent_again_until_a_run_posts() {
    let served = TestServer::new();
    let first = served.get("/api/v1/costs").await;
    let etag = first.header("etag").to_owned();
    let again = |path: &'static str, etag: &str| {
        Request::get(path)
            .header("host", "localhost")
            .header("if-none-match", etag)
            .body(Body::empty())
            .expect("a request")
    };
    let unchanged = served.ask(again("/api/v1/costs", &etag)).await;
    assert_eq!(
        (unchanged.status, unchanged.body.len(), unchanged.header("etag")),
        (StatusCode::NOT_MODIFIED, 0, etag.as_str())
    );
    assert_eq!(
        served.ask(again("/api/v1/costs", &format!("\"other\", W/{etag}"))).await.status,
        StatusCode::NOT_MODIFIED
    );
    assert_eq!(
        served.ask(again("/api/v1/costs?group_by=rule", &etag)).await.status,
        StatusCode::OK
    );
    served.run(estate::charges().into_iter().take(5).collect());
    let changed = served.ask(again("/api/v1/costs", &etag)).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_browsers_need() {
    let served = TestServer::new();
    for path in ["/api/v1/costs", "/metrics", "/api/v1/costs/team/nobody", "/nowhere"] {
        let answer = served.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
            "{path}"
        );
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn the_page_at_the_root_needs_nothing_from_elsewhere() {
    let answer = TestServer::without_ledger().get("/").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    let text = answer.text();
    assert!(text.contains("<h1>Apportion</h1>") && text.contains("href=\"/api/v1/openapi.json\""));
    for forbidden in ["<script", "http:", "https:", "<style", "style="] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    let style = TestServer::without_ledger().get("/style.css").await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (StatusCode::OK, "text/css; charset=utf-8")
    );
    assert!(!style.text().contains("url("));
}

#[tokio::test]
async fn addresses_that_others_can_reach_are_refused() {
    for (listen, expect) in [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("192.0.2.1:80", "192.0.2.1:80"),
        ("[::]:8080", "[::]:8080"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let listen = listen.parse().expect("an address");
        let options = ServerOptions { listen, ..options(folder.path()) };
        let error =
            server::serve(options, |_| panic!("it must not listen"), std::future::ready(()))
                .await
                .expect_err("it must be refused");
        assert_eq!(error.code, server::code::ADDRESS_REFUSED);
        assert!(error.message.starts_with(expect), "{error}");
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.starts_with("apportion serve --listen 127.0.0.1:"))
        );
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("its address");
    let folder = tempfile::tempdir().expect("a folder");
    let options = ServerOptions { listen, ..options(folder.path()) };
    let error = server::serve(options, |_| panic!("it must not listen"), std::future::ready(()))
        .await
        .expect_err("it must be refused");
    assert_eq!(error.code, server::code::ADDRESS_IN_USE);
    assert!(error.message.starts_with(&format!("{listen} cannot be listened on: ")), "{error}");
}

#[tokio::test]
async fn it_answers_over_a_socket_and_ends_when_told_to() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = TestServer::new();
    let (tell_ready, ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options = options(served.folder.path());
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::serve(
        options,
        |address| tell_ready.send(address).expect("somebody waits"),
        shutdown,
    ));
    let address = ready.await.expect("it listens");
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET /api/v1/costs?filter=team:search HTTP/1.1\r\n\
         host: {address}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    // Search bears 4 and two thirds of the network's 3.
    assert!(answer.contains(r#""cost":{"amount":"6.000000000","currency":"USD"}"#), "{answer}");
    stop.send(()).expect("it still listens");
    assert_eq!(server.await.expect("it does not panic"), Ok(()));
}
