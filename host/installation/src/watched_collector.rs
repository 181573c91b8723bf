//! A collector whose pages are seen on their way to the run.

use domain::diagnostic::Diagnostic;
use domain::port::{Batch, CollectRequest, Collector, PluginCost, PluginIdentity};
use std::sync::Arc;

/// Sees collections pass.
pub trait Watcher: Send + Sync {
    /// One begins. A collector that is tried once more begins anew.
    fn begin(&self);

    fn see(&self, request: &CollectRequest, batch: &Batch);

    /// One has ended. What fails here, fails a collection that went well.
    fn end(
        &self,
        _request: &CollectRequest,
        _plugin: &PluginIdentity,
        _failure: Option<&Diagnostic>,
    ) -> Result<(), Diagnostic> {
        Ok(())
    }
}

/// Passes everything on.
pub struct WatchedCollector<W> {
    pub collector: Arc<dyn Collector>,
    pub watcher: W,
}

impl<W: Watcher> Collector for WatchedCollector<W> {
    fn identity(&self) -> &PluginIdentity {
        self.collector.identity()
    }

    fn check(&self, request: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        self.collector.check(request)
    }

    fn collect(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        self.collect_metered(request, sink).0
    }

    fn collect_metered(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> (Result<(), Diagnostic>, PluginCost) {
        self.watcher.begin();
        let (outcome, cost) = self.collector.collect_metered(request, &mut |batch| {
            self.watcher.see(request, &batch);
            sink(batch)
        });
        let seen = self.watcher.end(request, self.identity(), outcome.as_ref().err());
        (outcome.and(seen), cost)
    }
}
