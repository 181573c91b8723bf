//! Teams, accounts, clouds and what they charge for.

use crate::random::Random;

pub struct Team {
    pub name: &'static str,
    pub weight: usize,
    pub applications: &'static [&'static str],
}

pub const TEAMS: &[Team] = &[
    Team { name: "payments", weight: 10, applications: &["api", "ledger", "fraud"] },
    Team { name: "checkout", weight: 8, applications: &["cart", "api", "emails"] },
    Team { name: "search", weight: 12, applications: &["index", "query", "ranking"] },
    Team { name: "identity", weight: 4, applications: &["login", "profiles"] },
    Team { name: "catalog", weight: 6, applications: &["api", "images", "import"] },
    Team { name: "data-platform", weight: 14, applications: &["lake", "etl", "reports"] },
    Team { name: "ml-research", weight: 12, applications: &["training", "features", "serving"] },
    Team { name: "mobile", weight: 5, applications: &["push", "bff"] },
    Team { name: "web", weight: 7, applications: &["frontend", "cdn"] },
    Team { name: "platform", weight: 6, applications: &["ci", "registry", "vault"] },
];

const SHARED: [&str; 4] =
    ["shared-network", "shared-security", "shared-observability", "shared-kubernetes"];
const SANDBOXES: [&str; 2] = ["sandbox-hackathon", "sandbox-interviews"];

/// Accounts by number: two a team, then the shared ones, then sandboxes.
pub fn team_account(team: usize, is_production: bool) -> usize {
    team * 2 + usize::from(!is_production)
}

pub fn shared_account(name: &str) -> usize {
    TEAMS.len() * 2 + SHARED.iter().position(|shared| *shared == name).unwrap_or(0)
}

pub fn sandbox_account(number: usize) -> usize {
    TEAMS.len() * 2 + SHARED.len() + number
}

pub fn is_sandbox(account: usize) -> bool {
    account >= sandbox_account(0)
}

pub fn account_name(account: usize) -> String {
    let teams = TEAMS.len() * 2;
    match account {
        _ if account < teams => {
            format!("{}-{}", TEAMS[account / 2].name, ["prod", "dev"][account % 2])
        }
        _ if account < teams + SHARED.len() => SHARED[account - teams].to_owned(),
        _ => SANDBOXES[(account - teams - SHARED.len()) % SANDBOXES.len()].to_owned(),
    }
}

pub struct Service {
    pub name: &'static str,
    pub category: &'static str,
    pub description: &'static str,
    pub weight: usize,
    /// Least cost of a day, and what the most expensive adds.
    pub daily_cents: (i64, i64),
    pub can_be_covered: bool,
    pub is_kubernetes: bool,
    pub shared_account: Option<&'static str>,
}

const fn service(
    name: &'static str,
    category: &'static str,
    description: &'static str,
    weight: usize,
    daily_cents: (i64, i64),
) -> Service {
    Service {
        name,
        category,
        description,
        weight,
        daily_cents,
        can_be_covered: false,
        is_kubernetes: false,
        shared_account: None,
    }
}

const fn coverable(service: Service) -> Service {
    Service { can_be_covered: true, ..service }
}

const fn kubernetes(service: Service) -> Service {
    Service { is_kubernetes: true, ..service }
}

const fn shared(service: Service, account: &'static str) -> Service {
    Service { shared_account: Some(account), ..service }
}

pub struct Cloud {
    pub name: &'static str,
    pub provider: &'static str,
    pub issuer: &'static str,
    pub currency: &'static str,
    pub support: &'static str,
    /// Whether its export has the columns of FOCUS 1.4, without those that went away with it.
    pub is_newest: bool,
    pub is_packed: bool,
    pub has_commitment: bool,
    pub commitment_id: &'static str,
    pub resources: usize,
    pub regions: &'static [&'static str],
    pub services: &'static [Service],
}

pub const CLOUDS: &[Cloud] = &[
    Cloud {
        name: "aws",
        provider: "AWS",
        issuer: "Amazon Web Services, Inc.",
        currency: "USD",
        support: "AWS Support (Enterprise)",
        is_newest: false,
        is_packed: false,
        has_commitment: true,
        commitment_id: "arn:aws:savingsplans::100000000000:savingsplan/5c1f9a52-7d0e",
        resources: 1300,
        regions: &["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-1"],
        services: &[
            coverable(service(
                "Amazon Elastic Compute Cloud",
                "Compute",
                "$0.192 per On Demand Linux m5.xlarge Instance Hour",
                22,
                (80, 9000),
            )),
            coverable(service(
                "Amazon Relational Database Service",
                "Databases",
                "$0.48 per RDS db.r6g.xlarge Multi-AZ hour",
                8,
                (300, 8000),
            )),
            service(
                "Amazon Simple Storage Service",
                "Storage",
                "$0.023 per GB - first 50 TB / month of storage used",
                14,
                (2, 2500),
            ),
            service(
                "AWS Lambda",
                "Compute",
                "AWS Lambda - Requests, \"free tier\" included",
                10,
                (0, 400),
            ),
            service(
                "Amazon DynamoDB",
                "Databases",
                "$0.25 per million read request units",
                6,
                (5, 1800),
            ),
            service(
                "Amazon OpenSearch Service",
                "Analytics",
                "$0.335 per r6g.large.search instance hour",
                3,
                (400, 6000),
            ),
            kubernetes(service(
                "Amazon Elastic Kubernetes Service",
                "Compute",
                "Split cost of a pod: vCPU and memory",
                20,
                (10, 1500),
            )),
            shared(
                service(
                    "Amazon Virtual Private Cloud",
                    "Networking",
                    "$0.045 per NAT Gateway Hour",
                    4,
                    (108, 3000),
                ),
                "shared-network",
            ),
            shared(
                service(
                    "AWS Data Transfer",
                    "Networking",
                    "$0.09 per GB - first 10 TB / month, data transfer out",
                    4,
                    (50, 6000),
                ),
                "shared-network",
            ),
            shared(
                service(
                    "Amazon GuardDuty",
                    "Security",
                    "$1.00 per GB of VPC Flow and DNS logs analyzed",
                    2,
                    (100, 1500),
                ),
                "shared-security",
            ),
            shared(
                service(
                    "AWS CloudTrail",
                    "Management and Governance",
                    "$2.00 per 100,000 management events",
                    2,
                    (40, 700),
                ),
                "shared-security",
            ),
            shared(
                service(
                    "Datadog Pro (Marketplace)",
                    "Management and Governance",
                    "Datadog Pro, per host — billed through AWS Marketplace",
                    2,
                    (2500, 9000),
                ),
                "shared-observability",
            ),
        ],
    },
    Cloud {
        name: "azure",
        provider: "Microsoft",
        issuer: "Microsoft Ireland Operations Ltd.",
        currency: "EUR",
        support: "Azure Support Plan (Standard)",
        is_newest: false,
        is_packed: true,
        has_commitment: false,
        commitment_id: "",
        resources: 360,
        regions: &["westeurope", "northeurope", "germanywestcentral"],
        services: &[
            service(
                "Virtual Machines",
                "Compute",
                "Virtual Machines Dsv5 Series - D4s v5 - EU West",
                30,
                (60, 7000),
            ),
            service(
                "Azure SQL Database",
                "Databases",
                "SQL Database Single General Purpose - vCore",
                14,
                (120, 5000),
            ),
            service(
                "Azure Blob Storage",
                "Storage",
                "Tiered Block Blob - Hot LRS Data Stored",
                20,
                (1, 900),
            ),
            service(
                "Azure OpenAI Service",
                "AI and Machine Learning",
                "Tokens, 1K, prompt, \"global\" deployment",
                6,
                (100, 9000),
            ),
            shared(
                service(
                    "Azure Monitor",
                    "Management and Governance",
                    "Log Analytics - Pay-as-you-go Data Ingestion",
                    6,
                    (50, 3000),
                ),
                "shared-observability",
            ),
            shared(
                service(
                    "ExpressRoute",
                    "Networking",
                    "ExpressRoute Standard Metered Data 1 Gbps Circuit",
                    2,
                    (900, 900),
                ),
                "shared-network",
            ),
        ],
    },
    Cloud {
        name: "gcp",
        provider: "Google Cloud",
        issuer: "Google Cloud EMEA Limited",
        currency: "USD",
        support: "Google Cloud Enhanced Support",
        is_newest: true,
        is_packed: false,
        has_commitment: false,
        commitment_id: "",
        resources: 470,
        regions: &["europe-west1", "europe-west4", "us-central1"],
        services: &[
            service(
                "Compute Engine",
                "Compute",
                "N2 Instance Core running in Belgium",
                24,
                (40, 5000),
            ),
            service("BigQuery", "Analytics", "Analysis (on-demand), per TiB", 16, (10, 12_000)),
            service(
                "Vertex AI",
                "AI and Machine Learning",
                "Custom training — n1-highmem-8 with NVIDIA T4",
                8,
                (200, 16_000),
            ),
            service(
                "Cloud Storage",
                "Storage",
                "Standard Storage Europe Multi-region",
                18,
                (1, 1200),
            ),
            shared(
                service(
                    "Networking",
                    "Networking",
                    "Network Internet Egress from EMEA to EMEA",
                    4,
                    (30, 2500),
                ),
                "shared-network",
            ),
            shared(
                service(
                    "Security Command Center",
                    "Security",
                    "Security Command Center Premium tier",
                    2,
                    (200, 900),
                ),
                "shared-security",
            ),
        ],
    },
];

/// An id in the style of the cloud.
pub fn resource_id(
    cloud: &Cloud,
    service: &Service,
    account: usize,
    name: &str,
    random: &mut Random,
) -> String {
    let kind = service.name.split_whitespace().last().unwrap_or_default().to_lowercase();
    match cloud.name {
        "aws" => format!(
            "arn:aws:{kind}:{}:{}:{name}/{}",
            cloud.regions[0],
            account_id(cloud, account),
            random.hex(17)
        ),
        "azure" => format!(
            "/subscriptions/{}/resourcegroups/{name}/providers/{kind}/{}",
            account_id(cloud, account),
            random.hex(8)
        ),
        _ => format!(
            "//{kind}.googleapis.com/projects/{}/{name}/{}",
            account_id(cloud, account),
            random.hex(10)
        ),
    }
}

pub fn account_id(cloud: &Cloud, account: usize) -> String {
    match cloud.name {
        "aws" => format!("{:012}", 200_000_000_000_u64 + account as u64 * 37_037),
        "azure" => format!(
            "{:08x}-0000-4000-8000-{:012x}",
            0x5ab5_0000 + account,
            0x0a11_0c00 + account * 257
        ),
        _ => format!("{}-{:06}", account_name(account), 400_000 + account * 97),
    }
}
