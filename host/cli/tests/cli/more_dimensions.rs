//! More dimensions are kept than before: days are restated once, and no money moves.

use crate::scene::{SETTINGS, Scene};
use std::fs;

const HEADER: &str = "BillingPeriodStart,ChargePeriodStart,BilledCost,EffectiveCost,\
                      BillingCurrency,ChargeCategory,ChargeFrequency,PricingCategory,\
                      PublisherName,ServiceName,ResourceId,Tags";

/// The dimensions that were kept by default before.
const BEFORE: &str = r#"dimensions = ["service_name", "provider_name", "sub_account_id",
    "sub_account_name", "charge_category", "charge_class", "region_id", "resource_id",
    "resource_name", "resource_type", "service_category", "sku_id", "commitment_discount_id",
    "commitment_discount_status", "billing_account_id"]
"#;

/// One machine in two months, each with a covered charge, one at the usual price, and a fee.
fn bill(month: &str) -> String {
    let lines = [
        ("2", "2.5", "Usage,Usage-Based,Committed,AWS", "pay"),
        ("4", "4", "Usage,Usage-Based,Standard,AWS", "pay"),
        ("9", "7.5", "Purchase,Recurring,,Skyline", "search"),
    ];
    let line = |(billed, effective, words, team): &(&str, &str, &str, &str)| {
        format!(
            "{month}-01,{month}-05,{billed},{effective},USD,{words},Compute,vm-1,\
             \"{{\"\"team\"\": \"\"{team}\"\"}}\"\n"
        )
    };
    format!("{HEADER}\n{}", lines.iter().map(line).collect::<String>())
}

const COSTS: &str = "costs --group-by team,service_name --granularity monthly --format csv";

#[test]
fn a_ledger_of_fewer_dimensions_is_restated_once_with_equal_money() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", &format!("{BEFORE}{SETTINGS}"));
    scene.write("bills/01.csv", &bill("2026-01"));
    scene.write("bills/02.csv", &bill("2026-02"));
    scene.run("run").expect(0);
    scene.run("period close 2026-01").expect(0);
    let costs = scene.run(COSTS).expect(0).stdout;
    // 2.5 + 4 of payments, 7.5 of search.
    assert_eq!(
        costs,
        "period_of_posting,team,service_name,currency,amount\n\
         2026-01,payments,Compute,USD,6.500000000\n\
         2026-01,search,Compute,USD,7.500000000\n\
         2026-02,payments,Compute,USD,6.500000000\n\
         2026-02,search,Compute,USD,7.500000000\n"
    );

    scene.write("apportion.toml", SETTINGS);
    let anew = "1 day of the billing period of 2026-01-01 restated: USD billed 15.000000000, \
                15.000000000 before, effective 14.000000000, 14.000000000 before";
    let check = scene.run("source check").expect(0).says(anew);
    assert!(check.stdout.contains("  ledger        0 days new, 2 changed, 0 unchanged\n"));
    assert!(!check.stdout.contains("taken back"), "{}", check.stdout);
    let run = scene.run("run").expect(0).says(anew);
    let posted = "allocated 2 days: 0 entries posted, 0 reversed, ";
    assert!(run.stdout.contains(posted), "{}", run.stdout);
    assert_eq!(scene.run(COSTS).expect(0).stdout, costs);
    assert!(scene.run("ledger verify").expect(0).stdout.contains("verified"));

    // The new dimensions are there, and the next run finds nothing new.
    let by_price = "costs --axis charge --group-by pricing_category,publisher_name \
                    --granularity total --format csv";
    let by_price = by_price.split_whitespace().collect::<Vec<_>>();
    assert_eq!(
        scene.run_with(&by_price, &[]).expect(0).stdout,
        "period_of_charge,pricing_category,publisher_name,currency,amount\n\
         total,,Skyline,USD,15.000000000\n\
         total,Committed,AWS,USD,5.000000000\n\
         total,Standard,AWS,USD,8.000000000\n"
    );
    let settled = scene.run("run").expect(0).stdout;
    assert!(settled.contains("0 days new, 0 changed, 2 unchanged"), "{settled}");
}

/// The files of January are gone: its days stay as they were, and know nothing of the new
/// dimensions.
#[test]
fn days_that_are_not_collected_again_keep_what_they_have() {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", &format!("{BEFORE}{SETTINGS}"));
    scene.write("bills/01.csv", &bill("2026-01"));
    scene.run("run").expect(0);
    fs::rename(scene.path("bills/01.csv"), scene.path("old.csv")).expect("another place");
    scene.write("bills/02.csv", &bill("2026-02"));
    scene.write("apportion.toml", SETTINGS);
    scene.run("run").expect(0).says("1 day new, 0 changed, 0 unchanged");
    let costs = "costs --group-by publisher_name --granularity monthly --format csv";
    assert_eq!(
        scene.run(costs).expect(0).stdout,
        "period_of_posting,publisher_name,currency,amount\n\
         2026-01,,USD,14.000000000\n\
         2026-02,AWS,USD,6.500000000\n\
         2026-02,Skyline,USD,7.500000000\n"
    );
}
