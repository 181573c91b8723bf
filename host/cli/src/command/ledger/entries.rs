//! `ledger entries`: the postings, line by line.

use crate::args::{AxisName, PeriodArgs, TableFormat};
use crate::error::Failure;
use crate::query;
use crate::table::{Align, Table, csv_line};
use crate::ui::{Ui, document_text};
use domain::entry::Posting;
use domain::period::Period;
use domain::run::RunId;
use installation::ledger_file;
use installation::settings::Settings;
use ledger::{EntryId, StoredEntry};
use reports::entries::document::EntriesDocument;
use reports::entries::query::{EntryPage, EntryQuery};
use reports::entries::read::{EntryList, entries as listed};

#[derive(clap::Args, Debug)]
pub struct EntriesArgs {
    #[command(flatten)]
    pub period: PeriodArgs,
    /// The days that the period is of
    #[arg(long, value_enum, default_value_t)]
    pub axis: AxisName,
    /// Only entries with cost of this team
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// Only entries with this account, such as pool/shared/support or provider/aws
    #[arg(long, value_name = "PATH")]
    pub account: Option<String>,
    /// Only entries by this rule, in any version
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Only entries of this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Only entries that this run posted
    #[arg(long, value_name = "NUMBER")]
    pub run: Option<i64>,
    /// Entries of one page
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: usize,
    /// Only entries after this one: the last one of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<i64>,
    /// How the entries are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TableFormat,
}

const COLUMNS: [&str; 11] = [
    "entry",
    "kind",
    "reverses",
    "posted",
    "charged",
    "source",
    "run",
    "account",
    "rule",
    "service_name",
    "currency",
];
/// Enough of a digest to tell versions apart.
const DIGEST_SHOWN: usize = 12;

pub fn entries(ui: Ui, settings: &Settings, args: &EntriesArgs) -> Result<(), Failure> {
    let query = EntryQuery {
        axis: args.axis.into(),
        period: query::period(&args.period)?.unwrap_or(Period::all()),
        source: args.source.clone(),
        run: args.run.map(RunId),
        team: args.team.clone(),
        account: args.account.clone(),
        rule: args.rule.clone(),
    };
    let page = EntryPage { after: args.after.map(EntryId), limit: args.limit.max(1) };
    let list = listed(&ledger_file::reader(settings)?, &query, page)?;
    let next = list.entries.last().filter(|_| list.has_more).map(|entry| entry.id.0);
    let text = match args.format {
        TableFormat::Text => table(ui, &list),
        TableFormat::Csv => csv(&list),
        TableFormat::Json => {
            document_text(&EntriesDocument::page(&list, next.map(|id| id.to_string())))
        }
    };
    if let Some(id) = next {
        ui.note(&format!("there are more: `--after {id}` goes on"));
    }
    Ok(ui.data(&text)?)
}

/// A line for each posting that was asked for.
fn lines(list: &EntryList) -> impl Iterator<Item = (&StoredEntry, &Posting)> {
    list.entries.iter().flat_map(|entry| {
        let postings = entry.entry.postings().iter();
        postings.filter(|posting| list.query.is_of(posting)).map(move |posting| (entry, posting))
    })
}

fn cells(stored: &StoredEntry, posting: &Posting, digest: usize) -> Vec<String> {
    let entry = &stored.entry;
    let rule = posting.rule.as_ref().map_or_else(String::new, |version| {
        let shown: String = version.digest.chars().take(digest).collect();
        format!("{}@{shown}", version.rule)
    });
    vec![
        stored.id.0.to_string(),
        entry.kind().name().to_owned(),
        stored.reverses.map_or_else(String::new, |id| id.0.to_string()),
        entry.posting_day().to_string(),
        entry.charge_day().to_string(),
        entry.source().to_owned(),
        stored.run.0.to_string(),
        posting.account.to_string(),
        rule,
        posting.service_name.clone().unwrap_or_default(),
        entry.currency().to_string(),
    ]
}

fn table(ui: Ui, list: &EntryList) -> String {
    if list.entries.is_empty() {
        ui.note("no entries in this period");
        return String::new();
    }
    let columns = COLUMNS.iter().map(|name| ((*name).to_owned(), Align::Left));
    let mut table = Table::new(columns.chain([("amount".to_owned(), Align::Right)]));
    for (entry, posting) in lines(list) {
        let mut cells = cells(entry, posting, DIGEST_SHOWN);
        cells.push(posting.amount.to_string());
        table.row(cells);
    }
    let (header, body) = table.parts();
    format!("{}\n{body}\n", ui.bold(&header))
}

/// With whole digests: a file may be kept for long.
fn csv(list: &EntryList) -> String {
    let mut text = csv_line(COLUMNS.iter().copied().chain(["amount"]));
    for (entry, posting) in lines(list) {
        let mut cells = cells(entry, posting, usize::MAX);
        cells.push(posting.amount.to_string());
        text.push_str(&csv_line(cells.iter().map(String::as_str)));
    }
    text
}
