//! Secrets: where their values are kept, and how they are read.
//!
//! A value goes into requests and is blotted out of texts. It cannot be printed, and its memory is
//! cleared when it is dropped. Copies that a client of HTTP or AWS makes in its own buffers are
//! beyond this crate: those clients do not clear them.

mod blot;

pub use blot::Blots;

use crate::failure::{Failure, FailureKind};
use crate::http::Area;
use domain::hint::Hint;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// No token or password is longer.
const BYTES_MAX: u64 = 64 << 10;
/// A shorter value would be blotted out of words and figures that have nothing to do with it.
const BYTES_MIN: usize = 4;
/// How long a program may take to print a value.
const COMMAND_TIME: Duration = Duration::from_secs(60);

/// Where the operator keeps a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretKeeper {
    Env(String),
    File(PathBuf),
    /// A program and its arguments, such as a vault's client. Its output is the value.
    Command(Vec<String>),
    /// The value is a token. A server gives it in exchange for the client's own secret.
    OAuth2(OAuth2),
    /// The value is a token. Google gives it in exchange for the signature of a service account.
    GoogleServiceAccount {
        file: PathBuf,
        scope: String,
    },
}

/// The grant of client credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    pub token_url: String,
    pub client_id: String,
    /// `Env`, `File` or `Command`.
    pub client_secret: Box<SecretKeeper>,
    pub scope: Option<String>,
}

/// A secret, and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSlot {
    pub keeper: SecretKeeper,
    pub areas: Vec<Area>,
}

/// The slots of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    pub slots: BTreeMap<String, SecretSlot>,
}

/// A value that can stand in a header. Only this crate can look at it.
#[derive(Clone)]
pub struct SecretValue(SecretString);

impl SecretValue {
    /// Refuses a text that cannot be the value of a header, with the reason.
    pub fn new(text: SecretString) -> Result<SecretValue, &'static str> {
        match text.expose_secret() {
            "" => Err("is empty"),
            text if text.len() < BYTES_MIN => {
                Err("is so short that it could not be told from other words")
            }
            text if text.chars().any(char::is_control) => {
                Err("has a line break or another control character in it")
            }
            _ => Ok(SecretValue(text)),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl SecretKeeper {
    /// Such as `env`, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            SecretKeeper::Env(_) => "env",
            SecretKeeper::File(_) => "file",
            SecretKeeper::Command(_) => "command",
            SecretKeeper::OAuth2(_) => "oauth2",
            SecretKeeper::GoogleServiceAccount { .. } => "google_service_account",
        }
    }

    /// Reads the value where it is kept. Tokens are fetched by `http`, which can ask for them.
    pub fn read(&self, slot: &str) -> Result<SecretValue, Failure> {
        tracing::debug!(slot, kept = self.name(), "secret is read");
        let text = self.text(slot)?;
        let value = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        SecretValue::new(SecretString::from(value)).map_err(|reason| {
            let message = format!("the secret '{slot}' cannot be used: its value {reason}");
            let hint = "look at where it is kept, and write it there again";
            Failure::new(FailureKind::Config, message).hint(hint)
        })
    }

    fn text(&self, slot: &str) -> Result<Zeroizing<String>, Failure> {
        let no_value = |reason: String, hint: String| {
            let message = format!("the secret '{slot}' has no value: {reason}");
            Failure::new(FailureKind::Config, message).hint(Hint::text(hint))
        };
        match self {
            SecretKeeper::Env(name) => env(name).ok_or_else(|| {
                let reason = format!("the environment variable {name} is not set");
                no_value(reason, format!("`export {name}=…` before the run"))
            }),
            SecretKeeper::File(path) => file(path).map_err(|error| {
                let reason = format!("{} cannot be read: {error}", path.display());
                no_value(reason, format!("check with `ls -l {}`", path.display()))
            }),
            SecretKeeper::Command(words) => output(words).map_err(|reason| {
                let program = words.first().map_or("", String::as_str);
                let hint = format!("try it in a shell: `{}`", words.join(" "));
                no_value(format!("{program} {reason}"), hint)
            }),
            SecretKeeper::OAuth2(_) | SecretKeeper::GoogleServiceAccount { .. } => {
                Err(Failure::new(
                    FailureKind::Config,
                    format!("the secret '{slot}' is a token, which only HTTP can carry"),
                ))
            }
        }
    }
}

/// A buffer that never grows. When a buffer grows, the old one is given back without being cleared.
fn buffer() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(2 * BYTES_MAX as usize))
}

fn env(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

fn file(path: &PathBuf) -> std::io::Result<Zeroizing<String>> {
    let mut text = buffer();
    std::fs::File::open(path)?.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// The standard output of a program. Its standard error may hold parts of the value, and is thrown
/// away.
fn output(words: &[String]) -> Result<Zeroizing<String>, String> {
    let [program, arguments @ ..] = words else { return Err("is no program".into()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let printed = printed(&mut child);
    if printed.is_err() {
        // It may have ended by itself by now.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("was lost: {error}"))?;
    let printed = printed?;
    if status.success() { Ok(printed) } else { Err(format!("ended with {status}")) }
}

fn printed(child: &mut Child) -> Result<Zeroizing<String>, String> {
    let Some(stdout) = child.stdout.take() else { return Err("prints nowhere".into()) };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = buffer();
        let read = stdout.take(BYTES_MAX).read_to_string(&mut text);
        // Nobody listens any more when the time is up.
        let _ = sender.send(read.map(|_| text));
    });
    match receiver.recv_timeout(COMMAND_TIME) {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => Err(format!("prints what is not text: {error}")),
        Err(_) => Err(format!("did not end within {} s", COMMAND_TIME.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keeper: &SecretKeeper) -> Result<String, String> {
        keeper
            .read("token")
            .map(|value| value.expose().to_owned())
            .map_err(|failure| failure.diagnostic.message)
    }

    fn shell(script: &str) -> SecretKeeper {
        SecretKeeper::Command(vec!["sh".into(), "-c".into(), script.into()])
    }

    #[test]
    fn values_come_from_where_they_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cr3t\r\n").unwrap();
        assert_eq!(read(&SecretKeeper::File(path)).as_deref(), Ok("s3cr3t"));
        assert_eq!(read(&shell("echo s3cr3t")).as_deref(), Ok("s3cr3t"));
        assert_eq!(read(&SecretKeeper::Env("CARGO_PKG_NAME".into())).as_deref(), Ok("reach"));
    }

    #[test]
    fn a_value_that_is_not_there_or_cannot_be_used_is_an_error_without_it() {
        for (keeper, expect) in [
            (
                SecretKeeper::Env("NOT_SET_ANYWHERE".into()),
                "the secret 'token' has no value: \
                 the environment variable NOT_SET_ANYWHERE is not set",
            ),
            (
                SecretKeeper::File("no/such/file".into()),
                "the secret 'token' has no value: no/such/file cannot be read: \
                 No such file or directory (os error 2)",
            ),
            (shell("exit 3"), "the secret 'token' has no value: sh ended with exit status: 3"),
            (
                SecretKeeper::Command(vec!["no-such-program".into()]),
                "the secret 'token' has no value: no-such-program cannot be started: \
                 No such file or directory (os error 2)",
            ),
            (
                shell("printf 'two\\nlines'"),
                "the secret 'token' cannot be used: \
                 its value has a line break or another control character in it",
            ),
            (shell("true"), "the secret 'token' cannot be used: its value is empty"),
            (
                shell("echo abc"),
                "the secret 'token' cannot be used: \
                 its value is so short that it could not be told from other words",
            ),
        ] {
            assert_eq!(read(&keeper), Err(expect.to_owned()));
        }
    }
}
