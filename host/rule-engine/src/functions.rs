//! The functions that rules have beyond Rhai's own. `function_page` documents and tests them.

use crate::answer::{answer, day_of, line_of, thrown};
use crate::charge_view::Charge;
use crate::code::RULE_FAILED;
use crate::decision::{self, Opinion, Refusal};
use crate::drivers;
use crate::known_teams::KnownTeams;
use crate::pattern::Patterns;
use crate::table::{LookupTable, Tables, unknown_table};
use domain::field::Field;
use domain::recipient::Recipient;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The parts of a rule set that its functions need.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) teams: KnownTeams,
    pub(crate) kept: Arc<[Field]>,
    /// Ids of the distribution rules. The functions are registered before any rule is compiled, so
    /// the ids are filled in later. A pool's name is checked when a rule runs.
    pub(crate) pools: Arc<OnceLock<BTreeSet<String>>>,
}

pub(crate) fn register(engine: &mut Engine, surroundings: &Surroundings) {
    let teams = &surroundings.teams;
    register_decisions(engine, teams);
    register_pool(engine, &surroundings.pools);
    drivers::register(engine, teams, &surroundings.kept);
    register_lookup(engine, &teams.tables);
    engine.register_fn("tag", Charge::tag);
    engine.register_fn("has_tag", Charge::has_tag);
    engine.register_fn(
        "has_detail",
        |context: NativeCallContext, charge: &mut Charge, name: ImmutableString| {
            charge.has_detail(&context, &name)
        },
    );
    engine.register_fn("is_blank", |value: ImmutableString| value.trim().is_empty());
    engine.register_fn("is_blank", |_: ()| true);
    engine.register_fn("any_of", any_of);
    let patterns = Patterns::default();
    engine.register_fn(
        "matches_pattern",
        move |text: ImmutableString, pattern: ImmutableString| {
            let failed = |message| thrown(Refusal { code: RULE_FAILED, message });
            patterns.is_found(&text, &pattern).map_err(failed)
        },
    );
    // Rhai's own `trim` changes a text in place. On a charge's field that would change a copy, and
    // so do nothing.
    engine.register_fn("trim", |value: ImmutableString| -> ImmutableString { value.trim().into() });
}

fn register_decisions(engine: &mut Engine, teams: &KnownTeams) {
    let (assign, split, list, even) = (teams.clone(), teams.clone(), teams.clone(), teams.clone());
    engine.register_fn("assign", move |context: NativeCallContext, target: Dynamic| {
        assign.answer(&context, decision::assign(&target))
    });
    engine.register_fn("split", move |context: NativeCallContext, weights: Map| {
        split.answer(&context, decision::split(&weights.into()))
    });
    engine.register_fn("split", move |context: NativeCallContext, weights: Array| {
        list.answer(&context, decision::split(&weights.into()))
    });
    engine.register_fn("even", move |context: NativeCallContext, recipients: Dynamic| {
        even.answer(&context, decision::even(&recipients))
    });
    engine.register_fn("exclude", |context: NativeCallContext, reason: ImmutableString| {
        answer(&context, decision::exclude(&reason))
    });
    engine.register_fn("pass", |context: NativeCallContext| Opinion {
        decision: None,
        line: line_of(&context),
    });
}

fn register_pool(engine: &mut Engine, pools: &Arc<OnceLock<BTreeSet<String>>>) {
    let pools = Arc::clone(pools);
    engine.register_fn("pool", move |rule: ImmutableString| match pools.get() {
        Some(known) if !known.contains(rule.as_str()) => {
            Err(thrown(decision::refuse(unknown_pool(&rule, known))))
        }
        _ => Ok(Recipient::Pool(rule.to_string())),
    });
}

/// The message for an unknown pool. It names the pools that exist.
pub(crate) fn unknown_pool(rule: &str, known: &BTreeSet<String>) -> String {
    let names = known.iter().map(String::as_str);
    let advice = match decision::meant(rule, names.clone()) {
        none if none.is_empty() && known.is_empty() => "; there is none in this set".to_owned(),
        none if none.is_empty() => format!("; there are {}", names.collect::<Vec<_>>().join(", ")),
        advice => advice,
    };
    format!("no rule with `stage: \"distribution\"` is called '{rule}'{advice}")
}

fn register_lookup(engine: &mut Engine, tables: &Arc<Tables>) {
    let (plain, named) = (Arc::clone(tables), Arc::clone(tables));
    engine.register_fn(
        "lookup",
        move |context: NativeCallContext, table: ImmutableString, key: Dynamic| {
            lookup(&plain, &table, &key, None, &context)
        },
    );
    engine.register_fn(
        "lookup",
        move |context: NativeCallContext,
              table: ImmutableString,
              key: Dynamic,
              column: ImmutableString| {
            lookup(&named, &table, &key, Some(&column), &context)
        },
    );
}

/// Looks a cell up as it is on the day that the rule is asked about.
fn lookup(
    tables: &Tables,
    name: &str,
    key: &Dynamic,
    column: Option<&str>,
    context: &NativeCallContext,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let failed = |message: String| thrown(Refusal { code: RULE_FAILED, message });
    let table = tables
        .get(name)
        .ok_or_else(|| failed(unknown_table(name, tables.keys().map(String::as_str))))?;
    let column = match column {
        None => 0,
        Some(column) => table
            .column(column)
            .map_err(|problem| failed(format!("the table '{name}' {problem}")))?,
    };
    let parts = key_parts(key).map_err(&failed)?;
    if parts.len() != table.width() {
        return Err(failed(wrong_width(name, table, parts.len())));
    }
    let parts: Option<Vec<&str>> =
        parts.iter().map(|part| part.as_ref().map(ImmutableString::as_str)).collect();
    let Some(parts) = parts else { return Ok(Dynamic::UNIT) };
    let cell = table.cell(&parts, column, day_of(context));
    Ok(cell.map_or(Dynamic::UNIT, Dynamic::from))
}

/// The parts of a key; `None` for one that is absent.
fn key_parts(key: &Dynamic) -> Result<Vec<Option<ImmutableString>>, String> {
    let part = |part: &Dynamic| match part.read_lock::<ImmutableString>() {
        Some(text) => Ok(Some(text.clone())),
        None if part.is_unit() => Ok(None),
        None => Err(format!("`lookup` takes a text as key, not {}", decision::kind(part))),
    };
    match key.read_lock::<Array>() {
        Some(list) => list.iter().map(part).collect(),
        None => Ok(vec![part(key)?]),
    }
}

/// The message for a key with another number of parts than the table's.
pub(crate) fn wrong_width(name: &str, table: &LookupTable, given: usize) -> String {
    let key = table.key_words();
    match table.width() {
        1 => format!(
            "the key of the table '{name}' is {key} alone, and `lookup` is given a list of \
             {given}; a key of several columns is a list that stands in the call itself"
        ),
        width => format!(
            "the key of the table '{name}' is [{key}], {width} columns, and `lookup` is given \
             {given}"
        ),
    }
}

fn any_of(value: ImmutableString, texts: Array) -> Result<bool, Box<EvalAltResult>> {
    for text in &texts {
        match text.read_lock::<ImmutableString>() {
            Some(text) if *text == value => return Ok(true),
            Some(_) => {}
            None => {
                let message =
                    format!("`any_of` compares with texts, not with {}", decision::kind(text));
                return Err(thrown(Refusal { code: RULE_FAILED, message }));
            }
        }
    }
    Ok(false)
}
