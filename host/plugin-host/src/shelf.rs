//! Plugins that stay loaded while a process serves. A new file takes the place of an old one once
//! it has compiled and described itself. If that fails, the old one stays. A run keeps the plugins
//! that it began with.

use crate::plugin::{Plugin, PluginHost, digest};
use domain::diagnostic::Diagnostic;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

pub struct Shelf {
    host: PluginHost,
    places: Mutex<BTreeMap<String, ShelfPlace>>,
}

/// The plugin under one name.
#[derive(Clone)]
struct ShelfPlace {
    plugin: Arc<Plugin>,
    /// Digest of the file that was last tried, whether it was taken or not.
    offered: String,
    generation: u64,
    /// Why the file that was last tried was not taken.
    failure: Option<Diagnostic>,
}

/// A plugin of the shelf as it stands.
#[derive(Clone)]
pub struct ShelfEntry {
    pub plugin: Arc<Plugin>,
    /// Counts the files that took the place, from 1.
    pub generation: u64,
    /// Why a newer file did not take its place.
    pub failure: Option<Diagnostic>,
}

type Load = fn(&PluginHost, &str, &[u8]) -> Result<Plugin, Diagnostic>;

impl Shelf {
    pub fn new(host: PluginHost) -> Shelf {
        Shelf { host, places: Mutex::new(BTreeMap::new()) }
    }

    /// The plugin of these bytes, or an error.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Arc<Plugin>, Diagnostic> {
        self.exactly(name, bytes, PluginHost::load)
    }

    /// One that is bundled.
    pub fn own(&self, name: &str, bytes: &[u8]) -> Result<Arc<Plugin>, Diagnostic> {
        self.exactly(name, bytes, PluginHost::load_own)
    }

    /// One that its author tries out, with fuel counted.
    pub fn counting(&self, name: &str, bytes: &[u8]) -> Result<Arc<Plugin>, Diagnostic> {
        self.exactly(name, bytes, PluginHost::load_counting)
    }

    /// The plugin of these bytes, or the last good one under the name.
    pub fn take(&self, name: &str, bytes: &[u8]) -> Result<ShelfEntry, Diagnostic> {
        self.shelve(name, bytes, PluginHost::load)
    }

    fn exactly(&self, name: &str, bytes: &[u8], load: Load) -> Result<Arc<Plugin>, Diagnostic> {
        let shelved = self.shelve(name, bytes, load)?;
        shelved.failure.map_or(Ok(shelved.plugin), Err)
    }

    fn shelve(&self, name: &str, bytes: &[u8], load: Load) -> Result<ShelfEntry, Diagnostic> {
        let offered = digest(bytes);
        let known = self.places().get(name).cloned();
        if let Some(place) = known.as_ref().filter(|place| place.offered == offered) {
            return Ok(place.shelved());
        }
        // Compiling takes seconds, so the lock is not held meanwhile.
        let place = match (load(&self.host, name, bytes), known) {
            (Ok(plugin), known) => {
                let generation = known.map_or(0, |place| place.generation) + 1;
                ShelfPlace { plugin: Arc::new(plugin), offered, generation, failure: None }
            }
            (Err(failure), Some(place)) => ShelfPlace { offered, failure: Some(failure), ..place },
            (Err(failure), None) => return Err(failure),
        };
        let shelved = place.shelved();
        self.places().insert(name.to_owned(), place);
        Ok(shelved)
    }

    fn places(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ShelfPlace>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShelfPlace {
    fn shelved(&self) -> ShelfEntry {
        ShelfEntry {
            plugin: Arc::clone(&self.plugin),
            generation: self.generation,
            failure: self.failure.clone(),
        }
    }
}
