//! `matches_pattern`: texts against patterns, in time that grows with the length of the text alone.

use regex_lite::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A compiled pattern takes no more memory than this.
const PATTERN_BYTES_MAX: usize = 64 << 10;
/// Brackets within brackets.
const NEST_MAX: u32 = 32;
/// A rule has few patterns. One that makes them out of values empties the store now and then.
const KEPT_MAX: usize = 256;

/// Patterns that were compiled before.
#[derive(Default)]
pub(crate) struct Patterns(Mutex<HashMap<String, Regex>>);

impl Patterns {
    /// Whether the pattern is found in the text, or why it is none.
    pub(crate) fn is_found(&self, text: &str, pattern: &str) -> Result<bool, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(pattern) {
            return Ok(compiled.is_match(text));
        }
        let compiled = compiled(pattern)?;
        let is_found = compiled.is_match(text);
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(pattern.to_owned(), compiled);
        Ok(is_found)
    }
}

/// Compiles a pattern.
pub(crate) fn compiled(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES_MAX)
        .nest_limit(NEST_MAX)
        .build()
        .map_err(|error| format!("`{pattern}` is no pattern: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_and_hostile_ones_are_refused() {
        let patterns = Patterns::default();
        let found = |text: &str, pattern: &str| patterns.is_found(text, pattern);
        assert_eq!(found("i-0abc12", "^i-[0-9a-f]+$"), Ok(true));
        assert_eq!(found("i-0abc12", "^i-[0-9]+$"), Ok(false));
        assert_eq!(found("Straße", "stra(ß|ss)e"), Ok(false));
        assert_eq!(found("Straße", "(?i)stra(ß|ss)e"), Ok(true));
        // A search that goes back would take 2^4096 steps.
        assert_eq!(found(&"a".repeat(4096), "^(a+)+b$"), Ok(false));
        for wrong in ["(", "a{100000}", "((a{99}){99}){99}", &"(".repeat(99)] {
            assert!(found("a", wrong).is_err(), "{wrong}");
        }
    }
}
