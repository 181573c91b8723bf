//! `demo`: a generated estate, run from collect to post.

use super::costs::layout::Layout;
use super::{init, run, serve};
use crate::args::{GlobalArgs, GranularityName};
use crate::error::Failure;
use crate::ui::Ui;
use demo_estate::EstateFacts;
use domain::axis::Axis;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Period;
use domain::run::RunState;
use installation::file;
use installation::ledger_file;
use installation::run::RunInput;
use installation::settings::{self, Need, Settings};
use installation::sources;
use pipeline::report::RunReport;
use reports::costs::query::{CostQuery, Granularity, GroupBy};
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "apportion-demo")]
    pub dir: PathBuf,
    /// Another seed makes another estate
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Answer over HTTP when done
    #[arg(long)]
    pub serve: bool,
    /// Loopback address to listen on with --serve [env: APPORTION_LISTEN]
    #[arg(long, value_name = "ADDRESS", requires = "serve")]
    pub listen: Option<SocketAddr>,
}

/// By its first line a folder is known to be a demo.
const SETTINGS: &str = include_str!("demo.toml");
const TEAMS: &str = include_str!("demo-teams.csv");
/// All that a demo leaves in its folder, so that the next one may replace it.
const LEFT_BEHIND: [&str; 6] =
    ["apportion.toml", "apportion.db", "apportion.db-wal", "apportion.db-shm", "bills", "rules"];

pub fn demo(ui: Ui, args: &DemoArgs) -> Result<(), Failure> {
    clear(&args.dir)?;
    ui.note(&format!("generating an estate in {}", args.dir.display()));
    let facts = demo_estate::generate(&args.dir, args.seed, &mut |step| ui.note(step))
        .map_err(|error| file::unwritable(&args.dir, &error))?;
    ui.note(&format!("{} charges in {} files", facts.charges, facts.files));
    file::write(&args.dir.join(settings::FILE), SETTINGS)?;
    for (path, text) in init::starter(&args.dir.join("rules")) {
        if !path.exists() {
            file::write(&path, text)?;
        }
    }
    file::write(&args.dir.join("rules/tables/teams.csv"), TEAMS)?;
    let global = GlobalArgs {
        config: Some(args.dir.join(settings::FILE)),
        ledger: Some(args.dir.join(settings::LEDGER)),
        quiet: ui.is_quiet(),
    };
    let settings = global.settings(Need::File)?;
    let rules = run::rules_in_use(ui, &settings)?;
    let sources = sources::all(&settings, None, None)?;
    let input = RunInput::Sources { sources, wait: &std::thread::sleep };
    let report = run::post(ui, &settings, &rules, input, None)?;
    compare(&facts, &report)?;
    ui.data(&owed(ui, &settings)?)?;
    let lines = run::conservation_lines(&report.conservation, Period::all());
    ui.data(&format!("\n{}\n", lines.join("\n")))?;
    run::warn_of_unknown_teams(ui, &settings, &rules)?;
    if report.state != RunState::Complete {
        return Err(run::incomplete(&report).into());
    }
    ui.data(&next_steps(&args.dir))?;
    if args.serve {
        let listen = args.listen.unwrap_or(settings.server.listen.value);
        return serve::serve_until_stopped(ui, settings, listen, None);
    }
    Ok(())
}

/// Compares the collected sums with the written ones. Neither is derived from the other.
fn compare(facts: &EstateFacts, report: &RunReport) -> Result<(), Diagnostic> {
    for (currency, billed, effective) in &facts.totals {
        let totals = report
            .sources
            .iter()
            .flat_map(|source| &source.totals)
            .filter(|(known, ..)| known.code() == currency);
        let mut parts = totals
            .map(|(_, billed, effective)| Some((trillionths(billed)?, trillionths(effective)?)));
        let collected =
            parts.try_fold((0, 0), |sum, part| part.map(|part| (sum.0 + part.0, sum.1 + part.1)));
        if collected != Some((*billed, *effective)) {
            let message = format!(
                "{currency}: the bills were written with {billed} billed and {effective} \
                    effective (in 10^-12), and read as {collected:?}"
            );
            return Err(Diagnostic::new(code::CONSERVATION, message)
                .hint("this is a fault of Apportion: report the command and this message"));
        }
    }
    Ok(())
}

/// Decimal text as a count of 10⁻¹²; nothing if it is finer than that.
fn trillionths(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = u32::try_from(12_usize.checked_sub(fraction.len())?).ok()?;
    Some(sign * format!("{whole}{fraction}").parse::<i128>().ok()? * 10_i128.pow(scale))
}

/// Empties the folder, if it holds an earlier demo or nothing.
fn clear(dir: &Path) -> Result<(), Diagnostic> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries.count(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(file::unwritable(dir, &error)),
    };
    let mark = SETTINGS.lines().next();
    let is_demo =
        fs::read_to_string(dir.join(settings::FILE)).is_ok_and(|text| text.lines().next() == mark);
    if entries > 0 && !is_demo {
        return Err(Diagnostic::new(
            code::CONFIG_EXISTS,
            format!("{} is neither empty nor an earlier demo; nothing was written", dir.display()),
        )
        .hint(Hint::command("demo --dir NEW-FOLDER")));
    }
    for name in LEFT_BEHIND {
        let path = dir.join(name);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed
            && error.kind() != ErrorKind::NotFound
        {
            return Err(file::unwritable(&path, &error));
        }
    }
    Ok(())
}

/// The costs of each team, month by month.
fn owed(ui: Ui, settings: &Settings) -> Result<String, Diagnostic> {
    let ledger = ledger_file::reader(settings)?;
    let query = CostQuery {
        axis: Axis::Posting,
        period: Period::all(),
        granularity: Granularity::Monthly,
        group_by: vec![GroupBy::Team],
        filter: Vec::new(),
    };
    let table = reports::costs::read::costs(&ledger, &query)?;
    Ok(Layout::new(&query, GranularityName::Monthly).text(ui, &table))
}

/// The next commands, with the path of this program: a fresh build is on no search path.
fn next_steps(dir: &Path) -> String {
    let called = std::env::args_os()
        .next()
        .map_or_else(|| "apportion".into(), |name| name.to_string_lossy().into_owned());
    let config = dir.join(settings::FILE);
    let line = |words: &str| format!("  {called} --config {} {words}\n", config.display());
    let steps =
        ["explain payments", "costs --group-by team,service_name", "rule list"].map(line).concat();
    format!("\ntry next:\n{steps}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_in_trillionths() {
        for (text, expect) in [
            ("1", Some(1_000_000_000_000)),
            ("-0.5", Some(-500_000_000_000)),
            ("0.000000000001", Some(1)),
            ("0.0000000000001", None),
        ] {
            assert_eq!(trillionths(text), expect, "{text}");
        }
    }
}
