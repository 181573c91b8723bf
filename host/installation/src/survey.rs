//! A survey of sources: all that a run would count of them.
//!
//! The sources are collected into a ledger in memory, with no rules. So a survey says beforehand
//! what a run would say: the same failures, and the same rows set aside. Nothing is written. A
//! source that asks a service is not collected: its answers are those of the day, and can cost
//! money.

pub mod document;
mod witness;

use crate::rules;
use crate::run;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::port::{Batch, CollectRequest, Collector, NoAllocators, PluginIdentity};
use ledger::Ledger;
use pipeline::progress::Progress;
use pipeline::report::SourceReport;
use pipeline::source::Source;
use reports::survey::read::{ChargeSurvey, surveys};
use std::sync::Arc;
use witness::{Finds, Kept, Witness};

/// How far the tables are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every row.
    Rows,
    /// Names and headers, as the plugin looks at them.
    Headers,
    /// Not at all: the source asks a service.
    Nothing,
}

/// One source, as a run would collect it.
pub struct SourceSurvey {
    pub name: String,
    pub plugin: PluginIdentity,
    /// The tables that its plugin is given.
    pub tables: usize,
    pub depth: Depth,
    /// The findings of its plugin's own check, if it failed or is not collected.
    pub findings: Vec<Diagnostic>,
    /// Why it would fail in a run.
    pub failure: Option<Diagnostic>,
    pub finds: Finds,
    /// What the run in memory counted. Nothing where no row was read.
    pub report: Option<SourceReport>,
    pub charges: ChargeSurvey,
}

/// The survey of all sources together.
pub struct Survey {
    pub sources: Vec<SourceSurvey>,
    /// Why a run over these sources would post nothing at all.
    pub refusal: Option<Diagnostic>,
}

/// Surveys sources that were opened without a period.
pub fn survey(
    settings: &Settings,
    sources: Vec<Source>,
    depth: Depth,
    progress: &mut dyn FnMut(Progress),
) -> Result<Survey, Diagnostic> {
    let mut survey = Survey { sources: Vec::new(), refusal: None };
    let (mut read, mut witnessed) = (Vec::new(), Vec::new());
    for mut source in sources {
        let mut of_source = SourceSurvey::new(&source, depth);
        let collector: Arc<dyn Collector> = Arc::from(source.collector);
        if of_source.depth == Depth::Nothing {
            of_source.check(&*collector, &source.request);
            survey.sources.push(of_source);
            continue;
        }
        let kept = Kept { dimensions: settings.dimensions.value.clone(), details: source.kept };
        let (witness, finds) = Witness::of(Arc::clone(&collector), kept);
        if depth == Depth::Headers {
            // Without a row, a plugin names its deliveries and describes its tables.
            let looked = witness.collect(&source.request, &mut |_: Batch| Ok(()));
            of_source.failure = looked.err();
        }
        witnessed.push((survey.sources.len(), collector, source.request.clone(), finds));
        survey.sources.push(of_source);
        source.collector = Box::new(witness);
        read.push(source);
    }
    if depth == Depth::Rows && !read.is_empty() {
        survey.refusal = collect(settings, read, &mut survey.sources, progress)?;
    }
    for (place, collector, request, finds) in witnessed {
        if let Some(of_source) = survey.sources.get_mut(place) {
            of_source.finds = finds.take();
            // A collection ends at its first fault. The check knows the others.
            if of_source.failure.is_some() {
                of_source.check(&*collector, &request);
            }
        }
    }
    Ok(survey)
}

/// Collects sources into a ledger in memory. Returns the reason if the run posts nothing.
fn collect(
    settings: &Settings,
    sources: Vec<Source>,
    surveyed: &mut [SourceSurvey],
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Diagnostic>, Diagnostic> {
    let rules = rules::none(settings)?;
    let mut dimensions = settings.dimensions.value.clone();
    // The survey is by charge category, whatever the settings keep.
    if !dimensions.contains(&Field::CHARGE_CATEGORY) {
        dimensions.push(Field::CHARGE_CATEGORY);
    }
    let mut options = run::stored(settings, &rules, &NoAllocators);
    (options.collect, options.sources, options.dimensions) = (true, sources, &dimensions);
    let mut ledger = Ledger::in_memory()?;
    let report = match pipeline::run::run(&mut ledger, options, progress) {
        Ok(report) => report,
        Err(refusal) => return Ok(Some(refusal)),
    };
    let mut charges = surveys(&ledger)?;
    for report in report.sources {
        if let Some(source) = surveyed.iter_mut().find(|source| source.name == report.name) {
            source.charges = charges.remove(&report.name).unwrap_or_default();
            source.failure.clone_from(&report.failure);
            source.report = Some(report);
        }
    }
    Ok(None)
}

impl SourceSurvey {
    fn new(source: &Source, depth: Depth) -> SourceSurvey {
        // A source without paths has a window of days, for which it asks a service.
        let depth = if source.window.is_some() { Depth::Nothing } else { depth };
        SourceSurvey {
            name: source.name.clone(),
            plugin: source.collector.identity().clone(),
            tables: source.request.tables.len(),
            depth,
            findings: Vec::new(),
            failure: None,
            finds: Finds::default(),
            report: None,
            charges: ChargeSurvey::default(),
        }
    }

    /// Adds what the plugin's own check finds. What a failed collection said in the same words is
    /// left out; it may have another code.
    fn check(&mut self, collector: &dyn Collector, request: &CollectRequest) {
        let found = match collector.check(request) {
            Ok(found) => found,
            Err(failure) => vec![failure],
        };
        let said = self.failure.as_ref().map(|failure| failure.message.as_str());
        let is_new = |finding: &Diagnostic| Some(finding.message.as_str()) != said;
        self.findings.extend(found.into_iter().filter(is_new));
    }

    /// The rows that would be charged. One that is too large for one charge becomes several.
    pub fn charge_count(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.charges)
    }

    /// The rows that would be set aside.
    pub fn set_aside(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.set_aside)
    }
}
