//! Names as people should see them: characters that cannot be seen stand as escapes.
//!
//! Two names that differ by such a character look alike, and one that turns the direction of text
//! hides what a line says.

use std::borrow::Cow;

/// The text with `\u{200b}` in place of what nobody sees. Ends of lines and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unseen(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The same on one line: ends of lines and tabs stand as escapes too. A name in a table or a log
/// begins no line of its own.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\t']) {
        return visible(text);
    }
    Cow::Owned(visible(text).replace('\n', "\\n").replace('\t', "\\t"))
}

/// Control characters, spaces that are not the usual one, and characters without a shape.
fn is_unseen(c: char) -> bool {
    match c {
        ' '..='~' | '\n' | '\t' => false,
        '\u{A0}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' => true,
        '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{206F}' => true,
        '\u{3000}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' => true,
        '\u{E0000}'..='\u{E0FFF}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_several_lines_is_one_line() {
        for (text, expect) in [
            ("kestrel", "kestrel"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("a\r\n\u{1B}[1A\u{9B}2J", "a\\u{d}\\n\\u{1b}[1A\\u{9b}2J"),
        ] {
            assert_eq!(visible_line(text), expect, "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_written_out() {
        for (text, expect) in [
            ("kestrel", "kestrel"),
            ("Zürich 🚀\n\tnext", "Zürich 🚀\n\tnext"),
            ("kes\u{200B}trel", "kes\\u{200b}trel"),
            ("\u{FEFF}acc", "\\u{feff}acc"),
            ("a\u{A0}b", "a\\u{a0}b"),
            ("\u{202E}fdp", "\\u{202e}fdp"),
            ("a\u{1B}[2Kb\r\0", "a\\u{1b}[2Kb\\u{d}\\u{0}"),
        ] {
            assert_eq!(visible(text), expect, "{text:?}");
        }
    }
}
