//! The shape of an answer: its order, its largest groups, what is left out, and its width.

use crate::scene::Scene;
use serde_json::{Value, json};

const SETTINGS: &str = r#"dimensions = ["service_name", "resource_id"]

[sources.bills]
plugin = "focus-file"
paths = ["bills"]
grants = ["table-decode"]

[tags.team]
"#;

const HEADER: &str = "EffectiveCost,BilledCost,BillingCurrency,ChargePeriodStart,ChargeCategory,\
                      ServiceName,ResourceId,Tags\n";

/// In USD alpha has 101, beta 70.007, gamma 10.003 and delta 5: 186.01 in all.
const CHARGES: [&str; 7] = [
    "2026-01-05 USD Compute 100 alpha",
    "2026-01-05 USD Compute 40.004 beta",
    "2026-02-10 USD Storage 30.003 beta",
    "2026-02-10 USD Compute 10.003 gamma",
    "2026-04-01 USD Compute 5 delta",
    "2027-01-01 USD Compute 1 alpha",
    "2026-01-05 EUR Compute 7 gamma",
];

/// A row with a resource of its team's name.
fn row(charge: &&str) -> String {
    let cells: Vec<&str> = charge.split(' ').collect();
    let [day, currency, service, amount, team] = cells[..] else { panic!("{charge}") };
    let tags = format!("\"{{\"\"team\"\": \"\"{team}\"\"}}\"");
    format!("{amount},{amount},{currency},{day}T00:00:00Z,Usage,{service},r-{team},{tags}\n")
}

fn scene() -> Scene {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", SETTINGS);
    let rows: String = CHARGES.iter().map(row).collect();
    scene.write("bills/all.csv", &format!("{HEADER}{rows}"));
    scene.run("run").expect(0);
    scene
}

fn csv(scene: &Scene, arguments: &str) -> Vec<String> {
    let output = scene.run(&format!("costs --format csv --group-by team {arguments}")).expect(0);
    output.stdout.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_largest_groups_and_the_others_add_up_to_the_total() {
    let scene = scene();
    let text = scene.run("costs --group-by team --granularity total --top 2").expect(0).stdout;
    // Rounded down, the parts of 186.01 have 101.00, 70.00 and 15.00: beta has the largest
    // remainder, 0.007.
    let expect = "\
team   total EUR
gamma       7.00
─────  ─────────
total       7.00

team              total USD
alpha                101.00
beta                  70.01
other (2 groups)      15.00
────────────────  ─────────
total                186.01

by the day of posting
";
    assert_eq!(text, expect);
    let usd = "--filter currency=USD";
    assert_eq!(
        csv(&scene, &format!("{usd} --granularity total --top 2")),
        [
            "total,alpha,USD,101.000000000",
            "total,beta,USD,70.007000000",
            "total,other (2 groups),USD,15.003000000"
        ]
    );
    // The others of a month are those that are not among the largest of all months.
    assert_eq!(
        csv(&scene, &format!("{usd} --to 2026-04 --top 1 --sort name")),
        [
            "2026-01,alpha,USD,100.000000000",
            "2026-01,other (3 groups),USD,40.004000000",
            "2026-02,other (3 groups),USD,40.006000000",
            "2026-04,other (3 groups),USD,5.000000000"
        ]
    );
    let json = scene.run("costs --group-by team --granularity total --top 3 --format json");
    let json = json.expect(0).json();
    assert_eq!((&json["sort"], &json["top"]), (&json!("amount"), &json!(3)));
    let other = json!([{
        "period_start": null, "groups": 1,
        "cost": { "amount": "5.000000000", "currency": "USD" },
    }]);
    assert_eq!(json["other"], other);
    let teams: Vec<&Value> = json["costs"].as_array().expect("rows").iter().collect();
    let teams: Vec<&Value> = teams.iter().map(|row| &row["keys"]["team"]).collect();
    assert_eq!(teams, ["gamma", "alpha", "beta", "gamma"]);
    // Another basis is ranked the same way.
    assert_eq!(
        csv(&scene, &format!("{usd} --granularity total --top 1 --metric billed_cost")),
        ["total,alpha,USD,101,2,0", "total,other (3 groups),USD,85.01,4,0"]
    );
}

#[test]
fn groups_are_sorted_by_amount_within_their_currency() {
    let scene = scene();
    assert_eq!(
        csv(&scene, "--granularity yearly --sort amount"),
        [
            "2026,gamma,EUR,7.000000000",
            "2026,alpha,USD,100.000000000",
            "2026,beta,USD,70.007000000",
            "2026,gamma,USD,10.003000000",
            "2026,delta,USD,5.000000000",
            "2027,alpha,USD,1.000000000"
        ]
    );
    let text = scene.run("costs --group-by team --filter currency=USD --sort amount").expect(0);
    let teams: Vec<&str> =
        text.stdout.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(teams, ["team", "alpha", "beta", "gamma", "delta", "─────", "total", "", "by"]);
}

#[test]
fn quarters_and_years_are_those_of_the_calendar() {
    let scene = scene();
    let usd = "--filter currency=USD --filter team=alpha --filter team=delta";
    assert_eq!(
        csv(&scene, &format!("{usd} --granularity quarterly")),
        [
            "2026-Q1,alpha,USD,100.000000000",
            "2026-Q2,delta,USD,5.000000000",
            "2027-Q1,alpha,USD,1.000000000"
        ]
    );
    let json = scene.run("costs --granularity quarterly --format json --filter team=delta");
    assert_eq!(json.expect(0).json()["costs"][0]["period_start"], "2026-04-01");
}

#[test]
fn what_is_left_out_leaves_all_others() {
    let scene = scene();
    let rest = ["total,delta,USD,5.000000000", "total,gamma,USD,10.003000000"];
    let without = "--granularity total --filter team!=alpha --filter team!=beta";
    assert_eq!(csv(&scene, &format!("{without} --filter currency!=EUR")), rest);
    // The same from the charges.
    let by_tag = without.replace("team!", "tag:team!");
    assert_eq!(csv(&scene, &format!("{by_tag} --filter currency=USD")), rest);
    let some = "--granularity total --filter team=alpha --filter team=beta --filter team!=beta";
    assert_eq!(csv(&scene, some), ["total,alpha,USD,101.000000000"]);
    let without_tag = csv(&scene, "--granularity total --filter tag:team!=");
    assert_eq!(without_tag.len(), 5, "all have a team: {without_tag:?}");
    let json = scene.run("costs --format json --filter team!=alpha").expect(0).json();
    assert_eq!(json["filter"], json!(["team!=alpha"]));
}

#[test]
fn what_cannot_be_or_match_is_refused() {
    let scene = scene();
    let refused = |arguments: &str, words: &str| {
        scene.run(&format!("costs {arguments}")).fails_with(1, "N202", words);
    };
    refused("--filter team!=alhpa", "did you mean `alpha`?");
    refused("--filter team=!alpha", "did you mean `team!=alpha`?");
    refused("--filter taem!=alpha", "did you mean `team`?");
    refused("--filter currency=usd", "did you mean `USD`?");
    refused("--filter currency=CHF", "`apportion costs --group-by currency` lists what there is");
    refused(
        "--filter team=alpha --filter team!=alpha",
        "nothing can have the team 'alpha' and not have it",
    );
    refused("--filter alpha", "write `team=payments`, or `team!=payments` for all others");
    for usage in ["--top 0", "--sort amont", "--granularity quartely"] {
        scene.run(&format!("costs {usage}")).fails_with(2, "C201", "");
    }
}

/// Four days and their total are 80 columns wide. Here are 40: two days fit beside the teams.
#[test]
fn a_wide_table_is_folded_at_the_width_of_the_reader() {
    let scene = scene();
    let daily = ["costs", "--group-by", "team", "--granularity", "daily"];
    let daily = [&daily[..], &["--filter", "currency=USD"]].concat();
    let at = |columns: &str| scene.run_with(&daily, &[("COLUMNS", columns)]).expect(0).stdout;
    // 30.003 and 10.003 are equally far below a cent more, which the first gets: 40.01 of 186.01.
    let expect = "\
team   2026-01-05 USD  2026-02-10 USD
alpha          100.00
beta            40.00           30.01
delta
gamma                           10.00
─────  ──────────────  ──────────────
total          140.00           40.01

team   2026-04-01 USD  2027-01-01 USD
alpha                            1.00
beta
delta            5.00
gamma
─────  ──────────────  ──────────────
total            5.00            1.00

team   total USD
alpha     101.00
beta       70.01
delta       5.00
gamma      10.00
─────  ─────────
total     186.01

by the day of posting
";
    assert_eq!(at("40"), expect);
    // The names need 5, each day 16 and the total 11.
    assert_eq!(at("79"), at("69"));
    assert_eq!(at("80").lines().count(), 9);
    // Nobody says a width, so it is the one of pipes: 120.
    assert_eq!(scene.run_with(&daily, &[]).expect(0).stdout, at("120"));
}

/// Names of bills stand in their own line, and move no cursor.
#[test]
fn a_name_with_control_characters_is_shown_by_its_escapes() {
    let scene = scene();
    let evil = row(&"2026-01-05 USD Compute 9 alpha").replace("r-alpha", "\"web\n\u{1B}[2Jtotal\"");
    scene.write("bills/evil.csv", &format!("{HEADER}{evil}"));
    scene.run("run").expect(0);
    let name = "web\\n\\u{1b}[2Jtotal (Compute)\n";
    let summary = scene.run("explain alpha").expect(0).says(name);
    assert!(!summary.stdout.contains('\u{1B}'));
    let all = scene.run("explain alpha --depth all").expect(0).says("\\u{1b}[2Jtotal");
    assert!(!all.stdout.contains('\u{1B}') && all.stdout.lines().all(|line| line != "total"));
    let single = scene.run_with(&["explain", "web\n\u{1B}[2Jtotal"], &[]).expect(0);
    let title = "resource web\\n\\u{1b}[2Jtotal, all days, by the day of posting\n";
    assert!(single.stdout.starts_with(title), "{}", single.stdout);
}
