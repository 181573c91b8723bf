//! Every test plugin against the host: its behavior, its diagnostic, and a host that works on
//! afterwards.

mod allocators;
mod collectors;
mod contract;
mod focus_file;
mod hostile;
mod http;
mod loading;

use domain::charge::RawCharge;
use domain::code::Code;
use domain::diagnostic::Diagnostic;
use domain::port::{Batch, CollectRequest, Collector, GrantedTable, Rows};
use domain::text_form::TextForm;
use plugin_host::{CollectorPlugin, Grants, HostOptions, Plugin, PluginHost, PluginLimits};
use std::time::Duration;

/// Small and quick limits: reaching one costs little. No test measures time.
fn limits() -> PluginLimits {
    PluginLimits {
        call: Duration::from_secs(20),
        memory_bytes: 32 << 20,
        batch_bytes: 4 << 20,
        output_rows: 1_000,
        batches: 50,
        host_calls: 20_000,
        log_lines: 100,
        fuel_call: 50_000_000,
        ..PluginLimits::default()
    }
}

fn host(limits: PluginLimits) -> PluginHost {
    PluginHost::new(HostOptions { cache_dir: None, limits, compiler: None }).unwrap()
}

fn load(host: &PluginHost, name: &str, bytes: &[u8]) -> Plugin {
    host.load(name, bytes).unwrap_or_else(|diagnostic| panic!("{name}: {diagnostic}"))
}

fn granted(plugin: &Plugin) -> CollectorPlugin {
    plugin.collector(&Grants::new("bill", ["table-decode"]).unwrap()).unwrap()
}

fn request(config: &str, tables: Vec<GrantedTable>) -> CollectRequest {
    CollectRequest {
        source: "bill".into(),
        config: config.into(),
        period: None,
        state: None,
        now: "2026-04-01T00:00:00Z".into(),
        tables,
    }
}

fn table(folder: &tempfile::TempDir, name: &str, text: &str) -> GrantedTable {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    GrantedTable { name: name.into(), path, form: TextForm::default() }
}

/// Collects all pages, or the diagnostic that ended the collection.
fn collect(plugin: &CollectorPlugin, request: &CollectRequest) -> Result<Vec<Batch>, Diagnostic> {
    let mut batches = Vec::new();
    plugin.collect(request, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}

fn refusal(plugin: &CollectorPlugin, request: &CollectRequest) -> (Code, String) {
    match collect(plugin, request) {
        Ok(batches) => panic!("{} pages came through", batches.len()),
        Err(diagnostic) => (diagnostic.code, diagnostic.message),
    }
}

fn charges(batches: Vec<Batch>) -> Vec<RawCharge> {
    let of_batch = |batch: Batch| match batch.rows {
        Rows::Charges(charges) => charges,
        Rows::Table(table) => table.charges().unwrap(),
        other => panic!("{other:?}"),
    };
    batches.into_iter().flat_map(of_batch).collect()
}

/// The host still works: the well-behaved plugin collects its three charges on it.
fn still_works(host: &PluginHost) {
    let good = granted(&load(host, "good", test_artifacts::COLLECTS_CHARGES));
    assert_eq!(charges(collect(&good, &request("", Vec::new())).unwrap()).len(), 3);
}
