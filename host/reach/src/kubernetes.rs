//! Kubernetes: lists of kinds that the operator granted, by the kubeconfig that the operator names.
//!
//! Nothing is ever written, watched or opened, and nothing but lists is asked for. Secrets and config maps cannot be granted.

mod refusal;

use crate::failure::{Failure, Kind};
use crate::runtime::block_on;
use domain::code;
use domain::diagnostic::Diagnostic;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::params::ListParams;
use kube::core::{Request, Status};
use kube::{Client, Config};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a source may list unless the settings say otherwise: what the collector `kubernetes` needs.
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

/// Kinds that hold what nobody needs to know who shares costs, in any group.
const NEVER: [&str; 2] = ["secrets", "configmaps"];

/// Kinds of the cluster as a whole: a list of namespaces does not restrict them.
const OF_THE_CLUSTER: [&str; 4] =
    ["namespaces", "nodes", "persistentvolumes", "storage.k8s.io/storageclasses"];

/// The most objects of one page: a page of large pods then stays within some megabytes.
const PAGE_MAX: u32 = 500;

/// Such a page has some megabytes: whoever answers with more is no cluster, or one that does not know limits.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// What is waited for before a cluster that has too much to do is asked again.
const WAITS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// How much is quoted of an answer that is not the cluster's.
const QUOTED_CHARS: usize = 200;

/// Who answers what a plugin asks of a cluster: its API, or a script.
pub trait Lists: Send + Sync {
    fn list(&self, query: &Query) -> Result<Page, Failure>;
    fn version(&self) -> Result<String, Failure>;
}

impl Lists for Kubernetes {
    fn list(&self, query: &Query) -> Result<Page, Failure> {
        Kubernetes::list(self, query)
    }

    fn version(&self) -> Result<String, Failure> {
        Kubernetes::version(self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub resource: String,
    pub namespace: Option<String>,
    pub label_selector: Option<String>,
    pub field_selector: Option<String>,
    pub limit: u32,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// A JSON array.
    pub objects: Vec<u8>,
    pub next: Option<String>,
}

/// Which cluster, and what of it a source may list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub source: String,
    /// Without one, the cluster that Apportion itself runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's current one unless said.
    pub context: Option<String>,
    pub resources: Vec<String>,
    /// Empty: all.
    pub namespaces: Vec<String>,
    /// For one answer.
    pub timeout: Duration,
}

/// One cluster, and what one source may list of it.
pub struct Kubernetes {
    access: Access,
    /// Made when it is first needed.
    client: Mutex<Option<Client>>,
}

impl Kubernetes {
    /// Refuses what cannot be granted; reaches nothing yet.
    pub fn new(access: Access) -> Result<Kubernetes, Diagnostic> {
        let refused = |message: String, hint: &str| {
            Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint))
        };
        for resource in &access.resources {
            let plural = resource.rsplit('/').next().unwrap_or(resource);
            if NEVER.contains(&plural) {
                let message = format!(
                    "'{plural}' stands in `resources` of [sources.{}.kubernetes], and can never be granted",
                    access.source
                );
                return refused(message, "take them out");
            }
            if split(resource).is_none() {
                let message = format!(
                    "'{resource}' in `resources` of [sources.{}.kubernetes] names no kind",
                    access.source
                );
                return refused(
                    message,
                    "write plurals in lower case, with their group where they have one: \"pods\", \"apps/replicasets\"",
                );
            }
        }
        if let Some(namespace) = access.namespaces.iter().find(|namespace| !is_label(namespace)) {
            let message = format!(
                "'{namespace}' in `namespaces` of [sources.{}.kubernetes] cannot be the name of a namespace",
                access.source
            );
            return refused(message, "`kubectl get namespaces` names them");
        }
        Ok(Kubernetes { access, client: Mutex::new(None) })
    }

    /// One page. Where only some namespaces are granted, they are listed one after the other.
    pub fn list(&self, query: &Query) -> Result<Page, Failure> {
        let (group, plural) = self.granted(&query.resource)?;
        let is_of_cluster = OF_THE_CLUSTER.contains(&query.resource.as_str());
        let namespaces = self.namespaces(query, is_of_cluster)?;
        let (at, token) = place(query, namespaces.len())?;
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
            let version =
                if group.is_empty() { "v1".to_owned() } else { version(client, group).await? };
            let request = Request::new(path(group, &version, namespace, plural)).list(&parameters);
            get(client, request.map_err(kube::Error::BuildRequest)?).await
        })?;
        let (mut objects, token) =
            read(&text).map_err(|problem| refusal::no_list(&self.access, query, &problem))?;
        if query.resource == "namespaces" && !self.access.namespaces.is_empty() {
            objects.retain(|object| {
                object["metadata"]["name"]
                    .as_str()
                    .is_some_and(|name| self.access.namespaces.iter().any(|known| known == name))
            });
        }
        objects.iter_mut().for_each(strip);
        let next = match token {
            Some(token) => Some(format!("{at}:{token}")),
            None => (at + 1 < namespaces.len()).then(|| format!("{}:", at + 1)),
        };
        Ok(Page { objects: Value::Array(objects).to_string().into_bytes(), next })
    }

    pub fn version(&self) -> Result<String, Failure> {
        let query = Query {
            resource: "version".into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 0,
            next: None,
        };
        self.ask(&query, async |client| Ok(client.apiserver_version().await?.git_version))
    }

    /// Group and plural of a kind that may be listed.
    fn granted<'a>(&self, resource: &'a str) -> Result<(&'a str, &'a str), Failure> {
        let known = self.access.resources.iter().any(|granted| granted == resource);
        let plural = resource.rsplit('/').next().unwrap_or(resource);
        if NEVER.contains(&plural) {
            return Err(Failure::denied(
                format!("{plural} can never be listed"),
                "use a plugin that does not ask for them",
            ));
        }
        split(resource).filter(|_| known).ok_or_else(|| {
            let names: Vec<String> = self
                .access
                .resources
                .iter()
                .map(String::as_str)
                .chain([resource])
                .map(|name| format!("{name:?}"))
                .collect();
            let hint = format!(
                "[sources.{}.kubernetes]\nresources = [{}]",
                self.access.source,
                names.join(", ")
            );
            Failure::denied(
                format!(
                    "the source '{}' does not grant {resource:?} of its cluster",
                    self.access.source
                ),
                hint,
            )
        })
    }

    /// Where to list, one after the other; `None` is everywhere.
    fn namespaces<'a>(
        &'a self,
        query: &'a Query,
        is_of_cluster: bool,
    ) -> Result<Vec<Option<&'a str>>, Failure> {
        let granted = &self.access.namespaces;
        match query.namespace.as_deref() {
            Some(namespace) if !is_label(namespace) => Err(Failure::new(
                Kind::Config,
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
                let hint = format!(
                    "[sources.{}.kubernetes]\nnamespaces = [{}]",
                    self.access.source,
                    names.join(", ")
                );
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

    /// Asks, and asks again where the cluster says that it has too much to do just now.
    fn ask<T>(
        &self,
        query: &Query,
        question: impl AsyncFn(&Client) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        block_on(async {
            let client = self.connected().await?;
            let mut waits = WAITS.iter().copied();
            loop {
                let answer = tokio::time::timeout(self.access.timeout, question(&client)).await;
                let trouble = match answer {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(trouble)) => trouble,
                    Err(_) => return Err(refusal::too_late(&self.access, query)),
                };
                match trouble.patience().and_then(|told| Some((told, waits.next()?))) {
                    Some((told, usual)) => {
                        tokio::time::sleep(told.unwrap_or(usual).min(self.access.timeout)).await
                    }
                    None => return Err(refusal::of_answer(&self.access, query, trouble)),
                }
            }
        })
    }

    /// Clones share their connections. The lock is held for no wait: the first of two that come at once is forgotten.
    async fn connected(&self) -> Result<Client, Failure> {
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = known {
            return Ok(client);
        }
        let client = connect(&self.access).await?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }
}

async fn connect(access: &Access) -> Result<Client, Failure> {
    let (mut config, has_own_proxy) = match &access.kubeconfig {
        None => (Config::incluster().map_err(|_| refusal::nowhere(access))?, false),
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path)
                .map_err(|error| refusal::of_kubeconfig(access, path, &error))?;
            let has_own_proxy = names_proxy(&kubeconfig, access.context.as_ref());
            let options = KubeConfigOptions {
                context: access.context.clone(),
                ..KubeConfigOptions::default()
            };
            let config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| refusal::of_kubeconfig(access, path, &error))?;
            (config, has_own_proxy)
        }
    };
    // The kubeconfig's own word counts; what the environment names is for the web.
    config.proxy_url = config.proxy_url.filter(|_| has_own_proxy);
    config.connect_timeout = Some(access.timeout);
    // Who asks waits so long, and says it better.
    config.read_timeout = None;
    // Its retries would not end within our time.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| refusal::of_client(access, &error))
}

/// Why there is no answer.
#[derive(Debug)]
enum Trouble {
    Kube(kube::Error),
    BrokeOff(String),
    TooLong,
}

impl Trouble {
    /// Whether it may be gone soon, and after how long by the cluster's own word.
    fn patience(&self) -> Option<Option<Duration>> {
        let Trouble::Kube(kube::Error::Api(status)) = self else { return None };
        let told = status
            .details
            .as_ref()
            .map(|details| details.retry_after_seconds)
            .filter(|seconds| *seconds > 0);
        matches!(status.code, 429 | 503 | 504)
            .then(|| told.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }
}

impl From<kube::Error> for Trouble {
    fn from(error: kube::Error) -> Trouble {
        Trouble::Kube(error)
    }
}

/// The text of one answer, as far as it is no longer than any page is.
async fn get(client: &Client, request: http::Request<Vec<u8>>) -> Result<String, Trouble> {
    let response = client.send(request.map(Body::from)).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Trouble::TooLong
        } else {
            Trouble::BrokeOff(error.to_string())
        }
    })?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    if status < 400 {
        return Ok(text);
    }
    // What stands between us and the cluster answers in its own way.
    let said = serde_json::from_str::<Status>(&text).ok().filter(|said| said.code != 0);
    let said = said.unwrap_or_else(|| {
        Status::failure(&text.chars().take(QUOTED_CHARS).collect::<String>(), "").with_code(status)
    });
    Err(Trouble::Kube(kube::Error::Api(said.boxed())))
}

/// Whether the cluster of the context is to be asked through a proxy.
fn names_proxy(kubeconfig: &Kubeconfig, context: Option<&String>) -> bool {
    let context = context.or(kubeconfig.current_context.as_ref());
    let context = kubeconfig
        .contexts
        .iter()
        .find(|known| Some(&known.name) == context)
        .and_then(|known| known.context.as_ref());
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|known| context.is_some_and(|context| context.cluster == known.name));
    cluster
        .and_then(|known| known.cluster.as_ref())
        .is_some_and(|cluster| cluster.proxy_url.is_some())
}

/// The version of a group that the cluster prefers; those that never change need no asking.
async fn version(client: &Client, group: &str) -> Result<String, Trouble> {
    if matches!(group, "apps" | "batch" | "storage.k8s.io") {
        return Ok("v1".into());
    }
    let groups = client.list_api_groups().await?;
    let known = groups.groups.into_iter().find(|known| known.name == group);
    let version = known
        .and_then(|known| known.preferred_version.or_else(|| known.versions.into_iter().next()));
    // A group that does not exist is asked for all the same: the answer says so.
    Ok(version.map_or_else(|| "v1".into(), |version| version.version))
}

fn path(group: &str, version: &str, namespace: Option<&str>, plural: &str) -> String {
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

/// `apps/replicasets` → group and plural; the core has no group. Nothing but names of kinds passes.
fn split(resource: &str) -> Option<(&str, &str)> {
    let (group, plural) = resource.split_once('/').unwrap_or(("", resource));
    let is_group = group.split('.').all(is_label) || !resource.contains('/');
    (is_group && is_label(plural)).then_some((group, plural))
}

/// A name as DNS has them, which is what Kubernetes asks of plurals, of namespaces and of the parts of groups.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `next` is the number of the namespace at hand and the cluster's own token.
fn place(query: &Query, namespaces: usize) -> Result<(usize, &str), Failure> {
    let Some(next) = &query.next else { return Ok((0, "")) };
    let place = next.split_once(':').and_then(|(at, token)| Some((at.parse().ok()?, token)));
    place.filter(|(at, _)| *at < namespaces).ok_or_else(|| {
        Failure::new(Kind::Config, "a page was asked for by a token that no page gave")
    })
}

/// The objects of a list, and where it goes on.
fn read(text: &str) -> Result<(Vec<Value>, Option<String>), String> {
    let mut list: Value =
        serde_json::from_str(text).map_err(|error| format!("no JSON ({error})"))?;
    let token =
        list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(objects)) => Ok((objects, token)),
        // Some versions write an empty list so.
        None | Some(Value::Null)
            if list["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) =>
        {
            Ok((Vec::new(), token))
        }
        _ => Err("no list".into()),
    }
}

/// Takes out what only servers and `kubectl` need. The latter keeps whole objects as text, with whatever was applied.
fn strip(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("managedFields");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// The rules of a role that may do what a source needs, by group.
fn groups(resources: &[String]) -> Vec<(&str, BTreeSet<&str>)> {
    let mut groups: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for (group, plural) in resources.iter().filter_map(|resource| split(resource)) {
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, plurals)) => drop(plurals.insert(plural)),
            None => groups.push((group, BTreeSet::from([plural]))),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access {
            source: "cluster".into(),
            kubeconfig: Some("kubeconfig".into()),
            context: None,
            resources: RESOURCES.map(str::to_owned).to_vec(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(5),
        }
    }

    fn query(resource: &str) -> Query {
        Query {
            resource: resource.into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 2,
            next: None,
        }
    }

    fn refused(access: Access) -> String {
        Kubernetes::new(access).map_or_else(
            |finding| format!("{} {}", finding.code, finding.message),
            |_| "granted".into(),
        )
    }

    fn denied(access: Access, query: &Query) -> (String, Option<String>) {
        let kubernetes = Kubernetes::new(access).unwrap_or_else(|finding| panic!("{finding}"));
        kubernetes.list(query).map_or_else(
            |failure| (failure.diagnostic.message.clone(), failure.diagnostic.hint_text()),
            |_| ("listed".into(), None),
        )
    }

    #[test]
    fn secrets_can_never_be_granted() {
        for resource in ["secrets", "configmaps", "anything.example.com/secrets"] {
            let refusal = refused(Access { resources: vec![resource.into()], ..access() });
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
            assert_eq!(refused(Access { resources: vec![resource.into()], ..access() }), expect);
        }
        let expect = "C104 'a/b' in `namespaces` of [sources.cluster.kubernetes] cannot be the name of a namespace";
        assert_eq!(refused(Access { namespaces: vec!["a/b".into()], ..access() }), expect);
        let nested = Query { namespace: Some("../secrets".into()), ..query("pods") };
        assert_eq!(denied(access(), &nested).0, "\"../secrets\" cannot be the name of a namespace");
        assert_eq!(path("", "v1", None, "nodes"), "/api/v1/nodes");
        assert_eq!(
            path("apps", "v1", Some("shop"), "replicasets"),
            "/apis/apps/v1/namespaces/shop/replicasets"
        );
    }

    #[test]
    fn what_is_not_granted_is_denied_with_the_line_that_grants_it() {
        let little =
            Access { resources: vec!["pods".into()], namespaces: vec!["shop".into()], ..access() };
        let (message, hint) = denied(little.clone(), &query("nodes"));
        assert_eq!(message, "the source 'cluster' does not grant \"nodes\" of its cluster");
        assert_eq!(
            hint.as_deref(),
            Some("[sources.cluster.kubernetes]\nresources = [\"pods\", \"nodes\"]")
        );
        let (message, hint) =
            denied(little.clone(), &Query { namespace: Some("search".into()), ..query("pods") });
        assert_eq!(message, "the source 'cluster' does not grant the namespace 'search'");
        assert_eq!(
            hint.as_deref(),
            Some("[sources.cluster.kubernetes]\nnamespaces = [\"shop\", \"search\"]")
        );
        for next in ["", "x", "1:", "7:abc", "-1:"] {
            let (message, _) =
                denied(little.clone(), &Query { next: Some(next.into()), ..query("pods") });
            assert_eq!(message, "a page was asked for by a token that no page gave", "{next}");
        }
    }

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

    #[test]
    fn a_kubeconfig_that_is_not_there_or_names_no_such_context_is_told() {
        let (message, hint) = denied(
            Access { kubeconfig: Some("/nowhere/config".into()), ..access() },
            &query("pods"),
        );
        assert!(message.starts_with("the kubeconfig /nowhere/config of the source 'cluster' cannot be used: failed to read kubeconfig"), "{message}");
        assert_eq!(
            hint.as_deref(),
            Some("check with `kubectl --kubeconfig /nowhere/config config get-contexts`")
        );
        assert_eq!(
            denied(Access { kubeconfig: None, ..access() }, &query("pods")).0,
            "the source 'cluster' names no kubeconfig, and does not run in a cluster"
        );
    }
}
