//! What is taken from the API's objects: a few facts each, or the reason why there are none.

use crate::exact::{NANOS, quantity};
use crate::moment::seconds;
use crate::options::Labels;
use serde_json::Value;
use std::collections::BTreeMap;

/// Names and values by which usage is told apart, of one object.
pub type Told = Vec<(String, String)>;

/// Billionths of cores, bytes, billionths of GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    pub cpu: u128,
    pub memory: u128,
    pub gpu: u128,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    /// The cloud's own id of it, where there is one.
    pub provider_id: String,
    pub capacity: Resources,
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
    /// When it ended, if it did.
    pub end: Option<i64>,
    /// Kind in lower case, and name.
    pub owner: Option<(String, String)>,
    pub told: Told,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    pub name: String,
    /// The cloud's own id of it, where there is one.
    pub id: String,
    pub bytes: u128,
    pub class: String,
    pub created: i64,
    /// Namespace and name of the claim that it is bound to.
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

/// What its labels tell, by the names of the settings.
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

/// The kind, in lower case, and name of what controls an object.
pub fn owner(object: &Value) -> Option<(String, String)> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"].as_bool() == Some(true))?;
    Some((needed(owner, "/kind").ok()?.to_lowercase(), needed(owner, "/name").ok()?.to_owned()))
}

/// Quantities of a list such as `requests`; one that is not written is nothing.
fn resources(list: Option<&Value>, gpus: &[String]) -> Result<Resources, String> {
    let amount = |name: &str| match list.and_then(|list| list.get(name)) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::String(text)) => quantity(text).map_err(|error| format!("{name}: {error}")),
        Some(Value::Number(number)) => {
            quantity(&number.to_string()).map_err(|error| format!("{name}: {error}"))
        }
        Some(_) => Err(format!("{name} is no quantity")),
    };
    let mut gpu = 0_u128;
    for name in gpus {
        gpu = gpu.checked_add(amount(name)?).ok_or("too many GPUs")?;
    }
    let all = Resources { cpu: amount("cpu")?, memory: amount("memory")?.div_ceil(NANOS), gpu };
    // A million cores, GPUs or TiB: beyond them sums of a day would not fit, and nothing real is there.
    let is_real = all.cpu <= 10_u128.pow(15) && all.gpu <= 10_u128.pow(15) && all.memory <= 1 << 60;
    if is_real { Ok(all) } else { Err("more than a million cores, GPUs or TiB".into()) }
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

/// What the scheduler reserves for a pod: its containers together, or the largest of those that run before them alone.
fn requests(pod: &Value, gpus: &[String]) -> Result<Resources, String> {
    let list = |key: &str| {
        pod.pointer(&format!("/spec/{key}"))
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let of = |container: &Value| {
        let place = || text(container, "/name").to_owned();
        resources(container.pointer("/resources/requests"), gpus)
            .map_err(|error| format!("container '{}': {error}", place()))
    };
    let (mut together, mut beside, mut before) =
        (Resources::default(), Resources::default(), Resources::default());
    for container in list("initContainers") {
        // One that restarts goes on beside all that follow.
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
    // What is said of the pod as a whole takes the place of what is said of its containers.
    let whole = pod.pointer("/spec/resources/requests").and_then(Value::as_object);
    if let Some(whole) = whole {
        let said = resources(Some(&Value::Object(whole.clone())), gpus)?;
        all.cpu = if whole.contains_key("cpu") { said.cpu } else { all.cpu };
        all.memory = if whole.contains_key("memory") { said.memory } else { all.memory };
    }
    Ok(all.plus(resources(pod.pointer("/spec/overhead"), gpus)?))
}

/// A pod that has run, or `None`: one that waits for a node, for images or for its first containers uses nothing yet.
pub fn pod(object: &Value, gpus: &[String], labels: &Labels) -> Result<Option<Pod>, String> {
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
    // Refused before it ran: out of resources, or evicted at once.
    if ended && text(object, "/status/startTime").is_empty() {
        return Ok(None);
    }
    let start = seconds(needed(object, "/status/startTime")?)
        .map_err(|error| format!("status.startTime: {error}"))?;
    let end = if ended { Some(end(object)?) } else { None };
    Ok(Some(Pod {
        node: needed(object, "/spec/nodeName")?.to_owned(),
        requests: requests(object, gpus)?,
        start,
        end,
        owner: owner(object),
        told: told(object, labels),
        namespace,
        name,
    }))
}

/// When the last container ended; of a pod that was evicted, when its state last changed.
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
        last = last.max(Some(seconds(at)?));
    }
    last.ok_or_else(|| "it has ended, and nothing says when".into())
}

pub fn node(object: &Value, gpus: &[String]) -> Result<Node, String> {
    let label = |keys: &[&str]| {
        let labels = object.pointer("/metadata/labels");
        let value = |key: &&str| labels.and_then(|labels| labels.get(*key)).and_then(Value::as_str);
        keys.iter().find_map(value).unwrap_or_default().to_owned()
    };
    let capacity = object
        .pointer("/status/capacity")
        .filter(|capacity| capacity.is_object())
        .ok_or("status.capacity is missing")?;
    Ok(Node {
        name: needed(object, "/metadata/name")?.to_owned(),
        provider_id: text(object, "/spec/providerID").to_owned(),
        capacity: resources(Some(capacity), gpus)
            .map_err(|error| format!("status.capacity: {error}"))?,
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
    // Of the ways to name a volume, an object has one.
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

/// A claim that has its volume, or `None`.
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

/// A service with a load balancer that has its address, or `None`.
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

/// The end of its ARN, which the address of a load balancer of AWS holds; empty where it does not.
///
/// Network load balancers are `NAME-ID.elb.REGION.amazonaws.com`, classic ones `NAME-NUMBER.REGION.elb.amazonaws.com`.
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

/// Who controls the controllers, by kind, namespace and name.
pub type Owners = BTreeMap<(String, String, String), (String, String)>;

/// What controls a controller, as an entry of `Owners`.
pub fn owned(kind: &str, object: &Value) -> Option<((String, String, String), (String, String))> {
    let key = (
        kind.to_owned(),
        text(object, "/metadata/namespace").to_owned(),
        text(object, "/metadata/name").to_owned(),
    );
    Some((key, owner(object)?))
}

/// `deployment/web` of one of its pods; a pod without a controller is its own workload.
pub fn workload(pod: &Pod, owners: &Owners) -> String {
    // The kubelet's own pods are said to be controlled by their node.
    let Some(owner) = pod.owner.as_ref().filter(|(kind, _)| kind != "node") else {
        return format!("pod/{}", pod.name);
    };
    let (kind, name) =
        owners.get(&(owner.0.clone(), pod.namespace.clone(), owner.1.clone())).unwrap_or(owner);
    format!("{kind}/{name}")
}
