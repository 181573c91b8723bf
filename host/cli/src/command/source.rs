//! `source`: whether sources can be collected, how they stand, how fast they are, and forgetting
//! what a collector had left for next time.

mod check;
mod check_summary;
mod chosen;
mod measure;
mod table;

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::{Ui, document_text};
use chosen::{chosen, named};
use domain::diagnostic::Diagnostic;
use domain::period::{Day, instant};
use domain::port::PluginIdentity;
use installation::amount_text::counted;
use installation::clock;
use installation::ledger_file;
use installation::settings::{Need, Settings};
use installation::sources;
use ledger::{Ledger, Reader};
use reports::coverage::document::SourceDocument;
use reports::coverage::read::{DayState, SourceStatus, status};
use std::path::PathBuf;

#[derive(clap::Subcommand, Debug)]
pub enum SourceCommand {
    /// Show the counts and findings of a run, for the sources that have paths; nothing is written
    Check(check::CheckArgs),
    /// Show how fresh the sources are, what failed, when they are due, and which days are missing
    Status {
        /// One source only, with its whole calendar
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// How the status is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Collect a source and keep nothing: how fast its plugin starts and hands over
    Measure {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
        /// How the figures are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Forget what a source's plugin left for its next collection
    Reset {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Write what a source says of things, such as accounts, as a lookup table of the rules
    Table {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
        /// The file to write; otherwise tables/NAME.csv in the folder of the rules
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Months of a calendar where all sources are shown.
const MONTHS_SHOWN: usize = 3;

pub fn source(ui: Ui, global: &GlobalArgs, command: &SourceCommand) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    match command {
        SourceCommand::Check(args) => check::check(ui, &settings, args),
        SourceCommand::Status { name, format } => {
            Ok(show(ui, &settings, name.as_deref(), *format)?)
        }
        SourceCommand::Measure { name, format } => {
            Ok(measure::measure(ui, &settings, name, *format)?)
        }
        SourceCommand::Reset { name } => Ok(reset(ui, &settings, name)?),
        SourceCommand::Table { name, out } => {
            Ok(table::table(ui, &settings, name, out.as_deref())?)
        }
    }
}

fn show(ui: Ui, settings: &Settings, name: Option<&str>, format: Format) -> Result<(), Diagnostic> {
    let opened;
    let empty;
    let ledger: &Reader = match ledger_file::reader(settings) {
        Ok(reader) => {
            opened = reader;
            &opened
        }
        // Before the first run every source was tried never.
        Err(finding) if finding.code == ledger::code::LEDGER_NOT_FOUND => {
            empty = Ledger::in_memory()?;
            &empty
        }
        Err(finding) => return Err(finding),
    };
    let now_ms = clock::now_ms();
    let facts = chosen(settings, name)?.into_iter().map(sources::facts);
    let all: Vec<SourceStatus> =
        facts.map(|facts| status(ledger, &facts, now_ms)).collect::<Result<_, _>>()?;
    match format {
        Format::Json => {
            ui.data(&document_text(&all.iter().map(SourceDocument::from).collect::<Vec<_>>()))
        }
        Format::Text => {
            let months = if name.is_some() { usize::MAX } else { MONTHS_SHOWN };
            let texts: Vec<String> =
                all.iter().map(|status| text_of(status, now_ms, months)).collect();
            ui.data(&ui.shown(&texts.join("\n")))
        }
    }
}

fn text_of(status: &SourceStatus, now_ms: i64, months: usize) -> String {
    let time = |at_ms: i64| format!("{} UTC", instant(at_ms)[..16].replace('T', " "));
    let plugin = status
        .plugin
        .as_ref()
        .map_or(String::new(), |plugin| format!(" ({})", named_version(plugin)));
    let mut lines = vec![format!("{}{plugin}", status.name)];
    let mut line = |what: &str, text: String| lines.push(format!("  {what:<13} {text}"));
    line(
        "last success",
        status
            .last_success
            .map_or("never".into(), |(run, at_ms)| format!("{}, run {}", time(at_ms), run.0)),
    );
    line("newest day", status.newest_day.map_or("none".into(), |day| day.to_string()));
    if let (Some(failure), Some((run, at_ms))) = (&status.failure, status.last_attempt) {
        line(
            "last error",
            format!("{}, run {}: {}: {}", time(at_ms), run.0, failure.code, failure.message),
        );
        failure
            .hint
            .iter()
            .flat_map(|hint| hint.lines())
            .for_each(|hint| line("", format!("hint: {hint}")));
    }
    if let Some(schedule) = &status.schedule {
        let due = status
            .due_ms
            .map_or("never".into(), |due| if due <= now_ms { "now".into() } else { time(due) });
        line("next due", format!("{due}, by `serve` (\"{schedule}\")"));
    }
    if status.has_state {
        line(
            "state",
            format!("kept for its plugin; `apportion source reset {}` forgets it", status.name),
        );
    }
    for (first, last, reason) in &status.unknown {
        line(
            "unknown",
            format!(
                "{}: {reason}",
                if first == last { first.to_string() } else { format!("{first} to {last}") }
            ),
        );
    }
    let gaps: Vec<(Day, Day)> = status
        .spans()
        .into_iter()
        .filter(|span| span.2 == DayState::Gap)
        .map(|(start, end, _)| (start, end))
        .collect();
    if let (Some((first, _)), Some((_, last))) = (gaps.first(), gaps.last()) {
        line(
            "gaps",
            format!(
                "{}: `apportion run --from {first} --to {last}`",
                counted(status.gaps() as u64, "day", "days")
            ),
        );
    }
    lines.extend(calendar(&status.days, months));
    lines.push(String::new());
    lines.join("\n")
}

/// A plugin that could not be opened did not tell its version.
fn named_version(plugin: &PluginIdentity) -> String {
    format!("{} {}", plugin.name, plugin.version).trim_end().to_owned()
}

/// A month per row, a letter per day, and what the letters mean.
fn calendar(days: &[(Day, DayState)], months: usize) -> Vec<String> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for (day, state) in days {
        let (month, (_, _, of_month)) = (day.month().to_string(), day.civil());
        if rows.last().is_none_or(|(last, _)| *last != month) {
            rows.push((month, " ".repeat(of_month as usize - 1)));
        }
        if let Some((_, letters)) = rows.last_mut() {
            letters.push(state.letter());
        }
    }
    let shown = rows.len().saturating_sub(months);
    let seen: String = rows.iter().skip(shown).map(|(_, letters)| letters.as_str()).collect();
    let mut lines: Vec<String> = rows
        .into_iter()
        .skip(shown)
        .map(|(month, letters)| format!("  {month:<13} {letters}"))
        .collect();
    let legend: Vec<String> = DayState::ALL
        .into_iter()
        .filter(|state| seen.contains(state.letter()))
        .map(|state| format!("{} {}", state.letter(), state.name()))
        .collect();
    if !legend.is_empty() {
        lines.push(format!("  {:<13} {}", "", legend.join("  ")));
    }
    lines
}

fn reset(ui: Ui, settings: &Settings, name: &str) -> Result<(), Diagnostic> {
    let source = named(settings, name)?;
    let forgotten = ledger_file::open(settings)?.forget_state(&source.name, clock::now_ms())?;
    ui.note(&match forgotten {
        true => format!("the state of {name} is forgotten; its next collection begins without"),
        false => format!("{name} has no state"),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_has_a_row_a_month_and_says_what_its_letters_mean() {
        let first: Day = "2026-01-30".parse().unwrap_or_else(|error| panic!("{error}"));
        let states =
            [DayState::Full, DayState::Restated, DayState::Gap, DayState::Empty, DayState::Partial];
        let days: Vec<(Day, DayState)> = states
            .into_iter()
            .enumerate()
            .map(|(at, state)| (first.plus(at as i32), state))
            .collect();
        assert_eq!(
            calendar(&days, 2),
            [
                "  2026-01                                    #r",
                "  2026-02       !.p",
                "                # full  r restated  p partial  . empty  ! gap",
            ]
        );
        assert_eq!(
            calendar(&days, 1),
            ["  2026-02       !.p", "                p partial  . empty  ! gap"]
        );
        assert_eq!(calendar(&[], 1), Vec::<String>::new());
    }
}
