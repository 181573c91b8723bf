//! The terms of a segment: each once, and a small number for each charge.

use crate::Result;
use crate::block::{BlockReader, put_column, put_u32};
use crate::error::corrupt;
use domain::dictionary::Dictionary;
use domain::terms::{TermsId, UnitPrices};
use std::cell::RefCell;

/// The unit prices of all terms, by number.
#[derive(Clone, Debug, Default)]
pub struct PriceList(Vec<UnitPrices>);

impl PriceList {
    pub fn of(dictionary: &Dictionary) -> PriceList {
        let numbers = 0..dictionary.terms_count() as u32;
        PriceList(numbers.map(|number| dictionary.unit_prices(TermsId(number))).collect())
    }

    /// Notes the prices of terms, in any order.
    pub fn set(&mut self, terms: TermsId, prices: UnitPrices) {
        let at = terms.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, UnitPrices::default());
        }
        self.0[at] = prices;
    }

    pub fn get(&self, terms: u32) -> UnitPrices {
        self.0.get(terms as usize).copied().unwrap_or_default()
    }
}

/// Terms by their numbers in this segment.
pub struct LocalTerms {
    /// By row.
    pub numbers: Vec<u32>,
    /// The number of each in the dictionary.
    pub terms: Vec<u32>,
    pub prices: Vec<UnitPrices>,
}

thread_local! {
    /// For each number of terms its number in the segment plus one, or 0.
    static LOCAL: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

impl LocalTerms {
    pub fn new(terms: &[u32], prices: &PriceList) -> LocalTerms {
        LOCAL.with(|known| {
            let mut known = known.borrow_mut();
            let highest = terms.iter().max().map_or(0, |terms| *terms as usize + 1);
            if known.len() < highest {
                known.resize(highest, 0);
            }
            let mut distinct = Vec::new();
            let numbers = terms.iter().map(|terms| {
                let local = &mut known[*terms as usize];
                if *local == 0 {
                    distinct.push(*terms);
                    *local = distinct.len() as u32;
                }
                *local - 1
            });
            let numbers = numbers.collect();
            distinct.iter().for_each(|terms| known[*terms as usize] = 0);
            LocalTerms::of(numbers, distinct, prices)
        })
    }

    fn of(numbers: Vec<u32>, terms: Vec<u32>, prices: &PriceList) -> LocalTerms {
        let prices = terms.iter().map(|terms| prices.get(*terms)).collect();
        LocalTerms { numbers, terms, prices }
    }

    pub fn none() -> LocalTerms {
        LocalTerms { numbers: Vec::new(), terms: Vec::new(), prices: Vec::new() }
    }

    pub fn prices(&self, row: usize) -> UnitPrices {
        let local = self.numbers.get(row).and_then(|local| self.prices.get(*local as usize));
        local.copied().unwrap_or_default()
    }

    pub fn put(&self, data: &mut Vec<u8>) {
        put_u32(data, self.terms.len() as u32);
        put_column(data, &self.terms);
        put_column(data, &self.numbers);
    }

    pub fn read(
        reader: &mut BlockReader<'_>,
        rows: usize,
        prices: &PriceList,
    ) -> Result<LocalTerms> {
        let (mut terms, mut numbers): (Vec<u32>, Vec<u32>) = Default::default();
        let count = reader.count()?;
        reader.column(count, &mut terms)?;
        reader.column(rows, &mut numbers)?;
        if numbers.iter().any(|number| *number as usize >= count) {
            return Err(corrupt("a charge names terms that its segment does not have"));
        }
        Ok(LocalTerms::of(numbers, terms, prices))
    }
}
