//! Recordings of collections: `run --record` writes them, and `plugin replay` reads them.

use crate::file;
use crate::watched_collector::Watcher;
use domain::charge::RawCharge;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::{Day, Period};
use domain::port::{Batch, CollectRequest, PluginIdentity, Rows};
use reach::cassette::{Exchange, RecordedExchange, Recorder};
use reach::code::PLUGIN_CASSETTE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const VERSION: u32 = 1;

/// One collection: its request, and every exchange over HTTP. It holds no secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<Collection>,
    pub exchanges: Vec<RecordedExchange>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    pub source: String,
    /// As the settings name it.
    pub plugin: String,
    name: String,
    plugin_version: String,
    digest: String,
    config: Value,
    period: Option<[String; 2]>,
    state: Option<String>,
    now: String,
    pub slots: Vec<String>,
    /// The outcome, which a replay is compared with.
    pub charges: u64,
    pub digest_of_rows: String,
    pub failure: Option<String>,
}

impl Collection {
    /// The request, to be made again.
    pub fn request(&self) -> Result<CollectRequest, Diagnostic> {
        let day = |text: &str| text.parse::<Day>().map_err(|error| error.to_string());
        let between = |start, end| Period::new(start, end).map_err(|error| error.to_string());
        let period = match &self.period {
            None => None,
            Some([start, end]) => {
                let period = day(start).and_then(|start| between(start, day(end)?));
                Some(period.map_err(|error| {
                    Diagnostic::new(
                        PLUGIN_CASSETTE,
                        format!("the recording has a period that is none: {error}"),
                    )
                })?)
            }
        };
        Ok(CollectRequest {
            source: self.source.clone(),
            config: self.config.to_string(),
            period,
            state: self.state.clone(),
            now: self.now.clone(),
            tables: Vec::new(),
        })
    }
}

/// The exchanges of a recording of any kind.
pub fn exchanges(path: &Path) -> Result<Vec<RecordedExchange>, Diagnostic> {
    read(path).map(|cassette| cassette.exchanges)
}

/// Reads a recording of a version that is known.
pub fn read(path: &Path) -> Result<Cassette, Diagnostic> {
    let refuse = |reason: String| {
        Diagnostic::new(
            PLUGIN_CASSETTE,
            format!("the recording {} cannot be read: {reason}", path.display()),
        )
        .hint(Hint::command("run --record DIR").then(" writes recordings"))
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

/// Writes the collections that it sees, one file each.
pub struct Recording {
    recorder: Option<Arc<Recorder>>,
    /// As the settings name the plugin.
    plugin: String,
    folder: PathBuf,
    files: AtomicU32,
    open: Mutex<OpenRecording>,
}

/// The rows of a collection under way, and the number of exchanges that were taken before it.
#[derive(Default)]
struct OpenRecording {
    rows: CollectedRows,
    exchanges_before: usize,
}

impl Watcher for Recording {
    fn begin(&self) {
        let exchanges_before = self.taken().len();
        *self.open() = OpenRecording { rows: CollectedRows::default(), exchanges_before };
    }

    fn see(&self, _: &CollectRequest, batch: &Batch) {
        self.open().rows.batch(batch);
    }

    fn end(
        &self,
        request: &CollectRequest,
        plugin: &PluginIdentity,
        failure: Option<&Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let open = std::mem::take(&mut *self.open());
        self.write(request, plugin, &open, failure)
    }
}

impl Recording {
    /// `recorder` stands between the collector and the network, if it has any; `plugin` is its path
    /// from here.
    pub fn new(recorder: Option<Arc<Recorder>>, plugin: String, folder: &Path) -> Recording {
        Recording {
            recorder,
            plugin,
            folder: folder.to_path_buf(),
            files: AtomicU32::new(0),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, OpenRecording> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> Vec<RecordedExchange> {
        self.recorder.as_ref().map(|recorder| recorder.taken()).unwrap_or_default()
    }

    fn write(
        &self,
        request: &CollectRequest,
        identity: &PluginIdentity,
        open: &OpenRecording,
        failure: Option<&Diagnostic>,
    ) -> Result<(), Diagnostic> {
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
            slots: self.recorder.as_ref().map(|recorder| recorder.slots()).unwrap_or_default(),
            charges: open.rows.charges,
            digest_of_rows: open.rows.digest(),
            failure: failure.map(|failure| failure.message.clone()),
        };
        let exchanges = self.taken().into_iter().skip(open.exchanges_before).collect();
        let cassette = Cassette { version: VERSION, collection: Some(collection), exchanges };
        let text = serde_json::to_value(&cassette)
            .map_err(|error| Diagnostic::new(code::INTERNAL, error.to_string()))?;
        let name = if number == 1 {
            format!("{}.json", request.source)
        } else {
            format!("{}-{number}.json", request.source)
        };
        file::write(&self.folder.join(name), &format!("{text:#}\n"))
    }
}

/// The rows of a collection, as text that can be compared.
#[derive(Default)]
pub struct CollectedRows {
    pub charges: u64,
    rows: Vec<String>,
    /// Every charge, as JSON.
    pub batches: Vec<Value>,
}

impl CollectedRows {
    pub fn batch(&mut self, batch: &Batch) {
        self.rows.extend(batch.usage.iter().map(|usage| format!("{usage:?}")));
        self.rows.extend(batch.rejected.iter().map(|row| format!("{row:?}")));
        self.rows.extend(batch.deliveries.iter().map(|delivery| format!("{delivery:?}")));
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

    pub fn digest(&self) -> String {
        rule_engine::digest::of_bytes(self.rows.join("\n").as_bytes())
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
    // A charge may lack these.
    let told = [
        ("billing_period_start", &charge.billing_period_start),
        ("pricing_quantity", &charge.pricing_quantity),
        ("consumed_quantity", &charge.consumed_quantity),
        ("list_unit_price", &charge.list_unit_price),
        ("contracted_unit_price", &charge.contracted_unit_price),
        ("list_cost", &charge.list_cost),
        ("contracted_cost", &charge.contracted_cost),
    ];
    for (name, text) in told.into_iter().filter(|(_, text)| !text.is_empty()) {
        members.insert(name.into(), text.clone().into());
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::port::Delivery;

    #[test]
    fn a_charge_is_shown_with_what_it_tells() {
        let bare = RawCharge { billed_cost: "8.00".into(), ..RawCharge::default() };
        let told = RawCharge {
            billing_period_start: "2026-03-01".into(),
            pricing_quantity: "4".into(),
            ..bare.clone()
        };
        let lacks = |value: &Value, name: &str| value.get(name).is_none();
        assert!(lacks(&shown(&bare), "billing_period_start"));
        assert!(lacks(&shown(&told), "list_cost"));
        assert_eq!(shown(&told)["billing_period_start"], "2026-03-01");
        assert_eq!(shown(&told)["pricing_quantity"], "4");
    }

    #[test]
    fn other_deliveries_are_another_collection() {
        let digest = |left_out: Option<&str>| {
            let delivery = Delivery {
                name: "run-1".into(),
                billing_period: None,
                left_out: left_out.map(str::to_owned),
            };
            let mut rows = CollectedRows::default();
            rows.batch(&Batch { deliveries: vec![delivery], ..Batch::default() });
            rows.digest()
        };
        assert_eq!(digest(None), digest(None));
        assert_ne!(digest(None), digest(Some("a newer run has the same month")));
    }
}
