//! A vendor's API: three rows of March, in pages, for a client with the token.

use test_support::server::http::{Answer, Asked, HttpServer};

/// The client's token. No recording may contain it.
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

pub fn start() -> HttpServer {
    HttpServer::start(|asked| {
        let may = asked.header("authorization") == Some(&format!("Bearer {TOKEN}"));
        let answer = if may { Answer::json(page(asked)) } else { Answer::status(401, "{}") };
        answer.header("x-echo", TOKEN)
    })
}

/// One page of the rows of the days that are asked for. The answer repeats the token, as careless
/// servers do.
fn page(asked: &Asked) -> String {
    let query = asked.target.split_once('?').map_or("", |(_, query)| query);
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
