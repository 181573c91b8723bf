//! The settings, and the mapping that they describe.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Error, Origin, Problem, Rows, Term, Value};
use serde_json::Value as Json;
use table_settings::charges;
use table_settings::{
    FEED_COLUMNS, FeedColumn, find, find_spelled, flag, named, object, texts, unknown,
};

#[derive(Debug, Default)]
pub struct Options {
    charges: charges::Options,
    /// Fields and the headers that are added up for them. A header with a minus before it is
    /// subtracted.
    sums: Vec<(String, Vec<String>)>,
    short_rows: bool,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut options = Options::default();
        options.charges = charges::Options::parse(
            config,
            charges::Options::default(),
            &["sums", "short_rows"],
            |key, value| {
                match key {
                    "sums" => options.sums = sums(value)?,
                    "short_rows" => options.short_rows = flag(key, value)?,
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )?;
        Ok(options)
    }
}

fn sums(value: &Json) -> Result<Vec<(String, Vec<String>)>, Error> {
    let mut sums = Vec::new();
    for (field, columns) in object("sums", value)? {
        match FEED_COLUMNS.iter().find(|target| target.name == field) {
            None => {
                let amounts = FEED_COLUMNS
                    .iter()
                    .filter(|target| target.is_amount())
                    .map(|target| target.name);
                return Err(unknown("field", field, amounts));
            }
            Some(target) if !target.is_amount() => {
                return Err(Error::config(format!("{field} is no amount, and cannot be a sum")));
            }
            Some(_) => sums.push((field.clone(), texts(&format!("sums.{field}"), columns)?)),
        }
    }
    Ok(sums)
}

/// A column with its field's name needs no setting. The effective cost is the billed one if there
/// is no other.
pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let sum = |name: &str| -> Result<Option<Origin>, Error> {
        let Some((_, columns)) = options.sums.iter().find(|(field, _)| field == name) else {
            return Ok(None);
        };
        let mut terms = Vec::new();
        for column in columns {
            terms.push(match column.strip_prefix('-') {
                Some(column) if find(table, &format!("-{column}"))?.is_none() => {
                    Term::minus(named(table, "sums", column)?)
                }
                _ => Term::plus(named(table, "sums", column)?),
            });
        }
        Ok(Some(Origin::FirstOf(vec![Choice::always(Value::Sum(terms))])))
    };
    let by_name = |target: &FeedColumn| match (
        sum(target.name)?,
        find(table, target.name)?,
        find_spelled(table, target.column)?,
    ) {
        (Some(origin), _, _) => Ok(Some(origin)),
        (None, Some(header), _) | (None, None, Some(header)) => Ok(Some(Origin::Column(header))),
        (None, None, None) => Ok(None),
    };
    let billed = options
        .charges
        .columns
        .iter()
        .find(|(field, _)| field == "billed_cost")
        .map(|(_, column)| column);
    let usual = |target: &FeedColumn| match (by_name(target)?, target.name) {
        (None, "effective_cost") => match billed {
            Some(column) => Ok(Some(Origin::Column(named(table, "columns", column)?))),
            None => by_name(&FEED_COLUMNS[0]),
        },
        (None, "charge_category") => Ok(Some(Origin::Constant("Usage".into()))),
        (origin, _) => Ok(origin),
    };
    let mut mapping = charges::map(table, &options.charges, &usual)?;
    mapping.short_rows = options.short_rows;
    if !mapping.feeds.iter().any(|from| from.feed == FEED_COLUMNS[4].feed) {
        return Err(Error::Config(
            Problem::new(format!("nothing says which service the rows of {} are of", table.name))
                .hint(
                    "columns = { service_name = \"<the column that holds it>\" } or constants = \
                    { service_name = \"…\" }",
                )
                .table(&table.name),
        ));
    }
    Ok(vec![Rows::Mapped(mapping)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{Feed, Field, Mapping};

    fn mapped(header: &str, config: &str) -> Result<Mapping, Error> {
        let columns = header
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        let table = TableInfo { name: "t.csv".into(), format: "csv".into(), columns };
        let [Rows::Mapped(mapping)] =
            <[Rows; 1]>::try_from(map(&table, &Options::parse(config)?)?).unwrap()
        else {
            panic!()
        };
        Ok(mapping)
    }

    fn origin(mapping: &Mapping, feed: Feed) -> Option<Origin> {
        mapping.feeds.iter().find(|from| from.feed == feed).map(|from| from.origin.clone())
    }

    #[test]
    fn settings_say_what_the_columns_are() {
        let config = r#"{"columns": {"billed_cost": "Amount", "charge_period_start": "Day",
            "service_name": "What"},
            "constants": {"billing_currency": "EUR"}, "tag_columns": {"team": "Owner"}}"#;
        let mapping = mapped("Day,What,Amount,Owner", config).unwrap();
        let column = |name: &str| Some(Origin::Column(name.into()));
        assert_eq!(origin(&mapping, Feed::BilledCost), column("Amount"));
        assert_eq!(origin(&mapping, Feed::EffectiveCost), column("Amount"));
        assert_eq!(
            origin(&mapping, Feed::Dimension(Field::ChargeCategory)),
            Some(Origin::Constant("Usage".into()))
        );
        assert_eq!(mapping.tag_columns[0].column, "Owner");
    }

    #[test]
    fn amounts_can_be_sums() {
        let config = r#"{"sums": {"billed_cost": ["Net", "Tax", "-Rebate"]},
            "constants": {"service_name": "Phone"}}"#;
        let mapping =
            mapped("charge_period_start,Net,Tax,Rebate,billing_currency", config).unwrap();
        let sum = Value::Sum(vec![Term::plus("Net"), Term::plus("Tax"), Term::minus("Rebate")]);
        let expect = Some(Origin::FirstOf(vec![Choice::always(sum)]));
        assert_eq!(origin(&mapping, Feed::BilledCost), expect);
        assert_eq!(origin(&mapping, Feed::EffectiveCost), expect);
    }

    #[test]
    fn list_costs_can_be_sums_and_quantities_are_columns() {
        let config = r#"{"sums": {"list_cost": ["Net", "Rebate"]},
            "columns": {"pricing_quantity": "Hours"}, "constants": {"service_name": "Phone"}}"#;
        let mapping = mapped(
            "charge_period_start,billed_cost,Net,Rebate,billing_currency,Hours,ListUnitPrice",
            config,
        )
        .unwrap();
        let sum = Value::Sum(vec![Term::plus("Net"), Term::plus("Rebate")]);
        assert_eq!(
            origin(&mapping, Feed::ListCost),
            Some(Origin::FirstOf(vec![Choice::always(sum)]))
        );
        let column = |name: &str| Some(Origin::Column(name.into()));
        assert_eq!(origin(&mapping, Feed::PricingQuantity), column("Hours"));
        assert_eq!(origin(&mapping, Feed::ListUnitPrice), column("ListUnitPrice"));
        assert_eq!(origin(&mapping, Feed::BillingPeriodStart), None);
    }

    #[test]
    fn what_is_missing_is_named_with_the_line_that_mends_it() {
        let refusal = |header: &str, config: &str| match mapped(header, config) {
            Err(Error::Config(problem) | Error::MissingColumn(problem)) => {
                (problem.message, problem.hint.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(
            refusal("charge_period_start,billed_cost,billing_currency", "").1,
            "columns = { service_name = \"<the column that holds it>\" } or constants = \
             { service_name = \"…\" }"
        );
        assert_eq!(
            refusal("a,b", r#"{"sums": {"service_name": ["a"]}}"#).0,
            "service_name is no amount, and cannot be a sum"
        );
        assert_eq!(
            refusal("a,b", r#"{"sums": {"pricing_quantity": ["a"]}}"#).0,
            "pricing_quantity is no amount, and cannot be a sum"
        );
        assert_eq!(
            refusal("a,b", r#"{"sums": {"list_costs": ["a"]}}"#).1,
            "did you mean `list_cost`?"
        );
        assert_eq!(
            refusal("a,b", r#"{"sums": {"billed_costs": ["a"]}}"#).1,
            "did you mean `billed_cost`?"
        );
        assert_eq!(refusal("a,b", r#"{"sum": {}}"#).1, "did you mean `sums`?");
    }
}
