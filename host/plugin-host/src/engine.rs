//! The only configuration of wasmtime: two engines, their clock, and the compile cache.

use crate::limits::PluginLimits;
use domain::code;
use domain::diagnostic::Diagnostic;
use std::path::Path;
use std::time::Duration;
use wasmtime::{Cache, CacheConfig, Config, Engine};

/// How often the epoch ticks; deadlines are rounded up to it.
pub const TICK: Duration = Duration::from_millis(10);

/// Fuel makes an allocator's limit the same on every machine, but it costs a fifth of the speed.
/// Collectors are bounded by time instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    Epoch,
    EpochAndFuel,
}

pub fn engine(
    metering: Metering,
    limits: &PluginLimits,
    cache: Option<&Cache>,
) -> Result<Engine, Diagnostic> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.consume_fuel(metering == Metering::EpochAndFuel);
    // The same bits on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    config.max_wasm_stack(usize::try_from(limits.stack_bytes).unwrap_or(usize::MAX));
    config.cache(cache.cloned());
    let engine = Engine::new(&config).map_err(|error| {
        Diagnostic::new(code::INTERNAL, format!("the plugin engine does not start: {error:#}"))
    })?;
    start_clock(&engine)?;
    Ok(engine)
}

/// Compiled code, keyed by the component's bytes, the engine's version and its settings.
///
/// A person who can write here can run code as the host. It must never be a folder that authors
/// of plugins write to.
pub fn cache(folder: &Path) -> Result<Cache, Diagnostic> {
    let refuse = |reason: String| {
        Diagnostic::new(
            code::CONFIG_VALUE,
            format!("compiled plugins cannot be kept in {}: {reason}", folder.display()),
        )
        .hint(
            "make room there, or choose a folder that only this user can write to: \
             `export APPORTION_CACHE=/var/cache/apportion`",
        )
    };
    let absolute = std::path::absolute(folder).map_err(|error| refuse(error.to_string()))?;
    make_private(&absolute).map_err(|error| refuse(error.to_string()))?;
    if is_open_to_everybody(&absolute).map_err(|error| refuse(error.to_string()))? {
        return Err(refuse("everybody can write to it".into()));
    }
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|error| refuse(format!("{error:#}")))
}

#[cfg(unix)]
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn is_open_to_everybody(folder: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(folder)?.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Elsewhere a user's cache folder is the user's own by default.
#[cfg(not(unix))]
fn is_open_to_everybody(_: &Path) -> std::io::Result<bool> {
    Ok(false)
}

/// The clock stops by itself when nobody holds the engine any more.
fn start_clock(engine: &Engine) -> Result<(), Diagnostic> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let thread = std::thread::Builder::new().name("plugin-clock".into()).spawn(tick);
    thread.map(|_| ()).map_err(|error| {
        Diagnostic::new(code::INTERNAL, format!("the plugin clock does not start: {error}"))
    })
}

/// Ticks after which at least `duration` has passed.
pub fn ticks(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis().div_ceil(TICK.as_millis()))
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}
