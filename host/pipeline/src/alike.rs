//! Whether two lists of charges are the same money, however their tables spell it.
//!
//! Only what both tables say is compared. One of them may have a column that the other lacks.

use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::field::Field;
use domain::period::Day;
use foldhash::fast::FixedState;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeSet;
use std::hash::BuildHasher;

/// A charge, as far as repeats are known by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCharge {
    pub resource: ResourceId,
    pub billing_period: Option<Day>,
    pub hour: u8,
    pub billed: i64,
    pub effective: i64,
}

/// How much of two lists of charges is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Likeness {
    Different,
    /// Both say the same of all charges.
    Same,
    /// One of the two says more, and nothing that both say differs. The different amounts of these
    /// charges, billed and effective.
    Compatible(BTreeSet<(i64, i64)>),
    /// The same amounts of the same owners.
    SameOwners(BTreeSet<(i64, i64)>),
    /// The same billed sum of each service, by whatever rows. The different sums.
    SameByService(BTreeSet<i128>),
}

/// Something that a charge can say beside its amounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Facet {
    BillingPeriod,
    Dimension(Field),
    Tag(Symbol),
}

/// What two lists of charges are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Everything that both say.
    Whole,
    /// The same without the names of services, which change between versions of a format.
    ButServices,
    /// The accounts, or else the resources, if both say them. Bills of two formats name services in
    /// their own words.
    Owners,
}

/// Compares two lists of charges, in any order.
pub fn compare(
    comparison: Comparison,
    left: &[DayCharge],
    right: &[DayCharge],
    dictionary: &Dictionary,
) -> Likeness {
    if left.len() != right.len() {
        return Likeness::Different;
    }
    let (of_left, of_right) = (facets(left, dictionary), facets(right, dictionary));
    let mut common: BTreeSet<Facet> = of_left.intersection(&of_right).copied().collect();
    if comparison == Comparison::ButServices {
        common.remove(&Facet::Dimension(Field::SERVICE_NAME));
    }
    if comparison == Comparison::Owners {
        let owners = [Field::SUB_ACCOUNT_ID, Field::RESOURCE_ID].map(Facet::Dimension);
        let owner = owners.into_iter().find(|owner| common.contains(owner));
        common.retain(|of_both| Some(*of_both) == owner);
    }
    if keys(left, &common, dictionary) != keys(right, &common, dictionary) {
        return Likeness::Different;
    }
    if comparison == Comparison::Whole && of_left == of_right {
        return Likeness::Same;
    }
    let amounts = left.iter().map(|charge| (charge.billed, charge.effective));
    let amounts = amounts.filter(|amounts| *amounts != (0, 0)).collect();
    match comparison {
        Comparison::Whole | Comparison::ButServices => Likeness::Compatible(amounts),
        Comparison::Owners => Likeness::SameOwners(amounts),
    }
}

fn resources(charges: &[DayCharge]) -> BTreeSet<ResourceId> {
    charges.iter().map(|charge| charge.resource).collect()
}

fn facets(charges: &[DayCharge], dictionary: &Dictionary) -> BTreeSet<Facet> {
    let mut found = BTreeSet::new();
    for resource in resources(charges) {
        found.extend(of_resource(resource, dictionary).map(|(found, _)| found));
    }
    if charges.iter().any(|charge| charge.billing_period.is_some()) {
        found.insert(Facet::BillingPeriod);
    }
    found
}

fn of_resource(
    resource: ResourceId,
    dictionary: &Dictionary,
) -> impl Iterator<Item = (Facet, Symbol)> + '_ {
    let dimensions = dictionary.dimensions(resource);
    let tags = dictionary.tags(dictionary.resource_tags(resource)).iter();
    dimensions
        .map(|(field, value)| (Facet::Dimension(field), value))
        .chain(tags.map(|(key, value)| (Facet::Tag(*key), *value)))
}

/// One key for each charge, in ascending order.
fn keys(
    charges: &[DayCharge],
    common: &BTreeSet<Facet>,
    dictionary: &Dictionary,
) -> Vec<(u64, Option<Day>, u8, i64, i64)> {
    let hasher = FixedState::default();
    let mut digests: HashMap<ResourceId, u64> = HashMap::new();
    for resource in resources(charges) {
        let told: BTreeSet<(u8, u32, u32)> = of_resource(resource, dictionary)
            .filter(|(found, _)| common.contains(found))
            .map(|(found, value)| match found {
                Facet::BillingPeriod => (0, 0, value.0),
                Facet::Dimension(field) => (1, field.index() as u32, value.0),
                Facet::Tag(key) => (2, key.0, value.0),
            })
            .collect();
        digests.insert(resource, hasher.hash_one(told));
    }
    let mut keys: Vec<_> = charges
        .iter()
        .map(|charge| {
            let digest = digests.get(&charge.resource).copied().unwrap_or_default();
            let period = charge.billing_period.filter(|_| common.contains(&Facet::BillingPeriod));
            (digest, period, charge.hour, charge.billed, charge.effective)
        })
        .collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::dictionary::Resource;

    /// `service account team amount`, one charge a line; `-` is nothing.
    fn charges(dictionary: &mut Dictionary, text: &str) -> Vec<DayCharge> {
        let mut charge = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let fields = [(Field::SERVICE_NAME, words[0]), (Field::SUB_ACCOUNT_ID, words[1])];
            let told = fields.into_iter().filter(|(_, text)| *text != "-");
            let dimensions = told.map(|(field, text)| (field, dictionary.symbol(text))).collect();
            let team = dictionary.symbol("team");
            let tags = match words[2] {
                "-" => Vec::new(),
                text => vec![(team, dictionary.symbol(text))],
            };
            let tags = dictionary.tag_set(&tags);
            let currency = "USD".parse().unwrap();
            let resource = dictionary.resource(&Resource { currency, tags, dimensions });
            let amount = words[3].parse().unwrap();
            let (billing_period, hour) = (None, 0);
            DayCharge { resource, billing_period, hour, billed: amount, effective: amount }
        };
        text.lines().map(|line| charge(line.trim())).collect()
    }

    fn likeness(comparison: Comparison, left: &str, right: &str) -> Likeness {
        let mut dictionary = Dictionary::new();
        let (left, right) = (charges(&mut dictionary, left), charges(&mut dictionary, right));
        compare(comparison, &left, &right, &dictionary)
    }

    fn compatible(amounts: &[i64]) -> Likeness {
        Likeness::Compatible(amounts.iter().map(|amount| (*amount, *amount)).collect())
    }

    #[test]
    fn only_what_both_say_is_compared() {
        let whole = |left, right| likeness(Comparison::Whole, left, right);
        let (one, other) = ("ec2 1 a 10\ns3 1 b 20", "s3 1 b 20\nec2 1 a 10");
        assert_eq!(whole(one, other), Likeness::Same);
        // One of the two lacks the teams, or the accounts, or both.
        assert_eq!(whole(one, "s3 1 - 20\nec2 1 - 10"), compatible(&[10, 20]));
        assert_eq!(whole(one, "ec2 - a 10\ns3 - b 20"), compatible(&[10, 20]));
        assert_eq!(whole(one, "ec2 - - 10\ns3 - - 20"), compatible(&[10, 20]));
        // The same flat fees of two accounts.
        assert_eq!(whole("fee 1 - 10\nfee 1 - 5", "fee 2 - 10\nfee 2 - 5"), Likeness::Different);
        // Of two teams, in tables that say nothing else.
        assert_eq!(whole("- - a 10", "- - b 10"), Likeness::Different);
        // A charge more, another amount, and an amount on another service.
        assert_eq!(whole(one, "ec2 1 a 10"), Likeness::Different);
        assert_eq!(whole(one, "ec2 1 a 10\ns3 1 b 21"), Likeness::Different);
        assert_eq!(whole(one, "ec2 1 a 20\ns3 1 b 10"), Likeness::Different);
        // Only some rows say the team: that is no lack of a column.
        assert_eq!(whole(one, "ec2 1 a 10\ns3 1 - 20"), Likeness::Different);
        // Charges of nothing are no evidence.
        assert_eq!(whole("ec2 1 - 0\ns3 1 - 3", "ec2 - - 0\ns3 - - 3"), compatible(&[3]));
    }

    #[test]
    fn two_formats_are_compared_by_owners() {
        let accounts = |left, right| likeness(Comparison::Owners, left, right);
        let cur = "AmazonEC2 1 - 10\nAmazonS3 2 - 20";
        let same = |amounts: &[i64]| match compatible(amounts) {
            Likeness::Compatible(amounts) => Likeness::SameOwners(amounts),
            other => other,
        };
        assert_eq!(accounts(cur, "EC2 1 a 10\nS3 2 b 20"), same(&[10, 20]));
        assert_eq!(accounts(cur, "EC2 - a 10\nS3 - b 20"), same(&[10, 20]));
        assert_eq!(accounts(cur, "EC2 2 a 10\nS3 1 b 20"), Likeness::Different);
    }
}
