//! Entries read from the ledger.

use crate::costs::read::team_text;
use crate::entries::query::{EntryPage, EntryQuery};
use domain::account::Account;
use domain::code::QUERY_INVALID;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::entry::Posting;
use domain::hint::Hint;
use ledger::listing::EntryFilter;
use ledger::{Reader, StoredEntry};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryList {
    pub query: EntryQuery,
    /// By number, which is the order in which they were posted.
    pub entries: Vec<StoredEntry>,
    pub has_more: bool,
}

/// Entries with all their postings. A name that nothing has is refused.
pub fn entries(
    ledger: &Reader,
    query: &EntryQuery,
    page: EntryPage,
) -> Result<EntryList, Diagnostic> {
    let accounts = ledger.accounts()?;
    let mut wanted: Option<Vec<Account>> = None;
    if let Some(team) = &query.team {
        let costs: Vec<Account> =
            accounts.iter().filter(|account| account.is_cost()).cloned().collect();
        let names: Vec<String> = costs.iter().map(team_text).collect();
        known("team", team, names.iter().map(String::as_str))?;
        wanted = Some(costs.into_iter().filter(|account| team_text(account) == *team).collect());
    }
    if let Some(path) = &query.account {
        let paths: Vec<String> = accounts.iter().map(ToString::to_string).collect();
        known("account", path, paths.iter().map(String::as_str))?;
        let of_path = |account: &&Account| account.to_string() == *path;
        let of_team = |account: &&Account| wanted.as_ref().is_none_or(|all| all.contains(account));
        let both = accounts.iter().filter(of_path).filter(of_team).cloned().collect();
        wanted = Some(both);
    }
    if let Some(rule) = &query.rule {
        known("rule", rule, ledger.rule_names()?.iter().map(String::as_str))?;
    }
    if let Some(source) = &query.source {
        known("source", source, ledger.source_names()?.iter().map(String::as_str))?;
    }
    let filter = EntryFilter {
        axis: query.axis,
        period: query.period,
        source: query.source.clone(),
        run: query.run,
        accounts: wanted,
        rule: query.rule.clone(),
    };
    let mut entries = ledger.entries(&filter, page.after, page.limit + 1)?;
    let has_more = entries.len() > page.limit;
    entries.truncate(page.limit);
    Ok(EntryList { query: query.clone(), entries, has_more })
}

impl EntryQuery {
    /// Whether a posting is of the team, account and rule that are asked for.
    pub fn is_of(&self, posting: &Posting) -> bool {
        let of_rule = |rule: &String| posting.rule.as_ref().is_some_and(|own| own.rule == *rule);
        let of_account = |path: &String| posting.account.to_string() == *path;
        let of_team =
            |team: &String| posting.account.is_cost() && team_text(&posting.account) == *team;
        self.rule.as_ref().is_none_or(of_rule)
            && self.account.as_ref().is_none_or(of_account)
            && self.team.as_ref().is_none_or(of_team)
    }
}

fn known<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Diagnostic> {
    if names.clone().any(|known| known == name) {
        return Ok(());
    }
    let hint = match did_you_mean(name, names) {
        Some(close) => Hint::text(format!("did you mean `{close}`?")),
        None => {
            Hint::deed(format!("costs --group-by {what}"), format!("/api/v1/costs?group_by={what}"))
                .then(" lists what there is")
        }
    };
    Err(Diagnostic::new(QUERY_INVALID, format!("no entry has the {what} '{name}'")).hint(hint))
}
