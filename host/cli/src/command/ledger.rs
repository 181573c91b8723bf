//! `ledger`: prove it, copy it, list what it holds.

mod entries;

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use installation::ledger_file;
use installation::notice;
use installation::settings::{Need, Settings};
use ledger::VerifyReport;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand, Debug)]
pub enum LedgerCommand {
    /// Prove the ledger: balances, totals and the hash chain
    Verify {
        /// How the report is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// List what was posted: a line for each account, rule and service of an entry
    Entries(entries::EntriesArgs),
    /// Copy the ledger, also while a run writes to it
    Backup {
        /// The file to write
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
}

pub fn ledger(ui: Ui, global: &GlobalArgs, command: &LedgerCommand) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    match command {
        LedgerCommand::Verify { format } => verify(ui, &settings, *format),
        LedgerCommand::Entries(args) => entries::entries(ui, &settings, args),
        LedgerCommand::Backup { to } => backup(ui, &settings, to),
    }
}

fn verify(ui: Ui, settings: &Settings, format: Format) -> Result<(), Failure> {
    let ledger = ledger_file::reader(settings)?;
    let bar = ui.progress();
    let report = ledger.verify(&mut |step| bar.set_message(step.to_owned()));
    bar.finish_and_clear();
    let report = report?;
    ui.data(&match format {
        Format::Text => text_of(&report),
        Format::Json => json_text(&json!({
            "entries": report.entries,
            "postings": report.postings,
            "source_days": report.source_days,
            "charges": report.charges,
            "head": hex(&report.head),
            "findings": report.findings.iter().map(notice::document).collect::<Vec<_>>(),
        })),
    })?;
    if report.findings.is_empty() { Ok(()) } else { Err(report.findings.into()) }
}

fn text_of(report: &VerifyReport) -> String {
    let verdict = if report.findings.is_empty() {
        "verified".to_owned()
    } else {
        format!("{} findings", report.findings.len())
    };
    format!(
        "{verdict}: {} entries, {} postings, {} source-days, {} charges\nhead of the chain: {}\n",
        report.entries,
        report.postings,
        report.source_days,
        report.charges,
        hex(&report.head)
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn backup(ui: Ui, settings: &Settings, to: &Path) -> Result<(), Failure> {
    let ledger = ledger_file::reader(settings)?;
    let bar = ui.progress();
    let copied = ledger.backup(to, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message("copying the ledger");
    });
    bar.finish_and_clear();
    copied?;
    ui.note(&format!("copied {} to {}", settings.ledger.value.display(), to.display()));
    Ok(())
}
