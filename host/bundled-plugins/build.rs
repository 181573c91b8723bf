//! Builds the first-party plugins from source and embeds them as components.

#[path = "build/guests.rs"]
mod guests;

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

/// Package name of each, which is the plugin's name too.
const PLUGINS: [&str; 17] = [
    "aws-cost-explorer",
    "aws-cur",
    "aws-organizations",
    "azure-cost",
    "csv",
    "focus-file",
    "gcp-billing",
    "http-json",
    "kubernetes",
    "opencost",
    "prometheus",
    "saas-datadog",
    "saas-github",
    "saas-mongodb-atlas",
    "saas-openai",
    "saas-snowflake",
    "usage-file",
];

fn main() -> Result<(), String> {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?)
            .join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    for shared in
        ["host/exact/Cargo.toml", "host/exact/src", "plugins/json-api", "plugins/table-settings"]
    {
        println!("cargo::rerun-if-changed=../../{shared}");
    }
    let mut arguments = vec!["--lib"];
    for plugin in PLUGINS {
        for path in ["Cargo.toml", "src"] {
            println!("cargo::rerun-if-changed=../../plugins/{plugin}/{path}");
        }
        arguments.extend(["--package", plugin]);
    }
    let built = guests::build(&root, &arguments)?;
    let mut code = String::from("pub const PLUGINS: &[(&str, &[u8])] = &[\n");
    for plugin in PLUGINS {
        let component = out.join(format!("{plugin}.wasm"));
        guests::componentize(
            &built.join(format!("{}.wasm", plugin.replace('-', "_"))),
            &component,
        )?;
        writeln!(code, "    ({plugin:?}, include_bytes!({component:?})),")
            .map_err(|error| error.to_string())?;
    }
    code.push_str("];\n");
    fs::write(out.join("plugins.rs"), code).map_err(|error| format!("plugins.rs: {error}"))
}
