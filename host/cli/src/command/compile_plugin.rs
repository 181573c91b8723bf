//! The host in its other role: it compiles what a stranger wrote, within limits, and ends.

use crate::env_var;
use crate::error::Failure;
use crate::ui::Ui;
use decode::code;
use domain::diagnostic::Diagnostic;
use plugin_host::{Compiler, HostOptions, Limits, PluginHost, bound_memory};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[arg(long)]
    pub cache: Option<PathBuf>,
    #[arg(long)]
    pub memory_mib: u64,
}

/// Reads a component, compiles it into the cache, and prints why it cannot be.
pub fn compile(ui: Ui, args: &Args) -> Result<(), Failure> {
    bound_memory(args.memory_mib << 20);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| {
        Diagnostic::new(code::FILE_UNREADABLE, format!("standard input cannot be read: {error}"))
    })?;
    let host = PluginHost::new(HostOptions {
        cache_dir: args.cache.clone(),
        limits: Limits::default(),
        compiler: None,
    })?;
    Ok(host.try_compile(&bytes).or_else(|reason| ui.data(&reason))?)
}

/// How the host calls it.
pub fn compiler(limits: &Limits) -> Compiler {
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
