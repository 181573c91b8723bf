//! Rows of tasks and pods whose cost is a part of their instance's cost.

use crate::columns::{Columns, tag_columns};
use crate::cost::net;
use crate::options::{Options, Split};
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Choice, Error, KeyFrom, MetricFrom, Origin, Problem, Term, UsageMapping, Value,
};

pub const PARENT: &str = "split_line_item_parent_resource_id";

fn split_columns<'a>(
    columns: &Columns<'a>,
    options: &Options,
) -> Option<(&'a str, Option<&'a str>)> {
    let used =
        net(columns, options, "split_line_item_split_cost", "split_line_item_net_split_cost")?;
    Some((
        used,
        net(columns, options, "split_line_item_unused_cost", "split_line_item_net_unused_cost"),
    ))
}

/// The cost of a task or pod: the used part of its instance, and its share of the unused part.
///
/// Then no other row is a charge, because a row does not tell whether it is an instance that was
/// split.
pub fn split_charges(columns: &Columns<'_>, options: &Options) -> Option<Vec<Choice>> {
    let (used, unused) =
        split_columns(columns, options).filter(|_| options.split == Split::Charges)?;
    let mut terms = vec![Term::plus(used)];
    terms.extend(unused.map(Term::plus));
    Some(vec![Choice::always(Value::Sum(terms)).and_filled(mark(columns, used))])
}

/// The column that only split rows fill.
fn mark<'a>(columns: &Columns<'a>, used: &'a str) -> &'a str {
    columns.find(PARENT).unwrap_or(used)
}

/// The column that tells split rows from all others, if the settings take only split rows as
/// charges.
pub fn split_mark<'a>(table: &'a TableInfo, options: &Options) -> Result<Option<&'a str>, Error> {
    if options.split != Split::Charges {
        return Ok(None);
    }
    let columns = Columns::new(table);
    match split_columns(&columns, options) {
        Some((used, _)) => Ok(Some(mark(&columns, used))),
        None => Err(Error::Config(
            Problem::new(format!(
                "{} has no split costs, so that none of its rows is a charge \
                with `split = \"charges\"`",
                table.name
            ))
            .hint("split = \"usage\"")
            .table(&table.name)
            .column("split_line_item_split_cost"),
        )),
    }
}

/// Refuses a table with rows that are no split rows; `marks` are the values of the marking column.
///
/// Instances are among those rows. Their cost would count beside the cost of the tasks that it was
/// split into.
pub fn refuse_other_rows(
    table: &TableInfo,
    column: &str,
    marks: &[String],
    options: &Options,
) -> Result<(), Error> {
    if !marks.iter().any(|mark| mark.is_empty() || options.charges.nulls.contains(mark)) {
        return Ok(());
    }
    let message = format!(
        "{} has rows that are no split rows: with `split = \"charges\"` an instance and the tasks \
         that its cost is split into would both be counted",
        table.name
    );
    let problem = Problem::new(message).hint(
        "split = \"usage\", and a rule with \
        by_usage(\"aws.split_cost\", …) that shares the instance's cost",
    );
    Err(Error::Config(problem.table(&table.name).column(column)))
}

/// Weights for the cost of instances: the parts that tasks and pods used, and their shares of the
/// unused part.
pub fn split_usage(columns: &Columns<'_>, options: &Options) -> Option<UsageMapping> {
    let (used, unused) = split_columns(columns, options)?;
    let metric = |metric: &str, header: &str| MetricFrom {
        metric: Origin::Constant(metric.into()),
        value: header.into(),
        unit: columns
            .first(&["line_item_currency_code"])
            .unwrap_or_else(|| Origin::Constant("USD".into())),
    };
    let mut metrics = vec![metric("aws.split_cost", used)];
    metrics.extend(unused.map(|header| metric("aws.split_unused_cost", header)));
    let key = |key: &str, name: &str| {
        columns
            .find(name)
            .map(|header| KeyFrom { key: key.into(), origin: Origin::Column(header.into()) })
    };
    let mut keys: Vec<KeyFrom> = tag_columns(columns)
        .map(|tag| KeyFrom { key: tag.key, origin: Origin::Column(tag.column) })
        .collect();
    keys.extend(key("task", "line_item_resource_id"));
    keys.extend(key("resource_id", PARENT));
    Some(UsageMapping {
        table: columns.table.name.clone(),
        period_start: Origin::Column(columns.find("line_item_usage_start_date")?.into()),
        metrics,
        keys,
        tags: columns.find("resource_tags").map(str::to_owned),
        skips: Vec::new(),
        nulls: options.charges.nulls.clone(),
        date_order: options.charges.date_order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;

    #[test]
    fn split_rows_are_charges_only_where_nothing_else_is() {
        let table = |headers: &[&str]| {
            let columns = headers
                .iter()
                .map(|name| Column { name: (*name).into(), kind: "text".into() })
                .collect();
            TableInfo { name: "cur.csv".into(), format: "csv".into(), columns }
        };
        let options = Options::parse(r#"{"split": "charges"}"#).unwrap();
        let split = table(&[
            "lineItem/UnblendedCost",
            "splitLineItem/SplitCost",
            "splitLineItem/ParentResourceId",
        ]);
        assert_eq!(split_mark(&split, &options).unwrap(), Some("splitLineItem/ParentResourceId"));
        assert_eq!(split_mark(&split, &Options::default()).unwrap(), None);
        // An extract without parents has the costs of split rows alone.
        let extract = table(&["lineItem/UnblendedCost", "splitLineItem/SplitCost"]);
        assert_eq!(split_mark(&extract, &options).unwrap(), Some("splitLineItem/SplitCost"));
        let refused = |result: Result<(), Error>| match result {
            Err(Error::Config(problem)) => problem.message,
            other => panic!("{other:?}"),
        };
        let whole = table(&["lineItem/UnblendedCost", "splitLineItem/ParentResourceId"]);
        assert!(refused(split_mark(&whole, &options).map(drop)).contains("has no split costs"));
        let look = |parents: &[&str]| {
            let parents: Vec<String> = parents.iter().map(|parent| (*parent).to_owned()).collect();
            refuse_other_rows(&split, "splitLineItem/ParentResourceId", &parents, &options)
        };
        assert!(look(&["i-1", "i-2"]).is_ok());
        for parents in [["", "i-1"], ["NULL", "i-1"]] {
            assert!(refused(look(&parents)).contains("would both be counted"));
        }
    }
}
