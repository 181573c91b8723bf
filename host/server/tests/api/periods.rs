//! Closed months and their corrections, by the day of posting and by that of the charge.

use super::{TestServer, estate, refused, usd};
use domain::period::Month;
use ledger::Ledger;
use serde_json::{Value, json};

/// January is closed at 10 for payments; then 4 more come, of another environment.
fn corrected() -> TestServer {
    let served = TestServer::new();
    let path = served.folder.path().join("apportion.db");
    let january: Month = "2026-01".parse().expect("a month");
    let mut ledger = Ledger::open_or_create(&path).expect("the ledger");
    ledger.close_period(january, 1, "booked").expect("an open month");
    drop(ledger);
    let tags = [("team", "payments"), ("environment", "lab")];
    let late = estate::charge("2026-01-30", "Compute", &tags, "4", "USD");
    served.run(estate::charges().into_iter().chain([late]).collect());
    served
}

fn keys(body: &Value, part: &str) -> Vec<(String, String)> {
    let parts = body["breakdown"][part].as_array().expect("parts").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    parts.map(|part| (text(&part["key"]), text(&part["cost"]["amount"]))).collect()
}

#[tokio::test]
async fn one_answer_has_one_axis() {
    let served = corrected();
    let path = "/api/v1/costs/team/payments?start_date=2026-01-01&end_date=2026-01-31";
    let part = |key: &str, amount: &str| (key.to_owned(), format!("{amount}.000000000"));
    let posted = served.good(path, "TeamCosts").await;
    assert_eq!(
        (&posted["axis"], &posted["total"]),
        (&json!("posting"), &json!([usd("10.000000000")]))
    );
    assert_eq!(keys(&posted, "by_environment"), [part("prod", "10")]);
    assert_eq!(keys(&posted, "by_service"), [part("Compute", "10")]);
    let charged = served.good(&format!("{path}&axis=charge"), "TeamCosts").await;
    assert_eq!(
        (&charged["axis"], &charged["total"]),
        (&json!("charge"), &json!([usd("14.000000000")]))
    );
    assert_eq!(keys(&charged, "by_environment"), [part("prod", "10"), part("lab", "4")]);
    assert_eq!(keys(&charged, "by_service"), [part("Compute", "14")]);
}

#[tokio::test]
async fn corrections_are_named_with_the_month_of_their_charges() {
    let served = corrected();
    let path = "/api/v1/costs?filter=team:payments&group_by=charge_period,environment\
        &start_date=2026-02-01&end_date=2026-02-28";
    let body = served.good(path, "Costs").await;
    let correction = json!({ "charge_period": "2026-01", "cost": usd("4.000000000") });
    assert_eq!(body["corrections"], json!([correction]));
    let lab = json!({ "charge_period": "2026-01", "environment": "lab" });
    assert_eq!(body["costs"][0]["keys"], lab);
    let why = "/api/v1/explain?what=payments&start_date=2026-02-01&end_date=2026-02-28";
    let explained = served.good(why, "Explanation").await;
    let rules = explained["accounts"].as_array().expect("accounts").iter();
    let rules = rules.flat_map(|account| account["rules"].as_array().expect("rules"));
    let corrections = rules.filter(|rule| !rule["correction"].is_null());
    let shown: Vec<(bool, String)> = corrections
        .map(|rule| {
            assert_eq!(rule["correction"]["charge_period"], "2026-01");
            let taken_back = rule["correction"]["taken_back"].as_bool().expect("a word");
            (taken_back, rule["cost"]["amount"].as_str().expect("an amount").to_owned())
        })
        .collect();
    assert_eq!(shown, [(true, "-10.000000000".to_owned()), (false, "14.000000000".to_owned())]);
}

#[tokio::test]
async fn entries_are_listed_in_pages() {
    let served = corrected();
    let path = "/api/v1/entries?team=payments&axis=charge&end_date=2026-01-31";
    let whole = served.good(path, "Entries").await;
    let entries = whole["entries"].as_array().expect("entries").clone();
    let kinds: Vec<&str> =
        entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["collection", "reversal", "collection"]);
    assert_eq!(entries[1]["reverses"], entries[0]["id"]);
    assert_eq!(entries[1]["posting_date"], "2026-02-01");
    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let page = served.good(&format!("{path}&limit=1{token}"), "Entries").await;
        paged.extend(page["entries"].as_array().expect("entries").clone());
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => break,
        }
    }
    assert_eq!(paged, entries);
    let none = served.good("/api/v1/entries?run=99", "Entries").await;
    assert_eq!(none["entries"], json!([]));
}

#[tokio::test]
async fn questions_that_nothing_can_match_are_refused() {
    let served = TestServer::new();
    let asked = async |path: &str| served.get(path).await.refusal();
    assert_eq!(
        asked("/api/v1/costs?filter=team:Payments").await,
        refused(400, "N202", "no cost has the team 'Payments'", "did you mean `payments`?")
    );
    assert_eq!(
        asked("/api/v1/costs?group_by=tag:stage").await,
        refused(
            400,
            "N202",
            "no charge has the tag 'stage'",
            "the tags are application, environment, team"
        )
    );
    assert_eq!(
        asked("/api/v1/costs?start_date=2026-03-02&end_date=2026-03-01").await,
        refused(
            400,
            "N202",
            "end_date: the period ends on 2026-03-01, before start_date 2026-03-02",
            "both dates are included: give them in their order"
        )
    );
    assert_eq!(
        asked("/api/v1/costs?axis=postings").await,
        refused(
            400,
            "N202",
            "axis: there is no 'postings'",
            "use posting (what was owed) or charge (what was consumed)"
        )
    );
    assert_eq!(
        asked("/api/v1/costs?axis=posting&metric=list_cost").await.2,
        "list_cost goes by the day of the charge: only costs are posted"
    );
    assert_eq!(asked("/api/v1/entries?rule=nothing").await.2, "no entry has the rule 'nothing'");
    assert_eq!(asked("/api/v1/entries?run=x").await.2, "run: 'x' is not the number of a run");
}
