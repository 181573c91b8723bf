//! The table of costs as text and as CSV.

use crate::args::GranularityName;
use crate::query;
use crate::table::{Align, Table, csv_line};
use crate::ui::Ui;
use domain::axis::Axis;
use domain::money::{Currency, Sum};
use domain::period::Month;
use installation::amount_text::{counted, grouped};
use reports::costs::query::{CostQuery, GroupBy};
use reports::costs::ranking::{CostSort, OtherRow};
use reports::costs::read::{CostRow, CostTable};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The axis that all figures go by. Then the part of the totals that corrects earlier months, and
/// the way to look at it.
fn axis_lines(table: &CostTable) -> String {
    let line = |(month, currency, amount): &(Month, Currency, Sum)| {
        let amount = grouped(&amount.rounded_text(currency.payable_decimals()));
        format!("of this, corrections of {month}: {amount} {currency}\n")
    };
    let corrections: String = table.corrections.iter().map(line).collect();
    let more = match corrections.is_empty() {
        true => "",
        false => "`--group-by team,charge_period` and `apportion explain` show them\n",
    };
    format!("{}\n{corrections}{more}", table.query.axis.words())
}

/// The name of the column of periods in csv, which says the axis.
pub fn period_header(axis: Axis) -> &'static str {
    match axis {
        Axis::Posting => "period_of_posting",
        Axis::Charge => "period_of_charge",
    }
}

/// A line of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line<'a> {
    Group(&'a [String]),
    /// The groups that have no lines of their own.
    Others(usize),
}

/// By period, the amounts of its lines.
type Columns<'a> = BTreeMap<String, BTreeMap<Line<'a>, Sum>>;

/// How a table of costs is shown.
pub struct Layout {
    /// Of the columns, as the pipeline spells them.
    names: Vec<String>,
    granularity: GranularityName,
}

impl Layout {
    pub fn new(query: &CostQuery, granularity: GranularityName) -> Layout {
        Layout { names: query.group_by.iter().map(GroupBy::to_string).collect(), granularity }
    }

    /// A row for each group, a column for each period, a block for each currency.
    pub fn text(&self, ui: Ui, table: &CostTable) -> String {
        if table.rows.is_empty() {
            ui.note("no costs in this period");
            return String::new();
        }
        let mut blocks: Vec<String> = table
            .totals
            .iter()
            .map(|(currency, total)| self.block(ui, table, *currency, *total))
            .collect();
        blocks.push(axis_lines(table));
        blocks.join("\n")
    }

    fn block(&self, ui: Ui, table: &CostTable, currency: Currency, total: Sum) -> String {
        let decimals = currency.payable_decimals();
        let columns_of = self.columns(table, currency);
        let rounded = Rounded::new(&columns_of, total, decimals);
        let with_total = columns_of.len() > 1;
        let shown = |amount: Sum| grouped(&amount.rounded_text(decimals));
        let mut columns: Vec<(String, Align)> =
            self.names.iter().map(|name| (name.clone(), Align::Left)).collect();
        let periods = columns_of.keys();
        columns.extend(periods.map(|period| (format!("{period} {currency}"), Align::Right)));
        columns.extend(with_total.then(|| (format!("total {currency}"), Align::Right)));
        let mut layout = Table::new(columns);
        for line in lines(&columns_of, table.ranking.sort) {
            let amounts = rounded.line(line);
            let mut cells = self.cells(line);
            cells.extend(amounts.iter().map(|amount| amount.map_or(String::new(), shown)));
            cells.extend(with_total.then(|| shown(amounts.iter().flatten().copied().sum())));
            layout.row(cells);
        }
        let mut cells = self.named("total");
        cells.extend(rounded.totals.iter().map(|total| shown(*total)));
        cells.extend(with_total.then(|| shown(total)));
        layout.total(cells);
        let piece = |piece: &Table| {
            let (header, body) = piece.parts();
            format!("{}\n{body}\n", ui.bold(&header))
        };
        let pieces: Vec<String> =
            layout.folded(self.names.len(), ui.width()).iter().map(piece).collect();
        pieces.join("\n")
    }

    fn columns<'a>(&self, table: &'a CostTable, currency: Currency) -> Columns<'a> {
        let rows = table.rows.iter().map(|row| (row, Line::Group(&row.keys)));
        let others = table.others.iter().map(|other| (&other.row, Line::Others(other.groups)));
        let mut columns = Columns::new();
        for (row, line) in rows.chain(others).filter(|(row, _)| row.currency == currency) {
            let column = columns.entry(self.period(row)).or_default();
            *column.entry(line).or_default() += row.amount;
        }
        columns
    }

    /// The names at the start of a line.
    fn cells(&self, line: Line<'_>) -> Vec<String> {
        let name = |key: &String| if key.is_empty() { "-".to_owned() } else { key.clone() };
        match line {
            Line::Group(keys) => keys.iter().map(name).collect(),
            Line::Others(groups) => self.named(&other_name(groups)),
        }
    }

    /// The cells of a line that is no group.
    fn named(&self, name: &str) -> Vec<String> {
        let rest = self.names.iter().skip(1).map(|_| String::new());
        std::iter::once(name.to_owned()).chain(rest).collect()
    }

    fn period(&self, row: &CostRow) -> String {
        query::period_name(row.period_start, self.granularity)
    }

    pub fn csv(&self, table: &CostTable) -> String {
        let mut header = vec![period_header(table.query.axis)];
        header.extend(self.names.iter().map(String::as_str));
        header.extend(["currency", "amount"]);
        let mut text = csv_line(header.iter().copied());
        let mut add = |row: &CostRow, keys: &[String]| {
            let (period, amount) = (self.period(row), row.amount.to_string());
            let cells = std::iter::once(period.as_str())
                .chain(keys.iter().map(String::as_str))
                .chain([row.currency.code(), amount.as_str()]);
            text.push_str(&csv_line(cells));
        };
        table.rows.iter().for_each(|row| add(row, &row.keys));
        for OtherRow { groups, row } in &table.others {
            add(row, &self.named(&other_name(*groups)));
        }
        text
    }
}

/// The name of the line that sums groups without lines of their own.
pub fn other_name(groups: usize) -> String {
    format!("other ({})", counted(groups as u64, "group", "groups"))
}

/// All lines in their order; the others come last.
fn lines<'a>(columns: &Columns<'a>, sort: CostSort) -> Vec<Line<'a>> {
    let mut sums: BTreeMap<Line<'a>, Sum> = BTreeMap::new();
    for (line, amount) in columns.values().flatten() {
        *sums.entry(*line).or_default() += *amount;
    }
    let mut lines: Vec<(Line<'a>, Sum)> = sums.into_iter().collect();
    if sort == CostSort::Amount {
        // Stable, so equal amounts stay in the order of their names.
        lines.sort_by_key(|(line, sum)| (matches!(line, Line::Others(_)), Reverse(*sum)));
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

/// Amounts as they are shown: each column adds up to its total, and the totals to that of all.
struct Rounded<'a> {
    columns: Vec<BTreeMap<Line<'a>, Sum>>,
    totals: Vec<Sum>,
}

impl<'a> Rounded<'a> {
    fn new(columns: &Columns<'a>, total: Sum, decimals: u32) -> Rounded<'a> {
        let exact: Vec<Sum> =
            columns.values().map(|column| column.values().copied().sum()).collect();
        let totals = Sum::rounded_parts(&exact, total.rounded(decimals), decimals);
        let column = |(column, total): (&BTreeMap<Line<'a>, Sum>, &Sum)| {
            let parts: Vec<Sum> = column.values().copied().collect();
            let parts = Sum::rounded_parts(&parts, *total, decimals);
            column.keys().copied().zip(parts).collect()
        };
        Rounded { columns: columns.values().zip(&totals).map(column).collect(), totals }
    }

    fn line(&self, line: Line<'_>) -> Vec<Option<Sum>> {
        self.columns.iter().map(|column| column.get(&line).copied()).collect()
    }
}
