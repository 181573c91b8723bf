//! An organization and its purchases: services, regions, teams, and the words in the names of its
//! resources.

/// A cloud service and its usual cost.
pub struct Service {
    pub name: &'static str,
    pub code: &'static str,
    pub category: &'static str,
    pub subcategory: &'static str,
    pub resource_type: &'static str,
    pub unit: &'static str,
    /// About so many of a thousand resources are of this service.
    pub weight: u64,
    /// Ten times the natural logarithm of a usual day's cost.
    pub log_cost: i64,
    /// Whether the service serves all teams, mostly from shared accounts.
    pub is_infrastructure: bool,
}

const fn service(texts: [&'static str; 6], weight: u64, log_cost: i64) -> Service {
    let [name, code, category, subcategory, resource_type, unit] = texts;
    Service {
        name,
        code,
        category,
        subcategory,
        resource_type,
        unit,
        weight,
        log_cost,
        is_infrastructure: false,
    }
}

const fn infrastructure(texts: [&'static str; 6], weight: u64, log_cost: i64) -> Service {
    Service { is_infrastructure: true, ..service(texts, weight, log_cost) }
}

/// The support plan stands last and has no resources.
#[rustfmt::skip]
pub const SERVICES: [Service; 40] = [
    service(["Amazon Elastic Compute Cloud", "ec2", "Compute", "Virtual Machines", "instance", "Hours"], 180, 6),
    service(["Amazon Elastic Block Store", "ebs", "Storage", "Block Storage", "volume", "GB-Mo"], 140, -20),
    service(["Amazon Simple Storage Service", "s3", "Storage", "Object Storage", "bucket", "GB-Mo"], 90, -15),
    service(["Amazon Relational Database Service", "rds", "Databases", "Relational Databases", "db", "Hours"], 50, 12),
    service(["Amazon Elastic Kubernetes Service", "eks", "Compute", "Containers", "pod", "Hours"], 100, -12),
    service(["AWS Lambda", "lambda", "Compute", "Serverless Compute", "function", "GB-Seconds"], 80, -35),
    service(["Amazon DynamoDB", "dynamodb", "Databases", "NoSQL Databases", "table", "RRU"], 40, -10),
    service(["Amazon CloudWatch", "cloudwatch", "Management and Governance", "Observability", "log-group", "GB"], 60, -25),
    infrastructure(["Amazon Virtual Private Cloud", "vpc", "Networking", "Network Infrastructure", "natgateway", "Hours"], 30, -5),
    infrastructure(["AWS Data Transfer", "datatransfer", "Networking", "Content Delivery", "transfer", "GB"], 30, -15),
    service(["Elastic Load Balancing", "elb", "Networking", "Load Balancing", "loadbalancer", "LCU-Hours"], 30, -6),
    service(["Amazon ElastiCache", "elasticache", "Databases", "Caching", "cluster", "Hours"], 15, 8),
    service(["Amazon OpenSearch Service", "es", "Analytics", "Search", "domain", "Hours"], 8, 13),
    service(["Amazon Redshift", "redshift", "Analytics", "Data Warehouses", "cluster", "Hours"], 4, 25),
    service(["Amazon SageMaker", "sagemaker", "AI and Machine Learning", "AI Platforms", "endpoint", "Hours"], 8, 18),
    service(["Amazon Bedrock", "bedrock", "AI and Machine Learning", "Generative AI", "model", "Tokens"], 6, 10),
    service(["Amazon Simple Queue Service", "sqs", "Integration", "Messaging", "queue", "Requests"], 20, -40),
    service(["Amazon Simple Notification Service", "sns", "Integration", "Messaging", "topic", "Requests"], 15, -45),
    service(["AWS Key Management Service", "kms", "Security", "Key Management", "key", "Keys"], 25, -35),
    service(["AWS Secrets Manager", "secretsmanager", "Security", "Secret Management", "secret", "Secrets"], 20, -40),
    infrastructure(["Amazon GuardDuty", "guardduty", "Security", "Threat Detection", "detector", "GB"], 6, -5),
    infrastructure(["AWS Config", "config", "Management and Governance", "Configuration", "recorder", "Items"], 8, -20),
    infrastructure(["AWS CloudTrail", "cloudtrail", "Management and Governance", "Governance", "trail", "Events"], 5, -20),
    infrastructure(["Amazon Route 53", "route53", "Networking", "DNS", "hostedzone", "Queries"], 7, -30),
    service(["Amazon CloudFront", "cloudfront", "Networking", "Content Delivery", "distribution", "GB"], 9, 2),
    service(["Amazon API Gateway", "apigateway", "Integration", "API Management", "restapi", "Requests"], 8, -15),
    service(["Amazon Kinesis", "kinesis", "Analytics", "Streaming Analytics", "stream", "ShardHours"], 8, -2),
    service(["Amazon Managed Streaming for Apache Kafka", "msk", "Integration", "Messaging", "cluster", "Hours"], 4, 17),
    service(["AWS Glue", "glue", "Analytics", "Data Processing", "job", "DPU-Hours"], 6, 4),
    service(["Amazon Athena", "athena", "Analytics", "Query", "workgroup", "TB"], 4, 1),
    service(["Amazon Elastic MapReduce", "emr", "Analytics", "Data Processing", "cluster", "Hours"], 4, 19),
    service(["Amazon Elastic Container Registry", "ecr", "Compute", "Containers", "repository", "GB-Mo"], 9, -30),
    service(["Amazon Elastic File System", "efs", "Storage", "File Storage", "filesystem", "GB-Mo"], 7, -10),
    infrastructure(["AWS Backup", "backup", "Storage", "Backup Storage", "vault", "GB-Mo"], 9, -12),
    service(["AWS Step Functions", "states", "Integration", "Orchestration", "statemachine", "Transitions"], 7, -30),
    infrastructure(["AWS WAF", "waf", "Security", "Firewall", "webacl", "Requests"], 5, -10),
    infrastructure(["AWS CodeBuild", "codebuild", "Developer Tools", "Continuous Integration", "project", "Minutes"], 5, -10),
    service(["Amazon WorkSpaces", "workspaces", "End User Computing", "Desktops", "workspace", "Hours"], 8, 0),
    infrastructure(["Datadog Pro (Marketplace)", "marketplace-dd", "Management and Governance", "Observability", "subscription", "Hosts"], 3, 15),
    service(["AWS Support (Enterprise)", "support", "Other", "Other", "", "Dollar"], 0, 20),
];

/// The index of the support plan.
pub const SUPPORT: usize = SERVICES.len() - 1;

pub struct Region {
    pub id: &'static str,
    pub name: &'static str,
}

pub const REGIONS: [Region; 6] = [
    Region { id: "us-east-1", name: "US East (N. Virginia)" },
    Region { id: "us-west-2", name: "US West (Oregon)" },
    Region { id: "eu-west-1", name: "EU (Ireland)" },
    Region { id: "eu-central-1", name: "EU (Frankfurt)" },
    Region { id: "ap-southeast-1", name: "Asia Pacific (Singapore)" },
    Region { id: "ap-northeast-1", name: "Asia Pacific (Tokyo)" },
];

/// The teams, in the order of the rules. Earlier ones are larger.
pub const TEAMS: [&str; 25] = [
    "payments",
    "checkout",
    "search",
    "identity",
    "catalog",
    "pricing",
    "fraud",
    "ledger",
    "mobile",
    "web",
    "data-platform",
    "ml-research",
    "recommendations",
    "messaging",
    "notifications",
    "billing",
    "growth",
    "ads",
    "analytics",
    "video",
    "logistics",
    "inventory",
    "support-tools",
    "partner-api",
    "internal-it",
];

pub fn cost_center(team: usize) -> String {
    format!("CC-{}", 1000 + 37 * team)
}

pub const APPLICATIONS: [&str; 8] =
    ["api", "worker", "frontend", "batch", "cache", "gateway", "etl", "scheduler"];
pub const ENVIRONMENTS: [&str; 4] = ["prod", "staging", "dev", "test"];

/// Namespaces that a cluster needs for itself.
pub const SYSTEM_NAMESPACES: [&str; 5] =
    ["kube-system", "monitoring", "istio-system", "ingress-nginx", "cert-manager"];

pub const SHARED_ACCOUNTS: [&str; 8] = [
    "shared-network",
    "shared-security",
    "shared-observability",
    "shared-kubernetes",
    "shared-data-lake",
    "shared-ci",
    "log-archive",
    "org-management",
];

pub const METERS: [&str; 6] = [
    "BoxUsage",
    "Usage",
    "Requests-Tier1",
    "DataTransfer-Out-Bytes",
    "TimedStorage-ByteHrs",
    "NodeUsage",
];
pub const SIZES: [&str; 6] =
    ["m5.xlarge", "c6g.large", "r6i.2xlarge", "t3.medium", "standard", "gp3"];
pub const TIERS: [&str; 3] = ["first 10 TB / month", "on demand", "next 40 TB / month"];
