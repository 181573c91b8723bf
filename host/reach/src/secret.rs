//! Secrets: where their values are kept, and how they are read.
//!
//! A value goes into requests and is blotted out of texts. It cannot be printed, and its memory is
//! cleared when it is dropped. Copies that a client of HTTP or AWS makes in its own buffers are
//! beyond this crate: those clients do not clear them.

mod blot;

pub use blot::Blots;

use crate::failure::{Failure, FailureKind};
use crate::http::{Area, masked};
use domain::hint::Hint;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// No token or password is longer.
const BYTES_MAX: u64 = 64 << 10;
/// A shorter value would be blotted out of words and figures that have nothing to do with it.
const BYTES_MIN: usize = 4;
/// How long a program may take to print a value and to end.
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

/// The name of a secret in messages: its slot, and the section of the settings that says where it
/// is kept.
#[derive(Clone, Debug)]
pub struct SlotName<'a> {
    pub slot: &'a str,
    /// Such as `[sources.bill.secrets.token]`.
    pub section: String,
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

impl SlotName<'_> {
    /// Advice about the value, with the place of the settings that names its keeper.
    fn hint(&self, advice: impl Into<String>) -> Hint {
        Hint::text(advice).then("; its keeper is named in ").then(Hint::setting(&self.section))
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
    pub fn read(&self, name: &SlotName<'_>) -> Result<SecretValue, Failure> {
        let slot = name.slot;
        tracing::debug!(slot, kept = self.name(), "secret is read");
        let text = self.text(name)?;
        let value = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        SecretValue::new(SecretString::from(value)).map_err(|reason| {
            let message = format!("the secret '{slot}' cannot be used: its value {reason}");
            let hint = name.hint("look at where it is kept, and write it there again");
            Failure::new(FailureKind::Config, message).hint(hint)
        })
    }

    fn text(&self, name: &SlotName<'_>) -> Result<Zeroizing<String>, Failure> {
        let slot = name.slot;
        let no_value = |reason: String, hint: String| {
            let message = format!("the secret '{slot}' has no value: {reason}");
            Failure::new(FailureKind::Config, message).hint(name.hint(hint))
        };
        match self {
            SecretKeeper::Env(name) => env(name).ok_or_else(|| {
                let reason = format!("the environment variable {name} is not set");
                no_value(reason, format!("`export {name}=…` before the run"))
            }),
            SecretKeeper::File(path) => file(path).map_err(|reason| {
                let reason = format!("{} {reason}", path.display());
                no_value(reason, format!("check with `ls -l {}`", path.display()))
            }),
            SecretKeeper::Command(words) => output(words, COMMAND_TIME).map_err(|reason| {
                let program = words.first().map_or("", String::as_str);
                let hint = format!("try it in a shell: `{}`", masked(&words.join(" ")));
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

fn env(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new)
}

/// The text of a file, or why it cannot be had. Opening a named pipe would wait for a writer, who
/// may never come.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<String>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("is a folder, a pipe, a socket or a device, not a file".into());
    }
    let text = bounded(File::open(path).map_err(cannot)?).map_err(cannot)?;
    text.ok_or_else(|| format!("has more than {BYTES_MAX} bytes, so it is no secret"))
}

/// The whole text, or nothing if it is longer than any secret. The buffer never grows: when one
/// grows, the old one is given back without being cleared.
fn bounded(from: impl Read) -> std::io::Result<Option<Zeroizing<String>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * BYTES_MAX as usize));
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Ok(None);
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map(Some).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8")
    })
}

/// The standard output of a program. Its standard error may hold parts of the value, and is thrown
/// away.
fn output(words: &[String], time: Duration) -> Result<Zeroizing<String>, String> {
    let [program, arguments @ ..] = words else { return Err("is no program".into()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // Its children belong to its group, so that they can be ended with it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let Some(stdout) = child.stdout.take() else { return Err("prints nowhere".into()) };
    let group = Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let printed = bounded(stdout);
        if matches!(printed, Ok(Some(_))) {
            // A program can close its output and live on. It is not reaped here: its number must
            // not become another's before its group is ended.
            let _ = waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        }
        // Nobody listens any more when the time is up.
        let _ = sender.send(printed);
    });
    let printed = receiver.recv_timeout(time);
    if !matches!(printed, Ok(Ok(Some(_)))) {
        let _ = kill_process_group(group, Signal::KILL);
        // It may have left its group.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("was lost: {error}"))?;
    match printed {
        Err(_) => Err(format!("did not end within {time:?}")),
        Ok(Err(error)) => Err(format!("prints what is not text: {error}")),
        Ok(Ok(None)) => Err(format!("prints more than {BYTES_MAX} bytes, so it is no secret")),
        Ok(Ok(Some(_))) if !status.success() => Err(format!("ended with {status}")),
        Ok(Ok(Some(text))) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn read(keeper: &SecretKeeper) -> Result<String, String> {
        keeper
            .read(&SlotName { slot: "token", section: "[sources.bill.secrets.token]".into() })
            .map(|value| value.expose().to_owned())
            .map_err(|failure| failure.diagnostic.message)
    }

    fn words(script: &str) -> [String; 3] {
        ["sh".into(), "-c".into(), script.into()]
    }

    fn shell(script: &str) -> SecretKeeper {
        SecretKeeper::Command(words(script).into())
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

    /// The limit is 64 KiB: 65,536 bytes are a value, and one more is not.
    #[test]
    fn a_value_is_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "a".repeat(65_536)).unwrap();
        assert_eq!(read(&SecretKeeper::File(path.clone())).map(|value| value.len()), Ok(65_536));
        // The byte beyond the limit is the first of two of one character.
        for text in ["a".repeat(65_537), format!("{}ü", "a".repeat(65_536))] {
            std::fs::write(&path, &text).unwrap();
            let expect = format!(
                "the secret 'token' has no value: {} has more than 65536 bytes, so it is no secret",
                path.display()
            );
            assert_eq!(read(&SecretKeeper::File(path.clone())), Err(expect));
        }
        assert_eq!(
            read(&SecretKeeper::Command(vec!["yes".into()])),
            Err("the secret 'token' has no value: \
                 yes prints more than 65536 bytes, so it is no secret"
                .into())
        );
    }

    #[test]
    fn nothing_but_a_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [pipe, folder.path().to_owned(), "/dev/zero".into()] {
            let expect = format!(
                "the secret 'token' has no value: {} is a folder, a pipe, a socket or a device, \
                 not a file",
                path.display()
            );
            assert_eq!(read(&SecretKeeper::File(path)), Err(expect));
        }
    }

    /// A program that closes its output lives on, and one whose child holds the output open does
    /// not come to an end. Each of them or its child would run for 100 seconds. A pipe that they
    /// have open ends with the last of them.
    #[test]
    fn a_program_has_to_end_in_time_and_its_children_end_with_it() {
        let began = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let both_ends = File::options().read(true).write(true).open(&path).unwrap();
        let mut pipe = File::open(&path).unwrap();
        for (script, expect) in [
            ("exec >&-; sleep 100", "did not end within 1s"),
            ("sleep 100; true", "did not end within 1s"),
            ("sleep 100 &", "did not end within 1s"),
            ("sleep 100 & yes", "prints more than 65536 bytes, so it is no secret"),
            ("sleep 100 >&- & printf '\\377'", "prints what is not text: it is not UTF-8"),
        ] {
            let script = format!("exec 3>{}; echo began >&3; {script}", path.display());
            let ended = output(&words(&script), Duration::from_secs(1));
            assert_eq!(ended.map(|_| ()), Err(expect.into()), "{script}");
        }
        drop(both_ends);
        let mut said = String::new();
        pipe.read_to_string(&mut said).unwrap();
        assert_eq!(said, "began\n".repeat(5));
        assert!(began.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn a_value_that_cannot_be_had_is_refused_with_the_place_of_its_setting() {
        let name = SlotName { slot: "token", section: "[sources.bill.secrets.token]".into() };
        let failure = SecretKeeper::File("no/such/file".into()).read(&name).err().unwrap();
        assert_eq!(
            failure.diagnostic.hint_text().as_deref(),
            Some(
                "check with `ls -l no/such/file`; \
                 its keeper is named in `[sources.bill.secrets.token]`"
            )
        );
    }
}
