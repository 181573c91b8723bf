//! The objects of a URL: one object, all objects below a prefix, or those that match a pattern.

use super::address::{Address, StoreKind};
use super::cache::ObjectVersion;
use super::connect::{ObjectHead, StoreAccess, StoreClient};
use super::trouble;
use super::{FileOrigin, ListedFile};
use crate::code;
use crate::failure::{Failure, FailureKind};
use std::sync::Arc;

/// No bill has more objects. A listing that is longer begins too high up.
const OBJECTS_MAX: usize = 100_000;

pub async fn list(url: &str, access: &StoreAccess) -> Result<Vec<ListedFile>, Failure> {
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
    let mut found: Vec<ListedFile> = heads
        .into_iter()
        .filter(|head| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches_with(&head.key, MATCHING))
        })
        .map(|head| {
            let is_table = pattern.is_some() || (access.is_table)(&head.key);
            found(&address, &store, head, is_table)
        })
        .collect();
    tracing::debug!(bucket = address.bucket, objects = found.len(), "store was listed");
    found.sort_by(|left, right| left.name.cmp(&right.name));
    if found.iter().any(|file| file.is_table) { Ok(found) } else { Err(nothing(url, found.len())) }
}

/// As in patterns of paths: `*` ends at a slash, `**` does not.
const MATCHING: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

fn found(
    address: &Address,
    store: &Arc<StoreClient>,
    head: ObjectHead,
    is_table: bool,
) -> ListedFile {
    let version = ObjectVersion::of(head.size, head.etag.as_deref(), head.modified.as_deref());
    ListedFile {
        name: address.name(&head.key),
        size: head.size,
        modified: head.modified,
        // An empty object marks a folder.
        is_table: is_table && head.size > 0,
        at: FileOrigin::Object { store: store.clone(), key: head.key, version },
    }
}

fn no_pattern(url: &str, why: &str) -> Failure {
    trouble::of(
        FailureKind::Config,
        domain::code::CONFIG_VALUE,
        format!("{url} has a pattern that cannot be read: {why}"),
    )
    .hint("use * for any characters, ? for one, ** for folders, [abc] for one of some")
}

fn nothing(url: &str, others: usize) -> Failure {
    let message = match others {
        0 => format!("there is no object at {url}"),
        others => format!(
            "none of the {others} objects at {url} is a bill: in prefixes only *.csv, \
                 *.csv.gz, *.csv.zip and *.parquet count"
        ),
    };
    trouble::of(FailureKind::Config, code::STORE_NOT_FOUND, message)
        .hint("correct `paths`; a single object can be named as a whole, whatever its ending")
}
