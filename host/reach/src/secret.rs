//! Secrets: where their values come from. A value can be put into a request and blotted out of a text; it cannot be shown.

mod blot;

pub use blot::Blots;

use crate::failure::{Failure, Kind};
use crate::http::Area;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// No token or password is longer.
const BYTES_MAX: u64 = 64 << 10;
/// Shorter ones would be blotted out of words and figures that have nothing to do with them.
const BYTES_MIN: usize = 4;
/// How long a program may think about it.
const COMMAND_TIME: Duration = Duration::from_secs(60);

/// Where the operator keeps a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    Env(String),
    File(PathBuf),
    /// A program and its arguments, such as a vault's client; its output is the value.
    Command(Vec<String>),
    /// The value is a token, which a server gives for a client's own secret.
    OAuth2(OAuth2),
    /// The value is a token, which Google gives for the signature of a service account.
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
    pub client_secret: Box<Keeper>,
    pub scope: Option<String>,
}

/// A secret, and where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub keeper: Keeper,
    pub areas: Vec<Area>,
}

/// The slots of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    pub slots: BTreeMap<String, Slot>,
}

/// The value of a secret. It is made to go into requests, and has no way to be printed.
#[derive(Clone)]
pub struct Value(String);

impl Value {
    /// Refuses what cannot be the value of a header, with the reason.
    pub fn new(text: String) -> Result<Value, &'static str> {
        match text {
            text if text.is_empty() => Err("is empty"),
            text if text.len() < BYTES_MIN => {
                Err("is so short that it could not be told from other words")
            }
            text if text.chars().any(char::is_control) => {
                Err("has a line break or another control character in it")
            }
            text => Ok(Value(text)),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl Keeper {
    /// The value itself; tokens are fetched by `http`, which can ask for them.
    pub fn read(&self, slot: &str) -> Result<Value, Failure> {
        let refuse = |message: String, hint: String| Failure::new(Kind::Config, message).hint(hint);
        let text = match self {
            Keeper::Env(name) => env(name).ok_or_else(|| {
                let message = format!(
                    "the secret '{slot}' has no value: the environment variable {name} is not set"
                );
                refuse(message, format!("`export {name}=…` before the run"))
            })?,
            Keeper::File(path) => file(path).map_err(|error| {
                let message = format!(
                    "the secret '{slot}' has no value: {} cannot be read: {error}",
                    path.display()
                );
                refuse(message, format!("check with `ls -l {}`", path.display()))
            })?,
            Keeper::Command(words) => output(words).map_err(|reason| {
                let program = words.first().map_or("", String::as_str);
                let message = format!("the secret '{slot}' has no value: {program} {reason}");
                refuse(message, format!("try it in a shell: `{}`", words.join(" ")))
            })?,
            Keeper::OAuth2(_) | Keeper::GoogleServiceAccount { .. } => {
                return Err(Failure::new(
                    Kind::Config,
                    format!("the secret '{slot}' is a token, which only HTTP can carry"),
                ));
            }
        };
        let value = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        Value::new(value.to_owned()).map_err(|reason| {
            refuse(
                format!("the secret '{slot}' cannot be used: its value {reason}"),
                "look at where it is kept, and write it there again".into(),
            )
        })
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn file(path: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// What a program prints. What it says beside that may hold more than anybody should read, and is thrown away.
fn output(words: &[String]) -> Result<String, String> {
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

fn printed(child: &mut Child) -> Result<String, String> {
    let Some(stdout) = child.stdout.take() else { return Err("prints nowhere".into()) };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.take(BYTES_MAX).read_to_string(&mut text);
        // Nobody listens any more where the time is up.
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

    fn read(keeper: &Keeper) -> Result<String, String> {
        keeper
            .read("token")
            .map(|value| value.expose().to_owned())
            .map_err(|failure| failure.diagnostic.message)
    }

    fn shell(script: &str) -> Keeper {
        Keeper::Command(vec!["sh".into(), "-c".into(), script.into()])
    }

    #[test]
    fn values_come_from_where_they_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cr3t\r\n").unwrap();
        assert_eq!(read(&Keeper::File(path)).as_deref(), Ok("s3cr3t"));
        assert_eq!(read(&shell("echo s3cr3t")).as_deref(), Ok("s3cr3t"));
        assert_eq!(read(&Keeper::Env("CARGO_PKG_NAME".into())).as_deref(), Ok("reach"));
    }

    #[test]
    fn a_value_that_is_not_there_or_cannot_be_used_is_an_error_without_it() {
        for (keeper, expect) in [
            (
                Keeper::Env("NOT_SET_ANYWHERE".into()),
                "the secret 'token' has no value: the environment variable NOT_SET_ANYWHERE is not set",
            ),
            (
                Keeper::File("no/such/file".into()),
                "the secret 'token' has no value: no/such/file cannot be read: No such file or directory (os error 2)",
            ),
            (shell("exit 3"), "the secret 'token' has no value: sh ended with exit status: 3"),
            (
                Keeper::Command(vec!["no-such-program".into()]),
                "the secret 'token' has no value: no-such-program cannot be started: No such file or directory (os error 2)",
            ),
            (
                shell("printf 'two\\nlines'"),
                "the secret 'token' cannot be used: its value has a line break or another control character in it",
            ),
            (shell("true"), "the secret 'token' cannot be used: its value is empty"),
            (
                shell("echo abc"),
                "the secret 'token' cannot be used: its value is so short that it could not be told from other words",
            ),
        ] {
            assert_eq!(read(&keeper), Err(expect.to_owned()));
        }
    }
}
