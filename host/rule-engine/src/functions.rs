//! The functions that rules have beyond Rhai's own. `function_page` documents and tests them.

use crate::charge_view::Charge;
use crate::code::{RULE_FAILED, RULE_TEAM};
use crate::decision::{self, Opinion, Refusal};
use crate::drivers;
use crate::options::UnknownTeams;
use crate::table::{TEAMS, Tables, unknown_table};
use domain::decision::{Decision, Recipient};
use domain::field::Field;
use rhai::{
    Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext, Position,
};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

type OpinionResult = Result<Opinion, Box<EvalAltResult>>;

/// The parts of a rule set that its functions need.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) tables: Arc<Tables>,
    pub(crate) kept: Arc<[Field]>,
    pub(crate) unknown_teams: UnknownTeams,
    /// Ids of the distribution rules. The functions are registered before any rule is compiled, so
    /// the ids are filled in later. A pool's name is checked when a rule runs.
    pub(crate) pools: Arc<OnceLock<BTreeSet<String>>>,
}

pub(crate) fn register(engine: &mut Engine, surroundings: &Surroundings) {
    let teams = KnownTeams {
        tables: Arc::clone(&surroundings.tables),
        refuses: surroundings.unknown_teams == UnknownTeams::Refuse,
    };
    register_decisions(engine, &teams);
    register_pool(engine, &surroundings.pools);
    register_drivers(engine, surroundings, &teams);
    register_lookup(engine, &surroundings.tables);
    engine.register_fn("tag", Charge::tag);
    engine.register_fn("has_tag", Charge::has_tag);
    engine.register_fn("is_blank", |value: ImmutableString| value.trim().is_empty());
    engine.register_fn("is_blank", |_: ()| true);
    engine.register_fn("any_of", any_of);
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

/// Refuses decisions that name unknown teams, if the settings say so.
#[derive(Clone)]
struct KnownTeams {
    tables: Arc<Tables>,
    refuses: bool,
}

impl KnownTeams {
    /// The decision, unless it names an unknown team.
    fn answer(
        &self,
        context: &NativeCallContext,
        decision: Result<Decision, Refusal>,
    ) -> OpinionResult {
        let table = self.tables.get(TEAMS).filter(|_| self.refuses);
        if let (Some(table), Ok(decision)) = (table, &decision)
            && let Some(team) = decision.teams().into_iter().find(|team| !table.has(team))
        {
            let advice = decision::meant(team, table.keys());
            let message = format!("there is no team '{team}' in tables/{TEAMS}.csv{advice}");
            return Err(thrown(Refusal { code: RULE_TEAM, message }));
        }
        answer(context, decision)
    }
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

/// Registers a function with up to three optional arguments. Rhai finds a function by the number of
/// its arguments, so one is registered for each number.
macro_rules! with_optional_arguments {
    ($engine:ident, $teams:ident, $name:literal, ($($given:ident: $kind:ty),*), $decide:expr) => {
        let (decide, teams) = (Arc::new($decide), $teams.clone());
        let none = Arc::new(
            move |context: &NativeCallContext, $($given: $kind,)* arguments: &[Dynamic]| {
                teams.answer(context, decide($(&$given,)* arguments))
            },
        );
        let (one, two, three) = (Arc::clone(&none), Arc::clone(&none), Arc::clone(&none));
        $engine.register_fn($name, move |context: NativeCallContext, $($given: $kind),*| {
            none(&context, $($given,)* &[])
        });
        $engine.register_fn(
            $name,
            move |context: NativeCallContext, $($given: $kind,)* a: Dynamic| {
                one(&context, $($given,)* &[a])
            },
        );
        $engine.register_fn(
            $name,
            move |context: NativeCallContext, $($given: $kind,)* a: Dynamic, b: Dynamic| {
                two(&context, $($given,)* &[a, b])
            },
        );
        $engine.register_fn(
            $name,
            move |
                context: NativeCallContext,
                $($given: $kind,)*
                a: Dynamic,
                b: Dynamic,
                c: Dynamic,
            | three(&context, $($given,)* &[a, b, c]),
        );
    };
}

fn register_drivers(engine: &mut Engine, surroundings: &Surroundings, teams: &KnownTeams) {
    let kept = Arc::clone(&surroundings.kept);
    with_optional_arguments!(engine, teams, "by_cost", (), move |arguments: &[Dynamic]| {
        drivers::by_cost(arguments, &kept)
    });
    let has_table = |tables: Arc<Tables>| {
        move |name: &str| match tables.contains_key(name) {
            true => Ok(()),
            false => Err(unknown_table(name, tables.keys().map(String::as_str))),
        }
    };
    let tables = has_table(Arc::clone(&surroundings.tables));
    with_optional_arguments!(
        engine,
        teams,
        "by_usage",
        (metric: ImmutableString),
        move |metric: &ImmutableString, arguments: &[Dynamic]| {
            drivers::by_usage(metric, arguments, &tables)
        }
    );
    let tables = has_table(Arc::clone(&surroundings.tables));
    with_optional_arguments!(
        engine,
        teams,
        "rate_card",
        (metric: ImmutableString, price: Dynamic),
        move |metric: &ImmutableString, price: &Dynamic, arguments: &[Dynamic]| {
            drivers::rate_card(metric, price, arguments, &tables)
        }
    );
    with_optional_arguments!(
        engine,
        teams,
        "plugin",
        (name: ImmutableString),
        move |name: &ImmutableString, arguments: &[Dynamic]| drivers::plugin(name, arguments)
    );
    let (tiered, bounded) = (teams.clone(), teams.clone());
    engine.register_fn("tiered", move |context: NativeCallContext, tiers: Array| {
        tiered.answer(&context, drivers::tiered(&tiers))
    });
    engine.register_fn(
        "bounded",
        move |context: NativeCallContext, decision: Dynamic, bounds: Map| {
            bounded.answer(&context, drivers::bounded(&decision, &bounds))
        },
    );
}

fn register_lookup(engine: &mut Engine, tables: &Arc<Tables>) {
    let (plain, named) = (Arc::clone(tables), Arc::clone(tables));
    engine.register_fn("lookup", move |table: ImmutableString, key: Dynamic| {
        lookup(&plain, &table, &key, None)
    });
    engine.register_fn(
        "lookup",
        move |table: ImmutableString, key: Dynamic, column: ImmutableString| {
            lookup(&named, &table, &key, Some(&column))
        },
    );
}

fn lookup(
    tables: &Tables,
    name: &str,
    key: &Dynamic,
    column: Option<&str>,
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
                let message =
                    format!("`any_of` compares with texts, not with {}", decision::kind(text));
                return Err(thrown(Refusal { code: RULE_FAILED, message }));
            }
        }
    }
    Ok(false)
}

fn answer(context: &NativeCallContext, decision: Result<Decision, Refusal>) -> OpinionResult {
    match decision {
        Ok(decision) => Ok(Opinion { decision: Some(decision), line: line_of(context) }),
        Err(refusal) => Err(thrown(refusal)),
    }
}

/// The refusal as an error of the script. Rhai adds the place of the call.
fn thrown(refusal: Refusal) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(refusal), Position::NONE))
}

fn line_of(context: &NativeCallContext) -> u32 {
    context.call_position().line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
}
