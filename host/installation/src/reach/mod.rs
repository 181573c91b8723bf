//! Clients of a source, with their bounds, out of the sections of `apportion.toml`.

pub mod aws;
mod bounds;
pub mod http;
pub mod kubernetes;
pub mod store;

use crate::settings::source::SourceSettings;
use domain::diagnostic::Diagnostic;
use reach::Clients;
use reach::object_store::SourceFiles;
use std::path::Path;
use std::sync::Arc;

/// The clients of one source, for the powers that it grants. `files` are those at its paths, and
/// `root` is the folder of the settings file.
pub fn reach(
    root: &Path,
    source: &SourceSettings,
    files: Option<Arc<SourceFiles>>,
) -> Result<Clients, Diagnostic> {
    let name = source.name.as_str();
    let granted = |power: &str| source.grants.value.names().any(|grant| grant == power);
    let (aws, kubernetes) = (source.aws.as_ref(), source.kubernetes.as_ref());
    let mut reach = Clients {
        files: files.clone().filter(|_| granted("file")),
        tables: files,
        ..Clients::default()
    };
    if granted("http") {
        let section = source.http.as_ref().map(|http| http.get_ref());
        reach.http = Some(Arc::new(http::http(root, name, section, &source.secrets)?));
    }
    if granted("kubernetes") {
        reach.kubernetes = Some(Arc::new(kubernetes::kubernetes(root, name, kubernetes)?));
    }
    if granted("aws-cost-explorer") {
        reach.cost_explorer = Some(Arc::new(aws::cost_explorer(name, aws)?));
    }
    if granted("aws-organizations") {
        reach.organizations = Some(Arc::new(aws::organizations(name, aws)?));
    }
    Ok(reach)
}
