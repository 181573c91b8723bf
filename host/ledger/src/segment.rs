//! Charges as compressed columns: up to [`ROWS_MAX`] charges of one source-day in one blob.
//! Encoding is pure, so worker threads can do it.
//!
//! A month has millions of charges, and they are most of the file. Three facts make them small:
//!
//! - The order of a day's charges does not matter. So a segment orders them by resource, and stores
//!   the differences of the resource numbers. A difference takes bits where a number takes bytes.
//! - Amounts of one bill often share a power of ten, such as whole cents. Effective amounts are
//!   divided by it first. Zigzag maps signed to unsigned numbers, so that small negative amounts
//!   stay small.
//! - The billed amount of a charge mostly equals the effective one, or is zero. A mark a charge
//!   says which; only other billed amounts are stored.
//!
//! Version 1 ends here. Version 2 goes on with the *details* of its charges: see the `details`
//! module. Charges without details are still written as version 1.

mod costs;
mod details;
mod figures;
mod lines;
mod local_terms;
mod number_column;
mod numbers;
mod part;
mod quotient;

use crate::Result;
use crate::block::{BlockReader, COUNT_MAX, put_bytes, put_column, put_u32};
use crate::error::corrupt;
use domain::money::Sum;
use numbers::{unzigzag, zigzag};
use std::cell::RefCell;

/// The most charges of one segment.
pub const ROWS_MAX: usize = COUNT_MAX;

pub use costs::Costs;
pub use details::{Details, NO_HOUR};
pub use figures::Figures;
pub use lines::{ChargeLines, amounts};
pub use local_terms::PriceList;
pub use part::SegmentPart;

const AMOUNTS_ONLY: u8 = 1;
const WITH_DETAILS: u8 = 2;
/// Three digits of this size hold the number of a resource.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

const EQUAL: u8 = 0;
const ZERO: u8 = 1;
const OTHER: u8 = 2;

/// Charges as parallel columns of equal length, to be encoded.
#[derive(Clone, Copy, Debug)]
pub struct ChargeColumns<'a> {
    pub resources: &'a [u32],
    pub billed: &'a [i64],
    pub effective: &'a [i64],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedSegment {
    pub rows: u32,
    pub billed: Sum,
    pub effective: Sum,
    pub data: Vec<u8>,
}

/// Charges that were read back, ordered by resource. The memory can be reused from segment to
/// segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentCharges {
    pub resources: Vec<u32>,
    pub billed: Vec<i64>,
    pub effective: Vec<i64>,
    marks: Vec<u8>,
    words: Vec<u64>,
}

/// The working memory of a thread, kept between segments.
#[derive(Default)]
struct Scratch {
    keys: Vec<u64>,
    /// The row that each charge had, if they were not in order.
    rows: Vec<u32>,
    moved: Vec<u64>,
    differences: Vec<u32>,
    billed: Vec<i64>,
    effective: Vec<i64>,
    marks: Vec<u8>,
    others: Vec<i64>,
    words: Vec<u64>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Charges without details.
pub fn encode(columns: &ChargeColumns<'_>) -> EncodedSegment {
    encode_with(columns, &Details::default(), &PriceList::default())
}

/// Charges and what is known beside their amounts. Unit prices that are known save bytes, so the
/// same must be given to read the details.
pub fn encode_with(
    columns: &ChargeColumns<'_>,
    details: &Details,
    prices: &PriceList,
) -> EncodedSegment {
    let rows = columns.resources.len();
    assert!(
        rows == columns.billed.len() && rows == columns.effective.len(),
        "the columns of a segment have different lengths"
    );
    assert!(rows <= ROWS_MAX, "a segment holds at most {ROWS_MAX} charges");
    let mut data = Vec::with_capacity(rows * 8 + 64);
    let has_details = details.columns() != 0;
    data.push(if has_details { WITH_DETAILS } else { AMOUNTS_ONLY });
    put_u32(&mut data, rows as u32);
    SCRATCH.with(|scratch| {
        let scratch = &mut *scratch.borrow_mut();
        order(columns, scratch);
        put_column(&mut data, &scratch.differences);
        put_amounts(&mut data, &scratch.effective, &mut scratch.words);
        put_billed(&mut data, scratch);
        if has_details {
            put_details(&mut data, details, scratch, prices);
        }
    });
    let total =
        |amounts: &[i64]| Sum::from_nanos(amounts.iter().map(|amount| i128::from(*amount)).sum());
    EncodedSegment {
        rows: rows as u32,
        billed: total(columns.billed),
        effective: total(columns.effective),
        data,
    }
}

/// Appends details with their length, so that they can be passed over.
fn put_details(data: &mut Vec<u8>, details: &Details, scratch: &Scratch, prices: &PriceList) {
    let start = data.len();
    put_u32(data, 0);
    let order = Some(scratch.rows.as_slice()).filter(|rows| !rows.is_empty());
    details::put(data, details, order, (&scratch.billed, &scratch.effective), prices);
    let length = (data.len() - start - 4) as u32;
    if let Some(place) = data.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Fills the scratch with the charges ordered by resource. The order is stable, so that equal input
/// gives equal bytes.
fn order(columns: &ChargeColumns<'_>, scratch: &mut Scratch) {
    scratch.differences.clear();
    scratch.billed.clear();
    scratch.effective.clear();
    scratch.rows.clear();
    let mut before = 0;
    // Charges that come from a segment, such as copies, are in order already.
    if columns.resources.is_sorted() {
        scratch.differences.extend(
            columns
                .resources
                .iter()
                .map(|resource| resource - std::mem::replace(&mut before, *resource)),
        );
        scratch.billed.extend_from_slice(columns.billed);
        scratch.effective.extend_from_slice(columns.effective);
        return;
    }
    scratch.keys.clear();
    scratch.keys.extend(
        columns
            .resources
            .iter()
            .zip(0_u64..)
            .map(|(resource, row)| u64::from(*resource) << 32 | row),
    );
    sort(&mut scratch.keys, &mut scratch.moved);
    for key in &scratch.keys {
        let resource = (key >> 32) as u32;
        scratch.differences.push(resource - std::mem::replace(&mut before, resource));
    }
    let row = |key: &u64| (key & u64::from(u32::MAX)) as usize;
    scratch.rows.extend(scratch.keys.iter().map(|key| row(key) as u32));
    scratch.billed.extend(scratch.keys.iter().map(|key| columns.billed[row(key)]));
    scratch.effective.extend(scratch.keys.iter().map(|key| columns.effective[row(key)]));
}

/// Sorts by the upper half of each key, which is the resource: a radix sort from the lowest digit
/// on. The lower half is the row, so equal resources keep their order in the short case too.
fn sort(keys: &mut Vec<u64>, moved: &mut Vec<u64>) {
    // Below this, counting the digits would cost more than comparing keys.
    if keys.len() < DIGITS / 4 {
        keys.sort_unstable();
        return;
    }
    moved.clear();
    moved.resize(keys.len(), 0);
    // Resource numbers are mostly small, so the higher digits need no pass.
    let highest = keys.iter().fold(0, |bits, key| bits | key);
    let mut shift = 32;
    while shift < 64 && highest >> shift != 0 {
        let digit = |key: u64| (key >> shift) as usize % DIGITS;
        let mut places = [0_u32; DIGITS];
        keys.iter().for_each(|key| places[digit(*key)] += 1);
        let mut sum = 0;
        // From the count of each digit to the place of its first key.
        places.iter_mut().for_each(|place| sum += std::mem::replace(place, sum));
        for key in keys.iter() {
            let place = &mut places[digit(*key)];
            moved[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(keys, moved);
        shift += DIGIT_BITS;
    }
}

fn put_amounts(data: &mut Vec<u8>, amounts: &[i64], words: &mut Vec<u64>) {
    let exponent = shared_exponent(amounts);
    let unit = 10_i64.pow(exponent);
    words.clear();
    // Without a shared power of ten, no amount needs a division.
    match exponent {
        0 => words.extend(amounts.iter().map(|amount| zigzag(*amount))),
        _ => words.extend(amounts.iter().map(|amount| zigzag(amount / unit))),
    }
    data.push(exponent as u8);
    put_column(data, words);
}

/// The exponent of the largest power of ten that divides all amounts, up to whole currency units.
fn shared_exponent(amounts: &[i64]) -> u32 {
    let mut exponent = 9;
    let mut unit = 1_000_000_000;
    for amount in amounts {
        while exponent > 0 && amount % unit != 0 {
            exponent -= 1;
            unit /= 10;
        }
        if exponent == 0 {
            break;
        }
    }
    exponent
}

/// Writes a mark for each charge, and then the billed amounts that are neither equal nor zero.
fn put_billed(data: &mut Vec<u8>, scratch: &mut Scratch) {
    scratch.marks.clear();
    scratch.others.clear();
    scratch.marks.extend(scratch.billed.iter().zip(&scratch.effective).map(
        |(billed, effective)| match billed {
            billed if billed == effective => EQUAL,
            0 => ZERO,
            _ => OTHER,
        },
    ));
    let others = scratch
        .marks
        .iter()
        .zip(&scratch.billed)
        .filter(|(mark, _)| **mark == OTHER)
        .map(|(_, billed)| *billed);
    scratch.others.extend(others);
    put_bytes(data, &scratch.marks);
    put_amounts(data, &scratch.others, &mut scratch.words);
}

/// Reads the amounts of a segment into `into`, which is overwritten. Any bytes give charges or an
/// error.
pub fn decode(data: &[u8], into: &mut SegmentCharges) -> Result<()> {
    let (mut reader, version) = open(data)?;
    read_charges(&mut reader, into)?;
    if version == WITH_DETAILS {
        let length = reader.u32()? as usize;
        return reader.pass_over(length);
    }
    reader.end()
}

/// Reads the resources of a segment's charges, in their order, and nothing behind them.
pub fn decode_resources(data: &[u8], into: &mut Vec<u32>) -> Result<()> {
    let (mut reader, _) = open(data)?;
    let rows = reader.count()?;
    read_resources(&mut reader, rows, into)
}

/// Reads a segment with its details. A segment of an older version has none: all is unknown.
pub fn decode_with(
    data: &[u8],
    prices: &PriceList,
    into: &mut SegmentCharges,
    details: &mut Details,
) -> Result<()> {
    let (mut reader, version) = open(data)?;
    read_charges(&mut reader, into)?;
    details.clear();
    if version == WITH_DETAILS {
        // The length is only needed by those who pass over.
        reader.u32()?;
        *details = details::read(&mut reader, (&into.billed, &into.effective), prices)?;
    }
    reader.end()
}

fn open(data: &[u8]) -> Result<(BlockReader<'_>, u8)> {
    let mut reader = BlockReader::new(data);
    match reader.byte()? {
        version @ (AMOUNTS_ONLY | WITH_DETAILS) => Ok((reader, version)),
        version => Err(corrupt(format!("a segment of charges has the unknown version {version}"))),
    }
}

fn read_charges(reader: &mut BlockReader<'_>, into: &mut SegmentCharges) -> Result<()> {
    let rows = reader.count()?;
    read_resources(reader, rows, &mut into.resources)?;
    read_amounts(reader, rows, &mut into.words, &mut into.effective)?;
    read_billed(reader, rows, into)
}

fn read_resources(reader: &mut BlockReader<'_>, rows: usize, into: &mut Vec<u32>) -> Result<()> {
    reader.column(rows, into)?;
    // Summed in 64 bits, so that damaged differences cannot wrap around unseen.
    let mut resource = 0_u64;
    for slot in into {
        resource += u64::from(*slot);
        *slot = resource as u32;
    }
    match resource > u64::from(u32::MAX) {
        true => Err(corrupt("a segment of charges names resources beyond all numbers")),
        false => Ok(()),
    }
}

fn read_amounts(
    reader: &mut BlockReader<'_>,
    count: usize,
    words: &mut Vec<u64>,
    amounts: &mut Vec<i64>,
) -> Result<()> {
    let exponent = u32::from(reader.byte()?);
    if exponent > 9 {
        return Err(corrupt(format!(
            "a segment of charges counts in units of 10^{exponent} nanos"
        )));
    }
    reader.column(count, words)?;
    let unit = 10_i64.pow(exponent);
    amounts.clear();
    if exponent == 0 {
        amounts.extend(words.iter().map(|word| unzigzag(*word)));
        return Ok(());
    }
    // One flag for all, and no branch in the loop.
    let mut fits = true;
    amounts.extend(words.iter().map(|word| {
        let (amount, overflows) = unzigzag(*word).overflowing_mul(unit);
        fits &= !overflows;
        amount
    }));
    if fits { Ok(()) } else { Err(corrupt("a segment of charges has an amount beyond all bounds")) }
}

fn read_billed(reader: &mut BlockReader<'_>, rows: usize, into: &mut SegmentCharges) -> Result<()> {
    into.marks.clear();
    into.marks.resize(rows, 0);
    if rows > 0 {
        reader.bytes(&mut into.marks)?;
    } else {
        reader.bytes(&mut [])?;
    }
    let others = into.marks.iter().filter(|mark| **mark == OTHER).count();
    if into.marks.iter().any(|mark| *mark > OTHER) {
        return Err(corrupt("a segment of charges has an unknown mark"));
    }
    // No amount is equal or zero, so the stored column is the whole answer.
    if others == rows {
        return read_amounts(reader, others, &mut into.words, &mut into.billed);
    }
    // The marks were counted above, so there is an amount for each of them.
    let mut amounts = Vec::new();
    read_amounts(reader, others, &mut into.words, &mut amounts)?;
    let mut amounts = amounts.into_iter();
    into.billed.clear();
    into.billed.extend(into.marks.iter().zip(&into.effective).map(
        |(mark, effective)| match *mark {
            EQUAL => *effective,
            ZERO => 0,
            _ => amounts.next().unwrap_or_default(),
        },
    ));
    Ok(())
}

#[cfg(test)]
mod tests;
