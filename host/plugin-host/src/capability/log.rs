//! The log of a plugin: lines up to a limit are kept, further ones are only counted.

use super::State;
use crate::limits::PluginLimits;
use crate::printable::printable;
use crate::wit::bindings::log as wit;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
}

pub struct PluginLog {
    lines: Vec<LogLine>,
    lines_left: u64,
    bytes_left: u64,
    dropped: u64,
    last_error: Option<String>,
}

impl PluginLog {
    pub fn new(limits: &PluginLimits) -> PluginLog {
        PluginLog {
            lines: Vec::new(),
            lines_left: limits.log_lines,
            bytes_left: limits.log_bytes,
            dropped: 0,
            last_error: None,
        }
    }

    fn write(&mut self, level: LogLevel, message: &str) {
        let message = printable(message);
        if level == LogLevel::Error {
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

    /// The kept lines since the last call of this function.
    pub fn take(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    /// A line with the number of lines that were not kept, if there are any.
    pub fn dropped(&self) -> Option<LogLine> {
        let message = format!("{} more lines were not kept", self.dropped);
        (self.dropped > 0).then_some(LogLine { level: LogLevel::Warn, message })
    }

    /// The last error line. The SDK writes panics to the log, so it says why a plugin stopped.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

impl wit::Host for State {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        let level = match level {
            wit::Level::Debug => LogLevel::Debug,
            wit::Level::Info => LogLevel::Info,
            wit::Level::Warn => LogLevel::Warn,
            wit::Level::Error => LogLevel::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}
