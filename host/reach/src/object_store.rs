//! Files and objects that the paths of a source lead to, local or in a store, by name.
//!
//! Stores are listed when the source is opened, and only read: no call of this module writes, and a listing never leaves the
//! path that the operator wrote. An object is fetched when it is first needed, into a folder of copies that are kept.

mod address;
mod cache;
mod connect;
mod listing;
mod trouble;

pub use address::is_url;
pub use cache::Cache;
pub use connect::{Access, Keys, Store};

use crate::failure::{Failure, Kind};
use crate::runtime::block_on;
use cache::Version;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    /// RFC 3339.
    pub modified: Option<String>,
}

/// One of the paths of a source.
pub enum Place {
    /// What it led to on this machine.
    Local(Vec<LocalFile>),
    Url(String),
}

#[derive(Clone, Debug)]
pub struct LocalFile {
    pub name: String,
    pub path: PathBuf,
    pub is_table: bool,
    /// Its real path, if no link leads out of what the operator named: only then a plugin may read it itself.
    pub inside: Option<PathBuf>,
}

/// What one source may read.
pub struct Files {
    source: String,
    found: Vec<Found>,
    cache: Cache,
}

struct Found {
    name: String,
    size: u64,
    modified: Option<String>,
    is_table: bool,
    at: At,
}

enum At {
    Local { path: PathBuf, inside: Option<PathBuf> },
    Object { store: Arc<Store>, key: String, version: Version },
}

/// A table that the host reads: the local file, or the copy that an object will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub path: PathBuf,
}

/// More than this is no answer to a plugin's question.
const READ_BYTES_MAX: u32 = 16 << 20;
/// Objects up to this size are read from a copy; of larger ones only what is asked for is fetched.
const COPIED_BYTES_MAX: u64 = 64 << 20;
/// So many objects are fetched at once.
const FETCHED_AT_ONCE: usize = 4;

impl Files {
    /// Lists what lies in stores; what is local is listed already.
    pub fn open(
        source: &str,
        places: Vec<Place>,
        access: &Access,
        cache: Cache,
    ) -> Result<Files, Failure> {
        let mut found: Vec<Found> = Vec::new();
        for place in places {
            match place {
                Place::Local(files) => found.extend(files.into_iter().map(local)),
                Place::Url(url) => found.extend(
                    block_on(listing::list(&url, access))
                        .map_err(|failure| trouble::named(failure, source))?,
                ),
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|file| seen.insert(file.name.clone()));
        Ok(Files { source: source.into(), found, cache })
    }

    /// Files of this machine alone.
    pub fn of_this_machine(source: &str, files: Vec<LocalFile>) -> Files {
        Files {
            source: source.into(),
            found: files.into_iter().map(local).collect(),
            cache: Cache { folder: None },
        }
    }

    /// The tables in the order of the paths; those in stores are there once they are fetched.
    pub fn tables(&self) -> Vec<Table> {
        let tables = self.found.iter().filter(|file| file.is_table);
        tables.map(|file| Table { name: file.name.clone(), path: self.path(file) }).collect()
    }

    /// What a plugin with the power `file` sees.
    pub fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let visible =
            self.found.iter().filter(|file| !matches!(file.at, At::Local { inside: None, .. }));
        Ok(visible
            .map(|file| Entry {
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
                Kind::Config,
                format!("there is no file '{name}' among those of the source"),
            )
        };
        let file = self.found.iter().find(|file| file.name == name).ok_or_else(missing)?;
        match &file.at {
            At::Local { path, inside } => {
                // Whoever changed a link since the listing gets nothing by it.
                let still_there = std::fs::canonicalize(path)
                    .ok()
                    .filter(|real| Some(real) == inside.as_ref())
                    .ok_or_else(missing)?;
                read_local(name, &still_there, offset, length)
            }
            At::Object { store, key, version } => {
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

    /// Sees to it that the copy of an object is there; local files are there anyway.
    pub fn fetch(&self, name: &str) -> Result<(), Failure> {
        match self.found.iter().find(|file| file.name == name) {
            Some(Found { at: At::Object { store, key, version }, size, .. }) => {
                self.wait(self.cache.fetch(name, *size, version, store, key))
            }
            _ => Ok(()),
        }
    }

    /// The same for all tables, several at a time.
    pub fn fetch_tables(&self) -> Result<(), Failure> {
        let wanted: Vec<&Found> = self.found.iter().filter(|file| file.is_table).collect();
        self.wait(async {
            for some in wanted.chunks(FETCHED_AT_ONCE) {
                let fetches = some.iter().filter_map(|file| match &file.at {
                    At::Object { store, key, version } => {
                        Some(self.cache.fetch(&file.name, file.size, version, store, key))
                    }
                    At::Local { .. } => None,
                });
                futures_util::future::try_join_all(fetches).await?;
            }
            Ok(())
        })
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        block_on(work).map_err(|failure| trouble::named(failure, &self.source))
    }

    fn path(&self, file: &Found) -> PathBuf {
        match &file.at {
            At::Local { path, .. } => path.clone(),
            At::Object { version, .. } => self.cache.path(&file.name, version),
        }
    }
}

fn local(file: LocalFile) -> Found {
    let facts = std::fs::metadata(&file.path).ok();
    Found {
        name: file.name,
        size: facts.as_ref().map_or(0, std::fs::Metadata::len),
        modified: facts.and_then(|facts| facts.modified().ok()).map(rfc3339),
        is_table: file.is_table,
        at: At::Local { path: file.path, inside: file.inside },
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
        Err(error) => Err(Failure::new(Kind::Transient, format!("{name} cannot be read: {error}"))),
    }
}
