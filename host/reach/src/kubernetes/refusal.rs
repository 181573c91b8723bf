//! Why a cluster does not answer, and the command or role that mends it. No text of a credential's program gets in here.

use super::{ANSWER_BYTES_MAX, Access, Query, Trouble, groups};
use crate::failure::{Failure, Kind};
use kube::client::AuthError;
use kube::config::KubeconfigError;
use std::error::Error;
use std::path::Path;

/// Outside of clusters a kubeconfig has to be named.
pub fn nowhere(access: &Access) -> Failure {
    Failure::new(
        Kind::Config,
        format!(
            "the source '{}' names no kubeconfig, and does not run in a cluster",
            access.source
        ),
    )
    .hint(format!(
        "[sources.{}.kubernetes]\nkubeconfig = \"/etc/apportion/kubeconfig\"",
        access.source
    ))
}

pub fn of_kubeconfig(access: &Access, path: &Path, error: &KubeconfigError) -> Failure {
    // What stands in the file is not shown: it holds credentials.
    let why = match error {
        KubeconfigError::Parse(_) => "it is no YAML of a kubeconfig".to_owned(),
        KubeconfigError::LoadContext(name) => format!("it has no context '{name}'"),
        other => other.to_string(),
    };
    Failure::new(
        Kind::Config,
        format!(
            "the kubeconfig {} of the source '{}' cannot be used: {why}",
            path.display(),
            access.source
        ),
    )
    .hint(format!("check with `kubectl --kubeconfig {} config get-contexts`", path.display()))
}

/// The client could not be made: certificates or credentials of the kubeconfig.
pub fn of_client(access: &Access, error: &kube::Error) -> Failure {
    // The proxy's address is not shown: it may hold a password.
    if let kube::Error::ProxyProtocolUnsupported { .. }
    | kube::Error::ProxyProtocolDisabled { .. } = error
    {
        let message = format!(
            "the cluster of the source '{}' cannot be asked: its `proxy-url` is not one of HTTP",
            access.source
        );
        return Failure::new(Kind::Config, message)
            .hint("name a proxy as http://proxy:3128 in the kubeconfig");
    }
    match auth_error(error) {
        Some(error) => of_credentials(access, error),
        None => Failure::new(
            Kind::Config,
            format!(
                "the cluster of the source '{}' cannot be asked: {}",
                access.source,
                chain(error)
            ),
        )
        .hint(format!("check with `{} version`", kubectl(access))),
    }
}

pub fn too_late(access: &Access, query: &Query) -> Failure {
    let seconds = access.timeout.as_secs();
    Failure::new(
        Kind::Transient,
        format!(
            "the cluster of the source '{}' did not answer for {} within {seconds} s",
            access.source, query.resource
        ),
    )
    .hint(format!(
        "[sources.{}.kubernetes]\ntimeout_seconds = {}",
        access.source,
        seconds.saturating_mul(4)
    ))
}

/// It answered, and not with a list.
pub fn no_list(access: &Access, query: &Query, problem: &str) -> Failure {
    let message = format!(
        "the cluster of the source '{}' answers {problem} when asked for {}",
        access.source, query.resource
    );
    Failure::new(Kind::Unavailable, message)
        .hint(format!("look at what answers there: `{} get --raw /version`", kubectl(access)))
}

pub fn of_answer(access: &Access, query: &Query, trouble: Trouble) -> Failure {
    let (source, resource) = (&access.source, &query.resource);
    let status = match trouble {
        Trouble::Kube(kube::Error::Api(status)) => status,
        Trouble::Kube(error) => return of_connection(access, &error),
        Trouble::BrokeOff(why) => {
            return Failure::new(
                Kind::Transient,
                format!("the answer of the cluster of the source '{source}' broke off: {why}"),
            )
            .hint("run again");
        }
        Trouble::TooLong => {
            let mib = ANSWER_BYTES_MAX >> 20;
            let message = format!(
                "the cluster of the source '{source}' answers with more than {mib} MiB when asked for a page of {resource}"
            );
            return Failure::new(Kind::Config, message)
                .hint(format!("ask for shorter pages, if the plugin can:\n[sources.{source}.config]\npage_size = 50"));
        }
    };
    let said = status.message.trim();
    match status.code {
        401 => Failure::new(Kind::Auth, format!("the cluster of the source '{source}' does not know who asks: {said}"))
            .hint(format!("check with `{} auth can-i list {resource}`; the kubeconfig's credentials may have expired", kubectl(access))),
        403 => Failure::new(Kind::Auth, format!("the cluster of the source '{source}' does not allow it: {said}")).hint(role(access, said)),
        404 => Failure::new(Kind::Config, format!("the cluster of the source '{source}' knows no {resource}: {said}"))
            .hint(format!("`{} api-resources` names what there is", kubectl(access))),
        // The list as it was when it was begun is kept for some minutes only.
        410 => Failure::new(Kind::Transient, format!("the list of {resource} was begun too long ago to be gone on with: {said}")).hint("run again"),
        429 => {
            let seconds = status.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0);
            Failure::new(Kind::RateLimited(seconds), format!("the cluster of the source '{source}' has too much to do: {said}"))
                .hint("run again later")
        }
        code @ 500.. => {
            Failure::new(Kind::Transient, format!("the cluster of the source '{source}' failed with {code} when asked for {resource}: {said}"))
                .hint(format!("look at how it is: `{} get --raw '/readyz?verbose'`", kubectl(access)))
        }
        code => Failure::new(Kind::Config, format!("the cluster of the source '{source}' refuses to list {resource} with {code}: {said}"))
            .hint(format!("try it: `{} get {resource}`", kubectl(access))),
    }
}

fn of_connection(access: &Access, error: &kube::Error) -> Failure {
    if let Some(error) = auth_error(error) {
        return of_credentials(access, error);
    }
    let why = chain(error);
    let failure = |message: &str| {
        Failure::new(
            Kind::Unavailable,
            format!("the cluster of the source '{}' {message}: {why}", access.source),
        )
    };
    if why.contains("certificate") {
        return failure("shows a certificate that the kubeconfig does not trust")
            .hint(format!("check `certificate-authority` with `{} config view`", kubectl(access)));
    }
    failure("cannot be reached").hint(format!("check with `{} version`", kubectl(access)))
}

fn of_credentials(access: &Access, error: &AuthError) -> Failure {
    // The texts of these hold what the program printed, which may be a token.
    let why = match error {
        AuthError::AuthExecRun { cmd, out, .. } => format!("`{cmd}` ended with {}", out.status),
        AuthError::AuthExecStart(error) => format!("its program does not start: {error}"),
        AuthError::ReadTokenFile(error, path) => {
            format!("{} cannot be read: {error}", path.display())
        }
        AuthError::AuthExecParse(_) | AuthError::AuthExec(_) | AuthError::ExecPluginFailed => {
            "its program gives no credentials".into()
        }
        AuthError::InvalidBearerToken(_) | AuthError::InvalidBasicAuth(_) => {
            "they cannot stand in a request".into()
        }
        _ => "they cannot be used".into(),
    };
    Failure::new(
        Kind::Auth,
        format!("the kubeconfig of the source '{}' gives no credentials: {why}", access.source),
    )
    .hint(format!("check with `{} auth can-i --list`", kubectl(access)))
}

fn auth_error(error: &kube::Error) -> Option<&AuthError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An error and its reasons, each said once.
fn chain(error: &kube::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Many errors end with the text of their reason.
        if let Some(last) = parts.last_mut().filter(|last| last.ends_with(&text)) {
            last.truncate(last.len() - text.len());
            let kept = last.trim_end_matches([':', ' ']).len();
            last.truncate(kept);
        }
        parts.push(text);
        next = error.source();
    }
    parts.retain(|part| !part.is_empty());
    parts.join(": ")
}

/// `kubectl` as the source would use it.
fn kubectl(access: &Access) -> String {
    let mut line = "kubectl".to_owned();
    if let Some(path) = &access.kubeconfig {
        line += &format!(" --kubeconfig {}", path.display());
    }
    if let Some(context) = &access.context {
        line += &format!(" --context {context}");
    }
    line
}

/// The role that would allow what the source may list, and the line that gives it to whom the cluster named.
fn role(access: &Access, said: &str) -> String {
    let mut text = "allow it with this role and `kubectl apply -f`:\n\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
                    metadata: { name: apportion }\nrules:\n"
        .to_owned();
    for (group, plurals) in groups(&access.resources) {
        let plurals = plurals.into_iter().collect::<Vec<_>>().join(", ");
        text += &format!("- {{ apiGroups: [{group:?}], resources: [{plurals}], verbs: [list] }}\n");
    }
    let user = said
        .split_once("User \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("NAME", |(user, _)| user);
    text + &format!(
        "\nkubectl create clusterrolebinding apportion --clusterrole=apportion --user={user}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;
    use std::time::Duration;

    fn answered(code: u16, message: &str) -> Failure {
        let access = Access {
            source: "cluster".into(),
            kubeconfig: Some("k".into()),
            context: Some("prod".into()),
            resources: ["pods", "apps/replicasets", "nodes"].map(str::to_owned).to_vec(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        let query = Query {
            resource: "pods".into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 0,
            next: None,
        };
        let status = Status { code, message: message.into(), ..Status::default() };
        of_answer(&access, &query, Trouble::Kube(kube::Error::Api(Box::new(status))))
    }

    #[test]
    fn a_forbidden_list_prints_the_role_that_allows_it() {
        let failure = answered(
            403,
            "pods is forbidden: User \"nobody\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        );
        assert_eq!(failure.kind, Kind::Auth);
        let hint = failure.diagnostic.hint_text().unwrap_or_default();
        assert!(
            hint.contains("- { apiGroups: [\"\"], resources: [nodes, pods], verbs: [list] }\n"),
            "{hint}"
        );
        assert!(
            hint.contains("- { apiGroups: [\"apps\"], resources: [replicasets], verbs: [list] }\n"),
            "{hint}"
        );
        assert!(
            hint.ends_with(
                "kubectl create clusterrolebinding apportion --clusterrole=apportion --user=nobody"
            ),
            "{hint}"
        );
    }

    #[test]
    fn each_answer_says_whether_trying_again_helps() {
        for (code, kind) in [
            (400, Kind::Config),
            (401, Kind::Auth),
            (404, Kind::Config),
            (410, Kind::Transient),
            (429, Kind::RateLimited(None)),
            (500, Kind::Transient),
            (503, Kind::Transient),
        ] {
            assert_eq!(answered(code, "so it is").kind, kind, "{code}");
        }
        let hint = answered(401, "Unauthorized").diagnostic.hint_text().unwrap_or_default();
        assert!(
            hint.starts_with(
                "check with `kubectl --kubeconfig k --context prod auth can-i list pods`"
            ),
            "{hint}"
        );
    }
}
