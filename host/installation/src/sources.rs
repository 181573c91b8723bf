//! Opens the sources of the settings: the powers of each, the files at its paths, and its plugin.

use crate::clients::clients;
use crate::clock;
use crate::config_place;
use crate::locate::{self, SourceTables};
use crate::plugins;
use crate::recording::Recording;
use crate::settings::Settings;
use crate::settings::setting::Origin;
use crate::settings::source::{RESTATE_DAYS_MAX, SourceSettings};
use crate::unusable::Unusable;
use crate::watched_collector::WatchedCollector;
use domain::charge::KeptDetails;
use domain::code::{self, Fault};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::{Period, instant};
use domain::port::{CollectRequest, Collector};
use pipeline::source::{Accrual, Source};
use plugin_host::{Ceiling, CeilingPlace, Grants, Shelf};
use reach::cassette::{Exchange, Recorder};
use reports::coverage::days::SourceWindow;
use reports::coverage::query::SourceFacts;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Where neither the settings nor the plugin say how long a source restates its days.
const RESTATE_DAYS: u32 = 3;

/// Opens all sources. With a folder, their HTTP requests are recorded into it.
pub fn all(
    settings: &Settings,
    period: Option<Period>,
    record: Option<&Path>,
) -> Result<Vec<Source>, Vec<Diagnostic>> {
    if settings.sources.is_empty() {
        let hint = Hint::text("add a section `[sources.NAME]` with `plugin` and `paths`, ")
            .then("or allocate what is stored with ")
            .then(Hint::command("run --stored"));
        let message = "the settings have no source to collect from";
        return Err(vec![Diagnostic::new(code::CONFIG_VALUE, message).hint(hint)]);
    }
    let host = plugins::host(Some(settings)).map_err(|finding| vec![finding])?;
    let (mut sources, mut findings) = (Vec::new(), Vec::new());
    let all: Vec<&SourceSettings> = settings.sources().collect();
    for (source_settings, granted) in all.iter().zip(all_granted(settings, &all)) {
        match granted.and_then(|granted| {
            recorded_source(settings, &host, source_settings, granted, period, record)
        }) {
            Ok(source) => sources.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(sources) } else { Err(findings) }
}

/// One source. If its plugin or its store cannot be used, and that is not a matter of the settings,
/// the source fails in the run.
pub fn one(
    settings: &Settings,
    host: &Shelf,
    source: &SourceSettings,
    period: Option<Period>,
) -> Result<Source, Diagnostic> {
    recorded_source(settings, host, source, granted(settings, source)?, period, None)
}

/// The powers of a source, and the files at its paths.
struct GrantedFiles {
    grants: Grants,
    located: Result<SourceTables, Diagnostic>,
}

/// Lists the objects of stores, which can take long. It fails only where the settings are wrong.
fn granted(settings: &Settings, source: &SourceSettings) -> Result<GrantedFiles, Diagnostic> {
    let grants = Grants::new(&source.name, source.grants.value.names())?.under(ceiling(settings));
    match locate::locate(settings, source, &grants) {
        Err(failure) if failure.code.fault() != Fault::Incomplete => Err(failure),
        located => Ok(GrantedFiles { grants, located }),
    }
}

/// The same for all sources, several at a time, so that the waits for slow stores are not added up.
fn all_granted(
    settings: &Settings,
    sources: &[&SourceSettings],
) -> Vec<Result<GrantedFiles, Diagnostic>> {
    let places: Vec<OnceLock<Result<GrantedFiles, Diagnostic>>> =
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
        (0..settings.limits.sources_at_once.value.size().min(places.len()))
            .for_each(|_| drop(scope.spawn(take_turns)))
    });
    let lost = || Err(Diagnostic::new(code::INTERNAL, "a source was not opened"));
    places.into_iter().map(|place| place.into_inner().unwrap_or_else(lost)).collect()
}

fn recorded_source(
    settings: &Settings,
    host: &Shelf,
    source: &SourceSettings,
    granted: GrantedFiles,
    period: Option<Period>,
    record: Option<&Path>,
) -> Result<Source, Diagnostic> {
    let GrantedFiles { grants, located } = granted;
    let mut request = CollectRequest {
        source: source.name.clone(),
        config: source.config.value.0.to_string(),
        period,
        state: None,
        now: instant(clock::now_ms()),
        tables: Vec::new(),
    };
    let plugin = plugins::plugin(host, &source.plugin.value, &settings.root);
    let restated = plugin.as_ref().ok().and_then(|plugin| plugin.manifest().restatement_days);
    if let Ok(plugin) = &plugin {
        config_place::check(&settings.text, source, plugin)?;
    }
    let opened = plugin
        .and_then(|plugin| plugin.collector(&grants))
        .and_then(|collector| Ok((collector, located?)));
    let collector: Box<dyn Collector> = match opened {
        Ok((collector, located)) => {
            if let Some(unread) = &located.unread {
                tracing::info!("{}: {unread}", source.name);
            }
            request.tables = located.tables;
            let mut clients = clients(&settings.root, source, located.files)?;
            let recorded = clients.http.clone().filter(|_| record.is_some());
            let recorder = recorded.map(|http| Arc::new(Recorder::new(http)));
            if let Some(recorder) = &recorder {
                clients.http = Some(Arc::clone(recorder) as Arc<dyn Exchange>);
            }
            let collector = collector
                .with_clients(clients)
                .with_log(Arc::new(|plugin, line| plugins::log(plugin, &line)));
            match record {
                Some(folder) => {
                    let plugin = plugin_from_here(settings, source);
                    let watcher = Recording::new(recorder, plugin, folder);
                    Box::new(WatchedCollector { collector: Arc::new(collector), watcher })
                }
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
        accrues_for: accrual(settings, source),
        formerly: source.formerly.value.clone(),
        window: window(source, restated),
        delivery: source.delivery.value,
        repeats: source.repeats.value,
        kept: kept(settings, source),
    })
}

/// The bill that the source estimates. Dimensions that are not kept match nothing.
fn accrual(settings: &Settings, source: &SourceSettings) -> Option<Accrual> {
    let mut by = source.accrues_by.value.clone();
    by.retain(|field| settings.dimensions.value.contains(field));
    let bill = source.accrues_for.value.clone()?;
    let formerly = settings.sources().filter(|it| it.name == bill).map(|it| &it.formerly.value);
    Some(Accrual {
        formerly: formerly.flatten().cloned().collect(),
        bill,
        by,
        settled_after_days: u32::try_from(source.settled_after_days.value.get()).ok()?,
    })
}

/// What the source says of the details of its charges, or else the installation.
pub(crate) fn kept(settings: &Settings, source: &SourceSettings) -> KeptDetails {
    source.details.value.unwrap_or(settings.details.value)
}

/// The name of a source's plugin for `plugin replay`.
fn plugin_from_here(settings: &Settings, source: &SourceSettings) -> String {
    let name = &source.plugin.value;
    if plugins::is_path(name) { settings.path(name).display().to_string() } else { name.clone() }
}

/// Some sources; in place of one that cannot be opened there is one that fails with the reason why.
pub fn or_failures(settings: &Settings, host: &Shelf, some: &[&SourceSettings]) -> Vec<Source> {
    let now = instant(clock::now_ms());
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
        accrues_for: accrual(settings, of),
        formerly: of.formerly.value.clone(),
        window: window(of, None),
        delivery: of.delivery.value,
        repeats: of.repeats.value,
        kept: kept(settings, of),
    };
    let opened = |of: &SourceSettings, granted: Result<GrantedFiles, Diagnostic>| {
        granted
            .and_then(|granted| recorded_source(settings, host, of, granted, None, None))
            .unwrap_or_else(|failure| failing(of, failure))
    };
    some.iter().zip(all_granted(settings, some)).map(|(of, granted)| opened(of, granted)).collect()
}

/// The days that a source without paths is asked for. Files are read whole.
fn window(source: &SourceSettings, restated: Option<u32>) -> Option<SourceWindow> {
    let since = source.since.value;
    let restate_days = source
        .restate_days
        .value
        .and_then(|days| u32::try_from(days.get()).ok())
        .or(restated)
        .unwrap_or(RESTATE_DAYS)
        .min(RESTATE_DAYS_MAX as u32);
    source.paths.value.is_empty().then_some(SourceWindow { since, restate_days })
}

/// The facts of a source that are known before its plugin is opened.
pub fn facts(source: &SourceSettings) -> SourceFacts {
    SourceFacts {
        name: source.name.clone(),
        window: window(source, None),
        is_estimate: source.accrues_for.value.is_some(),
        schedule: source.schedule.value.0.clone(),
    }
}

/// The powers that the deployment lets its sources grant.
fn ceiling(settings: &Settings) -> Ceiling {
    let powers = &settings.limits.powers;
    let place = match powers.origin {
        Origin::Env(variable) => CeilingPlace::Variable(variable.into()),
        _ => CeilingPlace::File(powers.origin.to_string()),
    };
    Ceiling::new(powers.value.names(), place)
}
