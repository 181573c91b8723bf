//! Figures for Prometheus, in its base units: seconds, bytes, and units of a currency.
//!
//! A scraper keeps every figure as a float. So amounts are for graphs and alerts, and never for
//! books; the reports have them to the nano.

mod exposition;
mod process;

use crate::VERSION;
use crate::api::openapi::{Body, Operation};
use crate::buckets::{Buckets, HTTP_BOUNDS, RUN_BOUNDS, RUN_BOUNDS_US};
use crate::error::Problem;
use crate::state::State;
use axum::extract::State as Shared;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::account::Account;
use domain::diagnostic::Diagnostic;
use domain::money::{Currency, Sum};
use domain::period::Period;
use domain::port::PluginCost;
use domain::run::{RunId, RunState};
use exposition::FigureKind::{Counter, Gauge};
use exposition::{Exposition, FigureKind, Labels, ScrapedFigure};
use ledger::{BalanceFilter, Reader};
use pipeline::plugin_cost::{TotalCost, totals};
use prometheus_client::encoding::prometheus_text;
use std::collections::BTreeMap;

pub const METRICS: Operation = Operation {
    path: "/metrics",
    id: "get_metrics",
    summary: "Figures in the text format of Prometheus.",
    placeholder: None,
    parameters: Vec::new,
    body: Body::Text("text/plain; version=0.0.4"),
    errors: &[500, 503],
};

pub async fn metrics(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let remembering = state.clone();
    let figures = state
        .read(move |ledger, mark| Ok(remembering.remembered(mark, || of_ledger(ledger))?))
        .await?;
    let text = format!("{figures}{}", of_server(&state)?);
    Ok(([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}

fn of_ledger(ledger: &Reader) -> Result<String, Diagnostic> {
    let mut figures = Exposition::default();
    runs(ledger, &mut figures)?;
    sources(ledger, &mut figures)?;
    plugins(ledger, &mut figures)?;
    let days = ledger.source_days(Period::all())?;
    let charges: u64 = days.iter().map(|day| day.totals.charges).sum();
    let entries = ledger.standing(Period::all())?.len();
    figures.gauge("apportion_entries", "Entries that stand.", entries as u64);
    let source_days = days.len() as u64;
    figures.gauge("apportion_statements", "Days of sources that have a statement.", source_days);
    figures.gauge("apportion_charges", "Charges of all current statements.", charges);
    unborne(ledger, &mut figures)?;
    figures.text()
}

fn unborne(ledger: &Reader, figures: &mut Exposition) -> Result<(), Diagnostic> {
    let mut accounts: BTreeMap<(&str, Currency), Sum> = BTreeMap::new();
    for balance in ledger.balances(&BalanceFilter::of(Period::all()))? {
        let kept = match balance.account {
            Account::Unallocated => "unallocated",
            Account::Suspense => "suspense",
            Account::Pool(_) => "pool",
            _ => continue,
        };
        *accounts.entry((kept, balance.currency)).or_default() += balance.amount;
    }
    let values = accounts.into_iter().map(|((account, currency), sum)| {
        let labels = vec![("account", account.to_owned()), ("currency", currency.to_string())];
        (labels, ScrapedFigure::nanos(sum.nanos()))
    });
    let help = "Cost that no team bears, in units of the currency; a float, and so not for books.";
    figures.add(Gauge, "apportion_unborne_cost", help, values);
    Ok(())
}

fn runs(ledger: &Reader, figures: &mut Exposition) -> Result<(), Diagnostic> {
    let mut states: BTreeMap<&str, u64> =
        BTreeMap::from([("complete", 0), ("incomplete", 0), ("failed", 0), ("unfinished", 0)]);
    for count in ledger.run_counts()? {
        states.insert(count.state.map_or("unfinished", RunState::name), count.runs);
    }
    let values =
        states.into_iter().map(|(state, count)| (vec![("state", state.to_owned())], count));
    figures.add(Gauge, "apportion_runs", "Runs by how they ended.", values);
    let ended: Vec<(RunId, i64, i64)> = ledger
        .runs(usize::MAX)?
        .into_iter()
        .filter_map(|run| Some((run.id, run.started_at_ms, run.end?.at_ms)))
        .collect();
    let mut buckets = Buckets { counts: vec![0; RUN_BOUNDS.len() + 1], sum_us: 0 };
    for (_, from_ms, to_ms) in &ended {
        buckets.add(&RUN_BOUNDS_US, u64::try_from((to_ms - from_ms) * 1_000).unwrap_or(0));
    }
    let help = "Runs by how long they took, from the start to the commit.";
    let values = vec![(Labels::new(), buckets)];
    figures.histogram("apportion_run_duration_seconds", help, &RUN_BOUNDS, values);
    let Some((last, from_ms, to_ms)) = ended.first() else { return Ok(()) };
    let help = "When the last run ended.";
    figures.gauge("apportion_last_run_timestamp_seconds", help, ScrapedFigure::millis(*to_ms));
    let took = ScrapedFigure::millis(to_ms - from_ms);
    figures.gauge("apportion_last_run_duration_seconds", "How long the last run took.", took);
    let counts = ledger.rejected_counts(*last)?;
    let values = counts.into_iter().map(|(source, count)| (vec![("source", source)], count));
    let help = "Rows that the last run set aside; a source without any has none.";
    figures.add(Gauge, "apportion_last_run_set_aside_rows", help, values);
    Ok(())
}

/// How each source went that was ever tried.
fn sources(ledger: &Reader, figures: &mut Exposition) -> Result<(), Diagnostic> {
    let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
    for source in ledger.attempted_sources()? {
        let attempts = ledger.attempts(&source)?;
        let last = attempts.iter().rev().find(|attempt| attempt.attempt.failure.is_none());
        let has_failed = attempts.last().is_some_and(|attempt| attempt.attempt.failure.is_some());
        let labels = vec![("source", source)];
        succeeded
            .extend(last.map(|attempt| (labels.clone(), ScrapedFigure::millis(attempt.at_ms))));
        failed.push((labels, u64::from(has_failed)));
    }
    figures.add(
        Gauge,
        "apportion_source_last_success_timestamp_seconds",
        "When the last run began that collected the source.",
        succeeded,
    );
    let help = "1 if the last attempt to collect the source failed.";
    figures.add(Gauge, "apportion_source_failed", help, failed);
    Ok(())
}

/// The cost of plugins over all runs.
fn plugins(ledger: &Reader, figures: &mut Exposition) -> Result<(), Diagnostic> {
    let totals = totals(&ledger.plugin_costs()?);
    for (kind, name, help, figure) in PLUGIN_FIGURES {
        let value = |total: &TotalCost| {
            let labels = vec![
                ("plugin", total.plugin.name.clone()),
                ("source", total.source.clone().unwrap_or_default()),
            ];
            (labels, figure(&total.cost))
        };
        figures.add(*kind, format!("apportion_plugin_{name}"), help, totals.iter().map(value));
    }
    Ok(())
}

type PluginFigure = (FigureKind, &'static str, &'static str, fn(&PluginCost) -> ScrapedFigure);

/// By plugin and source, over all runs of the ledger; allocators have no source.
const PLUGIN_FIGURES: &[PluginFigure] = &[
    (Counter, "starts", "Fresh instances.", |cost| cost.starts.into()),
    (Counter, "seconds", "Time in which plugins ran.", |cost| ScrapedFigure::micros(cost.wall_us)),
    (Counter, "waited_seconds", "Of it, time in which the host was outside for them.", |cost| {
        ScrapedFigure::micros(cost.waited_us)
    }),
    (Gauge, "memory_max_bytes", "The most that an instance had.", |cost| cost.memory_bytes.into()),
    (
        Counter,
        "rows",
        "Rows that they handed over, and those of tables that they mapped.",
        |cost| cost.rows.into(),
    ),
    (Counter, "bytes", "Bytes that they handed over.", |cost| cost.bytes.into()),
    (Counter, "host_calls", "Calls to the host.", |cost| cost.host_calls.into()),
    (Counter, "requests", "Calls that went outside.", |cost| cost.requests.into()),
    (Counter, "denials", "Calls that were refused.", |cost| cost.denials.into()),
    (Counter, "fuel", "Instructions of allocators.", |cost| cost.fuel.into()),
];

fn of_server(state: &State) -> Result<String, Diagnostic> {
    let mut figures = Exposition::default();
    let view = state.installation().rules();
    figures.gauge("apportion_rules", "Rules in force.", view.rules.len() as u64);
    let help = "Sets of rules taken since the start.";
    let taken = [(Labels::new(), view.generation_count)];
    figures.add(Counter, "apportion_rule_generations", help, taken);
    let help = "Findings of the last reload of rules, if it failed.";
    figures.gauge("apportion_rule_diagnostics", help, view.diagnostics.len() as u64);
    let runs = state.installation().runs().figures();
    let help = "Runs of this process that posted.";
    figures.add(Counter, "apportion_process_runs", help, [(Labels::new(), runs.runs)]);
    let stages = runs.stages_ms.into_iter().filter(|(stage, _)| !stage.is_empty());
    let stages =
        stages.map(|(stage, ms)| (vec![("stage", stage.to_owned())], ScrapedFigure::millis(ms)));
    let help = "Time of these runs, by stage.";
    figures.add(Counter, "apportion_process_run_stage_seconds", help, stages);
    ledger_size(state, &mut figures);
    let (counts, latencies) = state.requests();
    let requests = counts.into_iter().map(|((route, status), count)| {
        (vec![("route", route.to_owned()), ("status", status.to_string())], count)
    });
    let help = "Answered requests by route and status.";
    figures.add(Counter, "apportion_http_requests", help, requests);
    let by_route =
        latencies.into_iter().map(|(route, buckets)| (vec![("route", route.to_owned())], buckets));
    let help = "Requests by route and by how long their answers took.";
    let name = "apportion_http_request_duration_seconds";
    figures.histogram(name, help, &HTTP_BOUNDS, by_route.collect());
    let version = vec![("version", VERSION.to_owned())];
    figures.add(Gauge, "apportion_build_info", "The version that runs.", [(version, 1_u64)]);
    process::add(&mut figures);
    figures.text()
}

/// The ledger's file, and the log of a run under way beside it.
fn ledger_size(state: &State, figures: &mut Exposition) {
    let path = state.installation().ledger_path();
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let files = [("ledger", path.to_path_buf()), ("log", log.into())];
    let sizes = files.into_iter().filter_map(|(file, path)| {
        Some((vec![("file", file.to_owned())], std::fs::metadata(path).ok()?.len()))
    });
    figures.add(Gauge, "apportion_ledger_bytes", "Size of the ledger on disk.", sizes);
}
