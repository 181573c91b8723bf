//! A plain page for whoever opens the address in a browser.

use crate::api::openapi::{Body, Operation};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};

pub const HOME: Operation = Operation {
    path: "/",
    id: "get_home",
    summary: "A page that says what this is.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Text("text/html"),
    errors: &[],
};

pub async fn home() -> Html<&'static str> {
    Html(include_str!("home.html"))
}

pub const STYLE: Operation = Operation {
    path: "/style.css",
    id: "get_style",
    summary: "How that page looks.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Text("text/css"),
    errors: &[],
};

pub async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}
