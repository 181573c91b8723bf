//! Loading: bytes → a component of a supported world, which described itself within the limits and
//! whose manifest has no fault.

use crate::allocator::AllocatorPlugin;
use crate::call::{Fuel, Sandbox, label};
use crate::capability::State;
use crate::code;
use crate::collector::CollectorPlugin;
use crate::compiler::{CompileRefusal, Compiler};
use crate::convert;
use crate::engine::{self, Metering};
use crate::grant::Grants;
use crate::limits::PluginLimits;
use crate::manifest::{Manifest, PluginKind};
use crate::power::Power;
use crate::wit;
use crate::wit::bindings::types;
use crate::wit::exports::{AllocatorExports, CollectorExports};
use crate::wit::imports::{linker, pure_linker};
use domain::diagnostic::Diagnostic;
use domain::port::PluginIdentity;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Instant;
use wasmtime::Engine;
use wasmtime::component::Component;

/// More than any call burns until its time is up.
const UNBOUNDED: u64 = 1 << 60;

#[derive(Clone, Debug, Default)]
pub struct HostOptions {
    /// The folder of compiled code. Authors of plugins must not write to it.
    pub cache_dir: Option<PathBuf>,
    pub limits: PluginLimits,
    /// Compiles components that are not bundled, before the host does.
    pub compiler: Option<Compiler>,
}

/// The engines that run plugins. They are slow to make, so a process makes one host.
pub struct PluginHost {
    plain: Engine,
    /// Counts fuel: for allocators, and for collectors that their author tries out.
    counting: Engine,
    limits: PluginLimits,
    compiler: Option<Compiler>,
}

/// A component that was checked and has described itself.
pub struct Plugin {
    identity: PluginIdentity,
    manifest: Manifest,
    /// The version of the contract that it was made for.
    contract: &'static str,
    imports: Vec<String>,
    component: Component,
    engine: Engine,
    /// Of a collector's calls.
    fuel: Fuel,
    limits: PluginLimits,
}

struct CompiledComponent {
    kind: PluginKind,
    contract: &'static str,
    imports: Vec<String>,
    component: Component,
}

impl PluginHost {
    pub fn new(options: HostOptions) -> Result<PluginHost, Diagnostic> {
        let limits = options.limits.checked()?;
        let cache = options.cache_dir.as_deref().map(engine::cache).transpose()?;
        let plain = engine::engine(Metering::Epoch, &limits, cache.as_ref())?;
        let counting = engine::engine(Metering::EpochAndFuel, &limits, cache.as_ref())?;
        Ok(PluginHost { plain, counting, limits, compiler: options.compiler })
    }

    /// Compiles the component of a stranger, and has it describe itself. Until then messages call
    /// it `name`.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Plugin, Diagnostic> {
        let identity = unknown(name, bytes);
        if let Some(compiler) = &self.compiler {
            let key = format!("{}-{:016x}", identity.digest, self.engines());
            let checked = self
                .check_size(bytes)
                .map_err(CompileRefusal::from)
                .and_then(|()| compiler.check(&key, bytes, &self.limits));
            checked.map_err(|CompileRefusal { reason, hint }| Diagnostic {
                hint,
                ..invalid(&identity, &reason)
            })?;
        }
        self.load_on(&self.plain, identity, bytes)
    }

    /// Loads a bundled component, which is compiled in this process.
    pub fn load_own(&self, name: &str, bytes: &[u8]) -> Result<Plugin, Diagnostic> {
        self.load_on(&self.plain, unknown(name, bytes), bytes)
    }

    /// Loads a component for its author: fuel is counted in collectors too.
    pub fn load_counting(&self, name: &str, bytes: &[u8]) -> Result<Plugin, Diagnostic> {
        self.load_on(&self.counting, unknown(name, bytes), bytes)
    }

    /// `engine` is the one for collectors.
    fn load_on(
        &self,
        engine: &Engine,
        identity: PluginIdentity,
        bytes: &[u8],
    ) -> Result<Plugin, Diagnostic> {
        let began = Instant::now();
        let invalid = |reason: String| invalid(&identity, &reason);
        let CompiledComponent { kind, contract, imports, component } =
            self.compile(engine, bytes).map_err(invalid)?;
        let engine = if kind == PluginKind::Allocator { &self.counting } else { engine };
        let powers = powers_imported(kind, &imports).map_err(invalid)?;
        let described = self.describe(kind, engine, &component, &identity, contract)?;
        let manifest = convert::manifest(described).map_err(invalid)?;
        if manifest.kind != kind {
            return Err(invalid(format!(
                "it says that it is {}, and exports what {} has",
                manifest.kind.with_article(),
                kind.with_article()
            )));
        }
        if let Some(power) = powers.into_iter().find(|power| !manifest.asks_for(*power)) {
            return Err(invalid(format!(
                "it uses the power '{}' without asking for it in its manifest",
                power.name()
            )));
        }
        let identity = PluginIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            ..identity
        };
        tracing::debug!(
            plugin = identity.name,
            version = identity.version,
            kind = kind.name(),
            contract,
            ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "plugin was loaded"
        );
        let fuel = self.fuel(engine);
        Ok(Plugin {
            identity,
            manifest,
            contract,
            imports,
            component,
            engine: engine.clone(),
            fuel,
            limits: self.limits.clone(),
        })
    }

    /// Compiles a component for the engine that it will run on. Only the cache keeps the result.
    pub fn try_compile(&self, bytes: &[u8]) -> Result<(), String> {
        self.compile(&self.plain, bytes).map(|_| ())
    }

    fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<CompiledComponent, String> {
        self.check_size(bytes)?;
        let is_core_module = bytes.starts_with(b"\0asm\x01\0\0\0");
        if is_core_module {
            return Err(
                "it is a core module and not a component; make one of it with `wasm-tools \
                 component new`"
                    .into(),
            );
        }
        if !bytes.starts_with(b"\0asm") {
            return Err("it is not WebAssembly".into());
        }
        let compile = |engine: &Engine| {
            Component::new(engine, bytes)
                .map_err(|error| format!("it does not compile: {}", error.root_cause()))
        };
        let component = compile(engine)?;
        let exports = component.component_type();
        let (kind, contract) = wit::kind_of(exports.exports(engine).map(|(name, _)| name))?;
        let imports = exports.imports(engine).map(|(name, _)| name.to_owned()).collect();
        let is_other_engine =
            kind == PluginKind::Allocator && !Engine::same(engine, &self.counting);
        let component = if is_other_engine { compile(&self.counting)? } else { component };
        Ok(CompiledComponent { kind, contract, imports, component })
    }

    /// The fuel of a collector's call on its engine. A collector is bounded by time and not by
    /// fuel.
    fn fuel(&self, engine: &Engine) -> Fuel {
        if Engine::same(engine, &self.counting) { Fuel::Units(UNBOUNDED) } else { Fuel::NotCounted }
    }

    fn check_size(&self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() as u64 > self.limits.component_bytes {
            return Err(format!(
                "it has {} bytes, and the limit is {}",
                bytes.len(),
                self.limits.component_bytes
            ));
        }
        Ok(())
    }

    /// Stands for the engines' version and settings.
    fn engines(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.plain.precompile_compatibility_hash().hash(&mut hasher);
        self.counting.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    /// Has the component describe itself. No power is granted yet, so every call of one fails.
    fn describe(
        &self,
        kind: PluginKind,
        engine: &Engine,
        component: &Component,
        identity: &PluginIdentity,
        contract: &str,
    ) -> Result<types::Manifest, Diagnostic> {
        let invalid = |error: wasmtime::Error| {
            invalid(
                identity,
                &format!(
                    "it is not {} of version {contract}: {}",
                    kind.with_article(),
                    error.root_cause()
                ),
            )
        };
        let mut sandbox = Sandbox::new(engine, &self.limits, identity, State::new(&self.limits));
        let linked = match kind {
            PluginKind::Collector => linker(engine, &Power::ALL, contract),
            PluginKind::Allocator => pure_linker(engine, contract),
        };
        let pre = linked.and_then(|linker| linker.instantiate_pre(component)).map_err(invalid)?;
        let fuel = match kind {
            PluginKind::Collector => self.fuel(engine),
            PluginKind::Allocator => Fuel::Units(self.limits.fuel_start),
        };
        let instance = sandbox.start(fuel, |store| pre.instantiate(store))?;
        let store = &mut sandbox.store;
        let describe = match kind {
            PluginKind::Collector => {
                CollectorExports::of(&instance, store, contract).map(|exports| exports.describe)
            }
            PluginKind::Allocator => {
                AllocatorExports::of(&instance, store, contract).map(|exports| exports.describe)
            }
        };
        let describe = describe.map_err(invalid)?;
        sandbox.call("describe", fuel, |store| Ok(describe.call(store, ())?.0))
    }
}

impl Plugin {
    pub fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn kind(&self) -> PluginKind {
        self.manifest.kind
    }

    /// The world of the contract that it belongs to, with its version.
    pub fn world(&self) -> String {
        format!("{}{}@{}", wit::PACKAGE, self.kind().name(), self.contract)
    }

    /// The version of the contract that it was made for.
    pub fn contract(&self) -> &'static str {
        self.contract
    }

    /// The full names of what the component imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Refuses, before anything runs, a plugin that asks for more than is granted.
    pub fn collector(&self, grants: &Grants) -> Result<CollectorPlugin, Diagnostic> {
        self.expect(PluginKind::Collector)?;
        grants.cover(&self.manifest, &label(&self.identity))?;
        let powers = self.powers(grants);
        let pre = linker(&self.engine, &powers, self.contract)
            .and_then(|linker| linker.instantiate_pre(&self.component))
            .map_err(|error| self.not_linked(&error))?;
        Ok(CollectorPlugin::new(
            pre,
            self.contract,
            &self.identity,
            &self.limits,
            grants,
            powers,
            self.fuel,
        )
        .with_settings(&self.manifest.config_schema))
    }

    /// The powers to link: the granted ones, and the optional ones that are not granted. Every call
    /// of the latter is refused.
    fn powers(&self, grants: &Grants) -> Vec<Power> {
        Power::ALL
            .into_iter()
            .filter(|power| grants.has(*power) || self.manifest.asks_for(*power))
            .collect()
    }

    pub fn allocator(&self) -> Result<AllocatorPlugin, Diagnostic> {
        self.expect(PluginKind::Allocator)?;
        let pre = pure_linker(&self.engine, self.contract)
            .and_then(|linker| linker.instantiate_pre(&self.component))
            .map_err(|error| self.not_linked(&error))?;
        Ok(AllocatorPlugin::new(pre, self.contract, &self.identity, &self.limits))
    }

    fn expect(&self, kind: PluginKind) -> Result<(), Diagnostic> {
        if self.kind() == kind {
            return Ok(());
        }
        Err(invalid(
            &self.identity,
            &format!("it is {}, and {} is needed", self.kind().with_article(), kind.with_article()),
        ))
    }

    fn not_linked(&self, error: &wasmtime::Error) -> Diagnostic {
        invalid(&self.identity, &error.root_cause().to_string())
    }
}

/// The identity of a component that has not described itself yet.
fn unknown(name: &str, bytes: &[u8]) -> PluginIdentity {
    PluginIdentity { name: name.into(), version: String::new(), digest: digest(bytes) }
}

fn invalid(identity: &PluginIdentity, reason: &str) -> Diagnostic {
    Diagnostic::new(
        code::PLUGIN_INVALID,
        format!("{} cannot be loaded: {}", label(identity), crate::printable::printable(reason)),
    )
}

/// The SHA-256 of a component, in hex.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let written = write!(hex, "{byte:02x}");
        assert!(written.is_ok(), "writing to a string does not fail");
        hex
    })
}

/// The powers among the imports. An import that the host does not offer is refused by name.
fn powers_imported(kind: PluginKind, imports: &[String]) -> Result<Vec<Power>, String> {
    let mut powers = Vec::new();
    for import in imports {
        match wit::interface_of(import) {
            Some("types" | "log") => {}
            Some("run-info" | "coverage" | "deliveries") if kind == PluginKind::Collector => {}
            // An allocator is a function of its arguments alone.
            Some(interface) if kind == PluginKind::Allocator => {
                return Err(format!(
                    "it wants '{interface}', and an allocator gets nothing but `log`"
                ));
            }
            interface => {
                let power = interface.and_then(Power::by_name);
                powers.push(power.ok_or_else(|| {
                    format!(
                        "it wants '{}', which this host does not offer",
                        crate::printable::printable(import)
                    )
                })?);
            }
        }
    }
    Ok(powers)
}
