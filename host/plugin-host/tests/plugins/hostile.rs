//! Plugins that misbehave, each with the diagnostic that it gets. After each one the same host
//! still works.

use super::*;
use plugin_host::code;

/// Runs a hostile plugin with each of the settings, expects its diagnostic, and then has a good one
/// work on the same host.
fn ends_each(
    limits: PluginLimits,
    bytes: &[u8],
    tables: &[GrantedTable],
    code: Code,
    cases: &[(&str, &str)],
) {
    let host = host(limits);
    let plugin = load(&host, "hostile", bytes);
    let identity = plugin.identity();
    let label = format!("plugin {} 0.1.0 ({})", identity.name, &identity.digest[..12]);
    for (config, words) in cases {
        let (refused, message) = refusal(&granted(&plugin), &request(config, tables.to_vec()));
        assert_eq!(refused, code, "{config}: {message}");
        assert!(message.starts_with(&label), "{message}");
        assert!(message.contains(words), "{config}: {message}");
    }
    still_works(&host);
}

fn ends(limits: PluginLimits, bytes: &[u8], config: &str, code: Code, words: &str) {
    ends_each(limits, bytes, &[], code, &[(config, words)]);
}

/// For guests that never come back: the shorter the deadline, the sooner the test is done.
fn short() -> PluginLimits {
    PluginLimits { call: Duration::from_millis(50), ..limits() }
}

#[test]
fn an_endless_loop_meets_the_deadline() {
    let words = "was stopped in `next`: the limit for one call is 50 ms";
    ends_on_two_hosts(short(), "", words);
    ends_on_two_hosts(short(), "open", "was stopped in `open`: the limit for one call is 50 ms");
    let whole = PluginLimits { collection: Duration::from_millis(50), ..limits() };
    ends_on_two_hosts(whole, "", "was stopped in `next`: the limit for all calls is 50 ms");
}

/// A good plugin may not be quick enough for the short deadline on a busy machine, so another host
/// proves that a good plugin still works.
fn ends_on_two_hosts(short: PluginLimits, config: &str, words: &str) {
    let (hurried, patient) = (host(short), host(limits()));
    let bytes = test_artifacts::SPINS_FOREVER;
    // Describing itself has to fit the deadline too, so the plugin is loaded again until the
    // machine has time for it.
    let plugin =
        std::iter::repeat_with(|| hurried.load("spins", bytes)).find_map(Result::ok).unwrap();
    let (refused, message) = refusal(&granted(&plugin), &request(config, Vec::new()));
    assert_eq!(refused, code::PLUGIN_TIMEOUT, "{message}");
    assert!(
        message.contains("plugin spins-forever 0.1.0 (") && message.contains(words),
        "{message}"
    );
    still_works(&patient);
}

#[test]
fn hunger_for_memory_meets_its_limit() {
    ends(
        limits(),
        test_artifacts::EATS_MEMORY,
        "",
        code::PLUGIN_MEMORY,
        "bytes of memory, and its limit is 33554432",
    );
}

#[test]
fn tables_and_instances_are_counted_before_anything_runs() {
    let few_elements = host(PluginLimits { table_elements: 1, ..limits() });
    let refused =
        few_elements.load("good", test_artifacts::COLLECTS_CHARGES).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, code::PLUGIN_MEMORY);
    assert!(refused.message.contains("table elements, and its limit is 1"), "{}", refused.message);
    let few_instances = host(PluginLimits { instances: 1, ..limits() });
    let refused =
        few_instances.load("good", test_artifacts::COLLECTS_CHARGES).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, code::PLUGIN_MEMORY);
    assert!(refused.message.contains("(the limit is 1)"), "{}", refused.message);
}

#[test]
fn a_panic_is_reported_with_its_words() {
    ends(limits(), test_artifacts::PANICS, "", domain::code::PLUGIN_TRAPPED, "the moon is full");
}

#[test]
fn a_full_stack_is_a_crash() {
    ends(
        limits(),
        test_artifacts::RECURSES,
        "",
        domain::code::PLUGIN_TRAPPED,
        "crashed in `next`: ",
    );
}

#[test]
fn too_much_output_is_refused_by_rows_and_by_bytes() {
    let cases = [
        ("rows", "it returned more rows than its limit of 1000"),
        ("rejected", "it returned more rows than its limit of 1000"),
        ("text", "it handed over more than its limit of 4194304 bytes at once"),
        ("json", "it handed over more than its limit of 4194304 bytes at once"),
    ];
    ends_each(limits(), test_artifacts::HUGE_OUTPUT, &[], code::PLUGIN_OUTPUT, &cases);
    let few = PluginLimits { output_bytes: 10_000, ..limits() };
    ends(
        few,
        test_artifacts::HUGE_OUTPUT,
        "rows",
        code::PLUGIN_OUTPUT,
        "it returned more bytes than its limit of 10000",
    );
}

#[test]
fn endless_pages_are_refused_full_or_empty() {
    let pages = "it returned more pages than its limit of 50";
    ends(limits(), test_artifacts::ENDLESS_BATCHES, "empty", code::PLUGIN_OUTPUT, pages);
    let few = PluginLimits { output_rows: 10, ..limits() };
    ends(
        few,
        test_artifacts::ENDLESS_BATCHES,
        "rows",
        code::PLUGIN_OUTPUT,
        "it returned more rows than its limit of 10",
    );
}

#[test]
fn calling_the_host_for_ever_meets_its_limit() {
    ends(
        limits(),
        test_artifacts::CALLS_THE_HOST_FOREVER,
        "",
        code::PLUGIN_CALLS,
        "its limit of 20000 times",
    );
}

#[test]
fn junk_is_refused_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let tables = [table(&folder, "bill.csv", "a,b,c\n1,USD,2026-03-01\n")];
    let cases = [
        ("json-broken", "its JSON is broken: "),
        ("json-not-utf8", "its JSON is broken: "),
        ("json-not-rows", "expected an array of charges"),
        ("json-unknown-field", "a charge has no field 'bild_cost'; did you mean 'billed_cost'?"),
        ("json-twice", "a charge gives 'billed_cost' twice"),
        ("json-new-field-twice", "a charge gives 'list_cost' twice"),
        ("json-number", "expected a string"),
        ("json-lacks", "a charge has no 'charge_period_start'"),
        ("json-more", "its JSON is broken: trailing characters"),
        ("json-deep", "its JSON is broken: "),
        ("arrow-broken", "its Arrow stream "),
        ("arrow-huge", "its Arrow stream "),
        ("arrow-cut", "its Arrow stream is broken: "),
        ("arrow-lacks", "its Arrow stream has no column 'billed_cost'"),
        ("arrow-float", "its Arrow column 'billed_cost' is Float64"),
        ("charge-twice", "a charge gives 'service_name' twice"),
        ("mapping-ungranted", "it maps the table '/etc/passwd', which it was not granted"),
        ("mapping-incomplete", "its mapping of 'bill.csv' does not feed BilledCost"),
        ("mapping-feed-twice", "its mapping of 'bill.csv' feeds BilledCost twice"),
        (
            "mapping-no-billing-period",
            "its mapping of 'bill.csv' has a billing period that is no date: '2026-3' is not \
             a date such as 2026-03-31",
        ),
        ("mapping-twice", "it maps the table 'bill.csv' twice, whose rows would count double"),
    ];
    ends_each(limits(), test_artifacts::RETURNS_JUNK, &tables, domain::code::PLUGIN_JUNK, &cases);
}
