//! The next request, until the server has no more pages. Pages that lead in a circle are an error.

use crate::options::{Ask, Dates, Options, Style};
use crate::path::{JsonPath, Node, Row};
use apportion_plugin_sdk::Error;
use apportion_plugin_sdk::http::{Request, Response, encoded};
use exact::day::Day;
use serde_json::Value;
use std::collections::BTreeSet;

/// Two pages with fewer rows than this may be equal by chance.
const ROWS_OF_A_REPETITION: usize = 2;

/// A request: its URL and its body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    url: String,
    body: Option<String>,
}

pub struct Pages {
    first: Step,
    next: Option<Step>,
    asked: BTreeSet<Step>,
    /// The rows of each page so far, as text.
    came: BTreeSet<String>,
    /// The number of pages and rows so far.
    count: u64,
    rows: u64,
}

fn dated(template: &str, dates: Dates, start: Day, end: Day, in_url: bool) -> String {
    let shown = |day: Day| match dates {
        Dates::Date => day.to_string(),
        Dates::Rfc3339 => format!("{day}T00:00:00Z"),
        Dates::Unix => day.start().to_string(),
        Dates::UnixMs => format!("{}000", day.start()),
    };
    let shown = |day: Day| if in_url { encoded(&shown(day)) } else { shown(day) };
    template
        .replace("{start}", &shown(start))
        .replace("{end}", &shown(end))
        .replace("{last_day}", &shown(end.plus(-1)))
}

impl Pages {
    pub fn new(options: &Options, start: Day, end: Day) -> Pages {
        let ask = &options.ask;
        let url = dated(&ask.url, ask.dates, start, end, true);
        let body = ask.body.as_ref().map(|body| dated(body, ask.dates, start, end, false));
        let bare = Step { url, body };
        let next = match &options.paging.style {
            Style::OnePage | Style::NextLink(_) => bare.clone(),
            // The first page has no cursor, so its place stays empty.
            Style::Cursor { parameter, .. } => {
                let place = format!("{{{parameter}}}");
                Step {
                    url: bare.url.replace(&place, ""),
                    body: bare.body.as_ref().map(|body| body.replace(&place, "")),
                }
            }
            Style::Page { parameter, first } => bare.with(parameter, &first.to_string()),
            Style::Offset { parameter, size_parameter, size } => {
                let sized = size_parameter
                    .as_ref()
                    .map_or_else(|| bare.clone(), |name| bare.with(name, &size.to_string()));
                sized.with(parameter, "0")
            }
        };
        Pages {
            first: bare,
            next: Some(next),
            asked: BTreeSet::new(),
            came: BTreeSet::new(),
            count: 0,
            rows: 0,
        }
    }

    /// The next request and the name of its page; `None` after the last one.
    pub fn next(&mut self, options: &Options) -> Result<Option<(Request, String)>, Error> {
        let Some(step) = self.next.take() else { return Ok(None) };
        self.count += 1;
        if self.count > 1 && self.count > options.paging.most {
            let hint =
                format!("paging = {{ …, most = {} }}", options.paging.most.saturating_mul(10));
            let problem = apportion_plugin_sdk::Problem::new(format!(
                "there are more than {} pages",
                options.paging.most
            ))
            .hint(hint);
            return Err(Error::Config(problem));
        }
        if !self.asked.insert(step.clone()) {
            return Err(Error::Unavailable(format!(
                "page {} is one that was asked before: the server's pages lead in a circle",
                self.count
            )));
        }
        let Ask { method, headers, auth, .. } = &options.ask;
        let mut request = Request::get(step.url);
        request.method = *method;
        request.body = step.body.map(String::into_bytes);
        if let Some((slot, place)) = auth {
            request = request.secret(slot, place.clone());
        }
        let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !has("accept") {
            request = request.header("accept", "application/json");
        }
        if request.body.is_some() && !has("content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(Some((request, format!("page {}", self.count))))
    }

    /// Finds the request that follows a page.
    pub fn came(
        &mut self,
        options: &Options,
        url: &str,
        response: &Response,
        answer: &Value,
        rows: usize,
    ) -> Result<(), Error> {
        if rows >= ROWS_OF_A_REPETITION && !self.came.insert(fingerprint(options, answer)) {
            return Err(Error::Unavailable(format!(
                "page {} has the same rows as one before: the server does not turn pages as the \
                 settings say",
                self.count
            )));
        }
        self.rows += rows as u64;
        let whole = Row::whole(answer);
        if options.paging.more.as_ref().is_some_and(|more| !is_true(more.value(&whole))) {
            return Ok(());
        }
        let text = |path: &JsonPath| path.text(&whole).filter(|text| !text.is_empty());
        self.next = match &options.paging.style {
            Style::OnePage => None,
            Style::NextLink(path) => {
                let link = match path {
                    Some(path) => text(path),
                    None => response.header("link").and_then(next_of).map(str::to_owned),
                };
                link.map(|link| Step { url: joined(url, &link), body: self.first.body.clone() })
            }
            Style::Cursor { path, parameter } => {
                text(path).map(|cursor| self.first.with(parameter, &cursor))
            }
            Style::Page { parameter, first } => {
                (rows > 0).then(|| self.first.with(parameter, &(first + self.count).to_string()))
            }
            Style::Offset { parameter, size_parameter, size } => {
                (rows as u64 >= *size).then(|| {
                    let sized = size_parameter.as_ref().map_or_else(
                        || self.first.clone(),
                        |name| self.first.with(name, &size.to_string()),
                    );
                    sized.with(parameter, &self.rows.to_string())
                })
            }
        };
        Ok(())
    }
}

impl Step {
    /// Puts a value in the place of `{NAME}` in the body or the URL, or else into the query.
    fn with(&self, name: &str, value: &str) -> Step {
        let place = format!("{{{name}}}");
        match &self.body {
            Some(body) if body.contains(&place) => {
                Step { url: self.url.clone(), body: Some(body.replace(&place, value)) }
            }
            _ if self.url.contains(&place) => {
                Step { url: self.url.replace(&place, &encoded(value)), body: self.body.clone() }
            }
            body => Step {
                url: Request::get(self.url.clone()).parameter(name, value).url,
                body: body.clone(),
            },
        }
    }
}

/// The rows alone, because a page that comes twice may have another cursor or time in it.
fn fingerprint(options: &Options, answer: &Value) -> String {
    let paths = options
        .charges
        .iter()
        .map(|charges| &charges.rows)
        .chain(options.usage.iter().map(|usage| &usage.rows));
    let rows = paths.flat_map(|path| path.rows(answer).unwrap_or_default());
    rows.map(|row| format!("{}\n", row.node.value)).collect()
}

fn is_true(node: Option<Node>) -> bool {
    node.is_some_and(|node| node.value == &Value::Bool(true) || node.value == "true")
}

/// The URL of `rel="next"` in the header `link`, by RFC 8288.
fn next_of(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"))
            .then_some(url)
    })
}

/// A link, resolved against the URL of its page.
fn joined(url: &str, link: &str) -> String {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let root = url[scheme..].find(['/', '?']).map_or(url.len(), |at| at + scheme);
    let path = url.find('?').unwrap_or(url.len());
    match link {
        _ if link.starts_with("http://") || link.starts_with("https://") => link.to_owned(),
        _ if link.starts_with("//") => format!("{}{link}", url[..scheme].trim_end_matches('/')),
        _ if link.starts_with('/') => format!("{}{link}", &url[..root]),
        _ if link.starts_with('?') => format!("{}{link}", &url[..path]),
        _ => {
            let folder = url[root..path].rfind('/').map_or(root, |at| root + at + 1);
            let slash = if folder == root { "/" } else { "" };
            format!("{}{slash}{link}", &url[..folder])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_seen_from_their_page() {
        let url = "https://h:8/a/b?c=/d";
        for (link, expect) in [
            ("https://x/y", "https://x/y"),
            ("//x/y", "https://x/y"),
            ("/y?z", "https://h:8/y?z"),
            ("?p=2", "https://h:8/a/b?p=2"),
            ("y", "https://h:8/a/y"),
        ] {
            assert_eq!(joined(url, link), expect);
        }
        assert_eq!(joined("https://h", "y"), "https://h/y");
        assert_eq!(
            next_of("<https://h/1>; rel=\"prev\", <https://h/3>; rel=\"next\"; title=\"x\""),
            Some("https://h/3")
        );
        assert_eq!(next_of("<https://h/1>; rel=\"prev\""), None);
    }
}
