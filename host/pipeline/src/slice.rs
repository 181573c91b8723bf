//! One source's part of a day.

use crate::cells::Cells;
use crate::report::our_fault;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::driver::facts::Basis;
use domain::money::Sum;
use domain::run::{DayTotals, SourceDay};

/// One source's part of a day, summed into cells.
pub struct DaySlice {
    pub source_day: SourceDay,
    pub totals: DayTotals,
    /// By the number of the cell.
    pub sums: Vec<CellSum>,
    /// List and contracted cost by cell. Empty where no rule weighs by them.
    pub details: Vec<CellDetails>,
    /// Cell and effective cost of the charges that are split one by one.
    pub by_charge: Vec<(u32, i64)>,
    effective: i128,
    billed: i128,
    charges: u64,
}

/// The sums of costs that charges need not say.
#[derive(Clone, Copy, Default)]
pub struct CellDetails {
    pub contracted: KnownSum,
    pub list: KnownSum,
}

/// A sum of what is known, and the number of charges of which nothing is.
#[derive(Clone, Copy, Default)]
pub struct KnownSum {
    pub nanos: i128,
    pub unknown: u64,
}

impl KnownSum {
    fn add(&mut self, nanos: Option<i128>) {
        match nanos {
            Some(nanos) => self.nanos += nanos,
            None => self.unknown += 1,
        }
    }
}

#[derive(Clone, Copy, Default)]
pub struct CellSum {
    pub billed: i128,
    pub effective: SideSums,
}

/// Amounts above zero and amounts below. They are apart because reports show them apart: charges
/// that cancel out can have different tags.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SideSums {
    pub above: i128,
    pub below: i128,
}

impl CellSum {
    pub fn is_zero(self) -> bool {
        self.billed == 0 && self.effective == SideSums::default()
    }
}

impl SideSums {
    #[inline]
    pub fn add(&mut self, nanos: i128) {
        if nanos < 0 {
            self.below += nanos;
        } else {
            self.above += nanos;
        }
    }

    pub fn net(self) -> i128 {
        self.above + self.below
    }

    /// The amounts above zero, then those below.
    pub fn sides(self) -> [i128; 2] {
        [self.above, self.below]
    }
}

impl DaySlice {
    pub fn new(source_day: SourceDay, totals: DayTotals) -> DaySlice {
        DaySlice {
            source_day,
            totals,
            sums: Vec::new(),
            details: Vec::new(),
            by_charge: Vec::new(),
            effective: 0,
            billed: 0,
            charges: 0,
        }
    }

    #[inline]
    pub fn add(&mut self, cells: &Cells, cell: u32, billed: i64, effective: i64) {
        let at = cell as usize;
        // Where rules decide charge by charge, new cells appear while charges are summed.
        if self.sums.len() <= at {
            self.sums.resize(cells.cells.len().max(at + 1), CellSum::default());
        }
        self.sums[at].billed += i128::from(billed);
        self.sums[at].effective.add(i128::from(effective));
        if cells.by_charge[at] {
            self.by_charge.push((cell, effective));
        }
    }

    /// Adds what a charge of a cell says of its other costs.
    pub fn add_details(&mut self, cell: u32, contracted: Option<i128>, list: Option<i128>) {
        let at = cell as usize;
        if self.details.len() <= at {
            self.details.resize(self.sums.len().max(at + 1), CellDetails::default());
        }
        self.details[at].contracted.add(contracted);
        self.details[at].list.add(list);
    }

    /// Whether the cell has charges, even if they cancel out: their shares need not cancel out.
    pub fn has_charges(&self, cell: usize) -> bool {
        self.effective(cell) != SideSums::default()
            || self.by_charge.iter().any(|(at, _)| *at as usize == cell)
    }

    pub fn effective(&self, cell: usize) -> SideSums {
        self.sums.get(cell).map_or_else(SideSums::default, |sum| sum.effective)
    }

    /// The sum of a cell's charges.
    pub fn cost(&self, cell: usize, basis: Basis) -> i128 {
        let sum = self.sums.get(cell).copied().unwrap_or_default();
        match basis {
            Basis::Effective => sum.effective.net(),
            Basis::Billed => sum.billed,
            Basis::Contracted | Basis::List => self.known(cell, basis).nanos,
        }
    }

    /// The number of a cell's charges that do not say this cost.
    pub fn unknown(&self, cell: usize, basis: Basis) -> u64 {
        self.known(cell, basis).unknown
    }

    fn known(&self, cell: usize, basis: Basis) -> KnownSum {
        let details = self.details.get(cell).copied().unwrap_or_default();
        match basis {
            Basis::Effective | Basis::Billed => KnownSum::default(),
            Basis::Contracted => details.contracted,
            Basis::List => details.list,
        }
    }

    pub fn add_segment_totals(&mut self, charges: u64, billed: Sum, effective: Sum) {
        self.charges += charges;
        self.billed += billed.nanos();
        self.effective += effective.nanos();
    }

    /// The charges read back from the ledger must add up to the source's statement, to the nano.
    pub fn check(&self) -> Result<(), Diagnostic> {
        let billed: i128 = self.sums.iter().map(|sum| sum.billed).sum();
        let effective: i128 = self.sums.iter().map(|sum| sum.effective.net()).sum();
        let stated =
            (self.totals.charges, self.totals.billed.nanos(), self.totals.effective.nanos());
        // Three sums must agree: the statement, the segments' totals, and the charges in cells.
        if (self.charges, self.billed, self.effective) == stated
            && (billed, effective) == (self.billed, self.effective)
        {
            return Ok(());
        }
        Err(lost(
            &self.source_day,
            "reading the charges back",
            Sum::from_nanos(stated.2),
            Sum::from_nanos(effective),
        ))
    }
}

/// The finding that a stage gave back another amount than went into it.
pub fn lost(day: &SourceDay, stage: &str, before: Sum, after: Sum) -> Diagnostic {
    Diagnostic::new(
        code::CONSERVATION,
        format!(
            "{} on {}: {before} {} went into {stage} and {after} came out; nothing was posted",
            day.source, day.day, day.currency
        ),
    )
    .hint(our_fault())
}
