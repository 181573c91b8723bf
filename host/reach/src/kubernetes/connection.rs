//! The connection to a cluster, and one request with its answer.

use super::{ClusterAccess, refusal};
use crate::failure::Failure;
use crate::http::decoded;
use crate::secret::Blots;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::core::Status;
use kube::{Client, Config};
use secrecy::zeroize::Zeroizing;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};
use tower::{BoxError, Layer};

/// A page has some megabytes. A longer answer comes from a server that is no cluster, or that
/// ignores limits.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The longest quotation of an answer that is not a status of Kubernetes.
const QUOTED_CHARS: usize = 200;
/// Clients whose program gave no credentials in time. Nobody can end a program that `kube` started,
/// so it is not started once more while it runs.
static HANGING: Mutex<Vec<(ClusterAccess, JoinHandle<kube::Result<Client>>)>> =
    Mutex::new(Vec::new());

/// The secrets of its requests go into `blots`.
pub async fn connect(access: &ClusterAccess, blots: &Arc<Blots>) -> Result<Client, Failure> {
    let (mut config, has_own_proxy) = match &access.kubeconfig {
        None => (Config::incluster().map_err(|_| refusal::nowhere(access))?, false),
        Some(path) => {
            check_file(access, path, "`kubeconfig`")?;
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
    let server = config.cluster_url.authority();
    if server.is_some_and(|server| server.as_str().contains('@')) {
        return Err(refusal::userinfo(access));
    }
    // Only the kubeconfig may name a proxy. The proxy of the environment is for the web.
    config.proxy_url = config.proxy_url.filter(|_| has_own_proxy);
    config.connect_timeout = Some(access.timeout);
    // `ask` bounds the time of an answer, and its words name the setting.
    config.read_timeout = None;
    // `ask` repeats requests itself, within the time of the settings.
    config.default_retry = false;
    if let Some(path) = &config.auth_info.token_file {
        check_file(access, Path::new(path), "`tokenFile` of the kubeconfig")?;
    }
    add_proxy(blots, &config);
    if is_hanging(access) {
        return Err(refusal::slow_program(
            access,
            "runs since it was started before, and is not started again",
        ));
    }
    // The program that gives credentials is run here. Nothing else bounds its time.
    let blots = Arc::clone(blots);
    let mut made = spawn_blocking(move || client(config, &blots));
    match tokio::time::timeout(access.timeout, &mut made).await {
        Ok(Ok(made)) => made.map_err(|error| refusal::of_client(access, &error)),
        Ok(Err(_)) => Err(refusal::lost_client(access)),
        Err(_) => {
            let mut hanging = HANGING.lock().unwrap_or_else(PoisonError::into_inner);
            hanging.push((access.clone(), made));
            let seconds = access.timeout.as_secs();
            Err(refusal::slow_program(access, &format!("did not end within {seconds} s")))
        }
    }
}

/// Whether a program that was started with the same settings still runs.
fn is_hanging(access: &ClusterAccess) -> bool {
    let mut hanging = HANGING.lock().unwrap_or_else(PoisonError::into_inner);
    hanging.retain(|(_, made)| !made.is_finished());
    hanging.iter().any(|(known, _)| known == access)
}

/// Opening a named pipe would wait for a writer, who may never come.
fn check_file(access: &ClusterAccess, path: &Path, setting: &str) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Ok(facts) if !facts.is_file() => Err(refusal::no_file(access, path, setting)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The password of a proxy. In the kubeconfig its usual place is the URL.
fn add_proxy(blots: &Blots, config: &Config) {
    let authority = config.proxy_url.as_ref().and_then(|proxy| proxy.authority());
    let userinfo = authority.and_then(|authority| authority.as_str().rsplit_once('@'));
    if let Some((pair, _)) = userinfo {
        for pair in [pair, &decoded(pair)] {
            blots.add_pair(pair);
        }
    }
}

/// A client whose credentials are blotted from each request on: a program can give others every
/// time.
fn client(mut config: Config, blots: &Arc<Blots>) -> kube::Result<Client> {
    // Certificates are not sent, and the client deals with them itself.
    let Some(authorization) = config.auth_layer()? else { return Client::try_from(config) };
    let namespace = config.default_namespace.clone();
    config.auth_info = AuthInfo {
        username: None,
        password: None,
        token: None,
        token_file: None,
        auth_provider: None,
        exec: None,
        ..config.auth_info
    };
    let (inner, blots) = (Client::try_from(config)?, Arc::clone(blots));
    let blotted = tower::service_fn(move |request: http::Request<Body>| {
        add_authorization(&blots, request.headers());
        let inner = inner.clone();
        async move { inner.send(request).await.map_err(BoxError::from) }
    });
    Ok(Client::new(authorization.layer(blotted), namespace))
}

fn add_authorization(blots: &Blots, headers: &HeaderMap) {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, value)) = value.and_then(|value| value.split_once(' ')) else { return };
    blots.add(value);
    let pair = STANDARD.decode(value).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
    if let Some(pair) = pair.and_then(|pair| String::from_utf8(pair).ok()).map(Zeroizing::new) {
        blots.add_pair(&pair);
    }
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

/// The text of one answer, unless it is longer than any page. Secrets are blotted out of it before
/// a part of it is quoted.
pub async fn get(
    client: &Client,
    blots: &Blots,
    request: http::Request<Vec<u8>>,
) -> Result<String, NoList> {
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
    let text = String::from_utf8_lossy(&blots.bytes(body.to_bytes().into())).into_owned();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::block_on;
    use std::fs::{self, File};
    use std::process::Command;
    use std::time::Instant;

    fn access(kubeconfig: &Path) -> ClusterAccess {
        ClusterAccess {
            source: "a.b".into(),
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            resources: Vec::new(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    /// The message and the hint of a cluster that cannot be asked.
    fn refused(access: &ClusterAccess) -> (String, String) {
        let failure = block_on(connect(access, &Arc::default())).err().unwrap();
        let hint = failure.diagnostic.hint_text().unwrap_or_default();
        (failure.diagnostic.message, hint)
    }

    /// The program waits for the end of a pipe, and then fails. Once it has ended, another one is
    /// started.
    #[test]
    fn a_program_that_hangs_is_not_started_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let [pipe, kubeconfig, starts] =
            ["pipe", "kubeconfig", "starts"].map(|name| folder.path().join(name));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let both_ends = File::options().read(true).write(true).open(&pipe).unwrap();
        let script =
            format!("echo start >> {}; cat < {}; exit 3", starts.display(), pipe.display());
        let text = format!(
            "{{apiVersion: v1, kind: Config, current-context: c, \
             clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:1'}}}}], \
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
             users: [{{name: u, user: {{exec: {{interactiveMode: Never, command: sh, \
             apiVersion: client.authentication.k8s.io/v1, args: [-c, '{script}']}}}}}}]}}"
        );
        fs::write(&kubeconfig, text).unwrap();
        let access = access(&kubeconfig);
        let start = "the kubeconfig of the source 'a.b' gives no credentials: its program ";
        let hint = format!(
            "try `kubectl --kubeconfig {} version`, which runs the program of the kubeconfig, \
             if it has one, and asks the cluster; if that only takes longer:\n\
             [sources.\"a.b\".kubernetes]\ntimeout_seconds = 4",
            kubeconfig.display()
        );
        let message = format!("{start}did not end within 1 s");
        assert_eq!(refused(&access), (message, hint.clone()));
        let again = "runs since it was started before, and is not started again";
        assert_eq!(refused(&access), (format!("{start}{again}"), hint));
        assert_eq!(fs::read_to_string(&starts).unwrap(), "start\n");
        drop(both_ends);
        fs::remove_file(&pipe).unwrap();
        fs::write(&pipe, "").unwrap();
        let began = Instant::now();
        let mut message = refused(&access).0;
        while message.ends_with(again) && began.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
            message = refused(&access).0;
        }
        assert!(message.ends_with("ended with exit status: 3"), "{message}");
        assert_eq!(fs::read_to_string(&starts).unwrap(), "start\nstart\n");
    }

    /// `kubectl` gets such a kubeconfig from a shell's `<(…)`.
    #[test]
    fn a_folder_or_pipe_in_place_of_a_kubeconfig_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (message, hint) = refused(&access(folder.path()));
        assert!(message.ends_with("it is a folder, a pipe, a socket or a device, not a file"));
        assert_eq!(hint, "name the file itself in `kubeconfig`");
    }
}
