//! `config`: every setting with its origin, and the schema of the file.

use crate::args::{ConfigCommand, Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::Ui;
use installation::env_var;
use installation::schema;
use installation::settings::{Need, Origin, Setting, Settings};
use serde_json::{Value, json};

pub fn config(ui: Ui, global: &GlobalArgs, command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Schema => Ok(ui.data(&schema::text())?),
        ConfigCommand::Show { format } => {
            let lines = lines(&global.settings(Need::LedgerOnly)?);
            Ok(ui.data(&match format {
                Format::Text => text_of(&lines),
                Format::Json => super::json_text(
                    &lines.iter().map(|line| json!({ "key": line.key, "value": line.value, "origin": line.origin.to_string() })).collect(),
                ),
            })?)
        }
    }
}

struct Line {
    key: String,
    value: Value,
    origin: Origin,
}

fn lines(settings: &Settings) -> Vec<Line> {
    let line = |key: &str, value: Value, origin: &Origin| Line {
        key: key.into(),
        value,
        origin: origin.clone(),
    };
    let dimensions = settings.dimensions.value.iter().map(|field| field.name()).collect();
    let mut lines = vec![
        line("ledger", settings.ledger.value.display().to_string().into(), &settings.ledger.origin),
        line("rules", settings.rules.value.display().to_string().into(), &settings.rules.origin),
        line("dimensions", dimensions, &settings.dimensions.origin),
        line(
            "unknown_teams",
            settings.unknown_teams.value.name().into(),
            &settings.unknown_teams.origin,
        ),
        line(
            "require_approval",
            settings.require_approval.value.into(),
            &settings.require_approval.origin,
        ),
    ];
    for (rule, origins) in settings.tags.rules.iter().zip(&settings.tag_origins) {
        let key = |name: &str| format!("tags.{}.{name}", rule.name);
        lines.push(line(
            &key("synonyms"),
            rule.synonyms.iter().map(String::as_str).collect(),
            &origins.synonyms,
        ));
        lines.push(line(&key("fold_values"), rule.fold_values.into(), &origins.fold_values));
        lines.push(line(&key("values"), json!(rule.value_synonyms), &origins.values));
    }
    let written = settings.written();
    for source in &settings.sources {
        let key = |name: &str| format!("sources.{}.{name}", source.name);
        lines.push(line(
            &key("plugin"),
            source.plugin.value.as_str().into(),
            &source.plugin.origin,
        ));
        lines.push(line(
            &key("paths"),
            source.paths.value.iter().map(String::as_str).collect(),
            &source.paths.origin,
        ));
        lines.push(line(
            &key("delimiter"),
            char::from(source.delimiter.value).to_string().into(),
            &source.delimiter.origin,
        ));
        lines.push(line(
            &key("grants"),
            source.grants.value.iter().map(String::as_str).collect(),
            &source.grants.origin,
        ));
        lines.push(line(
            &key("accrues_for"),
            source.accrues_for.value.as_deref().into(),
            &source.accrues_for.origin,
        ));
        lines.push(line(
            &key("since"),
            source.since.value.map(|day| day.to_string()).into(),
            &source.since.origin,
        ));
        lines.push(line(
            &key("restate_days"),
            source.restate_days.value.into(),
            &source.restate_days.origin,
        ));
        lines.push(line(
            &key("schedule"),
            source.schedule.value.as_ref().map(ToString::to_string).into(),
            &source.schedule.origin,
        ));
        lines.extend(below(&written, &key("")));
        lines.push(line(&key("config"), source.config.value.clone(), &source.config.origin));
    }
    lines.extend(settings.allocators.iter().map(|(name, path)| {
        line(&format!("allocators.{name}"), path.value.display().to_string().into(), &path.origin)
    }));
    lines.push(line(
        "server.listen",
        settings.listen.value.to_string().into(),
        &settings.listen.origin,
    ));
    let threads = &settings.limits.threads;
    lines.push(line("limits.threads", threads.value.into(), &threads.origin));
    lines.push(line(
        "limits.sources_at_once",
        settings.limits.sources_at_once.value.into(),
        &settings.limits.sources_at_once.origin,
    ));
    let limits = [
        ("limits.plugin_seconds", &settings.limits.plugin_seconds),
        ("limits.plugin_memory_mib", &settings.limits.plugin_memory_mib),
        ("limits.compile_seconds", &settings.limits.compile_seconds),
        ("limits.compile_memory_mib", &settings.limits.compile_memory_mib),
        ("limits.rule_operations", &settings.limits.rule_operations),
    ];
    lines.extend(
        limits.into_iter().map(|(key, limit): (&str, &Setting<u64>)| {
            line(key, limit.value.into(), &limit.origin)
        }),
    );
    let powers = &settings.limits.powers;
    lines.push(line(
        "limits.powers",
        powers.value.iter().map(String::as_str).collect(),
        &powers.origin,
    ));
    lines.extend(below(&written, "trust."));
    if let Some(proxy) = env_var::value(env_var::PROXY) {
        lines.push(line(
            "sources.*.http.proxy",
            proxy.to_string_lossy().into(),
            &Origin::Env(env_var::PROXY),
        ));
    }
    lines
}

/// Of secrets there is where they are kept: they themselves stand in no setting.
fn below<'a>(
    written: &'a [(String, Setting<Value>)],
    above: &'a str,
) -> impl Iterator<Item = Line> + 'a {
    let below = written.iter().filter(move |(key, _)| key.starts_with(above));
    below.map(|(key, setting)| Line {
        key: key.clone(),
        value: setting.value.clone(),
        origin: setting.origin.clone(),
    })
}

fn text_of(lines: &[Line]) -> String {
    let shown: Vec<String> =
        lines.iter().map(|line| format!("{} = {}", line.key, line.value)).collect();
    let width = shown
        .iter()
        .map(|text| text.chars().count())
        .filter(|width| *width <= 60)
        .max()
        .unwrap_or(0);
    shown
        .iter()
        .zip(lines)
        .map(|(text, line)| format!("{text:<width$}  # {}\n", line.origin))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_golden_copy_of_the_schema_is_fresh() {
        crate::golden::check("apportion.schema.json", &installation::schema::text());
    }
}
