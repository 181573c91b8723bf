//! One name and one cost center for a team wherever it is written, and tables that change in time.

use crate::scene::Scene;

const SETTINGS: &str = r#"dimensions = ["service_name", "sub_account_id", "resource_id"]

[sources.bills]
plugin = "focus-file"
paths = ["bills"]
grants = ["table-decode"]

[tags.team]
synonyms = ["owner"]
fold_values = true
"#;

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,\
                      ServiceName,ResourceId,SubAccountId,Tags\n";

const ACCOUNT_RULE: &str = r#"//! The account names who pays.
rule(#{ priority: 300, owner: "finops@example.com", review_by: "2099-01-01" });

fn matches(charge) { lookup("accounts", charge.sub_account_id) != () }

fn allocate(charge) { assign(lookup("accounts", charge.sub_account_id)) }
"#;

/// A charge of a service on a day, with an account and a team or without.
fn row(cost: &str, day: &str, service: &str, account: &str, team: &str) -> String {
    let tags = match team {
        "" => String::new(),
        team => format!("\"{{\"\"team\"\": \"\"{team}\"\"}}\""),
    };
    format!("{cost},{cost},USD,{day},Usage,{service},r-{cost},{account},{tags}\n")
}

fn scene(rows: &[String], accounts: &str, teams: &str) -> Scene {
    let scene = Scene::with_rules();
    scene.write("apportion.toml", SETTINGS);
    scene.write("rules/direct/account.rhai", ACCOUNT_RULE);
    scene.write("rules/tables/accounts.csv", accounts);
    scene.write("rules/tables/teams.csv", teams);
    scene.write("bills/bill.csv", &format!("{HEADER}{}", rows.concat()));
    scene
}

/// `key amount` of each group over all days.
fn sums(scene: &Scene, group: &str) -> Vec<String> {
    let arguments = format!("costs --granularity total --format csv --group-by {group}");
    let table = scene.run(&arguments).expect(0).stdout;
    let cells = |line: &str| -> Option<String> {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, key, _, amount] = cells.as_slice() else { return None };
        let amount = amount.trim_end_matches('0').trim_end_matches('.');
        Some(format!("{key} {amount}"))
    };
    table.lines().skip(1).filter_map(cells).collect()
}

#[test]
fn tables_and_tags_spell_one_team_and_its_cost_center_reaches_shared_cost() {
    // 60 + 40 and 100 are direct; support of 20 is shared half and half.
    let rows = [
        row("60", "2026-03-02", "Compute", "", "atlas"),
        row("40", "2026-03-02", "Compute", "acct-1", ""),
        row("100", "2026-03-02", "Compute", "acct-2", ""),
        row("20", "2026-03-02", "AWS Support", "", ""),
    ];
    let scene = scene(
        &rows,
        "account,team\nacct-1,ATLAS\nacct-2,Boreas\n",
        "team,cost_center\nAtlas,CC1\nboreas,CC2\n",
    );
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["Atlas 110", "boreas 110"]);
    assert_eq!(sums(&scene, "cost_center"), ["CC1 110", "CC2 110"]);
    scene.run("ledger verify").expect(0);
}

/// The table has composed letters, the tags have some that are not, and teams are of either case.
#[test]
fn keys_and_teams_in_three_scripts_are_one_however_they_are_typed() {
    let rows = [
        row("1", "2026-03-02", "Compute", "", "ПЛАТЕЖИ"),
        row("2", "2026-03-02", "Compute", "счёт-1", ""),
        // е with a diaeresis of its own.
        row("4", "2026-03-02", "Compute", "сче\u{308}т-1", ""),
        row("8", "2026-03-02", "Compute", "口座", ""),
        row("16", "2026-03-02", "Compute", "", "決済 "),
        row("32", "2026-03-02", "Compute", "", "Gru\u{308}n"),
        row("64", "2026-03-02", "Compute", "konto-a\u{308}", ""),
    ];
    let accounts = "account,team\nсчёт-1,платежи\n口座,決済\nkonto-ä,GRÜN\n";
    let scene = scene(&rows, accounts, "team,cost_center\nПлатежи,ЦЗ\n決済,部門\ngrün,K\u{f6}ln\n");
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["grün 96", "Платежи 7", "決済 24"]);
    assert_eq!(sums(&scene, "cost_center"), ["Köln 96", "ЦЗ 7", "部門 24"]);
    scene.run("explain grün").expect(0).says("96.000000000 USD");
    scene.run("ledger verify").expect(0);
}

#[test]
fn a_reorganization_in_march_moves_march_and_not_february() {
    let rows = [
        row("50", "2026-02-10", "Compute", "acct-1", ""),
        row("70", "2026-03-10", "Compute", "acct-1", ""),
        row("8", "2026-02-10", "Compute", "acct-2", ""),
        row("4", "2026-02-10", "AWS Support", "", ""),
    ];
    let accounts = "account,team,valid_from,valid_until\nacct-1,atlas,,2026-03-01\n\
                    acct-1,boreas,2026-03-01,\nacct-2,boreas,,\n";
    let teams = "team,cost_center,valid_from,valid_until\natlas,CC1,,\n\
                 boreas,CC2,,2026-03-01\nboreas,CC9,2026-03-01,\n";
    let scene = scene(&rows, accounts, teams);
    scene.run("run").expect(0);
    // Support of February is shared 50 : 8, so 4 × 50/58 and 4 × 8/58.
    let expected = ["atlas 53.448275862", "boreas 78.551724138"];
    assert_eq!(sums(&scene, "team"), expected);
    assert_eq!(sums(&scene, "cost_center"), ["CC1 53.448275862", "CC2 8.551724138", "CC9 70"]);
    scene.run("explain boreas").expect(0).says("78.551724138 USD");
    // A month later, only March goes back to atlas.
    scene.write("rules/tables/accounts.csv", &accounts.replace("2026-03-01", "2026-04-01"));
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["atlas 123.448275862", "boreas 8.551724138"]);
    assert_eq!(sums(&scene, "cost_center"), ["CC1 123.448275862", "CC2 8.551724138"]);
    scene.run("ledger verify").expect(0);
}

#[test]
fn a_team_named_like_an_account_is_kept_apart() {
    let rows = [
        row("1", "2026-03-02", "Compute", "", "Unallocated"),
        row("2", "2026-03-02", "Compute", "", "pool/shared"),
        row("0.5", "2026-03-02", "Compute", "", ""),
        row("16", "2026-03-02", "Compute", "", "web"),
    ];
    let scene = scene(&rows, "account,team\n9,web\n", "team,cost_center\nweb,CC1\n");
    let told = scene.run("run").expect(3);
    assert!(
        told.stdout.contains("R206: 'unallocated' is the name of an account"),
        "{}",
        told.stdout
    );
    assert_eq!(sums(&scene, "team"), ["suspense 3", "unallocated 0.5", "web 16"]);
    // The setting that the message names.
    let values = "values = { \"unallocated\" = \"nobody\", \"pool/shared\" = \"web\" }\n";
    scene.write("apportion.toml", &format!("{SETTINGS}{values}"));
    std::fs::remove_file(scene.path("apportion.db")).expect("the ledger is there");
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["nobody 1", "unallocated 0.5", "web 18"]);
    scene.write("rules/tables/accounts.csv", "account,team\n9,Suspense\n");
    scene.run("run").fails_with(1, "R107", "rules/tables/accounts.csv:2:3: R107: 'Suspense' is");
}

#[test]
fn values_that_mean_nothing_are_absent_in_tags_and_tables() {
    let rows = [
        row("1", "2026-03-02", "Compute", "acct-1", "#N/A"),
        row("2", "2026-03-02", "Compute", "acct-2", "null"),
        row("4", "2026-03-02", "Compute", "", " - "),
        row("8", "2026-03-02", "Compute", "acct-1", "tbd"),
    ];
    let scene = scene(&rows, "account,team\nacct-1,web\nacct-2,N/A\n", "team,cost_center\nweb,\n");
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["tbd 8", "unallocated 6", "web 1"]);
    scene.write("apportion.toml", &format!("absent_values = [\"TBD\"]\n{SETTINGS}"));
    std::fs::remove_file(scene.path("apportion.db")).expect("the ledger is there");
    scene.run("run").expect(0);
    assert_eq!(sums(&scene, "team"), ["#n/a 1", "'- 4", "null 2", "web 8"]);
}
