//! Drivers as JSON. The word behind `by` says which driver it is, and the other fields are the
//! driver's own.
//!
//! Both ways are exhaustive: a new driver does not compile until it is written here, and its word
//! not until it is read.

use super::{list, optional, recipient, recipient_value, spread, spread_value, target};
use super::{target_value, text};
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostBasis, CostQuestion, DriverFilter, UsageQuery, Window};
use domain::driver::fixed::FixedDriver;
use domain::driver::plugin::PluginDriver;
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::driver::tiers::{Tier, TieredDriver};
use domain::driver::usage::{Unknown, UsageDriver};
use domain::money::Money;
use domain::usage::Quantity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The word for a driver. Stored words never change: old ledgers have them.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DriverWord {
    Fixed,
    Cost,
    Usage,
    Tiers,
    RateCard,
    Plugin,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BasisWord {
    /// Of the charges assigned to a team.
    EffectiveCost,
    BilledCost,
    ContractedCost,
    ListCost,
    Allocated,
}

pub(super) fn write(driver: &Driver) -> Map<String, Value> {
    let (word, fields) = match driver {
        Driver::Fixed(fixed) => (DriverWord::Fixed, vec![("parts", parts_value(fixed))]),
        Driver::Cost(CostDriver { among, costs }) => {
            let mut fields = vec![
                ("among", among_value(among)),
                ("filter", json!(costs.filter)),
                ("basis", basis_value(costs.basis)),
            ];
            if costs.window != Window::DAY {
                fields.push(("window", window_value(costs.window)));
            }
            (DriverWord::Cost, fields)
        }
        Driver::Usage(usage) => (DriverWord::Usage, vec![("usage", usage_value(usage))]),
        Driver::Tiers(tiers) => (DriverWord::Tiers, vec![("tiers", tiers_value(tiers))]),
        Driver::RateCard(card) => {
            let mut fields = vec![
                ("usage", usage_value(&card.usage)),
                ("prices", card.prices.iter().map(price_value).collect()),
                ("remainder", recipient_value(&card.remainder)),
            ];
            fields.extend(card.currency.iter().map(|currency| ("currency", json!(currency))));
            (DriverWord::RateCard, fields)
        }
        Driver::Plugin(plugin) => (
            DriverWord::Plugin,
            vec![
                ("plugin", json!(plugin.plugin)),
                ("config", json!(plugin.config)),
                ("among", among_value(&plugin.among)),
                ("metrics", json!(plugin.metrics)),
            ],
        ),
    };
    std::iter::once(("by", json!(word)))
        .chain(fields)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(super) fn read(value: &Value) -> Option<Driver> {
    Some(match DriverWord::deserialize(value.get("by")?).ok()? {
        DriverWord::Fixed => Driver::Fixed(FixedDriver {
            weights: list(value.get("parts")?, |part| {
                Some((recipient(part.get("to")?)?, part.get("weight")?.as_u64()?))
            })?,
        }),
        DriverWord::Cost => Driver::Cost(CostDriver {
            among: among(value.get("among")?)?,
            costs: CostQuestion {
                filter: filter(value.get("filter")?)?,
                basis: basis(value.get("basis")?)?,
                // Absent in older ledgers, and where the day decides.
                window: value.get("window").map_or(Some(Window::DAY), window)?,
            },
        }),
        DriverWord::Usage => Driver::Usage(usage(value.get("usage")?)?),
        DriverWord::Tiers => {
            Driver::Tiers(TieredDriver { tiers: list(value.get("tiers")?, tier)? })
        }
        DriverWord::RateCard => Driver::RateCard(RateCard {
            usage: usage(value.get("usage")?)?,
            prices: list(value.get("prices")?, price)?,
            remainder: recipient(value.get("remainder")?)?,
            // Absent in older ledgers too.
            currency: optional(value.get("currency").unwrap_or(&Value::Null), |it| {
                it.as_str().map(str::to_owned)
            })?,
        }),
        DriverWord::Plugin => Driver::Plugin(PluginDriver {
            plugin: text(value, "plugin")?,
            config: text(value, "config")?,
            among: among(value.get("among")?)?,
            metrics: list(value.get("metrics")?, |metric| metric.as_str().map(str::to_owned))?,
        }),
    })
}

fn parts_value(fixed: &FixedDriver) -> Value {
    let parts = fixed.weights.iter();
    parts
        .map(|(recipient, weight)| json!({ "to": recipient_value(recipient), "weight": weight }))
        .collect()
}

fn basis_value(basis: CostBasis) -> Value {
    json!(match basis {
        CostBasis::Direct => BasisWord::EffectiveCost,
        CostBasis::Billed => BasisWord::BilledCost,
        CostBasis::Contracted => BasisWord::ContractedCost,
        CostBasis::List => BasisWord::ListCost,
        CostBasis::Allocated => BasisWord::Allocated,
    })
}

fn basis(value: &Value) -> Option<CostBasis> {
    Some(match BasisWord::deserialize(value).ok()? {
        BasisWord::EffectiveCost => CostBasis::Direct,
        BasisWord::BilledCost => CostBasis::Billed,
        BasisWord::ContractedCost => CostBasis::Contracted,
        BasisWord::ListCost => CostBasis::List,
        BasisWord::Allocated => CostBasis::Allocated,
    })
}

fn window_value(window: Window) -> Value {
    match window {
        Window::Days(days) => json!(days),
        Window::Week => json!("week"),
        Window::Month => json!("month"),
    }
}

fn window(value: &Value) -> Option<Window> {
    Some(match value.as_str() {
        Some("week") => Window::Week,
        Some("month") => Window::Month,
        Some(_) => return None,
        None => Window::Days(u16::try_from(value.as_u64()?).ok()?),
    })
}

fn among_value(among: &Candidates) -> Value {
    match among {
        Candidates::AllTeams => Value::Null,
        Candidates::Listed(targets) => targets.iter().map(target_value).collect(),
    }
}

fn among(value: &Value) -> Option<Candidates> {
    Some(match value {
        Value::Null => Candidates::AllTeams,
        listed => Candidates::Listed(list(listed, target)?),
    })
}

fn filter(value: &Value) -> Option<DriverFilter> {
    value
        .as_object()?
        .iter()
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn usage_value(usage: &UsageDriver) -> Value {
    let recipients: Map<String, Value> = usage
        .recipients
        .iter()
        .map(|(value, recipient)| (value.clone(), recipient_value(recipient)))
        .collect();
    json!({
        "metric": usage.query.metric,
        "filter": usage.query.filter,
        "key": match usage.query.key.as_slice() {
            [key] => json!(key),
            keys => json!(keys),
        },
        "among": among_value(&usage.among),
        "recipients": recipients,
        "table": usage.table,
        "unknown": match &usage.unknown {
            Unknown::To(recipient) => recipient_value(recipient),
            Unknown::Ignore => Value::Null,
        },
        "window": window_value(usage.query.window),
    })
}

fn usage(value: &Value) -> Option<UsageDriver> {
    let recipients = value.get("recipients")?.as_object()?.iter();
    Some(UsageDriver {
        query: UsageQuery {
            metric: text(value, "metric")?,
            filter: filter(value.get("filter")?)?,
            key: match value.get("key")? {
                Value::Array(keys) => {
                    keys.iter().map(|key| Some(key.as_str()?.to_owned())).collect::<Option<_>>()?
                }
                key => vec![key.as_str()?.to_owned()],
            },
            window: window(value.get("window")?)?,
        },
        among: among(value.get("among")?)?,
        recipients: recipients
            .map(|(key, value)| Some((key.clone(), recipient(value)?)))
            .collect::<Option<_>>()?,
        table: value.get("table")?.as_str().map(str::to_owned),
        unknown: match value.get("unknown")? {
            Value::Null => Unknown::Ignore,
            known => Unknown::To(recipient(known)?),
        },
    })
}

fn tiers_value(tiers: &TieredDriver) -> Value {
    let tiers = tiers.tiers.iter();
    tiers
        .map(|tier| {
            json!({ "upto": tier.upto.map(Money::nanos), "spread": spread_value(&tier.spread) })
        })
        .collect()
}

fn tier(value: &Value) -> Option<Tier> {
    let upto = optional(value.get("upto")?, |nanos| nanos.as_i64().map(Money::from_nanos))?;
    Some(Tier { upto, spread: spread(value.get("spread")?)? })
}

fn price_value(price: &Price) -> Value {
    json!({ "upto": price.upto.map(|upto| wide(upto.0)), "price": wide(price.price.0) })
}

fn price(value: &Value) -> Option<Price> {
    let number = |value: &Value| value.as_str()?.parse().ok();
    let upto = optional(value.get("upto")?, number)?.map(Quantity);
    Some(Price { upto, price: UnitPrice(number(value.get("price")?)?) })
}

/// As text: 128 bits are more than a JSON number holds.
fn wide(number: i128) -> Value {
    json!(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recipient::{Recipient, Target};
    use domain::spread::Spread;

    /// Old ledgers hold these words, so the text is written out and not derived.
    fn assert_stored(driver: Driver, stored: &Value) {
        assert_eq!(Value::Object(write(&driver)), *stored);
        assert_eq!(read(stored), Some(driver));
    }

    fn usage_driver() -> UsageDriver {
        UsageDriver {
            query: UsageQuery {
                metric: "network.egress.bytes".into(),
                filter: DriverFilter::from([("tag:env".to_owned(), "prod".to_owned())]),
                key: vec!["namespace".into()],
                window: Window::Days(30),
            },
            among: Candidates::Listed(vec![Target::team("web")]),
            recipients: [("__idle__".to_owned(), Recipient::Pool("shared/idle".into()))].into(),
            table: Some("namespaces".into()),
            unknown: Unknown::Ignore,
        }
    }

    fn stored_usage() -> Value {
        json!({
            "metric": "network.egress.bytes",
            "filter": { "tag:env": "prod" },
            "key": "namespace",
            "among": [{ "team": "web" }],
            "recipients": { "__idle__": { "pool": "shared/idle" } },
            "table": "namespaces",
            "unknown": null,
            "window": 30,
        })
    }

    fn fixed() -> Driver {
        let weights = vec![
            (Recipient::team("web"), u64::MAX),
            (Recipient::Pool("a/b".into()), 0),
            (Recipient::Unallocated, 1),
        ];
        Driver::Fixed(FixedDriver { weights })
    }

    fn stored_fixed() -> Value {
        json!({ "by": "fixed", "parts": [
            { "to": { "team": "web" }, "weight": u64::MAX },
            { "to": { "pool": "a/b" }, "weight": 0 },
            { "to": "unallocated", "weight": 1 },
        ] })
    }

    #[test]
    fn fixed_weights_and_tiers_are_stored_in_these_words() {
        assert_stored(fixed(), &stored_fixed());
        let tier = |upto: Option<i64>| Tier {
            upto: upto.map(Money::from_nanos),
            spread: Spread::new(fixed()),
        };
        let tiers = TieredDriver { tiers: vec![tier(Some(1)), tier(None)] };
        let stored = json!({ "by": "tiers", "tiers": [
            { "upto": 1, "spread": stored_fixed() },
            { "upto": null, "spread": stored_fixed() },
        ] });
        assert_stored(Driver::Tiers(tiers), &stored);
    }

    #[test]
    fn costs_and_plugins_are_stored_in_these_words() {
        let cost = CostDriver {
            among: Candidates::AllTeams,
            costs: CostQuestion {
                filter: DriverFilter::from([("region_id".to_owned(), "eu".to_owned())]),
                basis: CostBasis::Billed,
                window: Window::DAY,
            },
        };
        let mut stored = json!({
            "by": "cost", "among": null, "filter": { "region_id": "eu" }, "basis": "billed_cost",
        });
        assert_stored(Driver::Cost(cost.clone()), &stored);
        for (word, basis) in
            [("contracted_cost", CostBasis::Contracted), ("list_cost", CostBasis::List)]
        {
            stored["basis"] = json!(word);
            let costs = CostQuestion { basis, ..cost.costs.clone() };
            assert_stored(Driver::Cost(CostDriver { costs, ..cost.clone() }), &stored);
        }
        stored["basis"] = json!("allocated");
        for (word, window) in [("week", Window::Week), ("month", Window::Month)] {
            stored["window"] = json!(word);
            let filter = cost.costs.filter.clone();
            let costs = CostQuestion { filter, basis: CostBasis::Allocated, window };
            assert_stored(Driver::Cost(CostDriver { costs, ..cost.clone() }), &stored);
        }
        let plugin = PluginDriver {
            plugin: "p".into(),
            config: "{}".into(),
            among: Candidates::Listed(vec![Target::team("web")]),
            metrics: vec!["m".into()],
        };
        let stored = json!({
            "by": "plugin", "plugin": "p", "config": "{}", "among": [{ "team": "web" }],
            "metrics": ["m"],
        });
        assert_stored(Driver::Plugin(plugin), &stored);
    }

    #[test]
    fn usage_and_rate_cards_are_stored_in_these_words() {
        let stored = json!({ "by": "usage", "usage": stored_usage() });
        assert_stored(Driver::Usage(usage_driver()), &stored);
        let mut usage = usage_driver();
        usage.query.window = Window::Month;
        usage.unknown = Unknown::To(Recipient::Unallocated);
        usage.table = None;
        usage.query.key = vec!["cluster".into(), "namespace".into()];
        let prices = vec![
            Price { upto: Some(Quantity(i128::MAX)), price: UnitPrice(5) },
            Price { upto: None, price: UnitPrice(-1) },
        ];
        let mut card =
            RateCard { usage, prices, remainder: Recipient::Unallocated, currency: None };
        let mut stored = json!({
            "by": "rate_card", "usage": stored_usage(), "remainder": "unallocated",
            "prices": [
                { "upto": "170141183460469231731687303715884105727", "price": "5" },
                { "upto": null, "price": "-1" },
            ],
        });
        stored["usage"]["window"] = json!("month");
        stored["usage"]["unknown"] = json!("unallocated");
        stored["usage"]["table"] = Value::Null;
        stored["usage"]["key"] = json!(["cluster", "namespace"]);
        assert_stored(Driver::RateCard(card.clone()), &stored);
        card.currency = Some("USD".into());
        stored["currency"] = json!("USD");
        assert_stored(Driver::RateCard(card), &stored);
    }

    #[test]
    fn junk_is_not_read() {
        assert_eq!(read(&json!({ "by": "weather" })), None);
        let mut basis = json!({ "by": "cost", "among": null, "filter": {}, "basis": "net_cost" });
        assert_eq!(read(&basis), None);
        basis["basis"] = Value::Null;
        assert_eq!(read(&basis), None);
        assert_eq!(read(&json!({ "by": "usage" })), None);
    }
}
