//! Failures of a cluster in words, each with the command or role that mends it. The output of a
//! program that gives credentials is never quoted.

use super::connection::{ANSWER_BYTES_MAX, NoList};
use super::resource::groups;
use super::{ClusterAccess, ListQuery};
use crate::failure::{Failure, FailureKind};
use crate::toml_table;
use domain::hint::Hint;
use kube::client::AuthError;
use kube::config::KubeconfigError;
use kube::core::Status;
use std::error::Error;
use std::path::Path;

/// Outside of clusters a kubeconfig has to be named.
pub fn nowhere(access: &ClusterAccess) -> Failure {
    Failure::new(
        FailureKind::Config,
        format!(
            "the source '{}' names no kubeconfig, and does not run in a cluster",
            access.source
        ),
    )
    .hint(Hint::setting(format!(
        "{}\nkubeconfig = \"/etc/apportion/kubeconfig\"",
        access.section()
    )))
}

pub fn of_kubeconfig(access: &ClusterAccess, path: &Path, error: &KubeconfigError) -> Failure {
    // The parser's words are left out: they quote the file, which holds credentials.
    let why = match error {
        KubeconfigError::Parse(_) => "it is no YAML of a kubeconfig".to_owned(),
        KubeconfigError::LoadContext(name) => format!("it has no context '{name}'"),
        other => other.to_string(),
    };
    Failure::new(
        FailureKind::Config,
        format!(
            "the kubeconfig {} of the source '{}' cannot be used: {why}",
            path.display(),
            access.source
        ),
    )
    .hint(format!("check with `kubectl --kubeconfig {} config get-contexts`", path.display()))
}

/// The file that a setting names: the kubeconfig, or one with a token.
pub fn no_file(access: &ClusterAccess, path: &Path, setting: &str) -> Failure {
    let message = format!(
        "the source '{}' cannot read {}: it is a folder, a pipe, a socket or a device, not a file",
        access.source,
        path.display()
    );
    Failure::new(FailureKind::Config, message).hint(format!("name the file itself in {setting}"))
}

/// The program of the kubeconfig that gives credentials.
pub fn slow_program(access: &ClusterAccess, fault: &str) -> Failure {
    let message = format!(
        "the kubeconfig of the source '{}' gives no credentials: its program {fault}",
        access.source
    );
    Failure::new(FailureKind::Auth, message).hint(patience(access))
}

/// The thread that made the client panicked.
pub fn lost_client(access: &ClusterAccess) -> Failure {
    let message = format!(
        "the cluster of the source '{}' cannot be asked: making its client broke off",
        access.source
    );
    Failure::new(FailureKind::Unavailable, message)
        .hint("this is a fault of Apportion: report the command and this message")
}

/// The URL of a cluster is shown in messages and logs.
pub fn userinfo(access: &ClusterAccess) -> Failure {
    let message = format!(
        "the cluster of the source '{}' has a user or password in its URL, where everybody sees it",
        access.source
    );
    Failure::new(FailureKind::Config, message).hint(
        "take it out of `server`, and write `username` and `password` into the user of the \
         kubeconfig",
    )
}

/// The client could not be made: certificates or credentials of the kubeconfig.
pub fn of_client(access: &ClusterAccess, error: &kube::Error) -> Failure {
    // The proxy's address is not shown: it may hold a password.
    if let kube::Error::ProxyProtocolUnsupported { .. }
    | kube::Error::ProxyProtocolDisabled { .. } = error
    {
        let message = format!(
            "the cluster of the source '{}' cannot be asked: its `proxy-url` is not one of HTTP",
            access.source
        );
        return Failure::new(FailureKind::Config, message)
            .hint("name a proxy as http://proxy:3128 in the kubeconfig");
    }
    match auth_error(error) {
        Some(error) => of_credentials(access, error),
        None => Failure::new(
            FailureKind::Config,
            format!(
                "the cluster of the source '{}' cannot be asked: {}",
                access.source,
                chain(error)
            ),
        )
        .hint(format!("check with `{} version`", kubectl(access))),
    }
}

pub fn too_late(access: &ClusterAccess, query: &ListQuery) -> Failure {
    let seconds = access.timeout.as_secs();
    Failure::new(
        FailureKind::Transient,
        format!(
            "the cluster of the source '{}' did not answer for {} within {seconds} s",
            access.source, query.resource
        ),
    )
    .hint(patience(access))
}

/// A command that waits for the same, and the lines of the settings that give more time. A program
/// that is run for new credentials counts into the time of an answer.
fn patience(access: &ClusterAccess) -> Hint {
    let seconds = access.timeout.as_secs().saturating_mul(4);
    let lines = format!("{}\ntimeout_seconds = {seconds}", access.section());
    let try_it = format!(
        "try `{} version`, which runs the program of the kubeconfig, if it has one, and asks the \
         cluster; if that only takes longer:\n",
        kubectl(access)
    );
    Hint::text(try_it).then(Hint::setting(lines))
}

/// The answer is not a list.
pub fn no_list(access: &ClusterAccess, query: &ListQuery, problem: &str) -> Failure {
    let message = format!(
        "the cluster of the source '{}' answers {problem} when asked for {}",
        access.source, query.resource
    );
    Failure::new(FailureKind::Unavailable, message)
        .hint(format!("look at what answers there: `{} get --raw /version`", kubectl(access)))
}

pub fn of_answer(access: &ClusterAccess, query: &ListQuery, trouble: NoList) -> Failure {
    let (source, resource) = (&access.source, &query.resource);
    match trouble {
        NoList::Kube(kube::Error::Api(status)) => of_status(access, resource, &status),
        NoList::Kube(error) => of_connection(access, &error),
        NoList::BrokeOff(why) => {
            let message =
                format!("the answer of the cluster of the source '{source}' broke off: {why}");
            Failure::new(FailureKind::Transient, message).hint("run again")
        }
        NoList::TooLong => {
            let mib = ANSWER_BYTES_MAX >> 20;
            let message = format!(
                "the cluster of the source '{source}' answers with more than {mib} MiB \
                 when asked for a page of {resource}"
            );
            let section = toml_table::header(&["sources", source, "config"]);
            let lines = format!("{section}\npage_size = 50");
            Failure::new(FailureKind::Config, message).hint(
                Hint::text("ask for shorter pages, if the plugin can:\n")
                    .then(Hint::setting(lines)),
            )
        }
    }
}

/// A refusal in the cluster's own words.
fn of_status(access: &ClusterAccess, resource: &str, status: &Status) -> Failure {
    let said = status.message.trim();
    let cluster = format!("the cluster of the source '{}'", access.source);
    let kubectl = kubectl(access);
    match status.code {
        401 => Failure::new(FailureKind::Auth, format!("{cluster} does not know who asks: {said}"))
            .hint(format!(
                "check with `{kubectl} auth can-i list {resource}`; \
             the kubeconfig's credentials may have expired"
            )),
        403 => Failure::new(FailureKind::Auth, format!("{cluster} does not allow it: {said}"))
            .hint(role(access, said)),
        404 => Failure::new(FailureKind::Config, format!("{cluster} knows no {resource}: {said}"))
            .hint(format!("`{kubectl} api-resources` names what there is")),
        // The cluster keeps the state of a list for some minutes only.
        410 => Failure::new(
            FailureKind::Transient,
            format!("the list of {resource} was begun too long ago to be gone on with: {said}"),
        )
        .hint("run again"),
        429 => {
            let asked_for = status.details.as_ref().map(|details| details.retry_after_seconds);
            let seconds = asked_for.filter(|seconds| *seconds > 0);
            let message = format!("{cluster} has too much to do: {said}");
            Failure::new(FailureKind::RateLimited(seconds), message).hint("run again later")
        }
        code @ 500.. => Failure::new(
            FailureKind::Transient,
            format!("{cluster} failed with {code} when asked for {resource}: {said}"),
        )
        .hint(format!("look at how it is: `{kubectl} get --raw '/readyz?verbose'`")),
        code => Failure::new(
            FailureKind::Config,
            format!("{cluster} refuses to list {resource} with {code}: {said}"),
        )
        .hint(format!("try it: `{kubectl} get {resource}`")),
    }
}

fn of_connection(access: &ClusterAccess, error: &kube::Error) -> Failure {
    if let Some(error) = auth_error(error) {
        return of_credentials(access, error);
    }
    let why = chain(error);
    let failure = |message: &str| {
        Failure::new(
            FailureKind::Unavailable,
            format!("the cluster of the source '{}' {message}: {why}", access.source),
        )
    };
    if why.contains("certificate") {
        return failure("shows a certificate that the kubeconfig does not trust")
            .hint(format!("check `certificate-authority` with `{} config view`", kubectl(access)));
    }
    failure("cannot be reached").hint(format!("check with `{} version`", kubectl(access)))
}

fn of_credentials(access: &ClusterAccess, error: &AuthError) -> Failure {
    // The texts of these errors quote the output of the program, which may be a token.
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
        FailureKind::Auth,
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

/// An error with its reasons, without repetitions.
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

/// The start of a `kubectl` command for the source's cluster.
fn kubectl(access: &ClusterAccess) -> String {
    let mut line = "kubectl".to_owned();
    if let Some(path) = &access.kubeconfig {
        line += &format!(" --kubeconfig {}", path.display());
    }
    if let Some(context) = &access.context {
        line += &format!(" --context {context}");
    }
    line
}

/// The role that allows the lists of the source, and the command that binds it to the refused user.
fn role(access: &ClusterAccess, said: &str) -> String {
    let mut text = "allow it with this role and `kubectl apply -f`:\n\napiVersion: \
         rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: apportion \
         }\nrules:\n"
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
    use std::time::Duration;

    fn answered(code: u16, message: &str) -> Failure {
        let access = ClusterAccess {
            source: "cluster".into(),
            kubeconfig: Some("k".into()),
            context: Some("prod".into()),
            resources: ["pods", "apps/replicasets", "nodes"].map(str::to_owned).to_vec(),
            namespaces: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        let query = ListQuery {
            resource: "pods".into(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            limit: 0,
            next: None,
        };
        let status = Status { code, message: message.into(), ..Status::default() };
        of_answer(&access, &query, NoList::Kube(kube::Error::Api(Box::new(status))))
    }

    #[test]
    fn a_forbidden_list_prints_the_role_that_allows_it() {
        let failure = answered(
            403,
            "pods is forbidden: User \"nobody\" cannot list resource \"pods\" in API \
                 group \"\" at the cluster scope",
        );
        assert_eq!(failure.kind, FailureKind::Auth);
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
            (400, FailureKind::Config),
            (401, FailureKind::Auth),
            (404, FailureKind::Config),
            (410, FailureKind::Transient),
            (429, FailureKind::RateLimited(None)),
            (500, FailureKind::Transient),
            (503, FailureKind::Transient),
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
