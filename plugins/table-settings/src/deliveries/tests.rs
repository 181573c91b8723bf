//! Names of files and manifests → the deliveries that count.

use super::*;
use apportion_plugin_sdk::fixture;

/// What counts and what is left out, for tables and manifests. A manifest is its name, its time of
/// writing and its text; without manifests the power `file` is missing.
fn outcome(
    tables: &[&str],
    manifests: Option<&[(&str, &str, &str)]>,
    report: Option<&str>,
) -> Result<DeliveryChoice, Error> {
    let names: Vec<String> = tables.iter().map(|name| (*name).to_owned()).collect();
    let Some(manifests) = manifests else { return choose(&names, None, report) };
    let entry = |name: &str, modified: &str| Entry {
        name: name.into(),
        size: 1,
        modified: Some(modified.to_owned()).filter(|modified| !modified.is_empty()),
    };
    let mut entries: Vec<Entry> = tables.iter().map(|name| entry(name, "")).collect();
    entries.extend(manifests.iter().map(|(name, modified, _)| entry(name, modified)));
    let read = |name: &str| {
        let found = manifests.iter().find(|(known, ..)| *known == name);
        Ok(found.map(|(.., text)| text.as_bytes().to_vec()).unwrap_or_default())
    };
    choose(&names, Some(Files { entries: &entries, read: &read }), report)
}

/// The tables that count, with their billing periods, and the names that are left out.
fn shown(chosen: &DeliveryChoice) -> (Vec<String>, Vec<String>) {
    let counted = |counted: &CountingTable| match counted.billing_period {
        Some(day) => format!("{} of {day}", counted.table),
        None => counted.table.clone(),
    };
    let left_out = chosen
        .deliveries
        .iter()
        .filter_map(|delivery| Some(format!("{}: {}", delivery.name, delivery.left_out.as_ref()?)));
    (chosen.tables.iter().map(counted).collect(), left_out.collect())
}

fn counted(tables: &[&str], manifests: &[(&str, &str, &str)]) -> (Vec<String>, Vec<String>) {
    shown(&outcome(tables, Some(manifests), None).unwrap())
}

fn without_file(tables: &[&str]) -> (Vec<String>, Vec<String>) {
    shown(&outcome(tables, None, None).unwrap())
}

fn refusal(result: Result<DeliveryChoice, Error>) -> (String, String) {
    match result {
        Err(Error::Config(problem)) => (problem.message, problem.hint.unwrap_or_default()),
        Err(Error::Transient(message)) => (message, "later".into()),
        other => panic!("{other:?}"),
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Three exports that ran each day of two years are told apart in a moment.
#[test]
fn thousands_of_runs_are_no_work() {
    let mut tables = Vec::new();
    let mut manifests = Vec::new();
    for export in 0..3 {
        for month in 1..=12 {
            for day in 1..=28 {
                let range = format!("20260{}01-20260{}28", month % 9 + 1, month % 9 + 1);
                let run = format!("in/e{export}-{month}/{range}/2026{month:02}{day:02}0310/r{day}");
                let table = format!("{run}/part_0_0001.csv");
                manifests.push((
                    format!("{run}/manifest.json"),
                    format!(r#"{{"blobs": [{{"blobName": "{table}"}}]}}"#),
                ));
                tables.push(table);
            }
        }
    }
    let entries: Vec<Entry> = manifests
        .iter()
        .map(|(name, _)| Entry { name: name.clone(), size: 1, modified: None })
        .collect();
    let texts: std::collections::BTreeMap<String, String> = manifests.into_iter().collect();
    let read = |name: &str| Ok(texts[name].clone().into_bytes());
    let chosen = choose(&tables, Some(Files { entries: &entries, read: &read }), None).unwrap();
    assert_eq!(chosen.tables.len(), 36);
    assert_eq!(chosen.deliveries.len(), 1_008);
}

const NEWER: &str = "a newer run of the same period counts";

#[test]
fn the_newest_run_of_each_month_counts_by_the_names_of_its_folders() {
    let tables = [
        "in/acme/20260228-20260228/202603010310/x/part_0_0001.csv",
        "in/acme/20260301-20260331/202603030310/a/part_0_0001.csv",
        "in/acme/20260301-20260331/202603040310/b/part_0_0001.csv",
        "in/acme/20260301-20260331/202603040310/b/part_1_0001.csv",
        "in/acme/20260401-20260430/202604010310/c/part_0_0001.csv",
        "in/other/20260301-20260331/202603010310/d/part_0_0001.csv",
        "in/loose.csv",
    ];
    let (read, left_out) = without_file(&tables);
    let of = |table: &str, month: &str| format!("{table} of {month}-01");
    assert_eq!(
        read,
        [
            // A single day is no billing period.
            tables[0].to_owned(),
            of(tables[2], "2026-03"),
            of(tables[3], "2026-03"),
            of(tables[4], "2026-04"),
            of(tables[5], "2026-03"),
            tables[6].to_owned(),
        ]
    );
    assert_eq!(left_out, [format!("in/acme/20260301-20260331/202603030310/a: {NEWER}")]);
}

#[test]
fn the_host_is_told_of_each_delivery_and_names_what_is_left_out() {
    let tables: Vec<String> = (1..=3)
        .map(|day| format!("acme/20260301-20260331/2026030{day}0310/r{day}/part_0.csv"))
        .collect();
    fixture::take_found();
    choose(&tables, None, None).unwrap().tell().unwrap();
    let found: Vec<(String, Option<String>, Option<String>)> = fixture::take_found()
        .into_iter()
        .map(|found| (found.name, found.billing_period, found.left_out))
        .collect();
    let run = |day: u32, left_out: Option<&str>| {
        (
            format!("acme/20260301-20260331/2026030{day}0310/r{day}"),
            Some("2026-03-01".to_owned()),
            left_out.map(str::to_owned),
        )
    };
    assert_eq!(found, [run(3, None), run(1, Some(NEWER)), run(2, Some(NEWER))]);
}

#[test]
fn a_run_without_a_manifest_is_not_complete_where_others_have_one() {
    let tables = [
        "acme/20260301-20260331/202603030310/a/part_0.csv",
        "acme/20260301-20260331/202603040310/b/part_0.csv",
    ];
    let manifest =
        r#"{"blobs": [{"blobName": "acme/20260301-20260331/202603030310/a/part_0.csv"}]}"#;
    let name = "acme/20260301-20260331/202603030310/a/manifest.json";
    let (read, left_out) = counted(&tables, &[(name, "", manifest)]);
    assert_eq!(read, [format!("{} of 2026-03-01", tables[0])]);
    assert_eq!(
        left_out,
        ["acme/20260301-20260331/202603040310/b: no manifest of its period names it"]
    );
}

#[test]
fn the_time_in_the_manifest_orders_runs_whose_folders_do_not() {
    let guid = |end: u32| format!("0f8fad5b-d9cb-469f-a165-70867728950{end}");
    let table = |end: u32| format!("d/acme/20260301-20260331/{}/part_0.csv", guid(end));
    let manifest = |end: u32| format!("d/acme/20260301-20260331/{}/manifest.json", guid(end));
    let text = |end: u32, day: u32| {
        format!(
            r#"{{"blobCount": 1, "exportConfig": {{"type": "AmortizedCost"}},
               "runInfo": {{"submittedTime": "2026-03-0{day}T03:00:00Z"}},
               "blobs": [{{"blobName": "{}", "byteCount": 9}}]}}"#,
            table(end)
        )
    };
    let (one, two) = (table(1), table(2));
    let (first, second) = (manifest(1), manifest(2));
    let (later, earlier) = (text(1, 9), text(2, 4));
    let manifests =
        [(first.as_str(), "2026-01-01", later.as_str()), (second.as_str(), "2026-09-01", &earlier)];
    let chosen = outcome(&[&one, &two], Some(&manifests), None).unwrap();
    assert_eq!(shown(&chosen).0, [format!("{one} of 2026-03-01")]);
    assert_eq!(chosen.tables[0].kind.as_deref(), Some("AmortizedCost"));
    // Without manifests nothing orders them.
    let (message, hint) = refusal(outcome(&[&one, &two], None, None));
    assert!(message.contains("adding them up would count it twice"), "{message}");
    assert_eq!(hint, "grants = [\"table-decode\", \"file\"]");
}

#[test]
fn older_exports_have_one_file_for_each_run() {
    let file = |end: u32| {
        format!("acme/20260301-20260331/acme_0f8fad5b-d9cb-469f-a165-70867728950{end}.csv")
    };
    let tables = [file(1), file(2)];
    let entries = [("2026-03-04T03:00:00Z", 0), ("2026-03-03T03:00:00Z", 1)].map(|(at, table)| {
        Entry { name: tables[table].clone(), size: 1, modified: Some(at.into()) }
    });
    let read = |_: &str| Ok(Vec::new());
    let chosen = choose(&tables, Some(Files { entries: &entries, read: &read }), None).unwrap();
    assert_eq!(shown(&chosen).0, [format!("{} of 2026-03-01", tables[0])]);
    assert!(refusal(choose(&tables, None, None)).1.contains("file"));
}

#[test]
fn assemblies_without_the_power_file_are_refused_with_the_line_to_add() {
    let tables = [
        "in/report/20260301-20260401/aaaa-old/report-1.csv.gz",
        "in/report/20260301-20260401/bbbb-new/report-1.csv.gz",
    ];
    let (message, hint) = refusal(outcome(&tables, None, None));
    assert_eq!(
        message,
        "in/report/20260301-20260401/aaaa-old and in/report/20260301-20260401/bbbb-new are runs \
         of the same period, and adding them up would count it twice: nothing says which is the \
         newer one"
    );
    assert_eq!(hint, "grants = [\"table-decode\", \"file\"]");
    let tables = [
        "s3://b/report/20260301-20260401/aaaa-old/report-1.csv.gz",
        "s3://b/report/20260301-20260401/report-1.csv.gz",
    ];
    assert_eq!(
        refusal(outcome(&tables, None, None)).1,
        "grants = [\"table-decode\", \"object-store\", \"file\"]"
    );
    // With the power, but without manifests and times, a path has to say it.
    assert_eq!(
        refusal(outcome(&tables, Some(&[]), None)).1,
        "paths = [\"s3://b/report/20260301-20260401/aaaa-old\"]"
    );
}

#[test]
fn the_manifest_of_the_period_wins_over_those_of_assemblies() {
    let tables = [
        "s3://b/p/r/20260301-20260401/old/r-1.csv.gz",
        "s3://b/p/r/20260301-20260401/new/r-1.csv.gz",
        "s3://b/p/r/20260401-20260501/a/r-1.csv.gz",
    ];
    let old = r#"{"reportKeys": ["p/r/20260301-20260401/old/r-1.csv.gz"]}"#;
    let new = r#"{"reportKeys": ["/p/r/20260301-20260401/new/r-1.csv.gz"],
        "billingPeriod": {"start": "20260301T000000.000Z", "end": "20260401T000000.000Z"}}"#;
    let read = [format!("{} of 2026-03-01", tables[1]), format!("{} of 2026-04-01", tables[2])];
    let left_out = [format!("s3://b/p/r/20260301-20260401/old: {NEWER}")];
    for manifests in [
        [
            ("s3://b/p/r/20260301-20260401/r-Manifest.json", "2026-04-03", new),
            ("s3://b/p/r/20260301-20260401/old/r-Manifest.json", "2026-04-04", old),
        ],
        // Without the period's own manifest, the later one counts.
        [
            ("s3://b/p/r/20260301-20260401/new/r-Manifest.json", "2026-04-05", new),
            ("s3://b/p/r/20260301-20260401/old/r-Manifest.json", "2026-04-04", old),
        ],
    ] {
        assert_eq!(counted(&tables, &manifests), (read.to_vec(), left_out.to_vec()));
    }
}

#[test]
fn a_prefix_that_was_synced_to_a_folder_is_understood() {
    let tables = [
        "in/report/20260301-20260401/aaaa-old/report-1.csv.gz",
        "in/report/20260301-20260401/bbbb-new/report-1.csv.gz",
        "in/report/20260301-20260401/bbbb-new/report-2.csv.gz",
    ];
    let key = |end: &str| format!("\"finance/cur/report/20260301-20260401/{end}.csv.gz\"");
    let old = format!(r#"{{"reportKeys": [{}]}}"#, key("aaaa-old/report-1"));
    let new = format!(
        r#"{{"reportKeys": [{}, {}]}}"#,
        key("bbbb-new/report-1"),
        key("bbbb-new/report-2")
    );
    let manifests = [
        ("in/report/20260301-20260401/aaaa-old/report-Manifest.json", "", old.as_str()),
        ("in/report/20260301-20260401/bbbb-new/report-Manifest.json", "", new.as_str()),
        ("in/report/20260301-20260401/report-Manifest.json", "", new.as_str()),
    ];
    let (read, left_out) = counted(&tables, &manifests);
    assert_eq!(
        read,
        [format!("{} of 2026-03-01", tables[1]), format!("{} of 2026-03-01", tables[2])]
    );
    assert_eq!(left_out, [format!("in/report/20260301-20260401/aaaa-old: {NEWER}")]);
}

#[test]
fn executions_of_data_exports_replace_each_other_with_and_without_manifests() {
    let data = |execution: &str, part: u32| {
        format!("s3://b/x/e/data/BILLING_PERIOD=2026-03/{execution}/e-0000{part}.snappy.parquet")
    };
    let first = data("20260401T010101.000Z-a", 1);
    let (second, third) = (data("20260402T010101.000Z-b", 1), data("20260402T010101.000Z-b", 2));
    let tables = [first.as_str(), second.as_str(), third.as_str()];
    let old = format!(r#"{{"executionId": "a", "dataFiles": ["{first}"]}}"#);
    let new = format!(r#"{{"executionId": "b", "dataFiles": ["{second}", "{third}"]}}"#);
    let manifest = |execution: &str| {
        format!("s3://b/x/e/metadata/BILLING_PERIOD=2026-03/{execution}/e-Manifest.json")
    };
    let (early, late) = (manifest("20260401T010101.000Z-a"), manifest("20260402T010101.000Z-b"));
    // The folders' names give the time of the executions. When files were copied does not matter.
    let manifests =
        [(late.as_str(), "2026-01-01", new.as_str()), (early.as_str(), "2026-09-01", old.as_str())];
    let read = vec![format!("{second} of 2026-03-01"), format!("{third} of 2026-03-01")];
    let left_out =
        vec![format!("s3://b/x/e/data/BILLING_PERIOD=2026-03/20260401T010101.000Z-a: {NEWER}")];
    assert_eq!(counted(&tables, &manifests), (read.clone(), left_out.clone()));
    assert_eq!(without_file(&tables), (read, left_out));
}

#[test]
fn the_newest_complete_run_stands_in_for_one_that_is_not() {
    let tables = [
        "in/acme/20260301-20260331/202603030310/a/part_0.csv",
        "in/acme/20260301-20260331/202603040310/b/part_0.csv",
    ];
    let key = |end: &str| format!("{{\"blobName\": \"acme/20260301-20260331/{end}.csv\"}}");
    let good = format!(r#"{{"blobs": [{}]}}"#, key("202603030310/a/part_0"));
    let names = [
        "in/acme/20260301-20260331/202603030310/a/manifest.json",
        "in/acme/20260301-20260331/202603040310/b/manifest.json",
    ];
    let (b, part) = (key("202603040310/b/part_0"), key("202603040310/b/part_1"));
    let missing = "acme/20260301-20260331/202603040310/b/part_1.csv";
    for (text, why) in [
        (
            format!(r#"{{"blobs": [{b}, {part}]}}"#),
            format!("its manifest names {missing}, which is not among the files of the source"),
        ),
        (
            format!(r#"{{"blobs": [{b}], "blobCount": 2}}"#),
            "its manifest cannot be relied on: it counts 2 files and names 1".into(),
        ),
        (
            format!(r#"{{"blobs": [{b}], "blobCount": -1}}"#),
            "its manifest cannot be relied on: its blobCount is -1, which is no count".into(),
        ),
        (r#"{"blobs": []}"#.into(), "its manifest names no files".into()),
        ("{}".into(), "its manifest names no files".into()),
    ] {
        let manifests = [(names[0], "", good.as_str()), (names[1], "", text.as_str())];
        let (read, left_out) = counted(&tables, &manifests);
        assert_eq!(read, [format!("{} of 2026-03-01", tables[0])], "{text}");
        assert_eq!(left_out, [format!("in/acme/20260301-20260331/202603040310/b: {why}")]);
        // Where no run is complete, the source is refused.
        let (message, _) = refusal(outcome(&tables[1..], Some(&manifests[1..]), None));
        assert_eq!(
            message,
            format!("in/acme/20260301-20260331/202603040310/b is not complete: {why}")
        );
    }
    let manifests = [(names[0], "", good.as_str()), (names[1], "", "{\"blobs\": [")];
    let (read, left_out) = counted(&tables, &manifests);
    assert_eq!(read.len(), 1);
    assert!(left_out[0].contains("it is not JSON"), "{left_out:?}");
}

#[test]
fn a_report_that_is_not_complete_is_not_read_at_all() {
    let refused = |text: &str| {
        refusal(outcome(
            &["p/20260301-20260401/r-1.csv"],
            Some(&[("p/20260301-20260401/r-Manifest.json", "", text)]),
            None,
        ))
    };
    let both = r#"{"reportKeys": ["p/20260301-20260401/r-1.csv", "p/20260301-20260401/r-2.csv"]}"#;
    assert_eq!(
        refused(both),
        (
            "p/20260301-20260401 is not complete: its manifest names p/20260301-20260401/r-2.csv, \
             which is not among the files of the source"
                .into(),
            "later".into()
        )
    );
    assert!(refused("{").0.contains("it is not JSON"));
    assert!(refused("{}").0.contains("its manifest names no files"));
    let of_another_month = r#"{"reportKeys": ["p/20260301-20260401/r-1.csv"],
        "billingPeriod": {"start": "20260201T000000.000Z"}}"#;
    assert_eq!(
        refused(of_another_month).0,
        "p/20260301-20260401 is not complete: its manifest is of 2026-02-01, and its folder of \
         2026-03-01"
    );
}

#[test]
fn an_older_assembly_does_not_stand_in_for_files_that_are_missing() {
    // The new assembly's file has the same name as the old one's, and is not there.
    let tables = ["p/r/20260301-20260401/old/r-1.csv"];
    let new = r#"{"reportKeys": ["p/r/20260301-20260401/new/r-1.csv"]}"#;
    let manifests = [("p/r/20260301-20260401/r-Manifest.json", "", new)];
    let (message, _) = refusal(outcome(&tables, Some(&manifests), None));
    assert!(message.contains("names p/r/20260301-20260401/new/r-1.csv, which is not"), "{message}");
}

#[test]
fn two_manifests_of_one_assembly_must_agree() {
    let tables = ["p/r/20260301-20260401/a/r-1.csv", "p/r/20260301-20260401/a/r-2.csv"];
    let one = r#"{"assemblyId": "a", "reportKeys": ["p/r/20260301-20260401/a/r-1.csv"]}"#;
    let both = r#"{"assemblyId": "a", "reportKeys":
        ["p/r/20260301-20260401/a/r-1.csv", "p/r/20260301-20260401/a/r-2.csv"]}"#;
    let names =
        ["p/r/20260301-20260401/r-Manifest.json", "p/r/20260301-20260401/a/r-Manifest.json"];
    let (message, _) =
        refusal(outcome(&tables, Some(&[(names[0], "", one), (names[1], "", both)]), None));
    assert!(message.contains("two manifests of a name different files"), "{message}");
    let agreed = counted(&tables, &[(names[0], "", both), (names[1], "", both)]);
    assert_eq!((agreed.0.len(), agreed.1.len()), (2, 0));
}

#[test]
fn a_month_whose_files_have_expired_is_left_out_and_said() {
    let tables = ["r/20260301-20260401/a/r-1.csv"];
    let old = r#"{"reportKeys": ["r/20260201-20260301/a/r-1.csv"]}"#;
    let new = r#"{"reportKeys": ["r/20260301-20260401/a/r-1.csv"]}"#;
    let (read, left_out) = counted(
        &tables,
        &[
            ("r/20260201-20260301/r-Manifest.json", "", old),
            ("r/20260301-20260401/r-Manifest.json", "", new),
        ],
    );
    assert_eq!(read, [format!("{} of 2026-03-01", tables[0])]);
    assert_eq!(
        left_out,
        ["r/20260201-20260301: its manifest names r/20260201-20260301/a/r-1.csv, which is not \
          among the files of the source"]
    );
}

#[test]
fn a_copy_without_folders_is_understood_by_file_names() {
    let tables = ["bills/r-1.csv.gz", "bills/r-2.csv.gz", "other/x.csv"];
    let manifest = r#"{"reportKeys": ["/p/r/20260301-20260401/id/r-1.csv.gz"]}"#;
    let (read, left_out) = counted(&tables, &[("bills/r-Manifest.json", "2026-04-03", manifest)]);
    assert_eq!(read, ["bills/r-1.csv.gz of 2026-03-01", "other/x.csv"]);
    assert_eq!(left_out, ["bills/r-2.csv.gz: no manifest beside it names it"]);
    // Parquet files of CUR 1.0 lie in folders of year and month, beside the manifests' folder.
    let tables = ["p/r/r/year=2026/month=3/r-1.parquet", "p/r/r/year=2026/month=3/r-2.parquet"];
    let manifest = r#"{"reportKeys": ["p/r/r/year=2026/month=3/r-1.parquet"]}"#;
    let (read, left_out) =
        counted(&tables, &[("p/r/20260301-20260401/r-Manifest.json", "", manifest)]);
    assert_eq!(read, [format!("{} of 2026-03-01", tables[0])]);
    assert_eq!(left_out.len(), 1);
    // A `manifest.json` of something else says nothing.
    let (read, left_out) = counted(&["web/x.csv"], &[("web/manifest.json", "", "{\"name\": 1}")]);
    assert_eq!((read, left_out), (texts(&["web/x.csv"]), Vec::new()));
}

#[test]
fn days_that_two_deliveries_of_an_export_have_are_refused() {
    let week = |days: &str| format!("acme/{days}/202603080310/a/part_0.csv");
    let (one, two) = (week("20260301-20260307"), week("20260302-20260308"));
    assert_eq!(
        refusal(outcome(&[&one, &two], None, None)).0,
        "acme has two deliveries with the same days, which would be counted twice: 2026-03-01 to \
         2026-03-07 and 2026-03-02 to 2026-03-08"
    );
    let next = week("20260308-20260314");
    assert_eq!(without_file(&[&one, &next]).0.len(), 2);
}

#[test]
fn a_report_can_be_named() {
    let tables = ["b/cur2/data/BILLING_PERIOD=2026-03/c.csv", "b/r/20260301-20260401/a/r-1.csv"];
    let chosen = outcome(&tables, None, Some("r")).unwrap();
    let asked = "the setting `report` asks for r alone";
    assert_eq!(
        shown(&chosen),
        (
            vec![format!("{} of 2026-03-01", tables[1])],
            vec![format!("b/cur2/data/BILLING_PERIOD=2026-03: {asked}")]
        )
    );
    assert_eq!(
        refusal(outcome(&tables, None, Some("cur"))),
        (
            "the setting `report` names cur, and no file is of that export".into(),
            "report = \"cur2\"".into()
        )
    );
}

/// The names of the deliveries that count, with their billing periods.
fn counting_deliveries(chosen: &DeliveryChoice) -> Vec<String> {
    let counts = chosen.deliveries.iter().filter(|delivery| delivery.left_out.is_none());
    let shown = |delivery: &Delivery| {
        format!("{} of {}", delivery.name, delivery.billing_period.as_deref().unwrap_or("-"))
    };
    counts.map(shown).collect()
}

#[test]
fn a_delivery_goes_with_the_last_of_its_tables() {
    let sheet = r#"{"exportConfig": {"type": "PriceSheet"},
        "blobs": [{"blobName": "x/sheet/20260201-20260228/a/part_0.csv"}]}"#;
    let bill = r#"{"exportConfig": {"type": "ActualCost"}, "blobs": [
        {"blobName": "x/20260301-20260331/a/p_0.csv"},
        {"blobName": "x/20260301-20260331/a/p_1.csv"}]}"#;
    // Both manifests stand in no folder of a period, so their own names are the deliveries'.
    let manifests = [("sheet/manifest.json", "", sheet), ("bill/manifest.json", "", bill)];
    let tables = ["sheet/part_0.csv", "bill/p_0.csv", "bill/p_1.csv", "loose.csv"];
    let mut chosen = outcome(&tables, Some(&manifests), None).unwrap();
    let (of_bill, of_sheet) =
        ("bill/manifest.json of 2026-03-01", "sheet/manifest.json of 2026-02-01");
    assert_eq!(counting_deliveries(&chosen), [of_bill, of_sheet]);
    chosen.drop_tables("no costs", |table| table.kind.as_deref() == Some("PriceSheet"));
    assert_eq!(counting_deliveries(&chosen), [of_bill]);
    assert_eq!(shown(&chosen).1, ["sheet/manifest.json: no costs"]);
    chosen.drop_tables("odd", |table| table.table == "bill/p_1.csv");
    assert_eq!(counting_deliveries(&chosen), [of_bill]);
    chosen.drop_tables("odd", |table| table.table == "loose.csv");
    chosen.drop_tables("even", |table| table.table == "bill/p_0.csv");
    assert_eq!(counting_deliveries(&chosen), Vec::<String>::new());
    assert_eq!(
        shown(&chosen),
        (
            Vec::new(),
            texts(&[
                "sheet/manifest.json: no costs",
                "bill/p_1.csv: odd",
                "loose.csv: odd",
                "bill/manifest.json: even",
            ])
        )
    );
}
