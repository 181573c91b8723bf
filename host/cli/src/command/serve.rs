//! `serve`: the API, with rules that are reloaded when they are saved, and sources that are collected when they are due.

use super::replan::Planner;
use super::scheduler::Scheduler;
use super::{apply, approval, opening, run, token};
use crate::args::{GlobalArgs, ServeArgs};
use crate::error::Failure;
use crate::query;
use crate::settings::{Need, Settings};
use crate::ui::Ui;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use pipeline::apply::{Promise, file_text};
use rule_engine::reload::Live;
use server::{Authority, Options, RulesView};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How often it is looked whether rules were reloaded, to say so on stderr.
const RELOADS_SHOWN_EVERY: Duration = Duration::from_millis(500);

pub fn serve(ui: Ui, global: &GlobalArgs, args: &ServeArgs) -> Result<(), Failure> {
    let settings = Settings::load(global, Need::File)?;
    let listen = args.listen.unwrap_or(settings.listen.value);
    let token = args.token_file.as_deref().map(token::token).transpose()?;
    serve_until_stopped(ui, settings, listen, token)
}

/// Answers until the process is told to end.
pub fn serve_until_stopped(
    ui: Ui,
    settings: Settings,
    listen: SocketAddr,
    token: Option<String>,
) -> Result<(), Failure> {
    let live = Arc::new(Live::start(&settings.rules.value, opening::rule_options(&settings))?);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Diagnostic::new(
            code::INTERNAL,
            format!("the threads of the server cannot be started: {error}"),
        )
    })?;
    let settings = Arc::new(settings);
    let planner = Planner::start(ui, Arc::clone(&settings)).map_err(|error| {
        Diagnostic::new(
            code::INTERNAL,
            format!("the thread that makes plans cannot be started: {error}"),
        )
    })?;
    let authority = token.map(|token| authority(token, &settings, &live));
    let watched = Arc::clone(&live);
    let scheduler =
        Scheduler::start(ui, Arc::clone(&settings), Arc::clone(&live)).map_err(|error| {
            Diagnostic::new(
                code::INTERNAL,
                format!("the thread that collects cannot be started: {error}"),
            )
        })?;
    let options = Options { authority, ..options(ui, settings, live, planner.clone(), listen) };
    let served = runtime.block_on(async {
        let reloads = tokio::spawn(show_reloads(ui, watched, planner));
        let ready = |address: SocketAddr| {
            ui.note(&format!("listening on http://{address}; end with Ctrl-C"))
        };
        let served = server::serve(options, ready, stopped()).await;
        reloads.abort();
        served
    });
    if let Some(scheduler) = scheduler {
        scheduler.stop();
    }
    Ok(served?)
}

fn options(
    ui: Ui,
    settings: Arc<Settings>,
    live: Arc<Live>,
    planner: Planner,
    listen: SocketAddr,
) -> Options {
    Options {
        ledger_path: settings.ledger.value.clone(),
        listen,
        version: env!("CARGO_PKG_VERSION").into(),
        rules: Arc::new(move || view(&live)),
        plan: Arc::new(move || planner.view()),
        authority: None,
        sources: settings.sources.iter().map(opening::source_facts).collect(),
        now_ms: Arc::new(query::now_ms),
        rules_of: Arc::new(move |facts: &[RuleFacts], tables: &[(String, String)]| {
            opening::stored_rules(&settings, facts, tables)
        }),
        log: Arc::new(move |line| ui.note(&line)),
    }
}

/// What who has the token may do: what the same commands do, with the rules in force.
fn authority(token: String, settings: &Arc<Settings>, live: &Arc<Live>) -> Authority {
    let (approving, applying, live) =
        (Arc::clone(settings), Arc::clone(settings), Arc::clone(live));
    Authority {
        token: token.into(),
        approve: Arc::new(move |plan, by, note| {
            let text = file_text(plan);
            approval::record(
                &approving,
                &plan.generation,
                by,
                note,
                Some((Promise::read(&text)?, text)),
            )
        }),
        apply: Arc::new(move |plan| {
            let report = apply::post(
                &applying,
                &live.current(),
                &Promise::read(&file_text(plan))?,
                &mut |_| {},
            )?;
            Ok(run::json_of(&report))
        }),
    }
}

fn view(live: &Live) -> RulesView {
    let rules = live.current();
    RulesView {
        generation: rules.generation().to_owned(),
        generation_count: live.generation_count(),
        rules: rules.facts().to_vec(),
        diagnostics: live.diagnostics(),
    }
}

/// Says what became of each save: new rules in force, or why the old ones stay. New ones get a plan.
async fn show_reloads(ui: Ui, live: Arc<Live>, planner: Planner) {
    let (mut count, mut findings) = (live.generation_count(), live.diagnostics());
    let mut ticks = tokio::time::interval(RELOADS_SHOWN_EVERY);
    loop {
        ticks.tick().await;
        let (count_now, findings_now) = (live.generation_count(), live.diagnostics());
        if count_now != count {
            let rules = live.current();
            ui.note(&format!("rules reloaded: generation {} is in force", rules.generation()));
            planner.plan(rules);
        }
        if findings_now != findings {
            for finding in &findings_now {
                ui.warning(finding);
            }
            let verdict = if findings_now.is_empty() {
                "the rules are well again"
            } else {
                "the rules were not taken; the last good ones stay in force"
            };
            ui.note(verdict);
        }
        (count, findings) = (count_now, findings_now);
    }
}

/// Ends with Ctrl-C or a polite kill.
async fn stopped() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
