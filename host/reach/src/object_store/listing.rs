//! What a URL leads to: one object, all below a prefix, or those that fit a pattern.

use super::address::{Address, Kind as StoreKind};
use super::cache::Version;
use super::connect::{Access, Head, Store};
use super::trouble;
use super::{At, Found};
use crate::code;
use crate::failure::{Failure, Kind};
use std::sync::Arc;

/// More objects than any bill has: whoever meets this named too much.
const OBJECTS_MAX: usize = 100_000;

pub async fn list(url: &str, access: &Access) -> Result<Vec<Found>, Failure> {
    let address = Address::parse(url)?;
    let store = Arc::new(access.connect(&address).await?);
    let (folder, pattern) = address.folder_and_pattern();
    let is_folder = folder.is_empty() || folder.ends_with('/');
    if (address.kind == StoreKind::Web || (pattern.is_none() && !is_folder))
        && let Some(head) = store.head(url, &address.key).await?
    {
        return Ok(vec![found(&address, &store, head, true)]);
    }
    let heads = store.list(url, folder, OBJECTS_MAX).await?;
    let pattern = pattern
        .map(|pattern| glob::Pattern::new(pattern).map_err(|error| no_pattern(url, error.msg)))
        .transpose()?;
    let mut found: Vec<Found> = heads
        .into_iter()
        .filter(|head| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches_with(&head.key, MATCHING))
        })
        .map(|head| {
            let is_table = pattern.is_some() || (access.is_table)(&head.key);
            found(&address, &store, head, is_table)
        })
        .collect();
    found.sort_by(|left, right| left.name.cmp(&right.name));
    if found.iter().any(|file| file.is_table) { Ok(found) } else { Err(nothing(url, found.len())) }
}

/// As in patterns of paths: `*` ends at a slash, `**` does not.
const MATCHING: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

fn found(address: &Address, store: &Arc<Store>, head: Head, is_table: bool) -> Found {
    let version = Version::of(head.size, head.etag.as_deref(), head.modified.as_deref());
    Found {
        name: address.name(&head.key),
        size: head.size,
        modified: head.modified,
        // What is empty marks a folder.
        is_table: is_table && head.size > 0,
        at: At::Object { store: store.clone(), key: head.key, version },
    }
}

fn no_pattern(url: &str, why: &str) -> Failure {
    trouble::of(
        Kind::Config,
        domain::code::CONFIG_VALUE,
        format!("{url} has a pattern that cannot be read: {why}"),
    )
    .hint("use * for any characters, ? for one, ** for folders, [abc] for one of some")
}

fn nothing(url: &str, others: usize) -> Failure {
    let message = match others {
        0 => format!("there is no object at {url}"),
        others => format!(
            "none of the {others} objects at {url} is a bill: in prefixes only *.csv, *.csv.gz and *.parquet count"
        ),
    };
    trouble::of(Kind::Config, code::STORE_NOT_FOUND, message)
        .hint("correct `paths`; a single object can be named as a whole, whatever its ending")
}
