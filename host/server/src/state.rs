//! What all requests share, and how one of them reads the ledger.

use crate::error::Problem;
use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use domain::run::{RunId, RunState};
use ledger::Reader;
use ledger::code;
use pipeline::plan::Plan;
use reports::coverage::SourceFacts;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Connections that read at one time; each may hold 32 MiB of cache.
const READERS_MAX: usize = 4;
/// Times a reading is started over when a run posts in the middle of it.
const ATTEMPTS: usize = 3;

/// The rules in force, and why a later save of them was not taken.
#[derive(Clone, Debug, Default)]
pub struct RulesView {
    /// Digest over all rules and tables, hex.
    pub generation: String,
    /// Sets of rules that were taken since the start.
    pub generation_count: u64,
    pub rules: Vec<RuleFacts>,
    /// Of the last reload, if it failed.
    pub diagnostics: Vec<Diagnostic>,
}

/// What became of the plan for the rules that were saved last.
#[derive(Clone, Debug)]
pub enum PlanView {
    /// Nothing was saved since the start.
    None,
    Making {
        generation: String,
    },
    Made(Arc<Plan>),
    Failed {
        generation: String,
        finding: Diagnostic,
    },
}

type StoredRules =
    dyn Fn(&[RuleFacts], &[(String, String)]) -> Result<Box<dyn Rules>, Diagnostic> + Send + Sync;

type Approve = dyn Fn(&Plan, &str, &str) -> Result<(), Diagnostic> + Send + Sync;
type Apply = dyn Fn(&Plan) -> Result<Value, Diagnostic> + Send + Sync;

/// What clients may do that have the token.
#[derive(Clone)]
pub struct Authority {
    /// Never shown or logged.
    pub token: Arc<str>,
    /// Records that somebody approves the rules of a plan, with a note.
    pub approve: Arc<Approve>,
    /// Posts what a plan says, and gives the report of the run.
    pub apply: Arc<Apply>,
}

#[derive(Clone)]
pub struct Options {
    pub ledger_path: PathBuf,
    pub listen: SocketAddr,
    pub version: String,
    pub rules: Arc<dyn Fn() -> RulesView + Send + Sync>,
    pub plan: Arc<dyn Fn() -> PlanView + Send + Sync>,
    /// What the settings say of the sources.
    pub sources: Arc<[SourceFacts]>,
    /// The time, in milliseconds since 1970-01-01.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Makes rules of their stored sources and tables, for costs that hang on single charges.
    pub rules_of: Arc<StoredRules>,
    /// Without it the server changes nothing.
    pub authority: Option<Authority>,
    /// Takes one line of the server's log.
    pub log: Arc<dyn Fn(String) + Send + Sync>,
}

/// Which state of the ledger was read: it changes with every run that begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(Option<(RunId, Option<(i64, RunState)>)>);

impl Hash for Mark {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0
            .map(|(run, end)| (run, end.map(|(at_ms, state)| (at_ms, state.name()))))
            .hash(hasher);
    }
}

#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    readers: Semaphore,
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    figures: Mutex<Option<(Mark, String)>>,
    /// Tells request ids of this process from those of others.
    instance: u32,
    last_request: AtomicU64,
}

impl State {
    pub fn new(options: Options) -> State {
        let instance = RandomState::new().hash_one(&options.ledger_path) as u32;
        State {
            shared: Arc::new(Shared {
                options,
                readers: Semaphore::new(READERS_MAX),
                requests: Mutex::default(),
                figures: Mutex::default(),
                instance,
                last_request: AtomicU64::new(0),
            }),
        }
    }

    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn log(&self, line: String) {
        (self.shared.options.log)(line);
    }

    pub(crate) fn request_id(&self) -> String {
        format!(
            "{:08x}-{}",
            self.shared.instance,
            self.shared.last_request.fetch_add(1, Ordering::Relaxed) + 1
        )
    }

    pub(crate) fn count(&self, route: &'static str, status: u16) {
        *lock(&self.shared.requests).entry((route, status)).or_default() += 1;
    }

    /// Answered requests by route and status.
    pub(crate) fn requests(&self) -> BTreeMap<(&'static str, u16), u64> {
        lock(&self.shared.requests).clone()
    }

    /// The ledger's figures as text, worked out once for each state of the ledger.
    pub(crate) fn remembered(
        &self,
        mark: Mark,
        work: impl FnOnce() -> Result<String, Diagnostic>,
    ) -> Result<String, Diagnostic> {
        if let Some((known, figures)) = &*lock(&self.shared.figures)
            && *known == mark
        {
            return Ok(figures.clone());
        }
        let figures = work()?;
        *lock(&self.shared.figures) = Some((mark, figures.clone()));
        Ok(figures)
    }

    /// Reads one state of the ledger on a blocking thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Reader, Mark) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _reader = self
            .shared
            .readers
            .acquire()
            .await
            .map_err(|error| Problem::internal(format!("no reader: {error}")))?;
        let path = self.shared.options.ledger_path.clone();
        let read = tokio::task::spawn_blocking(move || {
            let ledger = Reader::open(&path)?;
            one_state(&ledger, work)
        });
        read.await.map_err(|error| Problem::internal(format!("a reading broke off: {error}")))?
    }
}

/// A run that posts while its results are being read would mix two states; then the reading is started over.
fn one_state<T>(
    ledger: &Reader,
    work: impl Fn(&Reader, Mark) -> Result<T, Problem>,
) -> Result<T, Problem> {
    for _ in 0..ATTEMPTS {
        let before = mark(ledger)?;
        let read = work(ledger, before);
        if mark(ledger)? == before {
            return read;
        }
    }
    Err(Diagnostic::new(code::LEDGER_BUSY, "runs post faster than the ledger can be read")
        .hint("try again")
        .into())
}

fn mark(ledger: &Reader) -> Result<Mark, Diagnostic> {
    let last = ledger.runs(1)?.into_iter().next();
    Ok(Mark(last.map(|run| (run.id, run.end.map(|end| (end.at_ms, end.state))))))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
