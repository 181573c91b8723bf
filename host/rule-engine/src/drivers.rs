//! The ways to share, as scripts write them: `by_cost`, `by_usage`, `tiered`, `rate_card`,
//! `bounded`, `plugin`.
//!
//! Each has its rows of the functions' page, its registration and its reading here. All take their
//! subject first, then perhaps a list of teams and a map of filters, and a map of options last.

use crate::arguments::{Arguments, BOUNDS, amount, checked, policies, spread_of, word, write_json};
use crate::decision::{Refusal, TARGET_KEYS, among, kind, meant, recipient, refuse, text};
use crate::host_function::{FunctionFamily, HostFunction};
use crate::known_teams::KnownTeams;
use crate::rate_card::rate_card;
use crate::table::{Tables, unknown_table};
use crate::window::{BASIS_WORDS, basis_of, calendar_window, window};
use domain::decision::Decision;
use domain::driver::Driver;
use domain::driver::bounds::{Bound, Limit};
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostBasis, CostQuestion, DriverFilter, UsageQuery, Window};
use domain::driver::plugin::PluginDriver;
use domain::driver::tiers::{Tier, TieredDriver};
use domain::driver::usage::{Unknown, UsageDriver};
use domain::field::Field;
use domain::recipient::Recipient;
use domain::spread::Spread;
use domain::usage::RESOURCE_ID;
use rhai::{Array, Dynamic, Engine, ImmutableString, Map, NativeCallContext};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

const COST_OPTIONS: &[&str] = &["when_zero", "when_negative", "basis", "window"];
const USAGE_OPTIONS: &[&str] =
    &["when_zero", "when_negative", "key", "table", "recipients", "unknown", "window"];
const PLUGIN_OPTIONS: &[&str] = &["when_zero", "usage", "teams"];
/// The outer limits would move shares out of the inner ones.
pub(crate) const BOUNDED_TWICE: &str =
    "`bounded` cannot limit shares that are limited already: write all limits into one `bounded`";
/// A share that grows where the others shrink has no place between limits.
pub(crate) const BOUNDED_NEGATIVE: &str =
    "`bounded` cannot limit negative shares: write when_negative \"zero\" or \"stay\"";

host_functions! { FUNCTIONS:
    Decisions "by_cost" "by_cost()"
        "In proportion to every team's direct cost of the day."
        "by_cost()" => "by_cost all teams";
    Decisions "by_cost" "by_cost(#{dimension: value, …})"
        "The same, counting only direct cost that matches. Keys are dimensions, `\"tag:<key>\"`, \
         or team, environment, application and cost_center, which mean the tags."
        r#"by_cost(#{environment: "prod"})"#
        => "by_cost all teams where tag:environment = \"prod\"";
    Decisions "by_cost" "by_cost([team, …])"
        "The same among the teams listed; a map of filters may follow."
        r#"by_cost(["search", "web"], #{region_id: "eu-west-1"})"#
        => "by_cost search, web where region_id = \"eu-west-1\"";
    Decisions "by_cost" "by_cost(…, #{when_zero: \"even\"})"
        "What happens on a day without such cost: \"stay\" (the default: it stays in the pool, \
         visible) or \"even\"."
        r#"by_cost(["search", "web"], #{when_zero: "even"})"#
        => "by_cost search, web when_zero even";
    Decisions "by_cost" "by_cost(…, #{basis: \"allocated\", window: \"month\"})"
        "By other costs. `basis` is \"direct\" (the default: the effective cost assigned to a \
         team), \"billed_cost\", \"contracted_cost\" or \"list_cost\" (that cost of the same \
         charges) or \"allocated\" (the effective cost that a team bears when the rule has its \
         turn, assigned to it or shared with it). Charges of rules that weigh so follow all other \
         charges, by priority, and come before any pool or serving team passes on its cost: what \
         is in pools then does not count. Pools of rules that weigh so follow the pools that do not. `window` is \"day\" \
         (the default), \"week\" (from Monday on, as far as \
         the days lie in one month) or \"month\": the weights are then those of the whole window, \
         and a change on one of its days changes the shares of all."
        r#"by_cost(#{basis: "allocated", window: "month"})"#
        => "by_cost all teams basis allocated window month";
    Decisions "by_cost" "by_cost(…, #{basis: \"contracted_cost\"})"
        "Bills need not say contracted and list cost; where they do not, it is quantity × unit \
         price if they say these. A cost that a charge does not say is unknown and not zero: the \
         pool then stays as it is on every day of the window, whatever `when_zero` says, and the \
         run names the source and the day (R213)."
        r#"by_cost(#{basis: "contracted_cost"})"#
        => "by_cost all teams basis contracted_cost";
    Decisions "by_cost" "by_cost(…, #{when_negative: \"keep\"})"
        "`when_negative` says what a negative weight means, such as a team whose credits of the \
         window are larger than its costs: \"zero\" (the default: it counts as zero), \"keep\" \
         (its share has the other sign: 100 by 100 : -20 is 125 and -25) or \"stay\" (all stays in \
         the pool). Where weights that are kept nearly cancel out, so that a share would be more \
         than the pool and all weights together, nothing is posted."
        r#"by_cost(#{basis: "billed_cost", when_negative: "keep"})"#
        => "by_cost all teams basis billed_cost when_negative keep";
    Decisions "by_usage" "by_usage(metric)"
        "In proportion to the day's usage of a metric, by the key `team` of the usage. The share \
         of usage without a team is unallocated."
        r#"by_usage("network.egress.bytes")"# => "by_usage network.egress.bytes";
    Decisions "by_usage" "by_usage(metric, [team, …], #{key: value, …}, #{option: value, …})"
        "Only usage of the teams listed, and with these keys. Options: `key` is the key that \
         names the user, or a list of keys such as [\"cluster\", \"namespace\"]; `table` is a \
         lookup table from their values to the team; `recipients` maps single values to teams or \
         pools, and those of several keys as \"eu-1/web\", or \"web\" for the last key alone; \
         `unknown` is \"unallocated\" (the default), \"ignore\", a team as a map, or a pool; \
         `window` is \"day\" (the default), \"week\", \"month\" or a number of days that end with \
         the charge's; `when_zero` and `when_negative` as in `by_cost`. Where one of several \
         sources of the metric has a gap, no usage is known, and `when_zero` says what happens."
        "by_usage(\"kubernetes.node.share\", #{resource_id: charge.resource_id}, #{key: \
         \"namespace\", recipients: #{\"__idle__\": pool(\"shared/idle\")}, when_zero: by_cost()})"
        => "by_usage kubernetes.node.share where resource_id = \"i-0abc\" key namespace __idle__ \
         → the pool shared/idle when_zero by_cost all teams";
    Decisions "tiered" "tiered([[upto, decision], …, [(), decision]])"
        "Slices of the pool's total of the day, each shared in its own way. The last slice has \
         `()` instead of an end."
        r#"tiered([[1000, even(["web", "mobile"])], [(), by_cost()]])"#
        => "tiered up to 1000.000000000: split web 1, mobile 1; beyond: by_cost all teams";
    Decisions "rate_card" "rate_card(metric, price, #{remainder: recipient})"
        "Usage at a price for each unit. The remainder gets the difference between the cost and \
         the priced usage, and bears it where the prices exceed the cost. Usage is charged once, \
         whatever the number of decisions of the rule: each bears its part, by its size. Filters \
         and options as in `by_usage`, without windows that move with the day."
        r#"rate_card("storage.gib_hours", 0.00005, #{remainder: "platform"})"#
        => "rate_card storage.gib_hours at 0.00005, remainder to platform";
    Decisions "rate_card" "rate_card(metric, price, #{currency: \"USD\", remainder: recipient})"
        "The same with the currency of the price: charges in any other go to the remainder. A \
         price without one is in the currency of the charges, and where these are in several, \
         they stay in the pool."
        r#"rate_card("requests", 0.01, #{currency: "USD", remainder: "platform"})"#
        => "rate_card requests at 0.01 USD, remainder to platform";
    Decisions "rate_card" "rate_card(metric, [[upto, price], …, [(), price]], …)"
        "The same with a price for each tier of a team's usage of the day."
        r#"rate_card("requests", [[1000, 0.01], [(), 0.005]], #{remainder: pool("shared/idle")})"#
        => "rate_card requests at 0.01 up to 1000, 0.005, remainder to the pool shared/idle";
    Decisions "bounded"
        "bounded(decision, #{at_least: #{team: limit, …}, at_most: #{team: limit, …}})"
        "Holds teams to limits and shares the rest among the others. A limit is an amount of the \
         day, or a part of the pool such as \"40%\". An amount that no team may bear stays in the \
         pool. Lower limits that are more than the pool together are paid in proportion. The \
         limits hold for the weights of a when_zero too. Tiers and rate cards cannot be limited, \
         because they give amounts. Shares that are limited already cannot be limited again, and \
         negative shares (`when_negative: \"keep\"`) not at all."
        r#"bounded(by_cost(), #{at_least: #{web: 10}, at_most: #{search: "40%"}})"#
        => "by_cost all teams web at least 10.000000000 search at most 40%";
    Decisions "plugin" "plugin(name, #{setting: value, …}, #{teams: […], usage: […]})"
        "Weights from an allocator plugin, asked once for the pool and day with its settings, its \
         teams (all with direct cost if none are listed) and the day's usage of these metrics."
        r#"plugin("by-headcount", #{quarter: 3}, #{teams: ["web"], usage: ["people"]})"#
        => "plugin by-headcount {\"quarter\":3} web with people";
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

pub(crate) fn register(engine: &mut Engine, teams: &KnownTeams, kept: &Arc<[Field]>) {
    let kept = Arc::clone(kept);
    with_optional_arguments!(engine, teams, "by_cost", (), move |arguments: &[Dynamic]| {
        by_cost(arguments, &kept)
    });
    let has_table = |tables: Arc<Tables>| {
        move |name: &str, key: &[String]| match tables.get(name) {
            Some(table) if table.width() != key.len() => {
                let columns = table.key_words();
                let quoted = columns.split(", ").map(|column| format!("\"{column}\""));
                Err(format!(
                    "the key of the table '{name}' is [{columns}], and usage is looked up by [{}]; \
                     write the columns in the call itself, such as `key: [{}]`",
                    key.join(", "),
                    quoted.collect::<Vec<_>>().join(", ")
                ))
            }
            Some(_) => Ok(()),
            None => Err(unknown_table(name, tables.keys().map(String::as_str))),
        }
    };
    let tables = has_table(Arc::clone(&teams.tables));
    with_optional_arguments!(
        engine,
        teams,
        "by_usage",
        (metric: ImmutableString),
        move |metric: &ImmutableString, arguments: &[Dynamic]| {
            by_usage(metric, arguments, &tables)
        }
    );
    let tables = has_table(Arc::clone(&teams.tables));
    with_optional_arguments!(
        engine,
        teams,
        "rate_card",
        (metric: ImmutableString, price: Dynamic),
        move |metric: &ImmutableString, price: &Dynamic, arguments: &[Dynamic]| {
            rate_card(metric, price, arguments, &tables)
        }
    );
    with_optional_arguments!(
        engine,
        teams,
        "plugin",
        (name: ImmutableString),
        move |name: &ImmutableString, arguments: &[Dynamic]| plugin(name, arguments)
    );
    let (of_tiers, of_bounds) = (teams.clone(), teams.clone());
    engine.register_fn("tiered", move |context: NativeCallContext, tiers: Array| {
        of_tiers.answer(&context, tiered(&tiers))
    });
    engine.register_fn(
        "bounded",
        move |context: NativeCallContext, decision: Dynamic, bounds: Map| {
            of_bounds.answer(&context, bounded(&decision, &bounds))
        },
    );
}

fn by_cost(arguments: &[Dynamic], kept: &[Field]) -> Result<Decision, Refusal> {
    let Arguments { among, filters, options } =
        Arguments::read("by_cost", arguments, COST_OPTIONS)?;
    let basis = match word("by_cost", &options, "basis")? {
        None => CostBasis::Direct,
        Some(word) => {
            basis_of(&word).ok_or_else(|| refuse(format!("`by_cost`: basis is {BASIS_WORDS}")))?
        }
    };
    let window = match options.get("window") {
        None => Window::DAY,
        Some(value) => calendar_window("by_cost", value)?,
    };
    let filter = filters.map_or(Ok(DriverFilter::new()), |map| cost_filter(&map, kept))?;
    let costs = CostQuestion { filter, basis, window };
    policies("by_cost", Spread::new(Driver::Cost(CostDriver { among, costs })), &options)
}

fn cost_filter(map: &Map, kept: &[Field]) -> Result<DriverFilter, Refusal> {
    map.iter()
        .map(|(key, value)| {
            let value = text(value).ok_or_else(|| {
                refuse(format!("`by_cost` compares '{key}' with a text, not {}", kind(value)))
            })?;
            Ok((filter_key(key, kept)?, value))
        })
        .collect()
}

/// `environment` and the other parts of a target are tags. Any other key is a dimension, or begins
/// with `tag:`.
pub(crate) fn filter_key(key: &str, kept: &[Field]) -> Result<String, Refusal> {
    if TARGET_KEYS.contains(&key) {
        return Ok(format!("tag:{key}"));
    }
    if key.strip_prefix("tag:").is_some_and(|tag| !tag.is_empty()) {
        return Ok(key.to_owned());
    }
    match Field::by_name(key) {
        Some(field) if kept.contains(&field) => Ok(key.to_owned()),
        Some(_) => Err(refuse(format!(
            "`by_cost` cannot filter by '{key}': that dimension is not collected; add it to \
             `dimensions` in apportion.toml"
        ))),
        None => {
            let known = kept.iter().map(|field| field.name()).chain(TARGET_KEYS);
            Err(refuse(format!(
                "`by_cost` cannot filter by '{key}'{}; tags are written \"tag:<key>\"",
                meant(key, known)
            )))
        }
    }
}

/// Says why there is no table with these key columns, if there is none.
pub(crate) type TableCheck<'a> = dyn Fn(&str, &[String]) -> Result<(), String> + 'a;

fn by_usage(
    metric: &str,
    arguments: &[Dynamic],
    tables: &TableCheck<'_>,
) -> Result<Decision, Refusal> {
    let arguments = Arguments::read("by_usage", arguments, USAGE_OPTIONS)?;
    let usage = usage_driver("by_usage", metric, &arguments, tables)?;
    policies("by_usage", Spread::new(Driver::Usage(usage)), &arguments.options)
}

pub(crate) fn usage_driver(
    function: &str,
    metric: &str,
    arguments: &Arguments,
    tables: &TableCheck<'_>,
) -> Result<UsageDriver, Refusal> {
    if metric.trim().is_empty() {
        return Err(refuse(format!("`{function}` needs the name of a metric, and it is blank")));
    }
    let Arguments { among, filters, options } = arguments;
    let (key, table) = (usage_key(function, options)?, word(function, options, "table")?);
    if let Some(table) = &table {
        tables(table, &key).map_err(|problem| refuse(format!("`{function}`: {problem}")))?;
    }
    let recipients = match options
        .get("recipients")
        .map(|value| value.read_lock::<Map>().ok_or_else(|| kind(value)))
    {
        None => BTreeMap::new(),
        Some(Err(kind)) => {
            return Err(refuse(format!(
                "`{function}`: recipients is a map from values of the key to teams or pools, not \
                 {kind}"
            )));
        }
        Some(Ok(map)) => map
            .iter()
            .map(|(value, to)| Ok((value.to_string(), recipient(function, to)?)))
            .collect::<Result<_, Refusal>>()?,
    };
    let unknown = match options.get("unknown") {
        None => Unknown::To(Recipient::Unallocated),
        Some(value) => match text(value).as_deref() {
            Some("unallocated") => Unknown::To(Recipient::Unallocated),
            Some("ignore") => Unknown::Ignore,
            Some(other) => {
                return Err(refuse(format!(
                    "`{function}`: unknown is \"unallocated\", \"ignore\", \
                     #{{team: \"{other}\"}} or a pool"
                )));
            }
            None => Unknown::To(recipient(function, value)?),
        },
    };
    let filter = filters.iter().flatten().map(|(key, value)| {
        let value = text(value).ok_or_else(|| {
            refuse(format!("`{function}` compares '{key}' with a text, not {}", kind(value)))
        })?;
        let key = key.strip_prefix("tag:").unwrap_or(key).to_owned();
        let value = if key == RESOURCE_ID {
            domain::usage::resource_key(&value).into_owned()
        } else {
            value
        };
        Ok((key, value))
    });
    let query = UsageQuery {
        metric: metric.to_owned(),
        filter: filter.collect::<Result<_, Refusal>>()?,
        key,
        window: window(function, options.get("window"))?,
    };
    Ok(UsageDriver { query, among: among.clone(), recipients, table, unknown })
}

/// The keys that name the user: a text or a list of texts, else the team.
fn usage_key(function: &str, options: &Map) -> Result<Vec<String>, Refusal> {
    let plain = |key: String| key.strip_prefix("tag:").unwrap_or(&key).to_owned();
    let list = options.get("key").and_then(|value| Some(value.read_lock::<Array>()?.clone()));
    let Some(list) = list else {
        return Ok(vec![word(function, options, "key")?.map_or_else(|| "team".into(), plain)]);
    };
    let keys: Option<Vec<String>> = list.iter().map(|key| text(key).map(plain)).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
        refuse(format!(
            "`{function}`: key is a text, or a list such as [\"cluster\", \"namespace\"]"
        ))
    })
}

/// `[[1000, even([…])], [(), by_cost()]]`: the first thousand of the day evenly, the rest by cost.
fn tiered(tiers: &Array) -> Result<Decision, Refusal> {
    let wrong = |value: &Dynamic| {
        refuse(format!(
            "`tiered` takes pairs such as [1000, by_cost()], and () for the last tier, not {}",
            kind(value)
        ))
    };
    let mut read: Vec<Tier> = Vec::new();
    for tier in tiers {
        let Some(pair) = tier.read_lock::<Array>().filter(|pair| pair.len() == 2) else {
            return Err(wrong(tier));
        };
        let upto = if pair[0].is_unit() { None } else { Some(amount("tiered", &pair[0])?) };
        let spread = spread_of(&pair[1]).ok_or_else(|| wrong(&pair[1]))?;
        let before = read.last().map(|tier| tier.upto);
        match (before, upto) {
            (Some(None), _) => {
                return Err(refuse("`tiered`: only the last tier can be without an end"));
            }
            (Some(Some(before)), Some(upto)) if upto <= before => {
                return Err(refuse(format!(
                    "`tiered`: a tier up to {upto} follows one up to {before}"
                )));
            }
            _ => read.push(Tier { upto, spread }),
        }
    }
    if read.is_empty() {
        return Err(refuse("`tiered` needs at least one tier"));
    }
    Ok(Decision::from(Spread::new(Driver::Tiers(TieredDriver { tiers: read }))))
}

/// `bounded(by_cost(), #{at_least: #{web: 10}, at_most: #{search: "40%"}})`: amounts and parts of
/// the pool's total of the day.
fn bounded(decision: &Dynamic, bounds: &Map) -> Result<Decision, Refusal> {
    let bounds = checked("bounded", bounds, &BOUNDS)?;
    let mut spread = spread_of(decision).ok_or_else(|| {
        refuse(format!("`bounded` takes a way to share, such as by_cost(), not {}", kind(decision)))
    })?;
    if spread.gives_amounts() {
        return Err(refuse(
            "`bounded` cannot limit tiers and rate cards, because they give amounts: change their \
             tiers or prices",
        ));
    }
    if spread.has_bounds() {
        return Err(refuse(BOUNDED_TWICE));
    }
    if spread.keeps_negative() {
        return Err(refuse(BOUNDED_NEGATIVE));
    }
    for (name, limits) in &bounds {
        let Some(limits) = limits.read_lock::<Map>() else {
            return Err(refuse(format!(
                "`bounded`: {name} is a map from teams to amounts or parts, such as \
                 #{{search: \"40%\"}}, not {}",
                kind(limits)
            )));
        };
        for (team, value) in limits.iter() {
            let limit = Some(limit(value)?);
            let recipient = recipient("bounded", &Dynamic::from(team.to_string()))?;
            let at =
                spread.bounds.iter().position(|bound| bound.recipient == recipient).unwrap_or_else(
                    || {
                        spread.bounds.push(Bound { recipient, at_least: None, at_most: None });
                        spread.bounds.len() - 1
                    },
                );
            if let Some(bound) = spread.bounds.get_mut(at) {
                let slot =
                    if name == "at_least" { &mut bound.at_least } else { &mut bound.at_most };
                *slot = limit;
            }
        }
    }
    if spread.bounds.is_empty() {
        return Err(refuse("`bounded` needs at_least or at_most, with at least one team"));
    }
    if let Some(bound) = spread.bounds.iter().find(|bound| bound.is_impossible()) {
        return Err(refuse(format!("`bounded` cannot hold {}", bound.describe())));
    }
    Ok(Decision::from(spread))
}

fn limit(value: &Dynamic) -> Result<Limit, Refusal> {
    let Some(written) = text(value) else { return amount("bounded", value).map(Limit::Amount) };
    let part = written
        .strip_suffix('%')
        .and_then(|part| part.trim().parse::<Decimal>().ok())
        .map(|part| part.normalize());
    let millionths = part.filter(|part| part.scale() <= 4).and_then(|part| {
        10_i128.checked_pow(4 - part.scale()).and_then(|factor| part.mantissa().checked_mul(factor))
    });
    match millionths
        .and_then(|millionths| u32::try_from(millionths).ok())
        .filter(|millionths| *millionths <= 1_000_000)
    {
        Some(millionths) => Ok(Limit::Part(millionths)),
        None => Err(refuse(format!(
            "`bounded`: '{written}' is not a part such as \"40%\" or \"12.5%\""
        ))),
    }
}

/// `plugin("name", #{its own settings}, #{teams: […], usage: ["metric"]})`.
fn plugin(name: &str, arguments: &[Dynamic]) -> Result<Decision, Refusal> {
    if name.trim().is_empty() {
        return Err(refuse("`plugin` needs the name of an allocator plugin, and it is blank"));
    }
    let map = |value: &Dynamic| {
        value
            .read_lock::<Map>()
            .map(|map| map.clone())
            .ok_or_else(|| refuse(format!("`plugin` takes maps, not {}", kind(value))))
    };
    let config = arguments.first().map_or(Ok(Map::new()), map)?;
    let options = arguments.get(1).map_or(Ok(Map::new()), map)?;
    let options = checked("plugin", &options, PLUGIN_OPTIONS)?;
    let among =
        options.get("teams").map_or(Ok(Candidates::AllTeams), |teams| among("plugin", teams))?;
    let metrics = match options
        .get("usage")
        .map(|value| value.read_lock::<Array>().ok_or_else(|| kind(value)))
    {
        None => Vec::new(),
        Some(Err(kind)) => {
            return Err(refuse(format!("`plugin`: usage is a list of metrics, not {kind}")));
        }
        Some(Ok(list)) => {
            let metric = |value: &Dynamic| {
                text(value).ok_or_else(|| {
                    refuse(format!("`plugin`: a metric is a text, not {}", kind(value)))
                })
            };
            list.iter().map(metric).collect::<Result<_, _>>()?
        }
    };
    let mut json = String::new();
    write_json(&mut json, &Dynamic::from(config))?;
    let driver = PluginDriver { plugin: name.to_owned(), config: json, among, metrics };
    policies("plugin", Spread::new(Driver::Plugin(driver)), &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_dimensions_or_tags() {
        let kept = Field::default_dimensions();
        let key = |key: &str| filter_key(key, &kept).map_err(|refusal| refusal.message);
        assert_eq!(key("environment"), Ok("tag:environment".into()));
        assert_eq!(key("tag:a/b.c"), Ok("tag:a/b.c".into()));
        assert_eq!(key("region_id"), Ok("region_id".into()));
        assert_eq!(key("regionid"), Err("`by_cost` cannot filter by 'regionid'; did you mean 'region_id'?; tags are written \"tag:<key>\"".into()));
        let unkept = "`by_cost` cannot filter by 'sku_meter': that dimension is not collected; add it to `dimensions` in apportion.toml";
        assert_eq!(key("sku_meter"), Err(unkept.into()));
    }
}
