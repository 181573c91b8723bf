//! The differences between two versions of a plugin, as far as its users notice them.

use crate::manifest::Manifest;
use crate::plugin::Plugin;
use serde_json::{Map, Value};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginChange {
    /// Whether something stops working, or an operator must agree to it.
    pub breaking: bool,
    pub message: String,
}

/// All differences, breaking ones first.
pub fn compare(old: &Plugin, new: &Plugin) -> Vec<PluginChange> {
    let mut changes = ChangeList::default();
    if old.kind() != new.kind() {
        changes.breaking(format!(
            "it was {} and is {}",
            old.kind().with_article(),
            new.kind().with_article()
        ));
    }
    changes.manifests(old.manifest(), new.manifest());
    changes.0.sort_by_key(|change| !change.breaking);
    changes.0
}

#[derive(Default)]
struct ChangeList(Vec<PluginChange>);

impl ChangeList {
    fn breaking(&mut self, message: String) {
        self.0.push(PluginChange { breaking: true, message });
    }

    fn harmless(&mut self, message: String) {
        self.0.push(PluginChange { breaking: false, message });
    }

    fn manifests(&mut self, old: &Manifest, new: &Manifest) {
        if old.name != new.name {
            self.breaking(format!("its name was '{}' and is '{}'", old.name, new.name));
        }
        if old.version == new.version {
            self.breaking(format!("both say that they are version {}", new.version));
        }
        for request in &new.powers {
            match old.powers.iter().find(|known| known.power == request.power) {
                None if request.optional => self.harmless(format!(
                    "it can use the power '{}': {}",
                    request.power.name(),
                    request.reason
                )),
                None => self.breaking(format!(
                    "it asks for the power '{}': {}",
                    request.power.name(),
                    request.reason
                )),
                Some(known) if known.optional && !request.optional => {
                    self.breaking(format!(
                        "it can no longer do without the power '{}': {}",
                        request.power.name(),
                        request.reason
                    ));
                }
                Some(_) => {}
            }
        }
        for request in old.powers.iter().filter(|request| !new.asks_for(request.power)) {
            self.harmless(format!(
                "it does not ask for the power '{}' any more",
                request.power.name()
            ));
        }
        for stream in &old.streams {
            if !new.streams.iter().any(|known| known.name == stream.name) {
                self.breaking(format!("it does not yield '{}' any more", stream.name));
            }
        }
        let parsed = |manifest: &Manifest| {
            serde_json::from_str(&manifest.config_schema).unwrap_or(Value::Null)
        };
        self.schemas("", &parsed(old), &parsed(new));
    }

    /// Settings that were good have to stay good.
    fn schemas(&mut self, at: &str, old: &Value, new: &Value) {
        let name = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        if let (Some(before), Some(after)) = (old.get("type"), new.get("type"))
            && before != after
        {
            self.breaking(format!("the setting '{at}' was {before} and is {after}"));
        }
        if let (Some(before), Some(after)) = (old["enum"].as_array(), new["enum"].as_array()) {
            for value in before.iter().filter(|value| !after.contains(value)) {
                self.breaking(format!("the setting '{at}' cannot be {value} any more"));
            }
        }
        let empty = Map::new();
        let of = |schema: &Value| schema["properties"].as_object().unwrap_or(&empty).clone();
        let (before, after) = (of(old), of(new));
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            self.breaking(format!("the setting '{}' is gone", name(key)));
        }
        for required in new["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let was_required = old["required"]
                .as_array()
                .is_some_and(|known| known.iter().any(|known| known == required));
            if !was_required {
                self.breaking(format!("the setting '{}' has to be there", name(required)));
            }
        }
        for (key, schema) in &after {
            match before.get(key) {
                None => self.harmless(format!("there is a setting '{}'", name(key))),
                Some(known) => self.schemas(&name(key), known, schema),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{ManifestStream, PluginKind, PowerRequest};
    use crate::power::Power;

    fn manifest(version: &str, schema: &str) -> Manifest {
        Manifest {
            name: "acme".into(),
            version: version.into(),
            description: String::new(),
            kind: PluginKind::Collector,
            powers: vec![PowerRequest {
                power: Power::File,
                reason: "to read".into(),
                optional: true,
            }],
            config_schema: schema.into(),
            streams: vec![ManifestStream { name: "charges".into(), description: String::new() }],
            restatement_days: None,
        }
    }

    fn changes(old: &Manifest, new: &Manifest) -> Vec<(bool, String)> {
        let mut changes = ChangeList::default();
        changes.manifests(old, new);
        changes.0.into_iter().map(|change| (change.breaking, change.message)).collect()
    }

    #[test]
    fn a_version_that_only_adds_breaks_nothing() {
        let old =
            manifest("1.0.0", r#"{"properties":{"url":{"type":"string"}},"required":["url"]}"#);
        let new = manifest(
            "1.1.0",
            r#"{"properties":{"url":{"type":"string"},"pages":{"type":"integer"}},"required":["url"]}"#,
        );
        assert_eq!(changes(&old, &new), [(false, "there is a setting 'pages'".to_owned())]);
    }

    #[test]
    fn what_stops_to_work_is_named() {
        let old = manifest(
            "1.0.0",
            r#"{"properties":{"url":{"type":"string"},"mode":{"enum":["a","b"]},"auth":{"properties":{"user":{}}}}}"#,
        );
        let mut new = manifest(
            "2.0.0",
            r#"{"properties":{"url":{"type":"array"},"mode":{"enum":["a"]},"auth":{"properties":{}}},"required":["url"]}"#,
        );
        new.powers = vec![
            PowerRequest { power: Power::File, reason: "to read".into(), optional: false },
            PowerRequest { power: Power::Http, reason: "to ask".into(), optional: false },
        ];
        new.streams.clear();
        let expect = [
            "it can no longer do without the power 'file': to read",
            "it asks for the power 'http': to ask",
            "it does not yield 'charges' any more",
            "the setting 'url' has to be there",
            "the setting 'auth.user' is gone",
            "the setting 'mode' cannot be \"b\" any more",
            "the setting 'url' was \"string\" and is \"array\"",
        ];
        assert_eq!(changes(&old, &new), expect.map(|message| (true, message.to_owned())));
    }
}
