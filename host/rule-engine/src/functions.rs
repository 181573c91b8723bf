//! The functions that rules have beyond Rhai's own, and the table that documents and tests them all.

use crate::charge_view::Charge;
use crate::decision::{self, Opinion, Refusal};
use crate::table::{Tables, unknown_table};
use domain::catalogue::RULE_FAILED;
use domain::decision::Decision;
use domain::field::Field;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position};
use std::sync::Arc;

/// One row of the functions' page.
pub(crate) struct HostFunction {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
    /// A piece of rule that the tests run …
    pub(crate) example: &'static str,
    /// … and what it gives.
    pub(crate) gives: &'static str,
    pub(crate) family: Family,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Decisions,
    Charge,
    Tests,
    Texts,
}

impl Family {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Family::Decisions => "Decisions: what `allocate` answers",
            Family::Charge => "The charge and the tables",
            Family::Tests => "Tests",
            Family::Texts => "Texts",
        }
    }
}

macro_rules! functions {
    ($($family:ident $name:literal $signature:literal $doc:literal $example:literal => $gives:literal;)*) => {
        pub(crate) const FUNCTIONS: &[HostFunction] = &[$(HostFunction {
            name: $name, signature: $signature, doc: $doc, example: $example, gives: $gives, family: Family::$family,
        }),*];
    };
}

functions! {
    Decisions "assign" "assign(team)" "One team bears all." r#"assign("payments")"# => "assign payments";
    Decisions "assign" "assign(#{team, cost_center, environment, application})" "One team bears all; the other parts are optional and kept with the posting." r#"assign(#{team: "payments", environment: "prod"})"# => "assign payments (environment=prod)";
    Decisions "split" "split(#{team: weight, …})" "Fixed weights, shared out in the order of the names. Weights are whole or decimal and need not add up to 100." r#"split(#{search: 40, payments: 60})"# => "split payments 60, search 40";
    Decisions "split" "split([[team, weight], …])" "Fixed weights in the order listed; a pair may also be a map with `team`, `weight` and the other parts." r#"split([["search", 87.5], ["payments", 12.5]])"# => "split search 875, payments 125";
    Decisions "even" "even([team, …])" "Equal shares, in the order listed." r#"even(["web", "mobile"])"# => "split web 1, mobile 1";
    Decisions "by_cost" "by_cost()" "In proportion to every team's direct cost of the day." "by_cost()" => "by_cost all teams";
    Decisions "by_cost" "by_cost(#{dimension: value, …})" "The same, counting only direct cost that matches. Keys are dimensions, `\"tag:<key>\"`, or team, environment, application and cost_center, which mean the tags." r#"by_cost(#{environment: "prod"})"# => "by_cost all teams where tag:environment = \"prod\"";
    Decisions "by_cost" "by_cost([team, …])" "The same among the teams listed; a map of filters may follow." r#"by_cost(["search", "web"], #{region_id: "eu-west-1"})"# => "by_cost search, web where region_id = \"eu-west-1\"";
    Decisions "by_cost" "by_cost(…, #{when_zero: \"even\"})" "What happens on a day without such cost: \"stay\" (the default: it stays in the pool, visible) or \"even\"." r#"by_cost(["search", "web"], #{when_zero: "even"})"# => "by_cost search, web when_zero even";
    Decisions "exclude" "exclude(reason)" "No team bears it; it is set aside, with the reason." r#"exclude("billed to the customer directly")"# => "exclude \"billed to the customer directly\"";
    Decisions "pass" "pass()" "No opinion after all: the next rule is asked." "pass()" => "pass";
    Charge "tag" "charge.tag(key)" "The tag's value, or \"\" where the charge lacks it." r#"charge.tag("team")"# => "payments";
    Charge "has_tag" "charge.has_tag(key)" "Whether the tag is there and not empty." r#"charge.has_tag("team") && !charge.has_tag("owner")"# => "true";
    Charge "tags" "charge.tags[key]" "The same as `charge.tag(key)`." r#"charge.tags["app.kubernetes.io/name"]"# => "api";
    Charge "lookup" "lookup(table, key)" "The second cell of the row that starts with the key in `tables/<table>.csv`, or `()` where there is none." r#"lookup("accounts", charge.sub_account_id)"# => "payments";
    Charge "lookup" "lookup(table, key, column)" "The same from a column by its name in the header." r#"lookup("accounts", "111111111111", "cost_center")"# => "CC-1000";
    Tests "is_blank" "is_blank(value)" "Whether a text has nothing but blanks, or is `()`." r#"is_blank("  ") && is_blank(())"# => "true";
    Tests "any_of" "any_of(value, [text, …])" "Whether the value is one of the texts; quicker than a chain of `==`." r#"any_of(charge.charge_category, ["Usage", "Purchase"])"# => "true";
    Tests "starts_with" "text.starts_with(prefix)" "Whether the text starts so. Case counts." r#"charge.sub_account_name.starts_with("payments-")"# => "true";
    Tests "ends_with" "text.ends_with(suffix)" "Whether the text ends so." r#"charge.sub_account_name.ends_with("-prod")"# => "true";
    Tests "contains" "text.contains(part)" "Whether the text has the part." r#"charge.service_name.contains("Elastic")"# => "true";
    Texts "to_lower" "text.to_lower()" "The text in lower case." r#"charge.charge_category.to_lower()"# => "usage";
    Texts "to_upper" "text.to_upper()" "The text in upper case." r#""eu".to_upper()"# => "EU";
    Texts "trim" "text.trim()" "The text without blanks at its ends, as a new text." r#""  a b ".trim()"# => "a b";
    Texts "split" "text.split(separator)" "The parts as a list." r#"charge.sub_account_name.split("-")[0]"# => "payments";
    Texts "sub_string" "text.sub_string(start, length)" "A part, counted in characters from 0." r#""eu-west-1".sub_string(0, 2)"# => "eu";
    Texts "len" "text.len" "The number of characters." r#"charge.region_id.len"# => "9";
    Texts "index_of" "text.index_of(part)" "Where the part starts, or -1." r#""eu-west-1".index_of("west")"# => "3";
}

/// The page that documents all of this, `rules/FUNCTIONS.md`.
pub fn page() -> String {
    let mut page = String::from(PAGE_HEAD);
    for family in [Family::Decisions, Family::Charge, Family::Tests, Family::Texts] {
        page.push_str(&format!("\n## {}\n", family.title()));
        for function in FUNCTIONS.iter().filter(|function| function.family == family) {
            page.push_str(&format!(
                "\n### `{}`\n\n{}\n\n```rhai\n{}  // {}\n```\n",
                function.signature, function.doc, function.example, function.gives
            ));
        }
    }
    page
}

const PAGE_HEAD: &str = "# Functions for rules

This page is generated from the functions themselves, and every example is run by a test.
`UPDATE=1 cargo test -p rule-engine` rewrites it. How rules are written stands in [README.md](README.md).

The examples are run on a charge of the account `payments-prod` with the tags `team` = payments and `app.kubernetes.io/name` = api.
The comment behind each says what it gives.
";

type Answer = Result<Opinion, Box<EvalAltResult>>;

pub(crate) fn register(engine: &mut Engine, tables: &Arc<Tables>, kept: &[Field]) {
    register_decisions(engine);
    register_by_cost(engine, kept);
    register_lookup(engine, tables);
    engine.register_fn("tag", Charge::tag);
    engine.register_fn("has_tag", Charge::has_tag);
    engine.register_fn("is_blank", |value: ImmutableString| value.trim().is_empty());
    engine.register_fn("is_blank", |_: ()| true);
    engine.register_fn("any_of", any_of);
    // Rhai's own `trim` changes a text in place, which would silently do nothing to a charge's field.
    engine.register_fn("trim", |value: ImmutableString| -> ImmutableString { value.trim().into() });
}

fn register_decisions(engine: &mut Engine) {
    engine.register_fn("assign", |context: NativeCallContext, target: Dynamic| answer(&context, decision::assign(&target)));
    engine.register_fn("split", |context: NativeCallContext, weights: Map| answer(&context, decision::split(&weights.into())));
    engine.register_fn("split", |context: NativeCallContext, weights: Array| answer(&context, decision::split(&weights.into())));
    engine.register_fn("even", |context: NativeCallContext, teams: Dynamic| answer(&context, decision::even(&teams)));
    engine.register_fn("exclude", |context: NativeCallContext, reason: ImmutableString| answer(&context, decision::exclude(&reason)));
    engine.register_fn("pass", |context: NativeCallContext| Opinion { decision: None, line: line_of(&context) });
}

fn register_by_cost(engine: &mut Engine, kept: &[Field]) {
    let kept: Arc<[Field]> = kept.into();
    let (none, one, two, three) = (Arc::clone(&kept), Arc::clone(&kept), Arc::clone(&kept), kept);
    engine.register_fn("by_cost", move |context: NativeCallContext| answer(&context, decision::by_cost(&[], &none)));
    engine.register_fn("by_cost", move |context: NativeCallContext, a: Dynamic| answer(&context, decision::by_cost(&[a], &one)));
    engine.register_fn("by_cost", move |context: NativeCallContext, a: Dynamic, b: Dynamic| answer(&context, decision::by_cost(&[a, b], &two)));
    engine.register_fn("by_cost", move |context: NativeCallContext, a: Dynamic, b: Dynamic, c: Dynamic| {
        answer(&context, decision::by_cost(&[a, b, c], &three))
    });
}

fn register_lookup(engine: &mut Engine, tables: &Arc<Tables>) {
    let (plain, named) = (Arc::clone(tables), Arc::clone(tables));
    engine.register_fn("lookup", move |table: ImmutableString, key: Dynamic| lookup(&plain, &table, &key, None));
    engine.register_fn("lookup", move |table: ImmutableString, key: Dynamic, column: ImmutableString| lookup(&named, &table, &key, Some(&column)));
}

fn lookup(tables: &Tables, name: &str, key: &Dynamic, column: Option<&str>) -> Result<Dynamic, Box<EvalAltResult>> {
    let failed = |message: String| thrown(Refusal { code: RULE_FAILED, message });
    let table = tables.get(name).ok_or_else(|| failed(unknown_table(name, tables.keys().map(String::as_str))))?;
    let column = match column {
        None => 0,
        Some(column) => table.column(column).map_err(|problem| failed(format!("the table '{name}' {problem}")))?,
    };
    if key.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    match key.read_lock::<ImmutableString>() {
        Some(key) => Ok(table.cell(&key, column).map_or(Dynamic::UNIT, Dynamic::from)),
        None => Err(failed(format!("`lookup` takes a text as key, not {}", decision::kind(key)))),
    }
}

fn any_of(value: ImmutableString, texts: Array) -> Result<bool, Box<EvalAltResult>> {
    for text in &texts {
        match text.read_lock::<ImmutableString>() {
            Some(text) if *text == value => return Ok(true),
            Some(_) => {}
            None => {
                let message = format!("`any_of` compares with texts, not with {}", decision::kind(text));
                return Err(thrown(Refusal { code: RULE_FAILED, message }));
            }
        }
    }
    Ok(false)
}

fn answer(context: &NativeCallContext, decision: Result<Decision, Refusal>) -> Answer {
    match decision {
        Ok(decision) => Ok(Opinion { decision: Some(decision), line: line_of(context) }),
        Err(refusal) => Err(thrown(refusal)),
    }
}

/// Rhai fills in where the call stands.
fn thrown(refusal: Refusal) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(refusal), Position::NONE))
}

fn line_of(context: &NativeCallContext) -> u32 {
    context.call_position().line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge_view::{LineValues, View};
    use crate::language;
    use crate::set::Limits;
    use crate::table::Table;
    use rhai::Scope;
    use std::path::Path;
    use std::sync::Mutex;

    fn sample_engine() -> Engine {
        let text = "account,team,cost_center\n111111111111,payments,CC-1000\n";
        let table = Table::parse("accounts.csv", text).unwrap_or_else(|findings| panic!("{findings:?}"));
        let tables = Arc::new(Tables::from([("accounts".to_owned(), table)]));
        language::engine(&Limits::default(), &tables, &Field::default_dimensions())
    }

    fn sample_charge() -> Charge {
        let dimension = |field: Field| match field.name() {
            "service_name" => "Amazon Elastic Compute Cloud",
            "sub_account_id" => "111111111111",
            "sub_account_name" => "payments-prod",
            "charge_category" => "Usage",
            "region_id" => "eu-west-1",
            _ => "",
        };
        Charge::new(View {
            fields: Field::all().map(|field| dimension(field).into()).collect(),
            currency: "USD".into(),
            tags: vec![("team".into(), "payments".into()), ("app.kubernetes.io/name".into(), "api".into())],
            line: LineValues::default(),
            reads: Mutex::default(),
        })
    }

    #[test]
    fn every_example_gives_what_the_page_says() {
        let engine = sample_engine();
        for function in FUNCTIONS {
            let mut scope = Scope::new();
            scope.push_constant("charge", sample_charge());
            let value: Dynamic = engine.eval_with_scope(&mut scope, function.example).unwrap_or_else(|error| panic!("{}: {error}", function.example));
            let given = match value.clone().try_cast::<Opinion>() {
                Some(Opinion { decision: Some(decision), .. }) => decision::describe(&decision),
                Some(Opinion { decision: None, .. }) => "pass".to_owned(),
                None => value.to_string(),
            };
            assert_eq!(given, function.gives, "{}", function.example);
        }
    }

    #[test]
    fn every_registered_function_is_on_the_page() {
        let plain = Engine::new();
        let names = |engine: &Engine| engine.collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), false);
        let ours: Vec<String> = names(&sample_engine()).into_iter().filter(|name| !names(&plain).contains(name)).collect();
        assert!(ours.iter().any(|name| name == "by_cost"), "{ours:?}");
        for name in ours {
            let is_getter = name.contains('$');
            assert!(
                is_getter || ["to_string", "sleep"].contains(&name.as_str()) || FUNCTIONS.iter().any(|function| function.name == name),
                "{name} is not on the page"
            );
        }
    }

    #[test]
    fn the_page_is_up_to_date() {
        let path = Path::new("../../rules/FUNCTIONS.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, page()).unwrap_or_else(|error| panic!("{error}"));
        }
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(stored, page(), "rules/FUNCTIONS.md is stale: run `UPDATE=1 cargo test -p rule-engine`");
    }
}
