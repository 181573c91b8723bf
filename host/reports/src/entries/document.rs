//! Entries as they are shown.

use crate::document::{AmountDocument, AxisText, DateText, PeriodDocument};
use crate::entries::read::EntryList;
use domain::entry::Posting;
use domain::money::{Currency, Sum};
use ledger::StoredEntry;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Entries")]
pub struct EntriesDocument {
    axis: AxisText,
    /// Of days by the axis.
    period: PeriodDocument,
    /// In the order in which they were posted.
    entries: Vec<ListedEntryDocument>,
    next_page_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
struct ListedEntryDocument {
    id: i64,
    #[schemars(extend("enum" = ["collection", "distribution", "reversal"]))]
    kind: &'static str,
    source: String,
    /// The day of the charges.
    charge_date: DateText,
    posting_date: DateText,
    run: i64,
    /// The entry that it takes back.
    reverses: Option<i64>,
    /// The entry that takes it back.
    reversed_by: Option<i64>,
    /// All of them, whatever was asked for. They come to nothing together.
    postings: Vec<ListedPostingDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Posting")]
struct ListedPostingDocument {
    account: String,
    /// Null where no rule decided: of providers, prepaid amounts and what is unallocated.
    rule: Option<String>,
    rule_digest: Option<String>,
    service_name: Option<String>,
    amount: AmountDocument,
}

impl EntriesDocument {
    /// A page, with the token of the next one.
    pub fn page(list: &EntryList, next: Option<String>) -> EntriesDocument {
        EntriesDocument {
            axis: list.query.axis.into(),
            period: list.query.period.into(),
            entries: list.entries.iter().map(ListedEntryDocument::from).collect(),
            next_page_token: next,
        }
    }
}

impl From<&StoredEntry> for ListedEntryDocument {
    fn from(stored: &StoredEntry) -> ListedEntryDocument {
        let entry = &stored.entry;
        let posting = |posting| ListedPostingDocument::new(posting, entry.currency());
        ListedEntryDocument {
            id: stored.id.0,
            kind: entry.kind().name(),
            source: entry.source().to_owned(),
            charge_date: entry.charge_day().into(),
            posting_date: entry.posting_day().into(),
            run: stored.run.0,
            reverses: stored.reverses.map(|id| id.0),
            reversed_by: stored.reversed_by.map(|id| id.0),
            postings: entry.postings().iter().map(posting).collect(),
        }
    }
}

impl ListedPostingDocument {
    fn new(posting: &Posting, currency: Currency) -> ListedPostingDocument {
        let rule = posting.rule.as_ref();
        ListedPostingDocument {
            account: posting.account.to_string(),
            rule: rule.map(|version| version.rule.clone()),
            rule_digest: rule.map(|version| version.digest.clone()),
            service_name: posting.service_name.clone(),
            amount: AmountDocument::new(currency, Sum::from(posting.amount)),
        }
    }
}
