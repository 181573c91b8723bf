//! The order of an answer's rows, and the groups that have rows of their own.
//!
//! Groups are ranked by their amount over the whole period, within one currency or unit: amounts of
//! two are never compared.

use domain::code::QUERY_INVALID;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::period::Day;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ranking {
    pub sort: CostSort,
    /// So many groups with the largest amounts have rows of their own. The others are summed.
    pub top: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CostSort {
    /// By span, keys and currency.
    #[default]
    Name,
    /// By currency or unit, and span; then by the group's amount over all spans, the largest first.
    Amount,
}

/// The groups of one span and unit that have no rows of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherRow<R> {
    /// Groups that have a row in any span.
    pub groups: usize,
    /// Their sum. It has no keys.
    pub row: R,
}

/// A row that can be ranked: a group in one span, with its currency or unit.
pub trait RankedRow: Clone {
    fn period_start(&self) -> Option<Day>;
    fn keys(&self) -> &[String];
    fn unit(&self) -> &str;
    fn by_amount(&self, other: &Self) -> Ordering;
    /// The same amount of no group.
    fn without_keys(&self) -> Self;
    /// Adds the amount of another row.
    fn add(&mut self, other: &Self);
}

impl CostSort {
    pub const ALL: [CostSort; 2] = [CostSort::Name, CostSort::Amount];

    pub fn name(self) -> &'static str {
        match self {
            CostSort::Name => "name",
            CostSort::Amount => "amount",
        }
    }
}

impl FromStr for CostSort {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<CostSort, Diagnostic> {
        CostSort::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            let hint = match did_you_mean(name, CostSort::ALL.map(CostSort::name)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "use name or amount".into(),
            };
            Diagnostic::new(QUERY_INVALID, format!("there is no '{name}'")).hint(hint)
        })
    }
}

impl Ranking {
    /// The largest groups first where only they are asked for, unless the order is said.
    pub fn new(sort: Option<CostSort>, top: Option<usize>) -> Ranking {
        let usual = if top.is_some() { CostSort::Amount } else { CostSort::Name };
        Ranking { sort: sort.unwrap_or(usual), top }
    }

    /// Puts rows in order, and takes the sums of other groups out of them.
    pub fn rank<R: RankedRow>(self, rows: Vec<R>) -> (Vec<R>, Vec<OtherRow<R>>) {
        let places = places(&rows);
        let place = |row: &R| {
            let of_unit = places.get(row.unit());
            of_unit.and_then(|groups| groups.get(row.keys())).copied().unwrap_or(usize::MAX)
        };
        let top = self.top.unwrap_or(usize::MAX);
        let (mut shown, rest): (Vec<R>, Vec<R>) =
            rows.into_iter().partition(|row| place(row) < top);
        if self.sort == CostSort::Amount {
            shown.sort_by_cached_key(|row| {
                (row.unit().to_owned(), row.period_start(), place(row), row.keys().to_vec())
            });
        }
        (shown, others(&rest))
    }
}

/// The place of each group within its unit, by its amount over all spans. Equal ones go by name.
fn places<R: RankedRow>(rows: &[R]) -> HashMap<String, HashMap<Vec<String>, usize>> {
    let mut sums: BTreeMap<(&str, &[String]), R> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry((row.unit(), row.keys()));
        sum.and_modify(|sum| sum.add(row)).or_insert_with(|| row.without_keys());
    }
    let mut groups: Vec<((&str, &[String]), R)> = sums.into_iter().collect();
    // Stable, so equal amounts stay in the order of their names.
    groups.sort_by(|(left, left_sum), (right, right_sum)| {
        left.0.cmp(right.0).then_with(|| right_sum.by_amount(left_sum))
    });
    let mut places: HashMap<String, HashMap<Vec<String>, usize>> = HashMap::new();
    for ((unit, keys), _) in groups {
        let of_unit = places.entry(unit.to_owned()).or_default();
        let next = of_unit.len();
        of_unit.insert(keys.to_vec(), next);
    }
    places
}

fn others<R: RankedRow>(rest: &[R]) -> Vec<OtherRow<R>> {
    let mut groups: BTreeMap<&str, BTreeSet<&[String]>> = BTreeMap::new();
    let mut sums: BTreeMap<(Option<Day>, &str), R> = BTreeMap::new();
    for row in rest {
        groups.entry(row.unit()).or_default().insert(row.keys());
        let sum = sums.entry((row.period_start(), row.unit()));
        sum.and_modify(|sum| sum.add(row)).or_insert_with(|| row.without_keys());
    }
    let other = |((_, unit), row): ((Option<Day>, &str), R)| OtherRow {
        groups: groups.get(unit).map_or(0, BTreeSet::len),
        row,
    };
    sums.into_iter().map(other).collect()
}
