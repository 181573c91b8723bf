//! Figures for Prometheus.
//!
//! Amounts are given in nanos of the currency unit: whole numbers. A scraper still keeps them as floats, so these are for
//! graphs and alerts, and never for books.

use crate::VERSION;
use crate::api::openapi::{Body, Operation};
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
use domain::run::RunState;
use ledger::{BalanceFilter, Reader};
use pipeline::plugin_cost::{TotalCost, totals};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

pub const METRICS: Operation = Operation {
    path: "/metrics",
    id: "get_metrics",
    summary: "Figures in the text format of Prometheus.",
    parameters: &[],
    body: Body::Text("text/plain; version=0.0.4"),
    errors: &[500, 503],
};

pub async fn metrics(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let remembering = state.clone();
    let figures = state
        .read(move |ledger, mark| Ok(remembering.remembered(mark, || of_ledger(ledger))?))
        .await?;
    let text = format!("{figures}{}", of_process(&state));
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// One metric in the text format: a header, then a line a value.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn metric(&mut self, name: &str, kind: &str, help: &str, values: &[(String, &dyn Display)]) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = if labels.is_empty() {
                writeln!(self.0, "{name} {value}")
            } else {
                writeln!(self.0, "{name}{{{labels}}} {value}")
            };
        }
    }
}

fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn of_ledger(ledger: &Reader) -> Result<String, Diagnostic> {
    let mut text = Exposition::default();
    runs(ledger, &mut text)?;
    sources(ledger, &mut text)?;
    plugins(ledger, &mut text)?;
    let days = ledger.source_days(Period::all())?;
    let (charges, source_days): (u64, usize) =
        (days.iter().map(|day| day.totals.charges).sum(), days.len());
    let entries = ledger.standing(Period::all())?.len();
    text.metric("apportion_entries", "gauge", "Entries that stand.", &[(String::new(), &entries)]);
    text.metric(
        "apportion_source_days",
        "gauge",
        "Days of sources with a statement.",
        &[(String::new(), &source_days)],
    );
    text.metric(
        "apportion_charges",
        "gauge",
        "Charges of all current statements.",
        &[(String::new(), &charges)],
    );
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
    let nanos: Vec<(String, i128)> = accounts
        .into_iter()
        .map(|((account, currency), sum)| {
            (
                format!("{},{}", label("account", account), label("currency", currency.code())),
                sum.nanos(),
            )
        })
        .collect();
    let values: Vec<(String, &dyn Display)> =
        nanos.iter().map(|(labels, nanos)| (labels.clone(), nanos as &dyn Display)).collect();
    text.metric(
        "apportion_unborne_nanos",
        "gauge",
        "Cost that no team bears, in 10^-9 of the currency unit.",
        &values,
    );
    Ok(text.0)
}

fn runs(ledger: &Reader, text: &mut Exposition) -> Result<(), Diagnostic> {
    let mut states: BTreeMap<&str, u64> =
        BTreeMap::from([("complete", 0), ("incomplete", 0), ("failed", 0), ("unfinished", 0)]);
    let mut last = None;
    for count in ledger.run_counts()? {
        states.insert(count.state.map_or("unfinished", RunState::name), count.runs);
        last = last.max(count.last_ended_at_ms.map(|at_ms| at_ms / 1000));
    }
    let values: Vec<(String, &dyn Display)> = states
        .iter()
        .map(|(state, count)| (label("state", state), count as &dyn Display))
        .collect();
    text.metric("apportion_runs", "gauge", "Runs by how they ended.", &values);
    if let Some(last) = last {
        text.metric(
            "apportion_last_run_timestamp_seconds",
            "gauge",
            "When the last run ended.",
            &[(String::new(), &last)],
        );
    }
    Ok(())
}

/// How each source went that was ever tried.
fn sources(ledger: &Reader, text: &mut Exposition) -> Result<(), Diagnostic> {
    let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
    for source in ledger.attempted_sources()? {
        let attempts = ledger.attempts(&source)?;
        let last = attempts.iter().rev().find(|attempt| attempt.attempt.failure.is_none());
        succeeded.extend(last.map(|attempt| (label("source", &source), attempt.at_ms / 1000)));
        failed.push((
            label("source", &source),
            u8::from(attempts.last().is_some_and(|attempt| attempt.attempt.failure.is_some())),
        ));
    }
    let values: Vec<(String, &dyn Display)> =
        succeeded.iter().map(|(labels, at)| (labels.clone(), at as &dyn Display)).collect();
    text.metric(
        "apportion_source_last_success_timestamp_seconds",
        "gauge",
        "When the last run began that collected the source.",
        &values,
    );
    let values: Vec<(String, &dyn Display)> =
        failed.iter().map(|(labels, failed)| (labels.clone(), failed as &dyn Display)).collect();
    text.metric(
        "apportion_source_failed",
        "gauge",
        "1 if the last attempt to collect the source failed.",
        &values,
    );
    Ok(())
}

/// What plugins cost over all runs.
fn plugins(ledger: &Reader, text: &mut Exposition) -> Result<(), Diagnostic> {
    let totals = totals(&ledger.plugin_costs()?);
    let figures = PluginCost::default().figures();
    for (position, (name, _)) in figures.iter().enumerate() {
        let figure =
            |total: &TotalCost| total.cost.figures().get(position).map_or(0, |(_, figure)| *figure);
        let labels = |total: &TotalCost| {
            format!(
                "{},{}",
                label("plugin", &total.plugin.name),
                label("source", total.source.as_deref().unwrap_or_default())
            )
        };
        let figures: Vec<(String, u64)> =
            totals.iter().map(|total| (labels(total), figure(total))).collect();
        let values: Vec<(String, &dyn Display)> = figures
            .iter()
            .map(|(labels, figure)| (labels.clone(), figure as &dyn Display))
            .collect();
        let (kind, ending) =
            if *name == "memory_bytes" { ("gauge", "_max") } else { ("counter", "_total") };
        text.metric(
            &format!("apportion_plugin_{name}{ending}"),
            kind,
            "What plugins cost over all runs, by source; allocators have none.",
            &values,
        );
    }
    Ok(())
}

fn of_process(state: &State) -> String {
    let mut text = Exposition::default();
    let view = state.installation().rules();
    let (rules, diagnostics) = (view.rules.len(), view.diagnostics.len());
    text.metric("apportion_rules", "gauge", "Rules in force.", &[(String::new(), &rules)]);
    text.metric(
        "apportion_rule_generations_total",
        "counter",
        "Sets of rules taken since the start.",
        &[(String::new(), &view.generation_count)],
    );
    text.metric(
        "apportion_rule_diagnostics",
        "gauge",
        "Findings of the last reload of rules, if it failed.",
        &[(String::new(), &diagnostics)],
    );
    let requests: Vec<(String, u64)> = state
        .requests()
        .into_iter()
        .map(|((route, status), count)| {
            (format!("{},{}", label("route", route), label("status", &status.to_string())), count)
        })
        .collect();
    let values: Vec<(String, &dyn Display)> =
        requests.iter().map(|(labels, count)| (labels.clone(), count as &dyn Display)).collect();
    text.metric(
        "apportion_http_requests_total",
        "counter",
        "Answered requests by route and status.",
        &values,
    );
    text.metric(
        "apportion_build_info",
        "gauge",
        "The version that runs.",
        &[(label("version", VERSION), &1)],
    );
    text.0
}
