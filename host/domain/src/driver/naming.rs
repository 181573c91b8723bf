//! All targets that a spread names, to be changed: a team has one spelling wherever a rule says it.

use super::Driver;
use super::candidates::Candidates;
use super::usage::{Unknown, UsageDriver};
use crate::decision::Decision;
use crate::recipient::{Recipient, Target};
use crate::spread::{Spread, WhenZero};

impl Decision {
    /// The targets that it names.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Decision::Assign(recipient) => recipient.target_mut().into_iter().collect(),
            Decision::Spread(spread) => spread.targets_mut(),
            Decision::Exclude { .. } => Vec::new(),
        }
    }
}

impl Spread {
    /// The targets that it names, with those of all that may take its place.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        let mut targets = of_driver(&mut self.by);
        targets.extend(self.bounds.iter_mut().filter_map(|bound| bound.recipient.target_mut()));
        if let WhenZero::Spread(fallback) = &mut self.when_zero {
            targets.extend(fallback.targets_mut());
        }
        targets
    }

    /// A recipient that it lists twice.
    pub fn listed_twice(&self) -> Option<Recipient> {
        let listed: Vec<Recipient> = match &self.by {
            Driver::Fixed(fixed) => fixed.weights.iter().map(|(to, _)| to.clone()).collect(),
            Driver::Cost(cost) => listed(&cost.among),
            Driver::Usage(usage) => listed(&usage.among),
            Driver::RateCard(card) => listed(&card.usage.among),
            Driver::Plugin(plugin) => listed(&plugin.among),
            // Each tier has a list of its own.
            Driver::Tiers(_) => Vec::new(),
        };
        let bounds = self.bounds.iter().map(|bound| bound.recipient.clone()).collect();
        twice(listed).or_else(|| twice(bounds))
    }
}

fn of_driver(by: &mut Driver) -> Vec<&mut Target> {
    match by {
        Driver::Fixed(fixed) => {
            fixed.weights.iter_mut().filter_map(|(recipient, _)| recipient.target_mut()).collect()
        }
        Driver::Cost(cost) => of_candidates(&mut cost.among),
        Driver::Plugin(plugin) => of_candidates(&mut plugin.among),
        Driver::Usage(usage) => of_usage(usage),
        Driver::RateCard(card) => {
            let mut targets = of_usage(&mut card.usage);
            targets.extend(card.remainder.target_mut());
            targets
        }
        Driver::Tiers(tiers) => {
            tiers.tiers.iter_mut().flat_map(|tier| tier.spread.targets_mut()).collect()
        }
    }
}

fn of_usage(usage: &mut UsageDriver) -> Vec<&mut Target> {
    let mut targets = of_candidates(&mut usage.among);
    targets.extend(usage.recipients.values_mut().filter_map(Recipient::target_mut));
    if let Unknown::To(recipient) = &mut usage.unknown {
        targets.extend(recipient.target_mut());
    }
    targets
}

fn of_candidates(among: &mut Candidates) -> Vec<&mut Target> {
    match among {
        Candidates::Listed(targets) => targets.iter_mut().collect(),
        Candidates::AllTeams => Vec::new(),
    }
}

fn listed(among: &Candidates) -> Vec<Recipient> {
    match among {
        Candidates::Listed(targets) => targets.iter().cloned().map(Recipient::Team).collect(),
        Candidates::AllTeams => Vec::new(),
    }
}

fn twice(mut recipients: Vec<Recipient>) -> Option<Recipient> {
    recipients.sort();
    recipients.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}
