//! The cases of collectors.

use super::answers::ScriptedClients;
use super::consistent;
use super::fault::{FaultyServer, MALFORMED, ServerFault};
use super::script::{self, Script};
use super::{CaseList, ScriptMaterial, schema_faults};
use crate::code;
use crate::collector::CollectorPlugin;
use crate::grant::Grants;
use crate::plugin::Plugin;
use crate::power::Power;
use domain::charge::RawCharge;
use domain::code::Code;
use domain::diagnostic::{Diagnostic, Retry};
use domain::mapping::Mapping;
use domain::period::Period;
use domain::port::{CollectRequest, Collector, Delivery, PluginCost, Rows};
use reach::Clients;
use reach::cassette::{Exchange, Player, Recorder};
use reach::object_store::SourceFiles;
use serde_json::Value;
use std::sync::Arc;

pub const NAMES: [&str; 18] = [
    "manifest",
    "good-config",
    "bad-config",
    "collection",
    "determinism",
    "empty-window",
    "huge-window",
    "future-state",
    "restated-day",
    "paging",
    "rate-limit",
    "auth-refused",
    "server-error",
    "timeout",
    "malformed-reply",
    "failure-halfway",
    "cursor-loop",
    "resources",
];
/// The wait that the server asks for; the plugin must pass it on.
const WAIT_SECONDS: u32 = 7;
const NO_SERVER: &str = "it asks no server";
const NO_REQUEST: &str = "its settings in conformance.toml ask no server";
const SERVERS: [&str; 7] = [
    "rate-limit",
    "auth-refused",
    "server-error",
    "timeout",
    "malformed-reply",
    "failure-halfway",
    "cursor-loop",
];

/// One collection and its result.
struct Trial {
    result: Result<(), Diagnostic>,
    /// Each row in words, in order.
    rows: Vec<String>,
    charges: Vec<RawCharge>,
    mappings: Vec<Mapping>,
    deliveries: Vec<Delivery>,
    rejected: usize,
    state: Option<String>,
    cost: PluginCost,
    requests: usize,
}

struct Kit<'a> {
    plugin: &'a Plugin,
    script: &'a Script,
    material: &'a ScriptMaterial,
    grants: Grants,
    usual: Option<Period>,
}

pub fn try_out(
    plugin: &Plugin,
    script: &Script,
    material: &ScriptMaterial,
    cases: &mut CaseList<'_>,
) -> Result<(), Diagnostic> {
    let names = plugin.manifest().powers.iter().map(|request| request.power.name());
    let kit = Kit {
        plugin,
        script,
        material,
        grants: Grants::new("conformance", names)?,
        usual: script::period(script.period.usual.as_ref())?,
    };
    kit.settings(cases);
    kit.collections(cases)?;
    let asks = [Power::Http, Power::Kubernetes, Power::AwsCostExplorer, Power::AwsOrganizations]
        .iter()
        .any(|power| plugin.manifest().asks_for(*power));
    match (asks, kit.usually().requests) {
        (false, _) => SERVERS.iter().for_each(|name| cases.leave_out(name, NO_SERVER)),
        // It works with and without a server, and is tried on files.
        (true, 0) if !material.files.is_empty() => {
            SERVERS.iter().for_each(|name| cases.leave_out(name, NO_REQUEST))
        }
        (true, requests) => kit.servers(requests, cases),
    }
    cases.add("resources", || kit.resources());
    Ok(())
}

impl Kit<'_> {
    fn settings(&self, cases: &mut CaseList<'_>) {
        for (number, good) in (1..).zip(&self.script.good) {
            cases.add(&format!("good-config {number}"), || self.good(good));
        }
        if self.script.bad.is_empty() {
            cases.add("bad-config", || {
                Err("conformance.toml has no settings that have to be refused: add a section \
                 `[[bad]]`"
                    .into())
            });
        }
        for (number, bad) in (1..).zip(&self.script.bad) {
            cases.add(&format!("bad-config {number}"), || self.bad(bad));
        }
    }

    fn good(&self, config: &Value) -> Result<String, String> {
        if let Some(faults) = schema_faults(self.plugin, config) {
            return Err(format!("its schema refuses them: {faults}"));
        }
        let problems = self.check(config).map_err(|failure| failure.message)?;
        match problems.first() {
            None => Ok(String::new()),
            Some(problem) => Err(format!("`check` finds: {}", problem.message)),
        }
    }

    /// The schema, `check` and `open` in turn, until one refuses.
    fn bad(&self, config: &Value) -> Result<String, String> {
        if let Some(faults) = schema_faults(self.plugin, config) {
            return Ok(format!("by its schema: {faults}"));
        }
        match self.check(config) {
            Ok(problems) if !problems.is_empty() => return Ok("by `check`".into()),
            Ok(_) => {}
            Err(failure) => return self.refused(&failure),
        }
        match self.collect(config, self.usual, None, None).result {
            Ok(()) => {
                Err("they are taken: the schema, `check` or `open` has to refuse them".into())
            }
            Err(failure) => self.refused(&failure),
        }
    }

    fn refused(&self, failure: &Diagnostic) -> Result<String, String> {
        let fine = [
            domain::code::PLUGIN_CONFIG,
            decode::code::COLUMN_MISSING,
            decode::code::COLUMN_DUPLICATE,
        ]
        .contains(&failure.code);
        if fine {
            Ok("by the plugin".into())
        } else {
            Err(format!("they are refused, and not as settings (`config`): {}", failure.message))
        }
    }

    fn collections(&self, cases: &mut CaseList<'_>) -> Result<(), Diagnostic> {
        let spans = &self.script.period;
        let (empty, huge) =
            (script::period(spans.empty.as_ref())?, script::period(spans.huge.as_ref())?);
        let usual = self.usually();
        cases.add("collection", || self.rows_are_charges(&usual));
        cases.add("determinism", || same(&usual, &self.usually()));
        cases.add("empty-window", || match empty {
            None => Err("conformance.toml has no `empty` in [period]".into()),
            Some(_) => self.ends_well(empty, None).and_then(|tried| {
                if tried.rows.is_empty() {
                    Ok(String::new())
                } else {
                    Err(format!("{} rows come out of days that have none", tried.rows.len()))
                }
            }),
        });
        cases.add("huge-window", || match huge {
            None => Err("conformance.toml has no `huge` in [period]".into()),
            Some(_) => {
                self.ends_well(huge, None).map(|tried| format!("{} requests", tried.requests))
            }
        });
        cases.add("future-state", || {
            for state in
                ["2999-12-31", "{\"cursor\": \"2999-12-31T00:00:00Z\", \"version\": 99}", "\u{0}"]
            {
                let tried =
                    self.collect(self.script.first_good(), self.usual, Some(state.into()), None);
                tried.result.map_err(not_stopped).or_else(|stopped| stopped)?;
            }
            Ok(String::new())
        });
        cases.add("restated-day", || {
            let again =
                self.collect(self.script.first_good(), self.usual, usual.state.clone(), None);
            same(&usual, &again)
                .map_err(|reason| format!("asked for the same days once more, {reason}"))
        });
        if self.script.paging.is_empty() {
            cases.add("paging", || {
                Err("conformance.toml has no section `[[paging]]` with another size of pages"
                    .into())
            });
        }
        for (number, over) in (1..).zip(&self.script.paging) {
            cases.add(&format!("paging {number}"), || {
                let config = merged(self.script.first_good(), over);
                same(&usual, &self.collect(&config, self.usual, None, None))
            });
        }
        Ok(())
    }

    fn servers(&self, requests: usize, cases: &mut CaseList<'_>) {
        let failing = |fault: ServerFault, well: usize| {
            self.collect(self.script.first_good(), self.usual, None, Some((fault, well)))
        };
        let reports =
            |fault: ServerFault, what: &str, fits: fn(&Diagnostic) -> bool| match failing(fault, 0)
                .result
            {
                Ok(()) => {
                    Err(format!("it ends as if nothing had happened; {what} is to be reported"))
                }
                Err(failure) if fits(&failure) => Ok(String::new()),
                Err(failure) => {
                    Err(format!("{what} is to be reported, and it said: {}", failure.message))
                }
            };
        let soon = |failure: &Diagnostic| {
            failure.code == domain::code::PLUGIN_FAILED && failure.retry != Retry::No
        };
        cases.add("rate-limit", || {
            reports(
                ServerFault::Status(429, Some(WAIT_SECONDS)),
                "`rate-limited` with the seconds of Retry-After",
                |failure| failure.retry == Retry::After(WAIT_SECONDS),
            )
        });
        cases.add("auth-refused", || {
            reports(ServerFault::Status(401, None), "`auth`", |failure| {
                failure.code == domain::code::PLUGIN_FAILED && failure.retry == Retry::No
            })
        });
        cases
            .add("server-error", || reports(ServerFault::Status(503, None), "`unavailable`", soon));
        cases.add("timeout", || reports(ServerFault::Late, "`transient`", soon));
        for (name, change) in MALFORMED {
            cases.add(&format!("malformed-reply {name}"), || {
                not_passed_over(failing(ServerFault::Body(change), 0))
            });
        }
        if requests < 2 {
            cases.leave_out("failure-halfway", "its recording has one request only");
            cases.leave_out("cursor-loop", "its recording has one request only");
            return;
        }
        cases.add("failure-halfway", || {
            not_passed_over(failing(ServerFault::Status(503, None), requests - 1))
        });
        cases.add("cursor-loop", || match failing(ServerFault::Again, 0).result {
            Ok(()) => Ok(String::new()),
            Err(failure) => not_stopped(failure)
                .map_err(|reason| {
                    format!("a server that gives the first page again and again: {reason}")
                })
                .map(|()| String::new()),
        });
    }

    fn resources(&self) -> Result<String, String> {
        let tried = self.usually();
        tried.result.map_err(|failure| failure.message)?;
        let cost = tried.cost;
        let (kib, ms) = (cost.memory_bytes >> 10, cost.wall_us.div_ceil(1_000));
        Ok(format!(
            "{kib} KiB of memory, {} units of fuel, {ms} ms, {} calls to the host",
            cost.fuel, cost.host_calls
        ))
    }

    fn rows_are_charges(&self, tried: &Trial) -> Result<String, String> {
        tried.result.as_ref().map_err(|failure| failure.message.clone())?;
        if tried.rows.is_empty() {
            return Err("nothing comes out of the usual period".into());
        }
        for (number, charge) in (1..).zip(&tried.charges) {
            consistent::charge(charge).map_err(|fault| format!("charge {number}: {fault}"))?;
        }
        consistent::deliveries(&tried.deliveries, &tried.mappings)?;
        let told = consistent::told(&tried.charges, &tried.mappings, &tried.deliveries);
        Ok(format!("{} rows, {} set aside{told}", tried.rows.len(), tried.rejected))
    }

    fn ends_well(&self, period: Option<Period>, state: Option<String>) -> Result<Trial, String> {
        let tried = self.collect(self.script.first_good(), period, state, None);
        match &tried.result {
            Ok(()) => Ok(tried),
            Err(failure) => Err(failure.message.clone()),
        }
    }

    fn usually(&self) -> Trial {
        self.collect(self.script.first_good(), self.usual, None, None)
    }

    fn player(&self) -> Arc<dyn Exchange> {
        Arc::new(Player::new(
            self.material.exchanges.clone(),
            self.script.otherwise.clone(),
            self.script.secrets.clone(),
        ))
    }

    fn request(
        &self,
        config: &Value,
        period: Option<Period>,
        state: Option<String>,
    ) -> CollectRequest {
        let (source, now, tables) =
            ("conformance".into(), self.script.now.clone(), self.material.tables.clone());
        CollectRequest { source, config: config.to_string(), period, state, now, tables }
    }

    fn collector(
        &self,
        exchange: Arc<dyn Exchange>,
        scripted: &Arc<ScriptedClients>,
    ) -> Result<CollectorPlugin, Diagnostic> {
        let clients = Clients {
            http: Some(exchange),
            files: Some(Arc::new(SourceFiles::of_this_machine(
                "conformance",
                self.material.files.clone(),
            ))),
            kubernetes: Some(scripted.clone()),
            cost_explorer: Some(scripted.clone()),
            organizations: Some(scripted.clone()),
            ..Clients::default()
        };
        Ok(self.plugin.collector(&self.grants)?.with_clients(clients))
    }

    fn scripted(&self, fault: Option<(ServerFault, usize)>) -> Arc<ScriptedClients> {
        Arc::new(ScriptedClients::new(self.material.answers.clone(), fault))
    }

    fn check(&self, config: &Value) -> Result<Vec<Diagnostic>, Diagnostic> {
        self.collector(self.player(), &self.scripted(None))?
            .check(&self.request(config, None, None))
    }

    fn collect(
        &self,
        config: &Value,
        period: Option<Period>,
        state: Option<String>,
        fault: Option<(ServerFault, usize)>,
    ) -> Trial {
        let scripted = self.scripted(fault.clone());
        let recorder = Arc::new(Recorder::new(match fault {
            Some((fault, well)) => Arc::new(FaultyServer::new(self.player(), fault, well)),
            None => self.player(),
        }));
        let (mut rows, mut charges, mut rejected, mut left) = (Vec::new(), Vec::new(), 0, None);
        let (mut mappings, mut deliveries) = (Vec::new(), Vec::new());
        let (result, cost) = match self.collector(recorder.clone(), &scripted) {
            Err(failure) => (Err(failure), PluginCost::default()),
            Ok(collector) => {
                collector.collect_metered(&self.request(config, period, state), &mut |batch| {
                    rejected += batch.rejected.len();
                    rows.extend(batch.usage.iter().map(|usage| format!("{usage:?}")));
                    rows.extend(batch.rejected.iter().map(|row| format!("{row:?}")));
                    deliveries.extend(batch.deliveries);
                    match batch.rows {
                        Rows::Charges(page) => {
                            rows.extend(page.iter().map(|charge| format!("{charge:?}")));
                            charges.extend(page);
                        }
                        Rows::Table(table) => match table.charges() {
                            Ok(page) => {
                                rows.extend(page.iter().map(|charge| format!("{charge:?}")));
                                charges.extend(page);
                            }
                            Err(error) => rows.push(format!(
                                "{} charges whose tags cannot be read: {error}",
                                table.rows
                            )),
                        },
                        Rows::Mapped(mapping) => {
                            rows.push(format!("{mapping:?}"));
                            mappings.push(mapping);
                        }
                        Rows::MappedUsage(mapping) => rows.push(format!("{mapping:?}")),
                    }
                    left = batch.state.or(left.take());
                    Ok(())
                })
            }
        };
        Trial {
            result,
            rows,
            charges,
            mappings,
            deliveries,
            rejected,
            state: left,
            cost,
            requests: recorder.taken().len() + scripted.asked(),
        }
    }
}

fn same(first: &Trial, second: &Trial) -> Result<String, String> {
    for tried in [first, second] {
        tried.result.as_ref().map_err(|failure| failure.message.clone())?;
    }
    if first.deliveries != second.deliveries {
        return Err(format!(
            "other deliveries are found: {} and then {}",
            first.deliveries.len(),
            second.deliveries.len()
        ));
    }
    if first.rows == second.rows {
        return Ok(format!("{} rows", second.rows.len()));
    }
    let different = first.rows.iter().zip(&second.rows).position(|(left, right)| left != right);
    let at = different.unwrap_or(first.rows.len().min(second.rows.len())) + 1;
    Err(format!(
        "other rows come out: {} and then {}, and row {at} is the first that differs",
        first.rows.len(),
        second.rows.len()
    ))
}

/// A plugin may report a failure. It fails the case if the host has to stop it.
fn not_stopped(failure: Diagnostic) -> Result<(), String> {
    let stops: [Code; 7] = [
        domain::code::PLUGIN_TRAPPED,
        code::PLUGIN_TIMEOUT,
        code::PLUGIN_MEMORY,
        code::PLUGIN_OUTPUT,
        domain::code::PLUGIN_JUNK,
        domain::code::PLUGIN_DENIED,
        code::PLUGIN_CALLS,
    ];
    if stops.contains(&failure.code) { Err(failure.message) } else { Ok(()) }
}

fn not_passed_over(tried: Trial) -> Result<String, String> {
    match tried.result {
        Err(failure) => not_stopped(failure).map(|()| "it fails".into()),
        Ok(()) if tried.rejected > 0 => Ok(format!("{} rows set aside", tried.rejected)),
        // The pipeline sets them aside.
        Ok(()) if tried.charges.iter().any(|charge| consistent::charge(charge).is_err()) => {
            Ok("charges that are set aside for their amounts".into())
        }
        Ok(()) => {
            Err("it ends as if nothing had happened, and charges are missing: report an error, \
             or set rows aside"
                .into())
        }
    }
}

fn merged(base: &Value, over: &Value) -> Value {
    let mut merged = base.clone();
    if let (Some(members), Some(over)) = (merged.as_object_mut(), over.as_object()) {
        members.extend(over.clone());
    }
    merged
}
