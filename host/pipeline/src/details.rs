//! The hot half of details: cells of quantities, prices and list costs → columns beside the
//! amounts.
//!
//! Bills say the same number several times: the consumed quantity is the priced one, and the list
//! cost is the billed one. So texts are compared before they are read.

use crate::cell::{CellFault, CellValue, no_comma_number, says_nothing};
use crate::columns::{Input, TableReading};
use crate::interner::{RowClass, RowTable, Secrets, TextHashes, hash_rows};
use crate::terms::{KnownTerms, MetTerms};
use decode::{Batch, Cells};
use domain::decimal::{self, NotAnAmount, Rest};
use domain::decimal_comma;
use domain::figure::{Figure, ShortFigure};
use domain::period::hour_of_instant;
use domain::terms::{Term, TermsId};
use ledger::segment::{Costs, Details, Figures, NO_HOUR, PriceList};
use std::borrow::Cow;

/// What a thread knows of the details of its tables.
pub struct DetailReader<'a, 'r> {
    reading: &'a TableReading,
    known: &'a KnownTerms<'a, 'r>,
    secrets: Secrets,
    columns: Vec<usize>,
    table: RowTable,
    texts: Vec<TextHashes>,
    hashes: Vec<(u64, u64)>,
    classes: Vec<RowClass>,
    unmet: Vec<usize>,
    prices: PriceList,
    /// By number of terms.
    digests: Vec<u128>,
}

impl<'a, 'r> DetailReader<'a, 'r> {
    /// Nothing where the table tells no details, or none are wanted.
    pub fn new(known: &'a KnownTerms<'a, 'r>, secrets: Secrets) -> Option<DetailReader<'a, 'r>> {
        let reading = known.reading();
        if reading.details.is_empty() {
            return None;
        }
        let columns = reading.details.terms.iter().filter_map(|(_, input)| match input {
            Input::Column(column) => Some(*column),
            Input::CommaNumber(_) | Input::Constant(_) => None,
        });
        Some(DetailReader {
            reading,
            known,
            secrets,
            columns: columns.collect(),
            table: RowTable::default(),
            texts: Vec::new(),
            hashes: Vec::new(),
            classes: Vec::new(),
            unmet: Vec::new(),
            prices: PriceList::default(),
            digests: Vec::new(),
        })
    }

    /// Finds the terms of all rows of a batch.
    pub fn begin(&mut self, batch: &Batch<'_>) {
        if self.reading.details.terms.is_empty() {
            return;
        }
        let cells: Vec<(usize, Cells<'_>)> =
            self.columns.iter().map(|column| (*column, batch.columns[*column])).collect();
        let DetailReader { secrets, texts, hashes, .. } = self;
        hash_rows(&cells, batch.rows, secrets, texts, hashes);
        self.table.find_all(&self.hashes, &mut self.classes, &mut self.unmet);
        if !self.unmet.is_empty() {
            self.resolve(&cells);
        }
    }

    #[cold]
    fn resolve(&mut self, cells: &[(usize, Cells<'_>)]) {
        let take = |row: usize, MetTerms { class, prices, digest }: MetTerms| {
            if let RowClass::Resource(number) = class {
                let at = number.0 as usize;
                self.prices.set(TermsId(number.0), prices);
                if self.digests.len() <= at {
                    self.digests.resize(at + 1, 0);
                }
                self.digests[at] = digest;
            }
            self.classes[row] = class;
            self.table.insert(self.hashes[row], class);
        };
        self.known.resolve(&self.unmet, &self.hashes, cells, take);
    }

    pub fn prices(&self) -> &PriceList {
        &self.prices
    }

    /// The digest of a row's details, for the fingerprint.
    pub fn digest(&self, details: &Details, row: usize) -> u128 {
        let terms = details.terms.get(row).and_then(|terms| self.digests.get(*terms as usize));
        details.digest(row, terms.copied().unwrap_or_default())
    }

    /// Adds a row's details. After a fault, some columns may have the row and others not.
    #[inline]
    pub fn push(
        &self,
        batch: &Batch<'_>,
        row: usize,
        billed: BilledCell<'_>,
        into: &mut Details,
    ) -> Result<(), CellFault> {
        let inputs = &self.reading.details;
        let (mut contracted, mut list) = (None, None);
        if !inputs.terms.is_empty() {
            match self.classes[row] {
                RowClass::Resource(number) => into.terms.push(number.0),
                RowClass::Rejected(number) => return Err(self.known.fault(number)),
                RowClass::Skipped => into.terms.push(TermsId::UNKNOWN.0),
            }
        }
        if let Some(input) = &inputs.pricing_quantity {
            self.figure(input, batch, row, &mut into.pricing_quantity)?;
        }
        if let Some(input) = &inputs.consumed_quantity {
            match &inputs.pricing_quantity {
                Some(other)
                    if CellValue::of(input, batch, row).is(CellValue::of(other, batch, row)) =>
                {
                    into.consumed_quantity.push_last_of(&into.pricing_quantity);
                }
                _ => self.figure(input, batch, row, &mut into.consumed_quantity)?,
            }
        }
        let product = |term| self.product(term, &into.terms, &into.pricing_quantity);
        if let Some(input) = &inputs.contracted_cost {
            let product = || product(Term::ContractedUnitPrice);
            contracted =
                self.cost(input, batch, row, billed, product, &mut into.contracted_cost)?;
        } else if inputs.has_product(Term::ContractedUnitPrice) {
            contracted = push(product(Term::ContractedUnitPrice), &mut into.contracted_cost);
        }
        if let Some(input) = &inputs.list_cost {
            let product = || product(Term::ListUnitPrice);
            list = self.cost(input, batch, row, billed, product, &mut into.list_cost)?;
        } else if inputs.has_product(Term::ListUnitPrice) {
            list = push(product(Term::ListUnitPrice), &mut into.list_cost);
        }
        if inputs.hours {
            into.hours.push(hour(&self.reading.charge_period_start, batch, row));
        }
        // Last, because a row with a fault must not leave its rests behind.
        if let Some(rest) = contracted {
            into.contracted_rest.add_rest(&rest);
        }
        if let Some(rest) = list {
            into.list_rest.add_rest(&rest);
        }
        Ok(())
    }

    #[inline]
    fn figure(
        &self,
        input: &Input,
        batch: &Batch<'_>,
        row: usize,
        into: &mut Figures,
    ) -> Result<(), CellFault> {
        let text = match CellValue::of(input, batch, row) {
            CellValue::Text(text) => text,
            CellValue::Null => {
                into.push_unknown();
                return Ok(());
            }
            CellValue::Scaled(value, scale) => {
                into.push(Some(Figure::from_scaled(value, scale)));
                return Ok(());
            }
        };
        match (input, ShortFigure::parse(text)) {
            (Input::Column(_) | Input::Constant(_), Some(short)) => into.push_short(short),
            _ if self.is_null(text) => into.push_unknown(),
            _ => {
                let figure = Figure::parse(&with_point(input, text)?)
                    .map_err(|error| no_number(input, text, error))?;
                into.push(Some(figure));
            }
        }
        Ok(())
    }

    /// The pricing quantity of a row × a unit price: the cost of a row that does not say it.
    #[cold]
    fn product(&self, price: Term, terms: &[u32], quantities: &Figures) -> Option<(i128, Rest)> {
        // Terms and quantities are added before costs, so those of the row are the last ones.
        let at = terms.len().checked_sub(1)?;
        let prices = self.prices.get(*terms.get(at)?);
        let price = match price {
            Term::ListUnitPrice => prices.list?,
            _ => prices.contracted?,
        };
        exact_product(&quantities.get(at)?, price)
    }

    /// Adds a cost, and returns what nanos do not hold of it.
    #[inline]
    fn cost(
        &self,
        input: &Input,
        batch: &Batch<'_>,
        row: usize,
        billed: BilledCell<'_>,
        product: impl FnOnce() -> Option<(i128, Rest)>,
        into: &mut Costs,
    ) -> Result<Option<Rest>, CellFault> {
        let cell = CellValue::of(input, batch, row);
        if cell.is(billed.cell) {
            into.push_short(billed.nanos);
            return Ok(None);
        }
        let parsed = match cell {
            CellValue::Text(text) => match (input, decimal::parse_plain(text)) {
                (Input::Column(_) | Input::Constant(_), Some((nanos, rest))) => {
                    into.push_short(nanos);
                    return Ok((rest != 0).then_some(Rest::Fine(rest)));
                }
                _ if self.is_null(text) => Err(NotAnAmount::Empty),
                _ => decimal::parse_wide(&with_point(input, text)?),
            },
            CellValue::Null => Err(NotAnAmount::Empty),
            CellValue::Scaled(value, scale) => decimal::wide_from_scaled(value, scale),
        };
        match parsed {
            Ok(cost) => Ok(push(Some(cost), into)),
            Err(NotAnAmount::Empty) => Ok(push(product(), into)),
            Err(error) => match cell {
                CellValue::Text(text) => Err(no_number(input, text, error)),
                _ => Err(CellFault::new(column(input), error.to_string())),
            },
        }
    }

    #[cold]
    fn is_null(&self, text: &[u8]) -> bool {
        says_nothing(text, &self.reading.nulls)
    }
}

/// Adds a cost, and returns what nanos do not hold of it.
fn push(cost: Option<(i128, Rest)>, into: &mut Costs) -> Option<Rest> {
    let (nanos, rest) = cost.unzip();
    into.push(nanos);
    rest.filter(|rest| *rest != Rest::Fine(0))
}

/// Nothing where it is larger than an amount can be.
fn exact_product(quantity: &Figure, price: ShortFigure) -> Option<(i128, Rest)> {
    match quantity {
        // Two numbers of 64 bits have a product of 128.
        Figure::Short(quantity) => {
            let digits = i128::from(quantity.digits).wrapping_mul(price.digits.into());
            let places = u32::from(quantity.places) + u32::from(price.places);
            decimal::wide_from_scaled(digits, places).ok()
        }
        Figure::Long(quantity) => {
            let product = quantity.product(&price.decimal());
            decimal::parse_wide(product.to_string().as_bytes()).ok()
        }
    }
}

/// The billed amount of a row as it stands there, and its nanos where these are exact.
#[derive(Clone, Copy)]
pub struct BilledCell<'a> {
    cell: CellValue<'a>,
    nanos: i64,
}

impl<'a> BilledCell<'a> {
    /// `nanos` is nothing where the text says more than they hold.
    #[inline]
    pub fn new(
        input: &'a Input,
        batch: &Batch<'a>,
        row: usize,
        nanos: Option<i64>,
    ) -> BilledCell<'a> {
        match nanos {
            Some(nanos) => BilledCell { cell: CellValue::of(input, batch, row), nanos },
            // Nothing equals no other cell.
            None => BilledCell { cell: CellValue::Null, nanos: 0 },
        }
    }
}

/// A day without a time of day has no hour.
fn hour(input: &Input, batch: &Batch<'_>, row: usize) -> u8 {
    match CellValue::of(input, batch, row) {
        CellValue::Text(text) => hour_of_instant(text).unwrap_or(NO_HOUR),
        _ => NO_HOUR,
    }
}

fn column(input: &Input) -> Option<usize> {
    match input {
        Input::Column(column) | Input::CommaNumber(column) => Some(*column),
        Input::Constant(_) => None,
    }
}

/// Where the table has decimal commas anyway, a comma is no reason to doubt its other numbers.
fn no_number(input: &Input, text: &[u8], error: impl ToString) -> CellFault {
    match input {
        Input::CommaNumber(column) => CellFault::new(Some(*column), error.to_string()),
        _ => CellFault::of_number(column(input), text, error),
    }
}

/// A number of a table with decimal commas is read as one with a point.
fn with_point<'t>(input: &Input, text: &'t [u8]) -> Result<Cow<'t, [u8]>, CellFault> {
    let Input::CommaNumber(column) = input else { return Ok(Cow::Borrowed(text)) };
    let spelled = decimal_comma::with_point(text);
    spelled.map(Cow::from).ok_or_else(|| no_comma_number(Some(*column), text))
}
