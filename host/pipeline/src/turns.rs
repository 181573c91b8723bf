//! The order in which shared costs move, and the shares by which they do.
//!
//! A day's shares can hang on other days: on what teams bear over a month, for example. So the days
//! of a window move together, turn by turn. In each turn all shares are worked out first, from what
//! stands so far on all days, and then the amounts move. Nothing depends on the order of days.
//!
//! Charges come first. Those whose rules weigh by what teams bear follow the others, rule by rule
//! in the order of priority. Then each pool and serving team has its turn once all that feed it
//! have passed on, and a pool that weighs by what teams bear waits for the pools that do not.

use crate::code;
use crate::day_facts::{DayFacts, WindowFacts};
use crate::distribute::{Distribution, LaterRule, SliceQueues};
use crate::pool_parts::{TurnPool, divide};
use domain::code::{AMOUNT_TOO_LARGE, COST_UNKNOWN, WEIGHTS_CANCEL};
use domain::decision::{Outcome, OutcomeId};
use domain::diagnostic::Diagnostic;
use domain::driver::facts::Pool;
use domain::flow::order::{Turn, reaches};
use domain::flow::reciprocal::reciprocal;
use domain::flow::station::{CHARGES, Station, Stations};
use domain::period::Day;
use domain::port::{Mutual, Stage};
use domain::recipient::Recipient;
use domain::sharing::Sharing;
use domain::split::Shares;
use domain::spread::{Spread, recipients, share};
use std::collections::{BTreeMap, BTreeSet};

/// The days of a window, each in one currency.
pub struct DayGroup<'a> {
    facts: Vec<DayFacts<'a>>,
    pub days: Vec<Distribution<'a>>,
}

/// The turn of shared charges: none for rules that do not weigh by what teams bear, else priority
/// and name.
type ChargeTurn = Option<(i64, String)>;

impl<'a> DayGroup<'a> {
    pub fn new(mut facts: Vec<DayFacts<'a>>) -> DayGroup<'a> {
        let weighs_allocated = facts.iter().any(|facts| {
            facts.inputs.outcomes.iter().filter_map(Outcome::spread).any(Spread::weighs_allocated)
        });
        if weighs_allocated {
            facts.iter_mut().for_each(DayFacts::keep_moves);
        }
        let days = facts.iter().map(|facts| Distribution::new(facts.inputs, facts.slices));
        DayGroup { days: days.collect(), facts }
    }

    /// Brings charges straight to their recipients, or through the pool of the rule that shares
    /// them.
    pub fn spread_charges(&mut self) -> Result<(), Diagnostic> {
        let mut waiting: Vec<BTreeMap<OutcomeId, SliceQueues<'a>>> =
            self.days.iter_mut().map(Distribution::charges_by_outcome).collect();
        let mut turns: BTreeMap<ChargeTurn, Vec<TurnPool<'a>>> = BTreeMap::new();
        for (at, shared) in waiting.iter().enumerate() {
            for (outcome, queues) in shared {
                let Some((rule, decision)) = self.facts[at].inputs.decision(*outcome) else {
                    continue;
                };
                let Some(spread) = decision.spread() else { continue };
                let facts = self.days[at].rule(rule).filter(|_| spread.weighs_allocated());
                let turn = facts.map(|facts| (facts.priority, facts.version.rule.clone()));
                let pool = self.days[at].pool_of_charges(rule, queues);
                let pool = TurnPool { at, outcome: *outcome, rule, spread, pool };
                turns.entry(turn).or_default().push(pool);
            }
        }
        for pools in turns.into_values() {
            let mut by_charge: Vec<BTreeMap<_, _>> =
                self.days.iter().map(|_| BTreeMap::new()).collect();
            for (TurnPool { at, outcome, rule, spread, .. }, sharing) in self.shared(pools)? {
                let Some(queues) = waiting[at].remove(&outcome) else { continue };
                if spread.needs_total() {
                    let turn = (rule, outcome, CHARGES);
                    self.days[at].pass(turn, queues, sharing, &mut self.facts[at]);
                } else {
                    by_charge[at].insert(outcome, (rule, sharing));
                }
            }
            // Kept for the end of the turn, so that one walk over the charges splits those of all
            // outcomes.
            for (at, sharings) in by_charge.into_iter().enumerate() {
                if !sharings.is_empty() {
                    self.days[at].pass_charges(sharings, &mut self.facts[at]);
                }
            }
        }
        Ok(())
    }

    /// The shares of the pools of one turn. Pools that stay as they are are left out.
    fn shared(
        &mut self,
        mut pools: Vec<TurnPool<'a>>,
    ) -> Result<Vec<(TurnPool<'a>, Sharing)>, Diagnostic> {
        for (at, refusal) in divide(&mut pools, &self.facts) {
            self.days[at].unresolved.push(refusal);
        }
        let mut shared = Vec::new();
        for pool in pools {
            if let Some(sharing) = self.share_or_stay(pool.at, pool.spread, &pool.pool)? {
                shared.push((pool, sharing));
            }
        }
        Ok(shared)
    }

    /// The same as `share`. A pool whose weights are unknown stays, and is told of.
    fn share_or_stay(
        &mut self,
        at: usize,
        spread: &Spread,
        pool: &Pool,
    ) -> Result<Option<Sharing>, Diagnostic> {
        match self.share(at, spread, pool) {
            Err(gap) if gap.code == COST_UNKNOWN => {
                self.days[at].unresolved.push(gap);
                Ok(None)
            }
            answer => answer,
        }
    }

    /// How a pool is shared on this day. A spread knows neither day nor currency, so both are added
    /// to its refusal of an amount.
    fn share(
        &self,
        at: usize,
        spread: &Spread,
        pool: &Pool,
    ) -> Result<Option<Sharing>, Diagnostic> {
        let facts = WindowFacts { days: &self.facts, at };
        share(spread, pool, &facts).map_err(|mut refusal| {
            if [AMOUNT_TOO_LARGE, WEIGHTS_CANCEL].contains(&refusal.code) {
                let DayFacts { day, currency, .. } = &self.facts[at];
                refusal.message = format!("on {day} in {currency}, {}", refusal.message);
            }
            refusal
        })
    }

    /// Gives every station its turn.
    pub fn pass_on(&mut self) -> Result<(), Diagnostic> {
        for days in self.days_that_move_together() {
            let (stations, turns) = self.turns(&days)?;
            for turn in turns {
                match turn {
                    Turn::Alone(station) => {
                        self.pass_one(&days, stations.get(station), &[])?;
                    }
                    Turn::StepDown(group) => {
                        let group: Vec<&Station> =
                            group.iter().map(|station| stations.get(*station)).collect();
                        for (at, station) in group.iter().enumerate() {
                            self.pass_one(&days, station, &group[..=at])?;
                        }
                    }
                    Turn::Together(group) => {
                        for at in &days {
                            let stations = group.iter().map(|number| stations.get(*number));
                            let on_day = &self.days[*at].stations;
                            let here = stations.filter_map(|it| on_day.at(&it.stands)).collect();
                            self.pass_together(*at, here)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Numbers of days. Only where later rules look at other days, or at other currencies of the
    /// day, do these have one order: otherwise each day has its own.
    fn days_that_move_together(&self) -> Vec<Vec<usize>> {
        let spreads = self.days.iter().flat_map(|day| day.rules.iter().map(|rule| rule.spread));
        let (mut windows, mut prices) = (false, false);
        for spread in spreads {
            let mut costs = spread.team_costs().into_iter();
            windows |= spread.weighs_allocated() && costs.any(|costs| costs.window.is_shared());
            let priced = spread.priced();
            windows |= priced.iter().any(|usage| usage.query.window.is_shared());
            prices |= !priced.is_empty();
        }
        if windows {
            return vec![(0..self.days.len()).collect()];
        }
        let mut together: BTreeMap<(Day, Option<usize>), Vec<usize>> = BTreeMap::new();
        for (at, facts) in self.facts.iter().enumerate() {
            together.entry((facts.day, Some(at).filter(|_| !prices))).or_default().push(at);
        }
        together.into_values().collect()
    }

    /// All stations of the days with their steps, and the order of their turns.
    fn turns(&mut self, days: &[usize]) -> Result<(Stations, Vec<Turn>), Diagnostic> {
        let mut all: Vec<Station> = Vec::new();
        for at in days {
            let here = &self.days[*at].stations;
            for station in (0..here.len()).map(|number| here.get(number)) {
                if !all.iter().any(|known| known.stands == station.stands) {
                    all.push(station.clone());
                }
            }
        }
        let mut stations = Stations::new(all);
        let mut feeds: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); stations.len()];
        let (mut waits, mut steps_down) = (BTreeSet::new(), BTreeSet::new());
        for at in days {
            for (number, rule) in self.days[*at].rules.iter().enumerate() {
                let stands = &self.days[*at].stations.get(number).stands;
                let Some(station) = stations.at(stands) else { continue };
                let fed = self.fed(*at, number)?;
                feeds[station].extend(fed.iter().filter_map(|fed| stations.at(fed)));
                waits.extend(Some(station).filter(|_| rule.spread.weighs_allocated()));
                steps_down.extend(Some(station).filter(|_| rule.mutual == Mutual::StepDown));
            }
        }
        self.let_wait(&stations, &waits, &mut feeds);
        let turns = stations.put_in_order(&feeds, |station| steps_down.contains(&station));
        for at in days {
            let here = &self.days[*at].stations;
            let in_order = (0..here.len()).map(|number| {
                let stands = here.get(number).stands.clone();
                let step = stations.at(&stands).map_or(CHARGES + 1, |it| stations.get(it).step);
                Station { stands, step }
            });
            self.days[*at].stations = Stations::new(in_order.collect());
        }
        Ok((stations, turns))
    }

    /// A pool that weighs by what teams bear comes after the pools that do not, unless it feeds
    /// them.
    fn let_wait(
        &self,
        stations: &Stations,
        waits: &BTreeSet<usize>,
        feeds: &mut [BTreeSet<usize>],
    ) {
        let is_pool = |number: usize| matches!(stations.get(number).stands, Recipient::Pool(_));
        let before = (0..stations.len()).filter(|number| is_pool(*number));
        for earlier in before.filter(|number| !waits.contains(number)) {
            for later in waits.iter().filter(|later| is_pool(**later)) {
                if !reaches(feeds, *later, earlier) {
                    feeds[earlier].insert(*later);
                }
            }
        }
    }

    /// The places of the stations that a station may give something to.
    ///
    /// The order is needed before the totals are known. A rule that needs its total may therefore
    /// feed all that could ever get a share of it, and one that weighs by what teams bear may feed
    /// every team; of every other rule today's shares are known.
    fn fed(&self, at: usize, station: usize) -> Result<Vec<Recipient>, Diagnostic> {
        let day = &self.days[at];
        let (spread, pool) = (day.rules[station].spread, day.pool_at(station));
        let facts = WindowFacts { days: &self.facts, at };
        let mut takers = match spread.needs_total() || spread.weighs_allocated() {
            true => recipients(spread, &pool, &facts)?,
            false => match self.share(at, spread, &pool) {
                // It stays, and is told of when it has its turn.
                Err(gap) if gap.code == COST_UNKNOWN => Vec::new(),
                sharing => sharing?.map_or_else(Vec::new, |it| it.takers()),
            },
        };
        if spread.weighs_allocated() {
            let serving = day.rules.iter().filter_map(|rule| match &day.rule(rule.rule)?.stage {
                Stage::Cascade(team) => Some(Recipient::team(team.as_str())),
                Stage::Attribution | Stage::Distribution => None,
            });
            takers.extend(serving);
        }
        // A station's share for itself stays, so it does not feed itself.
        let stations = &day.stations;
        let other = |taker: &Recipient| stations.at(taker).is_some_and(|fed| fed != station);
        Ok(takers.into_iter().filter(other).collect())
    }

    /// Passes on at one station of all days. The shares of stations that are `done` go to the
    /// others in proportion.
    fn pass_one(
        &mut self,
        days: &[usize],
        station: &Station,
        done: &[&Station],
    ) -> Result<(), Diagnostic> {
        let mut pools = Vec::new();
        for at in days {
            let day = &self.days[*at];
            let Some(number) = day.stations.at(&station.stands) else { continue };
            if !day.is_empty(number) {
                pools.push(self.turn_pool(*at, number));
            }
        }
        for (TurnPool { at, .. }, sharing) in self.shared(pools)? {
            let stations = &self.days[at].stations;
            let Some(number) = stations.at(&station.stands) else { continue };
            let done = done.iter().filter_map(|done| stations.at(&done.stands)).collect();
            if let Some(sharing) = self.without(at, number, &done, sharing) {
                self.days[at].pass_station(number, sharing, &mut self.facts[at]);
            }
        }
        Ok(())
    }

    fn turn_pool(&self, at: usize, station: usize) -> TurnPool<'a> {
        let LaterRule { outcome, rule, spread, .. } = self.days[at].rules[station];
        TurnPool { at, outcome, rule, spread, pool: self.days[at].pool_at(station) }
    }

    fn without(
        &self,
        at: usize,
        station: usize,
        done: &BTreeSet<usize>,
        sharing: Sharing,
    ) -> Option<Sharing> {
        if done.is_empty() {
            return Some(sharing);
        }
        // A station's share for itself stays: it is not passed back to anybody.
        let stations = &self.days[at].stations;
        let is_done = |recipient: &Recipient| {
            stations.at(recipient).is_some_and(|fed| fed != station && done.contains(&fed))
        };
        let others = |shares: &Shares| {
            let weights: Vec<i128> = shares
                .weights()
                .zip(&sharing.recipients)
                .map(|(weight, to)| if is_done(to) { 0 } else { i128::from(weight) })
                .collect();
            // If all shares are those of stations that are done, nobody is left and the cost stays.
            Shares::signed(&weights).ok()
        };
        let shares = others(&sharing.shares)?;
        let refunds = match &sharing.refunds {
            None => None,
            Some(refunds) => Some(others(refunds)?),
        };
        Some(Sharing { recipients: sharing.recipients, shares, refunds })
    }

    /// Passes on for stations that feed each other, by the reciprocal method.
    fn pass_together(&mut self, at: usize, group: Vec<usize>) -> Result<(), Diagnostic> {
        let day = &self.days[at];
        if group.iter().all(|station| day.is_empty(*station)) {
            return Ok(());
        }
        // The method solves for fixed weights. Weights that change with the amounts passed back
        // have no such solution.
        let changing = |station: &&usize| {
            let spread = day.rules[**station].spread;
            spread.needs_total() || spread.weighs_allocated()
        };
        if let Some(station) = group.iter().find(changing) {
            let LaterRule { rule, spread, .. } = day.rules[*station];
            let finding = weights_change(&day.name(rule), spread, &self.names(at, &group));
            self.days[at].unresolved.push(finding);
            return Ok(());
        }
        // A station that keeps its cost today bears the others' costs: it is not a member.
        let (mut members, mut sharings) = (Vec::new(), Vec::new());
        for station in &group {
            let day = &self.days[at];
            let (spread, pool) = (day.rules[*station].spread, day.pool_at(*station));
            if let Some(sharing) = self.share_or_stay(at, spread, &pool)? {
                members.push(*station);
                sharings.push(sharing);
            }
        }
        let day = &self.days[at];
        let member = |recipient: &Recipient| {
            let station = day.stations.at(recipient)?;
            members.iter().position(|member| *member == station)
        };
        let Some(solved) = reciprocal(&sharings, member) else {
            let finding = circle_without_an_end(&self.names(at, &group));
            self.days[at].unresolved.push(finding);
            return Ok(());
        };
        // The solved shares are final: none comes to a member that still has to pass on.
        for (station, sharing) in members.into_iter().zip(solved) {
            self.days[at].pass_station(station, sharing, &mut self.facts[at]);
        }
        Ok(())
    }

    fn names(&self, at: usize, group: &[usize]) -> String {
        let day = &self.days[at];
        let names = group.iter().map(|station| day.name(day.rules[*station].rule));
        names.collect::<Vec<_>>().join(", ")
    }
}

fn weights_change(rule: &str, spread: &Spread, names: &str) -> Diagnostic {
    let message = match spread.needs_total() {
        true => format!(
            "{rule} shares by the total of its pool, and the total hangs on what the others pass \
             back to it: {names}"
        ),
        false => format!(
            "{rule} weighs by all that teams bear, and that hangs on what the others pass back to \
             it: {names}"
        ),
    };
    Diagnostic::new(code::RULE_CIRCLE, message)
        .hint("give one of the rules the header key `mutual: \"step_down\"`")
}

fn circle_without_an_end(names: &str) -> Diagnostic {
    let message = format!(
        "these rules pass costs on to each other and to nobody else, so nobody would bear them: \
         {names}"
    );
    Diagnostic::new(code::RULE_CIRCLE, message)
        .hint("let one of the rules share with a team that keeps its cost")
}
