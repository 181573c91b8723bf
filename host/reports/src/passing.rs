//! What portions of charges went through on their way: pools, and teams that pass their cost on.
//!
//! The weights are those that the run kept. Charges that were split one by one are split so again; portions of an amount
//! that was split as one are split in the order in which it was: by where it stood and the services' names. So what the
//! portions get adds up to the postings, to the nano.

use crate::derive::{Bearer, BearerId, Bearers};
use domain::account::Account;
use domain::decision::Recipient;
use domain::entry::RuleVersion;
use domain::money::{Money, Sum};
use domain::port::{RuleFacts, Stage};
use domain::split::Shares;
use ledger::Weights;
use std::collections::BTreeMap;

/// An amount of one portion that waits to be passed on.
pub struct Waiting<'a> {
    pub from: Recipient,
    pub service: &'a str,
    pub portion: usize,
    pub amount: Sum,
}

/// How one rule passes on what stands in its pool, or with the team that it is for.
pub struct Passing {
    rule: Option<RuleVersion>,
    shares: Shares,
    /// Who gets it, and the later station where that passes it on in turn.
    takers: Vec<(BearerId, Recipient, Option<usize>)>,
}

/// A pool or team whose cost a rule of a later stage passed on that day.
struct Station {
    stands: Recipient,
    step: u32,
    weights: Weights,
    rule: RuleVersion,
}

/// All stations of a day, in the order of their steps.
pub struct Stations(Vec<Station>);

/// Amounts that moved, by portion.
pub type Moves = Vec<(usize, BearerId, Sum)>;

impl Passing {
    pub fn new(
        rule: Option<RuleVersion>,
        shares: Shares,
        recipients: Vec<Recipient>,
        step: u32,
        stations: &Stations,
        bearers: &mut Bearers,
    ) -> Passing {
        let taker = |recipient: Recipient| {
            (bearer(&recipient, &rule, bearers), stations.next(&recipient, step), recipient)
        };
        let takers = recipients
            .into_iter()
            .map(taker)
            .map(|(bearer, next, recipient)| (bearer, recipient, next))
            .collect();
        Passing { rule, shares, takers }
    }

    /// Adds a charge's shares to those of its portion.
    pub fn add(&self, amount: Money, parts: &mut Vec<i128>) {
        parts.resize(self.takers.len(), 0);
        self.shares.add(amount.nanos(), parts);
    }

    /// Hands on what the charges of a portion were split into.
    pub fn pass_parts<'a>(
        &self,
        part: Waiting<'a>,
        parts: &[i128],
        moves: &mut Moves,
        next: &mut Queues<'a>,
        bearers: &mut Bearers,
    ) {
        moves.push((part.portion, bearer(&part.from, &self.rule, bearers), -part.amount));
        for (taker, share) in parts.iter().enumerate() {
            self.give(taker, Sum::from_nanos(*share), &part, moves, next);
        }
    }

    fn give<'a>(
        &self,
        taker: usize,
        share: Sum,
        part: &Waiting<'a>,
        moves: &mut Moves,
        next: &mut Queues<'a>,
    ) {
        if share.is_zero() {
            return;
        }
        let (bearer, recipient, station) = &self.takers[taker];
        moves.push((part.portion, *bearer, share));
        if let Some(station) = station {
            next.push(
                *station,
                Waiting {
                    from: recipient.clone(),
                    service: part.service,
                    portion: part.portion,
                    amount: share,
                },
            );
        }
    }

    /// Splits what waits as one amount; notes every move, and what waits at the next stations.
    pub fn pass<'a>(
        &self,
        mut waiting: Vec<Waiting<'a>>,
        moves: &mut Moves,
        next: &mut Queues<'a>,
        bearers: &mut Bearers,
    ) {
        waiting.sort_by(|left, right| {
            (&left.from, left.service, left.portion).cmp(&(
                &right.from,
                right.service,
                right.portion,
            ))
        });
        let mut running = self.shares.running();
        let mut from: Option<(Recipient, BearerId)> = None;
        for part in waiting {
            let known =
                from.as_ref().filter(|(known, _)| *known == part.from).map(|(_, bearer)| *bearer);
            let giver = known.unwrap_or_else(|| bearer(&part.from, &self.rule, bearers));
            from = Some((part.from.clone(), giver));
            moves.push((part.portion, giver, -part.amount));
            running.split(part.amount, |taker, share| self.give(taker, share, &part, moves, next));
        }
    }
}

fn bearer(recipient: &Recipient, rule: &Option<RuleVersion>, bearers: &mut Bearers) -> BearerId {
    bearers.number(Bearer {
        account: Account::of(recipient),
        target: recipient.target().cloned(),
        rule: rule.clone(),
    })
}

/// What waits at each station.
#[derive(Default)]
pub struct Queues<'a>(BTreeMap<usize, Vec<Waiting<'a>>>);

impl<'a> Queues<'a> {
    pub fn push(&mut self, station: usize, waiting: Waiting<'a>) {
        self.0.entry(station).or_default().push(waiting);
    }
}

impl Stations {
    /// Weights of the day with the rules of later stages that they belong to.
    pub fn new(weights: &[Weights], rule_of: impl Fn(&Weights) -> Option<RuleFacts>) -> Stations {
        let station = |weights: &Weights| {
            let facts = rule_of(weights)?;
            let stands = match facts.stage {
                Stage::Attribution => return None,
                Stage::Distribution => Recipient::Pool(facts.version.rule.clone()),
                Stage::Cascade(team) => Recipient::team(team),
            };
            Some(Station {
                stands,
                step: weights.step,
                weights: weights.clone(),
                rule: facts.version,
            })
        };
        let mut stations: Vec<Station> =
            weights.iter().filter(|weights| weights.step > 0).filter_map(station).collect();
        stations.sort_by_key(|station| station.step);
        Stations(stations)
    }

    /// Where a recipient passes on what it gets at a step.
    pub fn next(&self, recipient: &Recipient, step: u32) -> Option<usize> {
        self.0.iter().position(|station| {
            let is_here = match (&station.stands, recipient) {
                (Recipient::Team(station), Recipient::Team(target)) => station.team == target.team,
                (Recipient::Pool(station), Recipient::Pool(pool)) => station == pool,
                _ => false,
            };
            is_here && station.step > step
        })
    }

    /// Passes everything on, station by station.
    pub fn pass_on(&self, mut waiting: Queues<'_>, moves: &mut Moves, bearers: &mut Bearers) {
        for (at, station) in self.0.iter().enumerate() {
            if let Some(here) = waiting.0.remove(&at) {
                let Weights { recipients, shares, step, .. } = &station.weights;
                let passing = Passing::new(
                    Some(station.rule.clone()),
                    shares.clone(),
                    recipients.clone(),
                    *step,
                    self,
                    bearers,
                );
                passing.pass(here, moves, &mut waiting, bearers);
            }
        }
    }
}
