//! The description that a plugin gives of itself, after it has been checked.

use crate::power::Power;
use crate::printable::printable;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginKind {
    Collector,
    Allocator,
}

impl PluginKind {
    pub fn name(self) -> &'static str {
        match self {
            PluginKind::Collector => "collector",
            PluginKind::Allocator => "allocator",
        }
    }

    /// As in "it is an allocator".
    pub fn with_article(self) -> &'static str {
        match self {
            PluginKind::Collector => "a collector",
            PluginKind::Allocator => "an allocator",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerRequest {
    pub power: Power,
    /// The reason, in words for the operator.
    pub reason: String,
    /// Whether the plugin works without the power.
    pub optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestStream {
    pub name: String,
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub description: String,
    pub kind: PluginKind,
    pub powers: Vec<PowerRequest>,
    /// JSON.
    pub config_schema: String,
    pub streams: Vec<ManifestStream>,
    pub restatement_days: Option<u32>,
}

impl Manifest {
    /// The first fault, if there is one.
    pub fn fault(&self) -> Option<String> {
        let name_is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let version_is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(name_is_plain) {
            return Some(format!(
                "its name '{}' is not made of lower case letters, digits and hyphens",
                printable(&self.name)
            ));
        }
        if self.version.is_empty()
            || self.version.len() > 32
            || !self.version.chars().all(version_is_plain)
        {
            return Some(format!(
                "its version '{}' is not one such as 1.2.0",
                printable(&self.version)
            ));
        }
        if !serde_json::from_str::<serde_json::Value>(&self.config_schema)
            .is_ok_and(|schema| schema.is_object())
        {
            return Some("its config schema is not a JSON object".into());
        }
        let schema = serde_json::from_str(&self.config_schema).unwrap_or_default();
        if let Some(name) = crate::schema::secrets_in(&schema).first() {
            return Some(format!(
                "its setting '{}' would hold a secret; let the plugin use a secret slot \
                     of the power http, or mark a setting that names a slot with \"{}\": true",
                printable(name),
                crate::schema::SLOT
            ));
        }
        if let Some(to) = crate::schema::broken_reference(&schema) {
            return Some(format!(
                "its config schema refers to '{}', which is not a part of it",
                printable(&to)
            ));
        }
        if let Some(request) = self.powers.iter().find(|request| request.reason.trim().is_empty()) {
            return Some(format!(
                "it does not say why it asks for the power '{}'",
                request.power.name()
            ));
        }
        None
    }

    pub fn asks_for(&self, power: Power) -> bool {
        self.powers.iter().any(|request| request.power == power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            name: "focus-file".into(),
            version: "1.2.0-rc.1".into(),
            description: String::new(),
            kind: PluginKind::Collector,
            powers: vec![PowerRequest {
                power: Power::TableDecode,
                reason: "to read".into(),
                optional: false,
            }],
            config_schema: "{}".into(),
            streams: Vec::new(),
            restatement_days: None,
        }
    }

    #[test]
    fn a_plain_manifest_is_believed() {
        assert_eq!(manifest().fault(), None);
    }

    #[test]
    fn names_and_reasons_have_to_be_readable() {
        let fault = |change: fn(&mut Manifest)| {
            let mut manifest = manifest();
            change(&mut manifest);
            manifest.fault().unwrap_or_default()
        };
        assert_eq!(
            fault(|m| m.name = "../x".into()),
            "its name '../x' is not made of lower case letters, digits and hyphens"
        );
        assert_eq!(
            fault(|m| m.version = "1.0\n".into()),
            "its version '1.0\u{FFFD}' is not one such as 1.2.0"
        );
        assert_eq!(
            fault(|m| m.config_schema = "[]".into()),
            "its config schema is not a JSON object"
        );
        let secret = fault(|m| {
            m.config_schema = r#"{"properties": {"api_key": {"type": "string"}}}"#.into()
        });
        assert!(
            secret.starts_with(
                "its setting 'api_key' would hold a secret; let the plugin use a secret slot"
            ),
            "{secret}"
        );
        assert_eq!(
            fault(|m| m.config_schema = r#"{"$ref": "https://example.com/x"}"#.into()),
            "its config schema refers to 'https://example.com/x', which is not a part of it"
        );
        assert_eq!(
            fault(|m| m.powers[0].reason = " ".into()),
            "it does not say why it asks for the power 'table-decode'"
        );
    }
}
