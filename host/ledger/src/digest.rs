//! The content of every hash. It must never change: one other byte would make every existing
//! journal unverifiable. A new form of a hash needs a new purpose text, such as `apportion entry
//! 2`.

use crate::{EntryId, GenerationId};
use domain::account::Account;
use domain::entry::{Entry, EntryKind, RuleVersion};
use domain::period::Day;
use domain::recipient::Target;
use domain::run::{RunId, SourceDay};
use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// The hash before the first link of a chain.
pub const START: Hash = [0; 32];

/// Hashes a list of values. Each value has its kind and length before it, so no two lists have the
/// same bytes: `("ab", "c")` and `("a", "bc")` differ.
pub struct Hasher {
    sha: Sha256,
    /// SHA-256 works on 64 bytes at a time. Without a buffer, many small updates would cost more
    /// than the hash itself.
    buffer: Vec<u8>,
}

impl Hasher {
    pub fn new(purpose: &str) -> Hasher {
        let mut hasher = Hasher { sha: Sha256::new(), buffer: Vec::with_capacity(4096) };
        hasher.text(purpose);
        hasher
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.push(b'b');
        self.long(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.buffer.push(b't');
        self.long(text.as_bytes());
    }

    pub fn number(&mut self, number: i64) {
        self.buffer.push(b'i');
        self.buffer.extend_from_slice(&number.to_le_bytes());
        self.flush(2048);
    }

    pub fn none(&mut self) {
        self.buffer.push(b'n');
    }

    pub fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.none(),
        }
    }

    fn long(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        if bytes.len() > 2048 {
            self.flush(0);
            self.sha.update(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
            self.flush(2048);
        }
    }

    fn flush(&mut self, above: usize) {
        if self.buffer.len() > above {
            self.sha.update(&self.buffer);
            self.buffer.clear();
        }
    }

    pub fn finish(mut self) -> Hash {
        self.flush(0);
        self.sha.finalize().into()
    }
}

/// A posting that borrows its words.
#[derive(Clone, Copy)]
pub struct PostingLine<'a> {
    pub account: &'a Account,
    pub target: Option<&'a Target>,
    pub rule: Option<&'a RuleVersion>,
    pub service_name: Option<&'a str>,
    pub amount: i64,
}

/// The content digest of an entry. It is equal for equal postings of the same source-day, whatever
/// run posts them. So a run can tell that an entry still stands as it is.
pub fn of_content<'a>(
    kind: EntryKind,
    day: &SourceDay,
    lines: impl Iterator<Item = PostingLine<'a>>,
) -> Hash {
    let mut hasher = Hasher::new("apportion entry 1");
    hasher.text(kind.name());
    hasher.text(&day.source);
    hasher.number(i64::from(day.day.epoch_days()));
    hasher.text(day.currency.code());
    for line in lines {
        add_account(&mut hasher, line.account);
        match line.target {
            None => hasher.none(),
            Some(target) => {
                hasher.text(&target.team);
                [&target.cost_center, &target.environment, &target.application]
                    .iter()
                    .for_each(|part| hasher.optional_text(part.as_deref()));
            }
        }
        match line.rule {
            None => hasher.none(),
            Some(version) => {
                hasher.text(&version.rule);
                hasher.text(&version.digest);
            }
        }
        hasher.optional_text(line.service_name);
        hasher.number(line.amount);
    }
    hasher.finish()
}

fn add_account(hasher: &mut Hasher, account: &Account) {
    let (kind, name): (&str, &str) = match account {
        Account::Provider(name) => ("provider", name),
        Account::Prepaid(name) => ("prepaid", name),
        Account::Team(name) => ("team", name),
        Account::Pool(name) => ("pool", name),
        Account::Excluded(name) => ("excluded", name),
        Account::Rounding(name) => ("rounding", name),
        Account::Unallocated => ("unallocated", ""),
        Account::Suspense => ("suspense", ""),
    };
    hasher.text(kind);
    hasher.text(name);
}

pub fn of_entry(entry: &Entry) -> Hash {
    let day = SourceDay {
        source: entry.source().to_owned(),
        day: entry.charge_day(),
        currency: entry.currency(),
    };
    let lines = entry.postings().iter().map(|posting| PostingLine {
        account: &posting.account,
        target: posting.target.as_ref(),
        rule: posting.rule.as_ref(),
        service_name: posting.service_name.as_deref(),
        amount: posting.amount.nanos(),
    });
    of_content(entry.kind(), &day, lines)
}

/// The row of an entry, which its link covers.
pub struct EntryLink<'a> {
    pub id: EntryId,
    pub kind: EntryKind,
    pub source_day: &'a SourceDay,
    pub posting_day: Day,
    pub run: RunId,
    pub generation: GenerationId,
    pub reverses: Option<EntryId>,
    pub content: &'a Hash,
}

/// The next link of the chain of entries.
pub fn of_link(before: &Hash, link: &EntryLink<'_>) -> Hash {
    let mut hasher = Hasher::new("apportion link 1");
    hasher.bytes(before);
    hasher.number(link.id.0);
    hasher.text(link.kind.name());
    hasher.text(&link.source_day.source);
    hasher.number(i64::from(link.source_day.day.epoch_days()));
    hasher.number(i64::from(link.posting_day.epoch_days()));
    hasher.text(link.source_day.currency.code());
    hasher.number(link.run.0);
    hasher.number(link.generation.0);
    match link.reverses {
        Some(reversed) => hasher.number(reversed.0),
        None => hasher.none(),
    }
    hasher.bytes(link.content);
    hasher.finish()
}

pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn of_bytes(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}
