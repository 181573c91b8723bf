//! Windows and bases, as scripts and cases write them.

use crate::decision::{Refusal, kind, refuse, text};
use domain::driver::facts::{CostBasis, Window};
use rhai::Dynamic;

/// A little more than a year. Longer windows would only be slow.
const WINDOW_DAYS_MAX: i64 = 400;

/// The words of bases.
pub(crate) const BASES: [(&str, CostBasis); 5] = [
    ("direct", CostBasis::Direct),
    ("allocated", CostBasis::Allocated),
    ("billed_cost", CostBasis::Billed),
    ("contracted_cost", CostBasis::Contracted),
    ("list_cost", CostBasis::List),
];

pub(crate) const BASIS_WORDS: &str =
    "\"direct\", \"billed_cost\", \"contracted_cost\", \"list_cost\" or \"allocated\"";

/// The words of windows. All days of such a window share it.
pub(crate) const WINDOWS: [(&str, Window); 3] =
    [("day", Window::DAY), ("week", Window::Week), ("month", Window::Month)];

/// The basis that a word means.
pub(crate) fn basis_of(word: &str) -> Option<CostBasis> {
    // The longer word is that of older rules.
    let word = if word == "effective_cost" { "direct" } else { word };
    BASES.iter().find(|(known, _)| *known == word).map(|(_, basis)| *basis)
}

/// The window that a word means.
pub(crate) fn window_of(word: &str) -> Option<Window> {
    WINDOWS.iter().find(|(known, _)| *known == word).map(|(_, window)| *window)
}

/// A window that all of its days share.
pub(crate) fn calendar_window(function: &str, value: &Dynamic) -> Result<Window, Refusal> {
    let word = text(value);
    if let Some(window) = word.as_deref().and_then(window_of) {
        return Ok(window);
    }
    match word.as_deref() {
        Some("charge_period") => Err(refuse(format!(
            "`{function}`: a charge is kept with the day on which its period begins, and not with \
             the end: write window \"month\" for a monthly fee"
        ))),
        _ => Err(refuse(format!(
            "`{function}`: window is \"day\", \"week\" or \"month\", not {}",
            kind(value)
        ))),
    }
}

pub(crate) fn window(function: &str, value: Option<&Dynamic>) -> Result<Window, Refusal> {
    let Some(value) = value else { return Ok(Window::Days(1)) };
    match (text(value).as_deref(), value.as_int()) {
        (Some("day" | "week" | "month" | "charge_period"), _) => calendar_window(function, value),
        (None, Ok(days)) if (1..=WINDOW_DAYS_MAX).contains(&days) => Ok(Window::Days(days as u16)),
        _ => Err(refuse(format!(
            "`{function}`: window is \"day\", \"week\", \"month\" or a number of days up to \
             {WINDOW_DAYS_MAX}, not {}",
            kind(value)
        ))),
    }
}
