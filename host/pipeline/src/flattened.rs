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
use foldhash::fast::FixedState;
use foldhash::{HashMap, HashMapExt};
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

/// Refuses a table whose rows repeat a cost for each member of a list.
pub fn expect_none(
    source: &str,
    table: &GrantedTable,
    mapping: &Mapping,
) -> Result<(), Diagnostic> {
    let Some(flat) = FlatSum::of(mapping) else { return Ok(()) };
    let names: Vec<String> =
        decode::describe(table)?.columns.into_iter().map(|column| column.name).collect();
    // The mapping does not read a column whose name stands twice.
    let once = |name: &&String| names.iter().filter(|other| other == name).count() == 1;
    let column = |name: &String| WantedColumn { name: name.clone(), form: CellForm::Moment };
    let wanted: Vec<WantedColumn> = names.iter().filter(once).map(column).collect();
    let at = |name: &str| wanted.iter().position(|column| column.name == name);
    let (Some(cost), Some(amount)) = (at(flat.cost), at(flat.amount)) else { return Ok(()) };
    let is_of_list = |name: &str| name == flat.list || name.starts_with(flat.prefix);
    let (members, others): (Vec<usize>, Vec<usize>) =
        (0..wanted.len()).partition(|column| is_of_list(&wanted[*column].name));
    let scan = Scan::open(table, &wanted, ShortRows::Filled)?;
    let (mut worker, hasher) = (scan.worker(), FixedState::default());
    let (mut met, mut repeated, mut rows) = (HashMap::new(), Sum::ZERO, 0_u64);
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
            if *met.entry(charge).or_insert(member) != member {
                repeated += Sum::from_nanos(again);
                rows += 1;
            }
        }
        Ok(())
    })? {}
    if rows == 0 { Ok(()) } else { Err(refusal(source, table, &flat, rows, repeated)) }
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
    rows: u64,
    repeated: Sum,
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
    let hint = Hint::text(format!(
        "export one row a charge, with `(SELECT SUM(amount) FROM UNNEST({list})) AS {list}` in \
         place of a join with UNNEST({list}); if each row is owed, write "
    ))
    .then(Hint::setting("repeats = \"count\""))
    .then(format!(" in [sources.{source}]"));
    Diagnostic::new(COST_REPEATED, message).hint(hint)
}
