//! `source check`: the counts and findings of a run, source by source, before there is one.

use super::check_summary::summary;
use super::chosen::chosen;
use crate::args::{Format, PeriodArgs};
use crate::code;
use crate::command::changes::{self, shortened};
use crate::command::run;
use crate::error::Failure;
use crate::query;
use crate::ui::{Ui, document_text};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::Delivery;
use domain::visible::visible;
use installation::amount_text::counted;
use installation::plugins;
use installation::settings::Settings;
use installation::sources;
use installation::survey::document::SourceSurveyDocument;
use installation::survey::{self, Comparison, Depth, SourceSurvey, Survey};
use pipeline::progress::Progress;
use pipeline::report::SourceReport;
use pipeline::run::document::REJECTED_SHOWN;
use reports::survey::read::CategorySum;

/// Names that are shown of a long list.
const NAMES_SHOWN: usize = 20;

#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    /// One source only
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Read names and headers only, which is quick: no row is counted
    #[arg(long)]
    headers_only: bool,
    #[command(flatten)]
    period: PeriodArgs,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn check(ui: Ui, settings: &Settings, args: &CheckArgs) -> Result<(), Failure> {
    let (period, host) = (query::period(&args.period)?, plugins::host(Some(settings))?);
    let (mut opened, mut findings) = (Vec::new(), Vec::new());
    for source in chosen(settings, args.name.as_deref())? {
        match sources::one(settings, &host, source, period) {
            Ok(source) => opened.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    let depth = if args.headers_only { Depth::Headers } else { Depth::Rows };
    let bar = ui.progress();
    let survey = survey::survey(settings, opened, depth, &mut |step| {
        // Nothing is posted, so nothing is said of what comes after the rows.
        if matches!(step, Progress::Source { .. }) {
            run::advance(&bar, step);
        }
    });
    bar.finish_and_clear();
    let survey = survey?;
    show(ui, &survey, args.format)?;
    findings.extend(all_findings(ui, survey));
    if findings.is_empty() { Ok(()) } else { Err(findings.into()) }
}

fn show(ui: Ui, survey: &Survey, format: Format) -> Result<(), Diagnostic> {
    for source in survey.sources.iter().filter(|source| !source.plugin.version.is_empty()) {
        ui.note(&format!(
            "{}: {}, read by {} {}",
            source.name,
            counted(source.tables as u64, "file", "files"),
            source.plugin.name,
            source.plugin.version
        ));
    }
    match format {
        Format::Json => ui.data(&document_text(
            &survey.sources.iter().map(SourceSurveyDocument::from).collect::<Vec<_>>(),
        )),
        Format::Text if ui.is_quiet() => Ok(()),
        Format::Text => {
            let blocks = survey.sources.iter().map(text_of);
            let parts: Vec<String> = summary(ui, survey).into_iter().chain(blocks).collect();
            ui.data(&parts.join("\n"))
        }
    }
}

/// What is said of a source that was collected is a warning, as in the run. The last finding says
/// whether the run would be incomplete. A source that asks a service is only checked, so its
/// findings count.
fn all_findings(ui: Ui, survey: Survey) -> Vec<Diagnostic> {
    if let Some(fault) = &survey.unread_ledger {
        ui.warning(fault);
    }
    let incomplete = incomplete(&survey);
    let mut findings = Vec::new();
    for source in survey.sources {
        let warnings = source.report.into_iter().flat_map(|report| report.warnings);
        let told = warnings.chain(source.failure).chain(source.findings);
        if source.depth == Depth::Nothing {
            findings.extend(told);
        } else {
            told.for_each(|finding| ui.warning(&finding));
        }
    }
    findings.extend(survey.refusal);
    findings.extend(incomplete);
    findings
}

/// Says that a run would end incomplete, if it would.
fn incomplete(survey: &Survey) -> Option<Diagnostic> {
    let set_aside: u64 = survey.sources.iter().map(SourceSurvey::set_aside).sum();
    let fails = |source: &&SourceSurvey| source.failure.is_some() && source.depth != Depth::Nothing;
    let failed = survey.sources.iter().filter(fails).count() as u64;
    let mut missing = Vec::new();
    if set_aside > 0 {
        missing.push(format!("{} would be set aside", counted(set_aside, "row", "rows")));
    }
    if failed > 0 {
        missing.push(format!("{} would fail", counted(failed, "source", "sources")));
    }
    let message = format!("a run would be incomplete: {}", missing.join("; "));
    let hint = Hint::text("mend what is named above, or accept it with ")
        .then(Hint::command("run --allow-incomplete"));
    (!missing.is_empty()).then(|| Diagnostic::new(code::CHECK_INCOMPLETE, message).hint(hint))
}

fn text_of(survey: &SourceSurvey) -> String {
    let mut lines = Lines(vec![format!("{} ({})", survey.name, plugin(survey))]);
    if survey.depth == Depth::Nothing {
        lines.add("not collected", "it asks a service, and a check asks it for no costs");
        lines
            .add("", format!("`apportion source measure {}` does, and keeps nothing", survey.name));
        return lines.text();
    }
    lines.add("tables", survey.tables.to_string());
    delivery_lines(&mut lines, &survey.finds.deliveries);
    if survey.depth == Depth::Rows {
        row_lines(&mut lines, survey);
    }
    if let Some(failure) = &survey.failure {
        lines.add("fails with", format!("{}: {}", failure.code, failure.message));
    }
    let unused: Vec<&str> = survey.finds.unused_columns().collect();
    if !unused.is_empty() {
        lines.add("not used", shortened(&unused, NAMES_SHOWN));
    }
    lines.text()
}

fn plugin(survey: &SourceSurvey) -> String {
    format!("{} {}", survey.plugin.name, survey.plugin.version).trim_end().to_owned()
}

/// Deliveries that count have a line each.
fn delivery_lines(lines: &mut Lines, deliveries: &[Delivery]) {
    let counting: Vec<&Delivery> =
        deliveries.iter().filter(|delivery| delivery.left_out.is_none()).collect();
    for delivery in counting.iter().take(NAMES_SHOWN) {
        let of =
            delivery.billing_period.map_or(String::new(), |day| format!(", of {}", day.month()));
        lines.add("counts", format!("{}{of}", delivery.name));
    }
    if let Some(more) = counting.len().checked_sub(NAMES_SHOWN).filter(|more| *more > 0) {
        lines.add("", format!("and {more} more"));
    }
    for left_out in changes::left_out(deliveries) {
        lines.add("left out", left_out);
    }
}

fn row_lines(lines: &mut Lines, survey: &SourceSurvey) {
    let Some(report) = &survey.report else { return };
    if survey.failure.is_some() {
        return;
    }
    if let Some((first, last)) = survey.charges.days {
        let days = if first == last { first.to_string() } else { format!("{first} to {last}") };
        lines.add("days", days);
    }
    let charges = survey.charge_count();
    if charges > 0 || report.usage.rows == 0 {
        let resources = counted(survey.charges.resources, "resource", "resources");
        lines.add("charges", format!("{charges} of {resources}"));
    }
    lines.add("set aside", counted(report.set_aside, "row", "rows"));
    for rejected in report.rejected.iter().take(REJECTED_SHOWN) {
        lines.add("", run::rejected_line(rejected));
    }
    // A row that is too large for one charge is stored as several.
    let has_pieces = survey.charges.charges != charges;
    for sum in &survey.charges.sums {
        lines.add(&sum.month.to_string(), category_text(sum, has_pieces));
    }
    for (currency, billed, effective) in &report.totals {
        lines.add("total", format!("{currency} billed {billed}, effective {effective}"));
    }
    for metric in &report.usage.metrics {
        let quantity = format!("{} {}", metric.total, metric.unit);
        let days = counted(metric.days, "day", "days");
        lines.add("usage", format!("{} {} in {days}", metric.metric, quantity.trim_end()));
    }
    if let Some(estimates) = changes::of_estimates(report) {
        lines.add("estimates", estimates);
    }
    match survey.comparison {
        Comparison::Made => ledger_lines(lines, report),
        Comparison::Failed => lines.add("ledger", "not read"),
        Comparison::Nothing => {}
    }
    let tags: Vec<String> =
        survey.charges.tags.iter().map(|(key, count)| format!("{key} {count}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    if !tags.is_empty() {
        lines.add("tags", shortened(&tags, NAMES_SHOWN));
    }
}

/// The changes that a run would make in the ledger.
fn ledger_lines(lines: &mut Lines, report: &SourceReport) {
    let SourceReport { days_new, days_changed, days_unchanged, .. } = report;
    let new = counted(*days_new, "day", "days");
    lines.add("ledger", format!("{new} new, {days_changed} changed, {days_unchanged} unchanged"));
    for line in changes::of_standing_days(report) {
        lines.add("", line);
    }
}

fn category_text(sum: &CategorySum, has_pieces: bool) -> String {
    let category =
        if sum.charge_category.is_empty() { "no category" } else { &sum.charge_category };
    let CategorySum { currency, billed, effective, .. } = sum;
    let charges = match has_pieces {
        true => counted(sum.charges, "charge as stored", "charges as stored"),
        false => counted(sum.charges, "charge", "charges"),
    };
    format!("{category}, {charges}: {currency} billed {billed}, effective {effective}")
}

/// Lines below a source's name: the thing, and what is said of it.
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, thing: &str, text: impl AsRef<str>) {
        self.0.push(format!("  {thing:<13} {}", text.as_ref()));
    }

    fn text(mut self) -> String {
        self.0.push(String::new());
        visible(&self.0.join("\n")).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Sum;

    /// There are two rows, and one of them is stored as two charges. One line counts two charges
    /// and the other three, in words that tell them apart.
    #[test]
    fn charges_as_stored_are_told_from_rows() {
        let billed = Sum::from_nanos(9_500_000_000_500_000_000);
        let sum = CategorySum {
            month: "2026-03".parse().unwrap_or_else(|error| panic!("{error}")),
            charge_category: "Usage".into(),
            currency: "IDR".parse().unwrap_or_else(|error| panic!("{error}")),
            charges: 3,
            billed,
            effective: billed,
        };
        let amounts = "IDR billed 9500000000.500000000, effective 9500000000.500000000";
        assert_eq!(category_text(&sum, true), format!("Usage, 3 charges as stored: {amounts}"));
        assert_eq!(category_text(&sum, false), format!("Usage, 3 charges: {amounts}"));
    }
}
