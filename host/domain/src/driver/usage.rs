//! `by_usage`: in proportion to the quantities of a metric.

use super::candidates::Candidates;
use super::facts::{
    CostQuestion, Facts, MetricWindow, Pool, PricedUsage, UsageQuery, describe_filter,
};
use super::method::{DriverAnswer, DriverMethod, team_names};
use crate::diagnostic::Diagnostic;
use crate::recipient::{Recipient, Target};
use crate::usage::Quantity;
use std::collections::BTreeMap;

/// The usage that counts, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageDriver {
    pub query: UsageQuery,
    /// Only these teams, where given.
    pub among: Candidates,
    /// Recipients by the key's value. They are asked before the table. Values of several keys are
    /// joined by slashes; the last value alone stands for all of the others.
    pub recipients: BTreeMap<String, Recipient>,
    /// A lookup table from the keys' values to the team. Without one, the last value is the team.
    pub table: Option<String>,
    pub unknown: Unknown,
}

/// Bears the share of usage that names no known team.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    To(Recipient),
    /// It does not count, so that the others bear it.
    Ignore,
}

impl UsageDriver {
    /// Usage by recipient, in a fixed order; nothing where no usage is known. The quantity of a row
    /// is bounded, so that all of a day add up.
    pub(crate) fn by_recipient(&self, facts: &dyn Facts) -> Option<Vec<(Recipient, Quantity)>> {
        let mut by_recipient: BTreeMap<Recipient, Quantity> = BTreeMap::new();
        for (values, quantity) in facts.usage(&self.query)? {
            if let Some(recipient) = self.recipient_of(&values, facts) {
                by_recipient.entry(recipient).or_default().0 += quantity.0;
            }
        }
        Some(match &self.among {
            Candidates::AllTeams => by_recipient.into_iter().collect(),
            Candidates::Listed(targets) => {
                // Names are compared: a listed team can have a cost center, unknown to usage.
                let quantity = |target: &Target| {
                    let of_team = by_recipient.iter().filter(|(recipient, _)| {
                        recipient.target().is_some_and(|known| known.team == target.team)
                    });
                    Quantity(of_team.map(|(_, used)| used.0).sum())
                };
                let listed = targets.iter();
                listed.map(|target| (Recipient::Team(target.clone()), quantity(target))).collect()
            }
        })
    }

    fn recipient_of(&self, values: &[String], facts: &dyn Facts) -> Option<Recipient> {
        let value = values.last().map(String::as_str).unwrap_or_default();
        let joined = || self.recipients.get(&values.join("/"));
        // Usage without the key stands under the empty text, and no map or table is asked for it.
        let named = match (joined().or_else(|| self.recipients.get(value)), &self.table) {
            _ if values.iter().any(String::is_empty) => None,
            (Some(recipient), _) => Some(recipient.clone()).filter(|recipient| {
                recipient.target().is_none_or(|target| facts.team(&target.team).is_some())
            }),
            (None, Some(table)) => {
                facts.cell(table, values).and_then(|team| facts.team(&team)).map(Recipient::Team)
            }
            (None, None) => facts.team(value).map(Recipient::Team),
        };
        named.or_else(|| match &self.unknown {
            Unknown::To(recipient) => Some(recipient.clone()),
            Unknown::Ignore => None,
        })
    }

    pub(crate) fn recipients_today(&self, facts: &dyn Facts) -> Vec<Recipient> {
        let used = self.by_recipient(facts).into_iter().flatten();
        used.map(|(recipient, _)| recipient).collect()
    }

    pub(crate) fn teams_named(&self) -> Vec<&str> {
        let unknown = match &self.unknown {
            Unknown::To(recipient) => Some(recipient),
            Unknown::Ignore => None,
        };
        let mut teams = self.among.teams();
        teams.extend(team_names(self.recipients.values().chain(unknown)));
        teams
    }

    pub(crate) fn metric_window(&self) -> MetricWindow<'_> {
        MetricWindow { metric: &self.query.metric, window: self.query.window }
    }

    /// All but the name of the function.
    pub(crate) fn words(&self) -> String {
        let UsageQuery { metric, filter, key, window } = &self.query;
        let mut words = vec![metric.clone()];
        if let Candidates::Listed(_) = self.among {
            words.push(format!("of {}", self.among.describe()));
        }
        words.extend(describe_filter(filter));
        if *key != ["team"] {
            words.push(format!("key {}", key.join(", ")));
        }
        words.extend(self.table.iter().map(|table| format!("table {table}")));
        let recipients = self.recipients.iter();
        words.extend(recipients.map(|(value, to)| format!("{value} → {}", to.describe())));
        match &self.unknown {
            Unknown::To(Recipient::Unallocated) => {}
            Unknown::To(recipient) => words.push(format!("unknown {}", recipient.describe())),
            Unknown::Ignore => words.push("unknown ignore".into()),
        }
        words.extend(window.words());
        words.join(" ")
    }
}

impl DriverMethod for UsageDriver {
    fn weigh(&self, _: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let used = self.by_recipient(facts).into_iter().flatten();
        Ok(DriverAnswer::Weights(
            used.map(|(recipient, quantity)| (recipient, quantity.0)).collect(),
        ))
    }

    fn recipients(&self, _: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        Ok(self.recipients_today(facts))
    }

    fn teams(&self) -> Vec<&str> {
        self.teams_named()
    }

    fn needs_total(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        format!("by_usage {}", self.words())
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        vec![self.metric_window()]
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        Vec::new()
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        Vec::new()
    }
}
