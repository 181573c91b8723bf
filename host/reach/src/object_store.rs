//! SourceFiles and objects that the paths of a source lead to, local or in a store, by name.
//!
//! Stores are listed when the source is opened, and only read: no call of this module writes, and a
//! listing never leaves the path that the operator wrote. An object is fetched when it is first
//! needed, into a folder of copies that are kept.

mod address;
mod cache;
mod connect;
mod listing;
mod trouble;

pub use address::is_url;
pub use cache::ObjectCache;
pub use connect::{StoreAccess, StoreClient, StoreKeys};

use crate::failure::{Failure, FailureKind};
use crate::runtime::block_on;
use crate::secret::Blots;
use cache::ObjectVersion;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    pub name: String,
    pub size: u64,
    /// RFC 3339.
    pub modified: Option<String>,
}

/// One of the paths of a source.
pub enum SourcePath {
    /// The files on this machine that the path leads to.
    Local(Vec<LocalFile>),
    Url(String),
}

#[derive(Clone, Debug)]
pub struct LocalFile {
    pub name: String,
    pub path: PathBuf,
    pub is_table: bool,
    /// The real path, if no link leads out of the operator's path. Only such a file can be read by
    /// the plugin itself.
    pub inside: Option<PathBuf>,
}

/// The files and objects that one source may read.
pub struct SourceFiles {
    source: String,
    found: Vec<ListedFile>,
    cache: ObjectCache,
    /// The secrets that its stores were asked with.
    blots: Arc<Blots>,
}

struct ListedFile {
    name: String,
    size: u64,
    modified: Option<String>,
    is_table: bool,
    at: FileOrigin,
}

enum FileOrigin {
    Local { path: PathBuf, inside: Option<PathBuf> },
    Object { store: Arc<StoreClient>, key: String, version: ObjectVersion },
}

/// A table that the host reads: a local file, or the copy of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTable {
    pub name: String,
    pub path: PathBuf,
}

/// The most bytes that one call of a plugin reads.
const READ_BYTES_MAX: u32 = 16 << 20;
/// Objects up to this size are read from a copy. Of larger objects, only the asked range is
/// fetched.
const COPIED_BYTES_MAX: u64 = 64 << 20;
/// So many objects are fetched at once.
const FETCHED_AT_ONCE: usize = 4;

impl SourceFiles {
    /// Lists the objects in stores. Local files are listed by the caller.
    pub fn open(
        source: &str,
        places: Vec<SourcePath>,
        access: &StoreAccess,
        cache: ObjectCache,
    ) -> Result<SourceFiles, Failure> {
        let mut found: Vec<ListedFile> = Vec::new();
        for place in places {
            match place {
                SourcePath::Local(files) => found.extend(files.into_iter().map(local)),
                SourcePath::Url(url) => {
                    found.extend(block_on(listing::list(&url, access)).map_err(|failure| {
                        trouble::named(failure.without(&access.blots), source)
                    })?)
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|file| seen.insert(file.name.clone()));
        Ok(SourceFiles { source: source.into(), found, cache, blots: access.blots.clone() })
    }

    /// SourceFiles of this machine alone.
    pub fn of_this_machine(source: &str, files: Vec<LocalFile>) -> SourceFiles {
        SourceFiles {
            source: source.into(),
            found: files.into_iter().map(local).collect(),
            cache: ObjectCache { folder: None },
            blots: Arc::default(),
        }
    }

    /// The tables in the order of the paths. A table in a store has no file until it is fetched.
    pub fn tables(&self) -> Vec<SourceTable> {
        let tables = self.found.iter().filter(|file| file.is_table);
        tables.map(|file| SourceTable { name: file.name.clone(), path: self.path(file) }).collect()
    }

    /// The names of files that are no tables. Empty ones only mark something, such as a folder.
    pub fn others(&self) -> Vec<String> {
        let others = self.found.iter().filter(|file| !file.is_table && file.size > 0);
        others.map(|file| file.name.clone()).collect()
    }

    /// The files that a plugin with the power `file` sees.
    pub fn entries(&self) -> Result<Vec<FileEntry>, Failure> {
        let visible = self
            .found
            .iter()
            .filter(|file| !matches!(file.at, FileOrigin::Local { inside: None, .. }));
        Ok(visible
            .map(|file| FileEntry {
                name: file.name.clone(),
                size: file.size,
                modified: file.modified.clone(),
            })
            .collect())
    }

    /// Up to `length` bytes from `offset`; fewer at the end.
    pub fn read(&self, name: &str, offset: u64, length: u32) -> Result<Vec<u8>, Failure> {
        let length = length.min(READ_BYTES_MAX);
        let missing = || {
            Failure::new(
                FailureKind::Config,
                format!("there is no file '{name}' among those of the source"),
            )
        };
        let file = self.found.iter().find(|file| file.name == name).ok_or_else(missing)?;
        match &file.at {
            FileOrigin::Local { path, inside } => {
                // A link that was changed since the listing is not followed.
                let still_there = std::fs::canonicalize(path)
                    .ok()
                    .filter(|real| Some(real) == inside.as_ref())
                    .ok_or_else(missing)?;
                read_local(name, &still_there, offset, length)
            }
            FileOrigin::Object { store, key, version } => {
                let copy = self.cache.path(name, version);
                if file.size > COPIED_BYTES_MAX && !self.cache.has(&copy, file.size) {
                    let end = offset.saturating_add(u64::from(length)).min(file.size);
                    return if offset >= end {
                        Ok(Vec::new())
                    } else {
                        self.wait(store.read(name, key, offset..end))
                    };
                }
                self.fetch(name)?;
                read_local(name, &copy, offset, length)
            }
        }
    }

    /// Makes the copy of an object, if it is missing. Does nothing for local files.
    pub fn fetch(&self, name: &str) -> Result<(), Failure> {
        match self.found.iter().find(|file| file.name == name) {
            Some(ListedFile { at: FileOrigin::Object { store, key, version }, size, .. }) => {
                self.wait(self.cache.fetch(name, *size, version, store, key))
            }
            _ => Ok(()),
        }
    }

    /// Makes the missing copies of all tables, several at a time.
    pub fn fetch_tables(&self) -> Result<(), Failure> {
        let wanted: Vec<&ListedFile> = self.found.iter().filter(|file| file.is_table).collect();
        self.wait(async {
            for some in wanted.chunks(FETCHED_AT_ONCE) {
                let fetches = some.iter().filter_map(|file| match &file.at {
                    FileOrigin::Object { store, key, version } => {
                        Some(self.cache.fetch(&file.name, file.size, version, store, key))
                    }
                    FileOrigin::Local { .. } => None,
                });
                futures_util::future::try_join_all(fetches).await?;
            }
            Ok(())
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let told = |failure: Failure| trouble::named(failure.without(&self.blots), &self.source);
        block_on(work).map_err(told)
    }

    fn path(&self, file: &ListedFile) -> PathBuf {
        match &file.at {
            FileOrigin::Local { path, .. } => path.clone(),
            FileOrigin::Object { version, .. } => self.cache.path(&file.name, version),
        }
    }
}

fn local(file: LocalFile) -> ListedFile {
    let facts = std::fs::metadata(&file.path).ok();
    ListedFile {
        name: file.name,
        size: facts.as_ref().map_or(0, std::fs::Metadata::len),
        modified: facts.and_then(|facts| facts.modified().ok()).map(rfc3339),
        is_table: file.is_table,
        at: FileOrigin::Local { path: file.path, inside: file.inside },
    }
}

fn rfc3339(at: SystemTime) -> String {
    let ms = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    domain::period::instant(ms)
}

fn read_local(name: &str, path: &Path, offset: u64, length: u32) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.take(u64::from(length)).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => {
            Err(Failure::new(FailureKind::Transient, format!("{name} cannot be read: {error}")))
        }
    }
}
