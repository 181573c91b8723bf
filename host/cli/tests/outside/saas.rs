//! Services and their bills, end to end: a server of the test gives their recorded answers.

use crate::expected::{compare, expected};
use crate::scenes::asking::{SECRET, collect};
use crate::scenes::saas::{ATLAS, DATADOG, GITHUB, OPENAI, Service, bearer, serve_once};
use std::fs;
use test_support::outside::data;
use test_support::server::http::Answer;

/// A recorded answer, and the name of the expected total of its costs.
struct Recorded {
    service: Service,
    file: &'static str,
    data_set: &'static str,
    more: &'static str,
    metric: &'static str,
    groups: &'static [(&'static str, &'static str)],
    since: &'static str,
}

const fn github(
    path: &'static str,
    file: &'static str,
    more: &'static str,
    since: &'static str,
) -> Recorded {
    let groups = &[("service_name", "product"), ("sku_id", "sku")];
    Recorded {
        service: Service { path, ..GITHUB },
        file,
        data_set: file,
        more,
        metric: "netAmount",
        groups,
        since,
    }
}

const ATLAS_GROUPS: &[(&str, &str)] = &[("sku_id", "sku"), ("resource_id", "clusterName")];

const RECORDED: [Recorded; 8] = [
    Recorded {
        service: DATADOG,
        file: "datadog_historical_cost_summary",
        data_set: "datadog_historical_cost",
        more: "",
        metric: "cost",
        groups: &[("service_name", "product_name"), ("tag:charge_type", "charge_type")],
        since: "2023-04-01",
    },
    github(GITHUB.path, "github_organizations_org_settings_billing_usage", "", "2023-08-01"),
    github(
        "/organizations/GitHub/settings/billing/usage/summary",
        "github_organizations_org_settings_billing_usage_summary",
        "reports = ['summary']",
        "2025-01-01",
    ),
    github(
        "/organizations/GitHub/settings/billing/premium_request/usage",
        "github_organizations_org_settings_billing_premium_request_usage",
        "reports = ['premium_requests']",
        "2025-01-01",
    ),
    github(
        "/organizations/GitHub/settings/billing/ai_credit/usage",
        "github_organizations_org_settings_billing_ai_credit_usage",
        "reports = ['ai_credits']",
        "2025-01-01",
    ),
    Recorded {
        service: OPENAI,
        file: "openai_organization_costs",
        data_set: "openai_costs",
        more: "",
        metric: "amount",
        // Its line items have no names, so no charge has the tag `line_item`.
        groups: &[("sub_account_id", "project_id")],
        since: "2024-11-01",
    },
    Recorded {
        service: ATLAS,
        file: "mongodb_atlas_pending_invoice",
        data_set: "mongodb_atlas_pending_invoice",
        more: "",
        metric: "totalPriceCents",
        groups: ATLAS_GROUPS,
        since: "2024-10-01",
    },
    Recorded {
        service: ATLAS,
        file: "mongodb_atlas_pending_invoice",
        data_set: "mongodb_atlas_pending_invoice",
        more: "cost = 'computed'",
        metric: "quantity_x_unitPriceDollars",
        groups: ATLAS_GROUPS,
        since: "2024-10-01",
    },
];

#[test]
fn recorded_answers_add_up_to_what_they_say() {
    let data = data();
    for Recorded { service, file, data_set, more, metric, groups, since } in &RECORDED {
        let body = fs::read(data.join(format!("saas/{file}.json"))).expect("an answer");
        let server = serve_once(service.path, Answer::json(body));
        let (scene, source) = collect(&service.source(&server, more, since), 0);
        compare(&scene, &source, &expected(&data, data_set), metric, groups);
        for asked in server.asked() {
            if service.plugin == "saas-datadog" {
                assert_eq!(
                    (asked.header("dd-api-key"), asked.header("dd-application-key")),
                    (Some(SECRET), Some(SECRET))
                );
            } else {
                bearer(&asked);
            }
        }
    }
}
