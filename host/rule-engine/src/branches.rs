//! The branches of the rules that their cases take.
//!
//! Each rule's text is copied, a call of a probe is written into every branch of the copy, and the
//! copies are compiled in an engine of their own. The cases run on the copies. The engine that
//! decides about money has no probes, so measuring costs it nothing. A probe stands on the line of
//! the branch that it watches, so a finding's line is right for the original text as well.

use crate::cases;
use crate::code::RULE_SYNTAX;
use crate::compile::Rule;
use crate::folder;
use crate::options::{RuleLimits, RuleOptions};
use crate::set::RuleSet;
use crate::tokens::{self, Word, closing};
use domain::diagnostic::Diagnostic;
use rhai::{Engine, Position, Token};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The branches of one rule, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBranches {
    pub rule: String,
    /// The path as findings show it.
    pub file: String,
    pub branches: Vec<Branch>,
}

/// One branch of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    pub kind: BranchKind,
    pub reached: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchKind {
    Function(String),
    If,
    Else,
    /// An `if` without `else` whose condition was false.
    NotIf,
    Loop,
    Arm,
    Catch,
    /// The right side of `&&`.
    And,
    /// The right side of `||`.
    Or,
}

impl BranchKind {
    /// The sentence that is shown where no case takes the branch.
    pub fn never(&self) -> String {
        match self {
            BranchKind::Function(name) => format!("`{name}` is never called"),
            BranchKind::If => "the condition is never true".to_owned(),
            BranchKind::Else => "`else` is never reached".to_owned(),
            BranchKind::NotIf => "the condition is never false".to_owned(),
            BranchKind::Loop => "the loop is never entered".to_owned(),
            BranchKind::Arm => "the arm is never taken".to_owned(),
            BranchKind::Catch => "nothing is ever caught".to_owned(),
            BranchKind::And => "what stands before `&&` is never true".to_owned(),
            BranchKind::Or => "what stands before `||` is never false".to_owned(),
        }
    }
}

impl RuleBranches {
    pub fn reached(&self) -> usize {
        self.branches.iter().filter(|branch| branch.reached).count()
    }

    /// The branches that no case takes.
    pub fn never(&self) -> impl Iterator<Item = &Branch> {
        self.branches.iter().filter(|branch| !branch.reached)
    }
}

/// Measures which branches of each rule its own cases take, in the order in which rules are tried.
pub fn measure(dir: &Path, options: &RuleOptions) -> Result<Vec<RuleBranches>, Vec<Diagnostic>> {
    let folder = folder::read(dir)?;
    let mut set = RuleSet::from_folder(&folder, &with_room(options))?;
    let mut measured = Vec::with_capacity(set.rules.len());
    let mut texts = Vec::with_capacity(set.rules.len());
    let mut count = 0;
    for rule in &set.rules {
        let words = tokens::words(&set.engine, &rule.file.text)
            .ok_or_else(|| vec![not_measured(rule, "its words cannot be told apart")])?;
        let probed = probed(&words, &rule.file.text, count);
        count += probed.branches.len();
        measured.push(RuleBranches {
            rule: rule.id.clone(),
            file: rule.file.label.clone(),
            branches: probed.branches,
        });
        texts.push(probed.text);
    }
    let reached: Arc<[AtomicBool]> = (0..count).map(|_| AtomicBool::new(false)).collect();
    register(&mut set.engine, &reached);
    for (rule, text) in set.rules.iter_mut().zip(texts) {
        let compiled = set.engine.compile(text);
        rule.ast = compiled.map_err(|error| vec![not_measured(rule, &error.to_string())])?;
    }
    let mut first = 0;
    for (rule, measured) in set.rules.iter().zip(&mut measured) {
        // A case with `through_set` runs other rules too, but it does not test them. So only the
        // rule's own cases count for it, and all probes are cleared before they run.
        reached.iter().for_each(|probe| probe.store(false, Ordering::Relaxed));
        folder
            .cases
            .iter()
            .filter(|file| file.id == rule.id)
            .for_each(|file| cases::run_cases(file, &set, rule));
        let probes = reached.iter().skip(first);
        first += measured.branches.len();
        measured
            .branches
            .iter_mut()
            .zip(probes)
            .for_each(|(branch, probe)| branch.reached = probe.load(Ordering::Relaxed));
    }
    Ok(measured)
}

fn not_measured(rule: &Rule, why: &str) -> Diagnostic {
    let finding = rule.file.finding(
        RULE_SYNTAX,
        format!("the branches of the rule cannot be measured: {why}"),
        Position::NONE,
    );
    finding.hint("write a block behind `if`, `while` and `for` in the plain way")
}

/// Raises the limits for the copies: probes cost operations and make expressions deeper.
fn with_room(options: &RuleOptions) -> RuleOptions {
    let limits = &options.limits;
    let limits = RuleLimits {
        operations: limits.operations.saturating_mul(8),
        expression_depth: limits.expression_depth.saturating_mul(2),
        ..limits.clone()
    };
    RuleOptions { limits, ..options.clone() }
}

const PROBE: &str = "reached_branch";

/// Registers the probe. It answers true, so that it can stand in a condition.
fn register(engine: &mut Engine, reached: &Arc<[AtomicBool]>) {
    let reached = Arc::clone(reached);
    engine.register_fn(PROBE, move |number: i64| {
        let probe = usize::try_from(number).ok().and_then(|number| reached.get(number));
        probe.inspect(|probe| probe.store(true, Ordering::Relaxed)).is_some()
    });
}

/// A rule's text with probes, and the branches in the order of their probes.
struct ProbedText {
    text: String,
    branches: Vec<Branch>,
}

/// Finds the branches in a text that is cut into words.
struct Prober<'a> {
    words: &'a [Word],
    /// Each insertion with the byte that it stands at.
    insertions: Vec<(usize, Insertion)>,
    branches: Vec<Branch>,
}

enum Insertion {
    Probe { before: &'static str, branch: usize, after: &'static str },
    Text(&'static str),
}

/// Writes probes into a text. Branches are numbered by their place, from `first` on.
fn probed(words: &[Word], text: &str, first: usize) -> ProbedText {
    let mut prober = Prober { words, insertions: Vec::new(), branches: Vec::new() };
    for function in tokens::functions(words) {
        prober.block(function.body, function.all.start, BranchKind::Function(function.name));
    }
    for at in 0..words.len() {
        prober.word(at);
    }
    let Prober { mut insertions, branches, .. } = prober;
    // The sort is stable: insertions at one place stay in the order in which they were found.
    insertions.sort_by_key(|(at, _)| *at);
    let mut order: Vec<usize> = (0..branches.len()).collect();
    order.sort_by_key(|branch| branches.get(*branch).map(|branch| (branch.line, branch.column)));
    let number =
        |branch: usize| order.iter().position(|other| *other == branch).unwrap_or_default() + first;
    let mut out = String::with_capacity(text.len() * 2);
    let mut done = 0;
    for (at, insertion) in insertions {
        out.push_str(text.get(done..at).unwrap_or_default());
        done = at;
        match insertion {
            Insertion::Text(text) => out.push_str(text),
            Insertion::Probe { before, branch, after } => {
                out.push_str(&format!("{before}{PROBE}({}){after}", number(branch)))
            }
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    ProbedText {
        text: out,
        branches: order.iter().filter_map(|branch| branches.get(*branch).cloned()).collect(),
    }
}

impl Prober<'_> {
    fn token(&self, at: usize) -> Option<&Token> {
        self.words.get(at).map(|word| &word.token)
    }

    /// Adds a branch. Findings show the word `told_at`; the probe stands right behind another word.
    fn probe(
        &mut self,
        told_at: usize,
        behind: usize,
        before: &'static str,
        kind: BranchKind,
        after: &'static str,
    ) {
        let (Some(told), Some(last)) = (self.words.get(told_at), self.words.get(behind)) else {
            return;
        };
        let number =
            |part: Option<usize>| part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
        let (line, column) = (number(told.position.line()), number(told.position.position()));
        let branch = self.branches.len();
        self.branches.push(Branch { line, column, kind, reached: false });
        self.insertions
            .push((last.at + length(&last.token), Insertion::Probe { before, branch, after }));
    }

    /// Adds the branch whose block opens at `open`.
    fn block(&mut self, open: usize, told_at: usize, kind: BranchKind) {
        self.probe(told_at, open, " ", kind, "; ");
    }

    fn word(&mut self, at: usize) {
        match self.token(at) {
            Some(Token::If) => self.condition(at),
            Some(Token::For | Token::Loop | Token::Do) => self.looped(at),
            Some(Token::While) if !self.ends_do(at) => self.looped(at),
            Some(Token::Switch) => self.switch(at),
            Some(Token::Catch) => {
                if let Some(open) = self.opening(at) {
                    self.block(open, at, BranchKind::Catch);
                }
            }
            // Right behind `&&`, the probe runs only if the left side was true.
            Some(Token::And) => self.probe(at, at, " ", BranchKind::And, " &&"),
            // `||` at the start of an operand is a closure without parameters, and no branch.
            Some(Token::Or)
                if at
                    .checked_sub(1)
                    .and_then(|before| self.token(before))
                    .is_some_and(ends_operand) =>
            {
                // `&&` binds tighter than `||`, so the right side with its probe stays one operand.
                self.probe(at, at, " ", BranchKind::Or, " &&");
            }
            _ => {}
        }
    }

    fn condition(&mut self, at: usize) {
        // The condition of an arm, `pattern if condition => …`, has no block.
        let Some(open) = self.opening(at) else { return };
        let Some(close) = closing(self.words, open) else { return };
        self.block(open, at, BranchKind::If);
        match (self.token(close + 1), self.token(close + 2)) {
            (Some(Token::Else), Some(Token::LeftBrace)) => {
                self.block(close + 2, close + 1, BranchKind::Else)
            }
            (Some(Token::Else), _) => {}
            // The semicolon lets the block answer nothing, as an `if` without `else` does.
            _ => self.probe(at, close, " else { ", BranchKind::NotIf, "; }"),
        }
    }

    fn looped(&mut self, at: usize) {
        if let Some(open) = self.opening(at) {
            self.block(open, at, BranchKind::Loop);
        }
    }

    fn switch(&mut self, at: usize) {
        let Some(open) = self.opening(at) else { return };
        let Some(close) = closing(self.words, open) else { return };
        let mut place = open + 1;
        while place < close {
            match self.token(place) {
                Some(Token::DoubleArrow) if self.token(place + 1) == Some(&Token::LeftBrace) => {
                    self.block(place + 1, place, BranchKind::Arm)
                }
                Some(Token::DoubleArrow) => {
                    self.probe(place, place, " { ", BranchKind::Arm, ";");
                    let end = self.arm_end(place + 1, close);
                    if let Some(word) = self.words.get(end) {
                        self.insertions.push((word.at, Insertion::Text(" }")));
                    }
                    place = end;
                    continue;
                }
                Some(
                    Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket,
                ) => {
                    place = closing(self.words, place).unwrap_or(close);
                }
                _ => {}
            }
            place += 1;
        }
    }

    /// Finds the comma behind an arm, or the end of the `switch`.
    fn arm_end(&self, mut place: usize, close: usize) -> usize {
        while place < close {
            match self.token(place) {
                Some(Token::Comma) => return place,
                Some(
                    Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket,
                ) => {
                    place = closing(self.words, place).unwrap_or(close);
                }
                _ => {}
            }
            place += 1;
        }
        close
    }

    /// Finds the block that follows. `None` if an arrow or the end of the statement comes first.
    fn opening(&self, at: usize) -> Option<usize> {
        let mut place = at + 1;
        loop {
            match self.token(place)? {
                Token::LeftBrace => return Some(place),
                Token::DoubleArrow | Token::SemiColon | Token::RightBrace => return None,
                Token::MapStart | Token::LeftParen | Token::LeftBracket => {
                    place = closing(self.words, place)?
                }
                _ => {}
            }
            place += 1;
        }
    }

    /// Whether a `while` closes `do { … } while condition`, whose block stands before it.
    fn ends_do(&self, at: usize) -> bool {
        let blocks = self
            .words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.token == Token::Do)
            .filter_map(|(start, _)| self.opening(start));
        blocks.filter_map(|open| closing(self.words, open)).any(|close| close + 1 == at)
    }
}

/// The length in bytes of a word that a probe is written behind.
fn length(token: &Token) -> usize {
    match token {
        Token::And | Token::Or | Token::DoubleArrow => 2,
        _ => 1,
    }
}

/// Whether a word can be the end of an operand, so that an operator may follow it.
fn ends_operand(token: &Token) -> bool {
    matches!(
        token,
        Token::Identifier(_)
            | Token::IntegerConstant(_)
            | Token::DecimalConstant(_)
            | Token::StringConstant(_)
            | Token::CharConstant(_)
    ) || matches!(
        token,
        Token::True
            | Token::False
            | Token::RightParen
            | Token::RightBracket
            | Token::Unit
            | Token::RightBrace
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed_body(body: &str) -> String {
        let text = format!("fn f(x) {{{body}}}");
        let words = tokens::words(&Engine::new(), &text).unwrap_or_else(|| panic!("{text}"));
        let out = probed(&words, &text, 0).text.replace(PROBE, "p");
        Engine::new().compile(&out).unwrap_or_else(|error| panic!("{out}: {error}"));
        out.strip_prefix("fn f(x) { p(0); ")
            .and_then(|rest| rest.strip_suffix('}'))
            .map(str::to_owned)
            .unwrap_or(out)
    }

    #[test]
    fn probes_stand_at_every_branch_and_the_rest_is_untouched() {
        let cases = [
            ("if x {1}", "if x { p(1); 1} else { p(2); }"),
            ("if x {1} else {2}", "if x { p(1); 1} else { p(2); 2}"),
            ("if x {1} else if y() {2}", "if x { p(1); 1} else if y() { p(2); 2} else { p(3); }"),
            ("if x == #{a: 1} {1} else {2}", "if x == #{a: 1} { p(1); 1} else { p(2); 2}"),
            ("x && y() || z", "x && p(1) && y() || p(2) && z"),
            ("let g = || 5; x", "let g = || 5; x"),
            ("for a in [1] {g(a)}", "for a in [1] { p(1); g(a)}"),
            ("do {g()} while x && y()", "do { p(1); g()} while x && p(2) && y()"),
            (
                "switch x { 1 => g(1, 2), 2 if x > 1 => {3} _ => #{a: 4} }",
                "switch x { 1 => { p(1); g(1, 2) }, 2 if x > 1 => { p(2); 3} \
                 _ => { p(3); #{a: 4}  }}",
            ),
            ("try {1} catch(e) {2}", "try {1} catch(e) { p(1); 2}"),
            ("`a ${if x {1} else {2}} if b {`", "`a ${if x { p(1); 1} else { p(2); 2}} if b {`"),
            ("x == `a ${x} b ${y}` || z", "x == `a ${x} b ${y}` || p(1) && z"),
            ("\"if x {\" // if y {\n", "\"if x {\" // if y {\n"),
        ];
        for (body, expect) in cases {
            assert_eq!(probed_body(body), expect, "{body}");
        }
    }
}
