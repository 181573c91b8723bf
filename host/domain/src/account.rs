//! Accounts are paths with a kind: debts to providers, prepaid amounts, and the costs of teams.

use crate::recipient::Recipient;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    Asset,
    Liability,
    Income,
    Expense,
    /// Takes money in and passes all of it on. A rest that stays is visible.
    Clearing,
}

/// A place where money stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// The debt to a source's provider.
    Provider(String),
    /// Paid and not used yet: commitments and upfront fees of a source.
    Prepaid(String),
    Team(String),
    /// A rule's shared charges on their way to the teams.
    Pool(String),
    /// Set aside from the teams by a rule, with a reason.
    Excluded(String),
    Unallocated,
    /// Charges whose rule failed.
    Suspense,
    /// The amounts that rounding to nanos took from a batch, or gave to it.
    Rounding(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an account")]
pub struct NotAnAccount(pub String);

impl Account {
    pub fn kind(&self) -> AccountKind {
        match self {
            Account::Provider(_) => AccountKind::Liability,
            Account::Prepaid(_) => AccountKind::Asset,
            Account::Pool(_) => AccountKind::Clearing,
            Account::Team(_)
            | Account::Excluded(_)
            | Account::Unallocated
            | Account::Suspense
            | Account::Rounding(_) => AccountKind::Expense,
        }
    }

    pub fn team(&self) -> Option<&str> {
        match self {
            Account::Team(team) => Some(team),
            _ => None,
        }
    }

    /// Whether somebody bears what stands here. Nobody bears what a provider is owed, what is
    /// prepaid, or what rounding took or gave.
    pub fn is_cost(&self) -> bool {
        match self {
            Account::Team(_)
            | Account::Pool(_)
            | Account::Excluded(_)
            | Account::Unallocated
            | Account::Suspense => true,
            Account::Provider(_) | Account::Prepaid(_) | Account::Rounding(_) => false,
        }
    }

    /// Whether a text looks like an account. No team may be called so, because reports show the
    /// two in one column.
    pub fn is_like(name: &str) -> bool {
        let name = name.trim().to_lowercase();
        match name.split_once('/') {
            None => matches!(name.as_str(), "unallocated" | "suspense"),
            Some((kind, _)) => {
                matches!(kind, "provider" | "prepaid" | "team" | "pool" | "excluded" | "rounding")
            }
        }
    }

    /// The account in which an amount for a recipient is booked.
    pub fn of(recipient: &Recipient) -> Account {
        match recipient {
            Recipient::Team(target) => Account::Team(target.team.clone()),
            Recipient::Pool(rule) => Account::Pool(rule.clone()),
            Recipient::Unallocated => Account::Unallocated,
        }
    }

    /// Reads the text that `Display` writes.
    pub fn parse(path: &str) -> Result<Account, NotAnAccount> {
        let named = |name: &str| name.to_owned();
        match path.split_once('/') {
            None if path == "unallocated" => Ok(Account::Unallocated),
            None if path == "suspense" => Ok(Account::Suspense),
            Some((_, "")) | None => Err(NotAnAccount(path.into())),
            Some(("provider", source)) => Ok(Account::Provider(named(source))),
            Some(("prepaid", source)) => Ok(Account::Prepaid(named(source))),
            Some(("team", team)) => Ok(Account::Team(named(team))),
            Some(("pool", rule)) => Ok(Account::Pool(named(rule))),
            Some(("excluded", rule)) => Ok(Account::Excluded(named(rule))),
            Some(("rounding", source)) => Ok(Account::Rounding(named(source))),
            Some(_) => Err(NotAnAccount(path.into())),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Provider(source) => write!(f, "provider/{source}"),
            Account::Prepaid(source) => write!(f, "prepaid/{source}"),
            Account::Team(team) => write!(f, "team/{team}"),
            Account::Pool(rule) => write!(f, "pool/{rule}"),
            Account::Excluded(rule) => write!(f, "excluded/{rule}"),
            Account::Rounding(source) => write!(f, "rounding/{source}"),
            Account::Unallocated => f.write_str("unallocated"),
            Account::Suspense => f.write_str("suspense"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_accounts_are_known_in_every_case() {
        for name in ["unallocated", " Unallocated", "SUSPENSE", "pool/x", "Team/web", "rounding/"] {
            assert!(Account::is_like(name), "{name}");
        }
        for name in ["payments", "pool", "pools/x", "web/team", "unallocated-2", ""] {
            assert!(!Account::is_like(name), "{name}");
        }
    }
}
