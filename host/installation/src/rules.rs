//! The rules that the settings name, and those that the ledger has stored.

use crate::ledger_file;
use crate::money_settings::money_settings;
use crate::notice;
use crate::settings::Settings;
use crate::settings::setting::Setting;
use crate::sources;
use domain::charge::KeptDetails;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::port::{RuleFacts, Rules};
use rule_engine::digest;
use rule_engine::intake::{self, Intake};
use rule_engine::options::{RuleLimits, RuleOptions};
use rule_engine::reload::LiveRules;
use rule_engine::set::RuleSet;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// How the rules of an installation are compiled.
pub fn rule_options(settings: &Settings) -> RuleOptions {
    let limits = RuleLimits {
        operations: settings.limits.rule_operations.value.get(),
        ..RuleLimits::default()
    };
    let digest = |(name, path): (&String, &Setting<PathBuf>)| {
        let bytes = fs::read(&path.value);
        (name.clone(), bytes.map_or_else(|_| Vec::new(), |bytes| digest::of_bytes(&bytes)))
    };
    let allocators: BTreeMap<String, Vec<u8>> = settings.allocators.iter().map(digest).collect();
    RuleOptions {
        dimensions: settings.dimensions.value.clone(),
        details: kept_of_any_source(settings),
        limits,
        settings: money_settings(settings, &allocators),
        allocators,
        unknown_teams: settings.unknown_teams.value,
        failing_cases: settings.failing_cases.value,
        tags: settings.tag_schema.clone(),
        ..RuleOptions::default()
    }
}

fn kept_of_any_source(settings: &Settings) -> KeptDetails {
    let of_sources = settings.sources().map(|source| sources::kept(settings, source));
    of_sources.reduce(KeptDetails::or).unwrap_or(settings.details.value)
}

/// Compiles the rules of the folder.
pub fn load(settings: &Settings) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::load(&settings.rules.value, &rule_options(settings))
}

/// The rules of the folder, to plan or to post with: their cases pass, or the settings let them be
/// used all the same.
pub fn in_use(settings: &Settings) -> Result<Intake, Vec<Diagnostic>> {
    intake::load(&settings.rules.value, &rule_options(settings))
}

/// A set without any rule. It keeps the dimensions of the settings.
pub fn none(settings: &Settings) -> Result<RuleSet, Diagnostic> {
    let options = RuleOptions {
        dimensions: settings.dimensions.value.clone(),
        tags: settings.tag_schema.clone(),
        ..RuleOptions::default()
    };
    RuleSet::from_sources(&[], &[], &options).map_err(first)
}

/// Compiles stored rules again, so that old decisions can be looked into; memos and limits are
/// those of the settings. Stored charges say what was kept in their time, so stored rules read any
/// detail.
pub fn stored(
    settings: &Settings,
    facts: &[RuleFacts],
    tables: &[(String, String)],
) -> Result<Box<dyn Rules>, Diagnostic> {
    let texts: Vec<(String, String)> =
        facts.iter().map(|rule| (rule.version.rule.clone(), rule.source.clone())).collect();
    let options = RuleOptions { details: KeptDetails::ALL, ..rule_options(settings) };
    match RuleSet::from_sources(&texts, tables, &options) {
        Ok(rules) => Ok(Box::new(rules)),
        Err(findings) => Err(first(findings)),
    }
}

fn first(findings: Vec<Diagnostic>) -> Diagnostic {
    findings
        .into_iter()
        .next()
        .unwrap_or_else(|| Diagnostic::new(code::INTERNAL, "rules were refused without a reason"))
}

/// The rules that a process goes by, for as long as it runs.
pub trait RulesInForce: Send + Sync {
    /// The newest rules that could be taken, or the reason why there are none.
    fn current(&self) -> Result<Arc<dyn Rules>, Diagnostic>;
    /// How many sets of rules were taken since the start.
    fn generation_count(&self) -> u64;
    /// Why the last save was not taken; empty where it was.
    fn findings(&self) -> Vec<Diagnostic>;
    /// Warnings about the rules in force. They stop nothing.
    fn warnings(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
    /// Makes rules of sources and tables that the ledger has stored.
    fn stored(
        &self,
        facts: &[RuleFacts],
        tables: &[(String, String)],
    ) -> Result<Box<dyn Rules>, Diagnostic>;
}

/// The rules of a folder, taken again at every save.
pub struct FolderRules {
    live: LiveRules,
    settings: Arc<Settings>,
    /// Whether the folder was broken at the start, and the ledger had no set that still compiles.
    began_without: bool,
}

impl FolderRules {
    /// Loads the folder and watches it. While its rules are broken, those of the last run that
    /// posted are in force. Before the first run the rules must be good.
    pub fn watch(settings: Arc<Settings>) -> Result<FolderRules, Vec<Diagnostic>> {
        let mut began_without = false;
        let last_good = || match last_posted(&settings)? {
            Ok(set) => Some(set),
            Err(finding) => {
                notice::warn(&finding);
                began_without = true;
                none(&settings).ok()
            }
        };
        let live = LiveRules::start(&settings.rules.value, rule_options(&settings), last_good)?;
        Ok(FolderRules { live, settings, began_without })
    }
}

/// The rules of the last run that posted, out of the ledger. `None` if there is no such run.
fn last_posted(settings: &Settings) -> Option<Result<RuleSet, Diagnostic>> {
    // A ledger that cannot be read is told by every answer of the server.
    let ledger = ledger_file::reader(settings).ok()?;
    let posted = ledger.last_posted_run().ok()??;
    let texts = ledger.rules(posted.generation).and_then(|facts| {
        let rules: Vec<(String, String)> =
            facts.into_iter().map(|rule| (rule.version.rule, rule.source)).collect();
        Ok((rules, ledger.tables(posted.generation)?))
    });
    Some(texts.and_then(|(rules, tables)| {
        RuleSet::from_sources(&rules, &tables, &rule_options(settings)).map_err(first)
    }))
}

impl RulesInForce for FolderRules {
    fn current(&self) -> Result<Arc<dyn Rules>, Diagnostic> {
        if self.began_without && self.live.generation_count() == 1 {
            return Err(first(self.live.diagnostics()));
        }
        Ok(self.live.current())
    }

    fn generation_count(&self) -> u64 {
        self.live.generation_count()
    }

    fn findings(&self) -> Vec<Diagnostic> {
        self.live.diagnostics()
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        self.live.warnings()
    }

    fn stored(
        &self,
        facts: &[RuleFacts],
        tables: &[(String, String)],
    ) -> Result<Box<dyn Rules>, Diagnostic> {
        stored(&self.settings, facts, tables)
    }
}
