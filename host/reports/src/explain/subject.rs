//! The subject of a question, found in the ledger, and its part of each portion of charges.

use crate::bearer::{BearerId, Bearers};
use crate::code;
use crate::costs::read::team_text;
use crate::explain::answer::{EntryFacts, Subject};
use crate::explain::query::ExplainDepth;
use crate::portion::Portion;
use domain::account::Account;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::field::Field;
use domain::hint::Hint;
use domain::money::Sum;
use domain::run::SourceDay;
use ledger::{EntryId, Reader, StoredEntry};
use std::collections::BTreeSet;

/// The subject of an explanation, found in the ledger.
pub enum SubjectKey {
    Account(Account),
    /// In the order of their numbers.
    Resource {
        name: String,
        resources: Vec<ResourceId>,
    },
    Entry(Box<StoredEntry>),
}

impl SubjectKey {
    pub fn find(
        ledger: &Reader,
        dictionary: &Dictionary,
        what: &str,
    ) -> Result<SubjectKey, Diagnostic> {
        if let Some(number) = what.strip_prefix("entry:") {
            let id = number.parse().map(EntryId).ok();
            let entry = id.map(|id| ledger.entry(id)).transpose()?.flatten();
            let missing = || {
                Diagnostic::new(code::NOTHING_TO_EXPLAIN, format!("there is no entry '{number}'"))
                    .hint(
                        Hint::text("entries are numbered from 1: ")
                            .then(Hint::deed("explain entry:1", "/api/v1/explain?what=entry:1")),
                    )
            };
            return entry.map(|entry| SubjectKey::Entry(Box::new(entry))).ok_or_else(missing);
        }
        // Every account that was ever posted to: what cancels out in the end has stood there too.
        let accounts = ledger.accounts()?;
        for account in [Some(Account::Team(what.to_owned())), Account::parse(what).ok()]
            .into_iter()
            .flatten()
            // `unallocated` is the account, and never a team.
            .filter(|account| account.team() != Some(what) || !Account::is_like(what))
        {
            if account.is_cost() && accounts.contains(&account) {
                return Ok(SubjectKey::Account(account));
            }
        }
        let symbol = dictionary.find_symbol(what).filter(|symbol| *symbol != Symbol::NONE);
        if let Some(symbol) = symbol {
            let is_it = |id: &ResourceId| is_named(dictionary, *id, symbol);
            let resources: Vec<ResourceId> = all_resources(dictionary).filter(is_it).collect();
            if !resources.is_empty() {
                return Ok(SubjectKey::Resource { name: what.to_owned(), resources });
            }
        }
        let costs = accounts.iter().filter(|account| account.is_cost());
        let names: Vec<String> = costs.map(team_text).collect();
        let hint = match did_you_mean(what, names.iter().map(String::as_str)) {
            Some(close) => Hint::text(format!("did you mean `{close}`?")),
            None => Hint::text(
                "name a team, a resource id, an account such as `unallocated`, or `entry:1`; ",
            )
            .then(Hint::deed("costs --group-by team", "/api/v1/costs?group_by=team"))
            .then(" lists the teams"),
        };
        Err(Diagnostic::new(
            code::NOTHING_TO_EXPLAIN,
            format!("nothing in the ledger is called '{what}'"),
        )
        .hint(hint))
    }

    pub fn subject(&self) -> Subject {
        match self {
            SubjectKey::Account(account) => Subject::Account(account.clone()),
            SubjectKey::Resource { name, .. } => Subject::Resource(name.clone()),
            SubjectKey::Entry(stored) => Subject::Entry(EntryFacts {
                id: stored.id,
                kind: stored.entry.kind(),
                source_day: source_day(stored),
                posting_day: stored.entry.posting_day(),
                run: stored.run,
                reverses: stored.reverses,
                reversed_by: stored.reversed_by,
                hash: stored.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
                postings: stored.entry.postings().to_vec(),
                stands: stands(stored),
            }),
        }
    }

    /// The resources that are asked for, in order; nothing for all.
    pub fn resources(
        &self,
        dictionary: &Dictionary,
        service: Option<Symbol>,
    ) -> Option<Vec<ResourceId>> {
        let is_in = |resource: &ResourceId| {
            service.is_none_or(|name| dictionary.dimension(*resource, Field::SERVICE_NAME) == name)
        };
        match (self, service) {
            (SubjectKey::Resource { resources, .. }, _) => {
                Some(resources.iter().copied().filter(is_in).collect())
            }
            (_, Some(_)) => Some(all_resources(dictionary).filter(is_in).collect()),
            (_, None) => None,
        }
    }

    /// The depth of an answer where none is asked for.
    pub fn usual_depth(&self) -> ExplainDepth {
        match self {
            SubjectKey::Resource { .. } => ExplainDepth::Resources,
            SubjectKey::Account(_) | SubjectKey::Entry(_) => ExplainDepth::Summary,
        }
    }

    /// The part of a portion that belongs to the subject, by bearer.
    pub fn amounts(&self, portion: &Portion<'_>, bearers: &Bearers) -> Vec<(BearerId, Sum)> {
        let borne = portion.borne.iter().copied();
        match self {
            SubjectKey::Account(account) => {
                borne.filter(|(bearer, _)| bearers.get(*bearer).account == *account).collect()
            }
            // Only its own part of the charges is gone through.
            SubjectKey::Resource { .. } | SubjectKey::Entry(_) => borne.collect(),
        }
    }
}

fn stands(entry: &StoredEntry) -> bool {
    entry.reverses.is_none() && entry.reversed_by.is_none()
}

fn source_day(stored: &StoredEntry) -> SourceDay {
    SourceDay {
        source: stored.entry.source().to_owned(),
        day: stored.entry.charge_day(),
        currency: stored.entry.currency(),
    }
}

fn all_resources(dictionary: &Dictionary) -> impl Iterator<Item = ResourceId> {
    (0..dictionary.resource_count()).map(|id| ResourceId(id as u32))
}

fn is_named(dictionary: &Dictionary, resource: ResourceId, symbol: Symbol) -> bool {
    let named = |field: Option<Field>| {
        field.is_some_and(|field| dictionary.dimension(resource, field) == symbol)
    };
    named(Some(Field::RESOURCE_ID)) || named(Field::by_name("resource_name"))
}

/// The service as charges name it.
pub fn service(dictionary: &Dictionary, name: &str) -> Result<Symbol, Diagnostic> {
    let names = || -> BTreeSet<Symbol> {
        let of = |id| dictionary.dimension(ResourceId(id as u32), Field::SERVICE_NAME);
        (0..dictionary.resource_count()).map(of).collect()
    };
    match dictionary.find_symbol(name).filter(|symbol| names().contains(symbol)) {
        Some(symbol) => Ok(symbol),
        None => {
            let names = names();
            let hint = match did_you_mean(name, names.iter().map(|symbol| dictionary.text(*symbol)))
            {
                Some(close) => Hint::text(format!("did you mean '{close}'?")),
                None => Hint::deed(
                    "costs --group-by service_name",
                    "/api/v1/costs?group_by=service_name",
                )
                .then(" lists the services"),
            };
            Err(Diagnostic::new(
                code::NOTHING_TO_EXPLAIN,
                format!("nothing was charged for the service '{name}'"),
            )
            .hint(hint))
        }
    }
}
