//! `plugin`: lists, makes, tests, installs and inspects plugins.

mod cassette;
mod component;
mod conformance;
mod install;
mod project;
mod scaffold;

use crate::args::{Format, GlobalArgs};
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, document_text, json_text};
use bundled_plugins::PLUGINS;
use install::{CompatArgs, InstallArgs};
use installation::ledger_file;
use installation::plugins;
use installation::settings::{Need, Settings};
use pipeline::plugin_cost::{TotalCost, TotalCostDocument, totals};
use plugin_host::Plugin;
use plugin_host::trust::PluginLock;
use scaffold::NewPluginArgs;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(clap::Subcommand, Debug)]
pub enum PluginCommand {
    /// List the bundled plugins and those the settings name
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show what plugins have cost: time, memory, rows, calls, by source
    Stats {
        /// How the figures are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write a plugin's project, which builds and passes its tests at once
    New(NewPluginArgs),
    /// Make the component of a plugin's project
    Build {
        /// The project's folder
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
    /// Try a plugin on the conformance kit, with the network off
    Test {
        /// The project's folder, or a .wasm file with conformance.toml beside it
        #[arg(value_name = "DIR_OR_PATH", default_value = ".")]
        target: PathBuf,
        /// How the report is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Collect once more what `run --record` recorded, with the network off
    Replay {
        /// The recording
        #[arg(value_name = "CASSETTE")]
        cassette: PathBuf,
        /// Another plugin than that of the recording: a bundled one's name, or a path
        #[arg(long, value_name = "NAME_OR_PATH")]
        plugin: Option<String>,
        /// How the outcome is printed; json has all charges
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Install a plugin: a .wasm file, an https address, or oci://REGISTRY/NAME@sha256:DIGEST
    Install(InstallArgs),
    /// Compare the installed plugins with plugins.lock; silent when all is well
    Verify,
    /// Tell what a new version of a plugin would break
    Compat(CompatArgs),
    /// Show everything about a plugin before anything runs
    Inspect {
        /// A bundled plugin's name, or the path of a .wasm file
        #[arg(value_name = "NAME_OR_PATH")]
        plugin: String,
        /// How the facts are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

pub fn plugin(ui: Ui, global: &GlobalArgs, command: &PluginCommand) -> Result<(), Failure> {
    match command {
        PluginCommand::List { format } => list(ui, global, *format),
        PluginCommand::Stats { format } => stats(ui, global, *format),
        PluginCommand::New(new) => scaffold::new(ui, new),
        PluginCommand::Build { dir } => Ok(component::build(ui, dir)?),
        PluginCommand::Test { target, format } => conformance::test(ui, target, *format),
        PluginCommand::Replay { cassette, plugin, format } => {
            cassette::replay(ui, cassette, plugin.as_deref(), *format)
        }
        PluginCommand::Inspect { plugin, format } => inspect(ui, global, plugin, *format),
        PluginCommand::Install(args) => install::install(ui, global, args),
        PluginCommand::Verify => install::verify(ui, global),
        PluginCommand::Compat(args) => install::compat(ui, args),
    }
}

/// A plugin and how it came here: bundled, or the path that the settings give.
struct ListedPlugin {
    plugin: Arc<Plugin>,
    origin: String,
}

fn list(ui: Ui, global: &GlobalArgs, format: Format) -> Result<(), Failure> {
    let settings = settings_if_any(global)?;
    let host = plugins::host(settings.as_ref())?;
    let mut listed = Vec::new();
    for (name, bytes) in PLUGINS {
        listed.push(ListedPlugin { plugin: host.own(name, bytes)?, origin: "bundled".into() });
    }
    let mut paths: Vec<(&str, PathBuf)> = Vec::new();
    for (settings, source) in settings
        .iter()
        .flat_map(|settings| settings.sources().map(move |source| (settings, source)))
    {
        let known = paths.iter().any(|(plugin, _)| *plugin == source.plugin.value);
        if plugins::is_path(&source.plugin.value) && !known {
            paths.push((&source.plugin.value, settings.path(&source.plugin.value)));
        }
    }
    let root = settings.as_ref().map_or(Path::new("."), |settings| &settings.root);
    let lock = PluginLock::read(root)?;
    let installed = lock
        .plugins()
        .iter()
        .map(|locked| (locked.name.as_str(), format!("installed from {}", locked.source)));
    let paths = paths.into_iter().map(|(name, path)| (name, path.display().to_string()));
    for (name, origin) in installed.chain(paths) {
        match plugins::plugin(&host, name, root) {
            Ok(plugin) => listed.push(ListedPlugin { plugin, origin }),
            Err(finding) => ui.warning(&finding),
        }
    }
    Ok(ui.data(&match format {
        Format::Json => {
            json_text(&listed.iter().map(|listed| facts(&listed.plugin, &listed.origin)).collect())
        }
        Format::Text => text_of(ui, &listed),
    })?)
}

fn stats(ui: Ui, global: &GlobalArgs, format: Format) -> Result<(), Failure> {
    let settings = global.settings(Need::LedgerOnly)?;
    let totals = totals(&ledger_file::reader(&settings)?.plugin_costs()?);
    Ok(ui.data(&match format {
        Format::Json => {
            document_text(&totals.iter().map(TotalCostDocument::from).collect::<Vec<_>>())
        }
        Format::Text => stats_text(ui, &totals),
    })?)
}

fn stats_text(ui: Ui, totals: &[TotalCost]) -> String {
    let names = ["plugin", "source"].map(|name| (name.to_owned(), Align::Left));
    let figures = [
        "runs", "starts", "seconds", "waited", "MiB", "rows", "bytes", "calls", "requests",
        "denials", "fuel",
    ];
    let mut table =
        Table::new(names.into_iter().chain(figures.map(|name| (name.to_owned(), Align::Right))));
    for TotalCost { source, plugin, runs, cost } in totals {
        let seconds = |us: u64| format!("{}.{:03}", us / 1_000_000, us / 1000 % 1000);
        let mut row = vec![
            plugin.name.clone(),
            source.clone().unwrap_or_default(),
            runs.to_string(),
            cost.starts.to_string(),
        ];
        row.extend([
            seconds(cost.wall_us),
            seconds(cost.waited_us),
            cost.memory_bytes.div_ceil(1 << 20).to_string(),
        ]);
        row.extend(
            [cost.rows, cost.bytes, cost.host_calls, cost.requests, cost.denials, cost.fuel]
                .map(|figure| figure.to_string()),
        );
        table.row(row);
    }
    let (header, body) = table.parts();
    format!("{}\n{body}\n", ui.bold(&header))
}

/// Bundled plugins are listed also where there is no settings file.
fn settings_if_any(global: &GlobalArgs) -> Result<Option<Settings>, Failure> {
    match global.settings(Need::File) {
        Ok(settings) => Ok(Some(settings)),
        Err(findings)
            if global.config.is_none()
                && findings
                    .iter()
                    .all(|finding| finding.code == installation::code::CONFIG_UNREADABLE) =>
        {
            Ok(None)
        }
        Err(findings) => Err(findings.into()),
    }
}

fn text_of(ui: Ui, listed: &[ListedPlugin]) -> String {
    let columns = ["plugin", "version", "kind", "powers", "from", "digest"];
    let mut table = Table::new(columns.map(|name| (name.to_owned(), Align::Left)));
    for ListedPlugin { plugin, origin } in listed {
        let identity = plugin.identity();
        table.row(vec![
            identity.name.clone(),
            identity.version.clone(),
            plugin.kind().name().into(),
            powers(plugin).join(", "),
            origin.clone(),
            identity.digest.clone(),
        ]);
    }
    let (header, body) = table.parts();
    format!("{}\n{body}\n", ui.bold(&header))
}

fn powers(plugin: &Plugin) -> Vec<&'static str> {
    plugin.manifest().powers.iter().map(|request| request.power.name()).collect()
}

fn inspect(ui: Ui, global: &GlobalArgs, name: &str, format: Format) -> Result<(), Failure> {
    let settings = settings_if_any(global)?;
    let host = plugins::host(settings.as_ref())?;
    // A path on the command line starts where the user stands, a name is looked up beside the
    // settings.
    let root = if plugins::is_path(name) {
        Path::new(".")
    } else {
        settings.as_ref().map_or(Path::new("."), |settings| &settings.root)
    };
    let plugin = plugins::plugin(&host, name, root)?;
    let is_bundled = PLUGINS.iter().any(|(bundled, _)| *bundled == name);
    let origin = if is_bundled {
        "bundled"
    } else if plugins::is_path(name) {
        name
    } else {
        "installed"
    };
    Ok(ui.data(&match format {
        Format::Json => json_text(&facts(&plugin, origin)),
        Format::Text => inspected(&plugin, origin),
    })?)
}

fn inspected(plugin: &Plugin, origin: &str) -> String {
    let (identity, manifest) = (plugin.identity(), plugin.manifest());
    let mut lines = vec![
        format!("{} {} ({}, {origin})", identity.name, identity.version, plugin.kind().name()),
        manifest.description.clone(),
        format!("sha-256: {}", identity.digest),
    ];
    lines.push(format!("world: {}", plugin.world()));
    let asks = |optional: bool| if optional { "can use" } else { "asks for" };
    lines.extend(manifest.powers.iter().map(|request| {
        format!("{} {}: {}", asks(request.optional), request.power.name(), request.reason)
    }));
    lines.extend(plugin.imports().iter().map(|import| format!("imports {import}")));
    lines.extend(
        manifest
            .streams
            .iter()
            .map(|stream| format!("yields {}: {}", stream.name, stream.description)),
    );
    lines.extend(manifest.restatement_days.map(|days| format!("may restate {days} days back")));
    lines.push("settings (JSON schema):".into());
    let schema = serde_json::from_str::<Value>(&manifest.config_schema)
        .unwrap_or_else(|_| manifest.config_schema.as_str().into());
    lines.push(format!("{schema:#}\n"));
    lines.join("\n")
}

fn facts(plugin: &Plugin, origin: &str) -> Value {
    let (identity, manifest) = (plugin.identity(), plugin.manifest());
    let schema = serde_json::from_str::<Value>(&manifest.config_schema).unwrap_or(Value::Null);
    json!({
        "name": identity.name,
        "version": identity.version,
        "digest": identity.digest,
        "kind": plugin.kind().name(),
        "world": plugin.world(),
        "from": origin,
        "description": manifest.description,
        "powers": manifest.powers.iter().map(|request| json!({
            "power": request.power.name(),
            "reason": request.reason,
            "optional": request.optional,
        })).collect::<Vec<_>>(),
        "imports": plugin.imports(),
        "streams": manifest.streams.iter().map(|stream| json!({
            "name": stream.name,
            "description": stream.description,
        })).collect::<Vec<_>>(),
        "restatement_days": manifest.restatement_days,
        "config_schema": schema,
    })
}
