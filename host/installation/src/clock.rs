//! The time of day. Settings, rules and reports get it handed in.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time that answers go by; tests fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    System,
    /// In milliseconds since 1970-01-01.
    Fixed(i64),
}

impl Clock {
    /// In milliseconds since 1970-01-01.
    pub fn now_ms(self) -> i64 {
        match self {
            Clock::System => now_ms(),
            Clock::Fixed(at_ms) => at_ms,
        }
    }
}

/// The wall clock, in milliseconds since 1970-01-01.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
