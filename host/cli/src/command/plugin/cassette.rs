//! Recordings of collections: `run --record` writes them, `plugin replay` plays them with the network off.

use crate::args::Format;
use crate::command::{init, json_text, opening};
use crate::error::Failure;
use crate::ui::{Ui, counted};
use domain::charge::RawCharge;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Period};
use domain::port::{Batch, CollectRequest, Collector, PluginCost, PluginIdentity, Rows};
use plugin_host::Grants;
use reach::Reach;
use reach::cassette::{Player, Recorded, Recorder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const VERSION: u32 = 1;

/// One collection: what was wanted, and everything that was asked for it. It holds no secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cassette {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection: Option<Collection>,
    exchanges: Vec<Recorded>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    source: String,
    /// As the settings name it.
    plugin: String,
    name: String,
    plugin_version: String,
    digest: String,
    config: Value,
    period: Option<[String; 2]>,
    state: Option<String>,
    now: String,
    slots: Vec<String>,
    /// What came of it, to be compared.
    charges: u64,
    digest_of_rows: String,
    failure: Option<String>,
}

/// The exchanges of a recording, whatever it is of.
pub fn exchanges(path: &Path) -> Result<Vec<Recorded>, Diagnostic> {
    read(path).map(|cassette| cassette.exchanges)
}

fn read(path: &Path) -> Result<Cassette, Diagnostic> {
    let refuse = |reason: String| {
        Diagnostic::new(
            reach::code::PLUGIN_CASSETTE,
            format!("the recording {} cannot be read: {reason}", path.display()),
        )
        .hint("`apportion run --record DIR` writes recordings")
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let cassette: Cassette =
        serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if cassette.version == VERSION {
        Ok(cassette)
    } else {
        Err(refuse(format!(
            "it is of version {}, and this program knows {VERSION}",
            cassette.version
        )))
    }
}

/// A collector whose collections are recorded, one file each.
pub struct Recording<C> {
    inner: C,
    recorder: Option<Arc<Recorder>>,
    /// As the settings name the plugin.
    plugin: String,
    folder: PathBuf,
    files: AtomicU32,
}

impl<C: Collector> Collector for Recording<C> {
    fn identity(&self) -> &PluginIdentity {
        self.inner.identity()
    }

    fn check(&self, request: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
        self.inner.check(request)
    }

    fn collect(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        self.collect_metered(request, sink).0
    }

    fn collect_metered(
        &self,
        request: &CollectRequest,
        sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
    ) -> (Result<(), Diagnostic>, PluginCost) {
        let before = self.taken().len();
        let mut seen = Seen::default();
        let (result, cost) = self.inner.collect_metered(request, &mut |batch| {
            seen.batch(&batch);
            sink(batch)
        });
        let written = self.write(request, before, &seen, result.as_ref().err());
        (result.and(written), cost)
    }
}

impl<C: Collector> Recording<C> {
    /// `recorder` stands between the collector and the network, if it has any; `plugin` is its path from here.
    pub fn new(
        inner: C,
        recorder: Option<Arc<Recorder>>,
        plugin: String,
        folder: &Path,
    ) -> Recording<C> {
        Recording {
            inner,
            recorder,
            plugin,
            folder: folder.to_path_buf(),
            files: AtomicU32::new(0),
        }
    }

    fn taken(&self) -> Vec<Recorded> {
        self.recorder.as_ref().map(|recorder| recorder.taken()).unwrap_or_default()
    }

    fn write(
        &self,
        request: &CollectRequest,
        before: usize,
        seen: &Seen,
        failure: Option<&Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let identity = self.inner.identity();
        let number = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let collection = Collection {
            source: request.source.clone(),
            plugin: self.plugin.clone(),
            name: identity.name.clone(),
            plugin_version: identity.version.clone(),
            digest: identity.digest.clone(),
            config: serde_json::from_str(&request.config).unwrap_or(Value::Null),
            period: request
                .period
                .map(|period| [period.start().to_string(), period.end().to_string()]),
            state: request.state.clone(),
            now: request.now.clone(),
            slots: self
                .recorder
                .as_ref()
                .map(|recorder| reach::cassette::Exchange::slots(recorder.as_ref()))
                .unwrap_or_default(),
            charges: seen.charges,
            digest_of_rows: seen.digest(),
            failure: failure.map(|failure| failure.message.clone()),
        };
        let exchanges = self.taken().into_iter().skip(before).collect();
        let cassette = Cassette { version: VERSION, collection: Some(collection), exchanges };
        let text = serde_json::to_value(&cassette)
            .map_err(|error| Diagnostic::new(code::INTERNAL, error.to_string()))?;
        let name = if number == 1 {
            format!("{}.json", request.source)
        } else {
            format!("{}-{number}.json", request.source)
        };
        init::write(&self.folder.join(name), &json_text(&text))
    }
}

/// What came out, in words that can be compared.
#[derive(Default)]
struct Seen {
    charges: u64,
    rows: Vec<String>,
    batches: Vec<Value>,
}

impl Seen {
    fn batch(&mut self, batch: &Batch) {
        self.rows.extend(batch.usage.iter().map(|usage| format!("{usage:?}")));
        self.rows.extend(batch.rejected.iter().map(|row| format!("{row:?}")));
        match &batch.rows {
            Rows::Charges(charges) => self.charges(charges),
            Rows::Table(table) => match table.charges() {
                Ok(charges) => self.charges(&charges),
                Err(error) => self
                    .rows
                    .push(format!("{} charges whose tags cannot be read: {error}", table.rows)),
            },
            Rows::Mapped(mapping) => self.rows.push(format!("{mapping:?}")),
            Rows::MappedUsage(mapping) => self.rows.push(format!("{mapping:?}")),
        }
    }

    fn charges(&mut self, charges: &[RawCharge]) {
        self.charges += charges.len() as u64;
        self.rows.extend(charges.iter().map(|charge| format!("{charge:?}")));
        self.batches.extend(charges.iter().map(shown));
    }

    fn digest(&self) -> String {
        rule_engine::set::digest(self.rows.join("\n").as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn shown(charge: &RawCharge) -> Value {
    let mut members = serde_json::Map::new();
    members.insert("charge_period_start".into(), charge.charge_period_start.clone().into());
    members.insert("billed_cost".into(), charge.billed_cost.clone().into());
    members.insert("effective_cost".into(), charge.effective_cost.clone().into());
    members.insert("billing_currency".into(), charge.billing_currency.clone().into());
    members.extend(
        charge
            .dimensions
            .iter()
            .map(|(field, value)| (field.name().to_owned(), value.clone().into())),
    );
    members.insert(
        "tags".into(),
        charge.tags.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect(),
    );
    Value::Object(members)
}

/// Plays a recording to its plugin; `plugin` is another one than that of the recording, such as a newer build.
pub fn replay(ui: Ui, path: &Path, plugin: Option<&str>, format: Format) -> Result<(), Failure> {
    let cassette = read(path)?;
    let Some(collection) = cassette.collection else {
        return Err(Diagnostic::new(reach::code::PLUGIN_CASSETTE, format!("{} does not say what was collected", path.display()))
            .hint("`apportion run --record DIR` writes recordings that do; those of `plugin test` are played by it")
            .into());
    };
    let name = plugin.unwrap_or(&collection.plugin);
    let loaded = opening::plugin(&opening::plugin_host(None)?, name, Path::new("."))?;
    let powers = loaded.manifest().powers.iter().map(|request| request.power.name());
    let player = Player::new(cassette.exchanges, None, collection.slots.clone());
    let collector = loaded
        .collector(&Grants::new(&collection.source, powers)?)?
        .with_reach(Reach { http: Some(Arc::new(player)), ..Reach::default() });
    let mut seen = Seen::default();
    let result = collector.collect(&request(&collection)?, &mut |batch| {
        seen.batch(&batch);
        Ok(())
    });
    if let Err(failure) = &result
        && collection.failure.as_deref() != Some(&failure.message)
    {
        return Err(failure.clone().into());
    }
    let same = seen.digest() == collection.digest_of_rows
        && result.is_err() == collection.failure.is_some();
    ui.data(&match format {
        Format::Json => json_text(
            &json!({ "source": collection.source, "same": same, "charges": seen.batches }),
        ),
        Format::Text => {
            let verdict = if same { "as recorded" } else { "other than recorded" };
            format!(
                "{}: {}, {verdict}\n",
                collection.source,
                counted(seen.charges, "charge", "charges")
            )
        }
    })?;
    if same {
        return Ok(());
    }
    let message = format!(
        "{} charges were recorded, and {} came out; not all of them are the same",
        collection.charges, seen.charges
    );
    Err(Diagnostic::new(reach::code::PLUGIN_CASSETTE, message)
        .hint("`--format json` shows what came out")
        .into())
}

fn request(collection: &Collection) -> Result<CollectRequest, Diagnostic> {
    let day = |text: &str| text.parse::<Day>();
    let period = match &collection.period {
        None => None,
        Some([start, end]) => {
            let period = day(start).and_then(|start| Period::new(start, day(end)?));
            Some(period.map_err(|error| {
                Diagnostic::new(
                    reach::code::PLUGIN_CASSETTE,
                    format!("the recording has a period that is none: {error}"),
                )
            })?)
        }
    };
    Ok(CollectRequest {
        source: collection.source.clone(),
        config: collection.config.to_string(),
        period,
        state: collection.state.clone(),
        now: collection.now.clone(),
        tables: Vec::new(),
    })
}
