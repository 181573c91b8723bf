//! `run`: collect, allocate, post.

use crate::args::{Format, GlobalArgs, PeriodArgs};
use crate::code;
use crate::command::changes;
use crate::error::Failure;
use crate::log;
use crate::query;
use crate::signals::StopWatch;
use crate::ui::{Ui, document_text};
use domain::charge::RejectedRow;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Period;
use domain::port::Rules;
use domain::run::RunState;
use domain::visible::visible;
use indicatif::ProgressBar;
use installation::amount_text::counted;
use installation::ledger_file;
use installation::plan::sources_read_otherwise;
use installation::rules;
use installation::run::RunInput;
use installation::run_log;
use installation::settings::{Need, Settings};
use installation::sources;
use pipeline::progress::Progress;
use pipeline::report::{Conservation, RunReport, SourceReport};
use pipeline::run::document::{REJECTED_SHOWN, RunReportDocument};
use pipeline::source::Source;
use pipeline::usage::MetricReport;
use rule_engine::options::UnknownTeams;
use rule_engine::set::RuleSet;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a stop before the commit means.
pub const ROLLED_BACK: &str =
    "stopped: the run is rolled back, and nothing of it is posted; the next run does all of it";

#[derive(clap::Args, Debug)]
pub struct RunArgs {
    /// Collect nothing: allocate the stored charges with the rules as they are now
    #[arg(long)]
    pub stored: bool,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// Write what the plugins ask over HTTP and are answered to this folder, to be played by
    /// `plugin replay`
    #[arg(long, value_name = "DIR", conflicts_with = "stored")]
    pub record: Option<PathBuf>,
    /// Exit with 0 although rows or sources are missing
    #[arg(long)]
    pub allow_incomplete: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn run(ui: Ui, global: &GlobalArgs, args: &RunArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    let period = query::period(&args.period)?;
    if args.stored && period.is_some() {
        return Err(Diagnostic::new(
            code::USAGE,
            "--stored allocates all that is stored: it cannot be narrowed by --from and --to",
        )
        .hint(Hint::command("run --stored"))
        .into());
    }
    let rules = rules_in_use(ui, &settings)?;
    let watch = StopWatch::start(ROLLED_BACK);
    let input = if args.stored {
        RunInput::Nothing
    } else {
        let sources = opened(ui, &settings, period, args.record.as_deref())?;
        RunInput::Sources { sources, wait: &std::thread::sleep }
    };
    let report = post(ui, &settings, &rules, input, Some(&watch))?;
    show(ui, &report, args.format)?;
    if args.stored {
        note_unread_settings(ui, &settings, &rules)?;
    }
    warn_of_unknown_teams(ui, &settings, &rules)?;
    verdict(ui, &report, args.allow_incomplete)
}

/// The rules to plan or to post with. Failing cases are told where the settings let them be.
pub fn rules_in_use(ui: Ui, settings: &Settings) -> Result<RuleSet, Vec<Diagnostic>> {
    let intake = rules::in_use(settings)?;
    intake.warnings.iter().for_each(|warning| ui.warning(warning));
    Ok(intake.set)
}

/// Tells which settings stored charges do not have yet, because a run reads them with the bills.
fn note_unread_settings(ui: Ui, settings: &Settings, rules: &RuleSet) -> Result<(), Diagnostic> {
    let outdated = sources_read_otherwise(settings, rules, &ledger_file::reader(settings)?)?;
    let changed = outdated.iter().filter(|(_, changes)| changes.names().next().is_some());
    let (sources, changes): (BTreeSet<&str>, Vec<_>) =
        changed.map(|(source, changes)| (source.name.as_str(), changes)).unzip();
    let sections: BTreeSet<&str> =
        changes.into_iter().flat_map(|changes| changes.names().map(String::as_str)).collect();
    if sections.is_empty() {
        return Ok(());
    }
    let listed = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    ui.note(&format!(
        "the charges of {} were read with other settings than now: {}; `apportion run` reads their \
         bills anew",
        listed(sources),
        listed(sections)
    ));
    Ok(())
}

/// Opens the sources. Listing the objects of stores may take a while.
fn opened(
    ui: Ui,
    settings: &Settings,
    period: Option<Period>,
    record: Option<&Path>,
) -> Result<Vec<Source>, Vec<Diagnostic>> {
    let bar = ui.progress();
    bar.set_message(format!(
        "opening {}",
        counted(settings.sources().count() as u64, "source", "sources")
    ));
    let sources = sources::all(settings, period, record);
    bar.finish_and_clear();
    sources
}

/// Fails the command, or warns, if rows or sources are missing from the run.
pub fn verdict(ui: Ui, report: &RunReport, allow_incomplete: bool) -> Result<(), Failure> {
    match (report.state, allow_incomplete) {
        (RunState::Complete, _) => Ok(()),
        (_, true) => {
            ui.warning(&incomplete(report));
            Ok(())
        }
        (_, false) => Err(incomplete(report).into()),
    }
}

/// One run into the settings' ledger, with a bar on terminals.
pub fn post(
    ui: Ui,
    settings: &Settings,
    rules: &dyn Rules,
    input: RunInput<'_>,
    watch: Option<&StopWatch>,
) -> Result<RunReport, Diagnostic> {
    let bar = ui.progress();
    let report = installation::run::post(settings, rules, input, &mut |step| {
        advance_to_commit(&bar, watch, step);
    });
    bar.finish_and_clear();
    report
}

/// Teams with costs that the table of teams does not have.
pub fn warn_of_unknown_teams(
    ui: Ui,
    settings: &Settings,
    rules: &RuleSet,
) -> Result<(), Diagnostic> {
    if settings.unknown_teams.value != UnknownTeams::Warn {
        return Ok(());
    }
    let ledger = ledger_file::reader(settings)?;
    for team in reports::costs::read::teams(&ledger)?.iter().filter(|team| !rules.lists_team(team))
    {
        let message = format!("the team '{team}' bears costs and is not in tables/teams.csv");
        let see = Hint::command(format!("explain {team}"));
        let hint = match rules.team_close_to(team) {
            Some(close) => Hint::text(format!("did you mean '{close}'? see "))
                .then(see)
                .then("; a misspelled tag is mended in [tags.team]: ")
                .then(Hint::setting(format!("values = {{ {team:?} = {close:?} }}"))),
            None => Hint::text(format!("add the line `{team},…` to tables/teams.csv, or see "))
                .then(see),
        };
        ui.warning(&Diagnostic::new(rule_engine::code::RULE_TEAM, message).hint(hint));
    }
    Ok(())
}

/// Shows a step of a run that posts. Once it commits, a stop comes too late.
pub fn advance_to_commit(bar: &ProgressBar, watch: Option<&StopWatch>, step: Progress) {
    match (&step, watch) {
        (Progress::Posting, Some(watch)) => watch.commits(),
        (Progress::Posted, Some(watch)) => watch.committed(),
        _ => {}
    }
    advance(bar, step);
}

pub fn advance(bar: &ProgressBar, step: Progress) {
    match step {
        Progress::Source { name, bytes, bytes_total } => {
            bar.set_length(bytes_total);
            bar.set_position(bytes);
            bar.set_message(format!("collecting {name}"));
        }
        Progress::Collected { name, charges, set_aside } => {
            let aside =
                if set_aside > 0 { format!(", {set_aside} set aside") } else { String::new() };
            bar.println(format!("collected {name}: {charges} charges{aside}"));
        }
        Progress::TakenBack { name, bill, days } => bar.println(format!(
            "{name}: {} taken back, which {bill} has billed",
            counted(days, "estimated day", "estimated days")
        )),
        Progress::Rules { resources } => {
            bar.set_message(format!("deciding for {resources} resources"))
        }
        Progress::Days { done, total } => {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message("allocating days");
        }
        Progress::Posting => bar.set_message("posting"),
        Progress::Posted => bar.set_message("posted"),
    }
}

/// Prints the summary to stdout, and failures to stderr.
pub fn show(ui: Ui, report: &RunReport, format: Format) -> Result<(), Diagnostic> {
    if log::form().is_json {
        // The log is read by a machine, which does not look at the summary.
        run_log::log("command line", report);
    } else {
        for source in &report.sources {
            source.warnings.iter().chain(&source.failure).for_each(|finding| ui.warning(finding));
        }
    }
    match format {
        Format::Json => ui.data(&document_text(&RunReportDocument::from(report))),
        Format::Text if ui.is_quiet() => Ok(()),
        Format::Text => ui.data(&text_of(report)),
    }
}

pub fn incomplete(report: &RunReport) -> Diagnostic {
    let failed = report.sources.iter().filter(|source| source.failure.is_some()).count();
    let set_aside: u64 = report.sources.iter().map(|source| source.set_aside).sum();
    let mut missing = Vec::new();
    if set_aside > 0 {
        missing.push(format!("{} set aside", counted(set_aside, "row was", "rows were")));
    }
    if failed > 0 {
        missing.push(format!("{} failed", counted(failed as u64, "source", "sources")));
    }
    if !report.suspense.is_empty() {
        missing.push("rules failed on charges, which are in suspense".into());
    }
    if !report.unresolved.is_empty() {
        missing.push("costs could not be passed on, and stay where they are".into());
    }
    Diagnostic::new(
        code::RUN_INCOMPLETE,
        format!("run {} posted, but is incomplete: {}", report.run.0, missing.join("; ")),
    )
    .hint(
        Hint::text("mend what is named above and run again, or accept it with ")
            .then(Hint::command("run --allow-incomplete")),
    )
}

fn text_of(report: &RunReport) -> String {
    let mut lines = vec![format!("run {}: {}", report.run.0, report.state.name())];
    for source in &report.sources {
        lines.extend(source_lines(source));
    }
    lines.push(format!(
        "allocated {}: {} posted, {} reversed, {} unchanged; {}, {}",
        counted(report.days, "day", "days"),
        counted(report.entries_posted, "entry", "entries"),
        report.entries_reversed,
        report.entries_unchanged,
        counted(report.resources, "resource", "resources"),
        counted(report.rule_calls, "rule call", "rule calls")
    ));
    lines.extend(report.suspense.iter().map(|diagnostic| format!("suspense: {diagnostic}")));
    lines.extend(report.unresolved.iter().map(|diagnostic| format!("not passed on: {diagnostic}")));
    let rejected = report.sources.iter().flat_map(|source| &source.rejected);
    lines.extend(rejected.take(REJECTED_SHOWN).map(rejected_line));
    lines.extend(conservation_lines(&report.conservation, Period::all()));
    lines.push(String::new());
    visible(&lines.join("\n")).into_owned()
}

fn source_lines(source: &SourceReport) -> Vec<String> {
    if let Some(failure) = &source.failure {
        let tries =
            if source.tries > 1 { format!(" {} times", source.tries) } else { String::new() };
        return vec![format!(
            "  {}: failed{tries} with {}; nothing of it was posted in this run",
            source.name, failure.code
        )];
    }
    let line = |what: String, [new, changed, unchanged]: [u64; 3]| {
        let (new, plugin) = (counted(new, "day", "days"), &source.plugin);
        let SourceReport { name, set_aside, .. } = source;
        format!(
            "  {name}: {what}, {set_aside} set aside; {new} new, {changed} changed, {unchanged} \
                unchanged ({} {})",
            plugin.name, plugin.version
        )
    };
    let (mut lines, usage) = (Vec::new(), &source.usage);
    let usage_days = [usage.days_new, usage.days_changed, usage.days_unchanged];
    let is_of_usage = usage.rows > 0 || usage_days != [0; 3];
    if source.charges > 0 || !is_of_usage {
        let what = counted(source.charges, "charge", "charges");
        lines.push(line(what, [source.days_new, source.days_changed, source.days_unchanged]));
        lines.extend(source.totals.iter().map(|(currency, billed, effective)| {
            format!("    {currency} billed {billed}, effective {effective}")
        }));
    }
    if is_of_usage {
        lines.push(line(counted(usage.rows, "row of usage", "rows of usage"), usage_days));
        lines.extend(usage.metrics.iter().map(|MetricReport { metric, unit, days, total }| {
            let quantity = format!("{total} {unit}");
            format!("    {metric} {} in {}", quantity.trim_end(), counted(*days, "day", "days"))
        }));
    }
    if let Some(period) = source.period {
        lines.push(format!("    asked for {}", query::shown(period)));
    }
    if source.outside_period > 0 {
        let rows = counted(source.outside_period, "row", "rows");
        lines.push(format!("    {rows} of other days left out"));
    }
    let left_out = changes::left_out(&source.deliveries);
    lines.extend(left_out.iter().map(|names| format!("    left out: {names}")));
    lines.extend(changes::of_standing_days(source).iter().map(|line| format!("    {line}")));
    let unknown = source
        .unknown
        .iter()
        .map(|days| format!("    {} unknown: {}", query::shown(days.period), days.reason));
    lines.extend(unknown.take(REJECTED_SHOWN));
    if source.without_state {
        lines.push(
            "    its plugin refused the state of its last collection, and was given none".into(),
        );
    }
    lines.extend(changes::of_estimates(source).map(|line| format!("    {line}")));
    lines
}

/// The code first, then the place: the reason of a row that the host set aside begins with its
/// code.
pub fn rejected_line(rejected: &RejectedRow) -> String {
    let of_rows = [
        domain::code::ROW_REJECTED,
        decode::code::ROW_RAGGED,
        decode::code::ROW_QUOTE,
        decode::code::ROW_ENCODING,
    ];
    let (code, reason) = match rejected.reason.split_once(": ") {
        Some((code, reason)) if of_rows.iter().any(|known| known.text() == code) => (code, reason),
        _ => (domain::code::ROW_REJECTED.text(), rejected.reason.as_str()),
    };
    format!("{code}: {}: {reason}", rejected.location)
}

/// The charged sums, and the accounts where they stand: of the whole ledger, or of a period.
pub fn conservation_lines(lines: &[Conservation], period: Period) -> Vec<String> {
    let days = match period == Period::all() {
        true => String::new(),
        false => format!(" of the charges of {}", query::shown(period)),
    };
    let line = |line: &Conservation| {
        format!(
            "conservation{days}: {} charged {} = teams {} + pools {} + excluded {} + unallocated \
                {} + suspense {} + rounding {}, difference {}",
            line.currency,
            line.charged,
            line.teams,
            line.pools,
            line.excluded,
            line.unallocated,
            line.suspense,
            line.rounding,
            line.difference
        )
    };
    lines.iter().map(line).collect()
}
