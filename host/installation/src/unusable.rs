//! A collector in place of one that could not be opened.

use domain::diagnostic::Diagnostic;
use domain::port::{Batch, CollectRequest, Collector, PluginIdentity};

/// Stands for a plugin that could not be started, so that the other sources go on.
pub struct Unusable {
    identity: PluginIdentity,
    failure: Diagnostic,
}

impl Unusable {
    pub fn new(plugin: &str, failure: Diagnostic) -> Unusable {
        Unusable {
            identity: PluginIdentity {
                name: plugin.into(),
                version: String::new(),
                digest: String::new(),
            },
            failure,
        }
    }
}

impl Collector for Unusable {
    fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    fn check(&self, _: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        Err(self.failure.clone())
    }

    fn collect(
        &self,
        _: &CollectRequest,
        _: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        Err(self.failure.clone())
    }
}
