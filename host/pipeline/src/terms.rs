//! Raw cells → terms: prices, units and invoices that many charges share.
//!
//! As with resources, a row's terms are known by a hash of its raw cells. Only the first row with
//! these cells is read.

use crate::cell::{CellFault, no_comma_number, says_nothing};
use crate::columns::{Input, TableReading};
use crate::interner::{RowClass, RowTable, lock};
use crate::normalize::Registry;
use decode::Cells;
use domain::decimal_comma;
use domain::dictionary::{ResourceId, Symbol};
use domain::figure::Figure;
use domain::terms::{Terms, TermsId, UnitPrices};
use domain::text_form::DecimalMark;
use std::borrow::Cow;
use std::sync::Mutex;

/// Terms, as far as threads need them.
#[derive(Clone, Copy)]
pub struct MetTerms {
    pub class: RowClass,
    pub prices: UnitPrices,
    pub digest: u128,
}

/// The terms of one table, over all threads.
pub struct KnownTerms<'a, 'r> {
    reading: &'a TableReading,
    registry: &'a Mutex<Registry<'r>>,
    known: Mutex<TermsTable>,
}

#[derive(Default)]
struct TermsTable {
    /// The class is the number of terms, in the place of that of a resource.
    table: RowTable,
    faults: Vec<CellFault>,
}

impl<'a, 'r> KnownTerms<'a, 'r> {
    pub fn new(reading: &'a TableReading, registry: &'a Mutex<Registry<'r>>) -> KnownTerms<'a, 'r> {
        KnownTerms { reading, registry, known: Mutex::default() }
    }

    /// Looks up rows of a batch by their hashes, and reads those that no thread has seen before.
    pub fn resolve(
        &self,
        rows: &[usize],
        hashes: &[(u64, u64)],
        columns: &[(usize, Cells<'_>)],
        mut take: impl FnMut(usize, MetTerms),
    ) {
        let (mut known, mut registry) = (lock(&self.known), lock(self.registry));
        let TermsTable { table, faults } = &mut *known;
        for row in rows {
            let class = table.find(hashes[*row]).unwrap_or_else(|| {
                let read = read(&mut registry, self.reading, columns, *row);
                let class = read.unwrap_or_else(|fault| {
                    faults.push(fault);
                    RowClass::Rejected(faults.len() as u32 - 1)
                });
                table.insert(hashes[*row], class);
                class
            });
            let (prices, digest) = match class {
                RowClass::Resource(number) => {
                    let (terms, dictionary) = (TermsId(number.0), &registry.dictionary);
                    (dictionary.unit_prices(terms), dictionary.terms_digest(terms))
                }
                _ => Default::default(),
            };
            take(*row, MetTerms { class, prices, digest });
        }
    }

    pub fn reading(&self) -> &'a TableReading {
        self.reading
    }

    pub fn fault(&self, number: u32) -> CellFault {
        let fault = lock(&self.known).faults.get(number as usize).cloned();
        fault.unwrap_or_else(|| CellFault::new(None, ""))
    }
}

fn read(
    registry: &mut Registry<'_>,
    reading: &TableReading,
    columns: &[(usize, Cells<'_>)],
    row: usize,
) -> Result<RowClass, CellFault> {
    let mut terms = Terms::default();
    for (term, input) in &reading.details.terms {
        let (column, text) = match input {
            Input::Constant(text) => (None, Cow::Borrowed(text.as_str())),
            Input::Column(column) | Input::CommaNumber(column) => {
                let cells = columns.iter().find(|(at, _)| at == column);
                (Some(*column), cells.map(|(_, cells)| text(cells, row)).unwrap_or_default())
            }
        };
        if says_nothing(text.as_bytes(), &reading.nulls) {
            continue;
        }
        let symbol = match term.is_price() {
            true => price(registry, reading.decimal_mark, column, &text)?,
            false => registry.dictionary.symbol(&text),
        };
        terms.set(*term, symbol);
    }
    Ok(RowClass::Resource(ResourceId(registry.dictionary.intern_terms(terms).0)))
}

/// The text of a cell, also of a number of a columnar file.
fn text<'a>(cells: &Cells<'a>, row: usize) -> Cow<'a, str> {
    match cells {
        Cells::Decimal { nulls: Some(nulls), .. } if nulls[row] => Cow::default(),
        Cells::Decimal { values, scale, .. } => {
            Cow::Owned(Figure::from_scaled(values[row], *scale).to_string())
        }
        cells => cells.text(row),
    }
}

/// Prices have one spelling, so that `0.10` and `0.1` are the same terms.
fn price(
    registry: &mut Registry<'_>,
    mark: DecimalMark,
    column: Option<usize>,
    text: &str,
) -> Result<Symbol, CellFault> {
    let text = text.as_bytes();
    let price = match mark {
        DecimalMark::Comma => {
            let spelled = decimal_comma::with_point(text);
            let spelled = spelled.ok_or_else(|| no_comma_number(column, text))?;
            Figure::parse(&spelled).map_err(|error| CellFault::new(column, error.to_string()))?
        }
        DecimalMark::Point => {
            Figure::parse(text).map_err(|error| CellFault::of_number(column, text, error))?
        }
    };
    Ok(registry.dictionary.symbol(&price.to_string()))
}
