//! `plugin build`: a project's sources become one component, by the toolchain of its language.

use super::project::Project;
use crate::code;
use crate::command::plugin::project::PluginLanguage;
use crate::ui::Ui;
use domain::diagnostic::Diagnostic;
use installation::env_var;
use installation::file;
use installation::plugins;
use plugin_host::whole_file;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";

pub fn build(ui: Ui, dir: &Path) -> Result<(), Diagnostic> {
    let project = Project::open(dir)?;
    let component = project.component();
    match project.language {
        PluginLanguage::Rust => rust(ui, &project, &component)?,
        PluginLanguage::Python => python(&project)?,
        PluginLanguage::Javascript => javascript(&project)?,
    }
    let bytes = fs::read(&component).map_err(|error| {
        failed(&project, &format!("{} cannot be read: {error}", component.display()))
    })?;
    let plugin = plugins::host(None)?.load(&project.name, &bytes)?;
    let identity = plugin.identity();
    ui.note(&format!(
        "built {}: {} {}, {}, {} KB",
        component.display(),
        identity.name,
        identity.version,
        plugin.kind().with_article(),
        bytes.len().div_ceil(1_000)
    ));
    Ok(())
}

fn failed(project: &Project, reason: &str) -> Diagnostic {
    Diagnostic::new(code::PLUGIN_BUILD, format!("{} was not built: {reason}", project.name))
}

/// Runs a tool in the project's folder. Its output goes to stderr, for the author.
fn run(project: &Project, command: &mut Command, missing: &str) -> Result<Vec<u8>, Diagnostic> {
    let tool = command.get_program().display().to_string();
    let output =
        command.current_dir(&project.dir).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(failed(project, &format!("{tool} ended with {}", output.status))
            .hint("what it printed stands above")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(failed(project, &format!("{tool} is not there")).hint(missing))
        }
        Err(error) => Err(failed(project, &format!("{tool} cannot be run: {error}"))),
    }
}

fn rust(ui: Ui, project: &Project, component: &Path) -> Result<(), Diagnostic> {
    let compiler = env_var::value(env_var::WASM_RUSTC);
    if compiler.is_none() && !has_target() {
        return Err(failed(project, &format!("rustc cannot compile for {TARGET}")).hint(format!(
            "`rustup target add {TARGET}`, or name a rustc that can: `export {}=…`",
            env_var::WASM_RUSTC
        )));
    }
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--release",
        "--target",
        TARGET,
        "--message-format=json-render-diagnostics",
    ]);
    if ui.is_quiet() {
        cargo.arg("--quiet");
    }
    if let Some(compiler) = compiler {
        cargo.env("RUSTC", compiler);
    }
    let messages = run(project, &mut cargo, "install Rust, which brings cargo")?;
    let module = module(&String::from_utf8_lossy(&messages), project).ok_or_else(|| {
        failed(project, "cargo made no WebAssembly module of it")
            .hint("Cargo.toml has to say: [lib] crate-type = [\"cdylib\"]")
    })?;
    let bytes = fs::read(&module).map_err(|error| {
        failed(project, &format!("{} cannot be read: {error}", module.display()))
    })?;
    let encoded = plugin_host::componentize(&bytes).map_err(|reason| failed(project, &reason))?;
    whole_file::write(component, &encoded)
        .map_err(|unwritten| file::unwritable(&unwritten.path, &unwritten.error))
}

fn has_target() -> bool {
    let printed =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = printed
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    folder
        .and_then(|folder| fs::read_dir(folder).ok())
        .is_some_and(|mut entries| entries.any(|_| true))
}

/// The module of the project's own package, out of what cargo says it has made.
fn module(messages: &str, project: &Project) -> Option<PathBuf> {
    let library = project.name.replace('-', "_");
    let made = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let own = made.filter(|message| {
        message["reason"] == "compiler-artifact" && message["target"]["name"] == library.as_str()
    });
    let files: Vec<Value> =
        own.filter_map(|message| message["filenames"].as_array().cloned()).flatten().collect();
    files
        .iter()
        .filter_map(Value::as_str)
        .map(PathBuf::from)
        .find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
}

/// The tool of the project's own environment, or else whatever is found.
fn python(project: &Project) -> Result<(), Diagnostic> {
    let own = Path::new(".venv/bin/componentize-py");
    let tool = if project.dir.join(own).exists() { own } else { Path::new("componentize-py") };
    // A relative program would be looked for from here, and not from the project.
    let tool = if tool == own {
        std::path::absolute(project.dir.join(own)).unwrap_or_else(|_| project.dir.join(own))
    } else {
        tool.into()
    };
    let output = format!("{}.wasm", project.name);
    let mut command = Command::new(tool);
    // Without WASI: the component has no clock, no files and no environment to ask for.
    command.args([
        "-d",
        "wit",
        "-w",
        "plugin",
        "componentize",
        "--stub-wasi",
        "app",
        "-o",
        &output,
    ]);
    let venv = project.dir.join(".venv");
    let missing = format!(
        "`python3 -m venv {venv} && {venv}/bin/pip install componentize-py==0.25.1`",
        venv = venv.display()
    );
    run(project, &mut command, &missing).map(drop)
}

fn javascript(project: &Project) -> Result<(), Diagnostic> {
    let tool = "node_modules/@bytecodealliance/componentize-js";
    if !project.dir.join(tool).exists() {
        return Err(failed(project, &format!("{tool} is not there"))
            .hint(format!("`npm install --prefix {}`", project.dir.display())));
    }
    let output = format!("{}.wasm", project.name);
    run(
        project,
        Command::new("node").args(["componentize.mjs", &output]),
        "install Node.js 20 or newer",
    )
    .map(drop)
}
