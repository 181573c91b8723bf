//! A source that asks the cost API of Azure.

use crate::scenes::asking::Source;
use test_support::server::http::HttpServer;

pub fn source<'a>(server: &HttpServer, config: &str, since: &'a str) -> Source<'a> {
    let config = format!(
        "url = '{}', scope = 'providers/Microsoft.Billing/billingAccounts/70664866', {config}",
        server.url()
    );
    Source { plugin: "azure-cost", url: server.url(), config, slots: &["token"], since }
}
