//! Every environment variable that the binary reads. Nothing else of ours looks at the environment;
//! clients of AWS and of stores look at those that are theirs.

use std::ffi::OsString;
use std::path::PathBuf;

/// Settings file; `--config` wins.
pub const CONFIG: &str = "APPORTION_CONFIG";
/// Ledger file; `--ledger` wins.
pub const LEDGER: &str = "APPORTION_LEDGER";
/// Address of `serve`; `--listen` wins.
pub const LISTEN: &str = "APPORTION_LISTEN";
/// The powers that sources may grant, with commas between; wins over the settings file.
pub const POWERS: &str = "APPORTION_POWERS";
/// Text or JSON on stderr; wins over the settings file.
pub const LOG_FORMAT: &str = "APPORTION_LOG_FORMAT";
/// The least that is logged; wins over the settings file.
pub const LOG_LEVEL: &str = "APPORTION_LOG_LEVEL";
/// The proxy of all sources that ask over HTTP; wins over the settings file.
pub const PROXY: &str = "APPORTION_PROXY";
/// User and password for that proxy: `user:password`.
pub const PROXY_AUTH: &str = "APPORTION_PROXY_AUTH";
/// Folder for compiled plugins and copies of objects, instead of the user's cache.
pub const CACHE: &str = "APPORTION_CACHE";

/// A rustc that compiles for WebAssembly, for `plugin build`.
pub const WASM_RUSTC: &str = "APPORTION_WASM_RUSTC";

/// The variables with their meanings, for the reference.
pub const DOCUMENTED: [(&str, &str); 17] = [
    (CONFIG, "Settings file; `--config` wins."),
    (LEDGER, "Ledger file; `--ledger` wins."),
    (LISTEN, "Address of `serve`; `--listen` wins."),
    (
        POWERS,
        "The powers that sources may grant, with commas between; wins over the settings file.",
    ),
    (LOG_FORMAT, "The log on stderr: `text` or `json`; wins over the settings file."),
    (
        LOG_LEVEL,
        "The least that is logged: `error`, `warn`, `info` or `debug`; wins over the settings \
            file.",
    ),
    (PROXY, "The proxy of all sources that ask over HTTP; wins over the settings file."),
    (PROXY_AUTH, "Who asks that proxy, as `user:password`."),
    (CACHE, "Folder for compiled plugins and copies of objects, instead of the user's cache."),
    (
        WASM_RUSTC,
        "A rustc that compiles for WebAssembly, for `plugin build`; otherwise the usual one.",
    ),
    (
        "HTTPS_PROXY",
        "The proxy of AWS, of object stores and of `plugin install`, with `HTTP_PROXY` and \
            `NO_PROXY`; clusters go by their kubeconfig.",
    ),
    (
        "AWS_PROFILE",
        "And all others by which AWS's own tools find credentials, regions and endpoints; a \
            `profile` of the settings wins.",
    ),
    ("USER", "Who approves rules; `--by` wins."),
    ("NO_COLOR", "Set: no bold text on terminals."),
    ("COLUMNS", "Width of tables in text; otherwise that of the terminal, and 120 in a pipe."),
    (
        "XDG_CACHE_HOME",
        "The user's cache; compiled plugins go to `apportion/plugins` in it, copies of objects to \
            `apportion/objects`.",
    ),
    ("HOME", "Without `XDG_CACHE_HOME`, the cache is `.cache` in it."),
];

/// A variable's value; empty counts as not set.
pub fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether escape sequences are unwelcome.
pub fn no_color() -> bool {
    value("NO_COLOR").is_some()
}

/// The width of text that is asked for.
pub fn columns() -> Option<usize> {
    value("COLUMNS")?.to_str()?.parse().ok().filter(|columns| *columns > 0)
}

/// The name of the user who is logged in.
pub fn user() -> Option<String> {
    value("USER").map(|user| user.to_string_lossy().into_owned())
}

/// Where compiled plugins are kept; `None` where there is no home.
pub fn plugin_cache() -> Option<PathBuf> {
    Some(cache()?.join("plugins"))
}

/// Where copies of objects are kept. Not beside the plugins: their cleaner removes files that it
/// does not know.
pub fn object_cache() -> Option<PathBuf> {
    Some(cache()?.join("objects"))
}

fn cache() -> Option<PathBuf> {
    if let Some(cache) = value(CACHE) {
        return Some(PathBuf::from(cache));
    }
    let cache = value("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| value("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("apportion"))
}
