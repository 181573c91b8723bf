//! The columns of an export. Nested columns are written with dots or with underscores.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Error, Origin, Rows, Term, Value};
use table_settings::charges;
use table_settings::{Fed, word};

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
    let plain = |text: &str| text.trim().to_ascii_lowercase().replace('.', "_");
    table
        .columns
        .iter()
        .find(|column| plain(&column.name) == plain(name))
        .map(|column| column.name.as_str())
}

pub fn map(table: &TableInfo, options: &Options) -> Result<Vec<Rows>, Error> {
    let column = |names: &[&str]| {
        names.iter().find_map(|name| find(table, name)).map(|header| Origin::Column(header.into()))
    };
    let cost = || {
        let cost = find(table, "cost")?;
        Some(match find(table, "credits").filter(|_| options.net) {
            Some(credits) => {
                let credits = Term { member: Some("amount".into()), ..Term::plus(credits) };
                Origin::FirstOf(vec![Choice::always(Value::Sum(vec![Term::plus(cost), credits]))])
            }
            None => Origin::Column(cost.into()),
        })
    };
    let google = || Some(Origin::Constant("Google Cloud".into()));
    let usual = |fed: &Fed| {
        Ok(match fed.name {
            "billed_cost" | "effective_cost" => cost(),
            "billing_currency" => column(&["currency"]),
            "charge_period_start" => column(&["usage_start_time"]),
            "service_name" => column(&["service.description"]),
            "charge_category" => Some(category(table)),
            "tags" => column(&["labels"]),
            "provider_name" | "publisher_name" => google(),
            "invoice_issuer_name" => column(&["seller_name"]).or_else(google),
            "invoice_id" => column(&["invoice.month"]),
            "billing_account_id" => column(&["billing_account_id"]),
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
            _ => None,
        })
    };
    Ok(vec![Rows::Mapped(charges::map(table, &options.charges, &usual)?)])
}

fn category(table: &TableInfo) -> Origin {
    let usage = Choice::always(Value::Constant("Usage".into()));
    let Some(cost_type) = find(table, "cost_type") else { return Origin::FirstOf(vec![usage]) };
    let when =
        |values: &[&str], text: &str| Choice::when(cost_type, values, Value::Constant(text.into()));
    Origin::FirstOf(vec![
        when(&["tax"], "Tax"),
        when(&["adjustment", "rounding_error"], "Adjustment"),
        usage,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{Feed, Field};

    fn origin(header: &str, config: &str, feed: Feed) -> Option<Origin> {
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
        mapping.feeds.into_iter().find(|from| from.feed == feed).map(|from| from.origin)
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
            Some(Origin::FirstOf(vec![Choice::always(Value::Sum(sum))]))
        );
        assert_eq!(
            origin(header, r#"{"credits": "gross"}"#, Feed::BilledCost),
            Some(Origin::Column("cost".into()))
        );
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
