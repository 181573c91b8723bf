//! Rows whose amounts are larger than one charge can hold: several charges of one resource.
//!
//! A charge holds 9,223,372,036 currency units. That is enough in dollars, and one row of a bill in
//! Indonesian rupiah or Vietnamese dong can have more. Its charges add up to the row exactly.

use domain::decimal::NotAnAmount;
use domain::money::Sum;

/// The most charges of one row. Its account could not be posted more: see `Sum::POSTED_MAX`.
const PIECES_MAX: i128 = 100;
/// The largest amount of one row.
const ROW_NANOS_MAX: i128 = i64::MAX as i128 * PIECES_MAX;

/// The amounts of a row, charge by charge: as much as fits, then the next.
#[derive(Clone, Copy, Debug)]
pub struct Pieces {
    pub billed: i128,
    pub effective: i128,
}

/// Refuses an amount that would need too many charges.
#[inline]
pub fn check_size(nanos: i128) -> Result<i128, String> {
    if nanos.unsigned_abs() <= ROW_NANOS_MAX.unsigned_abs() {
        return Ok(nanos);
    }
    Err(too_large(&Sum::from_nanos(nanos).plain()))
}

/// The reason why an amount of a row is no number of nanos.
pub fn not_an_amount(error: &NotAnAmount) -> String {
    match error {
        NotAnAmount::TooLarge(text) | NotAnAmount::BeyondCharges(text) => too_large(text),
        NotAnAmount::Empty | NotAnAmount::NotANumber(_) => error.to_string(),
    }
}

fn too_large(text: &str) -> String {
    format!(
        "'{text}' is beyond ±{} currency units, the largest amount of one row",
        ROW_NANOS_MAX / 1_000_000_000
    )
}

impl Iterator for Pieces {
    type Item = (i64, i64);

    fn next(&mut self) -> Option<(i64, i64)> {
        if (self.billed, self.effective) == (0, 0) {
            return None;
        }
        Some((cut(&mut self.billed), cut(&mut self.effective)))
    }
}

/// Takes as much as a charge holds.
fn cut(amount: &mut i128) -> i64 {
    let held = i64::try_from(*amount).unwrap_or(if *amount < 0 { -i64::MAX } else { i64::MAX });
    *amount -= i128::from(held);
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: i128 = 1_000_000_000;

    #[test]
    fn the_pieces_of_a_row_add_up_to_it() {
        for (billed, effective, count) in [
            (9_500_000_000 * UNIT, 9_500_000_000 * UNIT, 2),
            (12_000_000_000 * UNIT + UNIT / 2, 0, 2),
            (0, -900_000_000_000 * UNIT, 98),
            (i128::from(i64::MIN), 1, 1),
            (i128::from(i64::MAX) * 100, 0, 100),
        ] {
            let pieces: Vec<(i64, i64)> = Pieces { billed, effective }.collect();
            let sum = |part: fn(&(i64, i64)) -> i64| -> i128 {
                pieces.iter().map(|piece| i128::from(part(piece))).sum()
            };
            assert_eq!((sum(|piece| piece.0), sum(|piece| piece.1)), (billed, effective));
            assert_eq!(pieces.len(), count, "{billed} {effective}");
        }
    }

    #[test]
    fn what_needs_too_many_pieces_is_refused_by_name() {
        assert_eq!(check_size(ROW_NANOS_MAX), Ok(ROW_NANOS_MAX));
        // 100 charges hold 922,337,203,685.4775807 units.
        assert_eq!(
            check_size(-1_000_000_000_000 * UNIT),
            Err("'-1000000000000' is beyond ±922337203685 currency units, \
                 the largest amount of one row"
                .into())
        );
    }
}
