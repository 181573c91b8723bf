//! Amounts on their way into entries.

use crate::inputs::AllocationInputs;
use crate::slice::{CellSum, SideSums};
use domain::account::Account;
use domain::code;
use domain::decision::RuleIndex;
use domain::diagnostic::Diagnostic;
use domain::dictionary::Symbol;
use domain::entry::{Entry, EntryKind, Posting, RuleVersion};
use domain::money::Sum;
use domain::recipient::Recipient;
use domain::run::SourceDay;
use std::collections::BTreeMap;

/// Accounts of one source-day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineAccount {
    Provider,
    Prepaid,
    Rounding,
    Excluded,
    Suspense,
    Recipient(Recipient),
}

impl LineAccount {
    fn is_cost(&self) -> bool {
        !matches!(self, LineAccount::Provider | LineAccount::Prepaid | LineAccount::Rounding)
    }
}

/// Amounts of one rule by account and service.
#[derive(Default)]
pub struct Lines {
    /// By service within accounts, because comparing recipients costs more than comparing numbers.
    sums: BTreeMap<LineAccount, BTreeMap<Symbol, SideSums>>,
}

/// The lines of a source-day, by the rule that decided them.
pub type ByRule = BTreeMap<Option<RuleIndex>, Lines>;

impl Lines {
    pub fn add(&mut self, to: LineAccount, service: Symbol, nanos: i128) {
        if nanos != 0 {
            self.sums.entry(to).or_default().entry(service).or_default().add(nanos);
        }
    }

    /// As [`Lines::add`], of an account's services.
    pub fn add_services(&mut self, to: LineAccount, services: &[(Symbol, SideSums)]) {
        let sums = self.sums.entry(to).or_default();
        for (service, added) in services {
            let sum = sums.entry(*service).or_default();
            added.sides().into_iter().for_each(|nanos| sum.add(nanos));
        }
    }

    pub fn total(&self) -> i128 {
        self.sums.values().flat_map(BTreeMap::values).map(|sum| sum.net()).sum()
    }

    /// Takes from one and gives to the other.
    pub fn pass(&mut self, from: &Recipient, to: &Recipient, service: Symbol, nanos: i128) {
        self.add(LineAccount::Recipient(from.clone()), service, -nanos);
        self.add(LineAccount::Recipient(to.clone()), service, nanos);
    }

    /// The provider is owed the billed amount. The part of it that later days use is prepaid.
    pub fn add_charged(&mut self, sum: CellSum) {
        self.add(LineAccount::Provider, Symbol::NONE, -sum.billed);
        self.add(LineAccount::Prepaid, Symbol::NONE, sum.billed - sum.effective.net());
    }

    /// Whether all costs of the rule cancel out.
    fn cancels(&self) -> bool {
        let costs = self.sums.iter().filter(|(to, _)| to.is_cost());
        costs.flat_map(|(_, services)| services.values()).all(|sum| sum.net() == 0)
    }

    /// Costs that all cancel out are posted above and below zero: the entry then says that the rule
    /// was at work, and reports find the parts of both.
    pub fn entry(
        self,
        inputs: &AllocationInputs<'_>,
        kind: EntryKind,
        rule: Option<RuleIndex>,
        day: &SourceDay,
    ) -> Result<Option<Entry>, Diagnostic> {
        let rule = rule.and_then(|rule| inputs.facts(rule)).map(|facts| &facts.version);
        let name = || rule.map_or_else(String::new, |rule| rule.rule.clone());
        let mut postings = Vec::new();
        let cancels = self.cancels();
        for (to, services) in self.sums {
            let amounts = |sum: SideSums| match cancels && to.is_cost() {
                true => sum.sides(),
                false => [sum.net(), 0],
            };
            let account = match &to {
                LineAccount::Provider => Account::Provider(day.source.clone()),
                LineAccount::Prepaid => Account::Prepaid(day.source.clone()),
                LineAccount::Rounding => Account::Rounding(day.source.clone()),
                LineAccount::Excluded => Account::Excluded(name()),
                LineAccount::Suspense => Account::Suspense,
                LineAccount::Recipient(recipient) => Account::of(recipient),
            };
            // A source charges the same under all rules, so these postings name none.
            let rule = rule.filter(|_| to.is_cost());
            let mut services: Vec<(Option<&str>, Sum)> = services
                .into_iter()
                .flat_map(|(service, sum)| amounts(sum).map(|nanos| (service, nanos)))
                .filter(|(_, nanos)| *nanos != 0)
                .map(|(service, nanos)| {
                    let name = (service != Symbol::NONE).then(|| inputs.dictionary.text(service));
                    (name, Sum::from_nanos(nanos))
                })
                .collect();
            let target = match to {
                LineAccount::Recipient(Recipient::Team(target)) => Some(target),
                _ => None,
            };
            // In the order of an entry's postings, which leaves little to sort.
            services.sort_unstable_by_key(|(name, _)| *name);
            for (name, sum) in services {
                let amounts = sum.amounts().ok_or_else(|| too_large(&account, sum, rule, day))?;
                postings.extend(amounts.map(|amount| Posting {
                    account: account.clone(),
                    target: target.clone(),
                    rule: rule.cloned(),
                    service_name: name.map(str::to_owned),
                    amount,
                }));
            }
        }
        if postings.is_empty() {
            return Ok(None);
        }
        Entry::new(kind, &day.source, day.day, day.currency, postings).map(Some).map_err(|error| {
            Diagnostic::new(code::CONSERVATION, error.to_string())
                .hint("this is a fault of Apportion; nothing was posted")
        })
    }
}

fn too_large(
    account: &Account,
    amount: Sum,
    rule: Option<&RuleVersion>,
    day: &SourceDay,
) -> Diagnostic {
    let of_rule = rule.map_or_else(String::new, |rule| format!(", by {}", rule.rule));
    let message = format!(
        "{account} would get {} {} of {} on {}{of_rule}, and the ledger holds at most {}",
        amount.plain(),
        day.currency,
        day.source,
        day.day,
        Sum::POSTED_MAX.plain()
    );
    Diagnostic::new(code::AMOUNT_TOO_LARGE, message).hint(
        "weights or amounts of both signs that nearly cancel out make such shares: look at \
         `when_negative`, at prices, and at the charges of the day",
    )
}
