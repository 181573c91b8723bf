//! Bills in the formats of their vendors, small enough to be added up by hand.

use crate::scene::Scene;
use serde_json::Value;

/// Runs one source over files, and gives its report.
fn collect(plugin: &str, files: &[(&str, &str)], config: &str, exit: i32) -> (Scene, Value) {
    let scene = Scene::with_rules();
    for (name, text) in files {
        scene.write(name, text);
    }
    let config =
        if config.is_empty() { String::new() } else { format!("config = {{ {config} }}\n") };
    let settings = format!(
        "[sources.real]\nplugin = \"{plugin}\"\npaths = [\"bills\"]\ngrants = \
            [\"table-decode\"]\n{config}"
    );
    scene.write("apportion.toml", &settings);
    let report = scene.run("run --format json").expect(exit).json();
    (scene, report["sources"][0].clone())
}

fn totals(source: &Value) -> (&str, &str) {
    let total = &source["totals"][0];
    (
        total["billed_cost"].as_str().unwrap_or_default(),
        total["effective_cost"].as_str().unwrap_or_default(),
    )
}

/// Costs by a group, as `group: amount`.
fn by(scene: &Scene, group: &str) -> Vec<String> {
    scene
        .cost_rows(group)
        .iter()
        .map(|row| {
            format!(
                "{}: {}",
                row["keys"][group].as_str().unwrap_or("?"),
                row["cost"]["amount"].as_str().unwrap_or("?")
            )
        })
        .collect()
}

/// A month with a reservation and a savings plan. The prepaid fee is spread over the usage that it
/// covers. Unused commitment is reported apart.
const CUR: &str = "\
bill/PayerAccountId,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/ProductCode,lineItem/CurrencyCode,\
lineItem/UnblendedCost,lineItem/NetUnblendedCost,savingsPlan/SavingsPlanEffectiveCost,savingsPlan/TotalCommitmentToDate,\
savingsPlan/UsedCommitment,reservation/ReservationARN,reservation/EffectiveCost,reservation/UnusedAmortizedUpfrontFeeForBillingPeriod,\
reservation/UnusedRecurringFee,resourceTags/user:team
1,11,Usage,2026-03-01T00:00:00Z,AmazonEC2,USD,10.00,9.00,,,,,,,,payments
1,11,SavingsPlanCoveredUsage,2026-03-01T00:00:00Z,AmazonEC2,USD,4.00,4.00,3.00,,,,,,,payments
1,11,SavingsPlanNegation,2026-03-01T00:00:00Z,AmazonEC2,USD,-4.00,-4.00,,,,,,,,
1,11,SavingsPlanRecurringFee,2026-03-01T00:00:00Z,ComputeSavingsPlans,USD,5.00,5.00,,5.00,3.00,,,,,
1,11,DiscountedUsage,2026-03-02T00:00:00Z,AmazonRDS,USD,0,0,,,,arn:r1,1.50,,,search
1,11,RIFee,2026-03-01T00:00:00Z,AmazonRDS,USD,2.00,2.00,,,,arn:r1,,0.25,0.50,
1,11,Fee,2026-03-01T00:00:00Z,AmazonRDS,USD,100.00,100.00,,,,arn:r1,,,,
1,11,Tax,2026-03-01T00:00:00Z,AmazonEC2,USD,1.000000000000000000000000001,1,,,,,,,,
1,11,Credit,2026-03-01T00:00:00Z,AmazonEC2,USD,-2.5E-1,-0.25,,
";

#[test]
fn a_report_of_aws_with_commitments() {
    let (scene, source) = collect("aws-cur", &[("bills/cur.csv", CUR)], "", 0);
    // Billed: 10 + 4 - 4 + 5 + 0 + 2 + 100 + 1.0…1 - 0.25. Effective: 10 + 3 + 0 + (5 - 3) + 1.5 +
    // 0.75 + 0 + 1.0…1 - 0.25.
    assert_eq!(
        totals(&source),
        ("117.750000000000000000000000001", "18.000000000000000000000000001")
    );
    assert_eq!((&source["charges"], &source["set_aside"]), (&Value::from(9), &Value::from(0)));
    assert_eq!(
        by(&scene, "charge_category"),
        [
            "Credit: -0.250000000",
            "Purchase: 2.750000000",
            "Tax: 1.000000000",
            "Usage: 14.500000000"
        ]
    );
    assert_eq!(
        by(&scene, "tag:team"),
        [": 3.500000000", "payments: 13.000000000", "search: 1.500000000"]
    );
    assert_eq!(
        by(&scene, "commitment_discount_status"),
        [": 10.750000000", "Unused: 2.750000000", "Used: 4.500000000"]
    );
    let (_, source) = collect("aws-cur", &[("bills/cur.csv", CUR)], "cost = 'net'", 0);
    assert_eq!(totals(&source).0, "116.75");
}

/// Split rows stand beside the row of the instance that their tasks ran on.
const SPLIT: &str = "\
line_item_line_item_type,line_item_usage_start_date,line_item_product_code,line_item_currency_code,line_item_unblended_cost,\
line_item_resource_id,split_line_item_parent_resource_id,split_line_item_split_cost,split_line_item_unused_cost,resource_tags
Usage,2026-03-01,AmazonEC2,USD,10.00,i-1,,,,\"{\"\"user_team\"\": \"\"platform\"\"}\"
Usage,2026-03-01,AmazonECS,USD,0,task/a,i-1,3.00,1.00,\"{\"\"user_team\"\": \"\"payments\"\"}\"
Usage,2026-03-01,AmazonECS,USD,0,task/b,i-1,1.50,4.50,\"{\"\"user_team\"\": \"\"search\"\"}\"
";

#[test]
fn split_costs_of_aws_share_the_instance_and_add_nothing() {
    let (scene, source) = collect("aws-cur", &[("bills/cur.csv", SPLIT)], "", 0);
    assert_eq!(totals(&source), ("10", "10"));
    let usage = scene.run("usage --format json").expect(0).json().to_string();
    assert!(usage.contains("aws.split_cost") && usage.contains("aws.split_unused_cost"), "{usage}");
    assert_eq!(by(&scene, "tag:team"), ["platform: 10.000000000"]);
    let (_, source) = collect("aws-cur", &[("bills/cur.csv", SPLIT)], "split = 'ignore'", 0);
    assert_eq!(totals(&source), ("10", "10"));
}

/// Task `a` has two thirds of the used part of the instance. Task `b` has one third, and its share
/// is the rest. The bill stays 12.
#[test]
fn split_costs_of_aws_share_the_charge_of_their_instance_by_a_rule() {
    let scene = Scene::with_rules();
    scene.write("bills/cur.csv", &format!("{SPLIT}Usage,2026-03-01,AmazonEC2,USD,2.00,i-2,,,,\n"));
    scene.write(
        "rules/kubernetes/instances.rhai",
        "//! An instance is paid by what its tasks used of it.\n\
         rule(#{ priority: 50, owner: \"finops@example.com\", review_by: \"2099-01-01\" });\n\n\
         fn matches(charge) { charge.service_name == \"AmazonEC2\" && charge.resource_id == \"i-1\" }\n\n\
         fn allocate(charge) { by_usage(\"aws.split_cost\", #{ resource_id: charge.resource_id }, \
             #{ key: \"user_team\" }) }\n",
    );
    scene.write(
        "rules/kubernetes/instances.cases.toml",
        "[[case]]\nname = \"another\"\ncharge = { service_name = \"AmazonEC2\", resource_id = \"i-2\" }\nexpect = \"no match\"\n\n\
         [[case]]\nname = \"an instance\"\ncharge = { service_name = \"AmazonEC2\", resource_id = \"i-1\" }\n\
         usage = [{ metric = \"aws.split_cost\", resource_id = \"i-1\", user_team = \"payments\", value = \"1\" }]\n\
         expect = { decision = \"by_usage aws.split_cost where resource_id = \\\"i-1\\\" key \
             user_team\" }\n",
    );
    scene.write(
        "apportion.toml",
        "[sources.real]\nplugin = \"aws-cur\"\npaths = [\"bills\"]\ngrants = [\"table-decode\"]\n",
    );
    let report = scene.run("run --format json").expect(0).json();
    assert_eq!(totals(&report["sources"][0]), ("12", "12"));
    assert_eq!(
        by(&scene, "team"),
        ["payments: 6.666666666", "search: 3.333333334", "unallocated: 2.000000000"]
    );
}

/// An instance and the tasks that it was split into are never both counted. A report with both is
/// refused. Split rows alone are charges.
#[test]
fn split_costs_of_aws_are_charges_only_where_nothing_else_is() {
    let (scene, source) = collect("aws-cur", &[("bills/cur.csv", SPLIT)], "split = 'charges'", 3);
    let failure = source["failure"].to_string();
    assert!(
        failure.contains(
            "an instance and the tasks that its cost is split into would both be counted"
        ),
        "{source}"
    );
    assert_eq!(by(&scene, "team"), [""; 0]);
    let tasks: Vec<&str> = SPLIT.lines().filter(|line| !line.contains("i-1,,")).collect();
    let (scene, source) = collect(
        "aws-cur",
        &[("bills/cur.csv", &format!("{}\n", tasks.join("\n")))],
        "split = 'charges'",
        0,
    );
    assert_eq!(totals(&source), ("10", "10"));
    assert_eq!(by(&scene, "tag:team"), ["payments: 4.000000000", "search: 6.000000000"]);
}

const AZURE_ACTUAL: &str = "\u{feff}\
Date,SubscriptionId,ResourceGroup,MeterCategory,Cost,BillingCurrency,ChargeType,PricingModel,Frequency,ResourceId,Tags
03/01/2026,s1,shop,Virtual Machines,0,EUR,Usage,Reservation,UsageBased,/subscriptions/s1/vm1,\"\"\"team\"\": \"\"payments\"\",\"\"env\"\": \"\"prod\"\"\"
03/01/2026,s1,shop,Storage,1.0000000072922557592391990000,EUR,Usage,OnDemand,UsageBased,/subscriptions/s1/disk,\"{\"\"team\"\": \"\"search\"\"}\"
03/01/2026,s1,,Virtual Machines,31,EUR,Purchase,Reservation,Recurring,,
03/31/2026,s1,,Unassigned,-0.5,EUR,Refund,OnDemand,OneTime,,
";
const AZURE_AMORTIZED: &str = "\
date,subscriptionId,resourceGroupName,meterCategory,costInBillingCurrency,billingCurrency,chargeType,pricingModel,frequency,resourceId,tags
2026-03-01,s1,shop,Virtual Machines,0.75,EUR,Usage,Reservation,UsageBased,/subscriptions/s1/vm1,\"{\"\"team\"\": \"\"payments\"\"}\"
2026-03-01,s1,,Virtual Machines,0.25,EUR,UnusedReservation,Reservation,UsageBased,,
2026-03-01,s1,shop,Storage,1,EUR,Usage,OnDemand,UsageBased,/subscriptions/s1/disk,
";

#[test]
fn exports_of_azure_of_two_kinds_are_one_bill() {
    let files = [
        ("bills/part_actual.csv", AZURE_ACTUAL),
        ("bills/AmortizedCost/part_1.csv", AZURE_AMORTIZED),
    ];
    let (scene, source) = collect("azure-cost", &files, "cost = 'both'", 0);
    assert_eq!(totals(&source), ("31.500000007292255759239199", "2"));
    assert_eq!(by(&scene, "tag:team"), [": 1.250000000", "payments: 0.750000000"]);
    assert_eq!(
        by(&scene, "commitment_discount_status"),
        [": 1.000000000", "Unused: 0.250000000", "Used: 0.750000000"]
    );
    let (scene, source) = collect("azure-cost", &files[..1], "", 0);
    assert_eq!(totals(&source).1, "31.500000007292255759239199");
    assert_eq!(
        by(&scene, "charge_category"),
        ["Credit: -0.500000000", "Purchase: 31.000000000", "Usage: 1.000000007"]
    );
    assert_eq!(by(&scene, "tag:resource_group"), [": 30.500000000", "shop: 1.000000007"]);
}

const GCP: &str = "\
billing_account_id,service.description,sku.id,usage_start_time,project.id,labels,cost,currency,credits,cost_type
B1,Compute Engine,S1,2026-03-01 23:30:00+00:00,shop,\"[{'key': 'team', 'value': 'payments'}]\",10.5,USD,\"[{'name': 'CUD', 'amount': -2.25, 'full_name': None}, {'name': 'Free', 'amount': -1e-06, 'id': 'amount'}]\",regular
B1,Compute Engine,S1,2026-03-01 23:30:00-02:00,shop,[],1,USD,[],regular
B1,Invoice,S2,2026-03-31 00:00:00+00:00,,,0.11,USD,,tax
B1,Invoice,S3,2026-03-31 00:00:00+00:00,,,-0.01,USD,,rounding_error
";

#[test]
fn exports_of_google_with_credits_in_their_rows() {
    let (scene, source) = collect("gcp-billing", &[("bills/export.csv", GCP)], "", 0);
    assert_eq!(totals(&source), ("9.349999", "9.349999"));
    assert_eq!(
        by(&scene, "charge_category"),
        ["Adjustment: -0.010000000", "Tax: 0.110000000", "Usage: 9.249999000"]
    );
    assert_eq!(by(&scene, "tag:team"), [": 1.100000000", "payments: 8.249999000"]);
    let (_, source) = collect("gcp-billing", &[("bills/export.csv", GCP)], "credits = 'gross'", 0);
    assert_eq!(totals(&source), ("11.6", "11.6"));
    // A credit that is no number is reported. Its row is set aside, because its cost would be a
    // guess.
    let broken = GCP.replace("-1e-06", "minus one");
    let (_, source) = collect("gcp-billing", &[("bills/export.csv", &broken)], "", 3);
    assert_eq!(source["set_aside"], 1);
    assert!(
        source["rejected"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("is not a decimal number")),
        "{source}"
    );
}

#[test]
fn any_table_by_the_columns_that_the_settings_name() {
    let phone = "Invoice date;Who;Net;VAT;Rebate\n31.03.2026;payments;10,00;1,90;0\n";
    let config = "sums = { billed_cost = ['Net', 'VAT', '-Rebate'] }, columns = { charge_period_start = 'Invoice date' }, date_order = 'dmy',\
        tag_columns = { team = 'Who' }, constants = { billing_currency = 'EUR', service_name = 'Telephone' }";
    let with = |text: &str, exit: i32| collect("csv", &[("bills/phone.csv", text)], config, exit).1;
    let source = with(&phone.replace(',', ".").replace(';', ","), 0);
    assert_eq!(totals(&source), ("11.9", "11.9"));
    // A comma is no decimal point, unless a setting says so: nobody could tell 1000 from 1.
    let source = with("Invoice date,Who,Net,VAT,Rebate\n31.03.2026,payments,\"10,00\",1.90,0\n", 3);
    assert_eq!(source["failure"]["code"], "F112");
}
