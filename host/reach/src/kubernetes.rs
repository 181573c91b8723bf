//! Kubernetes: lists of the kinds that the operator grants, by the kubeconfig that the operator
//! names.
//!
//! All requests are for lists; nothing is written, watched or opened. Secrets and config maps
//! cannot be granted.

mod connection;
mod page;
mod refusal;
mod resource;

use crate::failure::{Failure, FailureKind};
use crate::runtime::{block_on, milliseconds};
use crate::secret::Blots;
use crate::toml_table;
use connection::NoList;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use kube::Client;
use kube::core::Request;
use kube::core::params::ListParams;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The kinds that a source may list unless the settings say otherwise: those that the collector
/// `kubernetes` needs.
pub const RESOURCES: [&str; 8] = [
    "namespaces",
    "nodes",
    "pods",
    "services",
    "persistentvolumes",
    "persistentvolumeclaims",
    "apps/replicasets",
    "batch/jobs",
];

/// The most objects of one page. A page of large pods stays within some megabytes.
const PAGE_MAX: u32 = 500;

/// The waits before a busy cluster is asked again.
const WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// Answers a plugin's queries of a cluster: its API does, or a script.
pub trait ClusterLists: Send + Sync {
    fn list(&self, query: &ListQuery) -> Result<ListPage, Failure>;
    fn version(&self) -> Result<String, Failure>;
}

impl ClusterLists for Kubernetes {
    fn list(&self, query: &ListQuery) -> Result<ListPage, Failure> {
        Kubernetes::list(self, query)
    }

    fn version(&self) -> Result<String, Failure> {
        Kubernetes::version(self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    pub resource: String,
    pub namespace: Option<String>,
    pub label_selector: Option<String>,
    pub field_selector: Option<String>,
    pub limit: u32,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// A JSON array.
    pub objects: Vec<u8>,
    pub next: Option<String>,
}

/// A cluster, and the kinds and namespaces of it that a source may list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterAccess {
    pub source: String,
    /// Without a kubeconfig, the cluster that Apportion itself runs in is asked.
    pub kubeconfig: Option<PathBuf>,
    /// Without a context, the current context of the kubeconfig.
    pub context: Option<String>,
    pub resources: Vec<String>,
    /// All namespaces if the list is empty.
    pub namespaces: Vec<String>,
    /// The longest wait for one answer.
    pub timeout: Duration,
}

impl ClusterAccess {
    /// The section of the settings.
    fn section(&self) -> String {
        toml_table::header(&["sources", &self.source, "kubernetes"])
    }
}

/// The client of one source for one cluster.
pub struct Kubernetes {
    access: ClusterAccess,
    /// Made when it is first needed.
    client: Mutex<Option<Client>>,
    /// The secrets of its requests.
    blots: Arc<Blots>,
}

impl Kubernetes {
    /// Refuses kinds and namespaces that cannot be granted. Does not connect yet.
    pub fn new(access: ClusterAccess) -> Result<Kubernetes, Diagnostic> {
        let refused = |message: String, hint: &str| {
            Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint))
        };
        for resource in &access.resources {
            let plural = resource.rsplit('/').next().unwrap_or(resource);
            if resource::NEVER.contains(&plural) {
                let message = format!(
                    "'{plural}' stands in `resources` of {}, and can never be granted",
                    access.section()
                );
                return refused(message, "take them out");
            }
            if resource::split(resource).is_none() {
                let message =
                    format!("'{resource}' in `resources` of {} names no kind", access.section());
                return refused(
                    message,
                    "write plurals in lower case, with their group where they have one: \
                         \"pods\", \"apps/replicasets\"",
                );
            }
        }
        if let Some(namespace) =
            access.namespaces.iter().find(|namespace| !resource::is_label(namespace))
        {
            let message = format!(
                "'{namespace}' in `namespaces` of {} cannot be the name of a namespace",
                access.section()
            );
            return refused(message, "`kubectl get namespaces` names them");
        }
        Ok(Kubernetes { access, client: Mutex::new(None), blots: Arc::default() })
    }

    /// One page. Where only some namespaces are granted, they are listed one after the other.
    pub fn list(&self, query: &ListQuery) -> Result<ListPage, Failure> {
        let (group, plural) = self.granted(&query.resource)?;
        let is_of_cluster = resource::OF_THE_CLUSTER.contains(&query.resource.as_str());
        let namespaces = self.namespaces(query, is_of_cluster)?;
        let (at, token) = page::place(query, namespaces.len())?;
        let limit = if query.limit == 0 { PAGE_MAX } else { query.limit.min(PAGE_MAX) };
        let parameters = ListParams {
            label_selector: query.label_selector.clone(),
            field_selector: query.field_selector.clone(),
            limit: Some(limit),
            continue_token: (!token.is_empty()).then(|| token.to_owned()),
            ..ListParams::default()
        };
        let namespace = namespaces.get(at).copied().flatten();
        let text = self.ask(query, async |client| {
            let version = if group.is_empty() {
                "v1".to_owned()
            } else {
                connection::version(client, group).await?
            };
            let request =
                Request::new(resource::path(group, &version, namespace, plural)).list(&parameters);
            let request = request.map_err(kube::Error::BuildRequest)?;
            connection::get(client, &self.blots, request).await
        })?;
        let (mut objects, token) =
            page::read(&text).map_err(|problem| refusal::no_list(&self.access, query, &problem))?;
        if query.resource == "namespaces" && !self.access.namespaces.is_empty() {
            objects.retain(|object| {
                object["metadata"]["name"]
                    .as_str()
                    .is_some_and(|name| self.access.namespaces.iter().any(|known| known == name))
            });
        }
        objects.iter_mut().for_each(page::strip);
        let next = match token {
            Some(token) => Some(format!("{at}:{token}")),
            None => (at + 1 < namespaces.len()).then(|| format!("{}:", at + 1)),
        };
        Ok(ListPage { objects: Value::Array(objects).to_string().into_bytes(), next })
    }

    pub fn version(&self) -> Result<String, Failure> {
        let query = ListQuery {
            resource: "version".into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 0,
            next: None,
        };
        let version = self.ask(&query, async |client| Ok(client.apiserver_version().await?))?;
        Ok(self.blots.text(&version.git_version))
    }

    /// Group and plural of a kind that may be listed.
    fn granted<'a>(&self, resource: &'a str) -> Result<(&'a str, &'a str), Failure> {
        let known = self.access.resources.iter().any(|granted| granted == resource);
        let plural = resource.rsplit('/').next().unwrap_or(resource);
        if resource::NEVER.contains(&plural) {
            return Err(Failure::denied(
                format!("{plural} can never be listed"),
                "use a plugin that does not ask for them",
            ));
        }
        resource::split(resource).filter(|_| known).ok_or_else(|| {
            let names: Vec<String> = self
                .access
                .resources
                .iter()
                .map(String::as_str)
                .chain([resource])
                .map(|name| format!("{name:?}"))
                .collect();
            let hint = self.setting("resources", &names);
            Failure::denied(
                format!(
                    "the source '{}' does not grant {resource:?} of its cluster",
                    self.access.source
                ),
                hint,
            )
        })
    }

    /// The namespaces to list, one after the other. `None` stands for all namespaces at once.
    fn namespaces<'a>(
        &'a self,
        query: &'a ListQuery,
        is_of_cluster: bool,
    ) -> Result<Vec<Option<&'a str>>, Failure> {
        let granted = &self.access.namespaces;
        match query.namespace.as_deref() {
            Some(namespace) if !resource::is_label(namespace) => Err(Failure::new(
                FailureKind::Config,
                format!("{namespace:?} cannot be the name of a namespace"),
            )),
            Some(namespace)
                if granted.is_empty() || granted.iter().any(|known| known == namespace) =>
            {
                Ok(vec![Some(namespace)])
            }
            Some(namespace) => {
                let names: Vec<String> = granted
                    .iter()
                    .map(String::as_str)
                    .chain([namespace])
                    .map(|name| format!("{name:?}"))
                    .collect();
                let hint = self.setting("namespaces", &names);
                Err(Failure::denied(
                    format!(
                        "the source '{}' does not grant the namespace '{namespace}'",
                        self.access.source
                    ),
                    hint,
                ))
            }
            None if is_of_cluster || granted.is_empty() => Ok(vec![None]),
            None => Ok(granted.iter().map(|namespace| Some(namespace.as_str())).collect()),
        }
    }

    /// The line of the settings that grants the names.
    fn setting(&self, key: &str, names: &[String]) -> Hint {
        Hint::setting(format!("{}\n{key} = [{}]", self.access.section(), names.join(", ")))
    }

    /// Sends a request, and sends it again while the cluster says that it is too busy.
    fn ask<T>(
        &self,
        query: &ListQuery,
        question: impl AsyncFn(&Client) -> Result<T, NoList>,
    ) -> Result<T, Failure> {
        block_on(async {
            let client = self.connected().await?;
            let mut waits = WAITS.iter().copied();
            loop {
                let began = Instant::now();
                let answer = tokio::time::timeout(self.access.timeout, question(&client)).await;
                let (source, resource) = (&self.access.source, &query.resource);
                let (ok, ms) = (matches!(answer, Ok(Ok(_))), milliseconds(began));
                tracing::debug!(source, resource, ok, ms, "cluster was asked");
                let trouble = match answer {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(trouble)) => trouble,
                    Err(_) => return Err(refusal::too_late(&self.access, query)),
                };
                match trouble.patience().and_then(|asked_for| Some((asked_for, waits.next()?))) {
                    Some((asked_for, usual)) => {
                        let wait = asked_for.unwrap_or(usual).min(self.access.timeout);
                        tokio::time::sleep(wait).await;
                    }
                    None => {
                        let failure = refusal::of_answer(&self.access, query, trouble);
                        return Err(failure.without(&self.blots));
                    }
                }
            }
        })
    }

    /// The client, which is made at the first request. Clones of a client share their connections.
    /// The lock is not held while a client is made: of two requests that make one at the same time,
    /// each uses its own, and the later one is kept.
    async fn connected(&self) -> Result<Client, Failure> {
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = connection::connect(&self.access, &self.blots)
            .await
            .map_err(|failure| failure.without(&self.blots))?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> ClusterAccess {
        ClusterAccess {
            source: "cluster".into(),
            kubeconfig: Some("kubeconfig".into()),
            context: None,
            resources: RESOURCES.map(str::to_owned).to_vec(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(5),
        }
    }

    fn query(resource: &str) -> ListQuery {
        ListQuery {
            resource: resource.into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 2,
            next: None,
        }
    }

    fn refused(access: ClusterAccess) -> String {
        Kubernetes::new(access).map_or_else(
            |finding| format!("{} {}", finding.code, finding.message),
            |_| "granted".into(),
        )
    }

    fn denied(access: ClusterAccess, query: &ListQuery) -> (String, Option<String>) {
        let kubernetes = Kubernetes::new(access).unwrap_or_else(|finding| panic!("{finding}"));
        kubernetes.list(query).map_or_else(
            |failure| (failure.diagnostic.message.clone(), failure.diagnostic.hint_text()),
            |_| ("listed".into(), None),
        )
    }

    #[test]
    fn secrets_can_never_be_granted() {
        for resource in ["secrets", "configmaps", "anything.example.com/secrets"] {
            let refusal = refused(ClusterAccess { resources: vec![resource.into()], ..access() });
            assert!(
                refusal.starts_with("C104 '") && refusal.ends_with("and can never be granted"),
                "{refusal}"
            );
        }
        let mut open = access();
        open.resources.push("pods".into());
        assert_eq!(denied(open, &query("secrets")).0, "secrets can never be listed");
    }

    #[test]
    fn only_names_of_kinds_and_namespaces_become_paths() {
        for resource in [
            "",
            "Pods",
            "pods/../nodes",
            "/pods",
            "apps/",
            "pods?x",
            "apps//replicasets",
            "a/b/c",
            ".a/pods",
        ] {
            let expect = format!(
                "C104 '{resource}' in `resources` of [sources.cluster.kubernetes] names no kind"
            );
            assert_eq!(
                refused(ClusterAccess { resources: vec![resource.into()], ..access() }),
                expect
            );
        }
        let expect = "C104 'a/b' in `namespaces` of [sources.cluster.kubernetes] cannot be the name \
             of a namespace";
        assert_eq!(refused(ClusterAccess { namespaces: vec!["a/b".into()], ..access() }), expect);
        let nested = ListQuery { namespace: Some("../secrets".into()), ..query("pods") };
        assert_eq!(denied(access(), &nested).0, "\"../secrets\" cannot be the name of a namespace");
        assert_eq!(resource::path("", "v1", None, "nodes"), "/api/v1/nodes");
        assert_eq!(
            resource::path("apps", "v1", Some("shop"), "replicasets"),
            "/apis/apps/v1/namespaces/shop/replicasets"
        );
    }

    #[test]
    fn what_is_not_granted_is_denied_with_the_line_that_grants_it() {
        let little = ClusterAccess {
            resources: vec!["pods".into()],
            namespaces: vec!["shop".into()],
            ..access()
        };
        let (message, hint) = denied(little.clone(), &query("nodes"));
        assert_eq!(message, "the source 'cluster' does not grant \"nodes\" of its cluster");
        assert_eq!(
            hint.as_deref(),
            Some("[sources.cluster.kubernetes]\nresources = [\"pods\", \"nodes\"]")
        );
        let (message, hint) = denied(
            little.clone(),
            &ListQuery { namespace: Some("search".into()), ..query("pods") },
        );
        assert_eq!(message, "the source 'cluster' does not grant the namespace 'search'");
        assert_eq!(
            hint.as_deref(),
            Some("[sources.cluster.kubernetes]\nnamespaces = [\"shop\", \"search\"]")
        );
        for next in ["", "x", "1:", "7:abc", "-1:"] {
            let (message, _) =
                denied(little.clone(), &ListQuery { next: Some(next.into()), ..query("pods") });
            assert_eq!(message, "a page was asked for by a token that no page gave", "{next}");
        }
    }

    #[test]
    fn a_kubeconfig_that_is_not_there_or_names_no_such_context_is_told() {
        let (message, hint) = denied(
            ClusterAccess { kubeconfig: Some("/nowhere/config".into()), ..access() },
            &query("pods"),
        );
        assert!(
            message.starts_with(
                "the kubeconfig /nowhere/config of the source 'cluster' cannot be used: failed \
             to read kubeconfig"
            ),
            "{message}"
        );
        assert_eq!(
            hint.as_deref(),
            Some("check with `kubectl --kubeconfig /nowhere/config config get-contexts`")
        );
        assert_eq!(
            denied(ClusterAccess { kubeconfig: None, ..access() }, &query("pods")).0,
            "the source 'cluster' names no kubeconfig, and does not run in a cluster"
        );
    }
}
