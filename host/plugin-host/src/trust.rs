//! Installed plugins, and whether their files are unchanged: `plugins.lock`, digests, signatures.
//!
//! The lock is a text for people and version control. A file is never run if it does not match the
//! lock, or if its signature does not verify. Then the version before it runs, if that matches.

use crate::code;
use crate::plugin::digest;
use crate::whole_file::{self, UnwrittenFile};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use minisign_verify::{PublicKey, Signature};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

pub const LOCK_FILE: &str = "plugins.lock";
/// Beside the lock; the files of installed plugins lie in it.
pub const FOLDER: &str = "plugins";
pub const SIGNATURE_ENDING: &str = ".minisig";
const VERSION: u32 = 1;
const HEADER: &str = "# Written by `apportion plugin install`; belongs into version control.\n";

/// One installed version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockEntry {
    pub name: String,
    pub version: String,
    /// Of the component, hex.
    pub sha256: String,
    /// Where it came from.
    pub source: String,
    /// The minisign public key that its signature must verify with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The version of the contract that it speaks.
    pub contract: String,
    /// The powers that the operator agreed to.
    pub powers: Vec<String>,
    /// The version before, which runs if this one cannot be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<LockEntry>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockText {
    version: u32,
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    plugins: Vec<LockEntry>,
}

/// The lock of one installation.
#[derive(Clone, Debug)]
pub struct PluginLock {
    root: PathBuf,
    plugins: Vec<LockEntry>,
}

/// A component that is unchanged since it was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedComponent {
    pub bytes: Vec<u8>,
    /// Why the version before runs in its place.
    pub stepped_in_for: Option<Diagnostic>,
}

impl PluginLock {
    /// The lock beside the settings; without the file, an empty one.
    pub fn read(root: &Path) -> Result<PluginLock, Diagnostic> {
        let path = root.join(LOCK_FILE);
        let refuse = |reason: String| {
            Diagnostic::new(
                code::PLUGIN_LOCK,
                format!("{} cannot be read: {reason}", path.display()),
            )
            .hint("take it back from version control, or install its plugins anew")
        };
        let plugins = match fs::read_to_string(&path) {
            Ok(text) => {
                let lock: LockText = toml::from_str(&text)
                    .map_err(|error| refuse(error.message().trim_end().to_owned()))?;
                if lock.version != VERSION {
                    return Err(refuse(format!(
                        "it is of version {}, and this program reads {VERSION}",
                        lock.version
                    )));
                }
                lock.plugins
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(refuse(error.to_string())),
        };
        Ok(PluginLock { root: root.to_owned(), plugins })
    }

    pub fn plugins(&self) -> &[LockEntry] {
        &self.plugins
    }

    pub fn find(&self, name: &str) -> Option<&LockEntry> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// Where the file of a version lies.
    pub fn file(&self, locked: &LockEntry) -> PathBuf {
        let short: String = locked.sha256.chars().take(12).collect();
        self.root.join(FOLDER).join(format!("{}-{short}.wasm", locked.name))
    }

    /// Keeps a version: first its file, then its signature, then the line in the lock. A crash on
    /// the way leaves the old version in force.
    pub fn install(
        &mut self,
        locked: LockEntry,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<(), Diagnostic> {
        assert_eq!(digest(bytes), locked.sha256, "the lock names what is installed");
        let path = self.file(&locked);
        write(&path, bytes)?;
        if let Some(signature) = signature {
            write(&signature_of(&path), signature.as_bytes())?;
        }
        let before = self
            .plugins
            .iter()
            .position(|plugin| plugin.name == locked.name)
            .map(|at| self.plugins.remove(at));
        let previous = match before {
            Some(before) if before.sha256 == locked.sha256 => before.previous,
            Some(before) => Some(Box::new(LockEntry { previous: None, ..before })),
            None => None,
        };
        self.plugins.push(LockEntry { previous, ..locked });
        self.plugins.sort_by(|left, right| left.name.cmp(&right.name));
        self.save()
    }

    fn save(&self) -> Result<(), Diagnostic> {
        let text =
            toml::to_string_pretty(&LockText { version: VERSION, plugins: self.plugins.clone() });
        let text = text.map_err(|error| {
            Diagnostic::new(
                domain::code::INTERNAL,
                format!("{LOCK_FILE} cannot be written: {error}"),
            )
        })?;
        write(&self.root.join(LOCK_FILE), format!("{HEADER}{text}").as_bytes())
    }

    /// The component of an installed plugin, or the version before if it cannot be trusted.
    pub fn open(&self, locked: &LockEntry) -> Result<TrustedComponent, Diagnostic> {
        let failure = match self.verified(locked) {
            Ok(bytes) => return Ok(TrustedComponent { bytes, stepped_in_for: None }),
            Err(failure) => failure,
        };
        match locked.previous.as_deref().map(|previous| (previous, self.verified(previous))) {
            Some((previous, Ok(bytes))) => {
                let message = format!("{}; version {} steps in", failure.message, previous.version);
                Ok(TrustedComponent {
                    bytes,
                    stepped_in_for: Some(Diagnostic { message, ..failure }),
                })
            }
            _ => Err(failure),
        }
    }

    /// The bytes of a version, if they match the lock and their signature verifies.
    pub fn verified(&self, locked: &LockEntry) -> Result<Vec<u8>, Diagnostic> {
        let path = self.file(locked);
        let again = Hint::command(format!("plugin install {}", locked.source));
        let bytes = fs::read(&path).map_err(|error| {
            Diagnostic::new(
                code::PLUGIN_LOCK,
                format!(
                    "the plugin {} {} cannot be read: {}: {error}",
                    locked.name,
                    locked.version,
                    path.display()
                ),
            )
            .hint(again.clone())
        })?;
        let found = digest(&bytes);
        if found != locked.sha256 {
            let message = format!(
                "{} is not the plugin {} {} that was installed: its SHA-256 is {found}, \
                     and {LOCK_FILE} has {}",
                path.display(),
                locked.name,
                locked.version,
                locked.sha256
            );
            return Err(Diagnostic::new(code::PLUGIN_LOCK, message).hint(again));
        }
        if let Some(signer) = &locked.signer {
            let signature = fs::read_to_string(signature_of(&path)).ok();
            verify(&bytes, signature.as_deref(), &[signer.as_str()])
                .map_err(|finding| finding.hint(again))?;
        }
        Ok(bytes)
    }
}

/// The first of the keys with which the signature verifies.
pub fn verify<'k>(
    bytes: &[u8],
    signature: Option<&str>,
    keys: &[&'k str],
) -> Result<&'k str, Diagnostic> {
    let refuse = |reason: &str| {
        Diagnostic::new(
            code::PLUGIN_SIGNATURE,
            format!("the plugin's signature is not good: {reason}"),
        )
    };
    let signature = signature.ok_or_else(|| refuse("there is none"))?;
    let signature = Signature::decode(signature)
        .map_err(|error| refuse(&format!("it is not one of minisign ({error})")))?;
    for key in keys {
        let public = PublicKey::from_base64(key).map_err(|error| {
            refuse(&format!("'{key}' is not a public key of minisign ({error})"))
        })?;
        if public.verify(bytes, &signature, false).is_ok() {
            return Ok(key);
        }
    }
    Err(refuse("it was made by another key, or of another file"))
}

fn signature_of(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(SIGNATURE_ENDING);
    PathBuf::from(beside)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
    whole_file::write(path, bytes).map_err(|UnwrittenFile { path, error }| {
        Diagnostic::new(code::PLUGIN_LOCK, format!("{} cannot be written: {error}", path.display()))
            .hint("make room on its disk, and check the folder with `ls -ld`; then install again")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign itself: the pair of the crate's own documentation, over the four bytes
    // "test".
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const OTHER_KEY: &str = "RWSmKaOrT6m3TGwjwBovgOmlhSbyBUw3hyhnSOYruHXbJa36xHr8rq2M";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret \
         key\nRUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\ntrusted comment: timestamp:1633700835\tfile:test\tprehashed\nwLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";

    fn locked(version: &str, bytes: &[u8], signer: Option<&str>) -> LockEntry {
        LockEntry {
            name: "acme".into(),
            version: version.into(),
            sha256: digest(bytes),
            source: "https://acme.example/acme.wasm".into(),
            signer: signer.map(str::to_owned),
            contract: "0.1.0".into(),
            powers: vec!["http".into()],
            previous: None,
        }
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_lock_comes_back_as_it_was_written() {
        let folder = folder();
        let mut lock =
            PluginLock::read(folder.path()).unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(lock.plugins(), []);
        assert_eq!(lock.install(locked("1.0.0", b"one", None), b"one", None), Ok(()));
        assert_eq!(
            lock.install(locked("1.1.0", b"test", Some(KEY)), b"test", Some(SIGNATURE)),
            Ok(())
        );
        let again = PluginLock::read(folder.path()).unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(again.plugins(), lock.plugins());
        let found = again.find("acme").unwrap_or_else(|| panic!("it is there"));
        assert_eq!(
            found.previous.as_ref().map(|previous| previous.version.as_str()),
            Some("1.0.0")
        );
        assert_eq!(
            again.open(found),
            Ok(TrustedComponent { bytes: b"test".to_vec(), stepped_in_for: None })
        );
    }

    #[test]
    fn what_was_changed_does_not_run_and_what_was_before_steps_in() {
        let folder = folder();
        let mut lock =
            PluginLock::read(folder.path()).unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(lock.install(locked("1.0.0", b"one", None), b"one", None), Ok(()));
        assert_eq!(
            lock.install(locked("1.1.0", b"test", Some(KEY)), b"test", Some(SIGNATURE)),
            Ok(())
        );
        let found = lock.find("acme").cloned().unwrap_or_else(|| panic!("it is there"));
        fs::remove_file(signature_of(&lock.file(&found))).unwrap_or_else(|error| panic!("{error}"));
        let trusted = lock.open(&found).unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(trusted.bytes, b"one");
        let reason = trusted.stepped_in_for.map(|finding| (finding.code, finding.message));
        assert_eq!(
            reason,
            Some((
                code::PLUGIN_SIGNATURE,
                "the plugin's signature is not good: there is none; version 1.0.0 steps in".into()
            ))
        );
        fs::write(lock.file(&found), b"tEst").unwrap_or_else(|error| panic!("{error}"));
        let previous = found.previous.as_deref().cloned().unwrap_or_else(|| panic!("it is there"));
        fs::write(lock.file(&previous), b"two").unwrap_or_else(|error| panic!("{error}"));
        let refusal = lock.open(&found).err();
        assert_eq!(refusal.as_ref().map(|finding| finding.code), Some(code::PLUGIN_LOCK));
        assert_eq!(
            refusal.and_then(|finding| finding.hint_text()).as_deref(),
            Some("apportion plugin install https://acme.example/acme.wasm")
        );
    }

    #[test]
    fn a_signature_is_one_keys_word_on_one_file() {
        let reason = |bytes: &[u8], signature: Option<&str>, keys: &[&'static str]| {
            verify(bytes, signature, keys).map_err(|finding| finding.message)
        };
        let refused = |reason: &str| format!("the plugin's signature is not good: {reason}");
        assert_eq!(verify(b"test", Some(SIGNATURE), &[OTHER_KEY, KEY]), Ok(KEY));
        assert_eq!(
            reason(b"Test", Some(SIGNATURE), &[KEY]),
            Err(refused("it was made by another key, or of another file"))
        );
        assert_eq!(
            reason(b"test", Some(SIGNATURE), &[OTHER_KEY]),
            Err(refused("it was made by another key, or of another file"))
        );
        assert_eq!(reason(b"test", None, &[KEY]), Err(refused("there is none")));
        assert!(
            reason(b"test", Some("x"), &[KEY])
                .is_err_and(|reason| reason.contains("not one of minisign"))
        );
        assert!(
            reason(b"test", Some(SIGNATURE), &["x"])
                .is_err_and(|reason| reason.contains("not a public key of minisign"))
        );
    }

    #[test]
    fn a_lock_of_another_version_is_refused() {
        let folder = folder();
        fs::write(folder.path().join(LOCK_FILE), "version = 2\n")
            .unwrap_or_else(|error| panic!("{error}"));
        let refusal = PluginLock::read(folder.path())
            .err()
            .map(|finding| finding.message)
            .unwrap_or_default();
        assert!(refusal.ends_with("it is of version 2, and this program reads 1"), "{refusal}");
    }
}
