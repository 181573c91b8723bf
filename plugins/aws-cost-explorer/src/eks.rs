//! The cost of an EKS cluster: all that has the cluster's tag, in parts such as nodes and volumes.

use serde_json::{Value, json};

/// The tag that names the cluster of a resource. Cost Explorer sees it only after it was activated
/// as a cost allocation tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterTag {
    /// `kubernetes.io/cluster/NAME`, with the value `owned` or `shared`.
    Kubernetes,
    /// `aws:eks:cluster-name`, with the name as its value.
    Eks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub name: String,
    pub tag: ClusterTag,
    /// Whether resources that the cluster shares with others count as its own.
    pub shared: bool,
}

impl Cluster {
    /// The expression that finds the cluster's resources, narrowed by the source's own filter.
    pub fn filter(&self, own: Option<&Value>) -> Value {
        let values = if self.shared { json!(["owned", "shared"]) } else { json!(["owned"]) };
        let tagged = match self.tag {
            ClusterTag::Kubernetes => {
                json!({"Tags": {"Key": format!("kubernetes.io/cluster/{}", self.name), "Values": values}})
            }
            ClusterTag::Eks => {
                json!({"Tags": {"Key": "aws:eks:cluster-name", "Values": [self.name]}})
            }
        };
        match own {
            Some(own) => json!({"And": [tagged, own]}),
            None => tagged,
        }
    }
}

/// The part of a cluster that a charge belongs to. Each charge belongs to one part.
pub fn component(service: &str, usage_type: &str) -> &'static str {
    // In most regions a usage type begins with a code, such as `USE1-` or `EUC1-`.
    let has = |word: &str| usage_type.starts_with(word) || usage_type.contains(&format!("-{word}"));
    let is_eks =
        ["Amazon Elastic Container Service for Kubernetes", "Amazon Elastic Kubernetes Service"]
            .contains(&service);
    if has("EBS:") {
        "ebs"
    } else if has("DataTransfer") || usage_type.ends_with("-Bytes") {
        "data_transfer"
    } else if service == "Amazon Elastic Compute Cloud - Compute"
        || (is_eks && ["Fargate", "EKS-Auto", "EKS-Hybrid"].iter().any(|word| has(word)))
    {
        "nodes"
    } else if is_eks {
        "control_plane"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_charge_belongs_to_one_part() {
        let (eks, compute, ec2) = (
            "Amazon Elastic Container Service for Kubernetes",
            "Amazon Elastic Compute Cloud - Compute",
            "EC2 - Other",
        );
        for (service, usage_type, expect) in [
            (eks, "USE1-AmazonEKS-Hours:perCluster", "control_plane"),
            (eks, "AmazonEKS-Hours:extendedSupport", "control_plane"),
            (eks, "USE1-Fargate-vCPU-Hours:perCPU", "nodes"),
            (eks, "EUC1-EKS-Auto:m5.large", "nodes"),
            (compute, "BoxUsage:m5.large", "nodes"),
            (compute, "EUC1-SpotUsage:c5.xlarge", "nodes"),
            (compute, "EUC1-EBSOptimized:c4.large", "nodes"),
            (compute, "USE1-DataTransfer-Regional-Bytes", "data_transfer"),
            (compute, "USE1-USE2-AWS-Out-Bytes", "data_transfer"),
            (ec2, "NatGateway-Bytes", "data_transfer"),
            (ec2, "NatGateway-Hours", "other"),
            (ec2, "EBS:VolumeUsage.gp3", "ebs"),
            (ec2, "EUC1-EBS:SnapshotUsage", "ebs"),
            ("Amazon Elastic Load Balancing", "LoadBalancerUsage", "other"),
        ] {
            assert_eq!(component(service, usage_type), expect, "{service} {usage_type}");
        }
    }

    #[test]
    fn a_cluster_is_found_by_its_tag() {
        let cluster =
            |tag: ClusterTag, shared: bool| Cluster { name: "production".into(), tag, shared };
        let owned =
            json!({"Tags": {"Key": "kubernetes.io/cluster/production", "Values": ["owned"]}});
        assert_eq!(cluster(ClusterTag::Kubernetes, false).filter(None), owned);
        let own = json!({"Dimensions": {"Key": "REGION", "Values": ["eu-central-1"]}});
        assert_eq!(
            cluster(ClusterTag::Kubernetes, false).filter(Some(&own)),
            json!({"And": [owned, own]})
        );
        let both = json!({"Tags": {"Key": "kubernetes.io/cluster/production", "Values": ["owned", "shared"]}});
        assert_eq!(cluster(ClusterTag::Kubernetes, true).filter(None), both);
        assert_eq!(
            cluster(ClusterTag::Eks, false).filter(None),
            json!({"Tags": {"Key": "aws:eks:cluster-name", "Values": ["production"]}})
        );
    }
}
