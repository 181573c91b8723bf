//! Texts of guests on their way to people.

const CHARS_MAX: usize = 1_000;

/// Text of a guest for people's eyes: short, and without characters that could move a terminal's
/// cursor.
pub fn printable(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    let mut printable: String = text.chars().take(CHARS_MAX).map(visible).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        printable.push('…');
    }
    printable
}
