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
use domain::port::{Batch, NoAllocators, PluginIdentity};
use ledger::Ledger;
use pipeline::progress::Progress;
use pipeline::report::SourceReport;
use pipeline::source::Source;
use reports::survey::read::{ChargeSurvey, surveys};
use witness::{Finds, Witness};

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
    /// The findings of its plugin's own check, without the failure below.
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
        let mut of_source = SourceSurvey::checked(&source, depth);
        if of_source.depth != Depth::Nothing {
            let (witness, finds) = Witness::of(source.collector, settings.dimensions.value.clone());
            source.collector = Box::new(witness);
            witnessed.push((survey.sources.len(), finds));
            if depth == Depth::Headers {
                of_source.look(&source);
            } else {
                read.push(source);
            }
        }
        survey.sources.push(of_source);
    }
    if !read.is_empty() {
        survey.refusal = collect(settings, read, &mut survey.sources, progress)?;
    }
    for (place, finds) in witnessed {
        if let Some(of_source) = survey.sources.get_mut(place) {
            of_source.finds = finds.take();
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
            source.end(report.failure.clone());
            source.report = Some(report);
        }
    }
    Ok(None)
}

impl SourceSurvey {
    /// Lets the plugin check the source by itself.
    fn checked(source: &Source, depth: Depth) -> SourceSurvey {
        // A source without paths has a window of days, for which it asks a service.
        let depth = if source.window.is_some() { Depth::Nothing } else { depth };
        let (findings, failure) = match source.collector.check(&source.request) {
            Ok(findings) => (findings, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        SourceSurvey {
            name: source.name.clone(),
            plugin: source.collector.identity().clone(),
            tables: source.request.tables.len(),
            depth,
            findings,
            failure,
            finds: Finds::default(),
            report: None,
            charges: ChargeSurvey::default(),
        }
    }

    /// Lets the plugin name its deliveries and describe its tables. No row of a table is read.
    fn look(&mut self, source: &Source) {
        let looked = source.collector.collect(&source.request, &mut |_: Batch| Ok(()));
        self.end(looked.err());
    }

    /// Ends with the collection's failure, or with none. What the check said in the same words is
    /// left out; it may have another code.
    fn end(&mut self, failure: Option<Diagnostic>) {
        self.findings.extend(std::mem::replace(&mut self.failure, failure));
        let said = self.failure.as_ref().map(|failure| failure.message.as_str());
        self.findings.retain(|finding| Some(finding.message.as_str()) != said);
    }

    /// The rows that would be set aside.
    pub fn set_aside(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.set_aside)
    }
}
