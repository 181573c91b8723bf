//! A column of list or contracted costs: mostly another amount of the same charge, or quantity ×
//! unit price.

use super::figures::Figures;
use super::{put_amounts, read_amounts};
use crate::Result;
use crate::block::{BlockReader, put_bytes, put_texts, put_u32};
use crate::error::corrupt;
use domain::figure::ShortFigure;

const UNKNOWN: u8 = 0;
const EFFECTIVE: u8 = 1;
const BILLED: u8 = 2;
/// Equals the contracted cost.
const CONTRACTED: u8 = 3;
/// The pricing quantity × the unit price, in nanos.
const PRODUCT: u8 = 4;
const OWN: u8 = 5;
/// Beyond 64 bits of nanos.
const LONG: u8 = 6;

/// Costs of charges in nanos, by row. A column that is not kept is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    nanos: Vec<i64>,
    /// `UNKNOWN`, `OWN` or `LONG`.
    marks: Vec<u8>,
    /// By ascending row.
    long: Vec<(u32, i128)>,
}

impl Costs {
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    #[inline]
    pub fn push_short(&mut self, nanos: i64) {
        self.nanos.push(nanos);
        self.marks.push(OWN);
    }

    #[inline]
    pub fn push(&mut self, nanos: Option<i128>) {
        let (short, mark) = match nanos {
            None => (0, UNKNOWN),
            Some(nanos) => match i64::try_from(nanos) {
                Ok(short) => (short, OWN),
                Err(_) => {
                    self.long.push((self.marks.len() as u32, nanos));
                    (0, LONG)
                }
            },
        };
        self.nanos.push(short);
        self.marks.push(mark);
    }

    /// The cost of a row, if it is known.
    pub fn get(&self, row: usize) -> Option<i128> {
        match self.marks.get(row) {
            Some(&OWN) => self.nanos.get(row).map(|nanos| i128::from(*nanos)),
            Some(&LONG) => {
                let at = self.long.binary_search_by_key(&(row as u32), |(row, _)| *row).ok()?;
                self.long.get(at).map(|(_, nanos)| *nanos)
            }
            _ => None,
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.nanos.truncate(rows);
        self.marks.truncate(rows);
        self.long.retain(|(row, _)| (*row as usize) < rows);
    }

    /// Adds a zero, if the last cost is known.
    pub(super) fn push_nothing_more(&mut self) {
        match self.marks.last() {
            None => {}
            Some(&UNKNOWN) => self.push(None),
            Some(_) => self.push_short(0),
        }
    }

    pub fn clear(&mut self) {
        self.nanos.clear();
        self.marks.clear();
        self.long.clear();
    }

    pub(super) fn is_all_unknown(&self) -> bool {
        self.marks.iter().all(|mark| *mark == UNKNOWN)
    }

    pub(super) fn in_order(&self, order: &[u32]) -> Costs {
        let mut ordered = Costs {
            nanos: order.iter().map(|row| self.nanos[*row as usize]).collect(),
            marks: order.iter().map(|row| self.marks[*row as usize]).collect(),
            long: Vec::new(),
        };
        if !self.long.is_empty() {
            let long = (0_u32..).zip(order).filter(|(at, _)| ordered.marks[*at as usize] == LONG);
            ordered.long =
                long.filter_map(|(at, row)| Some((at, self.get(*row as usize)?))).collect();
        }
        ordered
    }
}

/// All that a cost can be equal to.
pub(super) struct Neighbors<'a> {
    pub effective: &'a [i64],
    pub billed: &'a [i64],
    /// Nothing beside the contracted costs themselves.
    pub contracted: Option<&'a Costs>,
    pub quantities: &'a Figures,
    /// The unit price of each row.
    pub price: &'a dyn Fn(usize) -> Option<ShortFigure>,
}

impl Neighbors<'_> {
    /// Quantity × unit price of a row.
    #[inline]
    fn product(&self, row: usize) -> Option<i64> {
        self.quantities.short(row)?.product_nanos((self.price)(row)?)
    }

    /// The contracted cost of a row, if it fits 64 bits.
    #[inline]
    fn contracted(&self, row: usize) -> Option<i64> {
        let contracted = self.contracted?;
        (contracted.marks.get(row) == Some(&OWN)).then(|| contracted.nanos[row])
    }

    fn mark(&self, costs: &Costs, row: usize) -> u8 {
        let (mark, nanos) = (costs.marks[row], costs.nanos[row]);
        if mark != OWN {
            mark
        } else if nanos == self.effective[row] {
            EFFECTIVE
        } else if nanos == self.billed[row] {
            BILLED
        } else if self.contracted(row) == Some(nanos) {
            CONTRACTED
        } else if self.product(row) == Some(nanos) {
            PRODUCT
        } else {
            OWN
        }
    }

    pub(super) fn marks(&self, costs: &Costs) -> Vec<u8> {
        (0..costs.len()).map(|row| self.mark(costs, row)).collect()
    }
}

/// For each row the cost of the core that equals the cost by its mark, or 0. Its quotient by the
/// unit price suggests the quantity.
pub(super) fn suggesting(marks: &[u8], effective: &[i64], billed: &[i64]) -> Vec<i64> {
    // Of a source that tells no contracted cost, the effective one is the best there is.
    if marks.is_empty() {
        return effective.to_vec();
    }
    let rows = marks.iter().zip(effective).zip(billed);
    rows.map(|((mark, effective), billed)| match *mark {
        EFFECTIVE | UNKNOWN => *effective,
        BILLED => *billed,
        _ => 0,
    })
    .collect()
}

pub(super) fn put_marks(data: &mut Vec<u8>, marks: &[u8]) {
    put_bytes(data, marks);
}

pub(super) fn read_marks(reader: &mut BlockReader<'_>, rows: usize) -> Result<Vec<u8>> {
    let mut marks = vec![0; rows];
    reader.bytes(&mut marks)?;
    match marks.iter().find(|mark| **mark > LONG) {
        None => Ok(marks),
        Some(mark) => Err(corrupt(format!("a cost of a charge has the unknown mark {mark}"))),
    }
}

/// Appends the costs that equal nothing.
pub(super) fn put(data: &mut Vec<u8>, costs: &Costs, marks: &[u8]) {
    let own = marks.iter().zip(&costs.nanos).filter(|(mark, _)| **mark == OWN);
    let own: Vec<i64> = own.map(|(_, nanos)| *nanos).collect();
    put_amounts(data, &own, &mut Vec::new());
    put_u32(data, costs.long.len() as u32);
    if !costs.long.is_empty() {
        let texts: Vec<String> = costs.long.iter().map(|(_, nanos)| nanos.to_string()).collect();
        put_texts(data, texts.iter().map(String::as_str));
    }
}

pub(super) fn read(
    reader: &mut BlockReader<'_>,
    marks: &[u8],
    neighbors: &Neighbors<'_>,
) -> Result<Costs> {
    let own = marks.iter().filter(|mark| **mark == OWN).count();
    let mut amounts = Vec::new();
    read_amounts(reader, own, &mut Vec::new(), &mut amounts)?;
    let mut amounts = amounts.into_iter();
    let count = reader.count()?;
    let mut long: Vec<i128> = Vec::new();
    if count > 0 {
        reader.texts(count, |text| {
            long.push(text.parse().map_err(|_| corrupt(format!("'{text}' is no stored cost")))?);
            Ok(())
        })?;
    }
    if long.len() != marks.iter().filter(|mark| **mark == LONG).count() {
        return Err(corrupt("a segment of charges has more or fewer long costs than charges"));
    }
    let (mut long, mut costs) = (long.into_iter(), Costs::default());
    for (row, mark) in marks.iter().enumerate() {
        let nanos = match *mark {
            UNKNOWN => {
                costs.push(None);
                continue;
            }
            LONG => {
                costs.push(long.next());
                continue;
            }
            EFFECTIVE => neighbors.effective.get(row).copied(),
            BILLED => neighbors.billed.get(row).copied(),
            CONTRACTED => neighbors.contracted(row),
            PRODUCT => neighbors.product(row),
            _ => amounts.next(),
        };
        let nanos = nanos.ok_or_else(|| {
            corrupt("a cost of a charge is said to be that of something that is not there")
        })?;
        costs.push_short(nanos);
    }
    Ok(costs)
}
