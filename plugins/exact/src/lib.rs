//! What collectors that add up and ask day by day share: decimals of any length, and days without a clock.
//!
//! No float takes part: what a source writes as text is added up as text says it.

mod day;
mod days;
mod decimal;

pub use day::{Day, NotADay};
pub use days::Days;
pub use decimal::{Decimal, NotADecimal};
