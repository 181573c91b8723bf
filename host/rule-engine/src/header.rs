//! The `rule(#{…})` header and the doc comment above it.
//!
//! The header is read from the syntax tree when a rule is loaded, and is never run. So its values
//! must be literals.

use crate::code::RULE_HEADER;
use crate::text_file::TextFile;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::period::Day;
use domain::port::{Mutual, Stage};
use rhai::{AST, Expr, Position, Stmt};

/// The values of a rule's header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) priority: i64,
    pub(crate) owner: String,
    pub(crate) review_by: Option<Day>,
    pub(crate) enabled: bool,
    pub(crate) from: Option<Day>,
    pub(crate) until: Option<Day>,
    pub(crate) stage: Stage,
    pub(crate) mutual: Mutual,
}

const KEYS: [&str; 10] = [
    "priority",
    "owner",
    "review_by",
    "name",
    "enabled",
    "from",
    "until",
    "stage",
    "team",
    "mutual",
];
const EXAMPLE: &str =
    "rule(#{ priority: 300, owner: \"finops@example.com\", review_by: \"2027-03-31\" });";

/// The text of the leading `//!` comment, without the marks.
pub(crate) fn doc_comment(source: &str) -> String {
    let lines = source.lines().map(str::trim).skip_while(|line| line.is_empty());
    let text: Vec<&str> = lines
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    text.join("\n").trim().to_owned()
}

/// Reads the header, or reports everything that is wrong with it.
pub(crate) fn read(file: &TextFile, ast: &AST) -> Result<Header, Vec<Diagnostic>> {
    let entries = entries(file, ast)?;
    let mut header = Header {
        name: file.id.rsplit('/').next().unwrap_or(&file.id).to_owned(),
        enabled: true,
        ..Header::default()
    };
    let mut findings = Vec::new();
    let mut has_priority = false;
    let mut stage = StageKeys::default();
    for (key, value) in entries {
        // The keys of the stage are read first and judged together, below.
        if let Some(slot) = stage.slot(key.as_str()) {
            match value {
                Expr::StringConstant(text, position) => *slot = Some((text.to_string(), *position)),
                other => findings.push(file.finding(
                    RULE_HEADER,
                    format!("'{}' must be a text in quotes", key.as_str()),
                    other.position(),
                )),
            }
            continue;
        }
        has_priority |= key.as_str() == "priority";
        if let Err((message, position)) = set(&mut header, key.as_str(), key.pos, value) {
            findings.push(file.finding(RULE_HEADER, message, position));
        }
    }
    let place = call_position(ast);
    if !has_priority {
        findings.push(
            file.finding(
                RULE_HEADER,
                "the header lacks a priority; rules are tried from the lowest up",
                place,
            )
            .hint(EXAMPLE),
        );
    }
    match stage.read() {
        Ok((stage, mutual)) => (header.stage, header.mutual) = (stage, mutual),
        Err((message, position)) => {
            findings.push(file.finding(RULE_HEADER, message, position.unwrap_or(place)))
        }
    }
    if let (Some(from), Some(until)) = (header.from, header.until)
        && from >= until
    {
        findings.push(file.finding(
            RULE_HEADER,
            format!("the rule would end on {until}, before it starts on {from}"),
            place,
        ));
    }
    if findings.is_empty() { Ok(header) } else { Err(findings) }
}

/// The keys that choose the rule's stage. They are checked together, because each is valid only
/// with certain values of the others.
#[derive(Default)]
struct StageKeys {
    stage: Option<(String, Position)>,
    team: Option<(String, Position)>,
    mutual: Option<(String, Position)>,
}

impl StageKeys {
    fn slot(&mut self, key: &str) -> Option<&mut Option<(String, Position)>> {
        match key {
            "stage" => Some(&mut self.stage),
            "team" => Some(&mut self.team),
            "mutual" => Some(&mut self.mutual),
            _ => None,
        }
    }

    fn read(self) -> Result<(Stage, Mutual), (String, Option<Position>)> {
        let stage = match (self.stage.as_ref().map(|(stage, _)| stage.as_str()), &self.team) {
            (Some("cascade"), Some((team, position))) if team.trim().is_empty() => {
                return Err((
                    "'team' is blank; it names the team whose cost is passed on".into(),
                    Some(*position),
                ));
            }
            (Some("cascade"), Some((team, _))) => Stage::Cascade(team.clone()),
            (Some("cascade"), None) => {
                return Err((
                    "a rule with `stage: \"cascade\"` needs `team`, whose cost it passes on".into(),
                    None,
                ));
            }
            (_, Some((_, position))) => {
                return Err(("'team' goes with `stage: \"cascade\"`".into(), Some(*position)));
            }
            (Some("distribution"), None) => Stage::Distribution,
            (None | Some("attribution"), None) => Stage::Attribution,
            (Some(_), None) => {
                let position = self.stage.map(|(_, position)| position);
                return Err((
                    "'stage' is \"attribution\", \"distribution\" or \"cascade\"".into(),
                    position,
                ));
            }
        };
        match self.mutual {
            None => Ok((stage, Mutual::Reciprocal)),
            Some((_, position)) if stage == Stage::Attribution => {
                let message = "'mutual' goes with a stage that passes costs on: \
                               `stage: \"distribution\"` or `stage: \"cascade\"`";
                Err((message.into(), Some(position)))
            }
            Some((name, position)) => match Mutual::by_name(&name) {
                Some(mutual) => Ok((stage, mutual)),
                None => Err(("'mutual' is \"reciprocal\" or \"step_down\"".into(), Some(position))),
            },
        }
    }
}

/// The header's keys and values. The header must be the only statement outside functions, because
/// nothing else there would ever run.
fn entries<'a>(
    file: &TextFile,
    ast: &'a AST,
) -> Result<Vec<(&'a rhai::Ident, &'a Expr)>, Vec<Diagnostic>> {
    let mut statements = ast.statements().iter().filter(|statement| !statement.is_noop());
    let Some(first) = statements.next() else {
        return Err(vec![
            file.finding(RULE_HEADER, "the rule has no `rule(#{…})` header", Position::NONE)
                .hint(EXAMPLE),
        ]);
    };
    let Some(call) = header_call(first) else {
        let message = "the first statement must be the `rule(#{…})` header";
        return Err(vec![file.finding(RULE_HEADER, message, first.position()).hint(EXAMPLE)]);
    };
    if let Some(second) = statements.next() {
        let message = "only the header may stand outside the functions; this would never run";
        return Err(vec![file.finding(RULE_HEADER, message, second.position())]);
    }
    match call.args.as_slice() {
        [Expr::Map(map, _)] => Ok(map.0.iter().map(|(key, value)| (key, value)).collect()),
        _ => Err(vec![
            file.finding(RULE_HEADER, "the header takes one map, #{…}", first.position())
                .hint(EXAMPLE),
        ]),
    }
}

fn header_call(statement: &Stmt) -> Option<&rhai::FnCallExpr> {
    let call = match statement {
        Stmt::FnCall(call, _) => call,
        Stmt::Expr(expression) => match &**expression {
            Expr::FnCall(call, _) => call,
            _ => return None,
        },
        _ => return None,
    };
    (call.name == "rule").then_some(call)
}

pub(crate) fn call_position(ast: &AST) -> Position {
    ast.statements().first().map_or(Position::NONE, Stmt::position)
}

fn set(
    header: &mut Header,
    key: &str,
    at: Position,
    value: &Expr,
) -> Result<(), (String, Position)> {
    let wrong = |what: &str| Err((format!("'{key}' must be {what}"), value.position()));
    match (key, value) {
        ("priority", Expr::IntegerConstant(priority, _)) => header.priority = *priority,
        ("priority", _) => return wrong("a whole number, such as 300"),
        ("enabled", Expr::BoolConstant(enabled, _)) => header.enabled = *enabled,
        ("enabled", _) => return wrong("true or false"),
        ("owner", Expr::StringConstant(owner, _)) => header.owner = owner.to_string(),
        ("name", Expr::StringConstant(name, _)) if !name.trim().is_empty() => {
            header.name = name.to_string()
        }
        ("owner" | "name", _) => return wrong("a text in quotes"),
        ("review_by", value) => header.review_by = Some(day(key, value)?),
        ("from", value) => header.from = Some(day(key, value)?),
        ("until", value) => header.until = Some(day(key, value)?),
        _ => {
            let meant = match did_you_mean(key, KEYS) {
                Some(name) => format!("did you mean '{name}'?"),
                None => format!("there are {}", KEYS.join(", ")),
            };
            return Err((format!("the header does not know '{key}'; {meant}"), at));
        }
    }
    Ok(())
}

fn day(key: &str, value: &Expr) -> Result<Day, (String, Position)> {
    let text = match value {
        Expr::StringConstant(text, _) => text.as_str(),
        _ => "",
    };
    text.parse()
        .map_err(|_| (format!("'{key}' must be a date such as \"2027-03-31\""), value.position()))
}
