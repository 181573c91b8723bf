//! Costs: the ledger's figures by any dimension and span of time.
//!
//! Postings say the team, the service, the rule, the source and the account. Costs by these are
//! read from balances. Costs by anything else are derived from the charges. Both go by the axis of
//! the question, the day of posting or that of the charge, and add up to the same total, to the
//! nano. Nobody bears what providers are owed, what is prepaid and what rounding took: it is left
//! out.

pub mod document;
pub mod filter;
pub mod measured;
pub mod query;
pub mod ranking;
pub mod read;
pub mod spelling;
