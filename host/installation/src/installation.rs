//! The part of an installation that a server may know and change.

use crate::apply;
use crate::approval;
use crate::clock::Clock;
use crate::planner::LatestPlan;
use crate::rules::{FolderRules, RulesInForce};
use crate::run_log::{self, RunLog};
use crate::settings::Settings;
use crate::settings::change::SettingsChange;
use crate::sources;
use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use pipeline::apply::{Promise, file_text};
use pipeline::plan::Plan;
use pipeline::report::RunReport;
use reports::costs::spelling::Spelling;
use reports::coverage::query::SourceFacts;
use std::path::Path;
use std::sync::Arc;

/// Settings, the rules in force, and the latest plan. Clones share all of it.
#[derive(Clone)]
pub struct Installation {
    settings: Arc<Settings>,
    rules: Arc<dyn RulesInForce>,
    plan: LatestPlan,
    runs: RunLog,
    clock: Clock,
}

/// The rules in force, and why a later save of them was not taken.
#[derive(Clone, Debug, Default)]
pub struct RulesView {
    /// Digest over all rules and tables, hex; empty while no rules are in force.
    pub generation: String,
    /// Sets of rules that were taken since the start.
    pub generation_count: u64,
    pub rules: Vec<RuleFacts>,
    /// Of the last reload, if it failed.
    pub diagnostics: Vec<Diagnostic>,
}

impl Installation {
    /// Loads the rules and watches their folder. Broken rules give way to those of the last run.
    pub fn open(settings: Settings) -> Result<Installation, Vec<Diagnostic>> {
        let settings = Arc::new(settings);
        let rules = Arc::new(FolderRules::watch(Arc::clone(&settings))?);
        let (plan, runs) = (LatestPlan::none(), RunLog::default());
        Ok(Installation { settings, rules, plan, runs, clock: Clock::System })
    }

    /// An installation with other rules than those of a folder, at another time.
    pub fn with_parts(
        settings: Settings,
        rules: Arc<dyn RulesInForce>,
        clock: Clock,
    ) -> Installation {
        let (plan, runs) = (LatestPlan::none(), RunLog::default());
        Installation { settings: Arc::new(settings), rules, plan, runs, clock }
    }

    /// What became of the settings file since it was read.
    pub fn settings_change(&self) -> SettingsChange {
        self.settings.change()
    }

    pub fn ledger_path(&self) -> &Path {
        &self.settings.ledger.value
    }

    /// The facts of the sources out of the settings.
    pub fn sources(&self) -> Vec<SourceFacts> {
        self.settings.sources().map(sources::facts).collect()
    }

    /// In milliseconds since 1970-01-01.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn rules(&self) -> RulesView {
        let (generation_count, diagnostics) =
            (self.rules.generation_count(), self.rules.findings());
        match self.rules.current() {
            Ok(rules) => RulesView {
                generation: rules.generation().to_owned(),
                generation_count,
                rules: rules.facts().to_vec(),
                diagnostics,
            },
            Err(_) => RulesView { generation_count, diagnostics, ..RulesView::default() },
        }
    }

    /// The words that charges have.
    pub fn spelling(&self) -> Spelling<'_> {
        self.settings.spelling()
    }

    /// Makes rules of stored sources and tables, for costs that hang on single charges.
    pub fn stored_rules(
        &self,
        facts: &[RuleFacts],
        tables: &[(String, String)],
    ) -> Result<Box<dyn Rules>, Diagnostic> {
        self.rules.stored(facts, tables)
    }

    pub fn latest_plan(&self) -> &LatestPlan {
        &self.plan
    }

    /// The runs that this process made.
    pub fn runs(&self) -> &RunLog {
        &self.runs
    }

    /// Records that somebody approves the rules of a plan, with a note.
    pub fn approve(&self, plan: &Plan, by: &str, note: &str) -> Result<(), Diagnostic> {
        let text = file_text(plan);
        let promise = Promise::read(&text)?;
        approval::record(&self.settings, &plan.generation, by, note, Some((promise, text)))
    }

    /// Posts the changes of a plan with the rules in force.
    pub fn apply(&self, plan: &Plan) -> Result<RunReport, Diagnostic> {
        let promise = Promise::read(&file_text(plan))?;
        let report = apply::post(&self.settings, &*self.rules.current()?, &promise, &mut |_| {})?;
        run_log::log("plan over HTTP", &report);
        Ok(report)
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(crate) fn rules_in_force(&self) -> &Arc<dyn RulesInForce> {
        &self.rules
    }
}
