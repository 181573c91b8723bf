//! The places where costs stand, as postings name them.

use domain::account::Account;
use domain::entry::RuleVersion;
use domain::recipient::{Recipient, Target};
use std::collections::HashMap;

/// One place of a cost: its account, its target and the rule that put it there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bearer {
    pub account: Account,
    pub target: Option<Target>,
    pub rule: Option<RuleVersion>,
}

/// A bearer's number; equal bearers of one scan have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BearerId(pub u32);

impl Bearer {
    /// A recipient that has an amount by a rule.
    pub fn of(recipient: &Recipient, rule: Option<&RuleVersion>) -> Bearer {
        Bearer {
            account: Account::of(recipient),
            target: recipient.target().cloned(),
            rule: rule.cloned(),
        }
    }
}

/// Bearers by number.
#[derive(Default)]
pub struct Bearers {
    all: Vec<Bearer>,
    numbers: HashMap<Bearer, BearerId>,
}

impl Bearers {
    pub fn get(&self, id: BearerId) -> &Bearer {
        &self.all[id.0 as usize]
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn number(&mut self, bearer: Bearer) -> BearerId {
        let next = BearerId(self.all.len() as u32);
        *self.numbers.entry(bearer).or_insert_with_key(|bearer| {
            self.all.push(bearer.clone());
            next
        })
    }
}
