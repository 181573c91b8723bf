//! The conformance kit: it tries one plugin on the cases that every plugin must pass, with the
//! network off.
//!
//! A script says which settings are in order and what answers the plugin; the cases are ours. A
//! plugin passes a case if it gives the expected result, or reports one of the contract's errors.
//! It fails a case if a limit stops it, if it crashes, or if charges are missing without a word.

mod allocating;
mod answers;
mod collecting;
mod consistent;
mod fault;
mod script;

pub use answers::Answers;
pub use script::{PoolScript, Script, Spans, TargetScript, UsageScript};

use crate::manifest::PluginKind;
use crate::plugin::Plugin;
use crate::schema;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use reach::cassette::RecordedExchange;
use reach::object_store::LocalFile;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    Passed,
    /// With the reason that the script gives.
    Skipped(String),
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformanceCase {
    pub name: String,
    pub outcome: CaseOutcome,
    /// Measurements: rows, memory, fuel.
    pub seen: String,
}

/// The files that a script names, as read.
#[derive(Clone, Debug, Default)]
pub struct ScriptMaterial {
    pub exchanges: Vec<RecordedExchange>,
    pub tables: Vec<GrantedTable>,
    /// Answers of the powers other than `http`.
    pub answers: Answers,
    /// Files for the power `file`.
    pub files: Vec<LocalFile>,
}

/// The names of the cases of a kind, as a script skips them.
pub fn names(kind: PluginKind) -> &'static [&'static str] {
    match kind {
        PluginKind::Collector => &collecting::NAMES,
        PluginKind::Allocator => &allocating::NAMES,
    }
}

/// Tries all cases. A fault of the script itself is an error.
pub fn try_out(
    plugin: &Plugin,
    script: &Script,
    material: &ScriptMaterial,
) -> Result<Vec<ConformanceCase>, Diagnostic> {
    script.checked(names(plugin.kind()))?;
    let mut cases = CaseList { script, done: Vec::new() };
    cases.add("manifest", || manifest(plugin));
    match plugin.kind() {
        PluginKind::Collector => collecting::try_out(plugin, script, material, &mut cases)?,
        PluginKind::Allocator => allocating::try_out(plugin, script, &mut cases)?,
    }
    Ok(cases.done)
}

/// The cases so far.
struct CaseList<'a> {
    script: &'a Script,
    done: Vec<ConformanceCase>,
}

impl CaseList<'_> {
    /// Tries a case, unless the script skips it. The case returns its measurements, or the reason
    /// why it failed.
    fn add(&mut self, name: &str, case: impl FnOnce() -> Result<String, String>) {
        // `good-config 2` is skipped with `good-config`.
        let skip = self.script.skip.get(name.split(' ').next().unwrap_or(name));
        let (outcome, seen) = match skip {
            Some(reason) => (CaseOutcome::Skipped(reason.clone()), String::new()),
            None => match case() {
                Ok(seen) => (CaseOutcome::Passed, seen),
                Err(reason) => (CaseOutcome::Failed(reason), String::new()),
            },
        };
        self.done.push(ConformanceCase { name: name.to_owned(), outcome, seen });
    }

    /// A case that cannot be tried on this plugin.
    fn leave_out(&mut self, name: &str, reason: &str) {
        self.done.push(ConformanceCase {
            name: name.to_owned(),
            outcome: CaseOutcome::Skipped(reason.to_owned()),
            seen: String::new(),
        });
    }
}

fn manifest(plugin: &Plugin) -> Result<String, String> {
    let manifest = plugin.manifest();
    if manifest.description.trim().is_empty() {
        return Err("it does not say what it is for: fill in `description`".into());
    }
    let schema: Value =
        serde_json::from_str(&manifest.config_schema).map_err(|error| error.to_string())?;
    let unchecked = schema::unchecked(&schema);
    if !unchecked.is_empty() {
        return Err(format!(
            "its config schema uses keywords that the host does not check: {}",
            unchecked.join(", ")
        ));
    }
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(
            "its config schema lets misspelled settings pass: add \"additionalProperties\": false"
                .into(),
        );
    }
    Ok(format!("{} {}", manifest.name, manifest.version))
}

/// The faults of settings by the plugin's schema, in one line.
fn schema_faults(plugin: &Plugin, config: &Value) -> Option<String> {
    let schema: Value =
        serde_json::from_str(&plugin.manifest().config_schema).unwrap_or(Value::Null);
    let faults = schema::faults(&schema, config);
    let words: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
    (!words.is_empty()).then(|| words.join("; "))
}
