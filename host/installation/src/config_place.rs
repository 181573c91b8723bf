//! Where a setting of a plugin stands in `apportion.toml`, and the check of all of them by the
//! plugin's schema.

use crate::reading::Reading;
use crate::settings::setting::Origin;
use crate::settings::source::SourceSettings;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use plugin_host::{Plugin, schema};
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Refuses a config that the plugin's schema does not allow, before the plugin runs. `text` is the
/// settings file.
pub fn check(text: &str, source: &SourceSettings, plugin: &Plugin) -> Result<(), Diagnostic> {
    let Ok(schema) = serde_json::from_str::<Value>(&plugin.manifest().config_schema) else {
        return Ok(());
    };
    let Some(fault) = schema::faults(&schema, &source.config.value.0).into_iter().next() else {
        return Ok(());
    };
    let message = format!(
        "{} (config of source '{}', by the schema of {})",
        fault.message,
        source.name,
        plugin.identity().name
    );
    let finding = match &source.config.origin {
        Origin::File { file, line } => {
            place((file, text), *line, &source.name, &fault.path, &message)
        }
        _ => Diagnostic::new(code::PLUGIN_CONFIG, message),
    };
    Err(match fault.hint {
        Some(hint) => finding.hint(hint),
        None => finding.hint(
            Hint::command(format!("plugin inspect {}", source.plugin.value))
                .then(" shows what can stand there"),
        ),
    })
}

/// A finding at the setting itself, or at the nearest thing around it that is written.
fn place(
    (file, text): (&str, &str),
    line: u32,
    source: &str,
    path: &[String],
    message: &str,
) -> Diagnostic {
    let span = DeTable::parse(text).ok().and_then(|root| span(root.get_ref(), source, path));
    match span {
        Some(span) => Reading::new(file, text).finding(code::PLUGIN_CONFIG, &span, message),
        None => Diagnostic::new(code::PLUGIN_CONFIG, message).at(file, line, 0),
    }
}

fn span(root: &DeTable<'_>, source: &str, path: &[String]) -> Option<Range<usize>> {
    let source =
        member(root, "sources")?.1.as_table().and_then(|sources| member(sources, source))?.1;
    let (mut found, mut value) = source.as_table().and_then(|source| member(source, "config"))?;
    for step in path {
        let next = match value {
            DeValue::Table(table) => member(table, step),
            DeValue::Array(array) => step
                .parse::<usize>()
                .ok()
                .and_then(|at| array.get(at))
                .map(|element| (element.span(), element.get_ref())),
            _ => None,
        };
        let Some((inner, inside)) = next else { break };
        (found, value) = (inner, inside);
    }
    Some(found)
}

fn member<'a, 'de>(
    table: &'a DeTable<'de>,
    name: &str,
) -> Option<(Range<usize>, &'a DeValue<'de>)> {
    table
        .iter()
        .find(|(key, _)| key.get_ref() == name)
        .map(|(key, value)| (key.span(), value.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_its_place_or_that_of_what_is_around_it() {
        let text = "[sources.a]\nplugin = 'p'\n\n[sources.a.config]\nurl = 'x'\nskips = [{ column \
            = 1 }, { colum = 2 }]\n";
        let at = |path: &[&str]| {
            let root = DeTable::parse(text).expect("TOML");
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            span(root.get_ref(), "a", &path).map(|span| text[span].to_owned())
        };
        assert_eq!(at(&["url"]).as_deref(), Some("url"));
        assert_eq!(at(&["skips", "1", "colum"]).as_deref(), Some("colum"));
        assert_eq!(at(&["skips", "1", "column"]).as_deref(), Some("{ colum = 2 }"));
        assert_eq!(at(&["missing"]).as_deref(), Some("config"));
    }
}
