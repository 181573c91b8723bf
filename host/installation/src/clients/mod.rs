//! Clients of a source, with their bounds, out of the sections of `apportion.toml`.

pub mod aws;
pub mod http;
pub mod kubernetes;
pub mod secret;
pub mod store;

use crate::settings::source::SourceSettings;
use domain::diagnostic::Diagnostic;
use reach::Clients;
use reach::object_store::SourceFiles;
use std::path::Path;
use std::sync::Arc;

/// The clients of one source, for the powers that it grants. `files` are those at its paths, and
/// `root` is the folder of the settings file.
pub fn clients(
    root: &Path,
    source: &SourceSettings,
    files: Option<Arc<SourceFiles>>,
) -> Result<Clients, Diagnostic> {
    let name = source.name.as_str();
    let granted = |power: &str| source.grants.value.names().any(|grant| grant == power);
    let aws = || source.aws.clone().unwrap_or_default();
    let mut clients = Clients {
        files: files.clone().filter(|_| granted("file")),
        tables: files,
        ..Clients::default()
    };
    if granted("http") {
        let section = source.http.clone().unwrap_or_default();
        clients.http = Some(Arc::new(http::http(root, name, &section, &source.secrets)?));
    }
    if granted("kubernetes") {
        let section = source.kubernetes.clone().unwrap_or_default();
        clients.kubernetes = Some(Arc::new(kubernetes::kubernetes(root, name, &section)?));
    }
    if granted("aws-cost-explorer") {
        clients.cost_explorer = Some(Arc::new(aws::cost_explorer(name, &aws())));
    }
    if granted("aws-organizations") {
        clients.organizations = Some(Arc::new(aws::organizations(name, &aws())));
    }
    Ok(clients)
}
