//! The columns of the bill, and one row of it.

use crate::calendar::Hour;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Decimal,
    Time,
}

macro_rules! columns {
    ($($name:ident $kind:ident,)*) => {
        /// The columns, in the order of the file.
        #[expect(dead_code, reason = "ChargeClass is a column of the bill, and always empty")]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Column { $($name),* }

        pub const COLUMNS: [(&str, Kind); COLUMN_COUNT] = [$((stringify!($name), Kind::$kind)),*];
    };
}

pub const COLUMN_COUNT: usize = 46;

columns! {
    AvailabilityZone Text,
    BilledCost Decimal,
    BillingAccountId Text,
    BillingAccountName Text,
    BillingCurrency Text,
    BillingPeriodEnd Time,
    BillingPeriodStart Time,
    ChargeCategory Text,
    ChargeClass Text,
    ChargeDescription Text,
    ChargeFrequency Text,
    ChargePeriodEnd Time,
    ChargePeriodStart Time,
    CommitmentDiscountCategory Text,
    CommitmentDiscountId Text,
    CommitmentDiscountName Text,
    CommitmentDiscountStatus Text,
    CommitmentDiscountType Text,
    ConsumedQuantity Decimal,
    ConsumedUnit Text,
    ContractedCost Decimal,
    ContractedUnitPrice Decimal,
    EffectiveCost Decimal,
    InvoiceId Text,
    InvoiceIssuerName Text,
    ListCost Decimal,
    ListUnitPrice Decimal,
    PricingCategory Text,
    PricingQuantity Decimal,
    PricingUnit Text,
    ProviderName Text,
    PublisherName Text,
    RegionId Text,
    RegionName Text,
    ResourceId Text,
    ResourceName Text,
    ResourceType Text,
    ServiceCategory Text,
    ServiceName Text,
    ServiceSubcategory Text,
    SkuId Text,
    SkuMeter Text,
    SkuPriceId Text,
    SubAccountId Text,
    SubAccountName Text,
    Tags Text,
}

/// The content of one column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell<'a> {
    Empty,
    Text(&'a str),
    /// In units of 10⁻¹⁰.
    Decimal(i64),
    Time(Hour),
}

/// One charge. Cells that are not set are empty.
pub struct Row<'a> {
    pub cells: [Cell<'a>; COLUMN_COUNT],
}

impl<'a> Row<'a> {
    pub fn empty() -> Row<'a> {
        Row { cells: [Cell::Empty; COLUMN_COUNT] }
    }

    pub fn text(&mut self, column: Column, text: &'a str) {
        self.set(column, Kind::Text, Cell::Text(text));
    }

    pub fn decimal(&mut self, column: Column, value: i64) {
        self.set(column, Kind::Decimal, Cell::Decimal(value));
    }

    pub fn time(&mut self, column: Column, hour: Hour) {
        self.set(column, Kind::Time, Cell::Time(hour));
    }

    fn set(&mut self, column: Column, kind: Kind, cell: Cell<'a>) {
        debug_assert_eq!(COLUMNS[column as usize].1, kind);
        self.cells[column as usize] = cell;
    }
}
