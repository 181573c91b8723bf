//! Lays a rule's text out anew: indents by nesting, drops blanks at line ends, puts one empty line between functions.
//!
//! Words and comments stay on their lines. That nothing but blanks changed is not believed but shown, by cutting both
//! texts into words with the script engine.

use crate::code::RULE_LAYOUT;
use crate::code::RULE_SYNTAX;
use crate::compile::SourceFile;
use crate::folder::{self, Source};
use crate::language;
use crate::set::Limits;
use crate::tokens;
use domain::diagnostic::Diagnostic;
use rhai::{Engine, Position};
use std::path::Path;

/// What came of the layout of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaidOut {
    pub rule: String,
    /// What findings call the file.
    pub file: String,
    /// The new text; nothing where the file is well laid out already.
    pub text: Option<String>,
}

const INDENT: usize = 4;

/// Lays out all rules of a folder. Files that cannot be cut into words are findings, and the others are laid out all the same.
pub fn lay_out(dir: &Path) -> Result<(Vec<LaidOut>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let folder = folder::read(dir)?;
    let engine = language::bare_engine(&Limits::default());
    let (mut laid_out, mut findings) = (Vec::new(), Vec::new());
    for source in folder.rules {
        match lay_out_one(&engine, &source) {
            Ok(text) => laid_out.push(LaidOut {
                rule: source.id,
                file: source.label,
                text: Some(text).filter(|text| *text != source.text),
            }),
            Err(finding) => findings.push(*finding),
        }
    }
    Ok((laid_out, findings))
}

fn lay_out_one(engine: &Engine, source: &Source) -> Result<String, Box<Diagnostic>> {
    let file = SourceFile { label: source.label.clone(), text: source.text.clone() };
    engine.compile(&source.text).map_err(|error| {
        let finding = file.finding(
            RULE_SYNTAX,
            format!("the rule does not compile, so it is left as it is: {}", error.err_type()),
            error.position(),
        );
        Box::new(finding)
    })?;
    let text = laid_out(&source.text);
    if says(engine, &text).is_some() && says(engine, &text) == says(engine, &source.text) {
        return Ok(text);
    }
    let message = "the layout would change what the rule says, so it is left as it is";
    Err(Box::new(
        file.finding(RULE_LAYOUT, message, Position::NONE)
            .hint("lay it out by hand, and report the file: this is a fault of Apportion"),
    ))
}

/// Everything but blanks: words and comments.
fn says(engine: &Engine, text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let words =
        tokens::words(engine, text)?.into_iter().map(|word| format!("{:?}", word.token)).collect();
    let comments = lines(text).into_iter().flat_map(|line| line.comments).collect();
    Some((words, comments))
}

/// A line as the layout sees it.
#[derive(Default)]
struct Line<'t> {
    text: &'t str,
    /// It begins inside of a text or comment that goes over several lines: it must stay as it is.
    begins_inside: bool,
    /// It ends inside of one: blanks at its end may count.
    ends_inside: bool,
    /// Brackets, in order; `true` opens.
    brackets: Vec<bool>,
    /// Brackets that close before anything else stands on the line.
    closes_first: usize,
    /// The last thing that is neither blank nor comment.
    last: Option<char>,
    comments: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    Quotes,
    Character,
    /// A text in backticks; `${` leads back to code until the brackets that were open are the same again.
    Backticks,
    /// Raw texts end with as many `#` as they begin with.
    Raw(usize),
    /// Nested so deep.
    Comment(usize),
}

struct Scanner {
    inside: Inside,
    /// Open brackets at which code ends and a text in backticks goes on.
    resume: Vec<usize>,
    open: usize,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut scanner = Scanner { inside: Inside::Code, resume: Vec::new(), open: 0 };
    text.lines().map(|line| scanner.line(line)).collect()
}

impl Scanner {
    fn line<'t>(&mut self, text: &'t str) -> Line<'t> {
        let mut line = Line { text, begins_inside: self.inside != Inside::Code, ..Line::default() };
        let mut at = 0;
        if let Inside::Comment(_) = self.inside {
            line.comments.push(text.trim().to_owned());
        }
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.inside {
                Inside::Code => self.code(rest, &mut line),
                _ => self.other(rest, &mut line),
            };
        }
        // Neither goes on over the end of a line; the text would not compile.
        if matches!(self.inside, Inside::Character) {
            self.inside = Inside::Code;
        }
        line.ends_inside = self.inside != Inside::Code;
        line
    }

    /// Takes in what stands at the start of `rest`; answers its bytes.
    fn code(&mut self, rest: &str, line: &mut Line<'_>) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        if rest.starts_with("//") {
            line.comments.push(rest.trim_end().to_owned());
            return rest.len();
        }
        if rest.starts_with("/*") {
            line.comments.push(rest.trim_end().to_owned());
            self.inside = Inside::Comment(1);
            return 2;
        }
        let hashes = rest.chars().take_while(|c| *c == '#').count();
        if hashes > 0 && rest.get(hashes..).is_some_and(|rest| rest.starts_with('"')) {
            self.inside = Inside::Raw(hashes);
            line.last = Some('"');
            return hashes + 1;
        }
        match first {
            '"' => self.inside = Inside::Quotes,
            '\'' => self.inside = Inside::Character,
            '`' => self.inside = Inside::Backticks,
            '{' | '(' | '[' => {
                line.brackets.push(true);
                self.open += 1;
            }
            '}' | ')' | ']' => {
                self.open = self.open.saturating_sub(1);
                if self.resume.last() == Some(&self.open) && first == '}' {
                    self.resume.pop();
                    self.inside = Inside::Backticks;
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

    fn other(&mut self, rest: &str, line: &mut Line<'_>) -> usize {
        let first = rest.chars().next().unwrap_or(' ');
        let escaped = || 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
        let (ends, taken) = match self.inside {
            Inside::Comment(depth) if rest.starts_with("/*") => {
                self.inside = Inside::Comment(depth + 1);
                return 2;
            }
            Inside::Comment(depth) if rest.starts_with("*/") => {
                self.inside = if depth > 1 { Inside::Comment(depth - 1) } else { Inside::Code };
                return 2;
            }
            Inside::Quotes | Inside::Character | Inside::Backticks if first == '\\' => {
                return escaped();
            }
            Inside::Backticks if rest.starts_with("${") => {
                self.resume.push(self.open);
                self.open += 1;
                self.inside = Inside::Code;
                return 2;
            }
            Inside::Raw(hashes) => {
                (rest.starts_with(&format!("\"{}", "#".repeat(hashes))), hashes + 1)
            }
            Inside::Quotes => (first == '"', 1),
            Inside::Character => (first == '\'', 1),
            Inside::Backticks => (first == '`', 1),
            Inside::Comment(_) | Inside::Code => (false, 1),
        };
        if !ends {
            return first.len_utf8();
        }
        self.inside = Inside::Code;
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

/// Keeps the indents of open brackets; several on one line indent once.
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

/// One empty line at most, one before each function at least, none at either end.
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
            // The comment right above a function belongs to it.
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

/// Whether each line begins inside of a text or comment.
fn lines_inside(lines: &[String]) -> Vec<bool> {
    let mut scanner = Scanner { inside: Inside::Code, resume: Vec::new(), open: 0 };
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
            "//! Doc.  \n\n\nrule(#{ priority: 1 });\nfn matches(charge) {  \ncharge.a == \"x\" &&\n  charge.b\n      || any_of(c, [\n\"a\", \"b\",\n  ])\n}\n// About it.\n/// More.\nfn allocate(charge) {\n\n\n\tif x { return 1; }\n  assign(#{\n  team: \"a\",\n      })\n   }\n\n\n",
            "//! Doc.\n\nrule(#{ priority: 1 });\n\nfn matches(charge) {\n    charge.a == \"x\" &&\n        charge.b\n        || any_of(c, [\n            \"a\", \"b\",\n        ])\n}\n\n// About it.\n/// More.\nfn allocate(charge) {\n\n    if x { return 1; }\n    assign(#{\n        team: \"a\",\n    })\n}\n",
        );
    }

    #[test]
    fn texts_and_comments_over_several_lines_stay_as_they_are() {
        check(
            "fn f() {\nlet a = `one  \n  two ${ if x { \"}\" } else { y } }  \n three`;   \n/* a  {\n  b */\n#\"{\"#;\n'{';\n\"\\\"{\"\n}",
            "fn f() {\n    let a = `one  \n  two ${ if x { \"}\" } else { y } }  \n three`;\n    /* a  {\n  b */\n    #\"{\"#;\n    '{';\n    \"\\\"{\"\n}\n",
        );
    }

    /// The shipped rules are laid out well; without any indent, and with blanks at every line end, they come out the same.
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
