//! Whole collections of usage details, with Azure played by a closure.

use crate::AzureCost;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Charge, Collector, Field, Period, Rows as Form, fixture};

const FIRST: &str = "https://management.azure.com/providers/Microsoft.Billing/billingAccounts/1:2/providers/Microsoft.Consumption/usageDetails\
    ?api-version=2024-08-01&metric=ActualCost&%24top=1000";

/// Collects an answer of one agreement, and gives its charges and rejected rows.
fn collect(config: &str, filter: &'static str, row: &'static str) -> (Vec<Charge>, Vec<String>) {
    fixture::run("azure", "2026-04-20T00:00:00Z");
    fixture::http(move |asked| {
        let body = match asked.url.strip_prefix(FIRST) {
            Some(rest) => {
                assert_eq!(rest, filter);
                format!(r#"{{"value": [{row}], "nextLink": "https://management.azure.com/next"}}"#)
            }
            None => r#"{"value": [{"properties": {"date": "2026-03-02"}}]}"#.into(),
        };
        Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
    });
    let config = format!(
        r#"{{"mode": "usage_details", "costs": "actual",
            "scope": "providers/Microsoft.Billing/billingAccounts/1:2"{config}}}"#
    );
    let period = Some(Period { start: "2026-03-01".into(), end: "2026-04-01".into() });
    let mut azure = AzureCost::open(apportion_plugin_sdk::Request { config, period, state: None })
        .map_err(|error| format!("{error:?}"))
        .unwrap();
    let (mut charges, mut rejected) = (Vec::new(), Vec::new());
    while let Some(batch) = azure.next().unwrap() {
        let Form::Charges(page) = batch.rows else { panic!() };
        charges.extend(page);
        rejected
            .extend(batch.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)));
    }
    (charges, rejected)
}

fn value(charge: &Charge, field: Field) -> Option<&str> {
    charge
        .dimensions
        .iter()
        .find(|dimension| dimension.field == field)
        .map(|dimension| dimension.value.as_str())
}

#[test]
fn both_agreements_have_their_spellings_and_filters() {
    let legacy = r#"{"kind": "legacy", "tags": {"env": "dev"},
        "properties": {"date": "2026-03-09T00:00:00.0000000Z", "cost": 0.000001980949998,
        "billingCurrency": "CAD", "consumedService": "Microsoft.Storage", "subscriptionId": "s",
        "chargeType": "Refund", "meterDetails": null, "resourceGroup": "rg", "quantity": 0.5,
        "billingPeriodStartDate": "2026-03-01T00:00:00.0000000Z"}}"#;
    let filter = "&%24filter=properties%2FusageStart%20ge%20%272026-03-01%27%20and%20properties%2FusageEnd%20le%20%272026-03-31%27";
    let (charges, rejected) = collect("", filter, legacy);
    let charge = &charges[0];
    assert_eq!(
        (charge.billed_cost.as_str(), charge.effective_cost.as_str()),
        ("0.000001980949998", "0.000001980949998")
    );
    assert_eq!(
        (
            charge.billing_currency.as_str(),
            charge.service_name.as_str(),
            charge.charge_category.as_str()
        ),
        ("CAD", "Microsoft.Storage", "Credit")
    );
    assert_eq!(value(charge, Field::SubAccountId), Some("s"));
    assert_eq!(
        (charge.consumed_quantity.as_deref(), charge.billing_period_start.as_deref()),
        (Some("0.5"), Some("2026-03-01"))
    );
    assert_eq!(
        charge.tags.iter().map(|tag| tag.key.as_str()).collect::<Vec<_>>(),
        ["resource_group", "env"]
    );
    assert_eq!(rejected, ["/next#/value/0/properties: it has no billed_cost"]);

    let modern = r#"{"kind": "modern", "properties": {"date": "2026-03-30",
        "costInBillingCurrency": 1.84763819095477, "costInUSD": 9,
        "billingCurrencyCode": "USD", "instanceName": "/subscriptions/s/vm",
        "subscriptionGuid": "g", "invoiceId": ""}}"#;
    let (charges, _) =
        collect(r#", "agreement": "mca""#, "&startDate=2026-03-01&endDate=2026-03-31", modern);
    assert_eq!(
        (charges[0].billed_cost.as_str(), charges[0].service_name.as_str()),
        ("1.84763819095477", "Azure")
    );
    assert_eq!(
        (value(&charges[0], Field::ResourceId), value(&charges[0], Field::InvoiceId)),
        (Some("/subscriptions/s/vm"), None)
    );
}

#[test]
fn the_same_usage_in_both_answers_is_one_quantity() {
    fixture::run("azure", "2026-04-20T00:00:00Z");
    fixture::http(|asked| {
        let cost = if asked.url.contains("metric=ActualCost") { "0" } else { "6.5" };
        let body = format!(
            r#"{{"value": [{{"properties": {{"date": "2026-03-09", "cost": {cost},
                "billingCurrency": "EUR", "quantity": 24}}}}]}}"#
        );
        Ok(Response { status: 200, headers: Vec::new(), body: body.into_bytes() })
    });
    let collected = |costs: &str| -> Vec<(String, String, Option<String>)> {
        let config = format!(
            r#"{{"mode": "usage_details", "costs": "{costs}", "scope": "subscriptions/s"}}"#
        );
        let period = Some(Period { start: "2026-03-01".into(), end: "2026-04-01".into() });
        let request = apportion_plugin_sdk::Request { config, period, state: None };
        let mut azure = AzureCost::open(request).map_err(|error| format!("{error:?}")).unwrap();
        let mut charges = Vec::new();
        while let Some(batch) = azure.next().unwrap() {
            let Form::Charges(page) = batch.rows else { panic!() };
            charges.extend(page);
        }
        let shown =
            |charge: Charge| (charge.billed_cost, charge.effective_cost, charge.consumed_quantity);
        charges.into_iter().map(shown).collect()
    };
    let row = |billed: &str, effective: &str, quantity: Option<&str>| {
        (billed.to_owned(), effective.to_owned(), quantity.map(str::to_owned))
    };
    assert_eq!(collected("both"), [row("0", "0", Some("24")), row("0", "6.5", None)]);
    assert_eq!(collected("amortized"), [row("6.5", "6.5", Some("24"))]);
}
