//! The state that all requests share, and the way a request reads the ledger.

use crate::buckets::{Buckets, HTTP_BOUNDS_US};
use crate::error::Problem;
use domain::diagnostic::Diagnostic;
use domain::run::{RunId, RunState};
use installation::Installation;
use ledger::Reader;
use ledger::code;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections that read at one time; each may hold 32 MiB of cache.
const READERS_MAX: usize = 4;
/// Times a reading is started over when a run posts in the middle of it.
const ATTEMPTS: usize = 3;

/// The installation that a server answers for, and its address.
#[derive(Clone)]
pub struct ServerOptions {
    pub installation: Installation,
    pub listen: SocketAddr,
    /// A client that sends this token may change something. Without a token the server changes
    /// nothing. It is never shown or logged.
    pub token: Option<Arc<str>>,
}

/// The state of the ledger that was read. It changes with every run that begins or ends.
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

type RequestCounts = BTreeMap<(&'static str, u16), u64>;
type Latencies = BTreeMap<&'static str, Buckets>;

struct Shared {
    options: ServerOptions,
    readers: Semaphore,
    requests: Mutex<RequestCounts>,
    latencies: Mutex<Latencies>,
    figures: Mutex<Option<(Mark, String)>>,
    /// Tells request ids of this process from those of others.
    instance: u32,
    last_request: AtomicU64,
}

impl State {
    pub fn new(options: ServerOptions) -> State {
        let instance = RandomState::new().hash_one(options.installation.ledger_path()) as u32;
        State {
            shared: Arc::new(Shared {
                options,
                readers: Semaphore::new(READERS_MAX),
                requests: Mutex::default(),
                latencies: Mutex::default(),
                figures: Mutex::default(),
                instance,
                last_request: AtomicU64::new(0),
            }),
        }
    }

    pub(crate) fn installation(&self) -> &Installation {
        &self.shared.options.installation
    }

    /// The token of changes, if there is one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.shared.options.token.as_deref()
    }

    pub(crate) fn request_id(&self) -> String {
        format!(
            "{:08x}-{}",
            self.shared.instance,
            self.shared.last_request.fetch_add(1, Ordering::Relaxed) + 1
        )
    }

    pub(crate) fn count(&self, route: &'static str, status: u16, took: Duration) {
        *lock(&self.shared.requests).entry((route, status)).or_default() += 1;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        lock(&self.shared.latencies).entry(route).or_default().add(&HTTP_BOUNDS_US, took_us);
    }

    /// Answered requests by route and status, and how long they took by route.
    pub(crate) fn requests(&self) -> (RequestCounts, Latencies) {
        (lock(&self.shared.requests).clone(), lock(&self.shared.latencies).clone())
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
        let path = self.installation().ledger_path().to_path_buf();
        let span = tracing::Span::current();
        let read = tokio::task::spawn_blocking(move || {
            let _entered = span.entered();
            let ledger = Reader::open(&path)?;
            one_state(&ledger, work)
        });
        read.await.map_err(|error| Problem::internal(format!("a reading broke off: {error}")))?
    }
}

/// A run that posts during a reading would mix two states. Then the reading is started over.
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
