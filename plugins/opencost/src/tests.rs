//! Answers → charges and usage, and whole collections with OpenCost played by a closure.

use super::*;
use apportion_plugin_sdk::fixture;
use apportion_plugin_sdk::http::Response;
use apportion_plugin_sdk::{Charge, Field, Period};
use exact::decimal::Decimal;

const ALLOCATION: &str = include_str!("../fixtures/allocation.json");
const CONTAINERS: &str = include_str!("../fixtures/containers.json");
const CLOUD_COST: &str = include_str!("../fixtures/cloud_cost.json");
const CUSTOM_COST: &str = include_str!("../fixtures/custom_cost.json");

fn read(body: &str, config: &str) -> Found {
    document::read("answer.json", body.as_bytes(), &Options::parse(config).unwrap()).unwrap()
}

fn dimension(charge: &Charge, field: Field) -> &str {
    charge
        .dimensions
        .iter()
        .find(|dimension| dimension.field == field)
        .map_or("", |dimension| dimension.value.as_str())
}

fn tags(tags: &[apportion_plugin_sdk::Tag]) -> String {
    tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect::<Vec<_>>().join(",")
}

/// Resource name, service, amount, category.
fn lines(found: &Found) -> Vec<String> {
    let line = |charge: &Charge| {
        assert_eq!(charge.billed_cost, charge.effective_cost);
        format!(
            "{}: {} {} {}",
            dimension(charge, Field::ResourceName),
            charge.service_name,
            charge.billed_cost,
            charge.charge_category
        )
    };
    found.charges.iter().map(line).collect()
}

const BY_LABEL: &str = r#"{"mode": "charges", "aggregate": ["namespace", "label:team"]}"#;

#[test]
fn components_add_up_to_the_total_to_the_last_digit() {
    let found = read(ALLOCATION, BY_LABEL);
    assert_eq!(
        lines(&found),
        [
            "idle: Kubernetes CPU 2 Usage",
            "idle: Kubernetes Memory -0.25 Usage",
            "unallocated: Kubernetes Load Balancer 0.5 Usage",
            "shop/__unallocated__: Kubernetes CPU 0.25 Usage",
            "shop/__unallocated__: Kubernetes Other 1 Usage",
            "shop/red: Kubernetes CPU 0.96213 Usage",
            "shop/red: Kubernetes Memory 0.24405 Usage",
            "shop/red: Kubernetes Storage 0.26302 Usage",
            "shop/red: Kubernetes Network 0.9656 Usage",
            "shop/red: Kubernetes Load Balancer 0.60208 Usage",
            "shop/red: Kubernetes Rounding -0.00001 Adjustment",
        ]
    );
    // 3.03687 + 1.25 + 0.5 + 1.75; rows that OpenCost could not compute are set aside.
    let mut sum = Decimal::zero();
    found.charges.iter().for_each(|charge| sum.add(&Decimal::parse(&charge.billed_cost).unwrap()));
    assert_eq!(sum.to_string(), "6.53687");
    let [rejected] = found.rejected.as_slice() else { panic!("{:?}", found.rejected) };
    assert_eq!(rejected.location, "answer.json lost/red");
    assert_eq!(
        rejected.reason,
        "cpuCost is null, which OpenCost writes for what it could not compute"
    );
    assert_eq!(
        found.warnings,
        ["answer.json shop/__unallocated__: its components add up to 1 less than its total, \
             which is charged as Kubernetes Other"]
    );
    let first = &found.charges[0];
    assert_eq!(
        (first.charge_period_start.as_str(), first.billing_currency.as_str()),
        ("2026-10-31T00:00:00Z", "USD")
    );
    assert_eq!(
        (dimension(first, Field::ProviderName), dimension(first, Field::ServiceCategory)),
        ("Kubernetes", "Compute")
    );
}

#[test]
fn who_has_an_allocation_is_in_its_name_and_not_in_what_its_pods_share() {
    let found = read(
        ALLOCATION,
        r#"{"mode": "charges", "aggregate": ["namespace", "label:team"],
            "constants": {"site": "x"}, "currency": "EUR"}"#,
    );
    let of = |service: &str, resource: &str| {
        let charge = found.charges.iter().find(|charge| {
            charge.service_name == service && dimension(charge, Field::ResourceName) == resource
        });
        tags(&charge.unwrap().tags)
    };
    assert_eq!(of("Kubernetes CPU", "shop/red"), "cluster=eu-1,namespace=shop,site=x,team=red");
    assert_eq!(of("Kubernetes CPU", "shop/__unallocated__"), "cluster=eu-1,namespace=shop,site=x");
    assert_eq!(of("Kubernetes CPU", "idle"), "allocation_kind=idle,cluster=eu-1,site=x");
    assert_eq!(
        of("Kubernetes Load Balancer", "unallocated"),
        "allocation_kind=unallocated,cluster=eu-1,site=x"
    );
    assert!(found.charges.iter().all(|charge| charge.billing_currency == "EUR"));
    let found = read(CONTAINERS, r#"{"mode": "charges"}"#);
    assert_eq!(
        tags(&found.charges[1].tags),
        "cluster=eu-1,container=main,controller=web,controller_kind=deployment,cost_centre=CC-9,namespace=shop,node=node-a,pod=web-1,provider_id=i-1,\
         team=red,tier=gold"
    );
    assert_eq!(dimension(&found.charges[1], Field::ResourceName), "eu-1/node-a/shop/web-1/main");
    assert_eq!(tags(&found.charges[0].tags), "allocation_kind=unmounted,cluster=eu-1");
}

#[test]
fn allocations_are_weights_too() {
    let found = read(ALLOCATION, r#"{"mode": "usage", "aggregate": ["namespace", "label:team"]}"#);
    let rows: Vec<String> = found
        .usage
        .iter()
        .map(|row| format!("{} {} {} [{}]", row.metric, row.value, row.unit, tags(&row.keys)))
        .collect();
    assert_eq!(
        rows,
        [
            "kubernetes.cost 1.75 USD [allocation_kind=idle,cluster=eu-1]",
            "kubernetes.cost 0.5 USD [allocation_kind=unallocated,cluster=eu-1]",
            "kubernetes.cpu.hours 1 h [cluster=eu-1,namespace=shop]",
            "kubernetes.cost 1.25 USD [cluster=eu-1,namespace=shop]",
            "kubernetes.cpu.hours 33.6 h [cluster=eu-1,namespace=shop,team=red]",
            // 61847529062.39999 / 2³⁰ and 2576980377600 / 2³⁰ by Python's Decimal.
            "kubernetes.memory.hours 57.59999999999999068677425384521484375 GiB·h \
             [cluster=eu-1,namespace=shop,team=red]",
            "kubernetes.storage.hours 2400 GiB·h [cluster=eu-1,namespace=shop,team=red]",
            "kubernetes.network.transmit 1500000000 B [cluster=eu-1,namespace=shop,team=red]",
            "kubernetes.cost 3.03687 USD [cluster=eu-1,namespace=shop,team=red]",
        ]
    );
    assert_eq!((found.rejected.len(), found.charges.len()), (1, 0));
    let negative = ALLOCATION.replace("\"totalCost\": 1.75", "\"totalCost\": -1.75");
    let found = read(&negative, r#"{"mode": "usage", "metrics": ["cost"]}"#);
    let reasons: Vec<&str> =
        found.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    assert_eq!(
        reasons[0],
        "kubernetes.cost is -1.75, and nobody can be charged for less than nothing used"
    );
}

#[test]
fn the_summary_has_components_and_its_windows_outside() {
    let body = r#"{"code":200,"data":{"step":86400000000000,"sets":[{"allocations":{"kube-system":{"name":"kube-system","start":"2026-10-31T00:00:00Z",
        "end":"2026-11-01T00:00:00Z","cpuCost":0.07586640000000001,"ramCost":0.0069513281250000005,"sharedCost":0}},
        "window":{"start":"2026-10-31T00:00:00Z","end":"2026-11-01T00:00:00Z"}}],"window":{"start":"2026-10-31T00:00:00Z","end":"2026-11-01T00:00:00Z"}}}"#;
    let found = read(body, r#"{"mode": "charges", "api": "summary", "aggregate": ["namespace"]}"#);
    assert_eq!(
        lines(&found),
        [
            "kube-system: Kubernetes CPU 0.07586640000000001 Usage",
            "kube-system: Kubernetes Memory 0.0069513281250000005 Usage"
        ]
    );
    assert_eq!(tags(&found.charges[0].tags), "namespace=kube-system");
}

#[test]
fn cloud_costs_are_charges_by_the_cost_that_is_wanted() {
    let found = read(CLOUD_COST, r#"{"mode": "charges", "api": "cloud-cost"}"#);
    let ec2 = found.charges.iter().find(|charge| charge.service_name == "AmazonEC2").unwrap();
    assert_eq!(
        (ec2.billed_cost.as_str(), ec2.effective_cost.as_str()),
        ("18.5", "12.340000000000002")
    );
    for (field, value) in [
        (Field::ProviderName, "AWS"),
        (Field::SubAccountId, "1111"),
        (Field::BillingAccountId, "9999"),
        (Field::RegionId, "eu-west-1"),
        (Field::ResourceId, "i-1"),
        (Field::ServiceCategory, "Networking"),
    ] {
        assert_eq!(dimension(ec2, field), value);
    }
    assert_eq!(tags(&ec2.tags), "team=red");
    let gcp = found.charges.iter().find(|charge| charge.service_name == "GCP").unwrap();
    assert_eq!(
        (gcp.charge_period_start.as_str(), gcp.billed_cost.as_str()),
        ("2026-10-30T00:00:00Z", "0.9")
    );
    let reasons: Vec<&str> =
        found.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    assert_eq!((reasons, found.rows), (vec!["it has no invoicedCost"], 3));
    let listed = read(
        CLOUD_COST,
        r#"{"mode": "charges", "api": "cloud-cost", "billed": "listCost",
            "effective": "listCost"}"#,
    );
    let costs: Vec<&str> =
        listed.charges.iter().map(|charge| charge.billed_cost.as_str()).collect();
    assert_eq!(costs, ["20.100000000000001", "3", "1"]);
    match document::read(
        "answer.json",
        CLOUD_COST.as_bytes(),
        &Options::parse(r#"{"mode": "usage"}"#).unwrap(),
    ) {
        Err(Error::Config(problem)) => {
            assert_eq!(problem.hint.as_deref(), Some("mode = \"charges\""))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn custom_costs_are_charges_of_their_domain() {
    let found = read(CUSTOM_COST, r#"{"mode": "charges", "api": "custom-cost"}"#);
    let costs: Vec<(&str, &str)> = found
        .charges
        .iter()
        .map(|charge| (charge.service_name.as_str(), charge.billed_cost.as_str()))
        .collect();
    assert_eq!(costs, [("datadog", "147.37999"), ("datadog", "0")]);
    let first = &found.charges[0];
    assert_eq!(
        (dimension(first, Field::ResourceId), dimension(first, Field::ChargeDescription)),
        ("42c0/agent_host_count", "Infra hosts")
    );
    assert_eq!(tags(&first.tags), "cost_source=observability");
    let rejected: Vec<String> =
        found.rejected.iter().map(|row| format!("{}: {}", row.location, row.reason)).collect();
    assert_eq!(
        rejected,
        [
            "answer.json customCosts[2]: charge_category: 'gift' is none of FOCUS: usage, \
             purchase, tax, credit, adjustment",
            "answer.json customCosts[3]: it has no domain, so that nobody knows what it is for",
        ]
    );
    let listed =
        read(CUSTOM_COST, r#"{"mode": "charges", "api": "custom-cost", "billed": "listCost"}"#);
    let costs: Vec<(&str, &str)> = listed
        .charges
        .iter()
        .map(|charge| (charge.billed_cost.as_str(), charge.effective_cost.as_str()))
        .collect();
    assert_eq!(costs, [("186.98547", "186.98547"), ("8.876712", "8.876712")]);
}

#[test]
fn windows_that_are_open_or_long_are_said() {
    let of = |window: &str| {
        let body = format!(
            r#"{{"code":200,"data":[{{"a":{{"window":{window},"cpuCost":1,"totalCost":1}}}}]}}"#
        );
        let found = read(&body, r#"{"mode": "charges"}"#);
        (found.charges.len(), found.rejected.first().map(|row| row.reason.clone()), found.warnings)
    };
    assert_eq!(
        of(r#"{"start":"null","end":"null"}"#).1.as_deref(),
        Some("its window: 'null' is not a day such as 2026-03-31")
    );
    assert_eq!(of("null").1.as_deref(), Some("it has no window, so that it is of no day"));
    let (charges, rejected, warnings) =
        of(r#"{"start":"2023-07-12T11:02:46Z","end":"2023-07-19T11:02:46Z"}"#);
    assert_eq!((charges, rejected), (1, None));
    assert_eq!(
        warnings,
        ["answer.json: a window is longer than a day, and all of it is of its first day: ask \
             OpenCost for step=1d"]
    );
    assert_eq!(
        of(r#"{"start":"2026-10-31T00:00:00Z","end":"2026-11-01T00:00:00Z"}"#).2,
        Vec::<String>::new()
    );
}

fn open(config: &str, period: Option<(&str, &str)>) -> Result<OpenCost, Error> {
    fixture::run("cluster", "2026-11-01T08:00:00Z");
    let period = period.map(|(start, end)| Period { start: start.into(), end: end.into() });
    OpenCost::open(Request { config: config.into(), period, state: None })
}

fn collected(config: &str, period: Option<(&str, &str)>) -> Result<Vec<Batch>, Error> {
    let mut collector = open(config, period)?;
    let mut batches = Vec::new();
    while let Some(batch) = collector.next()? {
        batches.push(batch);
    }
    Ok(batches)
}

fn response(status: u16, body: &str) -> Response {
    Response { status, headers: Vec::new(), body: body.into() }
}

const URL: &str = r#"{"url": "http://o:9003", "mode": "usage"}"#;

#[test]
fn days_that_are_forgotten_are_gaps_and_not_zero() {
    fixture::http(|request| {
        let body = if request.url.contains("window=2026-10-31T") {
            ALLOCATION
        } else {
            r#"{"code":200,"status":"success","data":[{}]}"#
        };
        Ok(response(200, body))
    });
    let unknown = || {
        fixture::take_said()
            .into_iter()
            .map(|said| format!("{}/{}", said.days.start, said.days.end))
            .collect::<Vec<_>>()
    };
    // The day of the run is not over.
    collected(URL, Some(("2026-10-31", "2026-11-02"))).unwrap();
    assert_eq!(unknown(), Vec::<String>::new());
    collected(URL, Some(("2026-10-29", "2026-11-01"))).unwrap();
    assert_eq!(unknown(), ["2026-10-29/2026-10-31"]);
    let nothing =
        "OpenCost says nothing from 2026-10-29 to 2026-10-30, which is a gap and not zero";
    assert_eq!(
        collected(URL, Some(("2026-10-29", "2026-10-31"))).unwrap_err(),
        Error::Unavailable(nothing.into())
    );
    // Fourteen days where no period is asked for.
    assert_eq!(collected(URL, None).unwrap().len(), 14);
    fixture::take_said();
    fixture::http(|_| Ok(response(200, r#"{"code":200,"status":"success","data":[{}]}"#)));
    let custom = r#"{"url": "http://o:9003", "mode": "charges", "api": "custom-cost"}"#;
    assert_eq!(collected(custom, Some(("2026-10-30", "2026-11-01"))).unwrap().len(), 2);
    assert_eq!(unknown(), Vec::<String>::new());
}

#[test]
fn errors_say_what_opencost_says() {
    let window = "Invalid 'window' parameter: illegal window: \
        nonsense\n{\"code\":500,\"status\":\"\",\"data\":null,\"message\":\"Error\"}";
    for (status, body, kind, words) in [
        (
            400,
            window,
            "Config",
            "http://o:9003/allocation/compute answered 400: Invalid 'window' parameter",
        ),
        (
            404,
            "404 page not found",
            "Config",
            "http://o:9003/allocation/compute answered 404: there is no such API",
        ),
        (
            500,
            r#"{"code":500,"message":"prometheus is down"}"#,
            "Unavailable",
            "answered 500: {\"code\":500,\"message\":\"prometheus is down\"}",
        ),
        (
            200,
            r#"{"code":400,"status":"","data":null,"message":"Error: no"}"#,
            "Unavailable",
            "OpenCost says 400: Error: no",
        ),
        (200, "<html>", "Config", "is no JSON"),
        (200, "[1]", "Config", "is nothing that OpenCost answers: [1]"),
        (403, "", "Auth", "answered 403"),
    ] {
        fixture::http(move |_| Ok(response(status, body)));
        let error =
            format!("{:?}", collected(URL, Some(("2026-10-31", "2026-11-01"))).unwrap_err())
                .replace("\\\"", "\"");
        assert!(
            error.starts_with(&format!("Error::{kind}")) && error.contains(words),
            "{status} {body} gave {error}"
        );
    }
}

#[test]
fn saved_answers_are_read_whatever_api_gave_them() {
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    fixture::files(vec![
        file("a.json", ALLOCATION),
        file("b.json", CLOUD_COST),
        file("c.json", CUSTOM_COST),
    ]);
    let batches = collected(r#"{"mode": "charges"}"#, None).unwrap();
    let charges: Vec<usize> = batches
        .iter()
        .map(|batch| if let Rows::Charges(charges) = &batch.rows { charges.len() } else { 0 })
        .collect();
    assert_eq!(charges, [11, 2, 2]);
    fixture::files(Vec::new());
    match open(r#"{"mode": "charges"}"#, None).err() {
        Some(Error::Config(problem)) => {
            assert_eq!(problem.message, "there is neither a url to ask nor a file to read")
        }
        other => panic!("{other:?}"),
    }
}
