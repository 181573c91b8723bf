//! The plugin's voice: so many lines are kept, the others counted.

use super::State;
use crate::convert::shown;
use crate::limits::Limits;
use crate::wit::bindings::log as wit;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: Level,
    pub message: String,
}

pub struct Log {
    lines: Vec<LogLine>,
    lines_left: u64,
    bytes_left: u64,
    dropped: u64,
    last_error: Option<String>,
}

impl Log {
    pub fn new(limits: &Limits) -> Log {
        Log {
            lines: Vec::new(),
            lines_left: limits.log_lines,
            bytes_left: limits.log_bytes,
            dropped: 0,
            last_error: None,
        }
    }

    fn write(&mut self, level: Level, message: &str) {
        let message = shown(message);
        if level == Level::Error {
            self.last_error = Some(message.clone());
        }
        match (self.lines_left.checked_sub(1), self.bytes_left.checked_sub(message.len() as u64)) {
            (Some(lines), Some(bytes)) => {
                (self.lines_left, self.bytes_left) = (lines, bytes);
                self.lines.push(LogLine { level, message });
            }
            _ => self.dropped += 1,
        }
    }

    /// The kept lines since the last time; at the `end` also how many were not kept.
    pub fn take(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    pub fn dropped(&self) -> Option<LogLine> {
        let message = format!("{} more lines were not kept", self.dropped);
        (self.dropped > 0).then_some(LogLine { level: Level::Warn, message })
    }

    /// The last words of a plugin that stopped: the SDK writes panics here.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

impl wit::Host for State {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        let level = match level {
            wit::Level::Debug => Level::Debug,
            wit::Level::Info => Level::Info,
            wit::Level::Warn => Level::Warn,
            wit::Level::Error => Level::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}
