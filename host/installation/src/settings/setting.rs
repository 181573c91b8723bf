//! One setting: its value, where the value comes from, and what is wrong with it.

use crate::reading::Reading;
use domain::code::CONFIG_VALUE;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use toml::Spanned;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag(&'static str),
    Env(&'static str),
    File {
        file: String,
        line: u32,
    },
    /// Bytes of the file, until its lines are counted.
    Span(Range<usize>),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Env(variable) => write!(f, "env {variable}"),
            Origin::File { file, line } => write!(f, "{file}:{line}"),
            Origin::Span(span) => write!(f, "byte {}", span.start),
            Origin::Default => f.write_str("default"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
    refusals: Vec<SettingFault>,
}

/// Why a written value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Where; the whole value if nothing is said.
    pub span: Option<Range<usize>>,
    pub message: String,
    pub hint: Hint,
}

impl SettingFault {
    /// `NAME` at the start of the message becomes the name of the setting.
    pub fn new(message: impl Into<String>, hint: impl Into<Hint>) -> SettingFault {
        SettingFault { span: None, message: message.into(), hint: hint.into() }
    }

    pub fn at(self, span: Range<usize>) -> SettingFault {
        SettingFault { span: Some(span), ..self }
    }
}

/// A type that a setting can have.
pub trait SettingValue: Clone + Sized {
    /// The TOML of it.
    type Written: DeserializeOwned;
    /// Makes the value, which is any good one where there are refusals.
    fn read(written: Self::Written) -> (Self, Vec<SettingFault>);
    /// As `config show` and the schema show it.
    fn shown(&self) -> Value;
    /// Its part of the schema, without description and default.
    fn schema() -> Value;
}

impl<T> Setting<T> {
    pub fn default_of(value: T) -> Setting<T> {
        Setting::from(value, Origin::Default)
    }

    pub fn from(value: T, origin: Origin) -> Setting<T> {
        Setting { value, origin, refusals: Vec::new() }
    }

    /// Bytes of the file where it is written.
    pub fn span(&self) -> Option<Range<usize>> {
        match &self.origin {
            Origin::Span(span) => Some(span.clone()),
            _ => None,
        }
    }
}

impl<'de, T: SettingValue> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Setting<T>, D::Error> {
        let written = Spanned::<T::Written>::deserialize(deserializer)?;
        let origin = Origin::Span(written.span());
        let (value, refusals) = T::read(written.into_inner());
        Ok(Setting { value, origin, refusals })
    }
}

impl<T: SettingValue> Serialize for Setting<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.shown().serialize(serializer)
    }
}

impl<T: SettingValue> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(T::schema()).unwrap_or_default()
    }
}

/// Any setting, whatever its type.
pub trait AnySetting {
    fn shown(&self) -> Value;
    fn origin(&self) -> &Origin;
    /// Turns bytes into lines, and takes the refusals out.
    fn place(&mut self, name: &str, reading: &Reading<'_>) -> Vec<Diagnostic>;
}

impl<T: SettingValue> AnySetting for Setting<T> {
    fn shown(&self) -> Value {
        self.value.shown()
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn place(&mut self, name: &str, reading: &Reading<'_>) -> Vec<Diagnostic> {
        let Some(whole) = self.span() else { return Vec::new() };
        self.origin =
            Origin::File { file: reading.file.to_owned(), line: reading.line(whole.start) };
        let finding = |refusal: SettingFault| {
            let span = refusal.span.unwrap_or_else(|| whole.clone());
            // Only at the start: elsewhere stands the text of the file, which may hold the word.
            let message = match refusal.message.strip_prefix("NAME") {
                Some(rest) => format!("{name}{rest}"),
                None => refusal.message,
            };
            reading.finding(CONFIG_VALUE, &span, message).hint(refusal.hint)
        };
        std::mem::take(&mut self.refusals).into_iter().map(finding).collect()
    }
}
