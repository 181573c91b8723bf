//! The power `file`: the files and objects that the source's paths lead to, by name.

use super::State;
use crate::power::Power;
use crate::wit::bindings::{file as wit, types};

impl wit::Host for State {
    fn entries(&mut self) -> wasmtime::Result<Result<Vec<wit::Entry>, types::Error>> {
        let files = self.clients.files.clone();
        self.reach_out(Power::File, files, |files| {
            let entries = files.entries()?;
            Ok(entries
                .into_iter()
                .map(|entry| wit::Entry {
                    name: entry.name,
                    size: entry.size,
                    modified: entry.modified,
                })
                .collect())
        })
    }

    fn read(
        &mut self,
        name: String,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        let files = self.clients.files.clone();
        self.reach_out(Power::File, files, |files| files.read(&name, offset, length))
    }
}
