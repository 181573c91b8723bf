//! The columns of an export. Nested columns are written with dots or with underscores.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Error, Origin, Problem, Rows, Skip, TagMap, Term, Value};
use table_settings::charges;
use table_settings::{FeedColumn, naming_the_plugin, word};

#[derive(Debug)]
pub struct Options {
    charges: charges::Options,
    /// Whether credits are subtracted from the cost.
    net: bool,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut net = true;
        let charges = charges::Options::parse(
            config,
            charges::Options::default(),
            &["credits", "mode"],
            |key, value| {
                if key == "credits" {
                    net = word(key, value, &[("net", true), ("gross", false)])?;
                }
                Ok(key == "credits" || key == "mode")
            },
        )?;
        Ok(Options { charges, net })
    }
}

fn find<'a>(table: &'a TableInfo, name: &str) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_ascii_lowercase().replace(['.', ' '], "_");
    table
        .columns
        .iter()
        .find(|column| plain(&column.name) == plain(name))
        .map(|column| column.name.as_str())
}

/// The column of costs. The console's table names the currency in it, such as `Cost (€)`. What the
/// sign means, only a setting can say: several currencies are written `$`.
fn cost_column(table: &TableInfo) -> Option<&str> {
    let is_cost = |header: &str| {
        header.trim().split_once('(').is_some_and(|(name, sign)| {
            name.trim().eq_ignore_ascii_case("cost") && sign.ends_with(')')
        })
    };
    let headers = || table.columns.iter().map(|column| column.name.as_str());
    find(table, "cost").or_else(|| headers().find(|header| is_cost(header)))
}

/// The names of flattened amounts of credits.
const FLAT_CREDITS: [&str; 2] = ["credits.amount", "credit.amount"];

/// Refuses columns of credits that nobody reads: without them costs would be gross, and perhaps
/// once for each credit.
fn expect_known_credits(table: &TableInfo) -> Result<(), Error> {
    let is_known = find(table, "credits").is_some()
        || FLAT_CREDITS.iter().any(|name| find(table, name).is_some());
    let names = || table.columns.iter().map(|column| column.name.as_str());
    let unread = names().find(|name| name.trim().to_ascii_lowercase().starts_with("credit"));
    match unread.filter(|_| !is_known) {
        None => Ok(()),
        Some(name) => Err(Error::Config(
            Problem::new(format!(
                "{} has the column {name}, and none of credits under a name that is read",
                table.name
            ))
            .hint(
                "name the amount of the credit credits.amount or credit_amount in the export, or \
                 write credits = \"gross\" in the config of the source",
            ),
        )),
    }
}

/// The cost, with its credits if they are wanted. A row without a cost has none with credits
/// either: what they are for would be a guess.
fn cost(table: &TableInfo, net: bool) -> Option<Origin> {
    let cost = cost_column(table)?;
    // Credits are a list, or the sum of one, or flattened with one a row.
    let list = || {
        find(table, "credits")
            .map(|credits| Term { member: Some("amount".into()), ..Term::plus(credits) })
    };
    let flat = || FLAT_CREDITS.iter().find_map(|name| find(table, name)).map(Term::plus);
    let credits = list().or_else(flat);
    Some(match credits.filter(|_| net) {
        Some(credits) => {
            let sum = Value::Sum(vec![Term::plus(cost), credits]);
            Origin::FirstOf(vec![Choice::always(sum).and_filled(cost)])
        }
        None => Origin::Column(cost.into()),
    })
}

/// A price of one unit. Prices of several units at once, such as a thousand, would be read as those
/// of one.
fn unit_price(table: &TableInfo, name: &str) -> Option<Origin> {
    let price = find(table, name)?;
    let units = find(table, "price.pricing_unit_quantity")?;
    let choice = Choice::when(units, &["1", "1.0"], Value::Column(price.into()));
    Some(Origin::FirstOf(vec![choice]))
}

pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let column = |names: &[&str]| {
        names.iter().find_map(|name| find(table, name)).map(|header| Origin::Column(header.into()))
    };
    let google = || Some(Origin::Constant("Google Cloud".into()));
    let usual = |target: &FeedColumn| {
        Ok(match target.name {
            "billed_cost" | "effective_cost" => cost(table, options.net),
            "billing_currency" => column(&["currency"]),
            "charge_period_start" => column(&["usage_start_time", "usage_start_date"]),
            "billing_period_start" => column(&["invoice.month"]),
            "service_name" => column(&["service.description"]),
            "charge_category" => Some(category(table)),
            "tags" => column(&["labels"]),
            "provider_name" | "publisher_name" => google(),
            "invoice_issuer_name" => column(&["seller_name"]).or_else(google),
            "invoice_id" => column(&["invoice.month"]),
            "billing_account_id" => column(&["billing_account_id"]),
            "billing_account_name" => column(&["billing_account_name"]),
            "sub_account_id" => column(&["project.id"]),
            "sub_account_name" => column(&["project.name"]),
            "region_id" => column(&["location.region", "location.location"]),
            "availability_zone" => column(&["location.zone"]),
            "resource_id" => column(&["resource.global_name"]),
            "resource_name" => column(&["resource.name"]),
            "charge_description" | "sku_meter" => column(&["sku.description"]),
            "sku_id" => column(&["sku.id"]),
            "pricing_unit" => column(&["usage.pricing_unit"]),
            "consumed_unit" => column(&["usage.unit"]),
            "pricing_quantity" => column(&["usage.amount_in_pricing_units"]),
            "consumed_quantity" => column(&["usage.amount"]),
            "list_unit_price" => unit_price(table, "price.list_price"),
            "contracted_unit_price" => unit_price(table, "price.effective_price"),
            "list_cost" => column(&["cost_at_list"]),
            _ => None,
        })
    };
    if options.net {
        expect_known_credits(table)?;
    }
    let mut mapping = charges::map(table, &options.charges, &usual)
        .map_err(|error| naming_the_plugin("gcp-billing", table, error))?;
    mapping.tag_maps = tag_maps(table);
    // The console's table ends with sums of its rows.
    if let Some(day) = find(table, "usage_start_date") {
        let values = ["Total", "Subtotal"].map(str::to_owned).to_vec();
        mapping.skips.push(Skip { column: day.into(), values });
    }
    Ok(vec![Rows::Mapped(mapping)])
}

/// Tags and labels from afar to near: those that the organization's folders give, those of the
/// project, and last, as the feed `tags`, those of the resource.
fn tag_maps(table: &TableInfo) -> Vec<TagMap> {
    let map =
        |header: &str| TagMap { column: header.into(), from: String::new(), to: String::new() };
    ["tags", "project.labels"].iter().filter_map(|name| find(table, name)).map(map).collect()
}

fn category(table: &TableInfo) -> Origin {
    let usage = Choice::always(Value::Constant("Usage".into()));
    let Some(cost_type) = find(table, "cost_type") else { return Origin::FirstOf(vec![usage]) };
    let when =
        |values: &[&str], text: &str| Choice::when(cost_type, values, Value::Constant(text.into()));
    Origin::FirstOf(vec![
        when(&["tax", "Tax"], "Tax"),
        when(&["adjustment", "Adjustment", "rounding_error", "Rounding error"], "Adjustment"),
        usage,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{Feed, Field};

    fn origin(header: &str, config: &str, feed: Feed) -> Option<Origin> {
        let mapping = mapped(header, config);
        mapping.feeds.into_iter().find(|from| from.feed == feed).map(|from| from.origin)
    }

    fn mapped(header: &str, config: &str) -> apportion_plugin_sdk::Mapping {
        let columns = header
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        let table = TableInfo { name: "export.csv".into(), format: "csv".into(), columns };
        let Rows::Mapped(mapping) =
            map(&table, &Options::parse(config).unwrap()).unwrap().remove(0)
        else {
            panic!()
        };
        mapping
    }

    #[test]
    fn credits_are_taken_off_unless_told_otherwise() {
        let header = "usage_start_time,cost,currency,credits,service.description";
        let sum = vec![
            Term::plus("cost"),
            Term { member: Some("amount".into()), ..Term::plus("credits") },
        ];
        assert_eq!(
            origin(header, "", Feed::BilledCost),
            Some(Origin::FirstOf(vec![Choice::always(Value::Sum(sum)).and_filled("cost")]))
        );
        assert_eq!(
            origin(header, r#"{"credits": "gross"}"#, Feed::BilledCost),
            Some(Origin::Column("cost".into()))
        );
    }

    #[test]
    fn flattened_credits_are_taken_off_too() {
        for credits in ["credits.amount", "credits_amount", "credit.amount", "credit_amount"] {
            let header = format!("usage_start_time,cost,currency,{credits},credits.name");
            let sum = Value::Sum(vec![Term::plus("cost"), Term::plus(credits)]);
            assert_eq!(
                origin(&header, "", Feed::BilledCost),
                Some(Origin::FirstOf(vec![Choice::always(sum).and_filled("cost")]))
            );
            assert_eq!(
                origin(&header, r#"{"credits": "gross"}"#, Feed::EffectiveCost),
                Some(Origin::Column("cost".into()))
            );
        }
    }

    #[test]
    fn credits_under_a_name_that_is_not_read_are_refused() {
        let refused = |header: &str, config: &str| {
            let columns = header
                .split(',')
                .map(|name| Column { name: name.into(), kind: "text".into() })
                .collect();
            let table = TableInfo { name: "export.csv".into(), format: "csv".into(), columns };
            match map(&table, &Options::parse(config).unwrap()) {
                Err(Error::Config(problem)) => Some(problem.message),
                other => other.map(|_| None).unwrap(),
            }
        };
        let told = |column: &str| {
            Some(format!(
                "export.csv has the column {column}, and none of credits under a name that is read"
            ))
        };
        for column in ["credit", "Credit_value", "credits.name"] {
            let header = format!("usage_start_time,cost,currency,{column}");
            assert_eq!(refused(&header, ""), told(column));
            assert_eq!(refused(&header, r#"{"credits": "gross"}"#), None);
        }
        assert_eq!(refused("usage_start_time,cost,currency,credit.name,credit.amount", ""), None);
    }

    #[test]
    fn labels_of_projects_and_tags_of_resources_are_tags() {
        let header = "usage_start_time,cost,currency,labels,project.labels,tags";
        let maps: Vec<String> =
            mapped(header, "").tag_maps.into_iter().map(|map| map.column).collect();
        assert_eq!(maps, ["tags", "project.labels"]);
        assert_eq!(origin(header, "", Feed::Tags), Some(Origin::Column("labels".into())));
        assert!(mapped("usage_start_time,cost,currency,labels", "").tag_maps.is_empty());
    }

    #[test]
    fn quantities_and_prices_are_those_of_one_unit() {
        let header = "usage_start_time,cost,currency,usage.amount,usage.unit,\
            usage.amount_in_pricing_units,usage.pricing_unit,price.list_price,\
            price.effective_price,price.pricing_unit_quantity,cost_at_list,invoice.month";
        let column = |name: &str| Some(Origin::Column(name.into()));
        let of = |feed: Feed| origin(header, "", feed);
        assert_eq!(of(Feed::BillingPeriodStart), column("invoice.month"));
        assert_eq!(of(Feed::PricingQuantity), column("usage.amount_in_pricing_units"));
        assert_eq!(of(Feed::ConsumedQuantity), column("usage.amount"));
        assert_eq!(of(Feed::ListCost), column("cost_at_list"));
        let price = |name: &str| {
            let price = Value::Column(name.into());
            let choice = Choice::when("price.pricing_unit_quantity", &["1", "1.0"], price);
            Some(Origin::FirstOf(vec![choice]))
        };
        assert_eq!(of(Feed::ListUnitPrice), price("price.list_price"));
        assert_eq!(of(Feed::ContractedUnitPrice), price("price.effective_price"));
        let unsaid = header.replace("price.pricing_unit_quantity,", "");
        assert_eq!(origin(&unsaid, "", Feed::ListUnitPrice), None);
    }

    #[test]
    fn the_console_s_table_needs_only_its_currency() {
        let header = "Billing account name,Project name,Service description,SKU description,\
            Usage start date,Cost (€)";
        let config = r#"{"constants": {"billing_currency": "EUR"}}"#;
        let mapping = mapped(header, config);
        assert_eq!(
            origin(header, config, Feed::BilledCost),
            Some(Origin::Column("Cost (€)".into()))
        );
        assert_eq!(
            origin(header, config, Feed::Dimension(Field::ServiceName)),
            Some(Origin::Column("Service description".into()))
        );
        assert_eq!(
            mapping.skips,
            [Skip {
                column: "Usage start date".into(),
                values: vec!["Total".into(), "Subtotal".into()]
            }]
        );
        let columns =
            header.split(',').map(|name| Column { name: name.into(), kind: "text".into() });
        let (name, format) = ("cost.csv".into(), "csv".into());
        let table = TableInfo { name, format, columns: columns.collect() };
        match map(&table, &Options::parse("").unwrap()) {
            Err(Error::MissingColumn(problem)) => {
                assert_eq!(
                    problem.hint.as_deref(),
                    Some("constants = { billing_currency = \"USD\" }")
                )
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nested_columns_have_dots_or_underscores() {
        for header in [
            "usage_start_time,cost,currency,project.id",
            "usage_start_time,cost,currency,project_id",
        ] {
            let name = header.rsplit(',').next().unwrap();
            assert_eq!(
                origin(header, "", Feed::Dimension(Field::SubAccountId)),
                Some(Origin::Column(name.into()))
            );
        }
    }
}
