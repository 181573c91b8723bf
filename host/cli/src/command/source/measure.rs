//! `source measure`: how fast a source's plugin starts and hands over, with its powers and without
//! the ledger.

use super::chosen::named;
use crate::args::Format;
use crate::ui::{Ui, json_text};
use domain::diagnostic::Diagnostic;
use domain::port::{Batch, Rows};
use installation::amount_text::counted;
use installation::plugins;
use installation::settings::Settings;
use installation::sources;
use pipeline::plugin_cost::PluginCostDocument;
use serde_json::json;
use std::time::{Duration, Instant};

pub fn measure(ui: Ui, settings: &Settings, name: &str, format: Format) -> Result<(), Diagnostic> {
    let host = plugins::host(Some(settings))?;
    let began = Instant::now();
    let source = sources::one(settings, &host, named(settings, name)?, None)?;
    let loaded = began.elapsed();
    let mut first_page = None;
    let (mut pages, mut tables) = (0_u64, 0_u64);
    let collecting = Instant::now();
    let (outcome, cost) = source.collector.collect_metered(&source.request, &mut |batch: Batch| {
        first_page.get_or_insert_with(|| collecting.elapsed());
        pages += 1;
        tables += u64::from(matches!(batch.rows, Rows::Mapped(_) | Rows::MappedUsage(_)));
        Ok(())
    });
    outcome?;
    let (collected, first_page) =
        (collecting.elapsed(), first_page.unwrap_or_else(|| collecting.elapsed()));
    let plugin = source.collector.identity();
    // A rate below a row a microsecond has its digits before the point.
    let per_second = u128::from(cost.rows) * 1_000_000 / collected.as_micros().max(1);
    if format == Format::Json {
        return ui.data(&json_text(&json!({
            "name": name,
            "plugin": { "name": plugin.name, "version": plugin.version, "digest": plugin.digest },
            "loaded_us": micros(loaded),
            "first_page_us": micros(first_page),
            "collected_us": micros(collected),
            "pages": pages,
            "tables": tables,
            "rows_per_second": u64::try_from(per_second).unwrap_or(u64::MAX),
            "cost": PluginCostDocument::from(&cost),
        })));
    }
    let mut lines = vec![
        format!("{name} ({} {})", plugin.name, plugin.version),
        format!("  loaded        {}", shown(loaded)),
        format!("  first page    {} later", shown(first_page)),
        format!(
            "  handed over   {} in {}, {}: {per_second} a second",
            counted(cost.rows, "row", "rows"),
            counted(pages, "page", "pages"),
            shown(collected)
        ),
        format!(
            "  waited        {} of that for {}",
            shown(Duration::from_micros(cost.waited_us)),
            counted(cost.requests, "request", "requests")
        ),
        format!("  memory        {} KiB", cost.memory_bytes >> 10),
    ];
    if tables > 0 {
        lines.push(format!(
            "  mapped        {}, whose rows the host reads itself in a run",
            counted(tables, "table", "tables")
        ));
    }
    lines.push(String::new());
    ui.data(&lines.join("\n"))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn shown(duration: Duration) -> String {
    let micros = duration.as_micros();
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}
