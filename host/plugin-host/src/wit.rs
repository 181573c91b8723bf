//! Which version of the contract a component speaks, by the names of what it imports and exports.

pub mod since_v0_1_0;

use crate::manifest::Kind;

pub const PACKAGE: &str = "apportion:plugin/";
pub const VERSION: &str = "0.1.0";

/// What a component's exports make it.
pub fn kind_of<'a>(exports: impl Iterator<Item = &'a str>) -> Result<Kind, String> {
    let mut found = None;
    for name in exports {
        let kind = match name.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('@')) {
            Some(("collect", version)) => served(version).map(|()| Kind::Collector)?,
            Some(("allocate", version)) => served(version).map(|()| Kind::Allocator)?,
            _ => continue,
        };
        if found.replace(kind).is_some() {
            return Err("it exports both `collect` and `allocate`".into());
        }
    }
    found.ok_or_else(|| format!("it exports neither {PACKAGE}collect@{VERSION} nor {PACKAGE}allocate@{VERSION}"))
}

/// The interface that an import names, such as `table-decode`; `None` for what this version does not offer.
pub fn interface_of(import: &str) -> Option<&str> {
    let (interface, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
    (version == VERSION).then_some(interface)
}

fn served(version: &str) -> Result<(), String> {
    if version == VERSION { Ok(()) } else { Err(format!("it is made for version {version} of the contract, and this host serves {VERSION}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_and_version_are_in_the_names() {
        let kind = |names: &[&str]| kind_of(names.iter().copied());
        assert_eq!(kind(&["apportion:plugin/collect@0.1.0"]), Ok(Kind::Collector));
        assert_eq!(kind(&["other:thing/x", "apportion:plugin/allocate@0.1.0"]), Ok(Kind::Allocator));
        assert_eq!(kind(&["apportion:plugin/collect@0.2.0"]), Err("it is made for version 0.2.0 of the contract, and this host serves 0.1.0".into()));
        assert_eq!(
            kind(&["apportion:plugin/collect@0.1.0", "apportion:plugin/allocate@0.1.0"]),
            Err("it exports both `collect` and `allocate`".into())
        );
        assert!(kind(&["run"]).is_err_and(|reason| reason.starts_with("it exports neither")));
        assert_eq!(interface_of("apportion:plugin/table-decode@0.1.0"), Some("table-decode"));
        assert_eq!(interface_of("apportion:plugin/table-decode@0.3.0"), None);
        assert_eq!(interface_of("wasi:cli/stdin@0.2.0"), None);
    }
}
