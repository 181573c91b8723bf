//! Rows of an answer → charges and usage. A row that is not understood is set aside with its place.

use crate::options::{Charges, From, Options, Usage};
use crate::path::{JsonPath, Row};
use apportion_plugin_sdk::{self as sdk, Charge, Dimension, Error, Feed, Rejected, Tag};
use exact::day::Day;
use exact::decimal::Decimal;
use serde_json::Value;
use table_settings::FEED_COLUMNS;

const EXCERPT_CHARS: usize = 200;

/// The contents of one page.
#[derive(Debug, Default)]
pub struct Page {
    pub charges: Vec<Charge>,
    pub usage: Vec<sdk::Usage>,
    pub rejected: Vec<Rejected>,
    /// All rows, understood or not.
    pub rows: usize,
}

/// Reads a page. Locations begin with `name`.
pub fn page(options: &Options, name: &str, answer: &Value) -> Result<Page, Error> {
    let mut page = Page::default();
    let found = |path: &JsonPath| {
        // An answer of another shape is not an empty page: it does not say that there are no costs.
        path.rows(answer).map_err(|reason| {
            Error::Transient(format!("{name} is not what the settings say: {reason}"))
        })
    };
    if let Some(charges) = &options.charges {
        for row in found(&charges.rows)? {
            page.rows += 1;
            if charges
                .skip
                .iter()
                .any(|(path, values)| path.text(&row).is_some_and(|text| values.contains(&text)))
            {
                continue;
            }
            match charge(options, charges, &row) {
                Ok(charge) => page.charges.push(charge),
                Err(reason) => page.rejected.push(rejected(name, &row, reason)),
            }
        }
    }
    for usage in &options.usage {
        for row in found(&usage.rows)? {
            page.rows += 1;
            match quantity(options, usage, &row) {
                Ok(quantity) => page.usage.push(quantity),
                Err(reason) => page.rejected.push(rejected(name, &row, reason)),
            }
        }
    }
    Ok(page)
}

fn rejected(name: &str, row: &Row, reason: String) -> Rejected {
    let excerpt = row.node.value.to_string().chars().take(EXCERPT_CHARS).collect();
    Rejected {
        location: format!(
            "{name}: {}",
            if row.node.pointer.is_empty() { "/" } else { &row.node.pointer }
        ),
        reason,
        excerpt,
    }
}

/// The text of a field, renamed.
fn text(options: &Options, name: &str, from: &From, row: &Row) -> Option<String> {
    let text = match from {
        From::Constant(text) => text.clone(),
        From::Path(path) => path.text(row)?,
    };
    Some(options.renamed(name, text)).filter(|text| !text.trim().is_empty())
}

fn needed(options: &Options, name: &str, from: Option<&From>, row: &Row) -> Result<String, String> {
    from.and_then(|from| text(options, name, from, row)).ok_or_else(|| format!("it has no {name}"))
}

fn charge(options: &Options, charges: &Charges, row: &Row) -> Result<Charge, String> {
    let from =
        |name: &str| charges.fields.iter().find(|(known, _)| known == name).map(|(_, from)| from);
    let needed = |name: &str| needed(options, name, from(name), row);
    let amount = |name: &str| amount(name, &needed(name)?, charges.divide_by);
    // What a row does not have is not told.
    let told = |name: &str| from(name).and_then(|from| text(options, name, from, row));
    let money = |name: &str| {
        told(name).map(|text| self::amount(name, &text, charges.divide_by)).transpose()
    };
    // A number of hours is not in cents.
    let count = |name: &str| told(name).map(|text| self::amount(name, &text, 1)).transpose();
    let billed_cost = amount("billed_cost")?;
    let mut dimensions = Vec::new();
    for (name, from) in &charges.fields {
        let feed = FEED_COLUMNS.iter().find(|target| target.name == name).map(|target| target.feed);
        let Some(Feed::Dimension(field)) = feed else { continue };
        if matches!(name.as_str(), "service_name" | "charge_category") {
            continue;
        }
        dimensions.extend(text(options, name, from, row).map(|value| Dimension { field, value }));
    }
    Ok(Charge {
        charge_period_start: date("charge_period_start", &needed("charge_period_start")?)?,
        effective_cost: if from("effective_cost").is_some() {
            amount("effective_cost")?
        } else {
            billed_cost.clone()
        },
        billed_cost,
        billing_currency: needed("billing_currency")?.to_uppercase(),
        service_name: needed("service_name")?,
        charge_category: from("charge_category")
            .map_or(Ok("Usage".into()), |_| needed("charge_category"))?,
        billing_period_start: told("billing_period_start")
            .map(|text| date("billing_period_start", &text))
            .transpose()?,
        pricing_quantity: count("pricing_quantity")?,
        consumed_quantity: count("consumed_quantity")?,
        list_unit_price: money("list_unit_price")?,
        contracted_unit_price: money("contracted_unit_price")?,
        list_cost: money("list_cost")?,
        contracted_cost: money("contracted_cost")?,
        dimensions,
        tags: tags(options, &charges.tags, charges.all_tags.as_ref(), row),
    })
}

/// A tag that the settings name wins over one of the same key from `all_tags`.
fn tags(
    options: &Options,
    named: &[(String, From)],
    all: Option<&JsonPath>,
    row: &Row,
) -> Vec<Tag> {
    let mut tags: Vec<Tag> = named
        .iter()
        .filter_map(|(key, from)| {
            Some(Tag { key: key.clone(), value: text(options, key, from, row)? })
        })
        .collect();
    let members = all.and_then(|path| path.value(row)).and_then(|node| node.value.as_object());
    for (key, value) in members.into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
            other => other.to_string(),
        };
        if !tags.iter().any(|tag| tag.key == *key) {
            tags.push(Tag { key: key.clone(), value: options.renamed(key, value) });
        }
    }
    tags
}

fn quantity(options: &Options, usage: &Usage, row: &Row) -> Result<sdk::Usage, String> {
    let needed = |name: &str, from: &From| needed(options, name, Some(from), row);
    Ok(sdk::Usage {
        metric: needed("metric", &usage.metric)?,
        period_start: date("period_start", &needed("period_start", &usage.period_start)?)?,
        keys: tags(options, &usage.keys, usage.all_keys.as_ref(), row),
        value: amount("value", &needed("value", &usage.value)?, 1)?,
        unit: needed("unit", &usage.unit)?,
    })
}

/// The server's own digits, unless the settings divide them.
fn amount(name: &str, text: &str, divide_by: u32) -> Result<String, String> {
    let number = Decimal::parse(text)
        .map_err(|_| format!("its {name} is '{text}', and that is no number"))?;
    Ok(if divide_by == 1 { text.trim().to_owned() } else { number.over(divide_by).to_string() })
}

/// Days, months and seconds since 1970 as days; times are left as they are.
fn date(name: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = || text.parse::<i64>().unwrap_or_default();
    let no_date = || format!("its {name} is '{text}', and that is no date");
    let refuse = |_| no_date();
    match text.len() {
        8 if digits => Day::from_compact(text).map(|day| day.to_string()).ok_or_else(no_date),
        7 if text.as_bytes()[4] == b'-' => {
            Day::parse(&format!("{text}-01")).map(|day| day.to_string()).map_err(refuse)
        }
        9..=10 if digits => Ok(Day::from_unix(number()).to_string()),
        12..=13 if digits => Ok(Day::of_instant(number()).to_string()),
        10 => Day::parse(text).map(|day| day.to_string()).map_err(refuse),
        // The host reads points in time, with or without an offset.
        11.. if text.get(..10).is_some_and(|day| Day::parse(day).is_ok()) => Ok(text.to_owned()),
        _ => Err(no_date()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_kinds_are_days() {
        for (text, expect) in [
            ("2026-03-31", "2026-03-31"),
            ("20260331", "2026-03-31"),
            ("2026-03", "2026-03-01"),
            ("1774915200", "2026-03-31"),
            ("1774915200123", "2026-03-31"),
            ("2026-03-31T08:00:00+02:00", "2026-03-31T08:00:00+02:00"),
        ] {
            assert_eq!(date("d", text).as_deref(), Ok(expect));
        }
        for text in ["", "yesterday", "2026-02-30", "31.03.2026", "2026-13", "2026-02-30T00:00:00Z"]
        {
            assert_eq!(date("d", text), Err(format!("its d is '{text}', and that is no date")));
        }
    }

    #[test]
    fn amounts_keep_their_digits() {
        assert_eq!(
            amount("a", "0.10000000000000000000001", 1).as_deref(),
            Ok("0.10000000000000000000001")
        );
        assert_eq!(amount("a", "1e-8", 1).as_deref(), Ok("1e-8"));
        assert_eq!(amount("a", "12345", 100).as_deref(), Ok("123.45"));
        assert_eq!(amount("a", "1,5", 1), Err("its a is '1,5', and that is no number".into()));
    }
}
