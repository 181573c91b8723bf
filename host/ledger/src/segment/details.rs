//! What a charge says beside its resource and its amounts: terms, quantities, list and contracted
//! cost, and the hour.
//!
//! Details stand behind the amounts in the same blob. A run reads amounts and passes details over.
//! A column of which nothing is known is not stored, so charges of a source without details take
//! as many bytes as ever.

use super::costs::{self, Costs, Neighbors};
use super::figures::{self, Figures};
use super::local_terms::{LocalTerms, PriceList};
use super::quotient::Quotients;
use crate::Result;
use crate::block::{BlockReader, put_bytes, put_texts};
use crate::digest::of_bytes;
use crate::error::corrupt;
use domain::decimal::Exact;
use domain::figure::Figure;
use std::borrow::Cow;

const TERMS: u8 = 1;
const PRICING: u8 = 2;
const CONSUMED: u8 = 4;
const CONTRACTED: u8 = 8;
const LIST: u8 = 16;
const HOURS: u8 = 32;
const RESTS: u8 = 64;

/// The hour of a charge that has none.
pub const NO_HOUR: u8 = 24;

/// Details of charges, as columns by row. A column that is not kept is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    pub terms: Vec<u32>,
    pub pricing_quantity: Figures,
    pub consumed_quantity: Figures,
    pub contracted_cost: Costs,
    pub list_cost: Costs,
    /// 0 to 23, or [`NO_HOUR`].
    pub hours: Vec<u8>,
    /// What the sums of the columns lack to the exact sums of the source.
    pub contracted_rest: Exact,
    pub list_rest: Exact,
}

impl Details {
    pub fn clear(&mut self) {
        self.terms.clear();
        self.pricing_quantity.clear();
        self.consumed_quantity.clear();
        self.contracted_cost.clear();
        self.list_cost.clear();
        self.hours.clear();
        (self.contracted_rest, self.list_rest) = Default::default();
    }

    /// Takes rows back, to so many.
    pub fn truncate(&mut self, rows: usize) {
        self.terms.truncate(rows);
        self.pricing_quantity.truncate(rows);
        self.consumed_quantity.truncate(rows);
        self.contracted_cost.truncate(rows);
        self.list_cost.truncate(rows);
        self.hours.truncate(rows);
    }

    /// Adds a row that is a further part of the last one: its quantities and costs are zero where
    /// those of the last one are known.
    pub fn push_nothing_more(&mut self) {
        let again = |column: &mut Vec<u32>| column.extend_from_within(column.len().max(1) - 1..);
        again(&mut self.terms);
        self.hours.extend_from_within(self.hours.len().max(1) - 1..);
        self.pricing_quantity.push_nothing_more();
        self.consumed_quantity.push_nothing_more();
        self.contracted_cost.push_nothing_more();
        self.list_cost.push_nothing_more();
    }

    /// A digest of what is known of a row, for the fingerprint of the day; 0 if that is nothing.
    pub fn digest(&self, row: usize, terms: u128) -> u128 {
        let mut digest = terms;
        let mut add = |column: u128, value: u128| {
            let mixed = value.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) ^ column;
            digest = (digest.rotate_left(41) ^ mixed)
                .wrapping_mul(0xD6E8_FEB8_6659_FD93_A076_1D64_78BD_642F);
        };
        if let Some(value) = figure_value(&self.pricing_quantity, row) {
            add(1, value);
        }
        if let Some(value) = figure_value(&self.consumed_quantity, row) {
            add(2, value);
        }
        if let Some(nanos) = self.contracted_cost.get(row) {
            add(3, nanos as u128);
        }
        if let Some(nanos) = self.list_cost.get(row) {
            add(4, nanos as u128);
        }
        if let Some(hour) = self.hours.get(row).filter(|hour| **hour < NO_HOUR) {
            add(5, u128::from(*hour));
        }
        digest ^ digest >> 67
    }

    /// The rows in another order, or some of them.
    pub(super) fn in_order(&self, order: &[u32]) -> Details {
        let pick = |row: &u32| *row as usize;
        Details {
            terms: match self.terms.is_empty() {
                true => Vec::new(),
                false => order.iter().map(|row| self.terms[pick(row)]).collect(),
            },
            pricing_quantity: self.pricing_quantity.in_order(order),
            consumed_quantity: self.consumed_quantity.in_order(order),
            contracted_cost: self.contracted_cost.in_order(order),
            list_cost: self.list_cost.in_order(order),
            hours: match self.hours.is_empty() {
                true => Vec::new(),
                false => order.iter().map(|row| self.hours[pick(row)]).collect(),
            },
            contracted_rest: self.contracted_rest.clone(),
            list_rest: self.list_rest.clone(),
        }
    }

    /// The columns of which something is known.
    pub(super) fn columns(&self) -> u8 {
        let is = |column: u8, known: bool| if known { column } else { 0 };
        is(TERMS, self.terms.iter().any(|terms| *terms != 0))
            | is(PRICING, !self.pricing_quantity.is_all_unknown())
            | is(CONSUMED, !self.consumed_quantity.is_all_unknown())
            | is(CONTRACTED, !self.contracted_cost.is_all_unknown())
            | is(LIST, !self.list_cost.is_all_unknown())
            | is(HOURS, self.hours.iter().any(|hour| *hour < NO_HOUR))
            | is(RESTS, !(self.contracted_rest.is_zero() && self.list_rest.is_zero()))
    }

    fn check_lengths(&self, rows: usize) {
        let lengths = [
            self.terms.len(),
            self.pricing_quantity.len(),
            self.consumed_quantity.len(),
            self.contracted_cost.len(),
            self.list_cost.len(),
            self.hours.len(),
        ];
        assert!(
            lengths.iter().all(|length| *length == rows || *length == 0),
            "the details of a segment have other lengths than its charges"
        );
    }
}

/// Equal for equal values, however they are written.
fn figure_value(figures: &Figures, row: usize) -> Option<u128> {
    if let Some(short) = figures.short(row) {
        return Some(short.units() as u128);
    }
    match figures.get(row)? {
        Figure::Short(short) => Some(short.units() as u128),
        long => {
            let digest = of_bytes(long.to_string().as_bytes());
            digest.first_chunk().map(|first| u128::from_be_bytes(*first))
        }
    }
}

/// Appends the details of charges that have been brought into `order`; no order means that they
/// are in it.
pub(super) fn put(
    data: &mut Vec<u8>,
    details: &Details,
    order: Option<&[u32]>,
    (billed, effective): (&[i64], &[i64]),
    prices: &PriceList,
) {
    details.check_lengths(billed.len());
    let details = match order {
        None => Cow::Borrowed(details),
        Some(order) => Cow::Owned(details.in_order(order)),
    };
    let columns = details.columns();
    let has = |column: u8| columns & column != 0;
    data.push(columns);
    let terms = match has(TERMS) {
        true => LocalTerms::new(&details.terms, prices),
        false => LocalTerms::none(),
    };
    if has(TERMS) {
        terms.put(data);
    }
    let contracted_price = |row: usize| terms.prices(row).contracted;
    let (quantities, contracted) = (&details.pricing_quantity, &details.contracted_cost);
    let neighbors =
        |contracted, price| Neighbors { effective, billed, contracted, quantities, price };
    let mut marks = Vec::new();
    if has(CONTRACTED) {
        marks = neighbors(None, &contracted_price).marks(contracted);
        costs::put_marks(data, &marks);
    }
    if has(PRICING) {
        let costs = costs::suggesting(&marks, effective, billed);
        let quotients = Quotients { costs: &costs, terms: &terms.numbers, prices: &terms.prices };
        figures::put(data, quantities, &quotients);
    }
    if has(CONSUMED) {
        figures::put_beside(data, &details.consumed_quantity, stored(quantities, has(PRICING)));
    }
    if has(CONTRACTED) {
        costs::put(data, contracted, &marks);
    }
    if has(LIST) {
        let list_price = |row: usize| terms.prices(row).list;
        let marks = neighbors(Some(contracted), &list_price).marks(&details.list_cost);
        costs::put_marks(data, &marks);
        costs::put(data, &details.list_cost, &marks);
    }
    if has(HOURS) {
        put_bytes(data, &hour_steps(&details.hours));
    }
    if has(RESTS) {
        let rests = [details.contracted_rest.to_string(), details.list_rest.to_string()];
        put_texts(data, rests.iter().map(String::as_str));
    }
}

/// A column that is not stored cannot be referred to.
fn stored(figures: &Figures, is_stored: bool) -> &Figures {
    static NONE: Figures = Figures::none();
    if is_stored { figures } else { &NONE }
}

/// The charges of a resource go hour by hour, so differences are mostly one.
fn hour_steps(hours: &[u8]) -> Vec<u8> {
    let mut before = 0;
    hours.iter().map(|hour| hour.wrapping_sub(std::mem::replace(&mut before, *hour))).collect()
}

/// Reads details. Any bytes give details or an error.
pub(super) fn read(
    reader: &mut BlockReader<'_>,
    (billed, effective): (&[i64], &[i64]),
    prices: &PriceList,
) -> Result<Details> {
    let rows = billed.len();
    let columns = reader.byte()?;
    if columns > TERMS | PRICING | CONSUMED | CONTRACTED | LIST | HOURS | RESTS {
        return Err(corrupt("a segment of charges has columns that this version does not know"));
    }
    let has = |column: u8| columns & column != 0;
    let terms = match has(TERMS) {
        true => LocalTerms::read(reader, rows, prices)?,
        false => LocalTerms::none(),
    };
    let marks = if has(CONTRACTED) { costs::read_marks(reader, rows)? } else { Vec::new() };
    let mut details = Details::default();
    if has(PRICING) {
        let costs = costs::suggesting(&marks, effective, billed);
        let quotients = Quotients { costs: &costs, terms: &terms.numbers, prices: &terms.prices };
        details.pricing_quantity = figures::read(reader, rows, &quotients)?;
    }
    if has(CONSUMED) {
        details.consumed_quantity = figures::read_beside(reader, rows, &details.pricing_quantity)?;
    }
    let quantities = &details.pricing_quantity;
    if has(CONTRACTED) {
        let price = &|row: usize| terms.prices(row).contracted;
        let neighbors = Neighbors { effective, billed, contracted: None, quantities, price };
        details.contracted_cost = costs::read(reader, &marks, &neighbors)?;
    }
    if has(LIST) {
        let (price, contracted) =
            (&|row: usize| terms.prices(row).list, Some(&details.contracted_cost));
        let neighbors = Neighbors { effective, billed, contracted, quantities, price };
        let marks = costs::read_marks(reader, rows)?;
        details.list_cost = costs::read(reader, &marks, &neighbors)?;
    }
    if has(HOURS) {
        details.hours = read_hours(reader, rows)?;
    }
    if has(RESTS) {
        (details.contracted_rest, details.list_rest) = read_rests(reader)?;
    }
    let number = |local: &u32| terms.terms.get(*local as usize).copied().unwrap_or_default();
    details.terms = terms.numbers.iter().map(number).collect();
    Ok(details)
}

fn read_hours(reader: &mut BlockReader<'_>, rows: usize) -> Result<Vec<u8>> {
    let mut hours = vec![0; rows];
    reader.bytes(&mut hours)?;
    let mut before = 0_u8;
    for hour in &mut hours {
        before = before.wrapping_add(*hour);
        *hour = before;
    }
    match hours.iter().find(|hour| **hour > NO_HOUR) {
        None => Ok(hours),
        Some(hour) => Err(corrupt(format!("a charge has the hour {hour}"))),
    }
}

fn read_rests(reader: &mut BlockReader<'_>) -> Result<(Exact, Exact)> {
    let mut rests: Vec<Exact> = Vec::new();
    reader.texts(2, |text| {
        rests.push(text.parse().map_err(|_| corrupt(format!("'{text}' is no stored rest")))?);
        Ok(())
    })?;
    match <[Exact; 2]>::try_from(rests) {
        Ok([contracted, list]) => Ok((contracted, list)),
        Err(_) => Err(corrupt("a segment of charges lacks its rests")),
    }
}

#[cfg(test)]
mod tests;
