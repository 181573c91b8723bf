//! The connection to a cluster, and one request with its answer.

use super::{ClusterAccess, refusal};
use crate::failure::Failure;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::Status;
use kube::{Client, Config};
use std::time::Duration;

/// A page has some megabytes. A longer answer comes from a server that is no cluster, or that
/// ignores limits.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The longest quotation of an answer that is not a status of Kubernetes.
const QUOTED_CHARS: usize = 200;

pub async fn connect(access: &ClusterAccess) -> Result<Client, Failure> {
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
    // Only the kubeconfig may name a proxy. The proxy of the environment is for the web.
    config.proxy_url = config.proxy_url.filter(|_| has_own_proxy);
    config.connect_timeout = Some(access.timeout);
    // `ask` bounds the time of an answer, and its words name the setting.
    config.read_timeout = None;
    // `ask` repeats requests itself, within the time of the settings.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| refusal::of_client(access, &error))
}

/// A request that got no list.
#[derive(Debug)]
pub enum NoList {
    Kube(kube::Error),
    BrokeOff(String),
    TooLong,
}

impl NoList {
    /// `Some` if a repetition may succeed, with the wait that the cluster asks for.
    pub fn patience(&self) -> Option<Option<Duration>> {
        let NoList::Kube(kube::Error::Api(status)) = self else { return None };
        let told = status
            .details
            .as_ref()
            .map(|details| details.retry_after_seconds)
            .filter(|seconds| *seconds > 0);
        matches!(status.code, 429 | 503 | 504)
            .then(|| told.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }
}

impl From<kube::Error> for NoList {
    fn from(error: kube::Error) -> NoList {
        NoList::Kube(error)
    }
}

/// The text of one answer, unless it is longer than any page.
pub async fn get(client: &Client, request: http::Request<Vec<u8>>) -> Result<String, NoList> {
    let response = client.send(request.map(Body::from)).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            NoList::TooLong
        } else {
            NoList::BrokeOff(error.to_string())
        }
    })?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    if status < 400 {
        return Ok(text);
    }
    // A proxy in between does not answer with a status of Kubernetes.
    let said = serde_json::from_str::<Status>(&text).ok().filter(|said| said.code != 0);
    let said = said.unwrap_or_else(|| {
        Status::failure(&text.chars().take(QUOTED_CHARS).collect::<String>(), "").with_code(status)
    });
    Err(NoList::Kube(kube::Error::Api(said.boxed())))
}

/// Whether the kubeconfig names a proxy for the cluster of the context.
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

/// The version of a group that the cluster prefers. Groups whose version never changes are not
/// asked for.
pub async fn version(client: &Client, group: &str) -> Result<String, NoList> {
    if matches!(group, "apps" | "batch" | "storage.k8s.io") {
        return Ok("v1".into());
    }
    let groups = client.list_api_groups().await?;
    let known = groups.groups.into_iter().find(|known| known.name == group);
    let version = known
        .and_then(|known| known.preferred_version.or_else(|| known.versions.into_iter().next()));
    // A group that does not exist is asked for, so that the cluster says that it does not.
    Ok(version.map_or_else(|| "v1".into(), |version| version.version))
}
