//! `plugin replay`: plays a recording to a plugin, with the network off.

use crate::args::Format;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::port::Collector;
use installation::amount_text::counted;
use installation::plugins;
use installation::recording::{self, CollectedRows};
use plugin_host::Grants;
use reach::Clients;
use reach::cassette::Player;
use reach::code::PLUGIN_CASSETTE;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// Plays a recording to its plugin; `plugin` is another one than that of the recording, such as a
/// newer build.
pub fn replay(ui: Ui, path: &Path, plugin: Option<&str>, format: Format) -> Result<(), Failure> {
    let cassette = recording::read(path)?;
    let Some(collection) = cassette.collection else {
        let message = format!("{} does not say what was collected", path.display());
        let hint = Hint::command("run --record DIR")
            .then(" writes recordings that do; those of ")
            .then("`plugin test` are played by it");
        return Err(Diagnostic::new(PLUGIN_CASSETTE, message).hint(hint).into());
    };
    let name = plugin.unwrap_or(&collection.plugin);
    let loaded = plugins::plugin(&plugins::host(None)?, name, Path::new("."))?;
    let powers = loaded.manifest().powers.iter().map(|request| request.power.name());
    let player = Player::new(cassette.exchanges, None, collection.slots.clone());
    let collector = loaded
        .collector(&Grants::new(&collection.source, powers)?)?
        .with_clients(Clients { http: Some(Arc::new(player)), ..Clients::default() });
    let mut rows = CollectedRows::default();
    let result = collector.collect(&collection.request()?, &mut |batch| {
        rows.batch(&batch);
        Ok(())
    });
    if let Err(failure) = &result
        && collection.failure.as_deref() != Some(&failure.message)
    {
        return Err(failure.clone().into());
    }
    let same = rows.digest() == collection.digest_of_rows
        && result.is_err() == collection.failure.is_some();
    ui.data(&match format {
        Format::Json => json_text(
            &json!({ "source": collection.source, "same": same, "charges": rows.batches }),
        ),
        Format::Text => {
            let verdict = if same { "as recorded" } else { "other than recorded" };
            format!(
                "{}: {}, {verdict}\n",
                collection.source,
                counted(rows.charges, "charge", "charges")
            )
        }
    })?;
    if same {
        return Ok(());
    }
    let message = format!(
        "{} charges were recorded, and {} came out; not all of them are the same",
        collection.charges, rows.charges
    );
    Err(Diagnostic::new(PLUGIN_CASSETTE, message)
        .hint("`--format json` shows what came out")
        .into())
}
