//! From the raw bytes of a row's identifying cells to its resource, with one probe into a table.
//!
//! A row is known by 96 bits of a keyed hash of its raw cells; the secrets are drawn anew for every
//! run. Two of n different rows share them with a probability of n²/2⁹⁷: for 10⁷ distinct rows that
//! is 10⁻¹⁵, below the chance that the memory which holds them flips a bit unseen. So the cells
//! themselves need not be kept or compared, which is what makes the table small enough for the
//! cache.

use decode::{Cells, TextTable, TextView, viewed};
use domain::dictionary::ResourceId;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The meaning of a row's identifying cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowClass {
    Resource(ResourceId),
    /// Not a charge, according to the mapping.
    Skipped,
    /// Not understood, with the number of the reason.
    Rejected(u32),
}

/// Secrets of one run.
#[derive(Clone, Copy)]
pub struct Secrets([u64; 4]);

impl Secrets {
    /// Drawn from the seeds that the standard library draws for its own hash tables.
    pub fn draw() -> Secrets {
        use std::hash::{BuildHasher, RandomState};
        // Odd, so that two lengths times one secret are never equal.
        Secrets(std::array::from_fn(|number| RandomState::new().hash_one(number) | 1))
    }
}

/// Folded 64 × 64 → 128 bit multiplication.
#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// Two lanes of 64 bits, each with secrets of its own.
#[inline(always)]
fn absorb(hash: (u64, u64), bytes: &[u8], secrets: &Secrets) -> (u64, u64) {
    let [first, second, third, fourth] = secrets.0;
    // The length goes in first: the cells `ab`, `c` and the cells `a`, `bc` have the same bytes.
    let (mut left, mut right) = (
        hash.0 ^ (bytes.len() as u64).wrapping_mul(first),
        hash.1 ^ (bytes.len() as u64).wrapping_mul(third),
    );
    let (chunks, tail) = bytes.as_chunks::<16>();
    let mut mix = |low: u64, high: u64| {
        left = fold(low ^ first, high ^ left ^ second);
        right = fold(low ^ right ^ third, high ^ fourth);
    };
    for chunk in chunks {
        let word = u128::from_le_bytes(*chunk);
        mix(word as u64, (word >> 64) as u64);
    }
    // An empty cell is mixed in too, or one before `a` would hash like one behind it.
    if !tail.is_empty() || chunks.is_empty() {
        let (low, high) = tail_words(bytes, tail);
        mix(low, high);
    }
    (left, right)
}

/// A short text in the layout of a view: its length, then its bytes, then zeroes.
#[inline(always)]
fn absorb_view(hash: (u64, u64), view: u128, secrets: &Secrets) -> (u64, u64) {
    let [first, second, third, fourth] = secrets.0;
    let (low, high) = (view as u64, (view >> 64) as u64);
    (fold(low ^ first, high ^ hash.0 ^ second), fold(low ^ hash.1 ^ third, high ^ fourth))
}

/// The last up to 15 bytes as two words; reads back over bytes already seen rather than byte by
/// byte.
#[inline(always)]
fn tail_words(bytes: &[u8], tail: &[u8]) -> (u64, u64) {
    if let Some(last) = bytes.last_chunk::<16>() {
        let word = u128::from_le_bytes(*last);
        return (word as u64, (word >> 64) as u64);
    }
    match (
        tail.first_chunk::<8>(),
        tail.last_chunk::<8>(),
        tail.first_chunk::<4>(),
        tail.last_chunk::<4>(),
    ) {
        (Some(head), Some(last), ..) => (u64::from_le_bytes(*head), u64::from_le_bytes(*last)),
        (.., Some(head), Some(last)) => {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*last)))
        }
        _ => (tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    }
}

/// The hashes of the texts that a column has numbers of, until it has other texts.
#[derive(Default)]
pub struct TextHashes {
    /// Kept, so that no other texts can stand at their place in memory.
    texts: Option<TextTable>,
    /// As 128 bits, which a row takes in like a short text.
    hashes: Vec<u128>,
}

impl TextHashes {
    fn of(&mut self, texts: &TextTable, secrets: &Secrets) -> &[u128] {
        if !self.texts.as_ref().is_some_and(|known| known.is(texts)) {
            self.texts = Some(texts.clone());
            self.hashes.clear();
            self.hashes.extend(texts.iter().map(|text| text_hash(text, secrets)));
        }
        &self.hashes
    }
}

fn text_hash(text: &[u8], secrets: &Secrets) -> u128 {
    let (left, right) = absorb((secrets.0[3], secrets.0[1]), text, secrets);
    u128::from(left) | u128::from(right) << 64
}

/// The hashes of all rows of a batch, over the given columns. `known` has what earlier batches of
/// the same columns left.
pub fn hash_rows(
    columns: &[(usize, Cells<'_>)],
    rows: usize,
    secrets: &Secrets,
    known: &mut Vec<TextHashes>,
    hashes: &mut Vec<(u64, u64)>,
) {
    hashes.clear();
    hashes.resize(rows, (secrets.0[3], secrets.0[1]));
    known.resize_with(columns.len(), TextHashes::default);
    for ((_, cells), known) in columns.iter().zip(known) {
        match cells {
            Cells::Text { buffer, ranges, .. } => {
                for (hash, (start, end)) in hashes.iter_mut().zip(*ranges) {
                    let cell = buffer.get(*start as usize..*end as usize).unwrap_or_default();
                    *hash = absorb(*hash, cell, secrets);
                }
            }
            Cells::Views(array) => {
                for (row, hash) in hashes.iter_mut().enumerate() {
                    *hash = match viewed(array, row) {
                        TextView::Short(view) => absorb_view(*hash, view, secrets),
                        TextView::Long(cell) => absorb(*hash, cell, secrets),
                    };
                }
            }
            Cells::Keyed { keys, nulls, texts } => {
                let (texts, nothing) = (known.of(texts, secrets), text_hash(&[], secrets));
                for (row, (hash, key)) in hashes.iter_mut().zip(*keys).enumerate() {
                    let text = match nulls {
                        Some(nulls) if nulls[row] => nothing,
                        _ => texts.get(*key as usize).copied().unwrap_or(nothing),
                    };
                    *hash = absorb_view(*hash, text, secrets);
                }
            }
            // All of a column have one scale. A null has no bytes, and every number has some.
            Cells::Decimal { values, nulls, .. } => {
                for (row, (hash, value)) in hashes.iter_mut().zip(*values).enumerate() {
                    *hash = match nulls {
                        Some(nulls) if nulls[row] => absorb(*hash, &[], secrets),
                        _ => absorb(*hash, &value.to_le_bytes(), secrets),
                    };
                }
            }
            // Only numbers and texts identify (`columns.rs`).
            Cells::Days { .. } => {}
        }
    }
}

/// Sixteen bytes: four to a cache line.
#[derive(Clone, Copy)]
struct Slot {
    hash: u64,
    check: u32,
    /// A packed `RowClass`; `EMPTY` where nothing is.
    class: u32,
}

const EMPTY: u32 = u32::MAX;

impl Slot {
    #[inline]
    fn is_of(&self, hash: (u64, u64)) -> bool {
        self.hash == hash.0 && self.check == hash.1 as u32
    }
}

/// The rows seen so far: open addressing, at most half full.
pub struct RowTable {
    slots: Vec<Slot>,
    used: usize,
}

impl Default for RowTable {
    fn default() -> RowTable {
        RowTable { slots: vec![Slot { hash: 0, check: 0, class: EMPTY }; 1 << 12], used: 0 }
    }
}

impl RowTable {
    /// Looks up all rows of a batch. New rows are listed, and `Skipped` for now. The probes do not
    /// depend on each other, so their cache misses overlap.
    pub fn find_all(
        &self,
        hashes: &[(u64, u64)],
        classes: &mut Vec<RowClass>,
        unmet: &mut Vec<usize>,
    ) {
        classes.clear();
        unmet.clear();
        classes.extend(hashes.iter().enumerate().map(|(row, hash)| {
            self.find(*hash).unwrap_or_else(|| {
                unmet.push(row);
                RowClass::Skipped
            })
        }));
    }

    #[inline]
    pub fn find(&self, hash: (u64, u64)) -> Option<RowClass> {
        // The walk ends, because at least half of the slots are empty.
        let mask = self.slots.len() - 1;
        let mut at = hash.0 as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.class == EMPTY {
                return None;
            }
            if slot.is_of(hash) {
                return Some(unpack(slot.class));
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a row in, which may be in already.
    pub fn insert(&mut self, hash: (u64, u64), class: RowClass) {
        // Two equal rows of a batch that are not in the table are both listed as new.
        if self.find(hash).is_some() {
            return;
        }
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.used += 1;
        put(&mut self.slots, Slot { hash: hash.0, check: hash.1 as u32, class: pack(class) });
    }

    fn grow(&mut self) {
        let mut slots = vec![Slot { hash: 0, check: 0, class: EMPTY }; self.slots.len() * 2];
        for slot in self.slots.iter().filter(|slot| slot.class != EMPTY) {
            put(&mut slots, *slot);
        }
        self.slots = slots;
    }
}

fn put(slots: &mut [Slot], slot: Slot) {
    // No slot is compared: the row is known to be absent.
    let mask = slots.len() - 1;
    let mut at = slot.hash as usize & mask;
    while slots[at].class != EMPTY {
        at = (at + 1) & mask;
    }
    slots[at] = slot;
}

/// Two bits of kind; the 30 others number more resources than fit into memory.
fn pack(class: RowClass) -> u32 {
    match class {
        RowClass::Resource(resource) => resource.0 << 2,
        RowClass::Skipped => 1,
        RowClass::Rejected(reason) => reason << 2 | 2,
    }
}

#[inline]
fn unpack(packed: u32) -> RowClass {
    match packed & 3 {
        0 => RowClass::Resource(ResourceId(packed >> 2)),
        1 => RowClass::Skipped,
        _ => RowClass::Rejected(packed >> 2),
    }
}

/// What threads share. One that panics ends the run, so half of a change is never read.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cut_otherwise_or_one_byte_apart_hash_differently() {
        let secrets = Secrets::draw();
        let hash = |cells: &[&str]| {
            cells.iter().fold((0, 0), |hash, cell| absorb(hash, cell.as_bytes(), &secrets))
        };
        let texts = [
            "",
            "a",
            "ab",
            "abcd",
            "abcdefgh",
            "abcdefghi",
            "0123456789abcdef",
            "0123456789abcdefg",
            "0123456789abcdef0123456789abcdef",
        ];
        let mut seen = std::collections::HashSet::new();
        for left in texts {
            for right in texts {
                assert!(seen.insert(hash(&[left, right])), "{left} | {right}");
            }
        }
        assert!(seen.insert(hash(&["abcdefg", "habcdefgh"])));
        for position in 0..32 {
            let mut text = *b"0123456789abcdef0123456789abcdef";
            text[position] ^= 1;
            assert!(seen.insert(absorb((0, 0), &text, &secrets)), "byte {position}");
        }
    }

    #[test]
    fn finds_what_was_put_in_across_growth() {
        let mut table = RowTable::default();
        let class = |number: u32| match number % 3 {
            0 => RowClass::Resource(ResourceId(number)),
            1 => RowClass::Skipped,
            _ => RowClass::Rejected(number),
        };
        let hash =
            |number: u32| (fold(u64::from(number) + 1, 0x9E37_79B9_7F4A_7C15), u64::from(number));
        for number in 0..50_000 {
            assert_eq!(table.find(hash(number)), None);
            table.insert(hash(number), class(number));
        }
        for number in 0..50_000 {
            assert_eq!(table.find(hash(number)), Some(class(number)));
        }
    }
}
