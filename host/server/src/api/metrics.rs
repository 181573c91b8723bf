//! Figures for Prometheus.
//!
//! Amounts are given in nanos of the currency unit: whole numbers. A scraper still keeps them as
//! floats, so they are for graphs and alerts, and never for books.

mod exposition;

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
use exposition::FigureKind::{Counter, Gauge};
use exposition::{Exposition, Labels};
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
    let text = format!("{figures}{}", of_process(&state)?);
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
    figures.gauge("apportion_entries", "Entries that stand.", entries as i128);
    let source_days = days.len() as i128;
    figures.gauge("apportion_source_days", "Days of sources with a statement.", source_days);
    let help = "Charges of all current statements.";
    figures.gauge("apportion_charges", help, i128::from(charges));
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
        (labels, sum.nanos())
    });
    let help = "Cost that no team bears, in 10^-9 of the currency unit.";
    figures.add(Gauge, "apportion_unborne_nanos", help, values);
    Ok(())
}

fn runs(ledger: &Reader, figures: &mut Exposition) -> Result<(), Diagnostic> {
    let mut states: BTreeMap<&str, u64> =
        BTreeMap::from([("complete", 0), ("incomplete", 0), ("failed", 0), ("unfinished", 0)]);
    let mut last = None;
    for count in ledger.run_counts()? {
        states.insert(count.state.map_or("unfinished", RunState::name), count.runs);
        last = last.max(count.last_ended_at_ms.map(|at_ms| at_ms / 1000));
    }
    let values = states
        .into_iter()
        .map(|(state, count)| (vec![("state", state.to_owned())], i128::from(count)));
    figures.add(Gauge, "apportion_runs", "Runs by how they ended.", values);
    if let Some(last) = last {
        let help = "When the last run ended.";
        figures.gauge("apportion_last_run_timestamp_seconds", help, i128::from(last));
    }
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
        succeeded.extend(last.map(|attempt| (labels.clone(), i128::from(attempt.at_ms / 1000))));
        failed.push((labels, i128::from(has_failed)));
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
    let names = PluginCost::default().figures().map(|(name, _)| name);
    for (position, name) in names.into_iter().enumerate() {
        let value = |total: &TotalCost| {
            let figures = total.cost.figures();
            let figure = figures.get(position).map_or(0, |(_, figure)| *figure);
            let labels = vec![
                ("plugin", total.plugin.name.clone()),
                ("source", total.source.clone().unwrap_or_default()),
            ];
            (labels, i128::from(figure))
        };
        let (kind, ending) = match name {
            "memory_bytes" => (Gauge, "_max"),
            _ => (Counter, ""),
        };
        figures.add(
            kind,
            format!("apportion_plugin_{name}{ending}"),
            "What plugins cost over all runs, by source; allocators have none.",
            totals.iter().map(value),
        );
    }
    Ok(())
}

fn of_process(state: &State) -> Result<String, Diagnostic> {
    let mut figures = Exposition::default();
    let view = state.installation().rules();
    figures.gauge("apportion_rules", "Rules in force.", view.rules.len() as i128);
    figures.add(
        Counter,
        "apportion_rule_generations",
        "Sets of rules taken since the start.",
        [(Labels::new(), i128::from(view.generation_count))],
    );
    let help = "Findings of the last reload of rules, if it failed.";
    figures.gauge("apportion_rule_diagnostics", help, view.diagnostics.len() as i128);
    let requests = state.requests().into_iter().map(|((route, status), count)| {
        let labels = vec![("route", route.to_owned()), ("status", status.to_string())];
        (labels, i128::from(count))
    });
    let help = "Answered requests by route and status.";
    figures.add(Counter, "apportion_http_requests", help, requests);
    let version = vec![("version", VERSION.to_owned())];
    figures.add(Gauge, "apportion_build_info", "The version that runs.", [(version, 1)]);
    figures.text()
}
