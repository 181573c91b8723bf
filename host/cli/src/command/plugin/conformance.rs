//! `plugin test`: the conformance kit, and its report.

use super::project::Project;
use crate::args::Format;
use crate::code;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::GrantedTable;
use domain::text_form::TextForm;
use installation::amount_text::counted;
use installation::plugins;
use installation::recording;
use plugin_host::conformance::{self, CaseOutcome, ConformanceCase, Script, ScriptMaterial};
use reach::object_store::LocalFile;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const SCRIPT: &str = "conformance.toml";

pub fn test(ui: Ui, target: &Path, format: Format) -> Result<(), Failure> {
    let (component, folder) = target_of(target)?;
    let bytes = fs::read(&component).map_err(|error| {
        Diagnostic::new(
            domain::code::PLUGIN_NOT_FOUND,
            format!("the plugin {} cannot be read: {error}", component.display()),
        )
        .hint(Hint::command(format!("plugin build {}", folder.display())))
    })?;
    let scripts = scripts(&folder)?;
    let plugin = plugins::host(None)?.counting(&component.display().to_string(), &bytes)?;
    let mut cases = Vec::new();
    for NamedScript { name, script } in &scripts {
        let tried = conformance::try_out(&plugin, script, &material(&folder, script)?)?;
        cases.extend(tried.into_iter().map(|case| ConformanceCase {
            name: name.as_ref().map_or(case.name.clone(), |name| format!("{name}: {}", case.name)),
            ..case
        }));
    }
    let failed =
        cases.iter().filter(|case| matches!(case.outcome, CaseOutcome::Failed(_))).count() as u64;
    ui.data(&match format {
        Format::Text => text(ui, &cases),
        Format::Json => json_text(&report(&plugin, &cases)),
    })?;
    if failed == 0 {
        return Ok(());
    }
    let message = format!(
        "{} does not pass {} of its conformance kit",
        plugin.identity().name,
        counted(failed, "case", "cases")
    );
    Err(Diagnostic::new(code::PLUGIN_CASES, message)
        .hint(format!(
            "mend the plugin, or say in {} why a case makes no sense for it: [skip]",
            folder.join(SCRIPT).display()
        ))
        .into())
}

/// The component, and the folder with its script.
fn target_of(target: &Path) -> Result<(PathBuf, PathBuf), Diagnostic> {
    if target.extension().is_some_and(|extension| extension == "wasm") {
        let folder = target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        return Ok((target.to_path_buf(), folder.to_path_buf()));
    }
    let project = Project::open(target)?;
    Ok((project.component(), project.dir))
}

/// A script of a folder. The first is `conformance.toml`; a plugin that works in several ways has
/// one for each other way, such as
/// `conformance-files.toml`, and its cases are called by that name.
struct NamedScript {
    name: Option<String>,
    script: Script,
}

fn scripts(folder: &Path) -> Result<Vec<NamedScript>, Diagnostic> {
    let mut scripts = vec![NamedScript { name: None, script: script(&folder.join(SCRIPT))? }];
    let mut others: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    others.sort();
    for file in others {
        if let Some(name) =
            file.strip_prefix("conformance-").and_then(|rest| rest.strip_suffix(".toml"))
        {
            scripts.push(NamedScript {
                name: Some(name.to_owned()),
                script: script(&folder.join(&file))?,
            });
        }
    }
    Ok(scripts)
}

fn script(path: &Path) -> Result<Script, Diagnostic> {
    let refuse = |reason: &str| {
        Diagnostic::new(
            plugin_host::code::PLUGIN_PROJECT,
            format!("{} cannot be used: {}", path.display(), reason.trim_end()),
        )
        .hint(
            Hint::text("compare it with that of a new project: ")
                .then(Hint::command("plugin new NAME")),
        )
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(&error.to_string()))?;
    toml::from_str(&text).map_err(|error| refuse(&error.to_string()))
}

/// The files that the script names, relative to its folder.
fn material(folder: &Path, script: &Script) -> Result<ScriptMaterial, Diagnostic> {
    let mut material = ScriptMaterial::default();
    for name in &script.cassettes {
        material.exchanges.extend(recording::exchanges(&folder.join(name))?);
    }
    if let Some(name) = &script.answers {
        let path = folder.join(name);
        let wrong = |reason: String| {
            Diagnostic::new(
                plugin_host::code::PLUGIN_PROJECT,
                format!("{} cannot be used: {reason}", path.display()),
            )
        };
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        material.answers = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    }
    for (name, is_table) in script
        .paths
        .iter()
        .map(|name| (name, true))
        .chain(script.files.iter().map(|name| (name, false)))
    {
        let path = folder.join(name);
        let Some(inside) = path.canonicalize().ok().filter(|path| path.is_file()) else {
            let list = if is_table { "paths" } else { "files" };
            return Err(Diagnostic::new(
                decode::code::FILE_NOT_FOUND,
                format!("{} is not there, and {SCRIPT} names it", path.display()),
            )
            .hint(format!("put it there, or take it out of `{list}`")));
        };
        material.files.push(LocalFile {
            name: name.clone(),
            path: path.clone(),
            is_table,
            inside: Some(inside),
        });
        if is_table {
            material.tables.push(GrantedTable {
                name: name.clone(),
                path,
                form: TextForm::default(),
            });
        }
    }
    Ok(material)
}

fn words(outcome: &CaseOutcome) -> (&'static str, &str) {
    match outcome {
        CaseOutcome::Passed => ("passed", ""),
        CaseOutcome::Skipped(reason) => ("skipped", reason),
        CaseOutcome::Failed(reason) => ("FAILED", reason),
    }
}

fn text(ui: Ui, cases: &[ConformanceCase]) -> String {
    let mut table =
        Table::new(["case", "result", "seen"].map(|name| (name.to_owned(), Align::Left)));
    for case in cases {
        let (result, reason) = words(&case.outcome);
        table.row(vec![
            case.name.clone(),
            result.into(),
            if reason.is_empty() { case.seen.clone() } else { reason.into() },
        ]);
    }
    let (header, body) = table.parts();
    let count = |wanted: &str| cases.iter().filter(|case| words(&case.outcome).0 == wanted).count();
    let summary = format!(
        "{} passed, {} skipped, {} failed",
        count("passed"),
        count("skipped"),
        count("FAILED")
    );
    format!("{}\n{body}\n{summary}\n", ui.bold(&header))
}

fn report(plugin: &plugin_host::Plugin, cases: &[ConformanceCase]) -> Value {
    let identity = plugin.identity();
    let case = |case: &ConformanceCase| {
        let (result, reason) = words(&case.outcome);
        json!({
            "case": case.name,
            "result": result.to_lowercase(),
            "reason": reason,
            "seen": case.seen,
        })
    };
    json!({
        "plugin": { "name": identity.name, "version": identity.version, "digest": identity.digest },
        "cases": cases.iter().map(case).collect::<Vec<_>>(),
    })
}
