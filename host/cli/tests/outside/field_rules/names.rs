//! Spellings of names, in bills, tables, settings and queries.

use crate::field_rules::{FieldEstate, costs, gives, replace, says, try_estates};
use crate::scene::Scene;
use crate::server::{Server, json};

const SPELLINGS: &str = "R11-spellings-answer-zero";
const NAMED_AS_AN_ACCOUNT: &str = "R12-team-named-unallocated";

pub const ESTATES: &[FieldEstate] = &[
    FieldEstate { folder: "R09-empty-tag-hides-synonym", answer: an_empty_tag_hides_nothing },
    FieldEstate { folder: SPELLINGS, answer: a_spelling_is_understood_or_refused },
    FieldEstate { folder: SPELLINGS, answer: a_spelling_is_understood_or_refused_over_http },
    FieldEstate { folder: NAMED_AS_AN_ACCOUNT, answer: a_team_named_as_an_account_is_refused },
    FieldEstate {
        folder: NAMED_AS_AN_ACCOUNT,
        answer: a_team_named_as_an_account_has_another_name,
    },
    FieldEstate { folder: "R13-tables-and-cost-centers", answer: names_of_tables_are_folded },
];

#[test]
fn spellings_give_their_answers() {
    try_estates(ESTATES);
}

/// 32 + 64 + 1.
fn an_empty_tag_hides_nothing(scene: &Scene) {
    gives(scene, "--group-by team", &["2026-03,gamma,USD,97"]);
    assert_eq!(
        costs(scene, "--group-by team,resource_id"),
        ["2026-03,gamma,a,USD,32", "2026-03,gamma,b,USD,64", "2026-03,gamma,c,USD,1"]
    );
}

fn a_spelling_is_understood_or_refused(scene: &Scene) {
    let check = scene.run("rule check").fails_with(1, "R114", "no charge has a tag 'owner'");
    says(&check, &["rules/a/owner.rhai:5:16: ", "rules/a/owner.rhai:5:50: ", "hint: \"team\""]);
    scene.run("run").expect(0);
    for (query, rows) in [
        ("--group-by tag:Team", "2026-03,alpha,USD,10"),
        ("--group-by tag:owner", "2026-03,alpha,USD,10"),
        ("--group-by tag:Env", "2026-03,prod,USD,10"),
        ("--filter tag:Team=alpha", "2026-03,alpha,Compute,USD,10"),
        ("--filter tag:owner=alpha", "2026-03,alpha,Compute,USD,10"),
    ] {
        assert_eq!(costs(scene, query), [rows], "costs {query}");
    }
    for (query, what, hint) in [
        ("--filter team=Alpha", "no cost has the team 'Alpha'", "did you mean `alpha`?"),
        ("--filter tag:teem=alpha", "no charge has the tag 'teem'", "did you mean `tag:team`?"),
        (
            "--group-by invoice_id",
            "no charge has the column 'invoice_id'",
            "dimensions = [\"invoice_id\", …]",
        ),
        (
            "--from 2026-03-02 --to 2026-03-01",
            "the period ends on 2026-03-01, before it starts on 2026-03-02",
            "--from 2026-01 --to 2026-03",
        ),
    ] {
        let refused = scene.run(&format!("costs {query}")).fails_with(1, "N202", what);
        says(&refused, &[hint]);
    }
}

fn a_spelling_is_understood_or_refused_over_http(scene: &Scene) {
    scene.run("run").expect(0);
    let server = Server::start(scene);
    let answer = |query: &str| json(&server.get(&format!("/api/v1/costs?{query}")));
    let found = answer("filter=tag:Team=alpha");
    assert_eq!(found["totals"][0]["amount"], "10.000000000", "{found}");
    for (query, detail) in [
        ("filter=team:Alpha", "no cost has the team 'Alpha'"),
        ("filter=team:!alpha", "no cost has the team '!alpha'"),
        (
            "start_date=2026-03-02&end_date=2026-03-01",
            "end_date: the period ends on 2026-03-01, before start_date 2026-03-02",
        ),
    ] {
        let refused = answer(query);
        assert_eq!(refused["code"], "N202", "{query}: {refused}");
        assert_eq!(refused["status"], 400, "{query}: {refused}");
        assert_eq!(refused["detail"], detail, "{query}: {refused}");
    }
}

/// The 1 of the team waits in suspense. The 0.5 that nobody claims stands alone.
fn a_team_named_as_an_account_is_refused(scene: &Scene) {
    let run = scene.run("run").fails_with(3, "N101", "rules failed on charges");
    says(
        &run,
        &[
            "R206: 'unallocated' is the name of an account, so no team can have it",
            "values = { \"unallocated\" = \"team-unallocated\" }",
        ],
    );
    assert_eq!(
        by_account(scene),
        ["suspense 1.00", "team/=hyperlink(1) 3.00", "team/two\\nlines 4.00", "unallocated 0.50"]
    );
}

/// The lines of the text form, one for each account.
fn by_account(scene: &Scene) -> Vec<String> {
    let text = scene.run("costs --group-by account").expect(0).stdout;
    let rows = text.lines().skip(1).take_while(|line| !line.starts_with('─'));
    rows.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn a_team_named_as_an_account_has_another_name(scene: &Scene) {
    replace(
        scene,
        "apportion.toml",
        "[tags.team]",
        "[tags.team]\nvalues = { unallocated = \"team-unallocated\" }",
    );
    scene.run("run").expect(0);
    let rows = ["team/=hyperlink(1) 3.00", "team/team-unallocated 1.00", "team/two\\nlines 4.00"];
    assert_eq!(by_account(scene), [&rows[..], &["unallocated 0.50"]].concat());
    says(&scene.run("explain unallocated").expect(0), &["total: 0.500000000 USD", "by no rule"]);
    says(&scene.run("explain team-unallocated").expect(0), &["total: 1.000000000 USD"]);
    // A spreadsheet takes no name for a formula.
    let csv = scene.run("costs --group-by team --format csv").expect(0).stdout;
    assert!(csv.contains("\n2026-03,'=hyperlink(1),USD,3.000000000\n"), "{csv}");
    assert!(csv.contains("\n2026-03,\"two\nlines\",USD,4.000000000\n"), "{csv}");
    let server = Server::start(scene);
    for (team, amount) in [("unallocated", "0.500000000"), ("team-unallocated", "1.000000000")] {
        let answer = json(&server.get(&format!("/api/v1/costs/team/{team}")));
        assert_eq!(answer["total"][0]["amount"], amount, "{answer}");
    }
}

/// 60 + 40 + 10 of support, and 100 + 10.
fn names_of_tables_are_folded(scene: &Scene) {
    scene.run("rule check").expect(0);
    gives(scene, "--group-by team", &["2026-03,atlas,USD,110", "2026-03,boreas,USD,110"]);
    let centers = costs(scene, "--group-by cost_center");
    assert_eq!(centers, ["2026-03,CC1,USD,110", "2026-03,CC2,USD,110"]);
}
