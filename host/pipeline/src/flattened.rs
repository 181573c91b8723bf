//! Lists that were flattened: a row for each of their members, and the cost of the charge in every
//! row.
//!
//! A bill with one credit a row is whole. A join with all credits repeats the cost of a charge with
//! two of them, and the rows cannot tell which of the two is the charge.

use crate::code::COST_REPEATED;
use decode::{Batch, CellForm, Scan, ShortRows, WantedColumn};
use domain::decimal;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::mapping::{Feed, Mapping, Origin, Value};
use domain::money::Sum;
use domain::port::GrantedTable;
use foldhash::HashMap;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// A sum of a cost and of an amount that is a member of a list.
struct FlatSum<'a> {
    cost: &'a str,
    amount: &'a str,
    /// `credits` of `credits.amount`.
    list: &'a str,
    /// With the list's name, the beginning of all its columns.
    prefix: &'a str,
}

/// The rows of a source with members of lists. A charge may have its members in several files.
#[derive(Default)]
pub struct FlatRows {
    /// The members of charges, by the digests of all other cells.
    met: HashMap<(u64, u64), u64>,
}

/// Rows that are alike.
#[derive(Default)]
struct AlikeRows {
    rows: u64,
    cost: Sum,
}

impl AlikeRows {
    fn add(&mut self, nanos: i128) {
        self.rows += 1;
        self.cost += Sum::from_nanos(nanos);
    }
}

impl FlatRows {
    /// Refuses a table whose rows repeat a cost for each member of a list. Returns a warning where
    /// rows are equal in all cells: each may be a charge, or a member like another one.
    pub fn note(
        &mut self,
        source: &str,
        table: &GrantedTable,
        mapping: &Mapping,
    ) -> Result<Option<Diagnostic>, Diagnostic> {
        let Some(flat) = FlatSum::of(mapping) else { return Ok(None) };
        let mut names: Vec<String> =
            decode::describe(table)?.columns.into_iter().map(|column| column.name).collect();
        // Files of one source can have their columns in several orders.
        names.sort();
        // The mapping does not read a column whose name stands twice.
        let once = |name: &&String| names.iter().filter(|other| other == name).count() == 1;
        let column = |name: &String| WantedColumn { name: name.clone(), form: CellForm::Moment };
        let wanted: Vec<WantedColumn> = names.iter().filter(once).map(column).collect();
        let at = |name: &str| wanted.iter().position(|column| column.name == name);
        let (Some(cost), Some(amount)) = (at(flat.cost), at(flat.amount)) else { return Ok(None) };
        let is_of_list = |name: &str| name == flat.list || name.starts_with(flat.prefix);
        let (members, others): (Vec<usize>, Vec<usize>) =
            (0..wanted.len()).partition(|column| is_of_list(&wanted[*column].name));
        let scan = Scan::open(table, &wanted, ShortRows::Filled)?;
        let (mut worker, hasher) = (scan.worker(), FixedState::default());
        let (mut repeated, mut equal) = (AlikeRows::default(), AlikeRows::default());
        while worker.next(&mut |batch| {
            for row in 0..batch.rows {
                let (Some(again), Some(_)) = (nanos(batch, cost, row), nanos(batch, amount, row))
                else {
                    continue;
                };
                let digest = |columns: &[usize], seed: u64| {
                    let cells = columns.iter().map(|column| batch.columns[*column].plain(row));
                    cells.fold(seed, |digest, cell| hasher.hash_one((digest, cell)))
                };
                let charge = (digest(&others, 0), digest(&others, 1));
                let member = digest(&members, 0);
                match self.met.insert(charge, member) {
                    None => {}
                    Some(before) if before == member => equal.add(again),
                    Some(_) => repeated.add(again),
                }
            }
            Ok(())
        })? {}
        if repeated.rows > 0 {
            return Err(refusal(source, table, &flat, &repeated));
        }
        Ok((equal.rows > 0).then(|| warning(source, table, &flat, &equal)))
    }
}

impl FlatSum<'_> {
    fn of(mapping: &Mapping) -> Option<FlatSum<'_>> {
        let Some(Origin::FirstOf(choices)) = mapping.origin(Feed::BilledCost) else { return None };
        choices.iter().find_map(|choice| {
            let Value::Sum(terms) = &choice.value else { return None };
            let (first, rest) = terms.split_first()?;
            let flat = rest.iter().filter(|term| term.member.is_none());
            flat.map(|term| term.column.as_str()).find_map(|amount| {
                let prefix = amount.strip_suffix("amount")?;
                let list = prefix.strip_suffix(['.', '_'])?;
                Some(FlatSum { cost: &first.column, amount, list, prefix })
            })
        })
    }
}

/// Nothing of an amount that is zero, or that cannot be read: it repeats no money.
fn nanos(batch: &Batch<'_>, column: usize, row: usize) -> Option<i128> {
    let (nanos, _) = decimal::parse_wide(batch.columns[column].plain(row)).ok()?;
    (nanos != 0).then_some(nanos)
}

fn refusal(
    source: &str,
    table: &GrantedTable,
    flat: &FlatSum<'_>,
    AlikeRows { rows, cost: repeated }: &AlikeRows,
) -> Diagnostic {
    let FlatSum { cost, list, prefix, .. } = flat;
    let name = &table.name;
    let differ = match rows {
        1 => "1 row differs".to_owned(),
        rows => format!("{rows} rows differ"),
    };
    let message = format!(
        "{name}: {differ} from another one in the columns {prefix}* alone: a charge with several \
         {list} stands there once for each of them, and {repeated} of its {cost} would count again"
    );
    Diagnostic::new(COST_REPEATED, message).hint(one_row_a_charge(source, list))
}

fn warning(
    source: &str,
    table: &GrantedTable,
    flat: &FlatSum<'_>,
    AlikeRows { rows, cost: counted }: &AlikeRows,
) -> Diagnostic {
    let FlatSum { cost, list, .. } = flat;
    let name = &table.name;
    let are_equal = match rows {
        1 => "1 row is equal to another one".to_owned(),
        rows => format!("{rows} rows are equal to others"),
    };
    let message = format!(
        "{name}: {are_equal} in all columns, with {list}: if that is one charge with two equal \
         {list}, {counted} of its {cost} counts twice"
    );
    Diagnostic::new(COST_REPEATED, message).hint(one_row_a_charge(source, list))
}

fn one_row_a_charge(source: &str, list: &str) -> Hint {
    Hint::text(format!(
        "export one row a charge, with `(SELECT SUM(amount) FROM UNNEST({list})) AS {list}` in \
         place of a join with UNNEST({list}); if each row is owed, write "
    ))
    .then(Hint::setting("repeats = \"count\""))
    .then(format!(" in [sources.{source}]"))
}
