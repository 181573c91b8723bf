//! `[log]`: what the log on stderr looks like.

use super::section::section;
use super::setting::{Origin, Setting, SettingFault, SettingValue};
use crate::env_var;
use crate::reading::Reading;
use domain::diagnostic::did_you_mean;
use serde_json::{Value, json};

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
        word_of_environment(env_var::LOG_FORMAT, &mut self.format, &mut |_, _| {});
        word_of_environment(env_var::LOG_LEVEL, &mut self.level, &mut |_, _| {});
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

/// A setting that takes one of a few words.
pub trait Word: Clone + Copy + PartialEq + 'static {
    const ALL: &'static [(&'static str, Self)];

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, word)| *word)
    }

    fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(name, _)| *name).collect()
    }
}

impl Word for LogFormat {
    const ALL: &'static [(&'static str, LogFormat)] =
        &[("text", LogFormat::Text), ("json", LogFormat::Json)];
}

impl Word for LogLevel {
    const ALL: &'static [(&'static str, LogLevel)] = &[
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
}

/// A word that a variable says instead of the file.
pub fn word_of_environment<W: Word>(
    variable: &'static str,
    setting: &mut Setting<W>,
    refuse: &mut dyn FnMut(String, String),
) {
    let Some(text) = env_var::value(variable) else { return };
    let text = text.to_string_lossy();
    match W::by_name(&text) {
        Some(word) => *setting = Setting::from(word, Origin::Env(variable)),
        None => refuse(format!("{variable} is '{text}'"), words_hint::<W>(&text)),
    }
}

/// The hint where none of the words is written.
fn words_hint<W: Word>(written: &str) -> String {
    match did_you_mean(written, W::names()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => format!("write one of: {}", W::names().join(", ")),
    }
}

fn read_word<W: Word>(written: &str, kind: &str, fallback: W) -> (W, Vec<SettingFault>) {
    match W::by_name(written) {
        Some(word) => (word, Vec::new()),
        None => {
            let message = format!("'{written}' is no {kind} of the log");
            (fallback, vec![SettingFault::new(message, words_hint::<W>(written))])
        }
    }
}

fn shown_word<W: Word>(word: &W) -> Value {
    W::ALL.iter().find(|(_, known)| known == word).map_or(Value::Null, |(name, _)| (*name).into())
}

impl SettingValue for LogFormat {
    type Written = String;

    fn read(written: String) -> (LogFormat, Vec<SettingFault>) {
        read_word(&written, "format", LogFormat::Text)
    }

    fn shown(&self) -> Value {
        shown_word(self)
    }

    fn schema() -> Value {
        json!({ "enum": LogFormat::names() })
    }
}

impl SettingValue for LogLevel {
    type Written = String;

    fn read(written: String) -> (LogLevel, Vec<SettingFault>) {
        read_word(&written, "level", LogLevel::Info)
    }

    fn shown(&self) -> Value {
        shown_word(self)
    }

    fn schema() -> Value {
        json!({ "enum": LogLevel::names() })
    }
}
