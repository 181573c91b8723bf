//! `[log]`: what the log on stderr looks like.

use super::section::section;
use super::setting::Setting;
use super::word::{self, Word};
use crate::env_var;
use crate::reading::Reading;

section! {
    /// The log on stderr.
    pub struct Log {
        /// Text for people, or one line of JSON for each event. The variable APPORTION_LOG_FORMAT
        /// wins.
        pub format: Setting<LogFormat> = Setting::default_of(LogFormat::Text),
        /// The least that is logged. The variable APPORTION_LOG_LEVEL wins.
        pub level: Setting<LogLevel> = Setting::default_of(LogLevel::Info),
    }
}

impl Log {
    /// The log before any settings are read. A variable that cannot be understood is refused with
    /// them.
    pub fn of_environment() -> Log {
        Log::default().under_environment()
    }

    /// The log that a refused file asks for, whatever else is wrong in the file.
    pub fn of_refused(reading: &Reading<'_>) -> Log {
        let mut log = Log::default();
        for (key, value, _) in reading.written() {
            let written = value.as_str().unwrap_or_default();
            match key.as_str() {
                "log.format" => take_word(written, &mut log.format),
                "log.level" => take_word(written, &mut log.level),
                _ => {}
            }
        }
        log.under_environment()
    }

    fn under_environment(mut self) -> Log {
        word::of_environment(env_var::LOG_FORMAT, &mut self.format, &mut |_, _| {});
        word::of_environment(env_var::LOG_LEVEL, &mut self.level, &mut |_, _| {});
        self
    }
}

fn take_word<W: Word>(written: &str, setting: &mut Setting<W>) {
    if let Some(word) = W::by_name(written) {
        setting.value = word;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl Word for LogFormat {
    const ALL: &'static [(&'static str, LogFormat)] =
        &[("text", LogFormat::Text), ("json", LogFormat::Json)];
    const REFUSAL: &'static str = "is no format of the log";
    const FALLBACK: LogFormat = LogFormat::Text;
}

impl Word for LogLevel {
    const ALL: &'static [(&'static str, LogLevel)] = &[
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    const REFUSAL: &'static str = "is no level of the log";
    const FALLBACK: LogLevel = LogLevel::Info;
}
