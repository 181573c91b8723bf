//! Where a report has what, in the names of CUR 2.0; those of CUR 1.0 are turned into them.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{
    Choice, Error, KeyFrom, Mapping, MetricFrom, Origin, Problem, Rows, TagColumn, Term,
    UsageMapping, Value,
};
use table_settings::charges;
use table_settings::{Fed, word};

/// Which cost of a line is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    #[default]
    Unblended,
    Net,
    Blended,
}

/// What the rows of tasks and pods are, whose cost is a part of their instance's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    #[default]
    Usage,
    Charges,
    Ignore,
}

#[derive(Debug, Default)]
pub struct Options {
    charges: charges::Options,
    cost: Cost,
    split: Split,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let (mut cost, mut split) = (Cost::default(), Split::default());
        let charges = charges::Options::parse(
            config,
            charges::Options::default(),
            &["cost", "split"],
            |key, value| {
                match key {
                    "cost" => {
                        cost = word(
                            key,
                            value,
                            &[
                                ("unblended", Cost::Unblended),
                                ("net", Cost::Net),
                                ("blended", Cost::Blended),
                            ],
                        )?
                    }
                    "split" => {
                        split = word(
                            key,
                            value,
                            &[
                                ("usage", Split::Usage),
                                ("charges", Split::Charges),
                                ("ignore", Split::Ignore),
                            ],
                        )?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )?;
        Ok(Options { charges, cost, split })
    }
}

/// The columns of a report by their names in CUR 2.0.
struct Columns<'a> {
    table: &'a TableInfo,
    names: Vec<(String, &'a str)>,
}

impl<'a> Columns<'a> {
    fn new(table: &'a TableInfo) -> Columns<'a> {
        let names = table
            .columns
            .iter()
            .map(|column| (snake(&column.name), column.name.as_str()))
            .collect();
        Columns { table, names }
    }

    fn find(&self, name: &str) -> Option<&'a str> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, header)| *header)
    }

    fn first(&self, names: &[&str]) -> Option<Origin> {
        let found: Vec<&str> = names.iter().filter_map(|name| self.find(name)).collect();
        match found.as_slice() {
            [] => None,
            [header] => Some(Origin::Column((*header).into())),
            several => Some(Origin::FirstOf(
                several
                    .iter()
                    .map(|header| Choice::always(Value::Column((*header).into())))
                    .collect(),
            )),
        }
    }
}

/// `lineItem/UnblendedCost` and `line_item_unblended_cost` are one.
fn snake(header: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in header.trim().chars() {
        match c {
            '/' | ':' | ' ' | '-' | '.' => snake.push('_'),
            c if c.is_ascii_uppercase() => {
                if after_lower {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            c => snake.push(c),
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    // AWS spells this abbreviation letter by letter.
    snake.replace("_arn", "_a_r_n")
}

const TYPE: &str = "line_item_line_item_type";
const PARENT: &str = "split_line_item_parent_resource_id";

pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let columns = Columns::new(table);
    if columns.find("line_item_unblended_cost").is_none() {
        let names = "line_item_unblended_cost or lineItem/UnblendedCost";
        let problem = Problem::new(format!(
            "{} has no column {names}, so it is no Cost and Usage Report",
            table.name
        ));
        return Err(Error::MissingColumn(
            problem
                .hint("narrow the source's `paths` to the report's own files")
                .table(&table.name)
                .column("line_item_unblended_cost"),
        ));
    }
    let usual = |fed: &Fed| Ok(origin(&columns, options, fed.name));
    let mut mapping = charges::map(table, &options.charges, &usual)?;
    // Reports were seen whose last column, added later, is missing in older rows.
    mapping.short_rows = true;
    add_tags(&columns, &mut mapping);
    let mut rows = Vec::new();
    if options.split == Split::Usage {
        rows.extend(split_usage(&columns, options).map(Rows::MappedUsage));
    }
    rows.push(Rows::Mapped(mapping));
    Ok(rows)
}

fn origin(columns: &Columns<'_>, options: &Options, field: &str) -> Option<Origin> {
    match field {
        "billed_cost" => billed(columns, options),
        "effective_cost" => effective(columns, options),
        "billing_currency" => columns.first(&["line_item_currency_code"]),
        "charge_period_start" => {
            columns.first(&["line_item_usage_start_date", "bill_billing_period_start_date"])
        }
        "service_name" => columns.first(&["product_product_name", "line_item_product_code"]),
        "charge_category" => by_type(columns, CATEGORIES),
        "charge_class" => by_type(columns, &[(&["Refund"], "Correction")]),
        "tags" => columns.first(&["resource_tags"]),
        "provider_name" | "publisher_name" => Some(Origin::Constant("AWS".into())),
        "invoice_issuer_name" => {
            columns.first(&["line_item_legal_entity", "bill_invoicing_entity"])
        }
        "invoice_id" => columns.first(&["bill_invoice_id"]),
        "billing_account_id" => columns.first(&["bill_payer_account_id"]),
        "billing_account_name" => columns.first(&["bill_payer_account_name"]),
        "sub_account_id" => columns.first(&["line_item_usage_account_id"]),
        "sub_account_name" => columns.first(&["line_item_usage_account_name"]),
        "region_id" => columns.first(&["product_region_code", "product_region"]),
        "region_name" => columns.first(&["product_location"]),
        "availability_zone" => columns.first(&["line_item_availability_zone"]),
        "resource_id" => columns.first(&["line_item_resource_id"]),
        "resource_type" => columns.first(&["product_product_family"]),
        "charge_description" => columns.first(&["line_item_line_item_description"]),
        "sku_id" => columns.first(&["product_sku"]),
        "sku_meter" => columns.first(&["line_item_usage_type"]),
        "sku_price_id" => columns.first(&["pricing_rate_code"]),
        "pricing_unit" => columns.first(&["pricing_unit"]),
        "commitment_discount_id" => {
            columns.first(&["savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n"])
        }
        "commitment_discount_status" => by_type(columns, STATUSES),
        _ => None,
    }
}

type ByType = [(&'static [&'static str], &'static str)];

const CATEGORIES: &ByType = &[
    (&["Tax"], "Tax"),
    (
        &[
            "Credit",
            "Refund",
            "EdpDiscount",
            "PrivateRateDiscount",
            "BundledDiscount",
            "Discount",
            "DistributorDiscount",
        ],
        "Credit",
    ),
    (&["Fee", "RIFee", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee"], "Purchase"),
    (&[], "Usage"),
];

const STATUSES: &ByType = &[
    (&["DiscountedUsage", "SavingsPlanCoveredUsage"], "Used"),
    (&["RIFee", "SavingsPlanRecurringFee"], "Unused"),
];

/// The first text whose types of lines fit; one without types fits all.
fn by_type(columns: &Columns<'_>, texts: &ByType) -> Option<Origin> {
    let header = columns.find(TYPE)?;
    let choice = |(types, text): &(&[&str], &str)| {
        let value = Value::Constant((*text).into());
        if types.is_empty() { Choice::always(value) } else { Choice::when(header, types, value) }
    };
    Some(Origin::FirstOf(texts.iter().map(choice).collect()))
}

fn billed(columns: &Columns<'_>, options: &Options) -> Option<Origin> {
    in_one(split_charges(columns, options).unwrap_or_else(|| line_cost(columns, options.cost)))
}

/// The line's own cost. Net columns only exist where there is a private agreement.
fn line_cost(columns: &Columns<'_>, cost: Cost) -> Vec<Choice> {
    let names: &[&str] = match cost {
        Cost::Unblended => &["line_item_unblended_cost"],
        Cost::Net => &["line_item_net_unblended_cost", "line_item_unblended_cost"],
        Cost::Blended => &["line_item_blended_cost"],
    };
    names
        .iter()
        .filter_map(|name| columns.find(name))
        .map(|header| Choice::always(Value::Column(header.into())))
        .collect()
}

/// What the line is worth when what was paid for commitments is spread over what they covered.
fn effective(columns: &Columns<'_>, options: &Options) -> Option<Origin> {
    let own = || {
        let mut choices = Vec::new();
        if let Some(line_type) = columns.find(TYPE) {
            choices.extend(commitments(columns, options, line_type));
        }
        choices.extend(line_cost(columns, options.cost));
        choices
    };
    in_one(split_charges(columns, options).unwrap_or_else(own))
}

fn commitments(columns: &Columns<'_>, options: &Options, line_type: &str) -> Vec<Choice> {
    let mut choices = Vec::new();
    let mut when = |types: &[&str], value: Option<Value>| {
        choices.extend(value.map(|value| Choice::when(line_type, types, value)))
    };
    let column =
        |name: &str, net_name: &str| net(columns, options, name, net_name).map(str::to_owned);
    let zero = || Value::Constant("0".into());
    if let Some(covered) = column(
        "savings_plan_savings_plan_effective_cost",
        "savings_plan_net_savings_plan_effective_cost",
    ) {
        when(&["SavingsPlanCoveredUsage"], Some(Value::Column(covered)));
        when(&["SavingsPlanNegation", "SavingsPlanUpfrontFee"], Some(zero()));
    }
    let commitment = columns
        .find("savings_plan_total_commitment_to_date")
        .zip(columns.find("savings_plan_used_commitment"));
    when(
        &["SavingsPlanRecurringFee"],
        commitment.map(|(total, used)| Value::Sum(vec![Term::plus(total), Term::minus(used)])),
    );
    let reserved = column("reservation_effective_cost", "reservation_net_effective_cost");
    when(&["DiscountedUsage"], reserved.clone().map(Value::Column));
    let upfront = column(
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation_net_unused_amortized_upfront_fee_for_billing_period",
    );
    let recurring =
        column("reservation_unused_recurring_fee", "reservation_net_unused_recurring_fee");
    when(
        &["RIFee"],
        upfront.zip(recurring).map(|(upfront, recurring)| {
            Value::Sum(vec![Term::plus(upfront), Term::plus(recurring)])
        }),
    );
    if let (Some(reservation), Some(_)) = (columns.find("reservation_reservation_a_r_n"), reserved)
    {
        choices.push(Choice::when(line_type, &["Fee"], zero()).and_filled(reservation));
    }
    choices
}

/// The column after the discounts of a private agreement, where that is asked for and there is one.
fn net<'a>(
    columns: &Columns<'a>,
    options: &Options,
    name: &str,
    net_name: &str,
) -> Option<&'a str> {
    let net = columns.find(net_name).filter(|_| options.cost == Cost::Net);
    net.or_else(|| columns.find(name))
}

/// A single choice that always fits is a column, which is the fast way.
fn in_one(choices: Vec<Choice>) -> Option<Origin> {
    match choices.as_slice() {
        [] => None,
        [Choice { when, value: Value::Column(header) }] if when.is_empty() => {
            Some(Origin::Column(header.clone()))
        }
        _ => Some(Origin::FirstOf(choices)),
    }
}

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

/// A task's or pod's cost is what it used of its instance and its part of what nobody used. No other row is a charge then: of a
/// row that is none of theirs nobody knows whether it is the instance's that was split.
fn split_charges(columns: &Columns<'_>, options: &Options) -> Option<Vec<Choice>> {
    let (used, unused) =
        split_columns(columns, options).filter(|_| options.split == Split::Charges)?;
    let mut terms = vec![Term::plus(used)];
    terms.extend(unused.map(Term::plus));
    Some(vec![Choice::always(Value::Sum(terms)).and_filled(mark(columns, used))])
}

/// The column that is filled in split rows alone.
fn mark<'a>(columns: &Columns<'a>, used: &'a str) -> &'a str {
    columns.find(PARENT).unwrap_or(used)
}

/// The column that tells split rows from all others, where split rows alone are charges.
pub fn split_mark<'a>(table: &'a TableInfo, options: &Options) -> Result<Option<&'a str>, Error> {
    if options.split != Split::Charges {
        return Ok(None);
    }
    let columns = Columns::new(table);
    match split_columns(&columns, options) {
        Some((used, _)) => Ok(Some(mark(&columns, used))),
        None => Err(Error::Config(
            Problem::new(format!("{} has no split costs, so that none of its rows is a charge with `split = \"charges\"`", table.name))
                .hint("split = \"usage\"")
                .table(&table.name)
                .column("split_line_item_split_cost"),
        )),
    }
}

/// Refuses a table in which not all rows are split rows, by what its rows have in the column that marks these: instances are among
/// the others, and their costs would be counted with those of the tasks that they were split into.
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
        "{} has rows that are no split rows: with `split = \"charges\"` an instance and the tasks that its cost is split into would both be counted",
        table.name
    );
    let problem = Problem::new(message).hint("split = \"usage\", and a rule with by_usage(\"aws.split_cost\", …) that shares the instance's cost");
    Err(Error::Config(problem.table(&table.name).column(column)))
}

/// Weights for the cost of instances: what tasks and pods used of them, and their parts of what nobody used.
fn split_usage(columns: &Columns<'_>, options: &Options) -> Option<UsageMapping> {
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

/// Tags that users made lose the prefix by which AWS tells them from its own.
fn add_tags(columns: &Columns<'_>, mapping: &mut Mapping) {
    mapping.tag_prefixes = vec!["user:".into(), "user_".into()];
    for tag in tag_columns(columns) {
        if !mapping
            .tag_columns
            .iter()
            .any(|known| known.key == tag.key || known.column == tag.column)
        {
            mapping.tag_columns.push(tag);
        }
    }
}

fn tag_columns<'a>(columns: &'a Columns<'_>) -> impl Iterator<Item = TagColumn> + 'a {
    columns.table.columns.iter().filter_map(|column| {
        let header = column.name.trim();
        let key = header
            .strip_prefix("resourceTags/")
            .or_else(|| header.strip_prefix("resource_tags_"))?;
        let key = key.strip_prefix("user:").or_else(|| key.strip_prefix("user_")).unwrap_or(key);
        Some(TagColumn { key: key.into(), column: column.name.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{Feed, Field};

    fn mapped(header: &str, config: &str) -> (Mapping, Option<UsageMapping>) {
        let columns = header
            .split(',')
            .map(|name| Column { name: name.trim().into(), kind: "text".into() })
            .collect();
        let table = TableInfo { name: "cur.csv".into(), format: "csv".into(), columns };
        let (mut mapping, mut usage) = (None, None);
        for rows in map(&table, &Options::parse(config).unwrap()).unwrap() {
            match rows {
                Rows::Mapped(found) => mapping = Some(found),
                Rows::MappedUsage(found) => usage = Some(found),
                other => panic!("{other:?}"),
            }
        }
        (mapping.unwrap(), usage)
    }

    fn origin(mapping: &Mapping, feed: Feed) -> Option<Origin> {
        mapping.feeds.iter().find(|from| from.feed == feed).map(|from| from.origin.clone())
    }

    const CUR1: &str = "bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,\
        lineItem/ProductCode,lineItem/CurrencyCode,lineItem/UnblendedCost,resourceTags/user:Team,resourceTags/aws:createdBy,reservation/ReservationARN";

    #[test]
    fn both_versions_name_the_same_columns() {
        for (header, name) in [
            ("lineItem/UnblendedCost", "line_item_unblended_cost"),
            ("savingsPlan/SavingsPlanEffectiveCost", "savings_plan_savings_plan_effective_cost"),
            ("reservation/ReservationARN", "reservation_reservation_a_r_n"),
            ("savings_plan_savings_plan_a_r_n", "savings_plan_savings_plan_a_r_n"),
            ("reservation/UnusedRecurringFee", "reservation_unused_recurring_fee"),
        ] {
            assert_eq!(snake(header), name);
        }
    }

    #[test]
    fn tags_lose_the_prefix_of_the_users_and_keep_that_of_aws() {
        let (mapping, usage) = mapped(CUR1, "");
        let tags: Vec<_> =
            mapping.tag_columns.iter().map(|tag| (tag.key.as_str(), tag.column.as_str())).collect();
        assert_eq!(
            tags,
            [("Team", "resourceTags/user:Team"), ("aws:createdBy", "resourceTags/aws:createdBy")]
        );
        assert_eq!(usage, None);
        assert!(mapping.short_rows);
        assert_eq!(
            origin(&mapping, Feed::Dimension(Field::SubAccountId)),
            Some(Origin::Column("lineItem/UsageAccountId".into()))
        );
    }

    #[test]
    fn without_columns_of_commitments_the_effective_cost_is_the_billed_one() {
        let (mapping, _) = mapped(CUR1, "");
        let cost = Some(Origin::Column("lineItem/UnblendedCost".into()));
        assert_eq!(origin(&mapping, Feed::BilledCost), cost);
        assert_eq!(origin(&mapping, Feed::EffectiveCost), cost);
    }

    #[test]
    fn commitments_are_spread_over_what_they_covered() {
        let header = "line_item_line_item_type,line_item_usage_start_date,line_item_currency_code,line_item_unblended_cost,\
            savings_plan_savings_plan_effective_cost,savings_plan_total_commitment_to_date,savings_plan_used_commitment,reservation_effective_cost,\
            reservation_unused_amortized_upfront_fee_for_billing_period,reservation_unused_recurring_fee,reservation_reservation_a_r_n";
        let (mapping, _) = mapped(header, "");
        let Some(Origin::FirstOf(choices)) = origin(&mapping, Feed::EffectiveCost) else {
            panic!()
        };
        let of = |line_type: &str| {
            let holds = |test: &apportion_plugin_sdk::Condition| {
                test.column != TYPE || test.values.iter().any(|value| value == line_type)
            };
            choices
                .iter()
                .find(|choice| choice.when.iter().all(holds))
                .map(|choice| choice.value.clone())
        };
        let column = |name: &str| Some(Value::Column(name.into()));
        let zero = Some(Value::Constant("0".into()));
        assert_eq!(
            of("SavingsPlanCoveredUsage"),
            column("savings_plan_savings_plan_effective_cost")
        );
        assert_eq!((of("SavingsPlanNegation"), of("Fee")), (zero.clone(), zero));
        let unused = vec![
            Term::plus("savings_plan_total_commitment_to_date"),
            Term::minus("savings_plan_used_commitment"),
        ];
        assert_eq!(of("SavingsPlanRecurringFee"), Some(Value::Sum(unused)));
        assert_eq!(of("DiscountedUsage"), column("reservation_effective_cost"));
        assert_eq!(of("Usage"), column("line_item_unblended_cost"));
    }

    #[test]
    fn split_rows_are_weights_or_charges() {
        let header = "line_item_usage_start_date,line_item_unblended_cost,line_item_currency_code,line_item_line_item_type,resource_tags,\
            split_line_item_split_cost,split_line_item_unused_cost,split_line_item_parent_resource_id,line_item_resource_id";
        let (mapping, usage) = mapped(header, "");
        let usage = usage.unwrap();
        assert_eq!(usage.metrics.len(), 2);
        assert_eq!(
            usage.keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(),
            ["task", "resource_id"]
        );
        assert_eq!(
            origin(&mapping, Feed::BilledCost),
            Some(Origin::Column("line_item_unblended_cost".into()))
        );
        let (mapping, usage) = mapped(header, r#"{"split": "charges"}"#);
        assert_eq!(usage, None);
        let split = Value::Sum(vec![
            Term::plus("split_line_item_split_cost"),
            Term::plus("split_line_item_unused_cost"),
        ]);
        let only = Some(Origin::FirstOf(vec![Choice::always(split).and_filled(PARENT)]));
        assert_eq!(
            (origin(&mapping, Feed::BilledCost), origin(&mapping, Feed::EffectiveCost)),
            (only.clone(), only)
        );
    }

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

    #[test]
    fn another_table_is_refused() {
        let columns = vec![Column { name: "Cost".into(), kind: "text".into() }];
        let table = TableInfo { name: "other.csv".into(), format: "csv".into(), columns };
        assert!(
            matches!(map(&table, &Options::default()), Err(Error::MissingColumn(problem)) if problem.message.contains("no Cost and Usage Report"))
        );
    }
}
