//! The power `kubernetes`: lists of the kinds that the operator granted.

use super::State;
use crate::power::Power;
use crate::wit::bindings::{kubernetes as wit, types};
use reach::kubernetes as host;

impl wit::Host for State {
    fn list(&mut self, query: wit::Query) -> wasmtime::Result<Result<wit::Page, types::Error>> {
        let kubernetes = self.clients.kubernetes.clone();
        self.reach_out(Power::Kubernetes, kubernetes, |kubernetes| {
            let page = kubernetes.list(&host::ListQuery {
                resource: query.resource,
                namespace: query.namespace,
                label_selector: query.label_selector,
                field_selector: query.field_selector,
                limit: query.limit,
                next: query.next,
            })?;
            Ok(wit::Page { objects: page.objects, next: page.next })
        })
    }

    fn version(&mut self) -> wasmtime::Result<Result<String, types::Error>> {
        let kubernetes = self.clients.kubernetes.clone();
        self.reach_out(Power::Kubernetes, kubernetes, |kubernetes| kubernetes.version())
    }
}
