//! The estate behind the bill: accounts, prices, and resources with their tags.

use crate::catalog::{
    APPLICATIONS, ENVIRONMENTS, METERS, REGIONS, SERVICES, SHARED_ACCOUNTS, SIZES,
    SYSTEM_NAMESPACES, Service, TEAMS, TIERS, cost_center,
};
use crate::random::{ONE, Random};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountKind {
    Production,
    Development,
    Shared,
    Sandbox,
}

pub struct Account {
    pub id: String,
    pub name: String,
    pub kind: AccountKind,
    pub team: Option<usize>,
}

/// The price of a unit of a service.
pub struct Price {
    pub sku_id: String,
    pub price_id: String,
    pub meter: String,
    pub description: String,
    /// In units of 10⁻¹⁰.
    pub unit_price: i64,
}

pub const PRICES_PER_SERVICE: usize = 12;

pub struct Resource {
    pub id: String,
    pub name: String,
    pub service: usize,
    pub account: usize,
    pub region: usize,
    pub zone: usize,
    /// Tags as JSON; empty where the bill has none.
    pub tags: String,
    /// The day on which other tags were set, and the other tags.
    pub retagged: Option<(i64, String)>,
    /// A usual day's cost, in units of 10⁻¹⁰.
    pub daily_cost: i64,
    pub first_price: usize,
    pub price_count: usize,
    /// Whether a savings plan covers the resource.
    pub is_covered: bool,
}

pub struct Estate {
    pub accounts: Vec<Account>,
    pub prices: Vec<Vec<Price>>,
    pub resources: Vec<Resource>,
}

/// The accounts stand in this order: those of teams, their development accounts, shared ones,
/// sandboxes.
const DEVELOPMENT: usize = TEAMS.len();
const SHARED: usize = DEVELOPMENT + DEVELOPMENT_COUNT;
const DEVELOPMENT_COUNT: usize = 20;
const SANDBOX: usize = SHARED + SHARED_ACCOUNTS.len();
const ACCOUNT_COUNT: usize = SANDBOX + SANDBOX_COUNT;
const SANDBOX_COUNT: usize = 7;

/// The account that gets the invoice.
pub const PAYER: usize = SANDBOX - 1;

impl Estate {
    pub fn generate(random: &mut Random, seed: u64, resource_count: usize, days: i64) -> Estate {
        let accounts: Vec<Account> =
            (0..ACCOUNT_COUNT).map(|number| account(random, number)).collect();
        let prices = (0..SERVICES.len()).map(|number| prices(number, seed)).collect();
        let resources =
            (0..resource_count).map(|number| resource(random, &accounts, number, days)).collect();
        Estate { accounts, prices, resources }
    }
}

fn account(random: &mut Random, number: usize) -> Account {
    let id = format!("{:012}", 100_000_000_000 + random.below(899_999_999_999));
    let (name, kind, team) = if number < DEVELOPMENT {
        (format!("{}-prod", TEAMS[number]), AccountKind::Production, Some(number))
    } else if number < SHARED {
        (
            format!("{}-dev", TEAMS[number - DEVELOPMENT]),
            AccountKind::Development,
            Some(number - DEVELOPMENT),
        )
    } else if number < SANDBOX {
        (SHARED_ACCOUNTS[number - SHARED].to_owned(), AccountKind::Shared, None)
    } else {
        (
            format!("sandbox-{:02}", number - SANDBOX + 1),
            AccountKind::Sandbox,
            Some(random.index(TEAMS.len())),
        )
    };
    Account { id, name, kind, team }
}

/// The prices of a service. They have random numbers of their own, so that they are the same in
/// every estate.
fn prices(service_number: usize, seed: u64) -> Vec<Price> {
    let service = &SERVICES[service_number];
    let price = |number: usize| {
        let mut random = Random::new(seed ^ (service_number * 977 + number + 1) as u64);
        let letters = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
        let sku_id: String = (0..16).map(|_| char::from(*random.pick(letters))).collect();
        let unit_price = random.log_normal(-20, 12);
        let meter = format!(
            "{}-{}:{}",
            service.code,
            METERS[number % METERS.len()],
            SIZES[number / 2 % SIZES.len()]
        );
        let (whole, part) = (unit_price / 10_000_000_000, unit_price % 10_000_000_000);
        let tier = TIERS[number % TIERS.len()];
        let description = format!(
            "${whole}.{part:010} per {} of {}, {meter} usage ({tier})",
            service.unit, service.name
        );
        Price {
            price_id: format!("{sku_id}.JRTCKXETXF.6YS6EN2CT7"),
            sku_id,
            meter,
            description,
            unit_price,
        }
    };
    (0..PRICES_PER_SERVICE).map(price).collect()
}

/// The parts of a resource's tags.
struct Tagging<'a> {
    service: &'a Service,
    team: usize,
    application: &'static str,
    environment: &'static str,
    cluster: u64,
    name: &'a str,
}

fn resource(random: &mut Random, accounts: &[Account], number: usize, days: i64) -> Resource {
    let service_number = service(random);
    let service = &SERVICES[service_number];
    let team = team(random);
    let account_number = account_of(random, service, team);
    let region = random.skewed(REGIONS.len(), 2);
    let zone = random.index(3);
    let hash = random.bits();
    let application = APPLICATIONS[(hash % 8) as usize];
    let account = &accounts[account_number];
    let owner = if account.kind == AccountKind::Shared { "shared" } else { TEAMS[team] };
    let name = format!("{owner}-{application}-{number:05x}");
    let environment = environment(random);
    let mut tagging =
        Tagging { service, team, application, environment, cluster: hash % 4, name: &name };
    let tags = match random.below(100) {
        0..6 => String::new(),
        6..12 => "{}".to_owned(),
        _ => tags_of(random, &tagging),
    };
    // Tags that are set later have the same kinds of gaps and mistakes.
    tagging.team = (team + 3) % TEAMS.len();
    let retagged =
        random.per_mille(20).then(|| (random.below(days as u64) as i64, tags_of(random, &tagging)));
    Resource {
        id: resource_id(service, account, region, hash, TEAMS[team], &name),
        service: service_number,
        account: account_number,
        region,
        zone,
        tags,
        retagged,
        daily_cost: random.log_normal(service.log_cost, 16),
        first_price: random.index(PRICES_PER_SERVICE),
        price_count: 1 + random.skewed(4, 2),
        is_covered: matches!(service.code, "ec2" | "rds") && random.per_mille(300),
        name,
    }
}

fn service(random: &mut Random) -> usize {
    let total: u64 = SERVICES.iter().map(|service| service.weight).sum();
    let mut drawn = random.below(total);
    SERVICES
        .iter()
        .position(|service| {
            let found = drawn < service.weight;
            drawn = drawn.saturating_sub(service.weight);
            found
        })
        .unwrap_or(0)
}

/// Draws a team by a fraction or by its square. Some teams are therefore much larger than others.
fn team(random: &mut Random) -> usize {
    let power = if random.per_mille(650) { 2 } else { 1 };
    random.skewed(TEAMS.len(), power)
}

fn account_of(random: &mut Random, service: &Service, team: usize) -> usize {
    match random.below(100) {
        drawn if drawn < 8 || (service.is_infrastructure && drawn < 75) => {
            SHARED + random.index(SHARED_ACCOUNTS.len())
        }
        0..70 => team,
        70..92 => DEVELOPMENT + team % DEVELOPMENT_COUNT,
        _ => SANDBOX + random.index(SANDBOX_COUNT),
    }
}

/// Draws an environment by the product of two fractions. Production is therefore more frequent than
/// the others.
fn environment(random: &mut Random) -> &'static str {
    let product = (random.fraction() * random.fraction()) >> 32;
    ENVIRONMENTS[(product * ENVIRONMENTS.len() as u64 / ONE) as usize]
}

fn resource_id(
    service: &Service,
    account: &Account,
    region: usize,
    hash: u64,
    team: &str,
    name: &str,
) -> String {
    let region = REGIONS[region].id;
    let account = &account.id;
    match service.code {
        "s3" => format!("arn:aws:s3:::{name}-{:08x}", hash as u32),
        "ec2" => format!("arn:aws:ec2:{region}:{account}:instance/i-{:017x}", hash >> 8),
        "ebs" => format!("arn:aws:ec2:{region}:{account}:volume/vol-{:017x}", hash >> 8),
        "eks" => format!("arn:aws:eks:{region}:{account}:pod/prod-{}/{team}/{name}", hash % 4),
        code => format!("arn:aws:{code}:{region}:{account}:{}/{name}", service.resource_type),
    }
}

fn tags_of(random: &mut Random, tagging: &Tagging<'_>) -> String {
    let team = TEAMS[tagging.team];
    let mut pairs: Vec<(&str, String)> = Vec::new();
    if tagging.service.code == "eks" {
        pod_tags(random, tagging, &mut pairs);
    } else if tagging.service.is_infrastructure && random.per_mille(700) {
        pairs.push(("application", format!("shared-{}", tagging.service.code)));
        pairs.push(("environment", "prod".to_owned()));
        pairs.push(("team", "platform".to_owned()));
    } else {
        pairs.push(("application", format!("{team}-{}", tagging.application)));
        owner_tags(random, tagging, &mut pairs);
        if random.per_mille(500) {
            pairs.push(("Name", tagging.name.to_owned()));
        }
    }
    json(&pairs)
}

fn pod_tags(random: &mut Random, tagging: &Tagging<'_>, pairs: &mut Vec<(&str, String)>) {
    let team = TEAMS[tagging.team];
    let of_a_team = random.per_mille(720);
    let namespace = if of_a_team {
        format!("{team}-{}", tagging.application)
    } else {
        (*random.pick(&SYSTEM_NAMESPACES)).to_owned()
    };
    pairs.push(("eks:cluster-name", format!("prod-{}", tagging.cluster)));
    pairs.push(("kubernetes-namespace", namespace));
    if of_a_team && random.per_mille(400) {
        pairs.push(("team", team.to_owned()));
        pairs.push(("cost-center", cost_center(tagging.team)));
        pairs.push(("environment", tagging.environment.to_owned()));
    }
}

/// Adds the owner's tags. They are mostly right, sometimes misspelt, under another key, or missing.
fn owner_tags(random: &mut Random, tagging: &Tagging<'_>, pairs: &mut Vec<(&str, String)>) {
    let team = TEAMS[tagging.team];
    let center = cost_center(tagging.team);
    let environment = ("environment", tagging.environment.to_owned());
    match random.below(100) {
        0..5 => {
            let wrong = misspelt(random, team);
            let center = if random.per_mille(500) { center } else { "unknown".to_owned() };
            pairs.extend([("cost-center", center), environment, ("team", wrong)]);
        }
        5..8 => pairs.extend([("Team", team.to_owned()), environment]),
        8..14 => pairs.extend([("cost-center", center), environment]),
        14..18 => pairs.push(environment),
        _ => pairs.extend([("cost-center", center), environment, ("team", team.to_owned())]),
    }
}

fn misspelt(random: &mut Random, team: &str) -> String {
    match random.below(4) {
        0 => format!("{}{}", team[..1].to_uppercase(), &team[1..]),
        1 => format!("{team}-team"),
        2 => format!("{}{}", &team[..team.len() / 2], &team[team.len() / 2 + 1..]),
        _ => team.replace('-', "_").to_uppercase(),
    }
}

fn json(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("\"{key}\": \"{value}\"")).collect();
    format!("{{{}}}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_estate() {
        let ids = |seed| -> Vec<String> {
            Estate::generate(&mut Random::new(seed), seed, 300, 30)
                .resources
                .into_iter()
                .map(|resource| resource.id + &resource.tags)
                .collect()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }

    #[test]
    fn about_one_in_eight_resources_has_no_tags() {
        let estate = Estate::generate(&mut Random::new(5), 5, 10_000, 30);
        let untagged = estate.resources.iter().filter(|resource| resource.tags.len() < 3).count();
        assert!((1_080..1_320).contains(&untagged), "{untagged}");
        let shared = estate
            .resources
            .iter()
            .filter(|resource| estate.accounts[resource.account].kind == AccountKind::Shared)
            .count();
        assert!((1_300..2_300).contains(&shared), "{shared}");
    }

    #[test]
    fn misspelt_teams_are_those_of_the_rules() {
        let mut random = Random::new(3);
        let drawn: std::collections::BTreeSet<String> =
            (0..100).map(|_| misspelt(&mut random, "partner-api")).collect();
        assert_eq!(
            drawn.into_iter().collect::<Vec<_>>(),
            ["PARTNER_API", "Partner-api", "partner-api-team", "partnr-api"].map(str::to_owned)
        );
    }
}
