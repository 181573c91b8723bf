//! Allocations → charges or usage. An allocation is the part of a cluster that a container, a
//! namespace or a label has in a window of time.

use crate::options::{Metric, Mode, Options};
use crate::row::{Found, Object, Window, number, object, text, window};
use apportion_plugin_sdk::{Charge, Dimension, Error, Field, Tag, Usage};
use exact::decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// The tag and key of allocations that belong to nobody, such as idle ones.
pub const KIND: &str = "allocation_kind";

/// OpenCost's own words in the place of a name.
const SPECIAL: [(&str, &str); 3] =
    [("__idle__", "idle"), ("__unmounted__", "unmounted"), ("__unallocated__", "unallocated")];

/// Components, their resource types, and the members of an allocation that add up to them.
const COMPONENTS: [(&str, &str, &[&str]); 8] = [
    ("Kubernetes CPU", "Compute", &["cpuCost", "cpuCostAdjustment"]),
    ("Kubernetes Memory", "Compute", &["ramCost", "ramCostAdjustment"]),
    ("Kubernetes GPU", "Compute", &["gpuCost", "gpuCostAdjustment"]),
    ("Kubernetes Storage", "Storage", &["pvCost", "pvCostAdjustment"]),
    ("Kubernetes Network", "Networking", &["networkCost", "networkCostAdjustment"]),
    ("Kubernetes Load Balancer", "Networking", &["loadBalancerCost", "loadBalancerCostAdjustment"]),
    ("Kubernetes Shared", "Other", &["sharedCost"]),
    ("Kubernetes External", "Other", &["externalCost"]),
];

/// OpenCost rounds to five digits, so eight components and their total differ by no more than this.
/// A larger difference has another cause.
const ROUNDING_MAX: &str = "0.0001";

pub fn read(
    place: &str,
    allocations: &Object,
    set: Option<&Object>,
    options: &Options,
    found: &mut Found,
) -> Result<(), Error> {
    for (name, value) in allocations {
        let Some(row) = value.as_object() else { continue };
        found.rows += 1;
        let location = format!("{place} {name}");
        match one(name, row, set, options) {
            Ok(read) => {
                if read.is_long {
                    found.warn(format!(
                        "{place}: a window is longer than a day, and all of it is \
                        of its first day: ask OpenCost for step=1d"
                    ));
                }
                if let Some(other) = read.other {
                    found.warn(format!(
                        "{location}: its components add up to {other} less than \
                        its total, which is charged as Kubernetes Other"
                    ));
                }
                for (metric, value) in read.below_zero {
                    found.reject(
                        &location,
                        format!(
                            "{metric} is {value}, and nobody can be \
                        charged for less than nothing used"
                        ),
                        value_of(row),
                    );
                }
                found.charges.extend(read.charges);
                found.usage.extend(read.usage);
            }
            Err(reason) => found.reject(&location, reason, value),
        }
    }
    Ok(())
}

/// The excerpt of a rejected row shows its costs.
fn value_of(row: &Object) -> &Value {
    row.get("totalCost").unwrap_or(&Value::Null)
}

#[derive(Default)]
struct Read {
    charges: Vec<Charge>,
    usage: Vec<Usage>,
    is_long: bool,
    other: Option<String>,
    below_zero: Vec<(&'static str, String)>,
}

fn one(name: &str, row: &Object, set: Option<&Object>, options: &Options) -> Result<Read, String> {
    let window = window(row, set)?;
    let whose = Whose::of(name, row, options);
    let mut costs = Vec::new();
    for (service, category, members) in COMPONENTS {
        let mut cost = Decimal::zero();
        for member in members {
            cost.add(&number(row, member)?);
        }
        costs.push((service, category, cost));
    }
    let mut sum = Decimal::zero();
    costs.iter().for_each(|(_, _, cost)| sum.add(cost));
    // The summary API has components only.
    let total = if row.contains_key("totalCost") { number(row, "totalCost")? } else { sum.clone() };
    let mut rest = total.clone();
    rest.subtract(&sum);
    let mut read = Read { is_long: window.is_long, ..Read::default() };
    match options.mode {
        Mode::Charges => charges(&mut read, &window, &whose, costs, &rest, options),
        Mode::Usage => usage(&mut read, &window, &whose, row, &total, options)?,
    }
    Ok(read)
}

/// All components, and the rest of the total beside them. Together they are the total to the last
/// digit.
fn charges(
    read: &mut Read,
    window: &Window,
    whose: &Whose,
    costs: Vec<(&str, &str, Decimal)>,
    rest: &Decimal,
    options: &Options,
) {
    let is_rounding = is_rounding(rest);
    let last = if is_rounding { "Kubernetes Rounding" } else { "Kubernetes Other" };
    if !is_rounding {
        read.other = Some(rest.to_string());
    }
    let all = costs.into_iter().chain([(last, "Other", rest.clone())]);
    for (service, category, cost) in all.filter(|(_, _, cost)| !cost.is_zero()) {
        let dimension = |field: Field, value: &str| Dimension { field, value: value.to_owned() };
        read.charges.push(Charge {
            charge_period_start: window.start.clone(),
            billed_cost: cost.to_string(),
            effective_cost: cost.to_string(),
            billing_currency: options.currency.clone(),
            service_name: service.to_owned(),
            charge_category: if service == "Kubernetes Rounding" {
                "Adjustment".into()
            } else {
                "Usage".into()
            },
            dimensions: vec![
                dimension(Field::ProviderName, "Kubernetes"),
                dimension(Field::ServiceCategory, category),
                dimension(Field::ResourceName, &whose.name),
            ],
            tags: whose
                .tags
                .iter()
                .map(|(key, value)| Tag { key: key.clone(), value: value.clone() })
                .collect(),
            ..Charge::default()
        });
    }
}

fn is_rounding(rest: &Decimal) -> bool {
    let mut negated = Decimal::zero();
    negated.subtract(rest);
    Decimal::parse(ROUNDING_MAX).is_ok_and(|limit| *rest <= limit && negated <= limit)
}

/// Adds the quantities of an allocation. Zeros are left out, because OpenCost writes every member.
fn usage(
    read: &mut Read,
    window: &Window,
    whose: &Whose,
    row: &Object,
    total: &Decimal,
    options: &Options,
) -> Result<(), String> {
    for metric in &options.metrics {
        let (name, unit, value) = match metric {
            Metric::Cpu => ("kubernetes.cpu.hours", "h", number(row, "cpuCoreHours")?),
            Metric::Memory => {
                ("kubernetes.memory.hours", "GiB·h", number(row, "ramByteHours")?.gib())
            }
            Metric::Gpu => ("kubernetes.gpu.hours", "h", number(row, "gpuHours")?),
            Metric::Storage => {
                ("kubernetes.storage.hours", "GiB·h", number(row, "pvByteHours")?.gib())
            }
            Metric::Transmit => {
                ("kubernetes.network.transmit", "B", number(row, "networkTransferBytes")?)
            }
            Metric::Receive => {
                ("kubernetes.network.receive", "B", number(row, "networkReceiveBytes")?)
            }
            Metric::Cost => ("kubernetes.cost", options.currency.as_str(), total.clone()),
        };
        if value.is_negative() {
            read.below_zero.push((name, value.to_string()));
        } else if !value.is_zero() {
            read.usage.push(Usage {
                metric: name.to_owned(),
                period_start: window.start.clone(),
                keys: whose
                    .tags
                    .iter()
                    .map(|(key, value)| Tag { key: key.clone(), value: value.clone() })
                    .collect(),
                value: value.to_string(),
                unit: unit.to_owned(),
            });
        }
    }
    Ok(())
}

/// The owner of an allocation.
struct Whose {
    /// The owner's name for a reader.
    name: String,
    tags: BTreeMap<String, String>,
}

impl Whose {
    fn of(name: &str, row: &Object, options: &Options) -> Whose {
        let empty = Object::new();
        let properties = object(row, "properties").unwrap_or(&empty);
        let mut tags: BTreeMap<String, String> = options.constants.iter().cloned().collect();
        let mut set = |key: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| is_name(value)) {
                tags.insert(key.to_owned(), value.to_owned());
            }
        };
        set("cluster", text(properties, "cluster"));
        // Without aggregation, these make up the name.
        let all = ["cluster", "node", "namespace", "pod", "container"].map(str::to_owned);
        let keys = if options.aggregate.is_empty() {
            all.as_slice()
        } else {
            options.aggregate.as_slice()
        };
        let segments: Vec<&str> = name.split('/').collect();
        let segment =
            |at: usize| if segments.len() == keys.len() { segments.get(at).copied() } else { None };
        if options.aggregate.is_empty() {
            // A pod's own labels win over those of its namespace.
            for labels in ["namespaceLabels", "labels"] {
                for (label, value) in object(properties, labels).into_iter().flatten() {
                    set(label, value.as_str());
                }
            }
            for (key, property) in [
                ("controller", "controller"),
                ("controller_kind", "controllerKind"),
                ("provider_id", "providerID"),
            ] {
                set(key, text(properties, property));
            }
        }
        for (at, key) in keys.iter().enumerate() {
            match key.split_once(':') {
                // The name holds the label's value. The properties of a row hold only what all its
                // parts share.
                Some((kind, label)) => {
                    let labels = object(
                        properties,
                        if kind == "annotation" { "annotations" } else { "labels" },
                    );
                    let property = labels.and_then(|labels| {
                        text(labels, &label.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
                    });
                    set(label, segment(at).or(property));
                }
                None => set(spelled(key), text(properties, key).or_else(|| segment(at))),
            }
        }
        let kind = SPECIAL.iter().find(|(special, _)| {
            let is_named = segments.contains(special)
                || properties.values().any(|value| value.as_str() == Some(special));
            // Of several keys, some may be known.
            is_named
                && (*special != "__unallocated__"
                    || segments.iter().all(|segment| segment == special))
        });
        let shown = match kind {
            None => name,
            Some((_, kind)) => {
                tags.insert(KIND.to_owned(), (*kind).to_owned());
                kind
            }
        };
        Whose { name: shown.to_owned(), tags }
    }
}

/// Whether a value is a name, and not one of OpenCost's own words.
fn is_name(value: &str) -> bool {
    !(value.is_empty() || value.starts_with("__") && value.ends_with("__"))
}

/// A key in snake case.
fn spelled(key: &str) -> &str {
    match key {
        "controllerKind" => "controller_kind",
        "providerID" => "provider_id",
        other => other,
    }
}
