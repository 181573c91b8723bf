//! What a plugin may know of the run. Always there.

use super::State;
use crate::wit::bindings::run_info as wit;

impl wit::Host for State {
    fn source(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        Ok(self.run.source.clone())
    }

    fn now(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        Ok(self.run.now.clone())
    }
}
