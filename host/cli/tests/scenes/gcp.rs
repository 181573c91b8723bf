//! A source that asks BigQuery for the billing export of Google.

use crate::scenes::asking::Source;

pub const CONFIG: &str =
    "mode = 'query', project = 'billing', dataset = 'export', table = 'gcp_billing_export_v1'";

pub fn source<'a>(url: &str, config: &str) -> Source<'a> {
    Source {
        plugin: "gcp-billing",
        url: url.to_owned(),
        config: format!("url = '{url}', {CONFIG}, {config}"),
        slots: &["token"],
        since: "2026-10-01",
    }
}
