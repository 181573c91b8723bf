//! Headers of both versions → mappings.

use super::*;
use crate::split::PARENT;
use apportion_plugin_sdk::table_decode::Column;
use apportion_plugin_sdk::{Feed, Field, Term, UsageMapping};

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
    let Some(Origin::FirstOf(choices)) = origin(&mapping, Feed::EffectiveCost) else { panic!() };
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
    assert_eq!(of("SavingsPlanCoveredUsage"), column("savings_plan_savings_plan_effective_cost"));
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
fn another_table_is_refused() {
    let columns = vec![Column { name: "Cost".into(), kind: "text".into() }];
    let table = TableInfo { name: "other.csv".into(), format: "csv".into(), columns };
    assert!(
        matches!(map(&table, &Options::default()), Err(Error::MissingColumn(problem)) if problem.message.contains("no Cost and Usage Report"))
    );
}
