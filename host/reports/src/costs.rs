//! Costs: the ledger's figures by any dimension and span of time.
//!
//! Postings say the team, the service, the rule, the source and the account. Costs by these are
//! read from balances, by the day of posting. Costs by anything else are derived from the charges,
//! by the day of the charge. Both add up to the same total, to the nano. Corrections of closed
//! months are posted on a later day than that of their charges, so there the two ways have
//! different spans. Nobody bears what providers are owed, what is prepaid and what rounding took:
//! it is left out.

pub mod document;
pub mod measured;
pub mod query;
pub mod read;
