//! A plain page for whoever opens the address in a browser.

use crate::api::openapi::{Body, Operation};
use axum::response::Html;

pub const HOME: Operation =
    Operation { path: "/", id: "get_home", summary: "A page that says what this is.", parameters: &[], body: Body::Text("text/html"), errors: &[] };

pub async fn home() -> Html<&'static str> {
    Html(include_str!("home.html"))
}
