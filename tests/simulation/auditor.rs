//! The second model: what everybody bears of each day, in exact fractions. It knows the meaning of
//! the rules, and shares no code with the product.

use crate::meaning::{
    CostWay, IDLE, Meaning, NETWORK, SharedService, Way, WeightBasis, WeightWindow,
};
use crate::world::{Days, Line, TEAMS};
use domain::period::{Day, Month};
use num_bigint::BigInt;
use std::collections::{BTreeMap, BTreeSet};

/// Nanos by account and by the tag `environment` of the charges, cut at the nano.
pub type Burdens = BTreeMap<(String, &'static str), i128>;
/// By account.
type Weights = Vec<(String, BigInt)>;

/// What teams bear on the days of a window has denominators that would grow without end as they are
/// added up. As a weight it counts in millionths of a nano.
const WEIGHT_SCALE: i128 = 1_000_000;

/// The charges of one day in one currency, and where their cost stands: numerators over one
/// denominator, in nanos.
struct DayBook<'a> {
    lines: Vec<&'a Line>,
    tops: BTreeMap<(String, &'static str), BigInt>,
    bottom: BigInt,
}

type Books<'a> = BTreeMap<Day, DayBook<'a>>;

/// The days that the ledger was told of each source, with their charges.
#[derive(Default)]
pub struct Auditor {
    told: BTreeMap<(&'static str, &'static str), Days>,
    /// The months that have to be worked out anew.
    changed: BTreeSet<Month>,
    meaning: Option<Meaning>,
    /// What stands where, by day and currency.
    pub burdens: BTreeMap<(Day, &'static str), Burdens>,
}

impl Auditor {
    pub fn told(&mut self, source: &'static str, currency: &'static str, stated: &Days) {
        let known = self.told.entry((source, currency)).or_default();
        for (day, lines) in stated {
            known.insert(*day, lines.clone());
            self.changed.insert(day.month());
        }
    }

    /// All lines of a currency, with their sources.
    pub fn lines(&self, of: &str) -> impl Iterator<Item = (&'static str, Day, &Line)> {
        let told = self.told.iter().filter(move |((_, currency), _)| *currency == of);
        told.flat_map(|((source, _), days)| {
            days.iter().flat_map(|(day, lines)| lines.iter().map(|line| (*source, *day, line)))
        })
    }

    pub fn currencies(&self) -> BTreeSet<&'static str> {
        self.told.keys().map(|(_, currency)| *currency).collect()
    }

    /// Works out every month that the ledger was told something new of.
    pub fn work_out(&mut self, meaning: &Meaning) {
        if self.meaning.as_ref() != Some(meaning) {
            self.meaning = Some(meaning.clone());
            let days = self.told.values().flat_map(Days::keys);
            self.changed.extend(days.map(|day| day.month()));
        }
        for month in std::mem::take(&mut self.changed) {
            for currency in self.currencies() {
                let books = self.books(month, currency);
                let of_month = |(day, of): &(Day, &str)| day.month() == month && *of == currency;
                let burdens = books.iter().map(|(day, book)| ((*day, currency), book.burdens()));
                let burdens: Vec<_> = burdens.collect();
                self.burdens.retain(|key, _| !of_month(key));
                self.burdens.extend(burdens);
            }
        }
    }

    fn books(&self, month: Month, currency: &str) -> Books<'_> {
        let mut books = Books::new();
        for (_, day, line) in self.lines(currency).filter(|(_, day, _)| day.month() == month) {
            let empty =
                || DayBook { lines: Vec::new(), tops: BTreeMap::new(), bottom: BigInt::from(1) };
            books.entry(day).or_insert_with(empty).lines.push(line);
        }
        if let Some(meaning) = &self.meaning {
            books.values_mut().for_each(|book| book.assign(meaning));
            allocate(&mut books, meaning);
        }
        books
    }
}

impl DayBook<'_> {
    fn burdens(&self) -> Burdens {
        let nanos = |top: &BigInt| i128::try_from(top / &self.bottom).expect("an amount of a day");
        self.tops.iter().map(|(key, top)| (key.clone(), nanos(top))).collect()
    }

    /// Puts each charge where its rule says. Shared ones wait in the pools of their rules.
    fn assign(&mut self, meaning: &Meaning) {
        for line in &self.lines {
            let shared = meaning.shared.iter().find(|shared| shared.service == line.service);
            let account = match (shared, line.service, line.team) {
                (Some(shared), ..) => shared.account.to_owned(),
                (None, "Idle", _) => IDLE.to_owned(),
                (None, "Egress", _) => NETWORK.to_owned(),
                (None, _, "") => "unallocated".to_owned(),
                (None, _, team) => format!("team/{team}"),
            };
            *self.tops.entry((account, line.environment)).or_default() += line.effective;
        }
    }

    /// Moves all that stands in an account, by weights. Without weights it stays.
    fn pass_on(&mut self, from: &str, weights: &Weights) {
        let total: BigInt = weights.iter().map(|(_, weight)| weight).sum();
        if total == BigInt::ZERO {
            return;
        }
        let (moved, stays): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.tops).into_iter().partition(|((name, _), _)| name == from);
        self.tops = stays.into_iter().map(|(key, top)| (key, top * &total)).collect();
        self.bottom *= &total;
        for ((_, environment), top) in moved {
            for (to, weight) in weights {
                *self.tops.entry((to.clone(), environment)).or_default() += &top * weight;
            }
        }
    }

    /// What a team weighs on this day alone.
    fn weight(&self, way: &CostWay, team: &str) -> BigInt {
        let counts = |environment: &str| way.environment.is_none_or(|only| only == environment);
        if way.basis == WeightBasis::Allocated {
            let account = format!("team/{team}");
            let of_team = self.tops.iter().filter(|((name, _), _)| *name == account);
            let counted = of_team.filter(|((_, environment), _)| counts(environment));
            return counted.map(|(_, top)| top).sum::<BigInt>() * WEIGHT_SCALE / &self.bottom;
        }
        let lines = self.lines.iter().filter(|line| line.team == team && counts(line.environment));
        let amount = |line: &&Line| match way.basis {
            WeightBasis::Billed => i128::from(line.billed),
            WeightBasis::Direct | WeightBasis::Allocated => i128::from(line.effective),
        };
        lines.map(amount).sum::<i128>().into()
    }
}

/// The days over which a window of this day goes.
fn within(window: WeightWindow, day: Day) -> std::ops::Range<Day> {
    // 5 January 1970 was a Monday.
    let monday = day.plus(-(day.epoch_days() - 4).rem_euclid(7));
    let (first, next) = (day.month().first_day(), day.month().next().first_day());
    match window {
        WeightWindow::Day => day..day.plus(1),
        WeightWindow::Week => monday.max(first)..monday.plus(7).min(next),
        WeightWindow::Month => first..next,
    }
}

fn numbers(weights: &[(&str, i128)]) -> Weights {
    weights.iter().map(|(to, weight)| ((*to).to_owned(), (*weight).into())).collect()
}

/// The weights by account. Those of costs are never below zero.
fn weights(books: &Books<'_>, day: Day, way: &Way, own: &str) -> Weights {
    let way = match way {
        Way::Split(weights) => return numbers(weights),
        Way::Cost(way) => way,
    };
    // A team does not share its own cost with itself, unless it is listed.
    let others = TEAMS.iter().copied().filter(|team| format!("team/{team}") != own);
    let teams = way.among.map_or_else(|| others.collect(), |listed| listed.to_vec());
    let weight = |team: &str| -> BigInt {
        let days = books.range(within(way.window, day)).map(|(_, book)| book.weight(way, team));
        days.sum::<BigInt>().max(BigInt::ZERO)
    };
    let mut weights: Weights =
        teams.iter().map(|team| (format!("team/{team}"), weight(team))).collect();
    if way.among.is_some() && weights.iter().all(|(_, weight)| *weight == BigInt::ZERO) {
        weights.iter_mut().for_each(|(_, weight)| *weight = 1.into());
    }
    weights
}

/// One turn: all days take their weights from what stands so far, and then all move.
fn turn(books: &mut Books<'_>, from: &str, way: &Way) {
    let days: Vec<Day> = books.keys().copied().collect();
    let of_days = days.into_iter().map(|day| (day, weights(books, day, way, from)));
    let of_days: Vec<_> = of_days.collect();
    for (day, weights) in of_days {
        if let Some(book) = books.get_mut(&day) {
            book.pass_on(from, &weights);
        }
    }
}

fn allocate(books: &mut Books<'_>, meaning: &Meaning) {
    // Rules that weigh by what teams bear come after the others, by priority.
    let mut shared: Vec<&SharedService> = meaning.shared.iter().collect();
    shared.sort_by_key(|shared| (shared.way.weighs_allocated(), shared.priority));
    for SharedService { account, way, .. } in shared {
        turn(books, account, way);
    }
    if meaning.idle.weighs_allocated() {
        turn(books, NETWORK, &meaning.network);
        turn(books, IDLE, &meaning.idle);
    } else {
        turn(books, IDLE, &meaning.idle);
        turn(books, NETWORK, &meaning.network);
    }
    match meaning.serving.as_slice() {
        [first, second] if second.way.feeds(first.account) => {
            circle(books, meaning);
        }
        serving => serving.iter().for_each(|serving| turn(books, serving.account, &serving.way)),
    }
}

/// Two teams that serve each other by fixed shares.
fn circle(books: &mut Books<'_>, meaning: &Meaning) {
    let [first, second] = meaning.serving.as_slice() else { return };
    let (Way::Split(of_first), Way::Split(of_second)) = (&first.way, &second.way) else { return };
    let without = |weights: &[(&str, i128)], but: &str| -> Vec<(String, i128)> {
        let others = weights.iter().filter(|(to, _)| *to != but);
        others.map(|(to, weight)| ((*to).to_owned(), *weight)).collect()
    };
    let (ends_of_first, ends_of_second) =
        (without(of_first, second.account), without(of_second, first.account));
    let sum = |weights: &[(&str, i128)]| weights.iter().map(|(_, weight)| weight).sum::<i128>();
    let ends = |weights: &[(String, i128)]| weights.iter().map(|(_, weight)| weight).sum::<i128>();
    // The first gives `there` of `f` to the second, which gives `back` of `s` to the first. Of a
    // unit at the first, 1 / (1 − there·back / (f·s)) passes it in all, and there / f of that
    // passes the second. So an end gets its weight times `s` from the one, and times `there` from
    // the other.
    let (f, s) = (sum(of_first), sum(of_second));
    let (there, back) = (f - ends(&ends_of_first), s - ends(&ends_of_second));
    let scaled = |weights: &[(String, i128)], by: i128| -> Weights {
        weights.iter().map(|(to, weight)| (to.clone(), (weight * by).into())).collect()
    };
    for book in books.values_mut() {
        if meaning.steps_down {
            book.pass_on(first.account, &numbers(of_first));
            // The first had its turn, so its part goes to the others.
            book.pass_on(second.account, &scaled(&ends_of_second, 1));
            continue;
        }
        let from_first = [scaled(&ends_of_first, s), scaled(&ends_of_second, there)];
        let from_second = [scaled(&ends_of_second, f), scaled(&ends_of_first, back)];
        book.pass_on(first.account, &from_first.concat());
        book.pass_on(second.account, &from_second.concat());
    }
}
