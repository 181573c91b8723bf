//! The host's part in native tests: closures answer in its place. Each thread has one of each kind.

use crate::bindings::collector::apportion::plugin as host;
use crate::deliveries::Delivery;
use crate::table_decode::{Column, TableInfo};
use crate::{Collector, Error, Mapping, Period, Problem, Request, Rows};
use std::cell::RefCell;
use std::fmt::Debug;

type Answer<Q, A> = Box<dyn Fn(&Q) -> Result<A, Error>>;

macro_rules! answers {
    ($($(#[$doc:meta])* $set:ident, $answer:ident, $slot:ident: $question:ty => $reply:ty;)*) => {
        thread_local! {
            $(static $slot: RefCell<Option<Answer<$question, $reply>>> = const { RefCell::new(None) };)*
        }
        $(
            $(#[$doc])*
            pub fn $set(answer: impl Fn(&$question) -> Result<$reply, Error> + 'static) {
                $slot.with(|slot| *slot.borrow_mut() = Some(Box::new(answer)));
            }

            #[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
            pub(crate) fn $answer(question: &$question) -> Result<$reply, Error> {
                $slot.with(|slot| match &*slot.borrow() {
                    Some(answer) => answer(question),
                    None => Err(Error::Config(Problem::new(concat!("no fixture answers: \
                        `fixture::", stringify!($set), "` sets one")))),
                })
            }
        )*
    };
}

answers! {
    /// Answers requests.
    http, answer_http, HTTP: host::http::Request => host::http::Response;
    /// Answers requests for Kubernetes objects.
    kubernetes, answer_kubernetes, KUBERNETES: host::kubernetes::Query => host::kubernetes::Page;
    /// Answers requests to AWS Cost Explorer.
    aws_cost_explorer, answer_aws_cost_explorer, COST_EXPLORER: host::aws_cost_explorer::Query => host::aws_cost_explorer::Page;
    /// Answers requests to AWS Organizations; the question is the token of the next page.
    aws_organizations, answer_aws_organizations, ORGANIZATIONS: Option<String> => host::aws_organizations::Page;
}

thread_local! {
    static FILES: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
    static TABLES: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
    static SLOTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static RUN: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
    static SAID: RefCell<Vec<Said>> = const { RefCell::new(Vec::new()) };
    static FOUND: RefCell<Vec<Delivery>> = const { RefCell::new(Vec::new()) };
}

/// The files of the source, each with its name.
pub fn files(files: Vec<(String, Vec<u8>)>) {
    FILES.with(|slot| *slot.borrow_mut() = files);
}

/// A table of the source.
#[derive(Clone, Debug)]
pub struct Table {
    pub info: TableInfo,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of lines whose cells a comma ends. The first line is the header.
    pub fn of(name: &str, text: &str) -> Table {
        let cells = |line: &str| -> Vec<String> { line.split(',').map(str::to_owned).collect() };
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let header = lines.next().map(cells).unwrap_or_default();
        let columns = header.into_iter().map(|name| Column { name, kind: "text".into() });
        let (name, format) = (name.to_owned(), "csv".to_owned());
        let info = TableInfo { name, format, columns: columns.collect() };
        Table { info, rows: lines.map(cells).collect() }
    }
}

/// The tables that a plugin maps, of a source with these tables and files.
pub fn mappings<C: Collector>(
    tables: Vec<Table>,
    files: &[(&str, &str)],
    config: &str,
) -> Result<Vec<Mapping>, Error> {
    self::tables(tables);
    let files = files.iter().map(|(name, text)| ((*name).into(), text.as_bytes().to_vec()));
    self::files(files.collect());
    take_found();
    let config = config.to_owned();
    let mut collector = C::open(Request { config, period: None, state: None })?;
    let mut mappings = Vec::new();
    while let Some(batch) = collector.next()? {
        match batch.rows {
            Rows::Mapped(mapping) => mappings.push(mapping),
            other => return Err(Error::config(format!("these rows are not mapped: {other:?}"))),
        }
    }
    Ok(mappings)
}

/// The message and the hint of a refusal that a person mends. Another answer is the message.
pub fn refusal<T: Debug>(answer: Result<T, Error>) -> (String, String) {
    match answer {
        Err(Error::Config(problem) | Error::MissingColumn(problem)) => {
            (problem.message, problem.hint.unwrap_or_default())
        }
        other => (format!("this is no refusal: {other:?}"), String::new()),
    }
}

/// The tables of the source.
pub fn tables(tables: Vec<Table>) {
    TABLES.with(|slot| *slot.borrow_mut() = tables);
}

/// The power `table-decode` over the tables of the source.
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
pub(crate) mod granted_tables {
    use super::{TABLES, Table, TableInfo};
    use std::collections::BTreeSet;

    fn found<T>(name: &str, look: impl FnOnce(&Table) -> T) -> Result<T, String> {
        TABLES.with(|slot| {
            let tables = slot.borrow();
            let table = tables.iter().find(|table| table.info.name == name);
            table.map(look).ok_or_else(|| format!("there is no table '{name}'"))
        })
    }

    pub fn names() -> Result<Vec<String>, String> {
        TABLES.with(|slot| Ok(slot.borrow().iter().map(|table| table.info.name.clone()).collect()))
    }

    pub fn describe(table: &str) -> Result<TableInfo, String> {
        found(table, |table| table.info.clone())
    }

    pub fn tables() -> Result<Vec<TableInfo>, String> {
        TABLES.with(|slot| Ok(slot.borrow().iter().map(|table| table.info.clone()).collect()))
    }

    pub fn sample(table: &str, rows: u32) -> Result<Vec<Vec<String>>, String> {
        found(table, |table| table.rows.iter().take(rows as usize).cloned().collect())
    }

    pub fn distinct(table: &str, column: &str, limit: u32) -> Result<Vec<String>, String> {
        let cells: BTreeSet<String> = found(table, |table| {
            let at = table.info.columns.iter().position(|known| known.name == column);
            let cell = |row: &Vec<String>| at.and_then(|at| row.get(at).cloned());
            table.rows.iter().map(|row| cell(row).unwrap_or_default()).collect()
        })?;
        Ok(cells.into_iter().take(limit as usize).collect())
    }
}

/// Sets the slots whose secrets have a value.
pub fn secrets(slots: &[&str]) {
    SLOTS.with(|slot| *slot.borrow_mut() = slots.iter().map(|slot| (*slot).to_owned()).collect());
}

/// A call to `coverage`: complete days, or unknown days with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub days: Period,
    pub unknown: Option<String>,
}

/// Takes the calls to `coverage` since the last time.
pub fn take_said() -> Vec<Said> {
    SAID.with(|slot| std::mem::take(&mut *slot.borrow_mut()))
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host listens"))]
#[expect(clippy::unnecessary_wraps, reason = "the host may refuse")]
pub(crate) fn say(days: &Period, unknown: Option<&str>) -> Result<(), Error> {
    SAID.with(|slot| {
        slot.borrow_mut().push(Said { days: days.clone(), unknown: unknown.map(str::to_owned) })
    });
    Ok(())
}

/// Takes the deliveries that were found since the last time.
pub fn take_found() -> Vec<Delivery> {
    FOUND.with(|slot| std::mem::take(&mut *slot.borrow_mut()))
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host listens"))]
#[expect(clippy::unnecessary_wraps, reason = "the host may refuse")]
pub(crate) fn find(delivery: &Delivery) -> Result<(), Error> {
    FOUND.with(|slot| slot.borrow_mut().push(delivery.clone()));
    Ok(())
}

/// Sets the source and the time of the run.
pub fn run(source: &str, now: &str) {
    RUN.with(|slot| *slot.borrow_mut() = (source.to_owned(), now.to_owned()));
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
pub(crate) fn granted_files<T>(read: impl FnOnce(&[(String, Vec<u8>)]) -> T) -> T {
    FILES.with(|slot| read(&slot.borrow()))
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
pub(crate) fn slots() -> Vec<String> {
    SLOTS.with(|slot| slot.borrow().clone())
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
pub(crate) fn source() -> String {
    RUN.with(|slot| slot.borrow().0.clone())
}

#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "the host answers"))]
pub(crate) fn now() -> String {
    RUN.with(|slot| slot.borrow().1.clone())
}
