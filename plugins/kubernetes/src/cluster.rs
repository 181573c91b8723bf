//! The cluster at the time of the run, as the API lists it.

use crate::gpu::Gpus;
use crate::object::{self, Claim, LoadBalancer, Node, Owners, Pod, Told, Volume, text};
use crate::options::Options;
use apportion_plugin_sdk::kubernetes::{Part, all_of, each_page};
use apportion_plugin_sdk::{Error, Rejected, log};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Cluster {
    /// Names and values from the labels of each namespace.
    pub namespaces: BTreeMap<String, Told>,
    pub nodes: BTreeMap<String, Node>,
    pub pods: Vec<Pod>,
    pub owners: Owners,
    pub volumes: BTreeMap<String, Volume>,
    pub claims: Vec<Claim>,
    pub load_balancers: Vec<LoadBalancer>,
    /// Objects that are not understood.
    pub rejected: Vec<Rejected>,
}

pub fn read(options: &Options) -> Result<Cluster, Error> {
    let (gpus, labels) = (&Gpus::new(&options.gpu_resources), &options.labels);
    let mut reader = Reader { page_size: options.page_size, rejected: Vec::new() };
    let named = |object: &Value| {
        Some(text(object, "/metadata/name").to_owned())
            .filter(|name| !name.is_empty())
            .ok_or("metadata.name is missing")
    };
    let namespaces = reader
        .list("namespaces", |object| Ok(Some((named(object)?, object::told(object, labels)))))?;
    let nodes = reader.list("nodes", |object| object::node(object, gpus).map(Some))?;
    let nodes: BTreeMap<String, Node> =
        nodes.into_iter().map(|node| (node.name.clone(), node)).collect();
    let shares_of = |node: &str| nodes.get(node).map(|node| &node.shares);
    let pods = reader.list("pods", |object| object::pod(object, gpus, shares_of, labels))?;
    for name in gpus.unknown.borrow().iter() {
        log::warn(&format!(
            "pods request {name}, which counts as nothing here; write \
             `gpu_resources = {{ \"{name}\" = \"0.5\" }}` if one is as much as half a GPU, or \
             \"0\" if it is nothing"
        ));
    }
    let mut owners = Owners::new();
    if options.workloads {
        owners.extend(
            reader.list("apps/replicasets", |object| Ok(object::owned("replicaset", object)))?,
        );
        owners.extend(reader.list("batch/jobs", |object| Ok(object::owned("job", object)))?);
    }
    let (mut volumes, mut claims) = (Vec::new(), Vec::new());
    if options.volumes {
        volumes = reader.list("persistentvolumes", |object| object::volume(object).map(Some))?;
        claims = reader.list("persistentvolumeclaims", |object| object::claim(object, labels))?;
    }
    let mut load_balancers = Vec::new();
    if options.load_balancers {
        load_balancers = reader.list("services", |object| object::load_balancer(object, labels))?;
    }
    Ok(Cluster {
        namespaces: namespaces.into_iter().collect(),
        nodes,
        pods,
        owners,
        volumes: volumes.into_iter().map(|volume| (volume.name.clone(), volume)).collect(),
        claims,
        load_balancers,
        rejected: reader.rejected,
    })
}

struct Reader {
    page_size: u32,
    rejected: Vec<Rejected>,
}

impl Reader {
    /// All objects of a kind for which `read` gives something. Only one page is held at a time.
    fn list<T>(
        &mut self,
        resource: &str,
        read: impl Fn(&Value) -> Result<Option<T>, String>,
    ) -> Result<Vec<T>, Error> {
        let (mut found, mut rejected) = (Vec::new(), Vec::new());
        let query =
            apportion_plugin_sdk::kubernetes::Query { limit: self.page_size, ..all_of(resource) };
        each_page(&query, &mut |part| {
            let page = match part {
                Part::Objects(page) => page,
                Part::Anew => {
                    found.clear();
                    rejected.clear();
                    return Ok(());
                }
            };
            let objects: Vec<Value> = serde_json::from_slice(&page).map_err(|error| {
                Error::Unavailable(format!("a page of {resource} is no list: {error}"))
            })?;
            for object in &objects {
                match read(object) {
                    Ok(Some(one)) => found.push(one),
                    Ok(None) => {}
                    Err(reason) => rejected.push(Rejected {
                        location: place(resource, object),
                        reason,
                        excerpt: excerpt(object),
                    }),
                }
            }
            Ok(())
        })?;
        self.rejected.append(&mut rejected);
        Ok(found)
    }
}

fn place(resource: &str, object: &Value) -> String {
    let parts = [resource, text(object, "/metadata/namespace"), text(object, "/metadata/name")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// The kind and name of an object. No more is shown, because pod specs may hold secrets.
fn excerpt(object: &Value) -> String {
    format!("uid {} phase {}", text(object, "/metadata/uid"), text(object, "/status/phase"))
}
