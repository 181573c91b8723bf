//! The facts of the run that every plugin may know.

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
