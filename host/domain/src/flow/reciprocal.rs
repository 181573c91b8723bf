//! The reciprocal method: where every unit ends up that enters a circle, as exact fractions.
//!
//! Let `y_ie` be the part of a unit entering at member `i` that `e` bears in the end, and `w_ij`
//! the weight that `i` gives `j` of its total `t_i`. Then `t_i·y_ie = w_ie + Σ w_ij·y_je` over the
//! members `j`: one linear equation for each member, with the same matrix for every `e`. Floats
//! would lose the nano, and fractions would have to be reduced at every step. Bareiss' elimination
//! stays in whole numbers.

use crate::recipient::Recipient;
use crate::sharing::Sharing;
use crate::split::Shares;
use num_bigint::{BigInt, Sign};

/// For each member of a circle, the recipients that bear in the end what enters at it. A member's
/// share for itself stays.
///
/// Nothing if the members pass on to each other only, so that nobody would bear anything.
pub fn reciprocal(
    sharings: &[Sharing],
    member: impl Fn(&Recipient) -> Option<usize>,
) -> Option<Vec<Sharing>> {
    let mut ends: Vec<Recipient> = Vec::new();
    let mut rows = vec![vec![BigInt::ZERO; sharings.len()]; sharings.len()];
    let mut right: Vec<Vec<(usize, i64)>> = vec![Vec::new(); sharings.len()];
    for (node, sharing) in sharings.iter().enumerate() {
        rows[node][node] += sharing.shares.total();
        for (recipient, weight) in sharing.weighted().filter(|(_, weight)| *weight != 0) {
            match member(recipient).filter(|fed| *fed != node) {
                Some(fed) => rows[node][fed] -= weight,
                None => {
                    // Ends stand in the order in which members name them. The order decides where a
                    // rest of a nano goes, so it must be the same in every run.
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
    // Negative weights, or an exchange of rows, can turn all signs of a solution. Only its ratios
    // count for `Shares::signed`.
    let sharing = |row: &Vec<BigInt>| {
        let shares = Shares::signed(&whole(&row[sharings.len()..])).ok()?;
        Some(Sharing { recipients: ends.clone(), shares, refunds: None })
    };
    solved.iter().map(sharing).collect()
}

/// Gauss–Jordan without fractions (Bareiss): every division leaves no rest. The left part becomes a
/// multiple of one.
fn eliminated(mut rows: Vec<Vec<BigInt>>) -> Option<Vec<Vec<BigInt>>> {
    let mut before = BigInt::from(1);
    for step in 0..rows.len() {
        // No pivot means no single solution, as where members feed only each other.
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
    // Sizes and not values: weights of both signs can add up on the way to more than their total.
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
            refunds: None,
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
            let weights = sharing.weighted().filter(|(_, weight)| *weight != 0);
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
        // By hand, for a unit entering at a: a = 1 + 0.2·b and b = 0.4·a, so a = 1/0.92 = 25/23 and
        // b = 10/23. x gets 0.6·a = 15/23, and y gets 0.8·b = 8/23.
        // Entering at b: x = 3/23, y = 20/23.
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
}
