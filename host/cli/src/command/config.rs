//! `config`: every setting with its origin, and the schema of the file.

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use installation::env_var;
use installation::schema;
use installation::settings::setting::Origin;
use installation::settings::{Need, SettingLine, Settings};
use reach::http::masked_url;
use serde_json::json;

#[derive(clap::Subcommand, Debug)]
pub enum ConfigCommand {
    /// Show every setting with its origin
    Show {
        /// How the settings are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the JSON schema of the settings file, for editors
    Schema,
}

pub fn config(ui: Ui, global: &GlobalArgs, command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Schema => Ok(ui.data(&schema::text())?),
        ConfigCommand::Show { format } => {
            let lines = lines(&global.settings(Need::LedgerOnly)?);
            Ok(ui.data(&match format {
                Format::Text => text_of(&lines),
                Format::Json => json_text(
                    &lines
                        .iter()
                        .map(|line| {
                            json!({
                                "key": line.key,
                                "value": line.value,
                                "origin": line.origin.to_string(),
                            })
                        })
                        .collect(),
                ),
            })?)
        }
    }
}

/// Settings with a value. One without a value has no line in TOML either.
fn text_of(lines: &[SettingLine]) -> String {
    let lines: Vec<&SettingLine> = lines.iter().filter(|line| !line.value.is_null()).collect();
    let shown: Vec<String> =
        lines.iter().map(|line| format!("{} = {}", line.key, line.value)).collect();
    let widths = shown.iter().map(|text| text.chars().count());
    let width = widths.filter(|width| *width <= 60).max().unwrap_or(0);
    shown
        .iter()
        .zip(lines)
        .map(|(text, line)| format!("{text:<width$}  # {}\n", line.origin))
        .collect()
}

/// Every setting; the proxy of the environment stands for that of all sources.
fn lines(settings: &Settings) -> Vec<SettingLine> {
    let proxy = env_var::value(env_var::PROXY).map(|proxy| SettingLine {
        key: "sources.*.http.proxy".into(),
        value: masked_url(&proxy.to_string_lossy()).into(),
        origin: Origin::Env(env_var::PROXY),
    });
    settings.lines().into_iter().chain(proxy).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_golden_copy_of_the_schema_is_fresh() {
        crate::golden::check("apportion.schema.json", &installation::schema::text());
    }
}
