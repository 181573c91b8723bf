//! Charges come back ordered by resource, and damaged bytes are an error.

use super::*;
use crate::code;
use proptest::prelude::*;

fn roundtrip(rows: &[(u32, i64, i64)]) -> (EncodedSegment, SegmentCharges) {
    let resources: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let billed: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let effective: Vec<i64> = rows.iter().map(|row| row.2).collect();
    let encoded =
        encode(&ChargeColumns { resources: &resources, billed: &billed, effective: &effective });
    let mut decoded = SegmentCharges::default();
    decode(&encoded.data, &mut decoded).unwrap_or_else(|error| panic!("{error}"));
    (encoded, decoded)
}

fn check(rows: &[(u32, i64, i64)]) {
    let (encoded, decoded) = roundtrip(rows);
    let mut expected = rows.to_vec();
    expected.sort_by_key(|row| row.0);
    let read: Vec<(u32, i64, i64)> = decoded
        .resources
        .iter()
        .zip(&decoded.billed)
        .zip(&decoded.effective)
        .map(|((resource, billed), effective)| (*resource, *billed, *effective))
        .collect();
    assert_eq!(read, expected);
    assert_eq!(encoded.rows as usize, rows.len());
    assert_eq!(encoded.billed.nanos(), rows.iter().map(|row| i128::from(row.1)).sum::<i128>());
    assert_eq!(encoded.effective.nanos(), rows.iter().map(|row| i128::from(row.2)).sum::<i128>());
}

/// A fixed sequence without pattern.
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    }
}

#[test]
fn any_charges_come_back_ordered_by_resource() {
    check(&[]);
    check(&[(u32::MAX, i64::MIN, i64::MAX)]);
    check(&[(5, 1, 1), (3, 0, 7), (5, 2, -2), (3, i64::MIN, i64::MIN), (0, 0, 0)]);
    check(&[(1, 250_000_000, 250_000_000), (0, -10_000_000, 0)]);
    let mut next = noise(1);
    let many: Vec<(u32, i64, i64)> =
        (0..5000).map(|_| (next() as u32, next() as i64, next() as i64)).collect();
    check(&many);
}

proptest! {
    #[test]
    fn any_rows_roundtrip(rows in prop::collection::vec(
        (
            prop_oneof![0_u32..50, any::<u32>()],
            prop_oneof![
                Just(0),
                any::<i64>(),
                (-99_i64..99).prop_map(|cents| cents * 10_000_000),
            ],
            any::<i64>(),
            any::<bool>(),
        ),
        0..700,
    )) {
        let rows = rows.into_iter().map(|(resource, billed, effective, equal)| {
            (resource, billed, if equal { billed } else { effective })
        });
        check(&rows.collect::<Vec<_>>());
    }

    #[test]
    fn damaged_bytes_are_charges_or_an_error(
        rows in prop::collection::vec((0_u32..90, -500_i64..500, -9_i64..9), 0..200),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let (mut encoded, _) = roundtrip(&rows);
        let at = at.index(encoded.data.len());
        encoded.data[at] = byte;
        if cut {
            encoded.data.truncate(at);
        }
        let mut decoded = SegmentCharges::default();
        match decode(&encoded.data, &mut decoded) {
            Ok(()) => {
                let rows = decoded.resources.len();
                prop_assert_eq!((decoded.billed.len(), decoded.effective.len()), (rows, rows));
            }
            Err(error) => prop_assert_eq!(error.code, code::LEDGER_CORRUPT),
        }
    }

    #[test]
    fn any_bytes_are_charges_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = decode(&bytes, &mut SegmentCharges::default()) {
            prop_assert_eq!(error.code, code::LEDGER_CORRUPT);
        }
    }
}

/// 24,000 resources, amounts of nine decimals up to about ten units. 2³³ nanos are 4.2 bytes of
/// noise, and ordering leaves half a byte of a resource's number.
#[test]
fn random_charges_take_less_than_seven_bytes() {
    let mut next = noise(7);
    let rows: Vec<(u32, i64, i64)> = (0..65_536)
        .map(|_| {
            let amount = (next() >> (31 + next() % 8)) as i64;
            ((next() % 24_000) as u32, amount, amount)
        })
        .collect();
    let (encoded, _) = roundtrip(&rows);
    assert!(encoded.data.len() < 65_536 * 6, "{} bytes a charge", encoded.data.len() / 65_536);
}

#[test]
fn cents_take_less_than_their_nanos() {
    let mut next = noise(3);
    let rows: Vec<(u32, i64, i64)> =
        (0..65_536).map(|row| (row, 0, (next() % 50_000) as i64 * 10_000_000)).collect();
    let (encoded, _) = roundtrip(&rows);
    assert!(encoded.data.len() < 65_536 * 5 / 2, "{} bytes", encoded.data.len());
}
