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
use ledger::{Ledger, Reader};
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
    let (read_anew, uncollected) = outdated(settings, rules, scratch, scope)?;
    let mut run = run::stored(settings, rules, &allocators);
    collect(settings, &read_anew, &mut run)?;
    let options = PlanOptions {
        run,
        uncollected,
        rules_of: &rules_of,
        period: scope.period,
        as_of: scope.as_of,
    };
    pipeline::plan::plan(scratch, options, progress)
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

/// The sources whose charges were collected with other settings. Those with files can be read
/// again. Of the others stands here why they are not.
fn outdated<'a>(
    settings: &'a Settings,
    rules: &dyn Rules,
    ledger: &Reader,
    scope: PlanScope,
) -> Result<(Vec<&'a SourceSettings>, Vec<String>), Diagnostic> {
    let (mut read_anew, mut uncollected) = (Vec::new(), Vec::new());
    for source in settings.sources() {
        let name = &source.name;
        let now = of_source(rules.settings(), name);
        let before = match ledger.last_collected_by(name)? {
            Some(generation) => of_source(ledger.settings(generation)?, name),
            None => Vec::new(),
        };
        let header = source_header(name);
        if now == before {
            continue;
        } else if scope.as_of.is_some() {
            uncollected.push(format!(
                "{header}: its settings differ, and a plan as of a day reads no files"
            ));
        } else if source.paths.value.is_empty() {
            uncollected.push(format!(
                "{header}: its settings differ, and it has no files that a plan could read; a run \
                 collects it and may move more than this plan shows"
            ));
        } else {
            read_anew.push(source);
        }
    }
    Ok((read_anew, uncollected))
}

fn of_source(mut texts: Vec<(String, String)>, source: &str) -> Vec<(String, String)> {
    texts.retain(|(section, _)| is_read_by(section, source));
    texts.sort();
    texts
}
