//! Header and settings → mapping: the columns of quantities, and the columns of their keys.

use crate::options::{Options, Values, Word};
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Error, KeyFrom, MetricFrom, Origin, Problem, Skip, UsageMapping};
use table_settings::{closest, find, named};

/// The mapping of a table of usage, or an error that names what its header lacks.
pub fn map(table: &TableInfo, options: &Options) -> Result<UsageMapping, Error> {
    let period_start = match &options.period_start {
        Some(column) => named(table, "period_start", column)?,
        None => {
            needed(table, "period_start", "period_start = \"<the column with the day or hour>\"")?
        }
    };
    let metrics = metrics(table, options)?;
    let skip = |skip: &Skip| {
        let column = named(table, "skip", &skip.column)?;
        Ok(Skip { column, values: skip.values.clone() })
    };
    let skips = options.skips.iter().map(skip).collect::<Result<Vec<Skip>, Error>>()?;
    let tags = options.tags.as_ref().map(|column| named(table, "tags", column)).transpose()?;
    let used = used(&period_start, &metrics, &skips, tags.as_deref());
    let keys = keys(table, options, &used)?;
    Ok(UsageMapping {
        table: table.name.clone(),
        period_start: Origin::Column(period_start),
        metrics,
        keys,
        tags,
        skips,
        nulls: options.nulls.clone(),
        date_order: options.date_order,
    })
}

/// One metric in the settings' or the table's own column, or a column for each metric.
fn metrics(table: &TableInfo, options: &Options) -> Result<Vec<MetricFrom>, Error> {
    let unit = match &options.unit {
        Some(unit) => origin(table, "unit", unit)?,
        None => {
            find(table, "unit")?.map_or_else(|| Origin::Constant(String::new()), Origin::Column)
        }
    };
    match &options.values {
        Values::Long { metric, value } => {
            let metric = match metric {
                Some(metric) => origin(table, "metric", metric)?,
                None => Origin::Column(needed(
                    table,
                    "metric",
                    "metric = \"<what the quantities are of, such as requests>\"",
                )?),
            };
            let value = match value {
                Some(column) => named(table, "value", column)?,
                None => needed(table, "value", "value = \"<the column with the quantity>\"")?,
            };
            Ok(vec![MetricFrom { metric, value, unit }])
        }
        Values::Wide(columns) => {
            let metric = |(metric, column): &(String, String)| {
                let value = named(table, "values", column)?;
                Ok(MetricFrom {
                    metric: Origin::Constant(metric.clone()),
                    value,
                    unit: unit.clone(),
                })
            };
            columns.iter().map(metric).collect()
        }
    }
}

/// Constants, and the columns that the settings name; otherwise all columns without another use.
fn keys(table: &TableInfo, options: &Options, used: &[&str]) -> Result<Vec<KeyFrom>, Error> {
    let constant = |(key, text): &(String, String)| KeyFrom {
        key: key.clone(),
        origin: Origin::Constant(text.clone()),
    };
    // Each column is looked up, so that a header that has it twice is refused.
    let column = |key: &str, column: &str| {
        let origin = Origin::Column(named(table, "keys", column)?);
        Ok(KeyFrom { key: key.to_owned(), origin })
    };
    let mut keys: Vec<KeyFrom> = options.constants.iter().map(constant).collect();
    match &options.keys {
        Some(columns) => {
            for (key, header) in columns {
                keys.push(column(key, header)?);
            }
        }
        None => {
            let headers = table.columns.iter().map(|column| column.name.as_str());
            for header in headers.filter(|header| !used.contains(header)) {
                keys.push(column(header.trim(), header)?);
            }
        }
    }
    Ok(keys)
}

/// Columns that are not keys.
fn used<'a>(
    period_start: &'a str,
    metrics: &'a [MetricFrom],
    skips: &'a [Skip],
    tags: Option<&'a str>,
) -> Vec<&'a str> {
    let mut used = vec![period_start];
    for from in metrics {
        used.push(&from.value);
        for origin in [&from.metric, &from.unit] {
            if let Origin::Column(header) = origin {
                used.push(header);
            }
        }
    }
    used.extend(tags);
    used.extend(skips.iter().map(|skip| skip.column.as_str()));
    used
}

fn origin(table: &TableInfo, setting: &str, word: &Word) -> Result<Origin, Error> {
    Ok(match word {
        Word::Column(column) => Origin::Column(named(table, setting, column)?),
        Word::Constant(text) => Origin::Constant(text.clone()),
    })
}

fn needed(table: &TableInfo, column: &str, line: &str) -> Result<String, Error> {
    find(table, column)?.ok_or_else(|| {
        let close = closest(column, table.columns.iter().map(|column| column.name.as_str()));
        let hint = close.map_or_else(
            || line.to_owned(),
            |close| match column {
                "metric" => format!("metric = {{ column = \"{close}\" }}"),
                _ => format!("{column} = \"{close}\""),
            },
        );
        let problem = Problem::new(format!(
            "{} has no column {column}, without which its rows cannot become usage",
            table.name
        ));
        Error::MissingColumn(problem.hint(hint).table(&table.name).column(column))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;

    fn table(header: &str) -> TableInfo {
        let columns = header
            .trim_end()
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        TableInfo { name: "usage.csv".into(), format: "csv".into(), columns }
    }

    fn mapped(header: &str, config: &str) -> Result<UsageMapping, Error> {
        map(&table(header), &Options::parse(config).unwrap())
    }

    fn shown(origin: &Origin) -> String {
        match origin {
            Origin::Column(header) => header.clone(),
            Origin::Constant(text) => format!("={text}"),
            Origin::FirstOf(choices) => panic!("{choices:?}"),
        }
    }

    fn keys(mapping: &UsageMapping) -> Vec<(String, String)> {
        mapping.keys.iter().map(|from| (from.key.clone(), shown(&from.origin))).collect()
    }

    fn pair(key: &str, origin: &str) -> (String, String) {
        (key.into(), origin.into())
    }

    #[test]
    fn a_long_table_needs_no_settings_and_what_is_nothing_else_is_a_key() {
        let header = include_str!("../fixtures/long.csv").lines().next().unwrap();
        let mapping = mapped(header, "").unwrap();
        assert_eq!(shown(&mapping.period_start), "period_start");
        let [from] = mapping.metrics.as_slice() else { panic!("{mapping:?}") };
        assert_eq!(
            (shown(&from.metric), from.value.as_str(), shown(&from.unit)),
            ("metric".into(), "value", "unit".into())
        );
        assert_eq!(keys(&mapping), [pair("team", "team"), pair("resource_id", "resource_id")]);
    }

    #[test]
    fn a_wide_table_has_a_metric_for_each_column() {
        let header = include_str!("../fixtures/wide.csv").lines().next().unwrap();
        let config = r#"{"period_start": "hour", "values": {"cpu": "cpu_hours",
            "memory": "gib_hours"}, "keys": {"namespace": "ns"},
            "constants": {"cluster": "eu"}, "unit": "h", "skip": [{"column": "kind",
            "values": ["total"]}]}"#;
        let mapping = mapped(header, config).unwrap();
        let metrics: Vec<_> = mapping
            .metrics
            .iter()
            .map(|from| (shown(&from.metric), from.value.as_str(), shown(&from.unit)))
            .collect();
        assert_eq!(
            metrics,
            [
                ("=cpu".into(), "cpu_hours", "=h".into()),
                ("=memory".into(), "gib_hours", "=h".into())
            ]
        );
        assert_eq!(keys(&mapping), [pair("cluster", "=eu"), pair("namespace", "ns")]);
        assert_eq!(mapping.skips, [Skip { column: "kind".into(), values: vec!["total".into()] }]);
    }

    #[test]
    fn a_bill_is_a_wide_table_with_tags() {
        let config = r#"{"period_start": "ChargePeriodStart",
            "values": {"contracted_cost": "ContractedCost"}, "keys": {"team": "x_Team"},
            "tags": "Tags"}"#;
        let mapping = mapped("ChargePeriodStart,ContractedCost,Tags,x_Team,Other", config).unwrap();
        assert_eq!(
            (mapping.tags.as_deref(), keys(&mapping)),
            (Some("Tags"), vec![pair("team", "x_Team")])
        );
        let all = mapped(
            "day,requests,labels,team",
            r#"{"period_start": "day", "values": {"requests": "requests"}, "tags": "labels"}"#,
        )
        .unwrap();
        assert_eq!(keys(&all), [pair("team", "team")]);
    }

    #[test]
    fn a_table_without_a_unit_has_none() {
        let mapping =
            mapped("day,n,team", r#"{"period_start": "day", "metric": "requests", "value": "n"}"#)
                .unwrap();
        assert_eq!(shown(&mapping.metrics[0].unit), "=");
        assert_eq!(keys(&mapping), [pair("team", "team")]);
    }

    #[test]
    fn a_missing_column_is_named_with_the_line_that_mends_it() {
        for (header, config, message, hint) in [
            (
                "day,metric,value",
                "",
                "usage.csv has no column period_start, without which its rows cannot become usage",
                "period_start = \"<the column with the day or hour>\"",
            ),
            (
                "period_start,value",
                "",
                "usage.csv has no column metric, without which its rows cannot become usage",
                "metric = \"<what the quantities are of, such as requests>\"",
            ),
            (
                "period_start,metrics,value",
                "",
                "usage.csv has no column metric, without which its rows cannot become usage",
                "metric = { column = \"metrics\" }",
            ),
            (
                "period_start,metric,values",
                "",
                "usage.csv has no column value, without which its rows cannot become usage",
                "value = \"values\"",
            ),
            (
                "period_start,metric,value,team",
                r#"{"keys": ["teams"]}"#,
                "usage.csv has no column teams, which the setting `keys` names",
                "did you mean `team`?",
            ),
        ] {
            match mapped(header, config) {
                Err(Error::MissingColumn(problem)) => assert_eq!(
                    (problem.message.as_str(), problem.hint.as_deref()),
                    (message, Some(hint))
                ),
                other => panic!("{header} gave {other:?}"),
            }
        }
        assert!(matches!(
            mapped("period_start,metric,value,team,team", ""),
            Err(Error::DuplicateColumn(_))
        ));
    }
}
