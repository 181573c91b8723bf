//! A survey of sources: all that a run would count of them.
//!
//! The sources are collected into a ledger in memory, with no rules. So a survey says beforehand
//! what a run would say: the same failures, and the same rows set aside. The ledger of the settings
//! is read, to say what a run would restate and take back there. Nothing is written. A source
//! that asks a service is not collected: its answers are those of the day, and can cost money.

pub mod document;
mod witness;

use crate::ledger_file;
use crate::rules;
use crate::run;
use crate::settings::Settings;
use domain::diagnostic::Diagnostic;
use domain::port::{Batch, CollectRequest, Collector, NoAllocators, PluginIdentity};
use ledger::{Ledger, Reader};
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

/// Whether a source was compared with the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Made,
    /// The ledger could not be read.
    Failed,
    /// There is no ledger, or nothing was collected.
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
    pub comparison: Comparison,
    pub charges: ChargeSurvey,
}

/// The survey of all sources together.
pub struct Survey {
    pub sources: Vec<SourceSurvey>,
    /// Why a run over these sources would post nothing at all.
    pub refusal: Option<Diagnostic>,
    /// Why nothing was compared with the ledger, although there is one.
    pub unread_ledger: Option<Diagnostic>,
}

/// Surveys sources, of the days that they were opened for.
pub fn survey(
    settings: &Settings,
    sources: Vec<Source>,
    depth: Depth,
    progress: &mut dyn FnMut(Progress),
) -> Result<Survey, Diagnostic> {
    let mut survey = Survey { sources: Vec::new(), refusal: None, unread_ledger: None };
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
        collect(settings, read, &mut survey, progress)?;
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

/// Collects sources into a ledger in memory, and compares them with the ledger of the settings.
fn collect(
    settings: &Settings,
    sources: Vec<Source>,
    survey: &mut Survey,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Diagnostic> {
    let rules = rules::none(settings)?;
    let mut options = run::stored(settings, &rules, &NoAllocators);
    (options.collect, options.sources) = (true, sources);
    let standing = standing(settings).unwrap_or_else(|fault| {
        survey.unread_ledger = Some(unread(fault));
        None
    });
    let mut ledger = Ledger::in_memory()?;
    let rehearsal = match pipeline::run::rehearse(&mut ledger, standing.as_ref(), options, progress)
    {
        Ok(rehearsal) => rehearsal,
        Err(refusal) => {
            survey.refusal = Some(refusal);
            return Ok(());
        }
    };
    if let Some(fault) = rehearsal.fault {
        survey.unread_ledger = Some(unread(fault));
    }
    let comparison = match (&survey.unread_ledger, standing) {
        (Some(_), _) => Comparison::Failed,
        (None, Some(_)) => Comparison::Made,
        (None, None) => Comparison::Nothing,
    };
    let mut charges = surveys(&ledger)?;
    for report in rehearsal.report.sources {
        let mut surveyed = survey.sources.iter_mut();
        if let Some(source) = surveyed.find(|source| source.name == report.name) {
            source.charges = charges.remove(&report.name).unwrap_or_default();
            source.failure.clone_from(&report.failure);
            source.comparison = comparison;
            source.report = Some(report);
        }
    }
    Ok(())
}

/// The ledger of the settings as it stands now, if there is one.
fn standing(settings: &Settings) -> Result<Option<Reader>, Diagnostic> {
    match ledger_file::reader(settings) {
        Ok(reader) => reader.hold().map(|()| Some(reader)),
        Err(fault) if fault.code == ledger::code::LEDGER_NOT_FOUND => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn unread(mut fault: Diagnostic) -> Diagnostic {
    fault.message =
        format!("the ledger was not read, and nothing is compared with it: {}", fault.message);
    fault
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
            comparison: Comparison::Nothing,
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
