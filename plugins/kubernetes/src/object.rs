//! The API's objects → a few facts each, or the reason why an object is not understood.

use crate::gpu::{self, Gpus, MOST, Shares, UNITS, is_extended};
use crate::options::Labels;
use crate::quantity::{NANOS, quantity};
use exact::moment::seconds;
use serde_json::Value;
use std::collections::BTreeMap;

/// Names and values from the labels of one object, such as its team.
pub type Told = Vec<(String, String)>;

/// Billionths of cores, bytes, units of [`crate::gpu`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    pub cpu: u128,
    pub memory: u128,
    pub gpu: u128,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    /// The cloud's own id, where there is one.
    pub provider_id: String,
    pub capacity: Resources,
    pub shares: Shares,
    pub instance_type: String,
    pub region: String,
    pub zone: String,
    pub created: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    pub namespace: String,
    pub name: String,
    pub node: String,
    pub requests: Resources,
    pub start: i64,
    /// The time when the pod ended, if it did.
    pub end: Option<i64>,
    /// The kind in lower case, and the name.
    pub owner: Option<(String, String)>,
    pub told: Told,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    pub name: String,
    /// The cloud's own id, where there is one.
    pub id: String,
    pub bytes: u128,
    pub class: String,
    pub created: i64,
    /// Namespace and name of the claim that the volume is bound to.
    pub claim: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub namespace: String,
    pub name: String,
    pub volume: String,
    pub bytes: u128,
    pub class: String,
    pub created: i64,
    pub told: Told,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoadBalancer {
    pub namespace: String,
    pub service: String,
    pub address: String,
    pub created: i64,
    pub told: Told,
}

/// A text of an object; empty where there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn needed<'a>(object: &'a Value, pointer: &str) -> Result<&'a str, String> {
    Some(text(object, pointer))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("{} is missing", pointer.trim_start_matches('/').replace('/', ".")))
}

fn created(object: &Value) -> Result<i64, String> {
    seconds(needed(object, "/metadata/creationTimestamp")?)
        .map_err(|error| format!("metadata.creationTimestamp: {error}"))
}

/// The names of the settings with their values from the object's labels.
pub fn told(object: &Value, labels: &Labels) -> Told {
    let all = object.pointer("/metadata/labels");
    let value = |key: &String| {
        all.and_then(|all| all.get(key)).and_then(Value::as_str).filter(|value| !value.is_empty())
    };
    labels
        .iter()
        .filter_map(|(name, keys)| Some((name.clone(), keys.iter().find_map(value)?.to_owned())))
        .collect()
}

/// The kind, in lower case, and the name of an object's controller.
pub fn owner(object: &Value) -> Option<(String, String)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"].as_bool() == Some(true))?;
    Some((needed(owner, "/kind").ok()?.to_lowercase(), needed(owner, "/name").ok()?.to_owned()))
}

/// Quantities of a list such as `requests`; a missing one is zero.
fn resources(list: Option<&Value>, devices: Devices<'_>) -> Result<Resources, String> {
    let amount = |name: &str| match list.and_then(|list| list.get(name)) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::String(text)) => quantity(text).map_err(|error| format!("{name}: {error}")),
        Some(Value::Number(number)) => {
            quantity(&number.to_string()).map_err(|error| format!("{name}: {error}"))
        }
        Some(_) => Err(format!("{name} is no quantity")),
    };
    let mut gpu = 0;
    let names = list.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name);
    for name in names.filter(|name| is_extended(name)) {
        gpu += devices.gpus.of(name, amount(name)?, devices.shares)?;
    }
    let all = Resources { cpu: amount("cpu")?, memory: amount("memory")?.div_ceil(NANOS), gpu };
    // A million cores, GPUs or TiB: no node has as much, and a day's sums of more would not fit.
    let is_real = all.cpu <= MOST && all.gpu <= MOST * UNITS && all.memory <= 1 << 60;
    if is_real { Ok(all) } else { Err("more than a million cores, GPUs or TiB".into()) }
}

/// What extended resources of one node are.
#[derive(Clone, Copy)]
pub struct Devices<'a> {
    pub gpus: &'a Gpus<'a>,
    pub shares: &'a Shares,
}

impl Resources {
    fn plus(self, other: Resources) -> Resources {
        Resources {
            cpu: self.cpu + other.cpu,
            memory: self.memory + other.memory,
            gpu: self.gpu + other.gpu,
        }
    }

    fn max(self, other: Resources) -> Resources {
        Resources {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
            gpu: self.gpu.max(other.gpu),
        }
    }
}

/// The resources that the scheduler reserves for a pod: those of its containers together, or those
/// of the largest init container if that needs more.
fn requests(pod: &Value, devices: Devices<'_>) -> Result<Resources, String> {
    let list = |key: &str| {
        pod.pointer(&format!("/spec/{key}"))
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let of = |container: &Value| {
        let place = || text(container, "/name").to_owned();
        resources(container.pointer("/resources/requests"), devices)
            .map_err(|error| format!("container '{}': {error}", place()))
    };
    let (mut together, mut beside, mut before) =
        (Resources::default(), Resources::default(), Resources::default());
    for container in list("initContainers") {
        // An init container that restarts is a sidecar: it keeps running beside all that follow.
        if text(container, "/restartPolicy") == "Always" {
            beside = beside.plus(of(container)?);
            before = before.max(beside);
        } else {
            before = before.max(beside.plus(of(container)?));
        }
    }
    for container in list("containers") {
        together = together.plus(of(container)?);
    }
    let mut all = together.plus(beside).max(before);
    // Resources of the pod as a whole replace those of its containers.
    let whole = pod.pointer("/spec/resources/requests").and_then(Value::as_object);
    if let Some(whole) = whole {
        let said = resources(Some(&Value::Object(whole.clone())), devices)?;
        all.cpu = if whole.contains_key("cpu") { said.cpu } else { all.cpu };
        all.memory = if whole.contains_key("memory") { said.memory } else { all.memory };
    }
    Ok(all.plus(resources(pod.pointer("/spec/overhead"), devices)?))
}

/// A pod that has run, or `None`: a pod that waits for a node, images or init containers uses
/// nothing. `shares_of` are those of a node.
pub fn pod<'n>(
    object: &Value,
    gpus: &Gpus<'_>,
    shares_of: impl Fn(&str) -> Option<&'n Shares>,
    labels: &Labels,
) -> Result<Option<Pod>, String> {
    let (namespace, name) = (
        needed(object, "/metadata/namespace")?.to_owned(),
        needed(object, "/metadata/name")?.to_owned(),
    );
    let ended = match needed(object, "/status/phase")? {
        "Pending" => return Ok(None),
        "Running" | "Unknown" => false,
        "Succeeded" | "Failed" => true,
        other => return Err(format!("status.phase is '{other}', which is unknown")),
    };
    // The pod never ran: its node was out of resources, or it was evicted at once.
    if ended && text(object, "/status/startTime").is_empty() {
        return Ok(None);
    }
    let start = seconds(needed(object, "/status/startTime")?)
        .map_err(|error| format!("status.startTime: {error}"))?;
    let end = if ended { Some(end(object)?) } else { None };
    let node = needed(object, "/spec/nodeName")?.to_owned();
    let none = Shares::new();
    let devices = Devices { gpus, shares: shares_of(&node).unwrap_or(&none) };
    Ok(Some(Pod {
        requests: requests(object, devices)?,
        node,
        start,
        end,
        owner: owner(object),
        told: told(object, labels),
        namespace,
        name,
    }))
}

/// The time when the last container ended, or when the state of an evicted pod last changed.
fn end(pod: &Value) -> Result<i64, String> {
    let list = |key: &str| {
        pod.pointer(&format!("/status/{key}"))
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let ended = |statuses: &[Value]| -> Vec<String> {
        statuses
            .iter()
            .map(|status| text(status, "/state/terminated/finishedAt").to_owned())
            .filter(|at| !at.is_empty())
            .collect()
    };
    let mut times = ended(list("containerStatuses"));
    if times.is_empty() {
        times = list("conditions")
            .iter()
            .map(|condition| text(condition, "/lastTransitionTime").to_owned())
            .filter(|at| !at.is_empty())
            .collect();
    }
    let mut last = None;
    for at in &times {
        last = last.max(Some(seconds(at).map_err(|error| error.to_string())?));
    }
    last.ok_or_else(|| "it has ended, and nothing says when".into())
}

pub fn node(object: &Value, gpus: &Gpus<'_>) -> Result<Node, String> {
    let label = |keys: &[&str]| {
        let labels = object.pointer("/metadata/labels");
        let value = |key: &&str| labels.and_then(|labels| labels.get(*key)).and_then(Value::as_str);
        keys.iter().find_map(value).unwrap_or_default().to_owned()
    };
    let capacity = object
        .pointer("/status/capacity")
        .and_then(Value::as_object)
        .ok_or("status.capacity is missing")?;
    let shares = gpu::shares(object.pointer("/metadata/labels"), capacity)?;
    Ok(Node {
        name: needed(object, "/metadata/name")?.to_owned(),
        provider_id: text(object, "/spec/providerID").to_owned(),
        capacity: resources(
            object.pointer("/status/capacity"),
            Devices { gpus: &gpus.of_capacity(), shares: &shares },
        )
        .map_err(|error| format!("status.capacity: {error}"))?,
        shares,
        instance_type: label(&[
            "node.kubernetes.io/instance-type",
            "beta.kubernetes.io/instance-type",
        ]),
        region: label(&[
            "topology.kubernetes.io/region",
            "failure-domain.beta.kubernetes.io/region",
        ]),
        zone: label(&["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]),
        created: created(object)?,
    })
}

fn bytes(object: &Value, pointer: &str) -> Result<u128, String> {
    let bytes = quantity(needed(object, pointer)?)?.div_ceil(NANOS);
    if bytes <= 1 << 60 { Ok(bytes) } else { Err("more than a million TiB".into()) }
}

pub fn volume(object: &Value) -> Result<Volume, String> {
    let claim = (text(object, "/spec/claimRef/namespace"), text(object, "/spec/claimRef/name"));
    // There are several ways to name a volume, and an object has one of them.
    let ids = [
        "/spec/csi/volumeHandle",
        "/spec/awsElasticBlockStore/volumeID",
        "/spec/azureDisk/diskURI",
        "/spec/gcePersistentDisk/pdName",
    ];
    Ok(Volume {
        name: needed(object, "/metadata/name")?.to_owned(),
        id: ids
            .iter()
            .map(|pointer| text(object, pointer))
            .find(|id| !id.is_empty())
            .unwrap_or_default()
            .to_owned(),
        bytes: bytes(object, "/spec/capacity/storage")?,
        class: text(object, "/spec/storageClassName").to_owned(),
        created: created(object)?,
        claim: (text(object, "/status/phase") == "Bound" && !claim.1.is_empty())
            .then(|| (claim.0.to_owned(), claim.1.to_owned())),
    })
}

/// A claim that is bound to a volume, or `None`.
pub fn claim(object: &Value, labels: &Labels) -> Result<Option<Claim>, String> {
    let (namespace, name) = (
        needed(object, "/metadata/namespace")?.to_owned(),
        needed(object, "/metadata/name")?.to_owned(),
    );
    if text(object, "/status/phase") != "Bound" {
        return Ok(None);
    }
    Ok(Some(Claim {
        volume: needed(object, "/spec/volumeName")?.to_owned(),
        bytes: bytes(object, "/status/capacity/storage")?,
        class: text(object, "/spec/storageClassName").to_owned(),
        created: created(object)?,
        told: told(object, labels),
        namespace,
        name,
    }))
}

/// A service whose load balancer has an address, or `None`.
pub fn load_balancer(object: &Value, labels: &Labels) -> Result<Option<LoadBalancer>, String> {
    let (namespace, service) = (
        needed(object, "/metadata/namespace")?.to_owned(),
        needed(object, "/metadata/name")?.to_owned(),
    );
    let ingress = object.pointer("/status/loadBalancer/ingress/0");
    let address = ingress
        .map(|ingress| [text(ingress, "/hostname"), text(ingress, "/ip")].concat())
        .unwrap_or_default();
    if text(object, "/spec/type") != "LoadBalancer" || address.is_empty() {
        return Ok(None);
    }
    Ok(Some(LoadBalancer {
        address,
        created: created(object)?,
        told: told(object, labels),
        namespace,
        service,
    }))
}

/// The end of an AWS load balancer's ARN, taken from its address; empty for other addresses.
///
/// Network load balancers are `NAME-ID.elb.REGION.amazonaws.com`, classic ones
/// `NAME-NUMBER.REGION.elb.amazonaws.com`.
pub fn load_balancer_id(address: &str) -> String {
    let Some((host, domain)) = address.split_once('.') else { return String::new() };
    let Some((name, id)) = host.rsplit_once('-').filter(|_| domain.ends_with(".amazonaws.com"))
    else {
        return String::new();
    };
    if domain.starts_with("elb.") {
        format!("net/{name}/{id}")
    } else {
        name.strip_prefix("internal-").unwrap_or(name).to_owned()
    }
}

/// The controllers of controllers, by kind, namespace and name.
pub type Owners = BTreeMap<(String, String, String), (String, String)>;

/// The controller of a controller, as an entry of `Owners`.
pub fn owned(kind: &str, object: &Value) -> Option<((String, String, String), (String, String))> {
    let key = (
        kind.to_owned(),
        text(object, "/metadata/namespace").to_owned(),
        text(object, "/metadata/name").to_owned(),
    );
    Some((key, owner(object)?))
}

/// The workload of a pod, such as `deployment/web`. A pod without a controller is its own workload.
pub fn workload(pod: &Pod, owners: &Owners) -> String {
    // The kubelet's own pods name their node as their controller.
    let Some(owner) = pod.owner.as_ref().filter(|(kind, _)| kind != "node") else {
        return format!("pod/{}", pod.name);
    };
    let (kind, name) =
        owners.get(&(owner.0.clone(), pod.namespace.clone(), owner.1.clone())).unwrap_or(owner);
    format!("{kind}/{name}")
}
