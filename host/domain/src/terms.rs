//! Terms: the part of a charge that many charges share, and that no rule decides by.
//!
//! Two charges of one resource can have different prices or invoices. If those were dimensions,
//! each pair would be a resource of its own, and each resource costs a decision. So terms are
//! interned beside resources, and a charge names both by number.

use crate::dictionary::Symbol;
use crate::figure::ShortFigure;

/// The number of interned terms. Number 0 has nothing known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct TermsId(pub u32);

impl TermsId {
    pub const UNKNOWN: TermsId = TermsId(0);
}

/// One part of the terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Term {
    ListUnitPrice,
    ContractedUnitPrice,
    PricingUnit,
    ConsumedUnit,
    InvoiceId,
    InvoiceIssuerName,
}

impl Term {
    pub const ALL: [Term; 6] = [
        Term::ListUnitPrice,
        Term::ContractedUnitPrice,
        Term::PricingUnit,
        Term::ConsumedUnit,
        Term::InvoiceId,
        Term::InvoiceIssuerName,
    ];
    pub const COUNT: usize = Term::ALL.len();

    /// Snake case: `list_unit_price`.
    pub fn name(self) -> &'static str {
        match self {
            Term::ListUnitPrice => "list_unit_price",
            Term::ContractedUnitPrice => "contracted_unit_price",
            Term::PricingUnit => "pricing_unit",
            Term::ConsumedUnit => "consumed_unit",
            Term::InvoiceId => "invoice_id",
            Term::InvoiceIssuerName => "invoice_issuer_name",
        }
    }

    pub fn by_name(name: &str) -> Option<Term> {
        Term::ALL.into_iter().find(|term| term.name() == name)
    }

    /// Prices are figures, and are interned in one spelling.
    pub fn is_price(self) -> bool {
        matches!(self, Term::ListUnitPrice | Term::ContractedUnitPrice)
    }
}

/// Terms to intern. A term that is not known is `Symbol::NONE`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Terms(pub [Symbol; Term::COUNT]);

impl Terms {
    pub fn get(&self, term: Term) -> Symbol {
        self.0[term as usize]
    }

    pub fn set(&mut self, term: Term, symbol: Symbol) {
        self.0[term as usize] = symbol;
    }
}

/// The prices of terms as numbers. A price that is not known or does not fit the short form is
/// absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UnitPrices {
    pub list: Option<ShortFigure>,
    pub contracted: Option<ShortFigure>,
}
