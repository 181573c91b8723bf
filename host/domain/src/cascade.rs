//! Costs that are passed on: pools that feed pools, teams that serve teams, and those that serve each other.
//!
//! Who passes on is ordered so that each comes after all that feed it. Where some feed each other there is no such
//! order; then the reciprocal method solves for where every unit ends up, as exact fractions.

use crate::decision::Recipient;
use crate::split::Shares;
use crate::spread::Sharing;
use num_bigint::{BigInt, Sign};
use std::collections::BTreeSet;

/// Groups of those that feed each other, each group before those that it feeds. Members stand in ascending order.
pub fn groups(feeds: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let reached: Vec<BTreeSet<usize>> =
        (0..feeds.len()).map(|start| reached_from(feeds, start)).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for node in 0..feeds.len() {
        let group = groups
            .iter_mut()
            .find(|group| reached[group[0]].contains(&node) && reached[node].contains(&group[0]));
        match group {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    // What feeds a group reaches it and all that the group reaches: more than the group itself does.
    groups.sort_by_key(|group| {
        std::cmp::Reverse(reached[group[0]].union(&BTreeSet::from([group[0]])).count())
    });
    groups
}

fn reached_from(feeds: &[BTreeSet<usize>], start: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        open.extend(feeds[node].iter().copied().filter(|fed| reached.insert(*fed)));
    }
    reached
}

/// Where everything ends up that enters a group whose members feed each other. What a member gives itself stays with it.
///
/// Nothing if the group passes all on in a circle, so that nobody bears it.
pub fn reciprocal(
    sharings: &[Sharing],
    member: impl Fn(&Recipient) -> Option<usize>,
) -> Option<Vec<Sharing>> {
    let mut ends: Vec<Recipient> = Vec::new();
    let mut rows = vec![vec![BigInt::ZERO; sharings.len()]; sharings.len()];
    let mut right: Vec<Vec<(usize, i64)>> = vec![Vec::new(); sharings.len()];
    for (node, sharing) in sharings.iter().enumerate() {
        rows[node][node] += sharing.shares.total();
        for (recipient, weight) in sharing
            .recipients
            .iter()
            .zip(sharing.shares.weights())
            .filter(|(_, weight)| *weight != 0)
        {
            match member(recipient).filter(|fed| *fed != node) {
                Some(fed) => rows[node][fed] -= weight,
                None => {
                    let end =
                        ends.iter().position(|known| known == recipient).unwrap_or_else(|| {
                            ends.push(recipient.clone());
                            ends.len() - 1
                        });
                    right[node].push((end, weight));
                }
            }
        }
    }
    for (row, ending) in rows.iter_mut().zip(&right) {
        row.resize(sharings.len() + ends.len(), BigInt::ZERO);
        ending.iter().for_each(|(end, weight)| row[sharings.len() + end] += *weight);
    }
    let solved = eliminated(rows)?;
    let sharing = |row: &Vec<BigInt>| {
        let shares = Shares::signed(&whole(&row[sharings.len()..])).ok()?;
        Some(Sharing { recipients: ends.clone(), shares })
    };
    solved.iter().map(sharing).collect()
}

/// Gauss–Jordan without fractions (Bareiss): every division leaves no rest. The left part becomes a multiple of one.
fn eliminated(mut rows: Vec<Vec<BigInt>>) -> Option<Vec<Vec<BigInt>>> {
    let mut before = BigInt::from(1);
    for step in 0..rows.len() {
        let pivot_row = (step..rows.len()).find(|row| rows[*row][step] != BigInt::ZERO)?;
        rows.swap(step, pivot_row);
        let pivot = rows[step].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(number, _)| *number != step) {
            let factor = row[step].clone();
            for (cell, pivot_cell) in row.iter_mut().zip(&pivot) {
                *cell = (&*cell * &pivot[step] - &factor * pivot_cell) / &before;
            }
        }
        before = pivot[step].clone();
    }
    Some(rows)
}

/// The same ratios as small whole numbers: exact if they fit 63 bits, else the leading 18 digits.
fn whole(numbers: &[BigInt]) -> Vec<i128> {
    let divisor = numbers.iter().fold(BigInt::ZERO, common_divisor);
    let mut scale = if divisor == BigInt::ZERO { BigInt::from(1) } else { divisor };
    let total: BigInt = numbers
        .iter()
        .map(|number| BigInt::from_biguint(Sign::Plus, number.magnitude().clone()))
        .sum();
    while &total / &scale > BigInt::from(i64::MAX) {
        scale *= 10;
    }
    numbers.iter().map(|number| i128::try_from(number / &scale).unwrap_or_default()).collect()
}

fn common_divisor(left: BigInt, right: &BigInt) -> BigInt {
    let (mut left, mut right) = (left, BigInt::from_biguint(Sign::Plus, right.magnitude().clone()));
    while right != BigInt::ZERO {
        (left, right) = (right.clone(), left % right);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharing(weights: &[(&str, i128)]) -> Sharing {
        let recipients = weights.iter().map(|(team, _)| Recipient::team(*team)).collect();
        let numbers: Vec<i128> = weights.iter().map(|(_, weight)| *weight).collect();
        Sharing {
            recipients,
            shares: Shares::new(&numbers).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    fn solved(teams: &[&str], given: &[Sharing]) -> Option<Vec<Vec<(String, i64, i64)>>> {
        let member = |recipient: &Recipient| match recipient {
            Recipient::Team(target) => teams.iter().position(|team| *team == target.team),
            _ => None,
        };
        let solved = reciprocal(given, member)?;
        let shown = |sharing: &Sharing| {
            let total = sharing.shares.total();
            let weights = sharing
                .recipients
                .iter()
                .zip(sharing.shares.weights())
                .filter(|(_, weight)| *weight != 0);
            let named = |recipient: &Recipient| match recipient {
                Recipient::Team(target) => target.team.clone(),
                other => format!("{other:?}"),
            };
            weights.map(|(recipient, weight)| (named(recipient), weight, total)).collect()
        };
        Some(solved.iter().map(shown).collect())
    }

    #[test]
    fn two_that_serve_each_other_are_solved_exactly() {
        // By hand: a = 1 + 0.2·b, b = 0.4·a for a unit entering at a: a = 1/0.92 = 25/23, of which x gets 0.6 and b
        // passes on 0.4·25/23 = 10/23, of it 0.8 to y: x = 15/23, y = 8/23. Entering at b: x = 3/23, y = 20/23.
        let given = [sharing(&[("b", 40), ("x", 60)]), sharing(&[("a", 20), ("y", 80)])];
        let ends = |x: i64, y: i64| vec![("x".to_owned(), x, 23), ("y".to_owned(), y, 23)];
        assert_eq!(solved(&["a", "b"], &given), Some(vec![ends(15, 8), ends(3, 20)]));
    }

    #[test]
    fn what_a_member_gives_itself_stays_with_it() {
        // A unit at a: half stays at a, half goes to b; b gives all to x.
        let given = [sharing(&[("a", 1), ("b", 1)]), sharing(&[("x", 1)])];
        let first = vec![("a".to_owned(), 1, 2), ("x".to_owned(), 1, 2)];
        assert_eq!(solved(&["a", "b"], &given), Some(vec![first, vec![("x".to_owned(), 1, 1)]]));
    }

    #[test]
    fn a_circle_without_an_end_has_no_solution() {
        assert_eq!(solved(&["a", "b"], &[sharing(&[("b", 1)]), sharing(&[("a", 1)])]), None);
    }

    #[test]
    fn groups_come_after_all_that_feed_them() {
        let feeds = |list: &[&[usize]]| {
            list.iter().map(|fed| fed.iter().copied().collect()).collect::<Vec<BTreeSet<usize>>>()
        };
        assert_eq!(groups(&feeds(&[&[], &[0], &[1]])), vec![vec![2], vec![1], vec![0]]);
        assert_eq!(groups(&feeds(&[&[2], &[0, 1], &[0], &[]])), vec![vec![1], vec![0, 2], vec![3]]);
        assert_eq!(groups(&feeds(&[&[1], &[2], &[0]])), vec![vec![0, 1, 2]]);
    }
}
