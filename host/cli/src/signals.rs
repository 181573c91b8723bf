//! Signals: a stop while a run is under way, and writes beyond the size that files may have.
//!
//! A run is one transaction. A stop before the commit says that nothing is posted. This stays true,
//! because nothing is committed between the message and the end of the process.

use std::process::exit;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// SIGXFSZ, of Linux and macOS.
const FILE_TOO_LARGE: i32 = 25;
/// 128 and the number of the signal, as shells have it.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// Lets a write fail that would make a file too large. The signal would end the process without a
/// word.
pub fn survive_full_files() {
    if let Ok(runtime) = runtime() {
        let _inside = runtime.enter();
        // The handler stays when nobody listens any more.
        let _registered = signal(SignalKind::from_raw(FILE_TOO_LARGE));
    }
}

/// How far the thing is that posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posting {
    Before,
    Under,
    Done,
}

/// Watches for a stop while something is under way that posts at its end.
pub struct StopWatch {
    posting: Arc<Mutex<Posting>>,
}

impl StopWatch {
    /// `undone` is told if a stop comes before the commit.
    pub fn start(undone: &'static str) -> StopWatch {
        let posting = Arc::new(Mutex::new(Posting::Before));
        let watched = Arc::clone(&posting);
        // Without the thread a stop is as silent as it is to other programs.
        let _started = std::thread::Builder::new().name("stop-watch".into()).spawn(move || {
            let Ok(runtime) = runtime() else { return };
            let mut code = runtime.block_on(next_stop());
            // Held to the end of the process, so that no commit begins.
            let posting = watched.lock().unwrap_or_else(PoisonError::into_inner);
            let state = *posting;
            match state {
                Posting::Before => tracing::warn!("{undone}"),
                Posting::Done => tracing::warn!("stopped: the run is posted"),
                Posting::Under => {
                    drop(posting);
                    tracing::warn!("the run is being committed, and ends in a moment");
                    code = runtime.block_on(next_stop());
                    tracing::warn!("stopped; `apportion runs` says whether the run is posted");
                }
            }
            exit(code)
        });
        StopWatch { posting }
    }

    /// From now on a stop comes too late.
    pub fn commits(&self) {
        self.set(Posting::Under);
    }

    pub fn committed(&self) {
        self.set(Posting::Done);
    }

    fn set(&self, posting: Posting) {
        *self.posting.lock().unwrap_or_else(PoisonError::into_inner) = posting;
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Waits for Ctrl-C or a polite kill, and gives the exit code. Without signals it waits forever.
async fn next_stop() -> i32 {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => INTERRUPTED,
            _ = terminate.recv() => TERMINATED,
        },
        Err(_) => std::future::pending().await,
    }
}
