//! The powers that a plugin can ask for and a source can grant.

/// A power of the host. The log is not a power, because every plugin may write log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Power {
    /// Looking into the tables of the source, and having the host read them.
    TableDecode,
    /// Listing and reading the files and objects that the source's paths lead to.
    File,
    /// Asking the servers that the source allows.
    Http,
    /// Listing objects of a cluster.
    Kubernetes,
    AwsCostExplorer,
    AwsOrganizations,
    /// Having the host fetch the source's URLs. Nothing is linked for it, so no plugin can ask for
    /// it or call it.
    ObjectStore,
}

impl Power {
    pub const ALL: [Power; 7] = [
        Power::TableDecode,
        Power::File,
        Power::Http,
        Power::Kubernetes,
        Power::AwsCostExplorer,
        Power::AwsOrganizations,
        Power::ObjectStore,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Power::TableDecode => "table-decode",
            Power::File => "file",
            Power::Http => "http",
            Power::Kubernetes => "kubernetes",
            Power::AwsCostExplorer => "aws-cost-explorer",
            Power::AwsOrganizations => "aws-organizations",
            Power::ObjectStore => "object-store",
        }
    }

    pub fn by_name(name: &str) -> Option<Power> {
        Power::ALL.into_iter().find(|power| power.name() == name)
    }
}
