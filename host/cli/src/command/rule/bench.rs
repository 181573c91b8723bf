//! `rule bench`: the work of each rule on the ledger's resources.

use crate::args::Format;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Period;
use installation::amount_text::{counted, grouped};
use installation::ledger_file;
use installation::rules;
use installation::settings::Settings;
use reports::code;
use rule_engine::bench::{self, RuleWork};
use serde_json::{Value, json};
use std::time::Instant;

pub fn bench(ui: Ui, settings: &Settings, format: Format) -> Result<(), Failure> {
    let ledger = ledger_file::reader(settings)?;
    let dictionary = ledger.dictionary()?;
    let last =
        ledger.source_days(Period::all())?.into_iter().map(|stored| stored.source_day.day).max();
    let Some(day) = last else {
        return Err(Diagnostic::new(
            code::NOTHING_TO_EXPLAIN,
            "the ledger has no charges to run the rules on",
        )
        .hint(Hint::command("run"))
        .into());
    };
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let work =
        bench::run(&settings.rules.value, &rules::rule_options(settings), &dictionary, day, &now)?;
    let resources = dictionary.resource_count();
    if format == Format::Json {
        let rules = work.iter().map(work_json).collect::<Value>();
        return Ok(ui.data(&json_text(
            &json!({ "resources": resources, "day": day.to_string(), "rules": rules }),
        ))?);
    }
    let (header, body) = table(&work).parts();
    ui.data(&format!("{}\n{body}\n", ui.bold(&header)))?;
    let keys: u64 = work.iter().map(|rule| rule.keys).sum();
    ui.note(&format!(
        "{} on {day}, {} of a rule",
        counted(resources as u64, "resource", "resources"),
        counted(keys, "run", "runs")
    ));
    Ok(())
}

fn table(work: &[RuleWork]) -> Table {
    let right = |name: &str| (name.to_owned(), Align::Right);
    let left = |name: &str| (name.to_owned(), Align::Left);
    let mut table = Table::new([
        left("rule"),
        right("asked"),
        right("keys"),
        right("remembered"),
        right("calls"),
        right("operations"),
        right("each"),
        right("µs"),
        left("widest read"),
    ]);
    for rule in work {
        let widest = rule.reads.first().map_or("-".to_owned(), |(name, values)| {
            format!("{name}: {}", counted(*values as u64, "value", "values"))
        });
        let number = |number: u64| grouped(&number.to_string());
        table.row(vec![
            rule.rule.clone(),
            number(rule.asked),
            number(rule.keys),
            remembered(rule).unwrap_or_else(|| "-".into()),
            number(rule.calls),
            number(rule.operations),
            rule.operations.checked_div(rule.keys).map_or("-".into(), number),
            number(rule.nanos.div_ceil(1000)),
            if rule.per_charge {
                format!("{widest}, and asked for each charge or day")
            } else {
                widest
            },
        ]);
    }
    table
}

/// The part of the questions that the memo answered, in tenths of a percent.
fn remembered(rule: &RuleWork) -> Option<String> {
    let tenths = (rule.asked - rule.keys).checked_mul(1000)?.checked_div(rule.asked)?;
    Some(format!("{}.{} %", tenths / 10, tenths % 10))
}

fn work_json(rule: &RuleWork) -> Value {
    let reads = rule.reads.iter().map(|(name, values)| json!({ "name": name, "values": values }));
    json!({
        "rule": rule.rule,
        "asked": rule.asked,
        "keys": rule.keys,
        "remembered": remembered(rule),
        "calls": rule.calls,
        "operations": rule.operations,
        "nanoseconds": rule.nanos,
        "reads": reads.collect::<Value>(),
        "per_charge": rule.per_charge,
    })
}
