//! The words of postings and their numbers: accounts, targets, rule versions and services. Each
//! word is stored once.

use crate::Result;
use crate::error::corrupt;
use crate::row;
use domain::account::Account;
use domain::entry::{Posting, RuleVersion};
use domain::money::Money;
use domain::recipient::Target;
use foldhash::HashMap;
use rusqlite::{Connection, Row};
use std::hash::Hash;

/// All words by number. Number `n` stands at index `n − 1`.
#[derive(Default)]
pub struct Words {
    pub accounts: Vec<Account>,
    pub targets: Vec<Target>,
    pub rules: Vec<RuleVersion>,
    pub services: Vec<String>,
}

/// The words of a posting, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Numbers {
    pub account: i64,
    pub target: Option<i64>,
    pub rule: Option<i64>,
    pub service: Option<i64>,
}

impl Words {
    pub fn load(connection: &Connection) -> Result<Words> {
        Ok(Words {
            accounts: words(connection, "SELECT id, path FROM account ORDER BY id", |row| {
                row::account(row::text(row, 1)?)
            })?,
            targets: words(
                connection,
                "SELECT id, team, cost_center, environment, application FROM target ORDER BY id",
                |row| {
                    Ok(Target {
                        team: row::cell(row, 1)?,
                        cost_center: row::cell(row, 2)?,
                        environment: row::cell(row, 3)?,
                        application: row::cell(row, 4)?,
                    })
                },
            )?,
            rules: words(
                connection,
                "SELECT id, rule, digest FROM rule_version ORDER BY id",
                |row| Ok(RuleVersion { rule: row::cell(row, 1)?, digest: row::cell(row, 2)? }),
            )?,
            services: words(connection, "SELECT id, name FROM service ORDER BY id", |row| {
                row::cell(row, 1)
            })?,
        })
    }

    /// The numbers of accounts as a JSON list; an account that was never posted to has none.
    pub fn account_numbers(&self, wanted: &[Account]) -> String {
        let numbers: Vec<i64> = (1..)
            .zip(&self.accounts)
            .filter(|(_, known)| wanted.contains(known))
            .map(|(n, _)| n)
            .collect();
        serde_json::json!(numbers).to_string()
    }

    pub fn account(&self, numbers: &Numbers) -> Result<&Account> {
        word(&self.accounts, numbers.account)
    }

    pub fn target(&self, numbers: &Numbers) -> Result<Option<&Target>> {
        numbers.target.map(|number| word(&self.targets, number)).transpose()
    }

    pub fn rule(&self, numbers: &Numbers) -> Result<Option<&RuleVersion>> {
        numbers.rule.map(|number| word(&self.rules, number)).transpose()
    }

    pub fn service(&self, numbers: &Numbers) -> Result<Option<&str>> {
        Ok(numbers
            .service
            .map(|number| word(&self.services, number))
            .transpose()?
            .map(String::as_str))
    }

    pub fn posting(&self, numbers: &Numbers, amount: i64) -> Result<Posting> {
        Ok(Posting {
            account: self.account(numbers)?.clone(),
            target: self.target(numbers)?.cloned(),
            rule: self.rule(numbers)?.cloned(),
            service_name: self.service(numbers)?.map(str::to_owned),
            amount: Money::from_nanos(amount),
        })
    }
}

fn words<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut due = 0;
    row::rows(connection, sql, [], |row| {
        due += 1;
        let number: i64 = row::cell(row, 0)?;
        if number == due {
            read(row)
        } else {
            Err(corrupt(format!("word {due} is missing: `{sql}` goes on with {number}")))
        }
    })
}

fn word<T>(words: &[T], number: i64) -> Result<&T> {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| words.get(at))
        .ok_or_else(|| corrupt(format!("a posting names word {number}, which does not exist")))
}

/// Words in both directions, for writing.
#[derive(Default)]
pub struct Interner {
    pub words: Words,
    accounts: HashMap<Account, i64>,
    targets: HashMap<Target, i64>,
    rules: HashMap<RuleVersion, i64>,
    services: HashMap<String, i64>,
}

impl Interner {
    pub fn load(connection: &Connection) -> Result<Interner> {
        let words = Words::load(connection)?;
        Ok(Interner {
            accounts: numbered(&words.accounts),
            targets: numbered(&words.targets),
            rules: numbered(&words.rules),
            services: numbered(&words.services),
            words,
        })
    }

    /// The numbers of a posting's words. New words are stored.
    pub fn numbers(&mut self, connection: &Connection, posting: &Posting) -> Result<Numbers> {
        Ok(Numbers {
            account: self.account(connection, &posting.account)?,
            target: posting
                .target
                .as_ref()
                .map(|target| self.target(connection, target))
                .transpose()?,
            rule: posting.rule.as_ref().map(|rule| self.rule(connection, rule)).transpose()?,
            service: posting
                .service_name
                .as_deref()
                .map(|name| self.service(connection, name))
                .transpose()?,
        })
    }

    fn account(&mut self, connection: &Connection, account: &Account) -> Result<i64> {
        if let Some(number) = self.accounts.get(account) {
            return Ok(*number);
        }
        // The number is chosen here and not by SQLite, so that it is the index in `words`.
        let number = next(&self.words.accounts);
        row::execute(
            connection,
            "INSERT INTO account (id, path) VALUES (?1, ?2)",
            (number, account.to_string()),
        )?;
        Ok(learn(&mut self.words.accounts, &mut self.accounts, account.clone()))
    }

    fn target(&mut self, connection: &Connection, target: &Target) -> Result<i64> {
        if let Some(number) = self.targets.get(target) {
            return Ok(*number);
        }
        let sql = "INSERT INTO target (id, team, cost_center, environment, application) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let number = next(&self.words.targets);
        row::execute(
            connection,
            sql,
            (number, &target.team, &target.cost_center, &target.environment, &target.application),
        )?;
        Ok(learn(&mut self.words.targets, &mut self.targets, target.clone()))
    }

    fn rule(&mut self, connection: &Connection, rule: &RuleVersion) -> Result<i64> {
        if let Some(number) = self.rules.get(rule) {
            return Ok(*number);
        }
        let number = next(&self.words.rules);
        row::execute(
            connection,
            "INSERT INTO rule_version (id, rule, digest) VALUES (?1, ?2, ?3)",
            (number, &rule.rule, &rule.digest),
        )?;
        Ok(learn(&mut self.words.rules, &mut self.rules, rule.clone()))
    }

    fn service(&mut self, connection: &Connection, name: &str) -> Result<i64> {
        if let Some(number) = self.services.get(name) {
            return Ok(*number);
        }
        let number = next(&self.words.services);
        row::execute(connection, "INSERT INTO service (id, name) VALUES (?1, ?2)", (number, name))?;
        Ok(learn(&mut self.words.services, &mut self.services, name.to_owned()))
    }
}

fn numbered<T: Clone + Eq + Hash>(words: &[T]) -> HashMap<T, i64> {
    words.iter().cloned().zip(1..).collect()
}

fn next<T>(words: &[T]) -> i64 {
    words.len() as i64 + 1
}

fn learn<T: Clone + Eq + Hash>(words: &mut Vec<T>, numbers: &mut HashMap<T, i64>, word: T) -> i64 {
    let number = next(words);
    words.push(word.clone());
    numbers.insert(word, number);
    number
}
