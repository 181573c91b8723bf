//! Names of kinds and namespaces, checked before they become a part of a path.

use std::collections::BTreeSet;

/// Kinds that hold credentials. Sharing costs needs none of them, so they cannot be granted, in any
/// group.
pub const NEVER: [&str; 2] = ["secrets", "configmaps"];

/// Kinds that stand outside all namespaces, so that a list of namespaces does not restrict them.
pub const OF_THE_CLUSTER: [&str; 4] =
    ["namespaces", "nodes", "persistentvolumes", "storage.k8s.io/storageclasses"];

pub fn path(group: &str, version: &str, namespace: Option<&str>, plural: &str) -> String {
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    };
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        None => format!("{root}/{plural}"),
    }
}

/// Splits `apps/replicasets` into group and plural. Kinds of the core have no group. `None` for a
/// text that is no name of a kind.
pub fn split(resource: &str) -> Option<(&str, &str)> {
    let (group, plural) = resource.split_once('/').unwrap_or(("", resource));
    let is_group = group.split('.').all(is_label) || !resource.contains('/');
    (is_group && is_label(plural)).then_some((group, plural))
}

/// Whether a text is a label of DNS. Plurals, namespaces and the parts of groups have to be one.
pub fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The plurals by group, as the rules of a role list them.
pub fn groups(resources: &[String]) -> Vec<(&str, BTreeSet<&str>)> {
    let mut groups: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for (group, plural) in resources.iter().filter_map(|resource| split(resource)) {
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, plurals)) => drop(plurals.insert(plural)),
            None => groups.push((group, BTreeSet::from([plural]))),
        }
    }
    groups
}
