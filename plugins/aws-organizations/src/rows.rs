//! Accounts → rows whose keys are the columns of the table.

use apportion_plugin_sdk::aws::organizations::Account;
use apportion_plugin_sdk::{Error, Tag, Usage};
use serde_json::Value;
use std::collections::BTreeSet;
use table_settings::{object, texts, unknown};

const METRIC: &str = "aws.account";
const COLUMNS: [&str; 4] = ["account_id", "name", "status", "unit"];

/// The source's settings.
#[derive(Debug, Default)]
pub struct Options {
    /// The tags that become columns; empty for all tags.
    tags: Option<Vec<String>>,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut options = Options::default();
        if config.is_empty() {
            return Ok(options);
        }
        let value: Value = serde_json::from_str(config)
            .map_err(|error| Error::config(format!("the settings are not JSON: {error}")))?;
        for (key, value) in object("the settings", &value)? {
            match key.as_str() {
                "tags" => options.tags = Some(texts(key, value)?),
                _ => return Err(unknown("setting", key, ["tags"])),
            }
        }
        Ok(options)
    }
}

/// Rows sorted by account, so that the same organization gives the same table.
pub fn rows(mut accounts: Vec<Account>, options: &Options, now: &str) -> Vec<Usage> {
    accounts.sort_by(|left, right| left.id.cmp(&right.id));
    let tags = match &options.tags {
        Some(tags) => tags.clone(),
        None => {
            let all: BTreeSet<&str> = accounts
                .iter()
                .flat_map(|account| account.tags.iter().map(|tag| tag.key.as_str()))
                .collect();
            all.into_iter().map(str::to_owned).collect()
        }
    };
    accounts.iter().map(|account| row(account, &tags, now)).collect()
}

fn row(account: &Account, tags: &[String], now: &str) -> Usage {
    let units = account.units.join("/");
    let values =
        [account.id.as_str(), account.name.as_str(), account.status.as_str(), units.as_str()];
    let mut keys: Vec<Tag> = COLUMNS
        .iter()
        .zip(values)
        .map(|(key, value)| Tag { key: (*key).into(), value: value.into() })
        .collect();
    for tag in tags {
        let value = account
            .tags
            .iter()
            .find(|found| found.key == *tag)
            .map_or("", |found| found.value.as_str());
        let key = if COLUMNS.contains(&tag.as_str()) { format!("tag_{tag}") } else { tag.clone() };
        keys.push(Tag { key, value: value.into() });
    }
    Usage {
        metric: METRIC.into(),
        period_start: now.into(),
        keys,
        value: "1".into(),
        unit: "accounts".into(),
    }
}
