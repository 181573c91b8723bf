//! Entries and postings: double entry, balanced by construction.

use crate::account::Account;
use crate::money::{Currency, Money, Sum};
use crate::period::Day;
use crate::recipient::Target;

/// The reason for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The charges of a source on a day, by the team that bears them or the pool that takes them.
    Collection,
    /// Pools spread over teams.
    Distribution,
    /// Takes back an earlier entry, line by line.
    Reversal,
}

impl EntryKind {
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::Collection => "collection",
            EntryKind::Distribution => "distribution",
            EntryKind::Reversal => "reversal",
        }
    }

    pub fn by_name(name: &str) -> Option<EntryKind> {
        [EntryKind::Collection, EntryKind::Distribution, EntryKind::Reversal]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A version of one rule: its id (path) and the digest of its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleVersion {
    pub rule: String,
    /// SHA-256 of the rule's source, hex.
    pub digest: String,
}

/// One line of an entry. Debits are positive, credits negative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    pub account: Account,
    /// The team with the other dimensions that a rule gave. Only team accounts have it.
    pub target: Option<Target>,
    pub rule: Option<RuleVersion>,
    pub service_name: Option<String>,
    pub amount: Money,
}

/// Balanced postings of one source, charge day and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    kind: EntryKind,
    source: String,
    charge_day: Day,
    posting_day: Day,
    currency: Currency,
    postings: Vec<Posting>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEntry {
    #[error(
        "the postings of {source_name} on {day} add up to {difference} {currency} and not to zero"
    )]
    Unbalanced { source_name: String, day: Day, currency: Currency, difference: Sum },
    #[error("an entry needs at least two postings")]
    TooFew,
}

impl Entry {
    /// Refuses postings that do not add up to zero.
    pub fn new(
        kind: EntryKind,
        source: &str,
        charge_day: Day,
        currency: Currency,
        mut postings: Vec<Posting>,
    ) -> Result<Entry, NotAnEntry> {
        postings.retain(|posting| posting.amount != Money::ZERO);
        let difference: Sum = postings.iter().map(|posting| Sum::from(posting.amount)).sum();
        if !difference.is_zero() {
            return Err(NotAnEntry::Unbalanced {
                source_name: source.into(),
                day: charge_day,
                currency,
                difference,
            });
        }
        if postings.len() < 2 {
            return Err(NotAnEntry::TooFew);
        }
        postings.sort();
        Ok(Entry {
            kind,
            source: source.into(),
            charge_day,
            posting_day: charge_day,
            currency,
            postings,
        })
    }

    /// The entry that takes this one back.
    pub fn reversal(&self) -> Entry {
        let negated = |posting: &Posting| Posting {
            amount: Money::from_nanos(-posting.amount.nanos()),
            ..posting.clone()
        };
        let mut postings: Vec<Posting> = self.postings.iter().map(negated).collect();
        postings.sort();
        Entry { kind: EntryKind::Reversal, postings, ..self.clone() }
    }

    /// Books the entry on another day than that of its charges: a correction of a closed period.
    pub fn posted_on(self, posting_day: Day) -> Entry {
        Entry { posting_day, ..self }
    }

    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn charge_day(&self) -> Day {
        self.charge_day
    }

    pub fn posting_day(&self) -> Day {
        self.posting_day
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// In canonical order.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}
