//! The hidden verb of a second process: it compiles one plugin within limits, and ends.

use crate::error::Failure;
use crate::ui::Ui;
use decode::code;
use domain::diagnostic::Diagnostic;
use plugin_host::{HostOptions, PluginHost, PluginLimits, bound_memory};
use std::io::Read;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct CompileArgs {
    #[arg(long)]
    pub cache: Option<PathBuf>,
    #[arg(long)]
    pub memory_mib: u64,
}

/// Reads a component, compiles it into the cache, and prints why it cannot be.
pub fn compile(ui: Ui, args: &CompileArgs) -> Result<(), Failure> {
    bound_memory(args.memory_mib << 20);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| {
        Diagnostic::new(code::FILE_UNREADABLE, format!("standard input cannot be read: {error}"))
    })?;
    let host = PluginHost::new(HostOptions {
        cache_dir: args.cache.clone(),
        limits: PluginLimits::default(),
        compiler: None,
    })?;
    Ok(host.try_compile(&bytes).or_else(|reason| ui.data(&reason))?)
}
