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

/// All columns of commitments.
const COMMITMENTS: &str = "line_item_line_item_type,line_item_usage_start_date,\
    line_item_currency_code,line_item_unblended_cost,savings_plan_savings_plan_effective_cost,\
    savings_plan_total_commitment_to_date,savings_plan_used_commitment,reservation_effective_cost,\
    reservation_unused_amortized_upfront_fee_for_billing_period,reservation_unused_recurring_fee,\
    reservation_reservation_a_r_n";

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

/// The value of a line of some type, of the first choice that fits where all columns are filled,
/// or all of `empty` are not.
fn value_of(origin: Option<Origin>, line_type: &str, empty: &[&str]) -> Option<Value> {
    let Some(Origin::FirstOf(choices)) = origin else { panic!("{origin:?}") };
    let has = |column: &str| !empty.contains(&column);
    let holds = |test: &apportion_plugin_sdk::Condition| {
        if test.column.to_ascii_lowercase().ends_with("type") {
            return test.values.iter().any(|value| value == line_type);
        }
        has(&test.column) == test.negated
    };
    let gives = |value: &Value| match value {
        Value::Column(column) => has(column),
        Value::Sum(terms) => terms.iter().any(|term| has(&term.column)),
        Value::Constant(_) => true,
    };
    choices
        .iter()
        .find(|choice| choice.when.iter().all(holds) && gives(&choice.value))
        .map(|choice| choice.value.clone())
}

#[test]
fn without_columns_of_commitments_their_lines_have_no_effective_cost() {
    let (mapping, _) = mapped(CUR1, "");
    let cost = Origin::Column("lineItem/UnblendedCost".into());
    assert_eq!(origin(&mapping, Feed::BilledCost), Some(cost.clone()));
    let of = |line_type: &str| value_of(origin(&mapping, Feed::EffectiveCost), line_type, &[]);
    assert_eq!(of("Usage"), Some(Value::Column("lineItem/UnblendedCost".into())));
    assert_eq!(of("Fee"), of("Usage"));
    assert_eq!(
        of("SavingsPlanCoveredUsage"),
        Some(Value::Constant("unknown without savings_plan_savings_plan_effective_cost".into()))
    );
    let (mapping, _) = mapped(CUR1, r#"{"effective_cost": "billed"}"#);
    assert_eq!(origin(&mapping, Feed::EffectiveCost), Some(cost));
}

#[test]
fn an_effective_cost_that_is_empty_is_no_billed_cost() {
    let (mapping, _) = mapped(COMMITMENTS, "");
    let of = |line_type: &str, empty: &[&str]| match value_of(
        origin(&mapping, Feed::EffectiveCost),
        line_type,
        empty,
    ) {
        Some(Value::Constant(text)) => text,
        other => format!("{other:?}"),
    };
    let covered = "savings_plan_savings_plan_effective_cost";
    assert_eq!(of("SavingsPlanCoveredUsage", &[covered]), format!("unknown: {covered} is empty"));
    assert_eq!(of("SavingsPlanNegation", &[covered]), "0");
    assert_eq!(
        of("DiscountedUsage", &["reservation_effective_cost"]),
        "unknown: reservation_effective_cost is empty"
    );
    // A used part that is empty does not make the whole commitment unused.
    let used = "savings_plan_used_commitment";
    assert_eq!(
        of("SavingsPlanRecurringFee", &[used]),
        format!("unknown: savings_plan_total_commitment_to_date or {used} is empty")
    );
    // Nor does a fee of a reservation whose one part is empty cost the other part alone.
    let (upfront, recurring) = (
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation_unused_recurring_fee",
    );
    for empty in [&[upfront][..], &[recurring], &[upfront, recurring]] {
        assert_eq!(of("RIFee", empty), format!("unknown: {upfront} or {recurring} is empty"));
    }
    let unused = Value::Sum(vec![Term::plus(upfront), Term::plus(recurring)]);
    assert_eq!(value_of(origin(&mapping, Feed::EffectiveCost), "RIFee", &[]), Some(unused));
    // A fee without a reservation is a fee.
    let reservation = "reservation_reservation_a_r_n";
    assert_eq!(of("Fee", &[]), "0");
    assert!(of("Fee", &[reservation]).contains("line_item_unblended_cost"));
}

#[test]
fn categories_of_costs_and_tags_of_both_versions_are_tags() {
    let (mapping, _) = mapped(&format!("{CUR1},costCategory/Unit"), "");
    assert!(mapping.tag_columns.iter().any(|tag| {
        (tag.key.as_str(), tag.column.as_str()) == ("cost_category/Unit", "costCategory/Unit")
    }));
    let header = "line_item_line_item_type,line_item_usage_start_date,line_item_currency_code,\
        line_item_unblended_cost,resource_tags,cost_category";
    let maps = |header: &str| -> Vec<String> {
        let (mapping, _) = mapped(header, "");
        let map =
            |map: &apportion_plugin_sdk::TagMap| format!("{}: {}→{}", map.column, map.from, map.to);
        mapping.tag_maps.iter().map(map).collect()
    };
    assert_eq!(maps(header), ["cost_category: →cost_category/"]);
    // A resource's own tags come after those of its account, and win.
    assert_eq!(
        maps(&header.replace("resource_tags,cost_category", "tags")),
        [
            "tags: accountTag/→",
            "tags: resourceTags/→",
            "tags: userAttribute/→userAttribute/",
            "tags: iamPrincipal/→iamPrincipal/",
            "tags: costCategory/→cost_category/",
        ]
    );
}

#[test]
fn quantities_and_prices_are_those_of_usage() {
    let header = "line_item_line_item_type,line_item_usage_start_date,line_item_currency_code,\
        line_item_unblended_cost,line_item_usage_amount,pricing_unit,line_item_unblended_rate,\
        pricing_public_on_demand_rate,pricing_public_on_demand_cost,\
        bill_billing_period_start_date,split_line_item_parent_resource_id";
    let (mapping, _) = mapped(header, "");
    let of = |feed: Feed, line_type: &str, empty: &[&str]| match value_of(
        origin(&mapping, feed),
        line_type,
        empty,
    ) {
        Some(Value::Column(column)) => column,
        None => "nothing".into(),
        other => panic!("{other:?}"),
    };
    let whole = [PARENT];
    for (feed, line_type, column) in [
        (Feed::PricingQuantity, "Usage", "line_item_usage_amount"),
        (Feed::ConsumedQuantity, "DiscountedUsage", "line_item_usage_amount"),
        // It repeats the quantity of the usage that it takes back.
        (Feed::PricingQuantity, "SavingsPlanNegation", "nothing"),
        (Feed::PricingQuantity, "Fee", "nothing"),
        (Feed::ListUnitPrice, "DiscountedUsage", "pricing_public_on_demand_rate"),
        (Feed::ListCost, "Usage", "pricing_public_on_demand_cost"),
        (Feed::ContractedUnitPrice, "SavingsPlanCoveredUsage", "line_item_unblended_rate"),
        (Feed::ContractedCost, "Usage", "line_item_unblended_cost"),
        (Feed::ContractedCost, "DiscountedUsage", "nothing"),
        (Feed::ContractedCost, "Tax", "nothing"),
    ] {
        assert_eq!(of(feed, line_type, &whole), column, "{feed:?} {line_type}");
    }
    // The row of a task repeats a part of its instance.
    assert_eq!(of(Feed::PricingQuantity, "Usage", &[]), "nothing");
    assert_eq!(
        origin(&mapping, Feed::BillingPeriodStart),
        Some(Origin::Column("bill_billing_period_start_date".into()))
    );
}

#[test]
fn commitments_are_spread_over_what_they_covered() {
    let (mapping, _) = mapped(COMMITMENTS, "");
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
