//! Makes a plan on a scratch copy of the ledger.

use crate::money_settings::{is_read_by, source_header};
use crate::plugins;
use crate::rules::stored;
use crate::run;
use crate::settings::Settings;
use crate::settings::source::SourceSettings;
use crate::sources;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::{RuleFacts, Rules};
use ledger::backup::on_scratch;
use ledger::{Ledger, Reader};
use pipeline::history::Changes;
use pipeline::plan::{Plan, PlanOptions};
use pipeline::progress::Progress;
use pipeline::run::RunOptions;

/// The charges that a plan goes by.
#[derive(Clone, Copy)]
pub struct PlanScope {
    pub period: Period,
    pub as_of: Option<Day>,
}

/// Makes a plan on a scratch copy, which is changed by it.
pub fn make(
    settings: &Settings,
    rules: &dyn Rules,
    scratch: &mut Ledger,
    scope: PlanScope,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Diagnostic> {
    let allocators = plugins::allocators(settings)?;
    let rules_of = |facts: &[RuleFacts],
                    tables: &[(String, String)]|
     -> Result<Box<dyn Rules>, Diagnostic> { stored(settings, facts, tables) };
    let StaleSources { read_anew, uncollected, changes } =
        stale_sources(settings, rules, scratch, scope)?;
    let mut run = run::stored(settings, rules, &allocators);
    collect(settings, &read_anew, &mut run)?;
    let options = PlanOptions {
        run,
        uncollected,
        rules_of: &rules_of,
        period: scope.period,
        as_of: scope.as_of,
    };
    // A copy that stays is a ledger with a place of its own.
    let keeps = scratch.path().is_some();
    let planned = pipeline::plan::plan(scratch, options, progress).map(|mut plan| {
        plan.changes.merge(changes);
        plan
    });
    if keeps { planned } else { planned.map_err(on_scratch) }
}

/// Lets a run collect these sources too.
pub fn collect(
    settings: &Settings,
    sources: &[&SourceSettings],
    run: &mut RunOptions<'_>,
) -> Result<(), Diagnostic> {
    if !sources.is_empty() {
        run.collect = true;
        run.sources = sources::or_failures(settings, &plugins::host(Some(settings))?, sources);
    }
    Ok(())
}

/// The sources whose charges were collected with other settings.
#[derive(Default)]
struct StaleSources<'a> {
    /// Those with files can be read again.
    read_anew: Vec<&'a SourceSettings>,
    /// Why the others are not.
    uncollected: Vec<String>,
    /// The settings that differ. The ledger may stand by them already: a run over stored charges
    /// reads no bills.
    changes: Changes,
}

fn stale_sources<'a>(
    settings: &'a Settings,
    rules: &dyn Rules,
    ledger: &Reader,
    scope: PlanScope,
) -> Result<StaleSources<'a>, Diagnostic> {
    let mut stale = StaleSources::default();
    for (source, changes) in sources_read_otherwise(settings, rules, ledger)? {
        stale.changes.merge(changes);
        let header = source_header(&source.name);
        if scope.as_of.is_some() {
            stale.uncollected.push(format!(
                "{header}: its settings differ, and a plan as of a day reads no files"
            ));
        } else if source.paths.value.is_empty() {
            stale.uncollected.push(format!(
                "{header}: its settings differ, and it has no files that a plan could read; a run \
                 collects it and may move more than this plan shows"
            ));
        } else {
            stale.read_anew.push(source);
        }
    }
    Ok(stale)
}

/// The sources whose charges were collected with other settings, each with the sections that
/// differ.
pub fn sources_read_otherwise<'a>(
    settings: &'a Settings,
    rules: &dyn Rules,
    ledger: &Reader,
) -> Result<Vec<(&'a SourceSettings, Changes)>, Diagnostic> {
    let mut found = Vec::new();
    for source in settings.sources() {
        let name = &source.name;
        let now = of_source(rules.settings(), name);
        let before = match ledger.last_collected_by(name)? {
            Some(generation) => of_source(ledger.settings(generation)?, name),
            None => Vec::new(),
        };
        if now != before {
            found.push((source, Changes::of_settings(&before, &now)));
        }
    }
    Ok(found)
}

fn of_source(mut texts: Vec<(String, String)>, source: &str) -> Vec<(String, String)> {
    texts.retain(|(section, _)| is_read_by(section, source));
    texts.sort();
    texts
}
