//! `explain`: from an amount to the charges behind it.

mod resource_text;
mod summary_text;

use crate::args::{AxisName, Format, GlobalArgs, PeriodArgs};
use crate::error::Failure;
use crate::query;
use crate::ui::{Ui, document_text};
use domain::account::Account;
use domain::money::Currency;
use domain::period::Period;
use domain::port::RuleFacts;
use domain::recipient::Recipient;
use installation::amount_text::counted;
use installation::ledger_file;
use installation::rules;
use installation::settings::Need;
use reports::explain::answer::{
    Correction, EntryFacts, ExplainedAccount, ExplainedRule, ExplainedSource, ExplainedWeights,
    Explanation, Subject,
};
use reports::explain::document::ExplanationDocument;
use reports::explain::query::{ExplainDepth, ExplainQuery};
use resource_text::resource_lines;

#[derive(clap::Args, Debug)]
pub struct ExplainArgs {
    /// A team, a resource id, or entry:ID
    #[arg(value_name = "WHAT")]
    pub what: String,
    /// Only charges of this service: with a team and a month, a line of its invoice
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    #[command(flatten)]
    pub period: PeriodArgs,
    /// The days that all of the answer goes by
    #[arg(long, value_enum, default_value_t)]
    pub axis: AxisName,
    /// How much is said [default: resources of a resource, else summary]
    #[arg(long, value_enum)]
    pub depth: Option<DepthName>,
    /// How the explanation is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthName {
    /// The parts by rule, pool and correction, and the ten largest resources
    Summary,
    /// And how each rule spread shared costs, on the latest days
    Rules,
    /// And the largest resources of each rule, with what it read of them
    Resources,
    /// All resources, and all days of shared costs
    All,
}

/// The largest total of weights with which a fraction is read at a glance.
const FRACTION_SHOWN: u64 = 1_000;
/// Enough of a digest to tell versions apart.
const DIGEST_SHOWN: usize = 12;

pub fn explain(ui: Ui, global: &GlobalArgs, args: &ExplainArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let period = query::period(&args.period)?.unwrap_or(Period::all());
    let (what, service_name) = (args.what.clone(), args.service.clone());
    let axis = args.axis.into();
    let asked = ExplainQuery { what, service_name, axis, period, depth: depth_of(args) };
    let ledger = ledger_file::reader(&settings)?;
    let rules_of =
        |facts: &[RuleFacts], tables: &[(String, String)]| rules::stored(&settings, facts, tables);
    let explanation = reports::explain::read::explain(&ledger, &asked, &rules_of)?;
    match args.format {
        Format::Text => ui.data(&ui.lines(&lines_of(ui, &explanation)))?,
        Format::Json => ui.data(&document_text(&ExplanationDocument::from(&explanation)))?,
    }
    if args.format == Format::Text && !explanation.accounts.is_empty() {
        more(ui, explanation.depth);
    }
    Ok(())
}

fn depth_of(args: &ExplainArgs) -> Option<ExplainDepth> {
    args.depth.map(|depth| match depth {
        DepthName::Summary => ExplainDepth::Summary,
        DepthName::Rules => ExplainDepth::Rules,
        DepthName::Resources => ExplainDepth::Resources,
        DepthName::All => ExplainDepth::All,
    })
}

/// The way to see more, where most is left out.
fn more(ui: Ui, depth: ExplainDepth) {
    let resources = "`--depth resources` shows the resources of each rule and what it read of them";
    match depth {
        ExplainDepth::Summary => {
            ui.note(&format!("`--depth rules` shows how shared costs were spread; {resources}"));
        }
        ExplainDepth::Rules => ui.note(resources),
        ExplainDepth::Resources | ExplainDepth::All => {}
    }
}

fn lines_of(ui: Ui, explanation: &Explanation) -> Vec<String> {
    let service =
        explanation.service_name.as_ref().map_or(String::new(), |service| format!(", {service}"));
    let mut lines = vec![ui.bold(&format!(
        "{}{service}, {}, {}",
        subject_text(&explanation.subject),
        query::shown(explanation.period),
        explanation.axis.words()
    ))];
    if let Subject::Entry(entry) = &explanation.subject {
        lines.extend(entry_lines(entry));
    }
    lines.extend(
        explanation.totals.iter().map(|(currency, total)| format!("total: {total} {currency}")),
    );
    for account in &explanation.accounts {
        end_block(&mut lines);
        lines.extend(account_lines(ui, account, explanation.depth));
    }
    end_block(&mut lines);
    lines.extend(explanation.sources.iter().map(source_line));
    lines.push(String::new());
    lines
}

/// One empty line between two blocks.
fn end_block(lines: &mut Vec<String>) {
    if lines.last().is_some_and(|line| !line.is_empty()) {
        lines.push(String::new());
    }
}

/// The summary, and the rules one by one below it.
fn account_lines(ui: Ui, account: &ExplainedAccount, depth: ExplainDepth) -> Vec<String> {
    let currency = account.currency;
    let mut lines = vec![format!("{}: {} {currency}", account.account, account.amount)];
    if account.rules.iter().any(|rule| rule.correction.is_some()) {
        let sum = account.corrections();
        lines.push(format!("  of this, corrections of earlier months: {sum} {currency}"));
    }
    // What stands below says the same of one rule.
    if depth < ExplainDepth::Resources || account.rules.len() > 1 {
        for table in [summary_text::rules(account), summary_text::largest(account)] {
            let mut table = table.into_iter();
            lines.extend(table.next().map(|header| ui.bold(&header)));
            lines.extend(table);
            lines.push(String::new());
        }
    }
    if depth > ExplainDepth::Summary {
        lines.extend(account.rules.iter().flat_map(|rule| rule_lines(rule, currency, depth)));
    }
    lines
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Account(account) => account.to_string(),
        Subject::Resource(name) => format!("resource {name}"),
        Subject::Entry(entry) => format!("entry {}", entry.id.0),
    }
}

fn entry_lines(entry: &EntryFacts) -> Vec<String> {
    let day = &entry.source_day;
    let mut lines = vec![
        format!(
            "{} of {} on {}, posted on {} by run {}",
            entry.kind.name(),
            day.source,
            day.day,
            entry.posting_day,
            entry.run.0
        ),
        format!("chain: {}", entry.hash),
    ];
    lines.extend(entry.reverses.map(|other| format!("takes back entry {}", other.0)));
    lines.extend(entry.reversed_by.map(|other| format!("taken back by entry {}", other.0)));
    lines.extend(entry.postings.iter().map(|posting| {
        let service =
            posting.service_name.as_deref().map_or(String::new(), |service| format!("  {service}"));
        format!("  {} {}  {}{service}", posting.amount, day.currency, posting.account)
    }));
    if !entry.stands {
        lines.push("it does not count any more; it is explained as it was posted".into());
    }
    lines
}

/// `by shared/support (f0b1c2d3e4f5)`, with the month that it corrects.
fn rule_title(rule: &ExplainedRule) -> String {
    let correction = correction_text(rule.correction);
    match &rule.version {
        Some(version) => {
            let digest: String = version.digest.chars().take(DIGEST_SHOWN).collect();
            format!("{correction}by {} ({digest})", version.rule)
        }
        None => format!("{correction}by no rule"),
    }
}

fn rule_lines(rule: &ExplainedRule, currency: Currency, depth: ExplainDepth) -> Vec<String> {
    let doc = if rule.doc.is_empty() { String::new() } else { format!(": {}", rule.doc) };
    let mut lines = vec![
        format!("  {}{doc}", rule_title(rule)),
        format!("    {} {currency} of {}", rule.amount, counted(rule.charges, "charge", "charges")),
    ];
    lines.extend(rule.resources.iter().flat_map(|resource| resource_lines(resource, currency)));
    if rule.rest_resources > 0 && depth >= ExplainDepth::Resources {
        lines.push(format!(
            "    {} {currency}  {} more resources",
            rule.rest_amount, rule.rest_resources
        ));
    }
    lines.extend(rule.weights.iter().map(|weights| {
        format!("    spread on {}, {}: {}", weights.day, weights.decision, weights_text(weights))
    }));
    lines
}

fn correction_text(correction: Option<Correction>) -> String {
    correction.map_or(String::new(), |Correction { charge_month, way }| {
        format!("correction of {charge_month}, {}, ", way.name())
    })
}

/// The percentage of each recipient, after the exact fraction where a person can read that. JSON
/// has every fraction.
fn weights_text(weights: &ExplainedWeights) -> String {
    let total = weights.total.unsigned_abs().max(1);
    let share = |(recipient, weight): &(Recipient, i64)| {
        let (name, percent) = (recipient_text(recipient), percent_text(*weight, total));
        match total <= FRACTION_SHOWN {
            true => format!("{name} {weight}/{} ({percent})", weights.total),
            false => format!("{name} {percent}"),
        }
    };
    weights.weights.iter().map(share).collect::<Vec<_>>().join(", ")
}

/// A share of more than nothing is never shown as nothing.
fn percent_text(weight: i64, total: u64) -> String {
    let (size, total) = (u128::from(weight.unsigned_abs()), u128::from(total));
    let basis_points = (size * 10_000 + total / 2) / total;
    let sign = if weight < 0 { "-" } else { "" };
    match basis_points {
        0 if size > 0 => "nearly 0 %".to_owned(),
        _ => format!("{sign}{}.{:02} %", basis_points / 100, basis_points % 100),
    }
}

fn recipient_text(recipient: &Recipient) -> String {
    recipient
        .target()
        .map_or_else(|| Account::of(recipient).to_string(), |target| target.team.clone())
}

fn source_line(source: &ExplainedSource) -> String {
    let plugin = &source.plugin;
    format!(
        "from {}: {} {}, collected by {} {} ({})",
        source.source, source.amount, source.currency, plugin.name, plugin.version, plugin.digest
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::period::Period;

    /// A window weighs by amounts, whose fractions nobody reads.
    #[test]
    fn shares_are_percentages_and_short_fractions() {
        let shown = |weights: &[(&str, i64)]| {
            weights_text(&ExplainedWeights {
                day: Period::all().start(),
                decision: "by_cost all teams window month".into(),
                weights: weights.iter().map(|(team, it)| (Recipient::team(*team), *it)).collect(),
                total: weights.iter().map(|(_, weight)| weight).sum(),
            })
        };
        assert_eq!(shown(&[("a", 1), ("b", 3)]), "a 1/4 (25.00 %), b 3/4 (75.00 %)");
        assert_eq!(shown(&[("a", 8), ("b", -3)]), "a 8/5 (160.00 %), b -3/5 (-60.00 %)");
        assert_eq!(
            shown(&[("a", 41_938_473_829), ("b", 51_908_910_055), ("c", 1)]),
            "a 44.69 %, b 55.31 %, c nearly 0 %"
        );
        assert_eq!(shown(&[("a", 2_001), ("b", -1), ("c", 0)]), "a 100.05 %, b -0.05 %, c 0.00 %");
    }
}
