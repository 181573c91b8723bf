//! The answers of one collection, from a server or from files. Pages in a circle are an error.

use crate::{Api, Fault, Node, Rows, json};
use apportion_plugin_sdk::http::{Method, Request};
use apportion_plugin_sdk::{Batch, Error, file};
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};

/// Bytes of the longest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How often a server may answer that it is not done yet.
const POLLS_MAX: u32 = 60;

/// An API: the kinds of its answers, and the way from an answer to charges.
pub trait Service {
    /// The kinds of answers, such as lists and single invoices.
    type Kind: Copy;

    fn api(&self) -> Api;

    /// Reads a file; most hold one answer as JSON.
    fn file(&self, name: &str, bytes: &[u8]) -> Result<Value, Error> {
        json(name, bytes)
    }

    /// The kind of answer that a file holds.
    fn kind(&self, answer: &Node) -> Option<Self::Kind>;

    /// Reads the rows of an answer, and returns the requests that follow from it.
    /// A fault fails the collection, because the answer as a whole is not understood.
    fn read(
        &mut self,
        kind: Self::Kind,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Self::Kind>>, Fault>;

    /// What is missing once all answers were read.
    fn missing(&self) -> Option<String> {
        None
    }
}

/// A request that follows from an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Then<K> {
    /// The next page of the same list.
    Page(K, Request),
    /// An answer of another list.
    Other(K, Request),
    /// The same request again, because the server is not done yet.
    Poll(K, Request),
}

/// The place that an answer comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    Ask(Request),
    File(String),
}

struct Due<K> {
    /// The kind of answer; where it is `None`, the answer shows it.
    kind: Option<K>,
    origin: Origin,
    /// The number of the list. Pages of one list have the same.
    list: u64,
}

/// The pages of one collection.
pub struct Pages<S: Service> {
    service: S,
    due: VecDeque<Due<S::Kind>>,
    lists: u64,
    asked: BTreeSet<(String, Option<Vec<u8>>)>,
    /// Digests of pages by list, to find a page that comes twice.
    had: BTreeSet<(u64, u64)>,
    polls: u32,
}

impl<S: Service> Pages<S> {
    /// Pages that the server is asked for.
    pub fn ask(service: S, requests: Vec<(S::Kind, Request)>) -> Pages<S> {
        let mut pages = Pages {
            service,
            due: VecDeque::new(),
            lists: 0,
            asked: BTreeSet::new(),
            had: BTreeSet::new(),
            polls: 0,
        };
        for (kind, request) in requests {
            pages.add(Some(kind), Origin::Ask(request));
        }
        pages
    }

    /// Pages that are read from files.
    pub fn files(service: S) -> Result<Pages<S>, Error> {
        let mut pages = Pages::ask(service, Vec::new());
        let entries = file::entries()?;
        if entries.is_empty() {
            return Err(Error::config("no file was given to the source"));
        }
        for entry in entries {
            pages.add(None, Origin::File(entry.name));
        }
        Ok(pages)
    }

    fn add(&mut self, kind: Option<S::Kind>, origin: Origin) {
        self.lists += 1;
        self.due.push_back(Due { kind, origin, list: self.lists });
    }

    /// The next page, or nothing at the end.
    pub fn next(&mut self) -> Result<Option<Batch>, Error> {
        let Some(due) = self.due.pop_front() else {
            return self.service.missing().map_or(Ok(None), |what| Err(Error::Unavailable(what)));
        };
        let (name, answer) = match &due.origin {
            Origin::Ask(request) => {
                self.asked.insert(key(request));
                (path(&request.url).to_owned(), self.service.api().ask(request)?)
            }
            Origin::File(name) => {
                (name.clone(), self.service.file(name, &file::read_all(name, FILE_BYTES_MAX)?)?)
            }
        };
        let node = Node::root(&name, &answer);
        let Some(kind) = due.kind.or_else(|| self.service.kind(&node)) else {
            return Err(Error::config(format!(
                "{name} holds no answer of {} that this plugin knows",
                self.service.api().name
            )));
        };
        let mut rows = Rows::default();
        let thens = self.service.read(kind, &node, &mut rows).map_err(|fault| {
            Error::Unavailable(format!(
                "{}: {}; {} answers otherwise than it says in its documentation",
                fault.place,
                fault.reason,
                self.service.api().name
            ))
        })?;
        if let Some(digest) = rows.digest()
            && !self.had.insert((due.list, digest))
        {
            return Err(Error::Unavailable(format!(
                "{name} gave the same page twice: counting it twice would be wrong, and what is \
                 missing is not known"
            )));
        }
        if matches!(due.origin, Origin::Ask(_)) {
            self.follow(due.list, thens)?;
        }
        Ok(Some(rows.batch()))
    }

    fn follow(&mut self, list: u64, thens: Vec<Then<S::Kind>>) -> Result<(), Error> {
        // All of a list comes before the next one, so that a failure names its list.
        for then in thens.into_iter().rev() {
            let (kind, request, list) = match then {
                Then::Poll(kind, request) => {
                    self.polls += 1;
                    if self.polls > POLLS_MAX {
                        return Err(Error::Transient(format!(
                            "{} is still not done",
                            path(&request.url)
                        )));
                    }
                    (kind, request, list)
                }
                Then::Page(kind, request) => {
                    if self.asked.contains(&key(&request)) {
                        return Err(Error::Unavailable(format!(
                            "the pages of {} go in a circle: one names a page as the next that \
                             was had before",
                            path(&request.url)
                        )));
                    }
                    (kind, request, list)
                }
                Then::Other(kind, request) => {
                    self.lists += 1;
                    (kind, request, self.lists)
                }
            };
            self.due.push_front(Due { kind: Some(kind), origin: Origin::Ask(request), list });
        }
        Ok(())
    }
}

fn key(request: &Request) -> (String, Option<Vec<u8>>) {
    let method = match request.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
    };
    (format!("{method} {}", request.url), request.body.clone())
}

fn path(url: &str) -> &str {
    let url = url.split('?').next().unwrap_or(url);
    url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(url)
}
