//! Keeps the rules of a folder live. A saved change is compiled, linted and tested with its cases.
//! Only then it becomes the current generation, all files at once. If anything is wrong, the last
//! good generation stays current and the findings can be read. A process that starts over a broken
//! folder is handed the last good generation by its caller.

use crate::code::RULES_UNREADABLE;
use crate::folder::{self, Folder};
use crate::intake::{self, Intake};
use crate::lint;
use crate::options::RuleOptions;
use crate::set::RuleSet;
use domain::diagnostic::Diagnostic;
use domain::port::Rules;
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

/// The folder must be quiet for this long before a reload: editors save in several steps, and
/// `git checkout` writes many files.
const QUIET: Duration = Duration::from_millis(200);

/// The result of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadResult {
    Published,
    /// The rules and tables are those of the current generation.
    Unchanged,
}

/// The current generation of a folder, watched until dropped.
pub struct LiveRules {
    shared: Arc<Shared>,
    /// Dropping the watcher closes the channel that the thread waits on, and so ends the thread.
    _watcher: RecommendedWatcher,
}

struct Shared {
    dir: PathBuf,
    options: RuleOptions,
    current: RwLock<Arc<RuleSet>>,
    diagnostics: Mutex<Vec<Diagnostic>>,
    warnings: Mutex<Vec<Diagnostic>>,
    generations: AtomicU64,
    /// Held while a reload runs. Otherwise a slow reload could publish older texts over newer ones.
    reloading: Mutex<()>,
}

impl LiveRules {
    /// Loads the folder and watches it. Rules that are broken are refused, unless `last_good` has
    /// a set to go on with until they are mended.
    pub fn start(
        dir: &Path,
        options: RuleOptions,
        last_good: impl FnOnce() -> Option<RuleSet>,
    ) -> Result<LiveRules, Vec<Diagnostic>> {
        let prepared = folder::read(dir).and_then(|folder| prepare(&folder, &options));
        let (first, warnings, findings) = match prepared {
            Ok(Intake { set, warnings }) => (set, warnings, Vec::new()),
            Err(findings) => match last_good() {
                Some(set) => (set, Vec::new(), findings),
                None => return Err(findings),
            },
        };
        let shared = Arc::new(Shared {
            dir: dir.to_path_buf(),
            options,
            current: RwLock::new(Arc::new(first)),
            diagnostics: Mutex::new(findings),
            warnings: Mutex::new(warnings),
            generations: AtomicU64::new(1),
            reloading: Mutex::default(),
        });
        let watcher = watch(&shared).map_err(|error| {
            let message = format!("cannot be watched: {error}");
            vec![Diagnostic::new(RULES_UNREADABLE, message).at(dir.display().to_string(), 0, 0)]
        })?;
        // A change between the first reading and the start of the watcher would go unnoticed.
        let _unchanged_or_reported = shared.reload();
        Ok(LiveRules { shared, _watcher: watcher })
    }

    /// The current generation. A run keeps the one that it started with.
    pub fn current(&self) -> Arc<RuleSet> {
        self.shared.current()
    }

    /// The findings of the last reload. Empty if it was published.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.shared.diagnostics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The failures of cases of the current generation, where they refuse nothing.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        self.shared.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of generations published so far, with the first.
    pub fn generation_count(&self) -> u64 {
        self.shared.generations.load(Ordering::Acquire)
    }

    /// Reloads the folder now, as the watcher does after a change.
    pub fn try_reload(&self) -> Result<ReloadResult, Vec<Diagnostic>> {
        self.shared.reload()
    }
}

impl Shared {
    fn current(&self) -> Arc<RuleSet> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reload(&self) -> Result<ReloadResult, Vec<Diagnostic>> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = folder::read(&self.dir).and_then(|folder| prepare(&folder, &self.options));
        let result = prepared.map(|intake| self.publish(intake));
        *self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner) =
            result.as_ref().err().cloned().unwrap_or_default();
        result
    }

    fn publish(&self, intake: Intake) -> ReloadResult {
        let Intake { set, warnings } = intake;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        if set.generation() == self.current().generation() {
            return ReloadResult::Unchanged;
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        self.generations.fetch_add(1, Ordering::AcqRel);
        ReloadResult::Published
    }
}

/// Compiles, lints and tests the texts of one reading of the folder.
fn prepare(folder: &Folder, options: &RuleOptions) -> Result<Intake, Vec<Diagnostic>> {
    let intake = intake::take(folder, options)?;
    let lints = lint::check(&intake.set, None);
    if lints.errors.is_empty() { Ok(intake) } else { Err(lints.errors) }
}

fn watch(shared: &Arc<Shared>) -> notify::Result<RecommendedWatcher> {
    let (sender, events) = channel();
    // Links are not followed, because a loop of links would be watched forever.
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(
        move |event: notify::Result<notify::Event>| {
            let is_change = event.as_ref().map_or(true, |event| !event.kind.is_access());
            if is_change {
                // Sending fails only when the set has been dropped, and then nobody waits for it.
                let _gone = sender.send(());
            }
        },
        config,
    )?;
    watcher.watch(&shared.dir, RecursiveMode::Recursive)?;
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name("rules-watcher".into())
        .spawn(move || follow(&shared, &events))
        .map_err(notify::Error::io)?;
    Ok(watcher)
}

/// Reloads after each burst of changes, until the watcher is dropped.
fn follow(shared: &Shared, events: &Receiver<()>) {
    while events.recv().is_ok() {
        loop {
            match events.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        // The outcome is kept in `diagnostics`.
        let _kept = shared.reload();
    }
}
