//! Powers: those that a plugin asks for, a source grants and the deployment allows. A power that
//! is not granted is not linked.

use crate::manifest::Manifest;
use crate::power::Power;
use crate::printable::printable;
use domain::code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use reach::toml_table;
use std::collections::BTreeSet;

/// The powers that one source grants to its plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    source: String,
    powers: BTreeSet<Power>,
    ceiling: Ceiling,
}

/// The powers that this deployment lets its sources grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    powers: BTreeSet<Power>,
    /// The place of the setting, for messages.
    place: CeilingPlace,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CeilingPlace {
    /// In the settings file, at that line.
    File(String),
    /// In an environment variable of this name.
    Variable(String),
}

impl Default for Ceiling {
    /// All powers.
    fn default() -> Ceiling {
        Ceiling { powers: Power::ALL.into(), place: CeilingPlace::File("default".into()) }
    }
}

impl Ceiling {
    /// A name that is no power allows nothing. The settings refuse such names before.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, place: CeilingPlace) -> Ceiling {
        Ceiling { powers: names.into_iter().filter_map(Power::by_name).collect(), place }
    }

    fn shown_place(&self) -> &str {
        match &self.place {
            CeilingPlace::File(line) => line,
            CeilingPlace::Variable(name) => name,
        }
    }

    /// The setting with the powers that are allowed already and those that are asked for.
    fn line_that_allows(&self, asked: &BTreeSet<Power>) -> String {
        let powers: Vec<&str> = self.powers.union(asked).map(|power| power.name()).collect();
        match &self.place {
            CeilingPlace::File(_) => format!("[limits]\npowers = [\"{}\"]", powers.join("\", \"")),
            CeilingPlace::Variable(name) => format!("export {name}={}", powers.join(",")),
        }
    }
}

impl Grants {
    /// Refuses the name of a power that does not exist.
    pub fn new<'a>(
        source: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Grants, Diagnostic> {
        let mut powers = BTreeSet::new();
        for name in names {
            let Some(power) = Power::by_name(name) else {
                let known = Power::ALL.map(Power::name);
                let hint = match did_you_mean(name, known) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                let message =
                    format!("source '{source}' grants '{name}', and there is no such power");
                return Err(Diagnostic::new(code::CONFIG_VALUE, message).hint(hint));
            };
            powers.insert(power);
        }
        Ok(Grants { source: source.into(), powers, ceiling: Ceiling::default() })
    }

    /// Leaves only those powers that the deployment allows.
    pub fn under(self, ceiling: Ceiling) -> Grants {
        Grants { ceiling, ..self }
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn has(&self, power: Power) -> bool {
        self.powers.contains(&power) && self.ceiling.powers.contains(&power)
    }

    /// Refuses a manifest that asks for more than is granted, with the lines that would grant it.
    pub fn cover(&self, manifest: &Manifest, plugin: &str) -> Result<(), Diagnostic> {
        let Some(request) =
            manifest.powers.iter().find(|request| !request.optional && !self.has(request.power))
        else {
            return Ok(());
        };
        let asked: BTreeSet<Power> = manifest
            .powers
            .iter()
            .filter(|request| !request.optional)
            .map(|request| request.power)
            .collect();
        let reason = printable(&request.reason);
        Err(self.refusal(
            request.power,
            &asked,
            &format!("{plugin} asks for the power '{}' ({reason})", request.power.name()),
        ))
    }

    /// Refuses work of the host itself, unless its power is granted. `wish` names the work.
    pub fn expect(&self, power: Power, wish: &str) -> Result<(), Diagnostic> {
        let asked = BTreeSet::from([power]);
        if self.has(power) {
            Ok(())
        } else {
            Err(self.refusal(power, &asked, &format!("{wish} needs the power '{}'", power.name())))
        }
    }

    fn refusal(&self, power: Power, asked: &BTreeSet<Power>, wish: &str) -> Diagnostic {
        let (granted, allowed) =
            (self.powers.contains(&power), self.ceiling.powers.contains(&power));
        let place = self.ceiling.shown_place();
        let lack = match (granted, allowed) {
            (false, false) => format!(
                "source '{}' does not grant, and the deployment does not allow ({place})",
                self.source
            ),
            (false, true) => format!("source '{}' does not grant", self.source),
            (true, _) => format!(
                "source '{}' grants, but the deployment does not allow ({place})",
                self.source
            ),
        };
        let mut lines = Vec::new();
        if !granted {
            lines.push(self.lines_that_grant(asked));
        }
        if !allowed {
            lines.push(self.ceiling.line_that_allows(asked));
        }
        let mend = Hint::setting(lines.join(
            "
",
        ));
        Diagnostic::new(code::PLUGIN_DENIED, format!("{wish}, which {lack}")).hint(mend)
    }

    /// The setting with the powers that are granted already and those that are asked for.
    fn lines_that_grant(&self, asked: &BTreeSet<Power>) -> String {
        let names: Vec<String> =
            self.powers.union(asked).map(|power| format!("\"{}\"", power.name())).collect();
        let section = toml_table::header(&["sources", &self.source]);
        format!("{section}\ngrants = [{}]", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{PluginKind, PowerRequest};

    #[test]
    fn unknown_powers_are_refused() {
        let refusal = |name: &str| {
            Grants::new("aws", [name])
                .map_err(|diagnostic| (diagnostic.code, diagnostic.hint_text().unwrap_or_default()))
        };
        assert_eq!(
            refusal("table-decod"),
            Err((code::CONFIG_VALUE, "did you mean `table-decode`?".into()))
        );
        assert_eq!(
            refusal("everything"),
            Err((
                code::CONFIG_VALUE,
                format!("there are: {}", Power::ALL.map(Power::name).join(", "))
            ))
        );
    }

    #[test]
    fn a_refusal_prints_the_lines_to_add() {
        let manifest = Manifest {
            name: "p".into(),
            version: "1".into(),
            description: String::new(),
            kind: PluginKind::Collector,
            powers: vec![PowerRequest {
                power: Power::TableDecode,
                reason: "to read headers".into(),
                optional: false,
            }],
            config_schema: "{}".into(),
            streams: Vec::new(),
            restatement_days: None,
        };
        let cover = |source: &str, names: &[&str]| {
            Grants::new(source, names.iter().copied())
                .and_then(|grants| grants.cover(&manifest, "plugin p"))
        };
        assert_eq!(cover("aws", &["table-decode"]), Ok(()));
        let refusal = cover("aws", &[]).err();
        let expect = Diagnostic::new(
            code::PLUGIN_DENIED,
            "plugin p asks for the power 'table-decode' (to read headers), which source \
                 'aws' does not grant",
        )
        .hint(Hint::setting("[sources.aws]\ngrants = [\"table-decode\"]"));
        assert_eq!(refusal, Some(expect));
        let hint = cover("my bill", &[]).err().and_then(|diagnostic| diagnostic.hint_text());
        assert_eq!(hint.as_deref(), Some("[sources.\"my bill\"]\ngrants = [\"table-decode\"]"));
        let under = |granted: &[&str], place: CeilingPlace| {
            let grants = Grants::new("aws", granted.iter().copied())
                .unwrap()
                .under(Ceiling::new(["http"], place));
            assert!(!grants.has(Power::TableDecode));
            let refusal = grants.cover(&manifest, "plugin p").unwrap_err();
            (refusal.message.clone(), refusal.hint_text().unwrap_or_default())
        };
        let (message, hint) =
            under(&["table-decode"], CeilingPlace::File("apportion.toml:9".into()));
        assert!(
            message.ends_with(
                "which source 'aws' grants, but the deployment does not allow (apportion.toml:9)"
            ),
            "{message}"
        );
        assert_eq!(hint, "[limits]\npowers = [\"table-decode\", \"http\"]");
        let (message, hint) = under(&[], CeilingPlace::Variable("POWERS".into()));
        assert!(
            message.ends_with(
                "which source 'aws' does not grant, and the deployment does not allow (POWERS)"
            ),
            "{message}"
        );
        assert_eq!(
            hint,
            "[sources.aws]\ngrants = [\"table-decode\"]\nexport POWERS=table-decode,http"
        );
    }
}
