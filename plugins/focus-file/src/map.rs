//! Header and settings → mapping: the column or constant of each field.

use crate::dataset::refuse_others;
use crate::options::{EmptyEffectiveCost, Options};
use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Error, Feed, Mapping, Origin, Value};
use table_settings::{FeedColumn, charges, find_spelled, naming_the_plugin};

/// Columns that one version of FOCUS calls otherwise.
const OTHERWISE: [(&str, &str); 1] = [("ProviderName", "ServiceProviderName")];

/// The mapping of a Cost and Usage table, or an error that names what its header lacks.
pub fn map(table: &TableInfo, options: &Options) -> Result<Mapping, Error> {
    refuse_others(table)?;
    let usual = |target: &FeedColumn| {
        let header = match (
            find_spelled(table, target.column)?,
            OTHERWISE.iter().find(|(column, _)| *column == target.column),
        ) {
            (None, Some((_, otherwise))) => find_spelled(table, otherwise)?,
            (header, _) => header,
        };
        Ok(header.map(Origin::Column))
    };
    let mut mapping = charges::map(table, &options.charges, &usual)
        .map_err(|error| naming_the_plugin("focus-file", table, error))?;
    if options.empty_effective_cost == EmptyEffectiveCost::Billed {
        fill(&mut mapping);
    }
    Ok(mapping)
}

/// Has the billed cost stand for an effective cost that is empty.
fn fill(mapping: &mut Mapping) {
    let value = |feed: Feed| {
        let from = mapping.feeds.iter().find(|from| from.feed == feed)?;
        match &from.origin {
            Origin::Column(header) => Some(Value::Column(header.clone())),
            Origin::Constant(text) => Some(Value::Constant(text.clone())),
            Origin::FirstOf(_) => None,
        }
    };
    let values = [value(Feed::EffectiveCost), value(Feed::BilledCost)];
    let choices: Vec<Choice> = values.into_iter().flatten().map(Choice::always).collect();
    let effective = mapping.feeds.iter_mut().find(|from| from.feed == Feed::EffectiveCost);
    if let Some(effective) = effective.filter(|_| choices.len() == 2) {
        effective.origin = Origin::FirstOf(choices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::version;
    use crate::options::parse;
    use apportion_plugin_sdk::table_decode::Column;
    use apportion_plugin_sdk::{DateOrder, Feed, Field, Skip, TagColumn};
    use table_settings::charges::wishes;

    fn table(name: &str, header: &str) -> TableInfo {
        let columns = header
            .trim_end()
            .split(',')
            .map(|name| Column { name: name.into(), kind: "text".into() })
            .collect();
        TableInfo { name: name.into(), format: "csv".into(), columns }
    }

    fn usual() -> Options {
        parse("").unwrap()
    }

    fn origin(mapping: &Mapping, feed: Feed) -> Option<String> {
        mapping.feeds.iter().find(|from| from.feed == feed).map(|from| match &from.origin {
            Origin::Column(header) => header.clone(),
            Origin::Constant(value) => format!("={value}"),
            Origin::FirstOf(choices) => panic!("{choices:?}"),
        })
    }

    fn header_of(fixture: &str) -> &str {
        fixture.lines().next().unwrap()
    }

    const FIXTURES: [(&str, &str); 5] = [
        ("1.0", include_str!("../fixtures/focus_1_0.csv")),
        ("1.1", include_str!("../fixtures/focus_1_1.csv")),
        ("1.2", include_str!("../fixtures/focus_1_2.csv")),
        ("1.3", include_str!("../fixtures/focus_1_3.csv")),
        ("1.4", include_str!("../fixtures/focus_1_4.csv")),
    ];

    #[test]
    fn maps_every_version_and_knows_it() {
        for (expect, fixture) in FIXTURES {
            let table = table("bill.csv", header_of(fixture));
            assert_eq!(version(&table), expect);
            let mapping = map(&table, &usual()).unwrap();
            assert_eq!(mapping.table, "bill.csv");
            assert_eq!(mapping.nulls, ["NULL", "null"]);
            assert_eq!(mapping.date_order, DateOrder::Iso);
            assert_eq!(
                origin(&mapping, Feed::BilledCost).as_deref(),
                Some("BilledCost"),
                "{expect}"
            );
            assert_eq!(origin(&mapping, Feed::Tags).as_deref(), Some("Tags"), "{expect}");
            let provider = if expect == "1.4" { "ServiceProviderName" } else { "ProviderName" };
            assert_eq!(
                origin(&mapping, Feed::Dimension(Field::ProviderName)).as_deref(),
                Some(provider),
                "{expect}"
            );
            assert!(wishes(&map(&table, &usual()).unwrap()).is_empty());
        }
    }

    #[test]
    fn periods_quantities_and_prices_are_columns_of_every_version() {
        const COLUMNS: [(Feed, &str); 7] = [
            (Feed::BillingPeriodStart, "BillingPeriodStart"),
            (Feed::PricingQuantity, "PricingQuantity"),
            (Feed::ConsumedQuantity, "ConsumedQuantity"),
            (Feed::ListUnitPrice, "ListUnitPrice"),
            (Feed::ContractedUnitPrice, "ContractedUnitPrice"),
            (Feed::ListCost, "ListCost"),
            (Feed::ContractedCost, "ContractedCost"),
        ];
        for (version, fixture) in FIXTURES {
            let header = header_of(fixture);
            let mapping = map(&table("bill.csv", header), &usual()).unwrap();
            for (feed, column) in COLUMNS {
                let expect = header.split(',').find(|name| *name == column);
                assert_eq!(origin(&mapping, feed).as_deref(), expect, "{version} {column}");
            }
        }
        let needed = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart";
        let all = COLUMNS.map(|(_, column)| column).join(",");
        let mapping = map(&table("b.csv", &format!("{needed},{all}")), &usual()).unwrap();
        for (feed, column) in COLUMNS {
            assert_eq!(origin(&mapping, feed).as_deref(), Some(column));
        }
        assert_eq!(origin(&map(&table("b.csv", needed), &usual()).unwrap(), Feed::ListCost), None);
        let named = parse(
            r#"{"columns": {"pricing_quantity": "Hours"},
                "constants": {"billing_period_start": "2026-03-01"}}"#,
        )
        .unwrap();
        let mapping = map(&table("b.csv", &format!("{needed},hours")), &named).unwrap();
        assert_eq!(origin(&mapping, Feed::PricingQuantity).as_deref(), Some("hours"));
        assert_eq!(origin(&mapping, Feed::BillingPeriodStart).as_deref(), Some("=2026-03-01"));
    }

    #[test]
    fn headers_match_exactly_first_and_then_in_any_case() {
        let loose = table("b.csv", " billedcost ,EFFECTIVECOST,BillingCurrency,ChargePeriodStart");
        let mapping = map(&loose, &usual()).unwrap();
        assert_eq!(origin(&mapping, Feed::BilledCost).as_deref(), Some(" billedcost "));
        assert_eq!(origin(&mapping, Feed::EffectiveCost).as_deref(), Some("EFFECTIVECOST"));
        let both =
            table("b.csv", "billedcost,BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart");
        assert_eq!(
            origin(&map(&both, &usual()).unwrap(), Feed::BilledCost).as_deref(),
            Some("BilledCost")
        );
    }

    #[test]
    fn headers_in_other_cases_match_all_at_once() {
        for header in [
            "billed_cost,effective_cost,billing_currency,charge_period_start,service_name,tags,\
             billing_period_start,pricing_quantity,list_unit_price",
            "Billed Cost,Effective Cost,Billing Currency,Charge Period Start,Service Name,Tags,\
             Billing Period Start,Pricing Quantity,List Unit Price",
            "BILLEDCOST,EFFECTIVECOST,BILLINGCURRENCY,CHARGEPERIODSTART,SERVICENAME,TAGS,\
             BILLINGPERIODSTART,PRICINGQUANTITY,LISTUNITPRICE",
        ] {
            let mapping = map(&table("b.csv", header), &usual()).unwrap();
            assert_eq!(mapping.feeds.len(), 9, "{header}");
        }
        // The name itself wins over other spellings of it.
        let both = "BilledCost,billed_cost,EffectiveCost,BillingCurrency,ChargePeriodStart";
        let mapping = map(&table("b.csv", both), &usual()).unwrap();
        assert_eq!(origin(&mapping, Feed::BilledCost).as_deref(), Some("BilledCost"));
        let two = "billed_cost,billed-cost,EffectiveCost,BillingCurrency,ChargePeriodStart";
        assert!(matches!(
            map(&table("b.csv", two), &usual()),
            Err(Error::DuplicateColumn(problem))
                if problem.message.contains("'billed_cost', 'billed-cost'")
        ));
    }

    #[test]
    fn the_billed_cost_can_stand_for_an_effective_cost_that_is_empty() {
        let header = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart";
        let options = parse(r#"{"empty_effective_cost": "billed"}"#).unwrap();
        let mapping = map(&table("b.csv", header), &options).unwrap();
        let from = mapping.feeds.iter().find(|from| from.feed == Feed::EffectiveCost).unwrap();
        let column = |name: &str| Choice::always(Value::Column(name.into()));
        assert_eq!(
            from.origin,
            Origin::FirstOf(vec![column("EffectiveCost"), column("BilledCost")])
        );
    }

    #[test]
    fn a_report_of_another_form_is_refused_by_name() {
        match map(&table("r.csv", "lineItem/UsageStartDate,lineItem/UnblendedCost"), &usual()) {
            Err(Error::Config(problem)) => {
                assert!(problem.message.starts_with("r.csv is a Cost and Usage Report"));
                assert_eq!(problem.hint.as_deref(), Some("plugin = \"aws-cur\""));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_header_that_names_a_column_twice_is_refused() {
        for header in [
            "BilledCost,BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart",
            "billedcost,BILLEDCOST,EffectiveCost",
        ] {
            match map(&table("b.csv", header), &usual()) {
                Err(Error::DuplicateColumn(problem)) => {
                    assert_eq!(
                        (problem.table.as_deref(), problem.column.as_deref()),
                        (Some("b.csv"), Some("BilledCost"))
                    );
                }
                other => panic!("{header} gave {other:?}"),
            }
        }
    }

    #[test]
    fn a_missing_column_is_named_with_the_line_that_mends_it() {
        let problem = |header: &str| match map(&table("b.csv", header), &usual()) {
            Err(Error::MissingColumn(problem)) => {
                (problem.message, problem.column.unwrap(), problem.hint.unwrap())
            }
            other => panic!("{header} gave {other:?}"),
        };
        let (message, column, hint) = problem("BilledCost,EffectiveCost,ChargePeriodStart");
        assert_eq!(
            message,
            "b.csv has no column BillingCurrency, without which its rows cannot become charges"
        );
        assert_eq!(
            (column.as_str(), hint.as_str()),
            ("BillingCurrency", "constants = { billing_currency = \"USD\" }")
        );
        let (message, column, hint) = problem("Cost,Date");
        assert_eq!(
            message,
            "b.csv has no columns BilledCost, EffectiveCost, BillingCurrency, ChargePeriodStart, \
             without which its rows cannot become charges"
        );
        assert_eq!(
            (column.as_str(), hint.as_str()),
            (
                "BilledCost",
                "columns = { billed_cost = \"Cost\", effective_cost = \"Cost\", \
                 charge_period_start = \"Date\" }, constants = { billing_currency = \"USD\" }"
            )
        );
        let (_, _, hint) = problem("Netto,Tag");
        assert_eq!(
            hint,
            "columns = { billed_cost = \"<the column that holds it>\", effective_cost = \"<the \
             column that holds it>\", charge_period_start = \"<the column that holds it>\" }, \
             constants = { billing_currency = \"USD\" }"
        );
        let (_, column, hint) =
            problem("BilledCost,EffectiveCosts,BillingCurrency,ChargePeriodStart");
        assert_eq!(
            (column.as_str(), hint.as_str()),
            ("EffectiveCost", "columns = { effective_cost = \"EffectiveCosts\" }")
        );
    }

    #[test]
    fn settings_stand_in_for_columns() {
        let options = parse(
            r#"{"constants": {"billing_currency": "EUR", "service_name": "Support"},
                "columns": {"effective_cost": "BilledCost"},
                "tag_columns": {"team": "X_TEAM"}, "skip": [{"column": "Kind",
                "values": ["total"]}], "nulls": ["-"], "date_order": "mdy"}"#,
        )
        .unwrap();
        let mapping =
            map(&table("b.csv", "BilledCost,ChargePeriodStart,ServiceName,x_Team,Kind"), &options)
                .unwrap();
        assert_eq!(origin(&mapping, Feed::BillingCurrency).as_deref(), Some("=EUR"));
        assert_eq!(
            origin(&mapping, Feed::Dimension(Field::ServiceName)).as_deref(),
            Some("=Support")
        );
        assert_eq!(origin(&mapping, Feed::EffectiveCost).as_deref(), Some("BilledCost"));
        assert_eq!(
            mapping.tag_columns,
            [TagColumn { key: "team".into(), column: "x_Team".into() }]
        );
        assert_eq!(mapping.skips, [Skip { column: "Kind".into(), values: vec!["total".into()] }]);
        assert_eq!(
            (mapping.nulls, mapping.date_order),
            (vec!["-".to_owned()], DateOrder::MonthDayYear)
        );
    }

    #[test]
    fn a_column_that_a_setting_names_has_to_be_there() {
        let options = parse(r#"{"tag_columns": {"team": "x_Taem"}}"#).unwrap();
        match map(
            &table("b.csv", "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,x_Team"),
            &options,
        ) {
            Err(Error::MissingColumn(problem)) => {
                assert_eq!(problem.hint.as_deref(), Some("did you mean `x_Team`?"))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn other_datasets_are_recognised_and_refused() {
        for (dataset, fixture) in [
            ("Contract Commitment", include_str!("../fixtures/contract_commitment.csv")),
            ("Invoice Detail", include_str!("../fixtures/invoice_detail.csv")),
            ("Billing Period", include_str!("../fixtures/billing_period.csv")),
        ] {
            match map(&table("other.csv", header_of(fixture)), &usual()) {
                Err(Error::Config(problem)) => {
                    assert_eq!(
                        problem.message,
                        format!(
                            "other.csv is the FOCUS dataset {dataset}, whose rows are not charges"
                        )
                    );
                }
                other => panic!("{dataset} gave {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_strongly_wanted_is_asked_for() {
        let wishes = wishes(
            &map(
                &table(
                    "b.csv",
                    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ServiceName",
                ),
                &usual(),
            )
            .unwrap(),
        );
        assert_eq!(wishes.len(), 1);
        assert_eq!(wishes[0].hint.as_deref(), Some("constants = { charge_category = \"Usage\" }"));
    }
}
