//! A believable estate: three clouds, ten teams, three months, and everything that makes bills hard
//! to share out.
//!
//! The same seed gives the same bytes. All amounts are integers of 10⁻¹² units, so that the totals
//! which the demo is held against do not come out of any parser.

mod bill;
mod catalog;
mod random;

use crate::bill::{BillFile, Row};
use crate::catalog::{CLOUDS, Cloud, Service, TEAMS};
use crate::random::Random;
use domain::period::{Day, Month};
use std::io::Result;
use std::path::Path;

/// Sums over the bills, added up while they were written.
#[derive(Debug, PartialEq, Eq)]
pub struct EstateFacts {
    pub charges: u64,
    pub files: usize,
    /// Per currency code, in 10⁻¹² units: billed and effective.
    pub totals: Vec<(String, i128, i128)>,
}

/// 10⁻¹² units in one unit of currency.
const UNIT: i64 = 1_000_000_000_000;
const FIRST_MONTH: (i32, u32) = (2026, 7);
const MONTHS: usize = 3;
/// Per mille of a month's costs.
const TAX: i128 = 80;
const SUPPORT: i128 = 30;

/// One thing that is charged for every day.
struct Resource {
    id: String,
    name: String,
    account: usize,
    service: &'static Service,
    region: &'static str,
    tags: String,
    /// Cost of a usual day.
    base: i64,
    is_production: bool,
    is_covered: bool,
}

/// Writes the bills of `MONTHS` months below `dir/bills`.
pub fn generate(dir: &Path, seed: u64, progress: &mut dyn FnMut(&str)) -> Result<EstateFacts> {
    let mut facts = EstateFacts { charges: 0, files: 0, totals: Vec::new() };
    for (number, cloud) in CLOUDS.iter().enumerate() {
        progress(&format!("  {}: {} resources, {MONTHS} months", cloud.name, cloud.resources));
        let mut random = Random::new(seed.wrapping_add(number as u64));
        let resources: Vec<Resource> =
            (0..cloud.resources).map(|number| resource(cloud, number, &mut random)).collect();
        let folder = dir.join("bills").join(cloud.name);
        std::fs::create_dir_all(&folder)?;
        let mut month = Month::new(FIRST_MONTH.0, FIRST_MONTH.1);
        while let Some(current) = month.filter(|_| facts.files < (number + 1) * MONTHS) {
            let mut file = BillFile::create(&folder, cloud, current)?;
            write_month(&mut file, cloud, current, &resources, &mut random)?;
            facts.add(cloud, file.finish()?);
            month = Some(current.next());
        }
    }
    Ok(facts)
}

impl EstateFacts {
    fn add(&mut self, cloud: &Cloud, (charges, billed, effective): (u64, i128, i128)) {
        self.charges += charges;
        self.files += 1;
        match self.totals.iter_mut().find(|(currency, ..)| currency == cloud.currency) {
            Some(total) => (total.1, total.2) = (total.1 + billed, total.2 + effective),
            None => self.totals.push((cloud.currency.to_owned(), billed, effective)),
        }
    }
}

fn resource(cloud: &'static Cloud, number: usize, random: &mut Random) -> Resource {
    let team = random.weighted(TEAMS.iter().map(|team| team.weight));
    let service =
        &cloud.services[random.weighted(cloud.services.iter().map(|service| service.weight))];
    let environment = ["prod", "prod", "prod", "staging", "dev"][random.below(5)];
    let account = account_of(service, team, environment, random);
    let application = TEAMS[team].applications[random.below(TEAMS[team].applications.len())];
    let name = format!("{}-{application}-{number:04}", TEAMS[team].name);
    let tags = tags_of(service, account, team, environment, application, random);
    // Few things cost much and many little: the cube of an even draw.
    let draw = random.below(1000) as i64 + 1;
    let base = service.daily_cents.0 * UNIT / 100
        + service.daily_cents.1 * (UNIT / 100) / 1000 * draw / 1000 * draw / 1000 * draw;
    let is_free = random.below(50) == 0;
    Resource {
        id: catalog::resource_id(cloud, service, account, &name, random),
        name,
        account,
        service,
        region: cloud.regions[random.below(cloud.regions.len())],
        tags,
        base: if is_free { 0 } else { base },
        is_production: environment == "prod",
        is_covered: service.can_be_covered && environment == "prod" && random.below(10) < 4,
    }
}

/// Shared services live in shared accounts; a few things in sandboxes that nobody owns.
fn account_of(service: &Service, team: usize, environment: &str, random: &mut Random) -> usize {
    match service.shared_account {
        Some(account) => catalog::shared_account(account),
        None if random.below(100) < 3 => catalog::sandbox_account(random.below(2)),
        None => catalog::team_account(team, environment == "prod"),
    }
}

/// How well people tag: mostly well, sometimes with another key, another case, a typing error, or
/// not at all.
fn tags_of(
    service: &Service,
    account: usize,
    team: usize,
    environment: &str,
    application: &str,
    random: &mut Random,
) -> String {
    let name = TEAMS[team].name;
    let mut tags: Vec<(&str, String)> = Vec::new();
    if service.shared_account.is_some() || catalog::is_sandbox(account) {
        return bill::tags_json(&[("environment", environment.to_owned())]);
    }
    if service.is_kubernetes {
        let shared = ["kube-system", "monitoring", "ingress-nginx"];
        let namespace = if random.below(10) < 2 {
            shared[random.below(3)].to_owned()
        } else {
            format!("{name}-{application}")
        };
        return bill::tags_json(&[
            ("eks:cluster-name", format!("prod-{}", random.below(3))),
            ("kubernetes-namespace", namespace),
        ]);
    }
    match random.below(100) {
        0..72 => tags.push(("team", name.to_owned())),
        72..78 => tags.push(("Team", name.to_owned())),
        78..83 => tags.push(("team_name", name.to_uppercase())),
        83..85 => tags.push(("team", name.replacen("ch", "hc", 1))),
        85..93 => {}
        _ => return String::new(),
    }
    tags.push(("environment", environment.to_owned()));
    tags.push(("application", format!("{name}-{application}")));
    tags.push(("cost_center", format!("CC-{}", 1000 + 10 * team)));
    bill::tags_json(&tags)
}

fn write_month(
    file: &mut BillFile,
    cloud: &'static Cloud,
    month: Month,
    resources: &[Resource],
    random: &mut Random,
) -> Result<()> {
    let period = month.period();
    let mut day = period.start();
    if cloud.has_commitment {
        file.write(&commitment_purchase(cloud, month))?;
    }
    while day < period.end() {
        for resource in resources {
            let row = usage(cloud, day, resource, random);
            file.write(&row)?;
            if random.below(400) == 0 {
                file.write(&credit(row))?;
            }
        }
        if cloud.has_commitment {
            file.write(&commitment_unused(cloud, day, random))?;
        }
        day = day.plus(1);
    }
    let billed = file.billed();
    file.write(&monthly(cloud, month, "Tax", "Tax", "Value added tax", billed * TAX / 1000))?;
    file.write(&monthly(
        cloud,
        month,
        cloud.support,
        "Purchase",
        "Support plan, \"business\", 3% of usage",
        billed * SUPPORT / 1000,
    ))
}

fn usage<'a>(
    cloud: &'static Cloud,
    day: Day,
    resource: &'a Resource,
    random: &mut Random,
) -> Row<'a> {
    let cost = daily_cost(resource, day, random);
    let covered = resource.is_covered;
    Row {
        day,
        days: 1,
        category: "Usage",
        description: resource.service.description,
        service: resource.service.name,
        service_category: resource.service.category,
        account: Some(resource.account),
        region: resource.region,
        resource_id: &resource.id,
        resource_name: &resource.name,
        tags: &resource.tags,
        billed: if covered { 0 } else { cost },
        effective: if covered { cost / 100 * 65 } else { cost },
        commitment: covered.then_some((cloud.commitment_id, "Used")),
    }
}

/// Growth of some percent a month, quiet weekends, and a little noise; most bills round, some do
/// not.
fn daily_cost(resource: &Resource, day: Day, random: &mut Random) -> i64 {
    let first = Day::from_civil(FIRST_MONTH.0, FIRST_MONTH.1, 1).unwrap_or(day);
    let growth = 1000 + i64::from(day.epoch_days() - first.epoch_days()) * 2;
    let is_weekend = day.epoch_days() - day.week_start().epoch_days() >= 5;
    let week = match (is_weekend, resource.is_production) {
        (false, _) => 1000,
        (true, true) => 870,
        (true, false) => 380,
    };
    let noise = 930 + random.below(141) as i64;
    let cost = resource.base / 1_000 * growth / 1_000 * week / 1_000 * noise;
    let digits = [4, 4, 6, 6, 8, 9, 9, 12][random.below(8)];
    let step = 10_i64.pow(12 - digits);
    cost / step * step
}

/// A refund of a tenth, on the same thing.
fn credit(row: Row<'_>) -> Row<'_> {
    let amount = -(row.billed / 10);
    Row {
        category: "Credit",
        description: "Service credit for \"degraded performance\", ticket #4711",
        billed: amount,
        effective: amount,
        commitment: None,
        ..row
    }
}

fn commitment_purchase(cloud: &'static Cloud, month: Month) -> Row<'static> {
    let days = month.period().end().epoch_days() - month.first_day().epoch_days();
    let billed = 14_500 * UNIT;
    let commitment = Some((cloud.commitment_id, ""));
    Row {
        days,
        resource_id: cloud.commitment_id,
        resource_name: "Compute savings plan",
        billed,
        effective: 0,
        commitment,
        ..organization(cloud, month.first_day(), "Purchase")
    }
}

fn commitment_unused(cloud: &'static Cloud, day: Day, random: &mut Random) -> Row<'static> {
    let effective = (4_000 + random.below(2_000) as i64) * (UNIT / 1000);
    let commitment = Some((cloud.commitment_id, "Unused"));
    Row {
        resource_id: cloud.commitment_id,
        resource_name: "Compute savings plan",
        billed: 0,
        effective,
        commitment,
        ..organization(cloud, day, "Usage")
    }
}

fn monthly(
    cloud: &'static Cloud,
    month: Month,
    service: &'static str,
    category: &'static str,
    description: &'static str,
    amount: i128,
) -> Row<'static> {
    let days = month.period().end().epoch_days() - month.first_day().epoch_days();
    // Payable amounts have two decimals.
    let cents = i64::try_from(amount / i128::from(UNIT / 100)).unwrap_or_default();
    let amount = cents * (UNIT / 100);
    Row {
        days,
        service,
        service_category: "Other",
        description,
        billed: amount,
        effective: amount,
        ..organization(cloud, month.first_day(), category)
    }
}

/// A line of the organisation as a whole: no resource, no tags.
fn organization(cloud: &'static Cloud, day: Day, category: &'static str) -> Row<'static> {
    Row {
        day,
        days: 1,
        category,
        description: "1-year compute savings plan, no upfront",
        service: cloud.services[0].name,
        service_category: cloud.services[0].category,
        account: None,
        region: "",
        resource_id: "",
        resource_name: "",
        tags: "",
        billed: 0,
        effective: 0,
        commitment: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::decimal::Exact;
    use std::collections::BTreeMap;
    use std::io::Read;

    fn texts(dir: &Path) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for cloud in CLOUDS {
            for entry in std::fs::read_dir(dir.join("bills").join(cloud.name)).unwrap().flatten() {
                let bytes = std::fs::read(entry.path()).unwrap();
                let mut text = String::new();
                if bytes.starts_with(&[0x1f, 0x8b]) {
                    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
                } else {
                    text = String::from_utf8(bytes).unwrap();
                }
                texts.insert(
                    format!("{}/{}", cloud.name, entry.file_name().to_string_lossy()),
                    text,
                );
            }
        }
        texts
    }

    /// The cells of a line that may hold quoted commas.
    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut inside) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => inside = !inside,
                ',' if !inside => cells.push(String::new()),
                _ => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    }

    fn exact(units: i128) -> String {
        format!("{units}E-12").parse::<Exact>().unwrap().to_string()
    }

    #[test]
    fn the_same_seed_makes_the_same_estate_and_its_columns_add_up() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let facts = generate(first.path(), 7, &mut |_| {}).unwrap();
        assert_eq!(generate(second.path(), 7, &mut |_| {}).unwrap(), facts);
        let texts = texts(first.path());
        assert!(texts == self::texts(second.path()), "the same seed made other bytes");
        assert!((190_000..=210_000).contains(&facts.charges), "{}", facts.charges);
        let mut totals: BTreeMap<String, (Exact, Exact)> = BTreeMap::new();
        let mut rows = 0;
        for text in texts.values() {
            let header = cells(text.lines().next().unwrap());
            let at = |name: &str| header.iter().position(|column| column == name).unwrap();
            let (billed, effective, currency) =
                (at("BilledCost"), at("EffectiveCost"), at("BillingCurrency"));
            for line in text.lines().skip(1) {
                let row = cells(line);
                assert_eq!(row.len(), header.len(), "{line}");
                let total = totals.entry(row[currency].clone()).or_default();
                total.0.add(&row[billed].parse().unwrap());
                total.1.add(&row[effective].parse().unwrap());
                rows += 1;
            }
        }
        assert_eq!((rows, texts.len()), (facts.charges, facts.files));
        for (currency, billed, effective) in facts.totals {
            let total = &totals[&currency];
            assert_eq!(
                (total.0.to_string(), total.1.to_string()),
                (exact(billed), exact(effective)),
                "{currency}"
            );
        }
    }
}
