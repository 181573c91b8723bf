//! `runs`: the runs of the ledger, the latest first.

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, document_text};
use domain::period::instant;
use domain::run::RunState;
use installation::amount_text::moneys;
use installation::ledger_file;
use installation::settings::Need;
use reports::runs::document::RunsDocument;
use reports::runs::query::RunsQuery;
use reports::runs::read::{RunFacts, RunPage};

#[derive(clap::Args, Debug)]
pub struct RunsArgs {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub last: usize,
    /// How the runs are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub fn runs(ui: Ui, global: &GlobalArgs, args: &RunsArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let ledger = ledger_file::reader(&settings)?;
    let query = RunsQuery { before: None, limit: args.last };
    let page = reports::runs::read::runs(&ledger, &query)?;
    ui.data(&match args.format {
        Format::Json => document_text(&RunsDocument::page(&page, None)),
        Format::Text => text_of(ui, &page),
    })?;
    if page.has_more && args.format == Format::Text {
        ui.note("there are more; `--last N` lists them");
    }
    Ok(())
}

fn text_of(ui: Ui, page: &RunPage) -> String {
    let columns = [
        ("run", Align::Right),
        ("began (UTC)", Align::Left),
        ("took", Align::Right),
        ("result", Align::Left),
        ("charges", Align::Right),
        ("set aside", Align::Right),
        ("failed sources", Align::Left),
        ("moved", Align::Left),
    ];
    let mut table = Table::new(columns.map(|(name, align)| (name.to_owned(), align)));
    for run in &page.runs {
        table.row(cells(run));
    }
    let (header, body) = table.parts();
    let mut lines = vec![ui.bold(&header), body];
    let failed = page.runs.iter().filter_map(|run| {
        let end = run.row.end.as_ref().filter(|end| end.state == RunState::Failed)?;
        Some(ui.shown(&format!("run {} failed: {}", run.row.id.0, end.note)))
    });
    lines.extend(failed);
    lines.retain(|line| !line.is_empty());
    format!("{}\n", lines.join("\n"))
}

fn cells(run: &RunFacts) -> Vec<String> {
    let (row, end) = (&run.row, run.row.end.as_ref());
    let count = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    vec![
        row.id.0.to_string(),
        instant(row.started_at_ms).get(..19).unwrap_or_default().replace('T', " "),
        end.map_or_else(String::new, |end| duration(end.at_ms - row.started_at_ms)),
        end.map_or("unfinished", |end| end.state.name()).to_owned(),
        count(end.map(|end| end.charges)),
        count(end.map(|end| end.rejected)),
        run.failed_sources.join(", "),
        moneys(&run.moved),
    ]
}

/// `0.4 s`, `12 s`, `3 min 5 s`, `2 h 1 min`. A part that is begun does not count.
fn duration(ms: i64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        ..10 => format!("{seconds}.{} s", ms % 1_000 / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_duration_has_the_two_units_that_matter() {
        for (ms, expect) in [
            (0, "0.0 s"),
            (450, "0.4 s"),
            (9_999, "9.9 s"),
            (12_300, "12 s"),
            (185_000, "3 min 5 s"),
            (7_260_000, "2 h 1 min"),
        ] {
            assert_eq!(duration(ms), expect);
        }
    }
}
