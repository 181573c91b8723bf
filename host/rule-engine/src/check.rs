//! What can be known of a rule without running it: fields, assignments, tables and functions.

use crate::code::RULE_ASSIGNMENT;
use crate::code::RULE_FIELD_NOT_KEPT;
use crate::code::RULE_SYNTAX;
use crate::code::RULE_TABLE;
use crate::code::RULE_UNKNOWN_FIELD;
use crate::compile::{SourceFile, Workshop};
use crate::decision::meant;
use crate::functions::FUNCTIONS;
use crate::language::{ABSENT, absent};
use crate::table::unknown_table;
use crate::tokens;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::port::{LINE_FIELDS, Stage};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};
use std::collections::BTreeSet;

/// What linting wants to know later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Insight {
    /// Reads of amounts, with line and column: such a rule runs for every single charge.
    pub(crate) amounts: Vec<(String, Position)>,
    /// `matches` is nothing but `true`.
    pub(crate) matches_all: bool,
    pub(crate) may_pass: bool,
    /// Pools that are named in quotes.
    pub(crate) pools: Vec<(String, Position)>,
    pub(crate) asks_plugins: bool,
    /// All texts in quotes.
    pub(crate) texts: BTreeSet<String>,
    /// A table is looked up whose name is worked out while the rule runs.
    pub(crate) looks_up_anything: bool,
    /// Equal for rules that apply to the same charges; empty for those of later stages.
    pub(crate) applies_to: String,
}

/// Methods that change a text or list in place. On a field of the charge they would silently do nothing.
const CHANGES_IN_PLACE: [&str; 18] = [
    "append",
    "clear",
    "crop",
    "drain",
    "insert",
    "make_lower",
    "make_upper",
    "pad",
    "pop",
    "push",
    "remove",
    "replace",
    "retain",
    "reverse",
    "shift",
    "sort",
    "splice",
    "truncate",
];

struct Check<'a> {
    workshop: &'a Workshop<'a>,
    file: &'a SourceFile,
    /// What the charge is called: the parameter of the two functions, and `charge` everywhere.
    charge_names: BTreeSet<String>,
    own_functions: BTreeSet<String>,
    findings: Vec<Diagnostic>,
    insight: Insight,
}

pub(crate) fn check(
    workshop: &Workshop<'_>,
    file: &SourceFile,
    ast: &AST,
    stage: &Stage,
) -> (Insight, Vec<Diagnostic>) {
    let entry = |name: &str| *stage == Stage::Attribution && matches!(name, "matches" | "allocate");
    let parameters = ast
        .iter_fn_def()
        .filter(|function| entry(&function.name))
        .filter_map(|function| function.params.first());
    let mut check = Check {
        workshop,
        file,
        charge_names: parameters.map(ToString::to_string).chain(["charge".to_owned()]).collect(),
        own_functions: ast.iter_fn_def().map(|function| function.name.to_string()).collect(),
        findings: Vec::new(),
        insight: Insight {
            matches_all: matches_all(file, ast),
            applies_to: tokens::applies_to(workshop.engine, &file.text),
            ..Insight::default()
        },
    };
    check.redefinitions(ast);
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(expression)) => check.expression(expression),
            Some(ASTNode::Stmt(statement)) => check.statement(statement),
            _ => {}
        }
        true
    });
    let Check { insight, mut findings, .. } = check;
    // Functions are stored by hash; findings are told in the order of the file.
    findings.sort_by(|left, right| {
        (&left.location, left.code, &left.message).cmp(&(
            &right.location,
            right.code,
            &right.message,
        ))
    });
    findings.dedup();
    (insight, findings)
}

/// Rhai does not let the body of a function be looked into, so its text is.
fn matches_all(file: &SourceFile, ast: &AST) -> bool {
    let offset = |position: Position| -> Option<usize> {
        let (line, column) =
            (position.line()?.checked_sub(1)?, position.position()?.checked_sub(1)?);
        let before: usize = file.text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = file.text.get(before..)?;
        Some(before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
    };
    ast.iter_fn_def().filter(|function| function.name == "matches").any(|function| {
        let body = offset(function.body.start_position()).zip(offset(function.body.end_position()));
        body.and_then(|(start, end)| file.text.get(start + 1..end))
            .is_some_and(|body| body.trim() == "true")
    })
}

impl Check<'_> {
    fn redefinitions(&mut self, ast: &AST) {
        for function in ast.iter_fn_def() {
            if FUNCTIONS.iter().any(|host| host.name == function.name) || function.name == "rule" {
                let message = format!("a rule cannot redefine `{}`", function.name);
                self.findings.push(self.file.finding(
                    RULE_SYNTAX,
                    message,
                    function.body.start_position(),
                ));
            }
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Assignment(assignment) => {
                let left = &assignment.1.lhs;
                if self.root_is_charge(left) {
                    let message = "a rule cannot change the charge; it only decides who pays";
                    self.findings.push(self.file.finding(
                        RULE_ASSIGNMENT,
                        message,
                        left.start_position(),
                    ));
                }
            }
            Stmt::Var(variable, _, _) if self.charge_names.contains(variable.0.as_str()) => {
                let message =
                    format!("`{}` is the charge and cannot be declared again", variable.0.as_str());
                self.findings.push(self.file.finding(RULE_ASSIGNMENT, message, variable.0.pos));
            }
            Stmt::FnCall(call, position) => self.call(call, *position),
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::Dot(pair, _, _) if self.is_charge(&pair.lhs) => self.chain(&pair.rhs),
            Expr::Index(pair, _, position) if self.is_charge(&pair.lhs) => {
                let message = "the charge is not indexed: write `charge.service_name`, or `charge.tags[\"team\"]` for a tag";
                self.findings.push(self.file.finding(RULE_UNKNOWN_FIELD, message, *position));
            }
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => {
                self.call(call, *position)
            }
            Expr::StringConstant(text, _) => drop(self.insight.texts.insert(text.to_string())),
            _ => {}
        }
    }

    fn is_charge(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Variable(variable, _, _) if self.charge_names.contains(variable.1.as_str()))
    }

    fn root_is_charge(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Dot(pair, _, _) | Expr::Index(pair, _, _) => self.root_is_charge(&pair.lhs),
            other => self.is_charge(other),
        }
    }

    /// What stands behind `charge.`: a field first, and then perhaps methods of its value.
    fn chain(&mut self, links: &Expr) {
        match links {
            Expr::Dot(pair, _, _) | Expr::Index(pair, _, _) => {
                self.chain(&pair.lhs);
                if matches!(links, Expr::Dot(..)) {
                    self.methods(&pair.rhs);
                }
            }
            Expr::Property(property, position) => self.field(property.2.as_str(), *position),
            _ => {}
        }
    }

    fn methods(&mut self, links: &Expr) {
        match links {
            Expr::Dot(pair, _, _) | Expr::Index(pair, _, _) => {
                self.methods(&pair.lhs);
                self.methods(&pair.rhs);
            }
            Expr::MethodCall(call, position) if CHANGES_IN_PLACE.contains(&call.name.as_str()) => {
                let message = format!(
                    "`{}` changes a value in place, and a charge cannot be changed",
                    call.name
                );
                let finding = self.file.finding(RULE_ASSIGNMENT, message, *position);
                self.findings.push(finding.hint("copy it first: let text = charge.…;"));
            }
            _ => {}
        }
    }

    fn field(&mut self, name: &str, position: Position) {
        if matches!(name, "billed_cost" | "effective_cost") {
            self.insight.amounts.push((name.to_owned(), position));
        }
        if LINE_FIELDS.contains(&name) || matches!(name, "billing_currency" | "tags") {
            return;
        }
        match Field::by_name(name) {
            Some(field) if self.workshop.kept.contains(&field) => {}
            Some(field) => {
                let message = format!("the dimension '{name}' exists but is not collected");
                let finding = self.file.finding(RULE_FIELD_NOT_KEPT, message, position);
                self.findings.push(finding.hint(dimensions_line(self.workshop.kept, field)));
            }
            None => {
                let known = Field::all()
                    .map(Field::name)
                    .chain(LINE_FIELDS)
                    .chain(["billing_currency", "tags"]);
                let advice = match meant(name, known) {
                    none if none.is_empty() => {
                        format!("; tags are read with `charge.tag(\"{name}\")`")
                    }
                    advice => advice,
                };
                self.findings.push(self.file.finding(
                    RULE_UNKNOWN_FIELD,
                    format!("charges have no field '{name}'{advice}"),
                    position,
                ));
            }
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) {
        let name = call.name.as_str();
        self.insight.may_pass |= name == "pass";
        self.insight.asks_plugins |= name == "plugin";
        match (name, call.args.first()) {
            ("lookup", _) => self.lookup(call),
            ("pool", Some(Expr::StringConstant(pool, position))) => {
                self.insight.pools.push((pool.to_string(), *position))
            }
            _ => {}
        }
        if ABSENT.contains(&name) {
            return self.findings.push(self.file.finding(RULE_SYNTAX, absent(name), position));
        }
        if call.op_token.is_some()
            || self.workshop.functions.contains(name)
            || self.own_functions.contains(name)
        {
            return;
        }
        let known = self
            .own_functions
            .iter()
            .map(String::as_str)
            .chain(FUNCTIONS.iter().map(|function| function.name));
        let known = known.chain(self.workshop.functions.iter().map(String::as_str));
        let message = format!("there is no function `{name}`{}", meant(name, known));
        self.findings.push(self.file.finding(RULE_SYNTAX, message, position));
    }

    fn lookup(&mut self, call: &FnCallExpr) {
        let Some(Expr::StringConstant(name, position)) = call.args.first() else {
            self.insight.looks_up_anything = true;
            return;
        };
        let Some(tables) = self.workshop.tables else { return };
        let problem = match (tables.get(name.as_str()), call.args.get(2)) {
            (None, _) => Some((unknown_table(name, tables.keys().map(String::as_str)), *position)),
            (Some(table), Some(Expr::StringConstant(column, position))) => table
                .column(column)
                .err()
                .map(|problem| (format!("the table '{name}' {problem}"), *position)),
            _ => None,
        };
        if let Some((message, position)) = problem {
            self.findings.push(self.file.finding(RULE_TABLE, message, position));
        }
    }
}

/// The settings line that would collect `wanted` as well.
fn dimensions_line(kept: &[Field], wanted: Field) -> String {
    let names: Vec<String> =
        kept.iter().chain([&wanted]).map(|field| format!("\"{}\"", field.name())).collect();
    format!("in apportion.toml: dimensions = [{}]", names.join(", "))
}
