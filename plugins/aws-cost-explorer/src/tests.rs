//! Answers of Cost Explorer → charges, with figures worked out by hand.

use crate::collection::Collection;
use crate::options::Options;
use apportion_plugin_sdk::aws::cost_explorer::{Group, Metric, Page, Query, Row};
use apportion_plugin_sdk::{Batch, Charge, Error, Field, Period, Rows, fixture};

const NOW: &str = "2026-11-25T13:00:00Z";

fn row(start: &str, keys: &[&str], metrics: &[(&str, &str, &str)]) -> Row {
    let metric = |(name, amount, unit): &(&str, &str, &str)| Metric {
        name: (*name).into(),
        amount: (*amount).into(),
        unit: (*unit).into(),
    };
    Row {
        start: start.into(),
        end: String::new(),
        estimated: false,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        metrics: metrics.iter().map(metric).collect(),
    }
}

/// A row with both costs in dollars.
fn costs(start: &str, keys: &[&str], unblended: &str, amortized: &str) -> Row {
    row(start, keys, &[("UnblendedCost", unblended, "USD"), ("AmortizedCost", amortized, "USD")])
}

fn collect(config: &str) -> Result<Vec<Batch>, Error> {
    let period = Period { start: "2026-03-01".into(), end: "2026-04-01".into() };
    let mut collection = Collection::open(Options::parse(config)?, Some(&period), NOW)?;
    let mut batches = Vec::new();
    while let Some(batch) = collection.next()? {
        batches.push(batch);
    }
    Ok(batches)
}

fn charges(batches: &[Batch]) -> Vec<Charge> {
    let of = |batch: &Batch| match &batch.rows {
        Rows::Charges(charges) => charges.clone(),
        other => panic!("{other:?}"),
    };
    batches.iter().flat_map(of).collect()
}

fn reasons(batches: &[Batch]) -> Vec<String> {
    batches
        .iter()
        .flat_map(|batch| {
            batch
                .rejected
                .iter()
                .map(|rejected| format!("{}: {}", rejected.location, rejected.reason))
        })
        .collect()
}

fn tags(charge: &Charge) -> Vec<String> {
    charge.tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect()
}

fn dimension(charge: &Charge, field: Field) -> Option<&str> {
    charge
        .dimensions
        .iter()
        .find(|dimension| dimension.field == field)
        .map(|dimension| dimension.value.as_str())
}

#[test]
fn a_tag_without_a_value_is_no_tag_and_amounts_keep_their_digits() {
    fixture::aws_cost_explorer(|query: &Query| {
        assert_eq!(
            query.group_by,
            [Group::Tag("team".into()), Group::Dimension("LINKED_ACCOUNT".into())]
        );
        assert_eq!(
            (query.start.as_str(), query.end.as_str(), query.filter.as_deref()),
            ("2026-03-01", "2026-04-01", None)
        );
        let rows = vec![
            costs(
                "2026-03-01",
                &["team$pay$ments", "111111111111"],
                "0.10000000000000000001",
                "1E-8",
            ),
            costs("2026-03-01", &["team$", "111111111111"], "-2.5", "-2.5"),
            costs("2026-03-01", &["squad$x", "111111111111"], "1", "1"),
        ];
        Ok(Page { rows, next: None })
    });
    let batches = collect(r#"{"group_by": ["tag:team", "LINKED_ACCOUNT"]}"#).unwrap();
    let charges = charges(&batches);
    let (first, second) = (&charges[0], &charges[1]);
    assert_eq!(
        (first.billed_cost.as_str(), first.effective_cost.as_str()),
        ("0.10000000000000000001", "1E-8")
    );
    assert_eq!((tags(first), tags(second)), (vec!["team=pay$ments".to_owned()], Vec::new()));
    assert_eq!(
        (first.service_name.as_str(), dimension(first, Field::SubAccountId)),
        ("AWS", Some("111111111111"))
    );
    assert_eq!(
        reasons(&batches),
        ["2026-03-01 squad$x · 111111111111: 'squad$x' is not a value of 'team', which begins \
             with 'team$'"]
    );
}

#[test]
fn record_types_are_charge_categories_and_unknown_ones_are_set_aside() {
    let kinds = [
        "Usage",
        "DiscountedUsage",
        "SavingsPlanNegation",
        "Upfront",
        "SavingsPlanRecurringFee",
        "Tax",
        "Credit",
        "Refund",
        "Odd Fee",
    ];
    fixture::aws_cost_explorer(move |_| {
        Ok(Page {
            rows: kinds.iter().map(|kind| costs("2026-03-01", &[kind], "1", "1")).collect(),
            next: None,
        })
    });
    let categories = |batches: &[Batch]| {
        charges(batches).into_iter().map(|charge| charge.charge_category).collect::<Vec<_>>()
    };
    let batches = collect(r#"{"group_by": ["RECORD_TYPE"]}"#).unwrap();
    assert_eq!(
        categories(&batches),
        ["Usage", "Usage", "Usage", "Purchase", "Purchase", "Tax", "Credit", "Credit"]
    );
    let reason = "2026-03-01 Odd Fee: the record type 'Odd Fee' is not known; say what it is with \
        config.record_types = { \"Odd Fee\" = \"Usage\" }";
    assert_eq!(reasons(&batches), [reason]);
    let batches = collect(
        r#"{"group_by": ["RECORD_TYPE"], "record_types": {"Odd Fee": "Purchase",
        "Refund": "Adjustment"}}"#,
    )
    .unwrap();
    assert_eq!(categories(&batches)[7..], ["Adjustment", "Purchase"]);
}

#[test]
fn rows_without_amount_or_in_two_currencies_are_set_aside() {
    fixture::aws_cost_explorer(|_| {
        let rows = vec![
            row("2026-03-01", &[], &[("UnblendedCost", "1", "USD")]),
            row("2026-03-02", &[], &[("UnblendedCost", "", "USD"), ("AmortizedCost", "1", "USD")]),
            row("2026-03-03", &[], &[("UnblendedCost", "1", "USD"), ("AmortizedCost", "1", "EUR")]),
            row(
                "2026-03-04",
                &["EC2"],
                &[("UnblendedCost", "1", "USD"), ("AmortizedCost", "1", "USD")],
            ),
            row("2026-03-05", &[], &[("UnblendedCost", "1", "N/A"), ("AmortizedCost", "1", "USD")]),
        ];
        Ok(Page { rows, next: None })
    });
    let batches = collect(r#"{"group_by": []}"#).unwrap();
    assert_eq!(
        reasons(&batches),
        [
            "2026-03-01: AWS gave no AmortizedCost",
            "2026-03-02: UnblendedCost has no amount",
            "2026-03-03: UnblendedCost is in USD and AmortizedCost in EUR",
            "2026-03-04 EC2: 0 groups were asked for, and AWS gave 1",
            "2026-03-05: UnblendedCost has no currency",
        ]
    );
    assert_eq!(charges(&batches).len(), 0);
}

#[test]
fn pages_follow_their_tokens_and_neither_rows_nor_pages_come_twice() {
    fixture::aws_cost_explorer(|query| {
        let (day, next) = match query.next.as_deref() {
            None => ("2026-03-01", Some("second")),
            Some("second") => ("2026-03-02", Some("third")),
            Some(_) => ("2026-03-02", None),
        };
        Ok(Page { rows: vec![costs(day, &["EC2", "1"], "1", "1")], next: next.map(str::to_owned) })
    });
    let batches = collect("").unwrap();
    assert_eq!(charges(&batches).len(), 2);
    assert_eq!(
        reasons(&batches),
        ["2026-03-02 EC2 · 1: AWS gave the same day and groups before; they are counted once"]
    );
    fixture::aws_cost_explorer(|_| Ok(Page { rows: Vec::new(), next: Some("again".into()) }));
    let expect = Error::Unavailable(
        "after page 2 AWS Cost Explorer points back to a page that was there before".into(),
    );
    assert_eq!(collect(""), Err(expect));
    fixture::aws_cost_explorer(|_| Err(Error::RateLimited(Some(3))));
    assert_eq!(collect(""), Err(Error::RateLimited(Some(3))));
}

/// A day of a cluster, added up by hand: 2.40 + 3.84 + 1.25 + 0.09 + 0.80 + 0.54 = 8.92.
#[test]
fn the_cost_of_a_cluster_has_parts_that_add_up_to_it() {
    fixture::aws_cost_explorer(|query| {
        let filter = query.filter.clone().unwrap_or_default();
        if !filter.contains("kubernetes.io/cluster/production") {
            assert_eq!(
                filter,
                r#"{"Tags":{"Key":"kubernetes.io/cluster/staging","Values":["owned"]}}"#
            );
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let (compute, other) = ("Amazon Elastic Compute Cloud - Compute", "EC2 - Other");
        let day = |service: &str, usage_type: &str, cost: &str, quantity: &str, unit: &str| {
            let metrics = [
                ("UnblendedCost", cost, "USD"),
                ("AmortizedCost", cost, "USD"),
                ("UsageQuantity", quantity, unit),
            ];
            row("2026-03-01", &[service, usage_type], &metrics)
        };
        let rows = vec![
            day(
                "Amazon Elastic Container Service for Kubernetes",
                "EUC1-AmazonEKS-Hours:perCluster",
                "2.40",
                "24",
                "Hours",
            ),
            day(compute, "EUC1-BoxUsage:m5.large", "3.84", "40", "Hrs"),
            day(compute, "EUC1-SpotUsage:m5.large", "1.25", "30", "Hrs"),
            day(compute, "EUC1-DataTransfer-Regional-Bytes", "0.09", "9", "GB"),
            day(other, "EUC1-EBS:VolumeUsage.gp3", "0.80", "10", "GB-Mo"),
            day("Amazon Elastic Load Balancing", "EUC1-LoadBalancerUsage", "0.54", "24", "Hrs"),
        ];
        Ok(Page { rows, next: None })
    });
    let batches =
        collect(r#"{"eks": {"cluster": ["production", "staging"]}, "usage_quantity": true}"#)
            .unwrap();
    let parts: Vec<String> = charges(&batches)
        .iter()
        .map(|charge| format!("{} {}", tags(charge).join(" "), charge.billed_cost))
        .collect();
    let cluster = "eks_cluster=production eks_component=";
    let expect = [
        "control_plane 2.40",
        "nodes 3.84",
        "nodes 1.25",
        "data_transfer 0.09",
        "ebs 0.80",
        "other 0.54",
    ];
    assert_eq!(parts, expect.map(|part| format!("{cluster}{part}")));
    let cents: u64 = charges(&batches)
        .iter()
        .map(|charge| charge.billed_cost.replace('.', "").parse::<u64>().unwrap())
        .sum();
    assert_eq!(cents, 892);
    let usage: Vec<String> = batches
        .iter()
        .flat_map(|batch| &batch.usage)
        .map(|usage| format!("{} {} {}", usage.metric, usage.value, usage.unit))
        .collect();
    assert_eq!(
        usage[..3],
        ["aws.usage.hours 24 Hours", "aws.usage.hrs 40 Hrs", "aws.usage.hrs 30 Hrs"]
    );
    assert_eq!(usage[4], "aws.usage.gb_mo 10 GB-Mo");
}

#[test]
fn a_month_counts_on_its_first_day_and_says_so() {
    fixture::aws_cost_explorer(|_| {
        let row = costs("2026-03-01", &["EC2", "1"], "1", "1");
        Ok(Page { rows: vec![Row { end: "2026-04-01".into(), ..row }], next: None })
    });
    let batches = collect(r#"{"granularity": "monthly"}"#).unwrap();
    let charges = charges(&batches);
    assert_eq!(charges[0].charge_period_start, "2026-03-01T00:00:00Z");
    assert_eq!(
        dimension(&charges[0], Field::ChargeDescription),
        Some("The month from 2026-03-01 up to 2026-04-01")
    );
}
