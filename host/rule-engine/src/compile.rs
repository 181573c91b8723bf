//! One rule file → one checked, compiled rule, or everything that is wrong with it, each with its place.

use crate::check::{self, Insight};
use crate::code::RULE_MISSING_FUNCTION;
use crate::code::RULE_SYNTAX;
use crate::header::{self, Header};
use crate::language::{ABSENT, absent};
use crate::table::Tables;
use domain::code::Code;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::port::Stage;
use rhai::{AST, Engine, LexError, ParseErrorType, Position};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// No rule that people write comes near; a longer one would only be slow to compile.
const SOURCE_BYTES_MAX: usize = 256 << 10;

/// A compiled rule. Each has an AST of its own: a call finds its function by a walk through all of them.
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) file: SourceFile,
    pub(crate) digest: String,
    pub(crate) description: String,
    pub(crate) header: Header,
    pub(crate) ast: AST,
    pub(crate) insight: Insight,
}

impl Rule {
    /// Where the header stands.
    pub(crate) fn header_position(&self) -> Position {
        header::call_position(&self.ast)
    }

    /// Where the body of `matches` begins.
    pub(crate) fn matches_position(&self) -> Position {
        self.ast
            .iter_fn_def()
            .find(|function| function.name == "matches")
            .map_or(Position::NONE, |function| function.body.start_position())
    }
}

/// A source with the name that findings give it.
pub(crate) struct SourceFile {
    pub(crate) label: String,
    pub(crate) text: String,
}

/// What rules are compiled against.
pub(crate) struct Workshop<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) functions: BTreeSet<String>,
    /// `None` where a table is broken: then nothing can be said of lookups.
    pub(crate) tables: Option<&'a Tables>,
    pub(crate) kept: &'a [Field],
}

impl SourceFile {
    /// A finding at a place of this file, with the line and a caret.
    pub(crate) fn finding(
        &self,
        code: Code,
        message: impl Into<String>,
        position: Position,
    ) -> Diagnostic {
        let number =
            |part: Option<usize>| part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
        self.finding_at(code, message, number(position.line()), number(position.position()))
    }

    pub(crate) fn finding_at(
        &self,
        code: Code,
        message: impl Into<String>,
        line: u32,
        column: u32,
    ) -> Diagnostic {
        let finding = Diagnostic::new(code, message).at(&self.label, line, column);
        match (line as usize).checked_sub(1).and_then(|index| self.text.lines().nth(index)) {
            Some(source_line) => finding.excerpt(source_line),
            None => finding,
        }
    }
}

pub(crate) fn compile(
    workshop: &Workshop<'_>,
    id: &str,
    file: SourceFile,
) -> Result<Rule, Vec<Diagnostic>> {
    if file.text.len() > SOURCE_BYTES_MAX {
        let message = format!("the rule is longer than {} KiB", SOURCE_BYTES_MAX >> 10);
        return Err(vec![file.finding(RULE_SYNTAX, message, Position::NONE)]);
    }
    let ast = workshop
        .engine
        .compile(&file.text)
        .map_err(|error| vec![syntax_finding(&file, error.err_type(), error.position())])?;
    let (header, wrong) = match header::read(&file, id, &ast) {
        Ok(header) => (header, Vec::new()),
        Err(wrong) => (Header::default(), wrong),
    };
    let mut findings = wrong_functions(&file, &ast, &header.stage);
    findings.extend(wrong);
    let (insight, wrong) = check::check(workshop, &file, &ast, &header.stage);
    findings.extend(wrong);
    if !findings.is_empty() {
        return Err(findings);
    }
    let digest = hex(&Sha256::digest(file.text.as_bytes()));
    Ok(Rule {
        id: id.to_owned(),
        digest,
        description: header::doc_comment(&file.text),
        header,
        ast,
        insight,
        file,
    })
}

fn syntax_finding(file: &SourceFile, kind: &ParseErrorType, position: Position) -> Diagnostic {
    let message = match kind {
        ParseErrorType::Reserved(word)
        | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if ABSENT.contains(&word.as_str()) =>
        {
            absent(word)
        }
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            letters
                .next()
                .map(|first| first.to_lowercase().chain(letters).collect())
                .unwrap_or(text.clone())
        }
    };
    file.finding(RULE_SYNTAX, message, position)
}

/// Rules of the later stages are for one pool or team, which their header names: there is nothing to match.
fn wrong_functions(file: &SourceFile, ast: &AST, stage: &Stage) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let parameter = match stage {
        Stage::Attribution => "charge",
        Stage::Distribution => "pool",
        Stage::Cascade(_) => "team",
    };
    for (name, answers) in [("matches", "whether the rule applies"), ("allocate", "who pays")] {
        let found: Vec<_> = ast.iter_fn_def().filter(|function| function.name == name).collect();
        if *stage != Stage::Attribution && name == "matches" {
            if let Some(function) = found.first() {
                let message = format!(
                    "a rule of the stage {} is asked for its {parameter} only, so `matches` would never run",
                    stage.name()
                );
                findings.push(
                    file.finding(RULE_MISSING_FUNCTION, message, function.body.start_position())
                        .hint("delete the function"),
                );
            }
            continue;
        }
        if found.iter().any(|function| function.params.len() == 1) {
            continue;
        }
        let (message, position) = match found.first() {
            None => (
                format!("the rule lacks `fn {name}({parameter})`, which says {answers}"),
                Position::NONE,
            ),
            Some(function) => {
                let message = format!(
                    "`{name}` takes the {parameter} and nothing else, not {} parameters",
                    function.params.len()
                );
                (message, function.body.start_position())
            }
        };
        findings.push(
            file.finding(RULE_MISSING_FUNCTION, message, position)
                .hint(format!("fn {name}({parameter}) {{ … }}")),
        );
    }
    findings
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
