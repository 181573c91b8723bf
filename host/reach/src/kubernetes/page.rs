//! A page of a list: its place among the pages, its objects, and what is left out of them.

use super::ListQuery;
use crate::failure::{Failure, FailureKind};
use serde_json::Value;

/// The namespace's number and the cluster's own token, out of `next`.
pub fn place(query: &ListQuery, namespaces: usize) -> Result<(usize, &str), Failure> {
    let Some(next) = &query.next else { return Ok((0, "")) };
    let place = next.split_once(':').and_then(|(at, token)| Some((at.parse().ok()?, token)));
    place.filter(|(at, _)| *at < namespaces).ok_or_else(|| {
        Failure::new(FailureKind::Config, "a page was asked for by a token that no page gave")
    })
}

/// The objects of a list, and the cluster's token for the next page.
pub fn read(text: &str) -> Result<(Vec<Value>, Option<String>), String> {
    let mut list: Value =
        serde_json::from_str(text).map_err(|error| format!("no JSON ({error})"))?;
    let token =
        list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(objects)) => Ok((objects, token)),
        // Some versions write an empty list without items, or with null.
        None | Some(Value::Null)
            if list["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) =>
        {
            Ok((Vec::new(), token))
        }
        _ => Err("no list".into()),
    }
}

/// Takes out the parts that only servers and `kubectl` need. `kubectl` keeps a copy of the applied
/// object in an annotation, with any secret in it.
pub fn strip(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("managedFields");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_and_stripped() {
        let text = r#"{"kind": "PodList", "metadata": {"continue": "abc", "resourceVersion": "7"}, "items": [{"metadata": {"name": "a",
            "managedFields": [{"manager": "kubectl"}], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"}}}, 7]}"#;
        let (mut objects, token) = read(text).unwrap_or_default();
        objects.iter_mut().for_each(strip);
        assert_eq!(
            Value::Array(objects).to_string(),
            r#"[{"metadata":{"annotations":{"kept":"yes"},"name":"a"}},7]"#
        );
        assert_eq!(token.as_deref(), Some("abc"));
        assert_eq!(
            read(r#"{"kind": "PodList", "metadata": {"continue": ""}, "items": null}"#),
            Ok((Vec::new(), None))
        );
        assert_eq!(read(r#"{"kind": "Status"}"#), Err("no list".into()));
        for no_list in ["[1, {}]", "7", "null", r#"{"items": {}}"#] {
            assert_eq!(read(no_list), Err("no list".into()));
        }
        assert!(read("<html>").is_err_and(|problem| problem.starts_with("no JSON")));
    }
}
