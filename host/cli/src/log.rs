//! The log on stderr: plain text for people, or JSON for machines.
//!
//! Only events of this house are shown. Other crates log requests, and those may hold secrets.

use crate::ui::finding_text;
use domain::period::instant;
use domain::visible::{visible, visible_line};
use installation::clock::now_ms;
use installation::settings::log::{Log, LogFormat, LogLevel};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::stderr;
use std::sync::{PoisonError, RwLock};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer, debug_fn};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The crates whose events are shown.
const CRATES: [&str; 5] = ["apportion", "installation", "plugin_host", "reach", "server"];

/// The fields of a finding, which have places of their own in a line of text.
const FINDING_PARTS: [&str; 4] = ["code", "location", "excerpt", "hint"];

/// Separators of a span's fields, which stand in no name and no printable value.
const NAME_END: char = '\u{1e}';
const VALUE_END: char = '\u{1f}';

/// The form of the log. Settings that are read later can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogForm {
    pub is_json: bool,
    /// Whether lines of text begin with their time and level, as lines of JSON do.
    pub is_timed: bool,
    pub level: LevelFilter,
}

static FORM: RwLock<LogForm> =
    RwLock::new(LogForm { is_json: false, is_timed: false, level: LevelFilter::INFO });

/// The form at this moment.
pub fn form() -> LogForm {
    *FORM.read().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the form that the settings want. A quiet command shows no more than warnings.
pub fn follow(settings: &Log, is_quiet: bool) {
    let level = match settings.level.value {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let level = if is_quiet { level.min(LevelFilter::WARN) } else { level };
    let is_json = settings.format.value == LogFormat::Json;
    let mut form = FORM.write().unwrap_or_else(PoisonError::into_inner);
    *form = LogForm { is_json, level, ..*form };
}

/// Begins every line with its time from now on: the log of a process that stays.
pub fn tell_times() {
    FORM.write().unwrap_or_else(PoisonError::into_inner).is_timed = true;
}

/// Shows events on stderr from now on.
pub fn start() {
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogLine)
        .fmt_fields(debug_fn(|writer, field, value| {
            write!(writer, "{field}{NAME_END}{value:?}{VALUE_END}")
        }))
        .with_writer(stderr)
        .log_internal_errors(false)
        .with_filter(OwnEvents);
    // A second start in one process changes nothing.
    let _started_before = tracing_subscriber::registry().with(lines).try_init();
}

/// Lets events of this house through, down to the level of the log.
struct OwnEvents;

impl<S> Filter<S> for OwnEvents {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        // Spans name the request of an event, so they stay on at every level.
        is_ours(metadata) && (metadata.is_span() || *metadata.level() <= form().level)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let of = metadata.target().split("::").next().unwrap_or_default();
    CRATES.contains(&of)
}

/// Writes one event as text or as a line of JSON.
struct LogLine;

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        for span in context.event_scope().into_iter().flatten() {
            if let Some(span_fields) = span.extensions().get::<FormattedFields<N>>() {
                let pairs =
                    span_fields.split(VALUE_END).filter_map(|pair| pair.split_once(NAME_END));
                fields.spans.extend(
                    pairs.map(|(name, value)| (name.to_owned(), value.escape_debug().to_string())),
                );
            }
        }
        let form = form();
        if form.is_json {
            return writer.write_str(&fields.json(event.metadata()));
        }
        if form.is_timed {
            write!(writer, "{} ", instant(now_ms()))?;
        }
        writer.write_str(&fields.text(*event.metadata().level(), form.is_timed))
    }
}

/// The parts of an event: its message, its other fields, and the fields of the spans around it.
#[derive(Default)]
struct EventFields {
    message: String,
    others: BTreeMap<&'static str, Value>,
    spans: Vec<(String, String)>,
}

impl EventFields {
    /// A finding looks as an error of a command does. Any other event is its message and fields.
    fn text(&self, level: Level, with_level: bool) -> String {
        let spans: String =
            self.spans.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let part = |name: &str| self.others.get(name).and_then(Value::as_str);
        let others = self.others.iter().filter(|(name, _)| !FINDING_PARTS.contains(name));
        let fields: String = others.map(|(name, value)| format!(" {name}={value}")).collect();
        let Some(code) = part("code") else {
            return match with_level {
                true => {
                    let (level, message) =
                        (level.as_str().to_lowercase(), visible_line(&self.message));
                    format!("{level}: {spans}{message}{}\n", visible(&fields))
                }
                false => format!("{}\n", visible(&format!("{spans}{}{fields}", self.message))),
            };
        };
        let fields = fields.trim_start();
        let fields = if fields.is_empty() { String::new() } else { format!("{fields} ") };
        let location = part("location").map_or_else(String::new, |place| format!("{place}: "));
        let mut finding = format!("{spans}{fields}{location}{code}: {}", self.message);
        for line in part("excerpt").iter().flat_map(|excerpt| excerpt.lines()) {
            finding.push_str("\n    ");
            finding.push_str(line);
        }
        let title = if level == Level::ERROR { "error" } else { "warning" };
        finding_text(title, &finding, part("hint"))
    }

    fn json(&self, metadata: &Metadata<'_>) -> String {
        let mut line = serde_json::Map::new();
        line.insert("time".into(), instant(now_ms()).into());
        line.insert("level".into(), metadata.level().as_str().to_lowercase().into());
        line.insert("target".into(), metadata.target().into());
        line.insert("message".into(), self.message.as_str().into());
        if !self.spans.is_empty() {
            let fields = self.spans.iter();
            let request = fields.map(|(name, value)| (name.clone(), value.as_str().into()));
            line.insert("request".into(), Value::Object(request.collect()));
        }
        let others = self.others.iter();
        line.extend(others.map(|(name, value)| ((*name).to_owned(), value.clone())));
        format!("{}\n", Value::Object(line))
    }

    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        match (field.name(), value.into()) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => {
                self.others.insert(name, value);
            }
        }
    }
}

impl Visit for EventFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}
