//! A column of list or contracted costs: mostly another amount of the same charge, or quantity ×
//! unit price.

use super::figures::Figures;
use super::number_column::{self, NumberColumn};
use super::{put_amounts, read_amounts};
use crate::Result;
use crate::block::{BlockReader, put_bytes, put_texts, put_u32};
use crate::error::corrupt;
use domain::figure::ShortFigure;

// The marks of stored costs.
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

/// The mark of a known cost in a column.
const SHORT: u8 = 0;

/// Costs of charges in nanos, by row.
pub type Costs = NumberColumn<i128>;

impl NumberColumn<i128> {
    #[inline]
    pub fn push_short(&mut self, nanos: i64) {
        self.push_digits(nanos, SHORT);
    }

    #[inline]
    pub fn push(&mut self, nanos: Option<i128>) {
        match nanos.map(|nanos| (nanos, i64::try_from(nanos))) {
            None => self.push_unknown(),
            Some((_, Ok(short))) => self.push_short(short),
            Some((long, Err(_))) => self.push_long(long),
        }
    }

    /// The cost of a row, if it is known.
    pub fn get(&self, row: usize) -> Option<i128> {
        match self.marks.get(row) {
            Some(&SHORT) => self.digits.get(row).map(|nanos| i128::from(*nanos)),
            Some(&number_column::LONG) => self.long(row).copied(),
            _ => None,
        }
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
        (contracted.marks.get(row) == Some(&SHORT)).then(|| contracted.digits[row])
    }

    fn mark(&self, costs: &Costs, row: usize) -> u8 {
        let (mark, nanos) = (costs.marks[row], costs.digits[row]);
        if mark == number_column::UNKNOWN {
            UNKNOWN
        } else if mark == number_column::LONG {
            LONG
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
    let own = marks.iter().zip(&costs.digits).filter(|(mark, _)| **mark == OWN);
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
