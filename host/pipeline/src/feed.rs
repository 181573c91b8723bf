//! Collectors at work beside each other. One thread writes their pages, source by source in a fixed
//! order.
//!
//! So the ledger does not depend on which collector was faster.

use domain::code;
use domain::diagnostic::{Diagnostic, Retry};
use domain::port::{Batch, CollectRequest, Collector, PluginCost};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Pages that may wait between a collector and the writer.
const PAGES_WAITING: usize = 8;
/// A source that asks for a longer wait is tried again in the next run.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// How often a source is tried within a run, and the function that waits in between.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    pub tries: u32,
    pub wait: &'a (dyn Fn(Duration) + Sync),
}

/// A source to collect, with its request.
pub struct SourceWork<'a> {
    pub collector: &'a dyn Collector,
    pub request: CollectRequest,
}

/// One message from a collector.
pub enum FeedItem {
    Page(Batch),
    /// The collector begins again. Its pages so far do not count.
    Restart,
    End(FeedEnd),
}

/// The end of a source's collection, after all its tries.
pub struct FeedEnd {
    pub outcome: Result<(), Diagnostic>,
    pub tries: u32,
    /// Whether it refused its state and was collected without it.
    pub without_state: bool,
    pub cost: PluginCost,
}

/// The pages of one source, for the thread that writes.
pub struct Feed<'a> {
    pages: Receiver<FeedItem>,
    refused: &'a AtomicBool,
}

impl Feed<'_> {
    pub fn next(&self) -> FeedItem {
        self.pages.recv().unwrap_or_else(|_| {
            let outcome =
                Err(Diagnostic::new(code::INTERNAL, "a collector broke off without an end"));
            FeedItem::End(FeedEnd {
                outcome,
                tries: 1,
                without_state: false,
                cost: PluginCost::default(),
            })
        })
    }

    /// Refuses all further pages, and waits for the collector to end.
    pub fn refuse(&self) -> FeedEnd {
        self.refused.store(true, Ordering::Release);
        // A collector that waits for room in the channel would never end, so it is emptied.
        loop {
            if let FeedItem::End(ended) = self.next() {
                return ended;
            }
        }
    }
}

/// Lets `at_once` collectors work at a time, while `write` takes their pages in the order of the
/// works.
pub fn feed<T>(
    works: Vec<SourceWork<'_>>,
    at_once: usize,
    patience: Patience<'_>,
    write: impl FnOnce(Vec<Feed<'_>>) -> T,
) -> T {
    let refused: Vec<AtomicBool> = works.iter().map(|_| AtomicBool::new(false)).collect();
    let (mut waiting, mut feeds) = (VecDeque::new(), Vec::new());
    let threads = at_once.clamp(1, works.len().max(1));
    for (work, refused) in works.into_iter().zip(&refused) {
        let (sender, pages) = sync_channel(PAGES_WAITING);
        waiting.push_back((work, Sink { pages: sender, refused }));
        feeds.push(Feed { pages, refused });
    }
    let waiting = Mutex::new(waiting);
    // Sources begin in the order in which they are written. So the source that the writer waits for
    // has always begun.
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((work, sink)) = next() {
                    collect(work, &sink, patience);
                }
            });
        }
        let written = write(feeds);
        // After a failure of the ledger, the other sources need not begin.
        waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        written
    })
}

struct Sink<'a> {
    pages: SyncSender<FeedItem>,
    refused: &'a AtomicBool,
}

impl Sink<'_> {
    fn send(&self, fed: FeedItem) -> Result<(), Diagnostic> {
        let taken = !self.refused.load(Ordering::Acquire) && self.pages.send(fed).is_ok();
        if !taken {
            self.refused.store(true, Ordering::Release);
        }
        if taken {
            Ok(())
        } else {
            Err(Diagnostic::new(code::INTERNAL, "its pages are not taken any more"))
        }
    }

    fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }
}

/// Collects one source, and tries again if its failure says that this may help.
fn collect(work: SourceWork<'_>, sink: &Sink<'_>, patience: Patience<'_>) {
    let SourceWork { collector, mut request } = work;
    let (mut tries, mut repeated, mut without_state, mut cost) =
        (0, 0, false, PluginCost::default());
    loop {
        tries += 1;
        let mut pages = 0_u64;
        let (outcome, spent) = collector.collect_metered(&request, &mut |batch| {
            pages += 1;
            sink.send(FeedItem::Page(batch))
        });
        cost.add(&spent);
        // A state that led to a page was understood, so it is not suspect.
        let again = match &outcome {
            Err(failure) if !sink.is_refused() => {
                again(failure, repeated, patience.tries, request.state.is_some() && pages == 0)
            }
            _ => NextTry::No,
        };
        match again {
            NextTry::No => {
                // A writer that refuses pages still waits for the end.
                let _nobody_waits =
                    sink.pages.send(FeedItem::End(FeedEnd { outcome, tries, without_state, cost }));
                return;
            }
            NextTry::After(wait) => {
                repeated += 1;
                (patience.wait)(wait);
            }
            NextTry::WithoutState => {
                request.state = None;
                without_state = true;
            }
        }
        // If the writer refuses, the next page will tell.
        let _refused = sink.send(FeedItem::Restart);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum NextTry {
    No,
    After(Duration),
    WithoutState,
}

/// Whether another try may go well. A state is suspect if the source has one and failed before its
/// first page.
fn again(failure: &Diagnostic, repeated: u32, tries: u32, state_is_suspect: bool) -> NextTry {
    let wait = match failure.retry {
        Retry::No => None,
        // 1, 4, 16 seconds.
        Retry::Soon => Some(Duration::from_secs(1 << (2 * repeated.min(4)))),
        Retry::After(seconds) => Some(Duration::from_secs(u64::from(seconds))),
    };
    let may_be_the_state =
        [code::PLUGIN_CONFIG, code::PLUGIN_FAILED, code::PLUGIN_TRAPPED].contains(&failure.code);
    match wait {
        Some(wait) if repeated + 1 < tries && wait <= WAIT_MAX => NextTry::After(wait),
        None if state_is_suspect && may_be_the_state => NextTry::WithoutState,
        _ => NextTry::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(retry: Retry) -> Diagnostic {
        Diagnostic::new(code::PLUGIN_FAILED, "down").retry(retry)
    }

    #[test]
    fn it_is_waited_longer_each_time_and_as_long_as_the_source_says() {
        let seconds = |retry, repeated| match again(&failure(retry), repeated, 4, false) {
            NextTry::After(wait) => Some(wait.as_secs()),
            _ => None,
        };
        assert_eq!(
            [0, 1, 2, 3].map(|repeated| seconds(Retry::Soon, repeated)),
            [Some(1), Some(4), Some(16), None]
        );
        assert_eq!(
            [0, 2, 3].map(|repeated| seconds(Retry::After(7), repeated)),
            [Some(7), Some(7), None]
        );
        assert_eq!(
            (seconds(Retry::After(120), 0), seconds(Retry::After(121), 0), seconds(Retry::No, 0)),
            (Some(120), None, None)
        );
    }

    #[test]
    fn a_state_is_suspected_only_where_a_failure_may_come_of_it() {
        assert_eq!(again(&failure(Retry::No), 0, 3, true), NextTry::WithoutState);
        assert_eq!(again(&failure(Retry::No), 0, 3, false), NextTry::No);
        assert_eq!(again(&Diagnostic::new(code::PLUGIN_DENIED, "no"), 0, 3, true), NextTry::No);
        assert_eq!(
            again(&failure(Retry::Soon), 0, 3, true),
            NextTry::After(Duration::from_secs(1))
        );
    }
}
