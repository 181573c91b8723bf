//! Pools and teams that pass on what comes to them.

use super::order::{Turn, groups};
use crate::port::{RuleFacts, Stage};
use crate::recipient::Recipient;
use std::collections::BTreeSet;

/// The step of charges. All stations come later.
pub const CHARGES: u32 = 0;

/// A pool or a team whose cost a rule of a later stage passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    pub stands: Recipient,
    /// Amounts move from lower steps to higher ones.
    pub step: u32,
}

impl Station {
    /// The station of a rule, not in any order yet. Rules that attribute charges have none.
    pub fn of(rule: &RuleFacts) -> Option<Station> {
        let stands = match &rule.stage {
            Stage::Attribution => return None,
            Stage::Distribution => pool_of(rule),
            Stage::Cascade(team) => Recipient::team(team.as_str()),
        };
        Some(Station { stands, step: CHARGES + 1 })
    }

    /// Cost center, environment and application of a target do not matter: a team passes on all
    /// that it has.
    fn is_of(&self, recipient: &Recipient) -> bool {
        match (&self.stands, recipient) {
            (Recipient::Team(station), Recipient::Team(target)) => station.team == target.team,
            (Recipient::Pool(station), Recipient::Pool(pool)) => station == pool,
            _ => false,
        }
    }
}

/// The pool through which a rule's shared amounts go.
pub fn pool_of(rule: &RuleFacts) -> Recipient {
    Recipient::Pool(rule.version.rule.clone())
}

/// The stations of a day, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stations(Vec<Station>);

impl Stations {
    pub fn new(stations: Vec<Station>) -> Stations {
        Stations(stations)
    }

    pub fn get(&self, number: usize) -> &Station {
        &self.0[number]
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The station where a recipient stands.
    pub fn at(&self, recipient: &Recipient) -> Option<usize> {
        self.0.iter().position(|station| station.is_of(recipient))
    }

    /// The station that passes on what a recipient gets at a step.
    pub fn next(&self, recipient: &Recipient, step: u32) -> Option<usize> {
        // A station of the same step does not count: the shares of a solved circle are final.
        self.at(recipient).filter(|number| self.0[*number].step > step)
    }

    /// Gives every station its step, and says in which order they have their turns.
    ///
    /// `feeds` has the stations that each station may give something to. Members of a circle that
    /// is solved as a whole share a step, because nothing moves from one of them to another.
    pub fn put_in_order(
        &mut self,
        feeds: &[BTreeSet<usize>],
        steps_down: impl Fn(usize) -> bool,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut step = CHARGES;
        for group in groups(feeds) {
            // One rule that asks for it gives the whole circle an order.
            let in_turn = group.iter().any(|number| steps_down(*number));
            step += 1;
            for (place, number) in (0..).zip(&group) {
                self.0[*number].step = step + if in_turn { place } else { 0 };
            }
            // One number is left out behind the group. Stored steps have it so.
            step += if in_turn { group.len() as u32 } else { 0 };
            turns.push(match group.as_slice() {
                [number] => Turn::Alone(*number),
                _ if in_turn => Turn::StepDown(group),
                _ => Turn::Together(group),
            });
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipient::Target;

    fn stations(teams: &[&str]) -> Stations {
        let station = |team: &&str| Station { stands: Recipient::team(*team), step: 1 };
        Stations::new(teams.iter().map(station).collect())
    }

    #[test]
    fn a_share_is_passed_on_only_by_a_later_station() {
        let mut stations = stations(&["ops", "data"]);
        let feeds = [BTreeSet::new(), BTreeSet::from([0])];
        let turns = stations.put_in_order(&feeds, |_| false);
        assert_eq!(turns, [Turn::Alone(1), Turn::Alone(0)]);
        let ops =
            Recipient::Team(Target { environment: Some("prod".into()), ..Target::team("ops") });
        assert_eq!(stations.next(&ops, CHARGES), Some(0), "charges come before all");
        assert_eq!(stations.next(&ops, 1), Some(0), "data passes on before ops does");
        assert_eq!(stations.next(&ops, 2), None, "ops has had its turn");
        assert_eq!(stations.next(&Recipient::team("web"), CHARGES), None);
        assert_eq!(stations.next(&Recipient::Pool("ops".into()), CHARGES), None);
    }

    #[test]
    fn members_of_a_circle_share_a_step_unless_they_step_down() {
        let feeds = [BTreeSet::from([1]), BTreeSet::from([0, 2]), BTreeSet::new()];
        let steps = |stations: &Stations| {
            (0..3).map(|number| stations.get(number).step).collect::<Vec<_>>()
        };
        let mut solved = stations(&["a", "b", "c"]);
        let turns = solved.put_in_order(&feeds, |_| false);
        assert_eq!(turns, [Turn::Together(vec![0, 1]), Turn::Alone(2)]);
        assert_eq!(steps(&solved), [1, 1, 2]);
        let mut stepped = stations(&["a", "b", "c"]);
        let turns = stepped.put_in_order(&feeds, |number| number == 1);
        assert_eq!(turns, [Turn::StepDown(vec![0, 1]), Turn::Alone(2)]);
        assert_eq!(steps(&stepped), [1, 2, 4]);
    }
}
