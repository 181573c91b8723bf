//! The plugins that settings name: bundled, installed, or a file.

use crate::compiler::compiler;
use crate::env_var;
use crate::file::in_root;
use crate::notice;
use crate::settings::Settings;
use bundled_plugins::PLUGINS;
use domain::code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::hint::Hint;
use domain::port::PluginIdentity;
use plugin_host::trust::PluginLock;
use plugin_host::{AllocatorSet, HostOptions, LogLevel, LogLine, Plugin, PluginHost, Shelf};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where the lines of plugins go in the log.
const PLUGIN_LOG: &str = "installation::plugin";

/// The allocator plugins of the settings, compiled.
pub fn allocators(settings: &Settings) -> Result<AllocatorSet, Diagnostic> {
    let mut set = AllocatorSet::default();
    if settings.allocators.is_empty() {
        return Ok(set);
    }
    let host = host(Some(settings))?;
    for (name, path) in &settings.allocators {
        set.insert(name, component(&host, name, &path.value)?.allocator()?);
    }
    Ok(set)
}

/// The host of plugins, within the limits of the settings.
pub fn host(settings: Option<&Settings>) -> Result<Shelf, Diagnostic> {
    let mut limits = plugin_host::PluginLimits::default();
    if let Some(settings) = settings {
        limits.call = Duration::from_secs(settings.limits.plugin_seconds.value.get());
        limits.memory_bytes = settings.limits.plugin_memory_mib.value.get() << 20;
        limits.compile = Duration::from_secs(settings.limits.compile_seconds.value.get());
        limits.compile_bytes = settings.limits.compile_memory_mib.value.get() << 20;
    }
    let compiler = Some(compiler(&limits));
    PluginHost::new(HostOptions { cache_dir: env_var::plugin_cache(), limits, compiler })
        .map(Shelf::new)
}

/// Whether a plugin is named by the path of its file.
pub fn is_path(plugin: &str) -> bool {
    plugin.ends_with(".wasm") || plugin.contains(std::path::MAIN_SEPARATOR)
}

/// A bundled plugin by its name, one from a file, or one that was installed; `root` is the folder
/// of the settings.
///
/// In a process that keeps running, a file that cannot be loaded leaves the last good plugin in use.
pub fn plugin(host: &Shelf, name: &str, root: &Path) -> Result<Arc<Plugin>, Diagnostic> {
    if let Some((name, bytes)) = PLUGINS.iter().find(|(known, _)| *known == name) {
        return host.own(name, bytes);
    }
    let lock = PluginLock::read(root)?;
    if let Some(locked) = lock.find(name) {
        let trusted = lock.open(locked)?;
        if let Some(reason) = trusted.stepped_in_for {
            notice::warn(&reason);
        }
        return shelved(host, name, &trusted.bytes);
    }
    if !is_path(name) {
        let installed = lock.plugins().iter().map(|locked| locked.name.as_str());
        let known = PLUGINS.iter().map(|(known, _)| *known).chain(installed);
        let hint = match did_you_mean(name, known) {
            Some(meant) => Hint::text(format!("Did you mean `{meant}`?")),
            None => Hint::command("plugin list").then(
                " names the bundled ones; a path such as \"plugins/vendor.wasm\" names another",
            ),
        };
        let message = format!("there is no plugin '{name}'");
        return Err(Diagnostic::new(code::PLUGIN_NOT_FOUND, message).hint(hint));
    }
    component(host, name, &in_root(root, Path::new(name)))
}

fn component(host: &Shelf, name: &str, path: &Path) -> Result<Arc<Plugin>, Diagnostic> {
    let bytes = fs::read(path).map_err(|error| {
        Diagnostic::new(
            code::PLUGIN_NOT_FOUND,
            format!("the plugin {} cannot be read: {error}", path.display()),
        )
        .hint(format!("check with `ls -l {}`", path.display()))
    })?;
    shelved(host, name, &bytes)
}

fn shelved(host: &Shelf, name: &str, bytes: &[u8]) -> Result<Arc<Plugin>, Diagnostic> {
    let shelved = host.take(name, bytes)?;
    if let Some(mut failure) = shelved.failure {
        failure.message.push_str(&format!(
            "; version {} stays in its place",
            shelved.plugin.identity().version
        ));
        notice::warn(&failure);
    }
    Ok(shelved.plugin)
}

/// Logs the warnings of a plugin. Its quieter lines are for its author, in tests.
pub fn log(plugin: &PluginIdentity, line: &LogLine) {
    if line.level >= LogLevel::Warn {
        tracing::warn!(target: PLUGIN_LOG, "{} {}: {}", plugin.name, plugin.version, line.message);
    }
}
