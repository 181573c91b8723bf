//! How the binary is started once more, to compile a stranger's plugin in a process of its own.

use crate::env_var;
use plugin_host::{Compiler, PluginLimits};
use std::path::{Path, PathBuf};

/// The call of the binary's hidden verb `compile-plugin`.
pub fn compiler(limits: &PluginLimits) -> Compiler {
    // On Linux that name leads to the running program even when its file has been replaced.
    let itself = PathBuf::from("/proc/self/exe");
    let program =
        if itself.exists() { itself } else { std::env::current_exe().unwrap_or_default() };
    let mut arguments = vec![
        "compile-plugin".to_owned(),
        "--memory-mib".into(),
        (limits.compile_bytes >> 20).to_string(),
    ];
    if let Some(cache) = env_var::plugin_cache() {
        let cache = std::path::absolute(&cache).unwrap_or(cache);
        arguments.extend(["--cache".into(), cache.display().to_string()]);
    }
    Compiler {
        program,
        arguments,
        passed: env_var::plugin_cache()
            .as_deref()
            .and_then(Path::parent)
            .map(|cache| cache.join("compiled")),
    }
}
