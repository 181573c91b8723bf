//! Opens what most verbs need: the rules, the ledger, the plugins.

use super::compile_plugin;
use super::plugin::Recording;
use crate::config_place;
use crate::env_var;
use crate::error::{Failure, titled};
use crate::query;
use crate::reach;
use crate::settings::{Origin, RESTATE_DAYS_MAX, Settings, SourceSettings, in_root};
use crate::sources::{self, Located};
use crate::ui;
use ::reach::cassette::{Exchange, Recorder};
use bundled_plugins::PLUGINS;
use domain::code;
use domain::code::Fault;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::period::{Period, instant};
use domain::port::{Batch, CollectRequest, Collector, PluginIdentity, RuleFacts, Rules};
use ledger::{Ledger, Reader};
use pipeline::apply::short;
use pipeline::run::Source;
use plugin_host::trust::Lock;
use plugin_host::{
    AllocatorSet, Ceiling, CeilingPlace, Grants, HostOptions, Level, LogLine, Plugin, PluginHost,
    Shelf,
};
use reports::coverage::{SourceFacts, Window};
use rule_engine::set::{Limits, RuleOptions, RuleSet, digest};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Where neither the settings nor the plugin say how long a source restates its days.
const RESTATE_DAYS: u32 = 3;

pub fn rule_options(settings: &Settings) -> RuleOptions {
    let limits = Limits { operations: settings.limits.rule_operations.value, ..Limits::default() };
    let allocators = settings.allocators.iter().map(|(name, path)| {
        (name.clone(), fs::read(&path.value).map_or_else(|_| Vec::new(), |bytes| digest(&bytes)))
    });
    RuleOptions {
        dimensions: settings.dimensions.value.clone(),
        limits,
        allocators: allocators.collect(),
        unknown_teams: settings.unknown_teams.value,
        ..RuleOptions::default()
    }
}

/// The allocator plugins of the settings, compiled.
pub fn allocators(settings: &Settings) -> Result<AllocatorSet, Diagnostic> {
    let mut set = AllocatorSet::default();
    if settings.allocators.is_empty() {
        return Ok(set);
    }
    let host = plugin_host(Some(settings))?;
    for (name, path) in &settings.allocators {
        set.insert(name, component(&host, name, &path.value)?.allocator()?);
    }
    Ok(set)
}

pub fn rules(settings: &Settings) -> Result<RuleSet, Vec<Diagnostic>> {
    RuleSet::load(&settings.rules.value, &rule_options(settings))
}

/// Opens the ledger for runs, and makes it on the first one.
pub fn ledger_for_runs(settings: &Settings) -> Result<Ledger, Diagnostic> {
    let path = &settings.ledger.value;
    if path.exists() { Ledger::open(path) } else { Ledger::create(path) }
}

/// Opens the ledger for writing; it must be there.
pub fn ledger(settings: &Settings) -> Result<Ledger, Diagnostic> {
    Ledger::open(&settings.ledger.value).map_err(ledger_missing)
}

/// Opens the ledger for reading.
pub fn reader(settings: &Settings) -> Result<Reader, Diagnostic> {
    Reader::open(&settings.ledger.value).map_err(ledger_missing)
}

fn ledger_missing(finding: Diagnostic) -> Diagnostic {
    match finding.code {
        ledger::code::LEDGER_NOT_FOUND => {
            finding.hint("`apportion run` makes it; `--ledger PATH` names another")
        }
        _ => finding,
    }
}

/// Refuses rules that nobody has approved, where the settings want that.
pub fn check_approval(
    settings: &Settings,
    ledger: &Reader,
    generation: &str,
) -> Result<(), Diagnostic> {
    if !settings.require_approval.value || ledger.is_approved(generation)? {
        return Ok(());
    }
    let message = format!(
        "the rules {} are not approved, which require_approval demands ({})",
        short(generation),
        settings.require_approval.origin
    );
    Err(Diagnostic::new(pipeline::code::APPROVAL_MISSING, message)
        .hint("look at `apportion plan --out plan.json`, then `apportion rule approve --plan plan.json --note \"why\"`"))
}

/// Compiles stored rules again, so that old decisions can be looked into; memos and limits are those of the settings.
pub fn stored_rules(
    settings: &Settings,
    facts: &[RuleFacts],
    tables: &[(String, String)],
) -> Result<Box<dyn Rules>, Diagnostic> {
    let texts: Vec<(String, String)> =
        facts.iter().map(|rule| (rule.version.rule.clone(), rule.source.clone())).collect();
    match RuleSet::from_sources(&texts, tables, &rule_options(settings)) {
        Ok(rules) => Ok(Box::new(rules)),
        Err(findings) => Err(findings.into_iter().next().unwrap_or_else(|| {
            Diagnostic::new(code::INTERNAL, "stored rules were refused without a reason")
        })),
    }
}

pub fn plugin_host(settings: Option<&Settings>) -> Result<Shelf, Diagnostic> {
    let mut limits = plugin_host::Limits::default();
    if let Some(settings) = settings {
        limits.call = Duration::from_secs(settings.limits.plugin_seconds.value);
        limits.memory_bytes = settings.limits.plugin_memory_mib.value << 20;
        limits.compile = Duration::from_secs(settings.limits.compile_seconds.value);
        limits.compile_bytes = settings.limits.compile_memory_mib.value << 20;
    }
    let compiler = Some(compile_plugin::compiler(&limits));
    PluginHost::new(HostOptions { cache_dir: env_var::plugin_cache(), limits, compiler })
        .map(Shelf::new)
}

/// Whether a plugin is named by the path of its file.
pub fn is_path(plugin: &str) -> bool {
    plugin.ends_with(".wasm") || plugin.contains(std::path::MAIN_SEPARATOR)
}

/// A bundled plugin by its name, one from a file, or one that was installed; `root` is the folder of the settings.
///
/// Where a process goes on, a new file that is no good leaves the last good one in its place.
pub fn plugin(host: &Shelf, name: &str, root: &Path) -> Result<Arc<Plugin>, Diagnostic> {
    if let Some((name, bytes)) = PLUGINS.iter().find(|(known, _)| *known == name) {
        return host.own(name, bytes);
    }
    let lock = Lock::read(root)?;
    if let Some(locked) = lock.find(name) {
        let trusted = lock.open(locked)?;
        if let Some(reason) = trusted.stepped_in_for {
            ui::failure(&titled("warning", &reason));
        }
        return shelved(host, name, &trusted.bytes);
    }
    if !is_path(name) {
        let finding =
            Diagnostic::new(domain::code::PLUGIN_NOT_FOUND, format!("there is no plugin '{name}'"));
        return Err(
            match did_you_mean(name, PLUGINS.iter().map(|(known, _)| *known).chain(lock.plugins().iter().map(|locked| locked.name.as_str()))) {
                Some(meant) => finding.hint(format!("Did you mean `{meant}`?")),
                None => finding.hint("`apportion plugin list` names the bundled ones; a path such as \"plugins/vendor.wasm\" names another"),
            },
        );
    }
    component(host, name, &in_root(root, name))
}

fn component(host: &Shelf, name: &str, path: &Path) -> Result<Arc<Plugin>, Diagnostic> {
    let bytes = fs::read(path).map_err(|error| {
        Diagnostic::new(
            domain::code::PLUGIN_NOT_FOUND,
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
        ui::failure(&titled("warning", &failure));
    }
    Ok(shelved.plugin)
}

/// All sources, ready to be collected; what they ask over HTTP is recorded into a folder, if there is one.
pub fn sources(
    settings: &Settings,
    period: Option<Period>,
    record: Option<&Path>,
) -> Result<Vec<Source>, Failure> {
    if settings.sources.is_empty() {
        return Err(Diagnostic::new(code::CONFIG_VALUE, "the settings have no source to collect from")
            .hint("add a section `[sources.NAME]` with `plugin` and `paths`, or allocate what is stored with `apportion run --stored`")
            .into());
    }
    let host = plugin_host(Some(settings))?;
    let (mut sources, mut findings) = (Vec::new(), Vec::new());
    let all: Vec<&SourceSettings> = settings.sources.iter().collect();
    for (source_settings, granted) in all.iter().zip(all_granted(settings, &all)) {
        match granted.and_then(|granted| {
            recorded_source(settings, &host, source_settings, granted, period, record)
        }) {
            Ok(source) => sources.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(sources) } else { Err(findings.into()) }
}

/// One source. If its plugin or its store cannot be used, and that is not a matter of the settings, the source fails in the run.
pub fn source(
    settings: &Settings,
    host: &Shelf,
    source: &SourceSettings,
    period: Option<Period>,
) -> Result<Source, Diagnostic> {
    recorded_source(settings, host, source, granted(settings, source)?, period, None)
}

/// What a source is granted, and what its paths lead to.
struct Granted {
    grants: Grants,
    located: Result<Located, Diagnostic>,
}

/// Lists what stores have, which can take long: an error only where the settings are wrong.
fn granted(settings: &Settings, source: &SourceSettings) -> Result<Granted, Diagnostic> {
    let grants = Grants::new(&source.name, source.grants.value.iter().map(String::as_str))?
        .under(ceiling(settings));
    match sources::locate(settings, source, &grants) {
        Err(failure) if failure.code.fault() != Fault::Incomplete => Err(failure),
        located => Ok(Granted { grants, located }),
    }
}

/// The same for all sources, several at a time, so that the waits for slow stores are not added up.
fn all_granted(
    settings: &Settings,
    sources: &[&SourceSettings],
) -> Vec<Result<Granted, Diagnostic>> {
    let places: Vec<OnceLock<Result<Granted, Diagnostic>>> =
        sources.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let take_turns = || {
        while let Some((place, source)) = Some(next.fetch_add(1, Ordering::Relaxed))
            .and_then(|at| Some((places.get(at)?, sources.get(at)?)))
        {
            place.get_or_init(|| granted(settings, source));
        }
    };
    std::thread::scope(|scope| {
        (0..settings.limits.sources_at_once.value.min(places.len()))
            .for_each(|_| drop(scope.spawn(take_turns)))
    });
    let lost = || Err(Diagnostic::new(code::INTERNAL, "a source was not opened"));
    places.into_iter().map(|place| place.into_inner().unwrap_or_else(lost)).collect()
}

fn recorded_source(
    settings: &Settings,
    host: &Shelf,
    source: &SourceSettings,
    granted: Granted,
    period: Option<Period>,
    record: Option<&Path>,
) -> Result<Source, Diagnostic> {
    let Granted { grants, located } = granted;
    let mut request = CollectRequest {
        source: source.name.clone(),
        config: source.config.value.to_string(),
        period,
        state: None,
        now: instant(query::now_ms()),
        tables: Vec::new(),
    };
    let plugin = plugin(host, &source.plugin.value, &settings.root);
    let restated = plugin.as_ref().ok().and_then(|plugin| plugin.manifest().restatement_days);
    if let Ok(plugin) = &plugin {
        config_place::check(source, plugin)?;
    }
    let opened = plugin
        .and_then(|plugin| plugin.collector(&grants))
        .and_then(|collector| Ok((collector, located?)));
    let collector: Box<dyn Collector> = match opened {
        Ok((collector, located)) => {
            request.tables = located.tables;
            let mut reach = reach::reach(settings, source, located.files)?;
            let recorder = reach
                .http
                .clone()
                .filter(|_| record.is_some())
                .map(|http| Arc::new(Recorder::new(http)));
            if let Some(recorder) = &recorder {
                reach.http = Some(Arc::clone(recorder) as Arc<dyn Exchange>);
            }
            let collector =
                collector.with_reach(reach).with_log(Arc::new(|plugin, line| said(plugin, &line)));
            match record {
                Some(folder) => Box::new(Recording::new(
                    collector,
                    recorder,
                    plugin_from_here(settings, source),
                    folder,
                )),
                None => Box::new(collector),
            }
        }
        // A file that is no plugin is its source's trouble and nobody else's.
        Err(failure)
            if failure.code.fault() == Fault::Incomplete
                || failure.code == plugin_host::code::PLUGIN_INVALID =>
        {
            Box::new(Unusable::new(&source.plugin.value, failure))
        }
        Err(failure) => return Err(failure),
    };
    Ok(Source {
        name: source.name.clone(),
        collector,
        request,
        accrues_for: source.accrues_for.value.clone(),
        window: window(source, restated),
    })
}

/// What `plugin replay` calls the plugin of a source.
fn plugin_from_here(settings: &Settings, source: &SourceSettings) -> String {
    let name = &source.plugin.value;
    if is_path(name) { settings.path(name).display().to_string() } else { name.clone() }
}

/// Some sources; in place of one that cannot be opened there is one that fails with the reason why.
pub fn sources_or_failures(
    settings: &Settings,
    host: &Shelf,
    some: &[&SourceSettings],
) -> Vec<Source> {
    let now = instant(query::now_ms());
    let failing = |of: &SourceSettings, failure: Diagnostic| Source {
        name: of.name.clone(),
        collector: Box::new(Unusable::new(&of.plugin.value, failure)),
        request: CollectRequest {
            source: of.name.clone(),
            config: String::new(),
            period: None,
            state: None,
            now: now.clone(),
            tables: Vec::new(),
        },
        accrues_for: of.accrues_for.value.clone(),
        window: window(of, None),
    };
    let opened = |of: &SourceSettings, granted: Result<Granted, Diagnostic>| {
        granted
            .and_then(|granted| recorded_source(settings, host, of, granted, None, None))
            .unwrap_or_else(|failure| failing(of, failure))
    };
    some.iter().zip(all_granted(settings, some)).map(|(of, granted)| opened(of, granted)).collect()
}

/// Which days a source without paths is asked for; files are read whole.
fn window(source: &SourceSettings, restated: Option<u32>) -> Option<Window> {
    let since = source.since.value;
    let restate_days =
        source.restate_days.value.or(restated).unwrap_or(RESTATE_DAYS).min(RESTATE_DAYS_MAX);
    source.paths.value.is_empty().then_some(Window { since, restate_days })
}

/// What is to be known of a source without opening its plugin.
pub fn source_facts(source: &SourceSettings) -> SourceFacts {
    SourceFacts {
        name: source.name.clone(),
        window: window(source, None),
        is_estimate: source.accrues_for.value.is_some(),
        schedule: source.schedule.value.clone(),
    }
}

/// What the deployment lets its sources grant.
fn ceiling(settings: &Settings) -> Ceiling {
    let powers = &settings.limits.powers;
    let place = match powers.origin {
        Origin::Env(variable) => CeilingPlace::Variable(variable.into()),
        _ => CeilingPlace::File(powers.origin.to_string()),
    };
    Ceiling::new(powers.value.iter().map(String::as_str), place)
}

/// Shows what a plugin warns of; what it murmurs is for its author.
fn said(plugin: &PluginIdentity, line: &LogLine) {
    if line.level >= Level::Warn {
        ui::failure(&format!("{} {}: {}\n", plugin.name, plugin.version, line.message));
    }
}

/// Stands for a plugin that could not be started, so that the other sources go on.
struct Unusable {
    identity: PluginIdentity,
    failure: Diagnostic,
}

impl Unusable {
    fn new(plugin: &str, failure: Diagnostic) -> Unusable {
        Unusable {
            identity: PluginIdentity {
                name: plugin.into(),
                version: String::new(),
                digest: String::new(),
            },
            failure,
        }
    }
}

impl Collector for Unusable {
    fn identity(&self) -> &PluginIdentity {
        &self.identity
    }

    fn check(&self, _: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        Err(self.failure.clone())
    }

    fn collect(
        &self,
        _: &CollectRequest,
        _: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        Err(self.failure.clone())
    }
}
