//! The version of the contract that a component speaks, by the names of its imports and exports.
//!
//! Within a minor version the contract only grows, and no interface changes. The minor version
//! before the newest is served too: what it has otherwise is turned into the newest types.

mod before;
pub mod bindings;
pub mod exports;
pub mod imports;

use crate::manifest::PluginKind;

pub const PACKAGE: &str = "apportion:plugin/";
/// The newest version.
pub const VERSION: &str = "0.2.0";
/// Every version that is served, oldest first: those of the newest minor version and of the one
/// before it.
pub const SERVED: [&str; 3] = ["0.1.0", "0.1.1", VERSION];

/// The world of a component, by its exports, and the version that it was made for.
pub fn kind_of<'a>(
    exports: impl Iterator<Item = &'a str>,
) -> Result<(PluginKind, &'static str), String> {
    let mut found = None;
    for name in exports {
        let kind = match name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@')) {
            Some(("collect", version)) => (PluginKind::Collector, served(version)?),
            Some(("allocate", version)) => (PluginKind::Allocator, served(version)?),
            _ => continue,
        };
        if found.replace(kind).is_some() {
            return Err("it exports both `collect` and `allocate`".into());
        }
    }
    found.ok_or_else(|| {
        format!("it exports neither {PACKAGE}collect@{VERSION} nor {PACKAGE}allocate@{VERSION}")
    })
}

/// The interface that an import names, such as `table-decode`. `None` if the host does not offer
/// it.
pub fn interface_of(import: &str) -> Option<&str> {
    let (interface, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
    SERVED.contains(&version).then_some(interface)
}

/// Whether a version has the types of the newest one.
pub fn is_of_newest_minor(version: &str) -> bool {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    minor(version) == minor(VERSION)
}

fn served(version: &str) -> Result<&'static str, String> {
    let [earlier @ .., newest] = SERVED;
    let found = SERVED.into_iter().find(|served| *served == version);
    found.ok_or_else(|| {
        format!(
            "it is made for version {version} of the contract, and this host serves {} and \
             {newest}",
            earlier.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_and_version_are_in_the_names() {
        let kind = |names: &[&str]| kind_of(names.iter().copied());
        assert_eq!(kind(&["apportion:plugin/collect@0.1.0"]), Ok((PluginKind::Collector, "0.1.0")));
        assert_eq!(
            kind(&["other:thing/x", "apportion:plugin/allocate@0.1.1"]),
            Ok((PluginKind::Allocator, "0.1.1"))
        );
        assert_eq!(kind(&["apportion:plugin/collect@0.2.0"]), Ok((PluginKind::Collector, "0.2.0")));
        for other in ["0.3.0", "0.2.1", "0.0.9", "1.0.0"] {
            let refusal = format!(
                "it is made for version {other} of the contract, and this host serves 0.1.0, \
                 0.1.1 and 0.2.0"
            );
            assert_eq!(kind(&[&format!("apportion:plugin/collect@{other}")]), Err(refusal));
        }
        assert_eq!(
            kind(&["apportion:plugin/collect@0.2.0", "apportion:plugin/allocate@0.2.0"]),
            Err("it exports both `collect` and `allocate`".into())
        );
        assert!(kind(&["run"]).is_err_and(|reason| reason.starts_with("it exports neither")));
        assert_eq!(interface_of("apportion:plugin/table-decode@0.1.0"), Some("table-decode"));
        assert_eq!(interface_of("apportion:plugin/table-decode@0.3.0"), None);
        assert_eq!(interface_of("wasi:cli/stdin@0.2.0"), None);
    }
}
