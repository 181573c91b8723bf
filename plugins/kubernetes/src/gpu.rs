//! GPUs under all their names: whole ones, slices of one, and ones that several pods share.
//!
//! Requests and capacities are counted in GPUs, whatever they are called, so that the idle part of
//! a node is the difference of two numbers of one unit.

use crate::quantity::NANOS;
use exact::ratio::scaled;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Units of a billionth of a GPU. Sevenths and ninths of a GPU are whole numbers of units too, as
/// well as halves, fifths and their powers.
pub const UNITS: u128 = 63;

/// Digits behind the point of written parts.
const WRITTEN: u128 = 1_000_000_000_000;

/// A million, in billionths: no node has as many.
pub const MOST: u128 = 1_000_000 * NANOS;

const SHARED: &str = ".shared";
const REPLICAS: &str = ".replicas";

/// Resources of which one is a GPU.
const WHOLE: [&str; 5] =
    ["nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe", "habana.ai/gaudi"];
/// Resources that say more of a GPU which is requested beside them.
const BESIDE: [&str; 5] = [
    "gpu.intel.com/i915_monitoring",
    "gpu.intel.com/xe_monitoring",
    "gpu.intel.com/millicores",
    "gpu.intel.com/memory.max",
    "gpu.intel.com/tiles",
];

/// The number of pods that share one of a resource, by the labels of a node.
pub type Shares = BTreeMap<String, u128>;

/// The part of a GPU that one of a resource is: a ratio of two numbers.
type Part = (u128, u128);

pub struct Gpus<'a> {
    /// From the settings, in 10⁻¹² GPUs.
    pub written: &'a BTreeMap<String, u128>,
    /// Requested resources that nobody knows.
    pub unknown: RefCell<BTreeSet<String>>,
}

impl<'a> Gpus<'a> {
    pub fn new(written: &'a BTreeMap<String, u128>) -> Gpus<'a> {
        Gpus { written, unknown: RefCell::default() }
    }

    /// Notes nothing: what a node has and nobody requests moves no cost.
    pub fn of_capacity(&self) -> Gpus<'a> {
        Gpus::new(self.written)
    }

    /// The GPUs of a resource. Resources that are none and have no part are noted.
    pub fn of(&self, name: &str, nanos: u128, shares: &Shares) -> Result<u128, String> {
        if nanos == 0 {
            return Ok(0);
        }
        if nanos > MOST {
            return Err(format!("{name}: more than a million"));
        }
        match self.part(name, shares)? {
            Some((part, whole)) => Ok(scaled(nanos, part * UNITS, whole)),
            None => {
                self.unknown.borrow_mut().insert(name.to_owned());
                Ok(0)
            }
        }
    }

    fn part(&self, name: &str, shares: &Shares) -> Result<Option<Part>, String> {
        if let Some(written) = self.written.get(name) {
            return Ok(Some((*written, WRITTEN)));
        }
        let base = name.strip_suffix(SHARED).unwrap_or(name);
        let Some((part, whole)) = known(base) else { return Ok(None) };
        match shares.get(name) {
            Some(replicas) => Ok(Some((part, whole * replicas))),
            None if base == name => Ok(Some((part, whole))),
            None => Err(format!(
                "no label '{base}{REPLICAS}' of its node says how many pods share one {name}; \
                 write `gpu_resources = {{ \"{name}\" = \"0.25\" }}` if they are four"
            )),
        }
    }
}

/// Names with a domain that is not of Kubernetes itself.
pub fn is_extended(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

fn known(name: &str) -> Option<Part> {
    if WHOLE.contains(&name) {
        return Some((1, 1));
    }
    if BESIDE.contains(&name) {
        return Some((0, 1));
    }
    slice(name.strip_prefix("nvidia.com/mig-")?)
}

/// A slice such as `3g.20gb`, `1g.10gb.me` with media engines, or `1c.3g.20gb`, one compute slice
/// of three. A GPU has seven slices; an A30 has four, of 6 GB each.
fn slice(profile: &str) -> Option<Part> {
    let parts: Vec<&str> = profile.split('.').collect();
    let (count, slices, memory) = match parts.as_slice() {
        [computes, slices, memory, ..] if computes.ends_with('c') => {
            (computes.strip_suffix('c')?, slices.strip_suffix('g')?, memory)
        }
        [slices, memory, ..] => (slices.strip_suffix('g')?, slices.strip_suffix('g')?, memory),
        _ => return None,
    };
    let number = |text: &str| text.parse::<u128>().ok().filter(|number| (1..1000).contains(number));
    let (count, slices, memory) =
        (number(count)?, number(slices)?, number(memory.strip_suffix("gb")?)?);
    let of_all = if matches!(slices, 1 | 2 | 4) && memory == slices * 6 { 4 } else { 7 };
    (count <= slices && slices <= of_all).then_some((count, of_all))
}

/// The labels of a node that say how many pods share one of a resource. Where the device plugin
/// names shared ones apart, the label is of these.
pub fn shares(labels: Option<&Value>, capacity: &Map<String, Value>) -> Result<Shares, String> {
    let mut shares = Shares::new();
    for (label, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        let Some(base) = label.strip_suffix(REPLICAS).filter(|base| known(base).is_some()) else {
            continue;
        };
        let text = value.as_str().unwrap_or_default();
        let replicas = text.parse::<u128>().ok().filter(|replicas| *replicas <= NANOS);
        let replicas = replicas.ok_or_else(|| format!("the label {label} is '{text}'"))?;
        let shared = format!("{base}{SHARED}");
        let has_shared = capacity.get(&shared).is_some_and(|count| count.as_str() != Some("0"));
        // Zero is said of devices that are not there.
        if replicas > 0 {
            shares.insert(if has_shared { shared } else { base.to_owned() }, replicas);
        }
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_say_what_part_of_a_gpu_they_are() {
        for (name, part) in [
            ("nvidia.com/gpu", Some((1, 1))),
            ("amd.com/gpu", Some((1, 1))),
            ("gpu.intel.com/i915", Some((1, 1))),
            ("gpu.intel.com/millicores", Some((0, 1))),
            ("nvidia.com/mig-1g.5gb", Some((1, 7))),
            ("nvidia.com/mig-1g.10gb.me", Some((1, 7))),
            ("nvidia.com/mig-3g.20gb", Some((3, 7))),
            ("nvidia.com/mig-7g.141gb", Some((7, 7))),
            ("nvidia.com/mig-1c.3g.20gb", Some((1, 7))),
            ("nvidia.com/mig-2g.12gb", Some((2, 4))),
            ("nvidia.com/mig-1c.4g.24gb", Some((1, 4))),
            ("nvidia.com/mig-2g.24gb", Some((2, 7))),
            ("nvidia.com/mig-8g.80gb", None),
            ("nvidia.com/mig-4c.3g.20gb", None),
            ("nvidia.com/mig-3g", None),
            ("nvidia.com/mig-3g.gb", None),
            ("example.com/fpga", None),
        ] {
            assert_eq!(known(name), part, "{name}");
        }
    }

    #[test]
    fn labels_say_how_many_share_one() {
        let labels = json!({
            "nvidia.com/gpu.replicas": "4",
            "nvidia.com/mig-1g.5gb.replicas": "2",
            "amd.com/gpu.replicas": "0",
            "shop.example.com/replicas": "many",
        });
        let capacity = |names: &[&str]| -> Map<String, Value> {
            names.iter().map(|name| ((*name).to_owned(), json!("8"))).collect()
        };
        let of = |names: &[&str]| shares(Some(&labels), &capacity(names)).unwrap();
        let apart = of(&["nvidia.com/gpu", "nvidia.com/gpu.shared"]);
        assert_eq!(apart.get("nvidia.com/gpu.shared"), Some(&4));
        assert_eq!(apart.get("nvidia.com/gpu"), None);
        assert_eq!(apart.get("nvidia.com/mig-1g.5gb"), Some(&2));
        assert_eq!(of(&["nvidia.com/gpu"]).get("nvidia.com/gpu"), Some(&4));
        assert_eq!(
            shares(Some(&json!({ "nvidia.com/gpu.replicas": "x" })), &Map::new()),
            Err("the label nvidia.com/gpu.replicas is 'x'".into())
        );
    }

    #[test]
    fn parts_are_written_or_known_and_never_guessed() {
        let written = BTreeMap::from([("example.com/fpga".to_owned(), WRITTEN / 2)]);
        let gpus = Gpus::new(&written);
        let none = Shares::new();
        let shared = Shares::from([("nvidia.com/gpu.shared".to_owned(), 3)]);
        let of = |name: &str, count: u128, shares: &Shares| gpus.of(name, count * NANOS, shares);
        let gpu = UNITS * NANOS;
        assert_eq!(of("nvidia.com/gpu", 2, &none), Ok(2 * gpu));
        assert_eq!(of("nvidia.com/mig-1g.5gb", 7, &none), Ok(gpu));
        assert_eq!(of("nvidia.com/gpu.shared", 6, &shared), Ok(2 * gpu));
        assert_eq!(of("example.com/fpga", 3, &none), Ok(gpu + gpu / 2));
        assert_eq!(of("example.com/dsp", 3, &none), Ok(0));
        assert_eq!(gpus.unknown.borrow().iter().collect::<Vec<_>>(), ["example.com/dsp"]);
        assert_eq!(
            of("nvidia.com/gpu.shared", 1, &none),
            Err("no label 'nvidia.com/gpu.replicas' of its node says how many pods share one \
                 nvidia.com/gpu.shared; write `gpu_resources = { \"nvidia.com/gpu.shared\" = \
                 \"0.25\" }` if they are four"
                .into())
        );
        assert!(is_extended("nvidia.com/gpu") && !is_extended("cpu"));
        assert!(!is_extended("attachable.volumes.kubernetes.io/x"));
    }
}
