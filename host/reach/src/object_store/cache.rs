//! Copies of objects. An object that has not changed is not fetched again.
//!
//! The name of a copy is made of the object's URL and its version. A copy is written under another
//! name, checked for its size, and renamed. So a crash never leaves a file that looks like a copy.

use super::connect::StoreClient;
use super::trouble;
use crate::code;
use crate::failure::{Failure, FailureKind};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The folder of copies. Copies are bills, so only the user can read them.
#[derive(Clone, Debug)]
pub struct ObjectCache {
    pub folder: Option<PathBuf>,
}

/// The mark by which two states of an object are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    id: String,
    pub etag: Option<String>,
}

impl ObjectVersion {
    /// If a store tells only the size of an object, the object is fetched anew by each process.
    pub fn of(size: u64, etag: Option<&str>, modified: Option<&str>) -> ObjectVersion {
        let told = format!("{size} {} {}", etag.unwrap_or_default(), modified.unwrap_or_default());
        let id = if etag.is_none() && modified.is_none() {
            format!("{told}{}", process())
        } else {
            told
        };
        ObjectVersion { id, etag: etag.map(str::to_owned) }
    }
}

fn process() -> String {
    static STARTED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let started = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos())
    };
    STARTED.get_or_init(|| format!("{} {}", std::process::id(), started())).clone()
}

const NAME_CHARS_MAX: usize = 60;

impl ObjectCache {
    /// The path of the copy of this version, whether it exists or not.
    pub fn path(&self, url: &str, version: &ObjectVersion) -> PathBuf {
        let last: String = url
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
            .collect();
        let last: String = last.chars().take(NAME_CHARS_MAX).collect();
        self.folder.as_deref().unwrap_or(Path::new("")).join(format!(
            "{}-{}-{last}",
            hash(url),
            hash(&version.id)
        ))
    }

    pub fn has(&self, copy: &Path, size: u64) -> bool {
        fs::metadata(copy).is_ok_and(|facts| facts.is_file() && facts.len() == size)
    }

    /// Fetches a copy that is missing. The object is never held in memory as a whole.
    pub async fn fetch(
        &self,
        url: &str,
        size: u64,
        version: &ObjectVersion,
        store: &StoreClient,
        key: &str,
    ) -> Result<(), Failure> {
        let copy = self.path(url, version);
        if self.has(&copy, size) {
            return Ok(());
        }
        let folder = self.folder.as_deref().ok_or_else(no_folder)?;
        let unwritable = |error: io::Error| cannot_write(folder, &error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
        let partial = PartialFile::new(folder, &copy);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial.path)
            .map_err(unwritable)?;
        let mut fetch = store.fetch(url, key, size, version).await?;
        let mut written: u64 = 0;
        while let Some(piece) = fetch.piece().await? {
            written += piece.len() as u64;
            file.write_all(&piece).map_err(unwritable)?;
        }
        if written != size {
            let message = format!(
                "{url} cannot be fetched: {written} bytes of {size} came, so it is cut \
                     off or was changed meanwhile"
            );
            return Err(trouble::of(FailureKind::Transient, code::STORE_FAILED, message)
                .hint("run again; if it stays so, the server is faulty"));
        }
        tracing::debug!(host = host(url), bytes = written, "object was copied");
        file.flush().and_then(|()| fs::rename(&partial.path, &copy)).map_err(unwritable)?;
        self.drop_others(folder, url, &copy);
        Ok(())
    }

    /// Removes the copies of earlier versions. A copy that cannot be removed only takes up room.
    fn drop_others(&self, folder: &Path, url: &str, copy: &Path) {
        let start = format!("{}-", hash(url));
        let is_old = |path: &Path| {
            path != copy
                && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start))
        };
        let entries =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries
            .filter(|path| is_old(path) && !path.to_string_lossy().ends_with(PARTIAL))
            .for_each(|path| drop(fs::remove_file(path)));
    }
}

const PARTIAL: &str = ".partial";

/// A file that is removed unless it was renamed.
struct PartialFile {
    path: PathBuf,
}

impl PartialFile {
    fn new(folder: &Path, copy: &Path) -> PartialFile {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name =
            copy.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let unique = format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        PartialFile { path: folder.join(format!("{name}.{unique}{PARTIAL}")) }
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The bucket or server of a URL, for logs. Keys and queries are left out.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '@']).next().unwrap_or_default()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn no_folder() -> Failure {
    trouble::of(
        FailureKind::Config,
        code::STORE_CACHE,
        "there is no folder for the copies of objects: neither HOME nor XDG_CACHE_HOME is set",
    )
    .hint("`export APPORTION_CACHE=/var/cache/apportion`, or `cache` in [sources.NAME.store]")
}

fn cannot_write(folder: &Path, error: &io::Error) -> Failure {
    trouble::of(
        FailureKind::Config,
        code::STORE_CACHE,
        format!("copies of objects cannot be written to {}: {error}", folder.display()),
    )
    .hint(
        "make room there, or name another folder with `cache` in [sources.NAME.store] or \
             APPORTION_CACHE",
    )
}
