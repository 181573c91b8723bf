//! The Rhai engine as rules see it. Every limit is set, and everything that is not a pure function
//! is taken out.

use crate::charge_view::{Charge, Tags};
use crate::decision::{Opinion, Refusal};
use crate::functions::{self, Surroundings};
use crate::options::RuleLimits;
use domain::detail::Detail;
use domain::field::Field;
use domain::recipient::Recipient;
use rhai::{Engine, EvalAltResult, NativeCallContext, OptimizationLevel, Position, Token};
use std::collections::BTreeSet;

/// Words of Rhai that rules do not have, because they act outside of the script, wait, or print.
pub(crate) const ABSENT: [&str; 6] = ["eval", "import", "export", "print", "debug", "sleep"];

/// The message for a word that rules do not have.
pub(crate) fn absent(word: &str) -> String {
    format!("rules do not have `{word}`: a rule only computes from the charge that it is given")
}

/// Functions of the language itself. The engine does not list them.
const KEYWORD_FUNCTIONS: [&str; 9] =
    ["Fn", "call", "curry", "type_of", "is_def_fn", "is_def_var", "is_shared", "this", "rule"];

/// The language without the host's functions. It can compile a text and cut it into words.
pub(crate) fn bare_engine(limits: &RuleLimits) -> Engine {
    let mut engine = Engine::new();
    set_limits(&mut engine, limits);
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    for word in ABSENT {
        engine.disable_symbol(word);
    }
    read_until_as_a_name(&mut engine);
    engine
}

/// The engine of one generation.
pub(crate) fn engine(limits: &RuleLimits, surroundings: &Surroundings) -> Engine {
    let mut engine = bare_engine(limits);
    // Without these, Rhai would print to the host's own output.
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    engine.register_type_with_name::<Charge>("Charge");
    engine.register_type_with_name::<Tags>("Tags");
    engine.register_type_with_name::<Opinion>("Decision");
    engine.register_type_with_name::<Recipient>("Recipient");
    engine.register_type_with_name::<Refusal>("Refusal");
    engine.register_fn("to_string", |refusal: &mut Refusal| refusal.message.clone());
    // The checks at compile time cannot see a call by a name in a text, `Fn("sleep")`. So the
    // function itself refuses.
    engine.register_fn("sleep", |_: i64| -> Result<(), Box<EvalAltResult>> {
        Err(EvalAltResult::ErrorTerminated(absent("sleep").into(), Position::NONE).into())
    });
    register_charge(&mut engine);
    functions::register(&mut engine, surroundings);
    engine
}

/// Makes `until` a plain name. Rhai reserves it for `do … until`, and the header has a key of that
/// name. Rules lose `do … until`.
fn read_until_as_a_name(engine: &mut Engine) {
    #[expect(
        deprecated,
        reason = "Rhai marks this call as volatile, not as deprecated; the version is pinned"
    )]
    engine.on_parse_token(|token, _, _| match token {
        Token::Until => Token::Identifier(Box::new("until".into())),
        other => other,
    });
}

/// Sets all limits. Zero means "no limit" to Rhai, so no limit is set to zero.
fn set_limits(engine: &mut Engine, limits: &RuleLimits) {
    engine.set_max_operations(limits.operations.max(1));
    engine.set_max_call_levels(limits.call_levels.max(1));
    engine.set_max_expr_depths(limits.expression_depth.max(1), limits.expression_depth.max(1));
    engine.set_max_string_size(limits.string_bytes.max(1));
    engine.set_max_array_size(limits.array_size.max(1));
    engine.set_max_map_size(limits.map_size.max(1));
    engine.set_max_variables(limits.variables.max(1));
    engine.set_max_functions(limits.functions.max(2));
    engine.set_max_strings_interned(limits.strings_interned.max(1));
}

fn register_charge(engine: &mut Engine) {
    for field in Field::all() {
        engine.register_get(field.name(), move |charge: &mut Charge| charge.field(field));
    }
    engine.register_get("billing_currency", Charge::currency);
    engine.register_get("charge_period_start", Charge::day);
    engine.register_get("billed_cost", Charge::billed);
    engine.register_get("effective_cost", Charge::effective);
    for detail in Detail::ALL {
        engine
            .register_get(detail.name(), move |context: NativeCallContext, charge: &mut Charge| {
                charge.detail(&context, detail)
            });
    }
    engine.register_get("tags", Charge::tags);
    engine.register_indexer_get(Tags::get);
}

/// The names of all functions that a rule can call.
pub(crate) fn function_names(engine: &Engine) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = engine
        .collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), true)
        .into_iter()
        .collect();
    names.extend(KEYWORD_FUNCTIONS.map(str::to_owned));
    names
}
