//! A collector with its grants: the domain's port `Collector`, implemented by a component.

use crate::call::{Fuel, Sandbox, label};
use crate::capability::log::LogLine;
use crate::capability::{RunInfo, State, retry};
use crate::convert::{self, Intake};
use crate::grant::Grants;
use crate::limits::PluginLimits;
use crate::power::Power;
use crate::wit::bindings::types;
use crate::wit::exports::CollectorExports;
use domain::diagnostic::Diagnostic;
use domain::port::{Batch, CollectRequest, Collector, PluginCost, PluginIdentity, Rows};
use reach::Clients;
use std::sync::Arc;
use wasmtime::component::{InstancePre, ResourceAny};

/// Takes the log lines of a plugin while it works.
pub type LogSink = Arc<dyn Fn(&PluginIdentity, LogLine) + Send + Sync>;

pub struct CollectorPlugin {
    pre: InstancePre<State>,
    contract: &'static str,
    identity: PluginIdentity,
    limits: PluginLimits,
    grants: Grants,
    /// Powers that are linked without being granted.
    optional: Vec<Power>,
    clients: Clients,
    log: Option<LogSink>,
    fuel: Fuel,
    /// The names of its own settings, for hints.
    settings: Vec<String>,
}

impl CollectorPlugin {
    pub(crate) fn new(
        pre: InstancePre<State>,
        contract: &'static str,
        identity: &PluginIdentity,
        limits: &PluginLimits,
        grants: &Grants,
        powers: Vec<Power>,
        fuel: Fuel,
    ) -> CollectorPlugin {
        CollectorPlugin {
            pre,
            contract,
            identity: identity.clone(),
            limits: limits.clone(),
            grants: grants.clone(),
            optional: powers.into_iter().filter(|power| !grants.has(*power)).collect(),
            clients: Clients::default(),
            log: None,
            fuel,
            settings: Vec::new(),
        }
    }

    /// Tells the names of the plugin's own settings, by the schema of its manifest.
    pub(crate) fn with_settings(self, config_schema: &str) -> CollectorPlugin {
        CollectorPlugin { settings: convert::setting_names(config_schema), ..self }
    }

    /// Hands the plugin's log lines to `sink`.
    pub fn with_log(self, sink: LogSink) -> CollectorPlugin {
        CollectorPlugin { log: Some(sink), ..self }
    }

    /// Gives the plugin those clients whose power it was granted. Without clients it can reach
    /// nothing.
    pub fn with_clients(self, clients: Clients) -> CollectorPlugin {
        let has = |power: Power| self.grants.has(power);
        let clients = Clients {
            files: clients.files.filter(|_| has(Power::File)),
            http: clients.http.filter(|_| has(Power::Http)),
            kubernetes: clients.kubernetes.filter(|_| has(Power::Kubernetes)),
            cost_explorer: clients.cost_explorer.filter(|_| has(Power::AwsCostExplorer)),
            organizations: clients.organizations.filter(|_| has(Power::AwsOrganizations)),
            tables: clients.tables.filter(|_| has(Power::TableDecode)),
        };
        CollectorPlugin { clients, ..self }
    }

    /// A fresh store and instance. Only the plugin's state survives from one collection to the
    /// next.
    fn sandbox(&self, request: &CollectRequest) -> Sandbox {
        let mut state = State::new(&self.limits);
        state.run = RunInfo { source: request.source.clone(), now: request.now.clone() };
        state.tables = self.grants.has(Power::TableDecode).then(|| request.tables.clone());
        state.clients = self.clients.clone();
        state.optional = self.optional.clone();
        Sandbox::new(self.pre.engine(), &self.limits, &self.identity, state)
    }

    fn start(&self, sandbox: &mut Sandbox) -> Result<CollectorExports, Diagnostic> {
        sandbox.start(self.fuel, |store| {
            let instance = self.pre.instantiate(&mut *store)?;
            CollectorExports::of(&instance, store, self.contract)
        })
    }

    fn open(
        &self,
        sandbox: &mut Sandbox,
        exports: &CollectorExports,
        request: &CollectRequest,
    ) -> Result<ResourceAny, Diagnostic> {
        let period = request.period.map(convert::period);
        let question = (request.config.clone(), period, request.state.clone());
        let opened =
            sandbox.call("open", self.fuel, |store| Ok(exports.open.call(store, question)?.0));
        self.pass_log(sandbox);
        opened?.map_err(|error| self.reported(sandbox, error))
    }

    fn next(
        &self,
        sandbox: &mut Sandbox,
        exports: &CollectorExports,
        cursor: ResourceAny,
    ) -> Result<Option<types::Batch>, Diagnostic> {
        let next = sandbox.call("next", self.fuel, |store| exports.next(store, cursor));
        self.pass_log(sandbox);
        next?.map_err(|error| self.reported(sandbox, error))
    }

    /// The failure that the plugin reports. If it repeats the host's own text, the host's
    /// diagnostic takes its place, because that says more.
    fn reported(&self, sandbox: &mut Sandbox, error: types::Error) -> Diagnostic {
        let is_about_reading = matches!(
            error,
            types::Error::Unavailable(_)
                | types::Error::Transient(_)
                | types::Error::RateLimited(_)
                | types::Error::Bug(_)
        );
        let failure = sandbox.store.data_mut().failure.take();
        let reported = convert::of_error(error, &label(&self.identity), &self.settings);
        match failure {
            Some((told, diagnostic)) if is_about_reading || reported.message.contains(&told) => {
                diagnostic
            }
            _ => reported,
        }
    }

    fn pass_log(&self, sandbox: &mut Sandbox) {
        let lines = sandbox.store.data_mut().log.take();
        for line in lines {
            let (plugin, level) = (&self.identity.name, line.level.name());
            tracing::debug!(plugin, level, text = line.message, "plugin says");
            if let Some(sink) = &self.log {
                sink(&self.identity, line);
            }
        }
    }

    fn pages(
        &self,
        sandbox: &mut Sandbox,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
        counted: &mut (u64, u64),
    ) -> Result<(), Diagnostic> {
        let exports = self.start(sandbox)?;
        let cursor = self.open(sandbox, &exports, request)?;
        let granted =
            if self.grants.has(Power::TableDecode) { request.tables.as_slice() } else { &[] };
        let mut intake = Intake::new(&self.limits, granted);
        while let Some(batch) = self.next(sandbox, &exports, cursor)? {
            let batch = intake.batch(batch);
            *counted = intake.output.counted();
            let batch =
                batch.map_err(|refusal| sandbox.diagnostic(refusal.code(), refusal.message()))?;
            self.fetch(&batch)?;
            sink(sandbox.store.data_mut().with_reports(batch))?;
        }
        let last = sandbox.store.data_mut().with_reports(Batch::default());
        if last.complete.is_empty() && last.unknown.is_empty() && last.deliveries.is_empty() {
            Ok(())
        } else {
            sink(last)
        }
    }

    /// Fetches the table that is read next, if it lies in a store.
    fn fetch(&self, batch: &Batch) -> Result<(), Diagnostic> {
        let table = match &batch.rows {
            Rows::Mapped(mapping) => &mapping.table,
            Rows::MappedUsage(mapping) => &mapping.table,
            Rows::Charges(_) | Rows::Table(_) => return Ok(()),
        };
        self.clients
            .tables
            .as_ref()
            .map_or(Ok(()), |tables| tables.fetch(table))
            .map_err(|failure| failure.diagnostic.retry(retry(failure.kind)))
    }

    fn finish_log(&self, sandbox: &Sandbox) {
        if let (Some(sink), Some(line)) = (&self.log, sandbox.store.data().log.dropped()) {
            sink(&self.identity, line);
        }
    }
}

impl Collector for CollectorPlugin {
    fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    fn check(&self, request: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        let mut sandbox = self.sandbox(request);
        let exports = self.start(&mut sandbox)?;
        let checked = sandbox.call("check", self.fuel, |store| {
            Ok(exports.check.call(store, (request.config.clone(),))?.0)
        });
        self.pass_log(&mut sandbox);
        let problems = checked?.map_err(|error| self.reported(&mut sandbox, error))?;
        Ok(problems
            .into_iter()
            .map(|problem| convert::of_problem(problem, &label(&self.identity), &self.settings))
            .collect())
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
        let mut sandbox = self.sandbox(request);
        let mut counted = (0, 0);
        let result = self.pages(&mut sandbox, request, sink, &mut counted);
        self.finish_log(&sandbox);
        let (rows, bytes) = counted;
        (result, PluginCost { rows, bytes, ..sandbox.cost() })
    }
}
