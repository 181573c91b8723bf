//! The second model: what everybody bears of each day, in exact fractions. It knows the meaning of
//! the rules, and shares no code with the product.

use crate::fraction::Fraction;
use crate::meaning::{Basis, CostWay, IDLE, Meaning, NETWORK, Shared, Way, Window};
use crate::world::{Days, Line, TEAMS};
use domain::period::{Day, Month};
use std::collections::{BTreeMap, BTreeSet};

/// Amounts by account and by the tag `environment` of the charges.
pub type Borne = BTreeMap<(String, &'static str), Fraction>;

/// The charges of one day in one currency, and where their cost stands.
struct DayBook<'a> {
    lines: Vec<&'a Line>,
    borne: Borne,
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
    pub borne: BTreeMap<(Day, &'static str), Borne>,
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
                let borne = books.into_iter().map(|(day, book)| ((day, currency), book.borne));
                let borne: Vec<_> = borne.collect();
                self.borne.retain(|key, _| !of_month(key));
                self.borne.extend(borne);
            }
        }
    }

    fn books(&self, month: Month, currency: &str) -> Books<'_> {
        let mut books = Books::new();
        for (_, day, line) in self.lines(currency).filter(|(_, day, _)| day.month() == month) {
            let empty = || DayBook { lines: Vec::new(), borne: Borne::new() };
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
    fn give(&mut self, account: &str, environment: &'static str, amount: &Fraction) {
        *self.borne.entry((account.to_owned(), environment)).or_default() += amount;
    }

    /// Puts each charge where its rule says. Shared ones wait in the pools of their rules.
    fn assign(&mut self, meaning: &Meaning) {
        for line in self.lines.clone() {
            let shared = meaning.shared.iter().find(|shared| shared.service == line.service);
            let account = match (shared, line.service, line.team) {
                (Some(shared), ..) => shared.account.to_owned(),
                (None, "Idle", _) => IDLE.to_owned(),
                (None, "Egress", _) => NETWORK.to_owned(),
                (None, _, "") => "unallocated".to_owned(),
                (None, _, team) => format!("team/{team}"),
            };
            self.give(&account, line.environment, &i128::from(line.effective).into());
        }
    }

    /// Moves all that stands in an account, by weights.
    fn pass_on(&mut self, from: &str, weights: &[(String, Fraction)]) {
        let total = weights.iter().fold(Fraction::default(), |sum, (_, weight)| &sum + weight);
        if total.is_zero() {
            return;
        }
        let keys: Vec<_> = self.borne.keys().filter(|(name, _)| name == from).cloned().collect();
        let taken: Vec<_> = keys.iter().filter_map(|key| self.borne.remove_entry(key)).collect();
        for ((_, environment), amount) in taken {
            for (to, weight) in weights {
                self.give(to, environment, &(&(&amount * weight) / &total));
            }
        }
    }

    /// What a team weighs on this day alone.
    fn weight(&self, way: &CostWay, team: &str) -> Fraction {
        let counts = |environment: &str| way.environment.is_none_or(|only| only == environment);
        if way.basis == Basis::Allocated {
            let account = format!("team/{team}");
            let of_team = self.borne.iter().filter(|((name, _), _)| *name == account);
            let counted = of_team.filter(|((_, environment), _)| counts(environment));
            return counted.fold(Fraction::default(), |sum, (_, amount)| &sum + amount);
        }
        let lines = self.lines.iter().filter(|line| line.team == team && counts(line.environment));
        let amount = |line: &&Line| match way.basis {
            Basis::Billed => i128::from(line.billed),
            Basis::Direct | Basis::Allocated => i128::from(line.effective),
        };
        Fraction::from(lines.map(amount).sum::<i128>())
    }
}

/// The days over which a window of this day goes.
fn within(window: Window, day: Day) -> std::ops::Range<Day> {
    // 5 January 1970 was a Monday.
    let monday = day.plus(-(day.epoch_days() - 4).rem_euclid(7));
    let (first, next) = (day.month().first_day(), day.month().next().first_day());
    match window {
        Window::Day => day..day.plus(1),
        Window::Week => monday.max(first)..monday.plus(7).min(next),
        Window::Month => first..next,
    }
}

/// The weights by account. Those of costs are never below zero.
fn weights(books: &Books<'_>, day: Day, way: &Way, own: &str) -> Vec<(String, Fraction)> {
    let way = match way {
        Way::Split(weights) => {
            let weight = |(to, weight): &(&str, i128)| ((*to).to_owned(), (*weight).into());
            return weights.iter().map(weight).collect();
        }
        Way::Cost(way) => way,
    };
    // A team does not share its own cost with itself, unless it is listed.
    let all: Vec<&str> =
        TEAMS.iter().copied().filter(|team| format!("team/{team}") != own).collect();
    let teams = way.among.map_or(all, |listed| listed.to_vec());
    let weight = |team: &str| {
        let days = books.range(within(way.window, day)).map(|(_, book)| book.weight(way, team));
        let sum = days.fold(Fraction::default(), |sum, weight| &sum + &weight);
        if sum.is_positive() { sum } else { Fraction::default() }
    };
    let mut weights: Vec<(String, Fraction)> =
        teams.iter().map(|team| (format!("team/{team}"), weight(team))).collect();
    if way.among.is_some() && weights.iter().all(|(_, weight)| weight.is_zero()) {
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
    let mut shared: Vec<&Shared> = meaning.shared.iter().collect();
    shared.sort_by_key(|shared| (shared.way.weighs_allocated(), shared.priority));
    for Shared { account, way, .. } in shared {
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
    let fractions = |weights: &[(&str, i128)], but: &str| -> Vec<(String, Fraction)> {
        let others = weights.iter().filter(|(to, _)| *to != but);
        others.map(|(to, weight)| ((*to).to_owned(), (*weight).into())).collect()
    };
    for book in books.values_mut() {
        if meaning.steps_down {
            book.pass_on(first.account, &fractions(of_first, ""));
            // The first had its turn, so its part goes to the others.
            book.pass_on(second.account, &fractions(of_second, first.account));
            continue;
        }
        // Of a unit at the first, the part p goes to the second, and q of that comes back. So all
        // that ever passes the first is 1 + pq + (pq)² + … = 1 / (1 − pq) of it, and p of that
        // passes the second.
        let part = |weights: &[(&str, i128)], to: &str| {
            let sum: i128 = weights.iter().map(|(_, weight)| weight).sum();
            let of = weights.iter().filter(|(name, _)| *name == to).map(|(_, weight)| weight);
            &Fraction::from(of.sum::<i128>()) / &sum.into()
        };
        let p = part(of_first, second.account);
        let q = part(of_second, first.account);
        let all = &Fraction::from(1) / &(&1.into() - &(&p * &q));
        let scaled = |weights: &[(&str, i128)], but: &str, by: &Fraction| {
            let others = fractions(weights, but);
            let sum = weights.iter().map(|(_, weight)| weight).sum::<i128>().into();
            let part = |(to, weight): (String, Fraction)| (to, &(&weight / &sum) * by);
            others.into_iter().map(part).collect::<Vec<_>>()
        };
        let from_first = [
            scaled(of_first, second.account, &all),
            scaled(of_second, first.account, &(&all * &p)),
        ];
        let from_second = [
            scaled(of_second, first.account, &all),
            scaled(of_first, second.account, &(&all * &q)),
        ];
        book.pass_on(first.account, &from_first.concat());
        book.pass_on(second.account, &from_second.concat());
    }
}
