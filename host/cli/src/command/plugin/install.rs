//! `plugin install`, `plugin verify`, `plugin compat`: third-party plugins, and whether they can be
//! trusted.

use crate::args::GlobalArgs;
use crate::code;
use crate::error::Failure;
use crate::ui::Ui;
use bundled_plugins::PLUGINS;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use installation::amount_text::counted;
use installation::plugins;
use installation::settings::{Need, Settings};
use plugin_host::compat::{self, PluginChange};
use plugin_host::trust::{self, LOCK_FILE, LockEntry, PluginLock, SIGNATURE_ENDING};
use plugin_host::{Plugin, PluginLimits, Power};
use reach::fetch::{self, FetchedPlugin};
use std::fs;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct InstallArgs {
    /// A .wasm file, an https address, or oci://REGISTRY/NAME@sha256:DIGEST
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The SHA-256 that it must have, hex
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// A power that the version before did not ask for; once for each
    #[arg(long, value_name = "POWER")]
    pub agree: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub struct CompatArgs {
    /// The version that is in use: a plugin's name, or the path of a .wasm file
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The version that would take its place
    #[arg(value_name = "NEW")]
    pub new: String,
}

pub fn install(ui: Ui, global: &GlobalArgs, args: &InstallArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    let fetched = fetch(&args.source)?;
    let source = fetch::shown(&args.source);
    // Before anything else is done with a stranger's bytes.
    check_digest(&source, &fetched.bytes, args)?;
    let plugin = plugins::host(Some(&settings))?.load(&source, &fetched.bytes)?;
    check_name(&plugin)?;
    let mut lock = PluginLock::read(&settings.root)?;
    let before = lock.find(&plugin.identity().name).cloned();
    let signer = signer(ui, &settings, &fetched, before.as_ref())?;
    let powers = agreed_powers(&plugin, &source, before.as_ref(), args)?;
    let locked = LockEntry {
        name: plugin.identity().name.clone(),
        version: plugin.identity().version.clone(),
        sha256: plugin.identity().digest.clone(),
        source,
        signer,
        contract: plugin.contract().into(),
        powers,
        previous: None,
    };
    lock.install(locked.clone(), &fetched.bytes, fetched.signature.as_deref())?;
    Ok(ui.data(&installed(&plugin, &locked, before.as_ref()))?)
}

fn fetch(source: &str) -> Result<FetchedPlugin, Diagnostic> {
    let bytes_max = PluginLimits::default().component_bytes;
    if let Some(reference) = source.strip_prefix("oci://") {
        return fetch::oci(reference, bytes_max).map_err(|failure| failure.diagnostic);
    }
    if source.contains("://") {
        return fetch::web(source, bytes_max).map_err(|failure| failure.diagnostic);
    }
    let bytes = fs::read(source).map_err(|error| {
        Diagnostic::new(
            domain::code::PLUGIN_NOT_FOUND,
            format!("the plugin {source} cannot be read: {error}"),
        )
        .hint("name a .wasm file, an https address, or oci://REGISTRY/NAME@sha256:DIGEST")
    })?;
    Ok(FetchedPlugin {
        bytes,
        signature: fs::read_to_string(format!("{source}{SIGNATURE_ENDING}")).ok(),
    })
}

/// A name that is bundled would never be looked up in the lock.
fn check_name(plugin: &Plugin) -> Result<(), Diagnostic> {
    let name = &plugin.identity().name;
    if PLUGINS.iter().any(|(bundled, _)| bundled == name) {
        let message = format!("'{name}' is a bundled plugin, and another one cannot take its name");
        return Err(Diagnostic::new(plugin_host::code::PLUGIN_INVALID, message)
            .hint("ask its vendor for another name, or use it by its path"));
    }
    Ok(())
}

fn check_digest(source: &str, bytes: &[u8], args: &InstallArgs) -> Result<(), Diagnostic> {
    let found = plugin_host::digest(bytes);
    match &args.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => {
            let message = format!("{source} has the SHA-256 {found}, not {expected}");
            Err(Diagnostic::new(plugin_host::code::PLUGIN_LOCK, message)
                .hint("do not install it; ask its vendor which digest is right"))
        }
        _ => Ok(()),
    }
}

/// Whose signature it bears. Once a plugin is signed, it stays signed; where the settings want
/// signatures, each needs one.
fn signer(
    ui: Ui,
    settings: &Settings,
    fetched: &FetchedPlugin,
    before: Option<&LockEntry>,
) -> Result<Option<String>, Diagnostic> {
    let mut keys: Vec<&str> = settings.trust.keys.values().map(String::as_str).collect();
    keys.extend(before.and_then(|before| before.signer.as_deref()));
    let needed =
        settings.trust.require_signature || before.is_some_and(|before| before.signer.is_some());
    let hint = "trust its vendor's key with `[trust.keys]` and `vendor = \"RW…\"` in \
        apportion.toml; a signature lies beside the file, ending in .minisig";
    if keys.is_empty() {
        if needed {
            return Err(Diagnostic::new(
                plugin_host::code::PLUGIN_SIGNATURE,
                "signatures are required, and no key is trusted",
            )
            .hint(hint));
        }
        if fetched.signature.is_some() {
            ui.warning(
                &Diagnostic::new(
                    plugin_host::code::PLUGIN_SIGNATURE,
                    "the plugin is signed, but no key is trusted: nobody looks at the signature",
                )
                .hint(hint),
            );
        }
        return Ok(None);
    }
    if fetched.signature.is_none() && !needed {
        return Ok(None);
    }
    let key = trust::verify(&fetched.bytes, fetched.signature.as_deref(), &keys)
        .map_err(|finding| finding.hint(hint))?;
    Ok(Some(key.to_owned()))
}

/// Refuses a new version that asks for more powers, and names them.
fn agreed_powers(
    plugin: &Plugin,
    source: &str,
    before: Option<&LockEntry>,
    args: &InstallArgs,
) -> Result<Vec<String>, Diagnostic> {
    for name in &args.agree {
        if Power::by_name(name).is_none() {
            return Err(Diagnostic::new(code::USAGE, format!("there is no power '{name}'"))
                .hint(format!("the powers are: {}", Power::ALL.map(Power::name).join(", "))));
        }
    }
    let asked: Vec<&str> =
        plugin.manifest().powers.iter().map(|request| request.power.name()).collect();
    if let Some(before) = before {
        let is_agreed =
            |power: &str| before.powers.iter().chain(&args.agree).any(|known| known == power);
        let more: Vec<_> = plugin
            .manifest()
            .powers
            .iter()
            .filter(|request| !is_agreed(request.power.name()))
            .collect();
        if !more.is_empty() {
            let reasons: Vec<String> = more
                .iter()
                .map(|request| format!("+ {} ({})", request.power.name(), request.reason))
                .collect();
            let flags: Vec<String> =
                more.iter().map(|request| format!("--agree {}", request.power.name())).collect();
            let (old, new) = (&before.version, &plugin.identity().version);
            let message = format!(
                "{} {new} asks for more than {old}, which stays: {}",
                before.name,
                reasons.join(", ")
            );
            let flags = flags.join(" ");
            // The address is shown without its secrets, and does not lead there.
            let hint = if source == args.source {
                let command = format!("plugin install {source} {flags}");
                Hint::text("if you agree: ").then(Hint::command(command))
            } else {
                format!("if you agree, repeat your command with `{flags}`").into()
            };
            return Err(Diagnostic::new(code::PLUGIN_ASKS_MORE, message).hint(hint));
        }
    }
    Ok(asked.into_iter().map(str::to_owned).collect())
}

fn installed(plugin: &Plugin, locked: &LockEntry, before: Option<&LockEntry>) -> String {
    let mut lines = vec![match before {
        Some(before) if before.sha256 != locked.sha256 => {
            format!(
                "installed {} {}, which takes the place of {}",
                locked.name, locked.version, before.version
            )
        }
        _ => format!("installed {} {}", locked.name, locked.version),
    }];
    lines.push(format!("sha-256: {}", locked.sha256));
    lines.push(
        locked
            .signer
            .as_ref()
            .map_or_else(|| "signature: none".into(), |key| format!("signature: by {key}")),
    );
    lines.extend(
        plugin
            .manifest()
            .powers
            .iter()
            .map(|request| format!("asks for {}: {}", request.power.name(), request.reason)),
    );
    let names: Vec<String> = plugin
        .manifest()
        .powers
        .iter()
        .map(|request| format!("\"{}\"", request.power.name()))
        .collect();
    lines.push(format!(
        "next: `plugin = \"{}\"` and `grants = [{}]` in a source of apportion.toml\n",
        locked.name,
        names.join(", ")
    ));
    lines.join("\n")
}

/// Every installed plugin against its line in the lock.
pub fn verify(ui: Ui, global: &GlobalArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    let lock = PluginLock::read(&settings.root)?;
    let findings: Vec<Diagnostic> =
        lock.plugins().iter().filter_map(|locked| lock.verified(locked).err()).collect();
    if !findings.is_empty() {
        return Err(findings.into());
    }
    let count = counted(lock.plugins().len() as u64, "plugin", "plugins");
    ui.note(&format!("{count} of {LOCK_FILE} verified"));
    Ok(())
}

/// Whether a new version can take the place of an old one.
pub fn compat(ui: Ui, args: &CompatArgs) -> Result<(), Failure> {
    let host = plugins::host(None)?;
    let load = |name: &str| plugins::plugin(&host, name, Path::new("."));
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let changes = compat::compare(&old, &new);
    let line = |change: &PluginChange| {
        format!("{}: {}\n", if change.breaking { "breaking" } else { "new" }, change.message)
    };
    ui.data(&changes.iter().map(line).collect::<String>())?;
    let breaking = changes.iter().filter(|change| change.breaking).count();
    if breaking == 0 {
        ui.note(&format!(
            "{} {} can take the place of {}",
            new.identity().name,
            new.identity().version,
            old.identity().version
        ));
        return Ok(());
    }
    let message = format!(
        "{} {} breaks what {} promised: {}",
        new.identity().name,
        new.identity().version,
        old.identity().version,
        counted(breaking as u64, "change", "changes")
    );
    Err(Diagnostic::new(code::PLUGIN_ASKS_MORE, message)
        .hint("keep what was there, or tell its users with a new major version")
        .into())
}
