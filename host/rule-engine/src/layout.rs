//! Lays out a rule's text: indents by nesting, drops blanks at line ends, and puts one empty line
//! between functions.
//!
//! Words and comments stay on their lines. The script engine cuts the old and the new text into
//! words, and the layout is used only if the words are the same. So a fault in this file can make a
//! rule look odd, but cannot change its meaning.

use crate::code::{RULE_LAYOUT, RULE_SYNTAX};
use crate::folder;
use crate::language;
use crate::options::RuleLimits;
use crate::text_file::TextFile;
use crate::tokens;
use domain::diagnostic::Diagnostic;
use rhai::{Engine, Position};
use std::path::Path;

/// The layout of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLayout {
    pub rule: String,
    /// The path as findings show it.
    pub file: String,
    /// The new text. `None` if the file is laid out well already.
    pub text: Option<String>,
}

const INDENT: usize = 4;

/// Lays out all rules of a folder. A file that cannot be laid out becomes a finding, and the others
/// are laid out nevertheless.
pub fn lay_out(dir: &Path) -> Result<(Vec<RuleLayout>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let folder = folder::read(dir)?;
    let engine = language::bare_engine(&RuleLimits::default());
    let (mut laid_out, mut findings) = (Vec::new(), Vec::new());
    for source in folder.rules {
        match lay_out_one(&engine, &source) {
            Ok(text) => laid_out.push(RuleLayout {
                rule: source.id,
                file: source.label,
                text: Some(text).filter(|text| *text != source.text),
            }),
            Err(finding) => findings.push(*finding),
        }
    }
    Ok((laid_out, findings))
}

fn lay_out_one(engine: &Engine, file: &TextFile) -> Result<String, Box<Diagnostic>> {
    engine.compile(&file.text).map_err(|error| {
        let finding = file.finding(
            RULE_SYNTAX,
            format!("the rule does not compile, so it is left as it is: {}", error.err_type()),
            error.position(),
        );
        Box::new(finding)
    })?;
    let text = laid_out(&file.text);
    if says(engine, &text).is_some() && says(engine, &text) == says(engine, &file.text) {
        return Ok(text);
    }
    let message = "the layout would change what the rule says, so it is left as it is";
    Err(Box::new(
        file.finding(RULE_LAYOUT, message, Position::NONE)
            .hint("lay it out by hand, and report the file: this is a fault of Apportion"),
    ))
}

/// The words and comments of a text: everything but blanks.
fn says(engine: &Engine, text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let words =
        tokens::words(engine, text)?.into_iter().map(|word| format!("{:?}", word.token)).collect();
    let comments = lines(text).into_iter().flat_map(|line| line.comments).collect();
    Some((words, comments))
}

/// The facts about a line that its layout depends on.
#[derive(Default)]
struct Line<'t> {
    text: &'t str,
    /// The line begins inside a text or comment of several lines, so it must stay as it is.
    begins_inside: bool,
    /// The line ends inside a text or comment, so blanks at its end may count.
    ends_inside: bool,
    /// Brackets in order: `true` opens, `false` closes.
    brackets: Vec<bool>,
    /// The number of closing brackets at the start of the line.
    closes_first: usize,
    /// The last character that is neither blank nor comment.
    last: Option<char>,
    comments: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Code,
    Quotes,
    Character,
    /// A text in backticks. `${` leads back to code, until its bracket closes.
    Backticks,
    /// A raw text, with the number of its `#`.
    Raw(usize),
    /// A comment, with the depth of its nesting.
    Comment(usize),
}

struct Scanner {
    inside: Context,
    /// For each open `${`, the number of open brackets at which its text goes on.
    resume: Vec<usize>,
    open: usize,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut scanner = Scanner { inside: Context::Code, resume: Vec::new(), open: 0 };
    text.lines().map(|line| scanner.line(line)).collect()
}

impl Scanner {
    fn line<'t>(&mut self, text: &'t str) -> Line<'t> {
        let begins_inside = self.inside != Context::Code;
        let mut line = Line { text, begins_inside, ..Line::default() };
        let mut at = 0;
        if let Context::Comment(_) = self.inside {
            line.comments.push(text.trim().to_owned());
        }
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.inside {
                Context::Code => self.code(rest, &mut line),
                _ => self.other(rest, &mut line),
            };
        }
        // A character cannot go on over the end of a line.
        if matches!(self.inside, Context::Character) {
            self.inside = Context::Code;
        }
        line.ends_inside = self.inside != Context::Code;
        line
    }

    /// Reads one token of code at the start of `rest`, and returns its length in bytes.
    fn code(&mut self, rest: &str, line: &mut Line<'_>) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        if rest.starts_with("//") {
            line.comments.push(rest.trim_end().to_owned());
            return rest.len();
        }
        if rest.starts_with("/*") {
            line.comments.push(rest.trim_end().to_owned());
            self.inside = Context::Comment(1);
            return 2;
        }
        let hashes = rest.chars().take_while(|c| *c == '#').count();
        if hashes > 0 && rest.get(hashes..).is_some_and(|rest| rest.starts_with('"')) {
            self.inside = Context::Raw(hashes);
            line.last = Some('"');
            return hashes + 1;
        }
        match first {
            '"' => self.inside = Context::Quotes,
            '\'' => self.inside = Context::Character,
            '`' => self.inside = Context::Backticks,
            '{' | '(' | '[' => {
                line.brackets.push(true);
                self.open += 1;
            }
            '}' | ')' | ']' => {
                self.open = self.open.saturating_sub(1);
                if self.resume.last() == Some(&self.open) && first == '}' {
                    self.resume.pop();
                    self.inside = Context::Backticks;
                    return 1;
                }
                if line.last.is_none_or(|last| "})]".contains(last))
                    && line.brackets.iter().all(|opens| !opens)
                {
                    line.closes_first += 1;
                }
                line.brackets.push(false);
            }
            _ => {}
        }
        if !first.is_whitespace() {
            line.last = Some(first);
        }
        first.len_utf8()
    }

    /// The same inside a text or comment.
    fn other(&mut self, rest: &str, line: &mut Line<'_>) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        let escaped = || 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
        let (ends, taken) = match self.inside {
            Context::Comment(depth) if rest.starts_with("/*") => {
                self.inside = Context::Comment(depth + 1);
                return 2;
            }
            Context::Comment(depth) if rest.starts_with("*/") => {
                self.inside = if depth > 1 { Context::Comment(depth - 1) } else { Context::Code };
                return 2;
            }
            Context::Quotes | Context::Character | Context::Backticks if first == '\\' => {
                return escaped();
            }
            Context::Backticks if rest.starts_with("${") => {
                self.resume.push(self.open);
                self.open += 1;
                self.inside = Context::Code;
                return 2;
            }
            Context::Raw(hashes) => {
                (rest.starts_with(&format!("\"{}", "#".repeat(hashes))), hashes + 1)
            }
            Context::Quotes => (first == '"', 1),
            Context::Character => (first == '\'', 1),
            Context::Backticks => (first == '`', 1),
            Context::Comment(_) | Context::Code => (false, 1),
        };
        if !ends {
            return first.len_utf8();
        }
        self.inside = Context::Code;
        line.last = Some('"');
        taken
    }
}

fn laid_out(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    // The indents of the lines on which the open brackets stand.
    let mut open: Vec<usize> = Vec::new();
    let mut goes_on = false;
    for line in lines(text) {
        let trimmed = line.text.trim();
        if line.begins_inside {
            out.push(if line.ends_inside {
                line.text.to_owned()
            } else {
                line.text.trim_end().to_owned()
            });
            nest(&mut open, &line, 0);
            goes_on = !line.ends_inside && does_not_end(line.last);
            continue;
        }
        if trimmed.is_empty() {
            out.push(String::new());
            continue;
        }
        let closed = open.len().saturating_sub(line.closes_first);
        let level = match line.closes_first {
            0 => open.last().map_or(0, |indent| indent + 1),
            _ => open.get(closed).copied().unwrap_or(0),
        };
        let continues = (goes_on || begins_with_operator(trimmed))
            && line.closes_first == 0
            && line.last.is_some();
        let level = level + usize::from(continues);
        let kept = if line.ends_inside { line.text.trim_start() } else { trimmed };
        out.push(format!("{}{kept}", " ".repeat(level * INDENT)));
        nest(&mut open, &line, level);
        if line.last.is_some() {
            goes_on = !line.ends_inside && does_not_end(line.last);
        }
    }
    spaced(&out)
}

/// Keeps the indents of open brackets. Several that open on one line indent once.
fn nest(open: &mut Vec<usize>, line: &Line<'_>, level: usize) {
    for opens in &line.brackets {
        if *opens {
            open.push(level);
        } else {
            open.pop();
        }
    }
}

fn does_not_end(last: Option<char>) -> bool {
    last.is_some_and(|last| "=+-*/%&|<>?.!".contains(last))
}

fn begins_with_operator(line: &str) -> bool {
    ["&&", "||", "==", "!=", "<", ">", "+", "*", "/", "%", "??", ".", "?."]
        .iter()
        .any(|operator| line.starts_with(operator))
        && !["//", "/*", ".."].iter().any(|other| line.starts_with(other))
}

/// Puts one empty line before each function, at most one anywhere, and none at either end.
fn spaced(lines: &[String]) -> String {
    let mut out: Vec<&str> = Vec::new();
    let facts = self::lines_inside(lines);
    for (at, line) in lines.iter().enumerate() {
        let keeps = facts.get(at).copied().unwrap_or(false);
        if line.is_empty() && !keeps {
            if out.last().is_some_and(|last| !last.is_empty()) {
                out.push("");
            }
            continue;
        }
        let is_function = !keeps && (line.starts_with("fn ") || line.starts_with("private fn "));
        if is_function {
            // A comment right above a function belongs to the function.
            let above = out
                .iter()
                .rev()
                .take_while(|line| line.starts_with("//") && !line.starts_with("//!"))
                .count();
            let start = out.len() - above;
            if start > 0 && out.get(start - 1).is_some_and(|line| !line.is_empty()) {
                out.insert(start, "");
            }
        }
        out.push(line);
    }
    while out.last().is_some_and(|line| line.is_empty()) {
        out.pop();
    }
    let first = out.iter().position(|line| !line.is_empty()).unwrap_or(0);
    format!("{}\n", out.get(first..).unwrap_or_default().join("\n"))
}

/// Whether each line begins inside a text or comment.
fn lines_inside(lines: &[String]) -> Vec<bool> {
    let mut scanner = Scanner { inside: Context::Code, resume: Vec::new(), open: 0 };
    lines.iter().map(|line| scanner.line(line).begins_inside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let out = laid_out(text);
        assert_eq!(out, expect);
        assert_eq!(laid_out(&out), out, "laid out twice");
        let engine = Engine::new();
        assert_eq!(says(&engine, &out), says(&engine, text));
    }

    #[test]
    fn nesting_and_blanks_are_put_right() {
        check(
            "//! Doc.  \n\n\nrule(#{ priority: 1 });\nfn matches(charge) {  \ncharge.a == \"x\" \
             &&\n  charge.b\n      || any_of(c, [\n\"a\", \"b\",\n  ])\n}\n// About it.\n/// \
             More.\nfn allocate(charge) {\n\n\n\tif x { return 1; }\n  assign(#{\n  \
             team: \"a\",\n      })\n   }\n\n\n",
            "//! Doc.\n\nrule(#{ priority: 1 });\n\nfn matches(charge) {\n    charge.a == \"x\" \
             &&\n        charge.b\n        || any_of(c, [\n            \"a\", \"b\",\n        ])\n\
             }\n\n// About it.\n/// More.\nfn allocate(charge) {\n\n    if x { return 1; }\n    \
             assign(#{\n        team: \"a\",\n    })\n}\n",
        );
    }

    #[test]
    fn texts_and_comments_over_several_lines_stay_as_they_are() {
        check(
            "fn f() {\nlet a = `one  \n  two ${ if x { \"}\" } else { y } }  \n three`;   \n/* a  \
             {\n  b */\n#\"{\"#;\n'{';\n\"\\\"{\"\n}",
            "fn f() {\n    let a = `one  \n  two ${ if x { \"}\" } else { y } }  \n three`;\n    \
             /* a  {\n  b */\n    #\"{\"#;\n    '{';\n    \"\\\"{\"\n}\n",
        );
    }

    /// The shipped rules are laid out well. Without indents and with blanks at every line end they
    /// must come out the same.
    #[test]
    fn shipped_rules_come_back_from_a_mess() {
        let folder = folder::read(Path::new("../../rules/starter"))
            .unwrap_or_else(|findings| panic!("{findings:?}"));
        assert!(folder.rules.len() >= 7);
        for rule in folder.rules {
            let mess: String =
                rule.text.lines().map(|line| format!("\t{}  \n\n", line.trim())).collect();
            let code = |text: &str| {
                text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(code(&laid_out(&mess)), code(&rule.text), "{}", rule.id);
        }
    }
}
