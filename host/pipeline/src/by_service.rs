//! One bill in two formats: each service costs the same, whatever its name is, and however the rows
//! are cut.

use crate::alike::DayCharge;
use domain::dictionary::{Dictionary, ResourceId, Symbol};
use domain::field::Field;
use std::collections::{BTreeMap, BTreeSet};

/// The billed sums of services, if both lists have the same. Where both say accounts, or else
/// resources, each of these has to have the same.
pub fn same_by_service(
    left: &[DayCharge],
    right: &[DayCharge],
    dictionary: &Dictionary,
) -> Option<BTreeSet<i128>> {
    let says = |charges: &[DayCharge], owner: Field| {
        let of = |charge: &DayCharge| dictionary.dimension(charge.resource, owner);
        charges.iter().any(|charge| of(charge) != Symbol::NONE)
    };
    let owner = [Field::SUB_ACCOUNT_ID, Field::RESOURCE_ID]
        .into_iter()
        .find(|owner| says(left, *owner) && says(right, *owner));
    let sums = sums(left, owner, dictionary);
    (sums == self::sums(right, owner, dictionary))
        .then(|| sums.into_iter().map(|(_, sum)| sum).collect())
}

/// Owners with the sums of their services, without the names of these, in ascending order.
fn sums(
    charges: &[DayCharge],
    owner: Option<Field>,
    dictionary: &Dictionary,
) -> Vec<(Symbol, i128)> {
    let mut by_service: BTreeMap<(Symbol, Symbol), i128> = BTreeMap::new();
    let owner_of = |resource: ResourceId| {
        owner.map_or(Symbol::NONE, |owner| dictionary.dimension(resource, owner))
    };
    for charge in charges {
        let service = dictionary.dimension(charge.resource, Field::SERVICE_NAME);
        *by_service.entry((owner_of(charge.resource), service)).or_default() +=
            i128::from(charge.billed);
    }
    let costly = by_service.into_iter().filter(|(_, sum)| *sum != 0);
    let mut sums: Vec<(Symbol, i128)> = costly.map(|((owner, _), sum)| (owner, sum)).collect();
    sums.sort_unstable();
    sums
}
