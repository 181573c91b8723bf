//! Checks a rule without running it: its fields, assignments, tables and functions.
//!
//! A misspelled field would be found only by the charge that reaches it. These checks walk the
//! syntax tree, so that every branch is checked when the rule is saved.

use crate::amount_switch;
use crate::charge_view::{no_detail, readable};
use crate::code::{
    RULE_ASSIGNMENT, RULE_FIELD_NOT_KEPT, RULE_SYNTAX, RULE_TABLE, RULE_UNKNOWN_FIELD,
};
use crate::decision::meant;
use crate::drivers::{BOUNDED_NEGATIVE, BOUNDED_TWICE};
use crate::function_end::{FunctionEnd, function_ends};
use crate::function_page::functions;
use crate::functions::wrong_width;
use crate::kept;
use crate::language::{ABSENT, absent};
use crate::pattern;
use crate::syntax::COMPARES;
use crate::table::{Tables, unknown_table};
use crate::text_file::TextFile;
use crate::tokens;
use domain::charge::KeptDetails;
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::port::{LINE_FIELDS, Stage};
use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, Ident, Position, Stmt};
use std::collections::BTreeSet;

/// The things that a rule can name: functions, tables and fields.
pub(crate) struct RuleContext<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) functions: BTreeSet<String>,
    /// `None` where a table is broken. Then nothing can be said about lookups.
    pub(crate) tables: Option<&'a Tables>,
    pub(crate) kept: &'a [Field],
    pub(crate) details: KeptDetails,
}

/// Facts about a rule's text that lints, pools and properties ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Insight {
    /// Reads of amounts, with their places. A rule that reads one runs for every single charge.
    pub(crate) amounts: Vec<(String, Position)>,
    /// The rule reads details of charges, or may do so by a function whose name is worked out.
    pub(crate) reads_details: bool,
    /// The body of `matches` is `true`.
    pub(crate) matches_all: bool,
    pub(crate) may_pass: bool,
    /// Pools whose names stand in quotes, with their places.
    pub(crate) pools: Vec<(String, Position)>,
    pub(crate) asks_plugins: bool,
    /// All texts in quotes.
    pub(crate) texts: BTreeSet<String>,
    /// The name of a table is worked out while the rule runs, so any table may be read.
    pub(crate) looks_up_anything: bool,
    /// The digest of `matches`: equal digests mean that two rules apply to the same charges. Empty
    /// for rules of later stages.
    pub(crate) applies_to: String,
    /// Keys of tags that stand in quotes, with their places.
    pub(crate) tags: Vec<(String, Position)>,
    /// Where a loop begins that has no end of its own, or else any loop.
    pub(crate) endless: Option<Position>,
    /// The last word of each function.
    pub(crate) ends: Vec<FunctionEnd>,
}

/// Methods that change a text or list in place. On a field of the charge they would change a copy,
/// and so do nothing without a word.
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
    context: &'a RuleContext<'a>,
    file: &'a TextFile,
    /// Names of the charge: the parameter of the two functions, and `charge` everywhere.
    charge_names: BTreeSet<String>,
    own_functions: BTreeSet<String>,
    findings: Vec<Diagnostic>,
    insight: Insight,
}

pub(crate) fn check(
    context: &RuleContext<'_>,
    file: &TextFile,
    ast: &AST,
    stage: &Stage,
) -> (Insight, Vec<Diagnostic>) {
    let entry = |name: &str| *stage == Stage::Attribution && matches!(name, "matches" | "allocate");
    let parameters = ast
        .iter_fn_def()
        .filter(|function| entry(&function.name))
        .filter_map(|function| function.params.first());
    let words = tokens::words(context.engine, &file.text).unwrap_or_default();
    let mut check = Check {
        context,
        file,
        charge_names: parameters.map(ToString::to_string).chain(["charge".to_owned()]).collect(),
        own_functions: ast.iter_fn_def().map(|function| function.name.to_string()).collect(),
        findings: Vec::new(),
        insight: Insight {
            matches_all: matches_all(file, ast),
            applies_to: tokens::applies_to(context.engine, &file.text),
            ends: function_ends(&words),
            ..Insight::default()
        },
    };
    check.redefinitions(ast);
    check.findings.extend(amount_switch::findings(file, &words, &check.charge_names));
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(expression)) => check.expression(expression),
            Some(ASTNode::Stmt(statement)) => check.statement(statement),
            _ => {}
        }
        check.bounded(path);
        true
    });
    let Check { insight, mut findings, .. } = check;
    // Rhai stores functions by hash. Findings are shown in the order of the file.
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

/// Whether `matches` always says yes. Rhai does not show the body of a function, so its text is
/// compared.
fn matches_all(file: &TextFile, ast: &AST) -> bool {
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
            if functions().any(|host| host.name == function.name) || function.name == "rule" {
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
                    let finding =
                        self.file.finding(RULE_ASSIGNMENT, message, left.start_position());
                    self.findings.push(finding.hint(COMPARES));
                }
            }
            Stmt::Var(variable, _, _) if self.charge_names.contains(variable.0.as_str()) => {
                let message =
                    format!("`{}` is the charge and cannot be declared again", variable.0.as_str());
                self.findings.push(self.file.finding(RULE_ASSIGNMENT, message, variable.0.pos));
            }
            Stmt::FnCall(call, position) => self.call(call, *position),
            // These end only by what happens inside of them.
            Stmt::While(_, position) | Stmt::Do(_, _, position) => {
                self.insight.endless = Some(*position)
            }
            Stmt::For(_, position) => {
                self.insight.endless.get_or_insert(*position);
            }
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr) {
        match expression {
            Expr::Dot(pair, _, _) if self.is_charge(&pair.lhs) => self.chain(&pair.rhs),
            Expr::Index(pair, _, position) if self.is_charge(&pair.lhs) => {
                let message = "the charge is not indexed: write `charge.service_name`, \
                               or `charge.tags[\"team\"]` for a tag";
                self.findings.push(self.file.finding(RULE_UNKNOWN_FIELD, message, *position));
            }
            Expr::MethodCall(call, position) if call.name == "matches" => {
                let message = "`matches` is the rule's own function; a text is compared with a \
                               pattern by `matches_pattern`";
                let finding = self.file.finding(RULE_SYNTAX, message, *position);
                self.findings.push(finding.hint("text.matches_pattern(\"^prod-[0-9]+$\")"));
            }
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => {
                self.call(call, *position)
            }
            // Own functions give the charge any name.
            Expr::Property(property, _) => {
                self.insight.reads_details |= Detail::by_name(property.2.as_str()).is_some()
            }
            Expr::StringConstant(text, _) => drop(self.insight.texts.insert(text.to_string())),
            _ => {}
        }
    }

    fn is_charge(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Variable(variable, _, _) => self.charge_names.contains(variable.1.as_str()),
            _ => false,
        }
    }

    fn root_is_charge(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Dot(pair, _, _) | Expr::Index(pair, _, _) => self.root_is_charge(&pair.lhs),
            other => self.is_charge(other),
        }
    }

    /// Checks the chain behind `charge.`: a field, and then perhaps methods of its value.
    fn chain(&mut self, links: &Expr) {
        match links {
            Expr::Dot(pair, _, _) | Expr::Index(pair, _, _) => {
                self.chain(&pair.lhs);
                if matches!(links, Expr::Dot(..)) {
                    self.methods(&pair.rhs);
                } else if matches!(&pair.lhs, Expr::Property(tags, _) if tags.2 == "tags") {
                    self.tag_key(Some(&pair.rhs));
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
        if let Some(detail) = Detail::by_name(name) {
            return self.detail(detail, position);
        }
        if LINE_FIELDS.contains(&name) || matches!(name, "billing_currency" | "tags") {
            return;
        }
        match Field::by_name(name) {
            Some(field) if self.context.kept.contains(&field) => {}
            Some(field) => {
                let message = format!("the dimension '{name}' exists but is not collected");
                let finding = self.file.finding(RULE_FIELD_NOT_KEPT, message, position);
                self.findings.push(finding.hint(kept::dimensions_hint(self.context.kept, field)));
            }
            None => {
                let known = readable().chain(["billing_currency", "tags"]);
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

    fn detail(&mut self, detail: Detail, position: Position) {
        let name = detail.name();
        self.insight.amounts.push((name.to_owned(), position));
        if !self.context.details.keeps(detail.feed()) {
            let message = format!("the detail '{name}' exists but is not kept");
            let finding = self.file.finding(RULE_FIELD_NOT_KEPT, message, position);
            self.findings.push(finding.hint(kept::details_hint(self.context.details, detail)));
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) {
        let name = call.name.as_str();
        self.insight.reads_details |= matches!(name, "has_detail" | "Fn");
        self.insight.may_pass |= name == "pass";
        self.insight.asks_plugins |= name == "plugin";
        match (name, call.args.first()) {
            ("lookup", _) => self.lookup(call),
            ("has_detail", Some(Expr::StringConstant(detail, position)))
                if Detail::by_name(detail).is_none() =>
            {
                let finding = self.file.finding(RULE_UNKNOWN_FIELD, no_detail(detail), *position);
                self.findings.push(finding);
            }
            // A name that is worked out is checked when the rule runs.
            ("pool", Some(Expr::StringConstant(pool, position))) => {
                self.insight.pools.push((pool.to_string(), *position))
            }
            ("tag" | "has_tag", _) => self.tag_key(call.args.last()),
            ("matches_pattern", _) => self.pattern(call.args.last()),
            _ => {}
        }
        if ABSENT.contains(&name) {
            return self.findings.push(self.file.finding(RULE_SYNTAX, absent(name), position));
        }
        // Operators are calls too, and the engine knows them.
        if call.op_token.is_some()
            || self.context.functions.contains(name)
            || self.own_functions.contains(name)
        {
            return;
        }
        let known = self
            .own_functions
            .iter()
            .map(String::as_str)
            .chain(functions().map(|function| function.name));
        let known = known.chain(self.context.functions.iter().map(String::as_str));
        let message = format!("there is no function `{name}`{}", meant(name, known));
        self.findings.push(self.file.finding(RULE_SYNTAX, message, position));
    }

    fn tag_key(&mut self, key: Option<&Expr>) {
        if let Some(Expr::StringConstant(key, position)) = key {
            self.insight.tags.push((key.to_string(), *position));
        }
    }

    fn pattern(&mut self, pattern: Option<&Expr>) {
        if let Some(Expr::StringConstant(pattern, position)) = pattern
            && let Err(problem) = pattern::compiled(pattern)
        {
            self.findings.push(self.file.finding(RULE_SYNTAX, problem, *position));
        }
    }

    /// Checks what stands inside of a call of `bounded`. A decision that is worked out elsewhere is
    /// checked when the rule runs.
    fn bounded(&mut self, path: &[ASTNode<'_>]) {
        let is_bounded = |node: &ASTNode<'_>| called(node) == Some("bounded");
        let Some((node, above)) = path.split_last() else { return };
        if !above.iter().any(is_bounded) {
            return;
        }
        if is_bounded(node) {
            let finding = self.file.finding(RULE_SYNTAX, BOUNDED_TWICE, node.position());
            self.findings.push(finding);
        }
        // The settings of a plugin are its own.
        let is_of_a_plugin = above.iter().rev().find_map(called) == Some("plugin");
        if let (ASTNode::Expr(Expr::Map(map, _)), false) = (node, is_of_a_plugin) {
            let keeps = |(key, value): &&(Ident, Expr)| {
                key.as_str() == "when_negative"
                    && matches!(value, Expr::StringConstant(word, _) if word == "keep")
            };
            let places = map.0.iter().filter(keeps).map(|(_, value)| value.position());
            let finding = |at| self.file.finding(RULE_SYNTAX, BOUNDED_NEGATIVE, at);
            self.findings.extend(places.map(finding));
        }
    }

    fn lookup(&mut self, call: &FnCallExpr) {
        let Some(Expr::StringConstant(name, position)) = call.args.first() else {
            self.insight.looks_up_anything = true;
            return;
        };
        // The broken table has a finding of its own, and may be the one that is looked up.
        let Some(tables) = self.context.tables else { return };
        let width = key_width(call.args.get(1));
        let problem = match (tables.get(name.as_str()), call.args.get(2)) {
            (None, _) => Some((unknown_table(name, tables.keys().map(String::as_str)), *position)),
            (Some(table), _) if width.is_some_and(|width| width != table.width()) => {
                Some((wrong_width(name, table, width.unwrap_or_default()), *position))
            }
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

/// How many columns a key has, where its text says so. A variable may hold a list.
fn key_width(key: Option<&Expr>) -> Option<usize> {
    match key? {
        Expr::Array(list, _) => Some(list.len()),
        Expr::StringConstant(..) | Expr::InterpolatedString(..) | Expr::Dot(..) => Some(1),
        _ => None,
    }
}

/// The name of the function that is called here.
fn called<'a>(node: &ASTNode<'a>) -> Option<&'a str> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _))
        | ASTNode::Stmt(Stmt::FnCall(call, _)) => Some(call.name.as_str()),
        _ => None,
    }
}
