//! Text tables as programs and regions write them: encodings, line ends, numbers, dates, and what
//! stands around the table.

use crate::scene::Scene;
use serde_json::Value;

const HEADER: &str = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,\
                      ServiceName,ResourceId,Tags";

fn row(cost: &str, team: &str) -> String {
    format!(
        "{cost},{cost},EUR,2026-03-02T00:00:00Z,Usage,Compute,r-{team},\
         \"{{\"\"team\"\": \"\"{team}\"\"}}\""
    )
}

/// One source of a plugin over the folder `bills`, with more lines of settings.
fn scene(plugin: &str, settings: &str) -> Scene {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &format!(
            "[sources.bills]\nplugin = \"{plugin}\"\npaths = [\"bills\"]\n\
             grants = [\"table-decode\"]\n{settings}\n"
        ),
    );
    scene
}

/// Teams with their costs, in the ledger's order.
fn teams(scene: &Scene) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = scene.cost_rows("team");
    rows.iter().map(|row| (text(&row["keys"]["team"]), text(&row["cost"]["amount"]))).collect()
}

fn expect_teams(scene: &Scene, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(team, cost)| ((*team).into(), (*cost).into())).collect();
    assert_eq!(teams(scene), expected);
}

/// One byte for each character, as Latin-1 has it.
fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1")).collect()
}

#[test]
fn names_in_other_encodings_are_read_as_they_are_or_set_aside() {
    let text = format!("{HEADER}\n{}\n{}\n", row("10", "Zürich"), row("20", "Zörich"));
    let both = [("Zörich", "20.000000000"), ("Zürich", "10.000000000")];
    let strict = scene("focus-file", "");
    strict.write_bytes("bills/a.csv", &latin_1(&text));
    let run = strict.run("run").expect(3);
    assert!(run.stdout.contains("F204: bills/a.csv:2"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{FFFD}'), "{}", run.stdout);
    expect_teams(&strict, &[]);
    for encoding in ["latin-1", "windows-1252"] {
        let set = scene("focus-file", &format!("encoding = \"{encoding}\""));
        set.write_bytes("bills/a.csv", &latin_1(&text));
        set.run("run").expect(0);
        expect_teams(&set, &both);
    }
    // A byte order mark says it, whatever the settings say.
    for (mark, is_big) in [([0xFF, 0xFE], false), ([0xFE, 0xFF], true)] {
        let marked = scene("focus-file", "");
        let unit = |unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let bytes: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect();
        marked.write_bytes("bills/a.csv", &bytes);
        marked.run("run").expect(0);
        expect_teams(&marked, &both);
    }
}

#[test]
fn lines_may_end_in_any_of_the_three_ways() {
    for end in ["\n", "\r\n", "\r"] {
        let scene = scene("focus-file", "");
        let lines = [HEADER.to_owned(), row("10", "a"), row("20", "b"), String::new()];
        scene.write("bills/a.csv", &lines.join(end));
        scene.run("run").expect(0);
        expect_teams(&scene, &[("a", "10.000000000"), ("b", "20.000000000")]);
    }
}

#[test]
fn decimal_commas_are_read_by_their_setting_alone() {
    let text = [
        HEADER.to_owned(),
        row("\"1.234\"", "a"),
        row("\"-1.234.567,5\"", "b"),
        row("\"0,000000001\"", "c"),
        row("7", "d"),
        row("\"12.34\"", "e"),
        String::new(),
    ]
    .join("\n");
    let set = scene("focus-file", "decimal_comma = true");
    set.write("bills/a.csv", &text);
    // `12.34` groups no thousands.
    let run = set.run("run").expect(3);
    assert!(run.stdout.contains("bills/a.csv:6:"), "{}", run.stdout);
    expect_teams(
        &set,
        &[
            ("a", "1234.000000000"),
            ("b", "-1234567.500000000"),
            ("c", "0.000000001"),
            ("d", "7.000000000"),
        ],
    );
    // Without the setting, nothing of the file is guessed: commas beside `1.234` make it ambiguous.
    let plain = scene("focus-file", "");
    plain.write("bills/a.csv", &text);
    let check = plain.run("source check");
    let run = plain.run("run");
    for output in [check, run] {
        assert_ne!(output.code, 0, "{}", output.stdout);
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(all.contains("decimal_comma"), "{all}");
    }
    assert!(!teams(&plain).iter().any(|(team, _)| team == "a"), "{:?}", teams(&plain));
}

#[test]
fn lines_above_the_header_are_skipped_by_their_setting() {
    let above = "Cost report\nAccount;Acme\n\n";
    let text = format!("{above}{HEADER}\n{}\n", row("10", "a"));
    let plain = scene("focus-file", "");
    plain.write("bills/a.csv", &text);
    for command in ["source check", "run"] {
        let output = plain.run(command);
        assert_ne!(output.code, 0, "{command}: {}", output.stdout);
        assert!(output.stderr.contains("skip_lines = 3"), "{command}: {}", output.stderr);
    }
    let set = scene("focus-file", "skip_lines = 3");
    set.write("bills/a.csv", &text);
    set.run("run").expect(0);
    expect_teams(&set, &[("a", "10.000000000")]);
}

#[test]
fn a_second_byte_order_mark_is_no_part_of_a_name() {
    let scene = scene("focus-file", "");
    scene.write("bills/a.csv", &format!("\u{FEFF}\u{FEFF}{HEADER}\n{}\n", row("10", "a")));
    scene.run("run").expect(0);
    expect_teams(&scene, &[("a", "10.000000000")]);
}

#[test]
fn letters_beyond_the_first_plane_are_read_in_tags() {
    let scene = scene("focus-file", "");
    let lines = [HEADER.to_owned(), row("16", "\\ud83d\\ude80"), row("32", "\\uD83E\\uDD84 two")];
    scene.write("bills/a.csv", &lines.join("\n"));
    scene.run("run").expect(0);
    expect_teams(&scene, &[("🚀", "16.000000000"), ("🦄 two", "32.000000000")]);
}

#[test]
fn amounts_beyond_nine_thousand_million_are_exact() {
    let scene = scene("focus-file", "");
    // 2^63 nanos are 9,223,372,036.854775808.
    let lines = [
        HEADER.to_owned(),
        row("9223372036.854775807", "a"),
        row("9223372036.854775808", "b"),
        row("-123456789012.25", "c"),
    ];
    scene.write("bills/a.csv", &lines.join("\n"));
    scene.run("run").expect(0);
    expect_teams(
        &scene,
        &[
            ("a", "9223372036.854775807"),
            ("b", "9223372036.854775808"),
            ("c", "-123456789012.250000000"),
        ],
    );
    scene.run("ledger verify").expect(0);
}

const AZURE: &str = "SubscriptionId,ResourceGroup,Date,MeterCategory,CostInBillingCurrency,\
                     ResourceId,Tags,ChargeType,BillingCurrencyCode\n";

fn azure(days: &[&str]) -> String {
    let line = |day: &&str| format!("s-1,rg,{day},Storage,10,/x,,Usage,EUR\n");
    std::iter::once(AZURE.to_owned()).chain(days.iter().map(line)).collect()
}

#[test]
fn the_order_of_dates_is_what_the_whole_file_says() {
    let months = |scene: &Scene| -> Vec<String> {
        let costs = ["costs", "--granularity", "daily", "--group-by", "source", "--format", "json"];
        let json = scene.run_with(&costs, &[]).expect(0).json();
        let rows = json["costs"].as_array().expect("rows");
        rows.iter().map(|row| row["period_start"].as_str().expect("a day").to_owned()).collect()
    };
    let cases = [
        (["05/03/2026", "13/03/2026"], ["2026-03-05", "2026-03-13"]),
        (["03/05/2026", "03/13/2026"], ["2026-03-05", "2026-03-13"]),
    ];
    for (days, expected) in cases {
        let scene = scene("azure-cost", "");
        scene.write("bills/a.csv", &azure(&days));
        scene.run("run").expect(0);
        assert_eq!(months(&scene), expected);
    }
    let ambiguous = scene("azure-cost", "");
    ambiguous.write("bills/a.csv", &azure(&["05/03/2026", "12/03/2026"]));
    for command in ["source check", "run"] {
        let output = ambiguous.run(command);
        assert_ne!(output.code, 0, "{command}: {}", output.stdout);
        assert!(output.stderr.contains("date_order"), "{command}: {}", output.stderr);
    }
}
