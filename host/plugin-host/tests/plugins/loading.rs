//! Before anything runs: worlds, versions, imports, powers, the compile cache.

use super::*;
use plugin_host::code;
use plugin_host::{PluginKind, Power, PowerRequest, Shelf};
use std::collections::BTreeSet;

fn refused(name: &str, bytes: &[u8]) -> (Code, String) {
    let host = host(limits());
    let diagnostic = host.load(name, bytes).map(|_| ()).unwrap_err();
    still_works(&host);
    (diagnostic.code, diagnostic.message)
}

#[test]
fn what_is_no_component_of_a_served_world_is_refused() {
    for (name, bytes, words) in [
        ("text", b"#!/bin/sh".as_slice(), "it is not WebAssembly"),
        ("empty", b"", "it is not WebAssembly"),
        ("core", b"\0asm\x01\0\0\0", "it is a core module and not a component"),
        ("cut", &test_artifacts::PANICS[..5_000], "it does not compile: "),
        (
            "hollow",
            b"\0asm\x0d\0\x01\0",
            "it exports neither apportion:plugin/collect@0.2.0 nor apportion:plugin/allocate@0.2.0",
        ),
        (
            "network",
            test_artifacts::ASKS_FOR_NETWORK,
            "it wants 'rogue:net/http@1.0.0', which this host does not offer",
        ),
        ("liar", test_artifacts::LIES_ABOUT_TYPES, "it is not a collector of version 0.2.0: "),
        (
            "secretive",
            test_artifacts::DENIES_ITS_POWER,
            "it uses the power 'table-decode' without asking for it in its manifest",
        ),
        (
            "dreamer",
            test_artifacts::ASKS_FOR_AN_UNKNOWN_POWER,
            "it asks for the power 'table-decod', which this version does not have",
        ),
    ] {
        let (refused, message) = refused(name, bytes);
        assert_eq!(refused, code::PLUGIN_INVALID, "{name}: {message}");
        assert!(message.starts_with(&format!("plugin {name} (")), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let small = host(PluginLimits { component_bytes: 1_000, ..limits() });
    let message = small.load("fat", test_artifacts::PANICS).map(|_| ()).unwrap_err().message;
    assert!(message.contains("bytes, and the limit is 1000"), "{message}");
}

#[test]
fn a_power_is_refused_while_a_plugin_describes_itself() {
    let (refused, message) = refused("early", test_artifacts::GRABS_POWER_EARLY);
    assert_eq!(refused, domain::code::PLUGIN_DENIED);
    assert!(
        message.ends_with(
            "was stopped in `describe`: it used the power 'table-decode', which it does not have"
        ),
        "{message}"
    );
}

#[test]
fn a_power_that_is_not_granted_is_refused_with_the_lines_to_add() {
    let host = host(limits());
    let plugin = load(&host, "tables", test_artifacts::ASKS_FOR_TABLES);
    let request = PowerRequest {
        power: Power::TableDecode,
        reason: "to look into tables".into(),
        optional: false,
    };
    assert_eq!(plugin.manifest().powers, [request]);
    let refused = plugin.collector(&Grants::new("bill", []).unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, domain::code::PLUGIN_DENIED);
    assert!(refused.message.contains(
        "asks for the power 'table-decode' (to look into tables), which source 'bill' \
         does not grant"
    ));
    assert_eq!(refused.hint_text().as_deref(), Some("[sources.bill]\ngrants = [\"table-decode\"]"));
    still_works(&host);
}

#[test]
fn a_plugin_that_asks_for_nothing_gets_nothing() {
    let host = host(limits());
    let plugin = load(&host, "good", test_artifacts::COLLECTS_CHARGES);
    let imports: BTreeSet<&str> = plugin.imports().iter().map(String::as_str).collect();
    assert_eq!(
        imports,
        BTreeSet::from(["apportion:plugin/log@0.2.0", "apportion:plugin/types@0.2.0"])
    );
    let ungranted = plugin.collector(&Grants::new("bill", []).unwrap()).unwrap();
    assert_eq!(charges(collect(&ungranted, &request("", Vec::new())).unwrap()).len(), 3);
}

#[test]
fn a_plugin_of_one_kind_does_not_serve_as_the_other() {
    let host = host(limits());
    let collector = load(&host, "good", test_artifacts::COLLECTS_CHARGES);
    let allocator = load(&host, "good", test_artifacts::ALLOCATES_BY_DRIVER);
    assert_eq!(
        (collector.kind(), allocator.kind()),
        (PluginKind::Collector, PluginKind::Allocator)
    );
    let refused = collector.allocator().map(|_| ()).unwrap_err();
    assert_eq!(refused.code, code::PLUGIN_INVALID);
    assert!(
        refused.message.ends_with("it is a collector, and an allocator is needed"),
        "{}",
        refused.message
    );
    let refused = allocator.collector(&Grants::new("bill", []).unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, code::PLUGIN_INVALID);
}

#[test]
fn compiled_code_is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let cached = || {
        PluginHost::new(HostOptions {
            cache_dir: Some(folder.path().join("compiled")),
            limits: limits(),
            compiler: None,
        })
        .unwrap()
    };
    let collect_on = |host: &PluginHost| {
        let plugin = load(host, "good", test_artifacts::COLLECTS_CHARGES);
        charges(collect(&granted(&plugin), &request("", Vec::new())).unwrap())
    };
    let first = collect_on(&cached());
    let kept = std::fs::read_dir(folder.path().join("compiled")).unwrap().count();
    assert!(kept > 0, "nothing was kept");
    assert_eq!(collect_on(&cached()), first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open_to_all = folder.path().join("open");
        std::fs::create_dir(&open_to_all).unwrap();
        std::fs::set_permissions(&open_to_all, std::fs::Permissions::from_mode(0o777)).unwrap();
        let refused = PluginHost::new(HostOptions {
            cache_dir: Some(open_to_all),
            limits: limits(),
            compiler: None,
        })
        .map(|_| ())
        .unwrap_err();
        assert_eq!(refused.code, domain::code::CONFIG_VALUE);
        assert!(refused.message.ends_with("everybody can write to it"), "{}", refused.message);
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused =
        PluginHost::new(HostOptions { cache_dir: Some(file), limits: limits(), compiler: None })
            .map(|_| ())
            .unwrap_err();
    assert_eq!(refused.code, domain::code::CONFIG_VALUE);
}

/// A run collects from several threads, and a server keeps the host.
#[test]
fn hosts_and_plugins_go_from_thread_to_thread() {
    fn shared<T: Send + Sync>(_: &T) {}
    let host = host(limits());
    let plugin = load(&host, "good", test_artifacts::COLLECTS_CHARGES);
    let collector = granted(&plugin);
    shared(&host);
    shared(&plugin);
    shared(&collector);
    let counts = std::thread::scope(|scope| {
        let count = || charges(collect(&collector, &request("", Vec::new())).unwrap()).len();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(counts, [3, 3, 3, 3]);
}

/// A test plugin that no test names would prove nothing.
#[test]
fn every_test_plugin_is_used_by_a_test() {
    let tests = [
        include_str!("allocators.rs"),
        include_str!("collectors.rs"),
        include_str!("contract.rs"),
        include_str!("contract.rs"),
        include_str!("hostile.rs"),
        include_str!("http.rs"),
        include_str!("loading.rs"),
        include_str!("main.rs"),
    ];
    let unused: Vec<&&str> = test_artifacts::NAMES
        .iter()
        .filter(|name| {
            !tests
                .iter()
                .any(|test| test.contains(&format!("test_artifacts::{}", name.to_uppercase())))
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_new_file_takes_the_place_only_when_it_is_good_and_who_began_with_the_old_one_keeps_it() {
    let shelf = Shelf::new(host(limits()));
    let take = |bytes: &[u8]| shelf.take("acme-bill", bytes).unwrap();
    let first = take(test_artifacts::ACME_BILL);
    assert_eq!(
        (first.plugin.identity().version.as_str(), first.generation, first.failure),
        ("1.0.0", 1, None)
    );
    let running = granted(&first.plugin);
    let broken = take(b"\0asm\x0d\0\x01\0junk");
    assert_eq!((broken.plugin.identity().version.as_str(), broken.generation), ("1.0.0", 1));
    assert_eq!(broken.failure.map(|finding| finding.code), Some(code::PLUGIN_INVALID));
    let next = take(test_artifacts::ACME_BILL_ASKS_MORE);
    assert_eq!(
        (next.plugin.identity().version.as_str(), next.generation, next.failure),
        ("1.1.0", 2, None)
    );
    assert_eq!(collect(&running, &request("{}", Vec::new())).unwrap().len(), 1);
    assert_eq!(running.identity().version, "1.0.0");
    assert_eq!(
        shelf.load("other", b"junk").map(|_| ()).map_err(|finding| finding.code),
        Err(code::PLUGIN_INVALID)
    );
}
