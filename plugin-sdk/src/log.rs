//! Log lines of the plugin. The host keeps a limited number and counts the others.

use crate::bindings::collector::apportion::plugin::log::Level;

/// In native tests nothing is logged.
fn write(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::collector::apportion::plugin::log::write(level, message);
    #[cfg(not(target_family = "wasm"))]
    let _ = (level, message);
}

pub fn debug(message: &str) {
    write(Level::Debug, message);
}

pub fn info(message: &str) {
    write(Level::Info, message);
}

pub fn warn(message: &str) {
    write(Level::Warn, message);
}

pub fn error(message: &str) {
    write(Level::Error, message);
}
