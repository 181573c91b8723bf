//! Compiles one rule file to a checked rule, or to all findings with their places.

use crate::check::{self, Insight, RuleContext};
use crate::code::{RULE_MISSING_FUNCTION, RULE_SYNTAX};
use crate::digest;
use crate::header::{self, Header};
use crate::syntax;
use crate::text_file::TextFile;
use domain::diagnostic::Diagnostic;
use domain::port::Stage;
use rhai::{AST, Position};

/// People write no rule of this length, and the time to compile grows with it.
const SOURCE_BYTES_MAX: usize = 256 << 10;

/// A compiled rule. Each rule has a syntax tree of its own, because Rhai finds a called function by
/// a walk through all functions of the tree.
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) file: TextFile,
    pub(crate) digest: String,
    pub(crate) description: String,
    pub(crate) header: Header,
    pub(crate) ast: AST,
    pub(crate) insight: Insight,
}

impl Rule {
    /// The place of the header.
    pub(crate) fn header_position(&self) -> Position {
        header::call_position(&self.ast)
    }

    /// The start of the body of `matches`.
    pub(crate) fn matches_position(&self) -> Position {
        self.ast
            .iter_fn_def()
            .find(|function| function.name == "matches")
            .map_or(Position::NONE, |function| function.body.start_position())
    }
}

pub(crate) fn compile(context: &RuleContext<'_>, file: TextFile) -> Result<Rule, Vec<Diagnostic>> {
    if file.text.len() > SOURCE_BYTES_MAX {
        let message = format!("the rule is longer than {} KiB", SOURCE_BYTES_MAX >> 10);
        return Err(vec![file.finding(RULE_SYNTAX, message, Position::NONE)]);
    }
    let ast = context
        .engine
        .compile(&file.text)
        .map_err(|error| vec![syntax::finding(context.engine, &file, &error)])?;
    // A wrong header does not end the checks, so that an author sees all findings at once.
    let (header, wrong) = match header::read(&file, &ast) {
        Ok(header) => (header, Vec::new()),
        Err(wrong) => (Header::default(), wrong),
    };
    let mut findings = wrong_functions(&file, &ast, &header.stage);
    findings.extend(wrong);
    let (insight, wrong) = check::check(context, &file, &ast, &header.stage);
    findings.extend(wrong);
    if !findings.is_empty() {
        return Err(findings);
    }
    let digest = digest::hex(&digest::of_bytes(file.text.as_bytes()));
    Ok(Rule {
        id: file.id.clone(),
        digest,
        description: header::doc_comment(&file.text),
        header,
        ast,
        insight,
        file,
    })
}

/// Checks that a rule has the functions of its stage. A rule of a later stage is for the one pool
/// or team that its header names, so it has no `matches`.
fn wrong_functions(file: &TextFile, ast: &AST, stage: &Stage) -> Vec<Diagnostic> {
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
                    "a rule of the stage {} is asked for its {parameter} only, \
                     so `matches` would never run",
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
