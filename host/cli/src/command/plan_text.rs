//! A plan as text: tables of the teams that bear more and less, then the reasons.

use super::run::conservation_lines;
use crate::query;
use crate::table::{Align, Table};
use crate::ui::Ui;
use domain::money::{Currency, Sum};
use installation::amount_text::{counted, decimals, grouped, money, moneys};
use installation::plan_summary::plan_summary;
use pipeline::apply::short;
use pipeline::history::Changes;
use pipeline::plan::moves::RuleMove;
use pipeline::plan::redecided::{ResourceChange, RuleChange, Ruling};
use pipeline::plan::{Change, Plan};
use std::collections::BTreeSet;

/// Teams of a rule that are shown by name.
const TEAMS_SHOWN: usize = 10;

pub fn text_of(ui: Ui, plan: &Plan) -> String {
    let mut blocks = vec![head(plan)];
    for (name, changes) in [("team", &plan.teams), ("service_name", &plan.services)] {
        let currencies: BTreeSet<Currency> = changes
            .iter()
            .filter(|change| !change.change().is_zero())
            .map(|change| change.currency)
            .collect();
        blocks.extend(currencies.into_iter().map(|currency| table(ui, name, changes, currency)));
    }
    blocks.extend(by_rule(ui, plan));
    blocks.insert(1, ui.lines(&causes(plan)));
    blocks.push(ui.lines(&reasons(plan)));
    blocks.push(foot(plan).join("\n"));
    blocks.retain(|block| !block.is_empty());
    format!("{}\n", blocks.join("\n\n"))
}

fn head(plan: &Plan) -> String {
    let instead = match &plan.generation_before {
        Some(before) if *before != plan.generation => format!(" instead of {}", short(before)),
        _ => ", which the ledger stands by already".into(),
    };
    let known = plan.as_of.map_or_else(String::new, |day| format!(", as known on {day}"));
    let size = format!(
        "{} of {}",
        counted(plan.charges, "charge", "charges"),
        counted(plan.source_days, "source-day", "source-days")
    );
    let moves = match (plan.moves_money(), plan.as_of) {
        (false, _) => "",
        (true, None) => "moves ",
        (true, Some(_)) => "changes ",
    };
    format!(
        "rules {}{instead}; {}{known}: {size}\n{moves}{}; {} would be posted and {} reversed",
        short(&plan.generation),
        query::shown(plan.period),
        plan_summary(plan),
        counted(plan.entries_posted, "entry", "entries"),
        plan.entries_reversed
    )
}

/// Those that change, the others in one line, and the total of all.
fn table(ui: Ui, name: &str, changes: &[Change], currency: Currency) -> String {
    let (changed, same): (Vec<&Change>, Vec<&Change>) = changes
        .iter()
        .filter(|change| change.currency == currency)
        .partition(|change| !change.change().is_zero());
    let amounts = changed
        .iter()
        .chain(&same)
        .flat_map(|change| [change.before, change.after, change.change()]);
    let decimals = amounts.map(|amount| decimals(currency, amount)).max().unwrap_or(0);
    let cells = |name: String, before: Sum, after: Sum| {
        [vec![name], amount_cells(decimals, before, after).to_vec()].concat()
    };
    let mut table = Table::new([
        (name.to_owned(), Align::Left),
        (format!("{currency} before"), Align::Right),
        (format!("{currency} after"), Align::Right),
        (format!("{currency} change"), Align::Right),
    ]);
    for change in &changed {
        table.row(cells(
            if change.name.is_empty() { "-".into() } else { change.name.clone() },
            change.before,
            change.after,
        ));
    }
    let sum = |changes: &[&Change], side: fn(&Change) -> Sum| -> Sum {
        changes.iter().map(|change| side(change)).sum()
    };
    if !same.is_empty() {
        table.row(cells(
            format!("({} unchanged)", same.len()),
            sum(&same, |change| change.before),
            sum(&same, |change| change.after),
        ));
    }
    let all: Vec<&Change> = changed.into_iter().chain(same).collect();
    table.total(cells(
        "total".into(),
        sum(&all, |change| change.before),
        sum(&all, |change| change.after),
    ));
    let (header, body) = table.parts();
    format!("{}\n{body}", ui.bold(&header))
}

/// The rules through which other money goes, each with the teams that bear more or less by it.
fn by_rule(ui: Ui, plan: &Plan) -> Vec<String> {
    let of = |change: &Change| change.currency;
    let moves = || plan.rule_moves.iter();
    let currencies: BTreeSet<Currency> = moves().flat_map(|it| it.teams.iter().map(of)).collect();
    currencies.into_iter().map(|currency| rule_table(ui, plan, currency)).collect()
}

fn rule_table(ui: Ui, plan: &Plan, currency: Currency) -> String {
    let of_currency = |rule: &RuleMove| -> Vec<Change> {
        rule.teams.iter().filter(|change| change.currency == currency).cloned().collect()
    };
    let all: Vec<Change> = plan.rule_moves.iter().flat_map(of_currency).collect();
    let amounts = all.iter().flat_map(|change| [change.before, change.after, change.change()]);
    let decimals = amounts.map(|amount| decimals(currency, amount)).max().unwrap_or(0);
    let mut table = Table::new([
        ("rule".to_owned(), Align::Left),
        ("stage".to_owned(), Align::Left),
        ("team".to_owned(), Align::Left),
        (format!("{currency} before"), Align::Right),
        (format!("{currency} after"), Align::Right),
        (format!("{currency} change"), Align::Right),
    ]);
    for rule in &plan.rule_moves {
        let mut changes = of_currency(rule);
        let others = changes.split_off(changes.len().min(TEAMS_SHOWN));
        changes.extend(rest(others, currency));
        for (at, change) in changes.iter().enumerate() {
            let (name, stage) = if at == 0 { (named(&rule.rule), rule.stage) } else { ("", "") };
            let mut cells = vec![name.to_owned(), stage.to_owned(), change.name.clone()];
            cells.extend(amount_cells(decimals, change.before, change.after));
            table.row(cells);
        }
    }
    let (header, body) = table.parts();
    format!("{}\n{body}", ui.bold(&header))
}

/// All that is not shown by name, in one line.
fn rest(others: Vec<Change>, currency: Currency) -> Option<Change> {
    let sum = |side: fn(&Change) -> Sum| -> Sum { others.iter().map(side).sum() };
    (!others.is_empty()).then(|| Change {
        name: format!("({} others)", others.len()),
        currency,
        before: sum(|change| change.before),
        after: sum(|change| change.after),
    })
}

/// Before, after and the change.
fn amount_cells(decimals: u32, before: Sum, after: Sum) -> [String; 3] {
    let shown = |amount: Sum| grouped(&amount.rounded_text(decimals));
    let change = after - before;
    let sign = if change > Sum::ZERO { "+" } else { "" };
    [shown(before), shown(after), format!("{sign}{}", shown(change))]
}

/// The files and settings that differ, and the sources that were read for it.
fn causes(plan: &Plan) -> Vec<String> {
    let Changes { added, removed, changed } = &plan.changes;
    let kinds = [("added", added), ("removed", removed), ("changed", changed)];
    let mut lines: Vec<String> = kinds
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{kind}: {}", names.join(", ")))
        .collect();
    if !plan.collected.is_empty() {
        lines.push(format!("collected anew for this plan: {}", plan.collected.join(", ")));
    }
    lines.extend(plan.uncollected.iter().map(|source| format!("not known: {source}")));
    lines
}

fn reasons(plan: &Plan) -> Vec<String> {
    let redecided = &plan.redecided;
    let mut lines = Vec::new();
    if redecided.resources > 0 {
        lines.push(format!(
            "decided otherwise: {}, {}, {}",
            counted(redecided.resources, "resource", "resources"),
            counted(redecided.charges, "charge", "charges"),
            moneys(&redecided.costs)
        ));
        lines.extend(redecided.by_rule.iter().map(rule_line));
        lines.push("the largest of them:".into());
        lines.extend(redecided.largest.iter().map(resource_line));
    }
    if !redecided.silent.is_empty() {
        lines.push(format!("rules that match nothing any more: {}", redecided.silent.join(", ")));
    }
    if !redecided.woken.is_empty() {
        lines.push(format!(
            "rules that match now and did not before: {}",
            redecided.woken.join(", ")
        ));
    }
    lines
}

fn named(rule: &str) -> &str {
    if rule.is_empty() { "no rule" } else { rule }
}

fn rule_line(change: &RuleChange) -> String {
    let rules = match change.before == change.after {
        true => format!("{}, otherwise than before", named(&change.after)),
        false => format!("{} → {}", named(&change.before), named(&change.after)),
    };
    format!(
        "  {rules}: {}, {}, {}",
        counted(change.resources, "resource", "resources"),
        counted(change.charges, "charge", "charges"),
        money(change.currency, change.cost)
    )
}

fn resource_line(change: &ResourceChange) -> String {
    let ruling = |ruling: &Ruling| format!("{} by {}", ruling.to, named(&ruling.rule));
    let service = if change.resource == change.service_name {
        String::new()
    } else {
        format!(" ({})", change.service_name)
    };
    let rulings = match change.before == change.after {
        true => format!("{}, shared otherwise", ruling(&change.after)),
        false => format!("{} → {}", ruling(&change.before), ruling(&change.after)),
    };
    format!("  {}{service}, {}: {rulings}", change.resource, money(change.currency, change.cost))
}

fn foot(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for month in &plan.closed {
        lines.push(format!(
            "{month} is closed: what changes there is posted in the next open month"
        ));
    }
    lines.extend(plan.suspense.iter().map(|diagnostic| format!("suspense: {diagnostic}")));
    lines.extend(plan.unresolved.iter().map(|diagnostic| format!("not passed on: {diagnostic}")));
    lines.extend(conservation_lines(&plan.conservation, plan.period));
    lines
}
