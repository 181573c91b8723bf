//! Details come back as they were, and damaged bytes are an error.

use super::*;
use crate::code;
use crate::segment::{ChargeColumns, SegmentCharges, decode, decode_with, encode, encode_with};
use domain::figure::ShortFigure;
use domain::terms::{TermsId, UnitPrices};
use proptest::prelude::*;

/// One charge with all that can be known of it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    resource: u32,
    billed: i64,
    effective: i64,
    terms: u32,
    pricing: Option<Figure>,
    consumed: Option<Figure>,
    contracted: Option<i128>,
    list: Option<i128>,
    hour: u8,
}

fn short(digits: i64, places: u8) -> ShortFigure {
    ShortFigure { digits, places }
}

fn figure(text: &str) -> Figure {
    Figure::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Terms 1 cost 0.0464 by contract and 0.05 by list; 2 have a list price only; 3 have odd prices.
fn prices() -> PriceList {
    let mut prices = PriceList::default();
    let both = UnitPrices { list: Some(short(5, 2)), contracted: Some(short(464, 4)) };
    prices.set(TermsId(1), both);
    prices.set(TermsId(2), UnitPrices { list: Some(short(4, 7)), contracted: None });
    let odd = UnitPrices { list: Some(short(-1, 0)), contracted: Some(short(i64::MAX, 18)) };
    prices.set(TermsId(3), odd);
    prices
}

fn encoded(rows: &[Row]) -> Vec<u8> {
    let resources: Vec<u32> = rows.iter().map(|row| row.resource).collect();
    let billed: Vec<i64> = rows.iter().map(|row| row.billed).collect();
    let effective: Vec<i64> = rows.iter().map(|row| row.effective).collect();
    let mut details = Details::default();
    for row in rows {
        details.terms.push(row.terms);
        details.pricing_quantity.push(row.pricing.clone());
        details.consumed_quantity.push(row.consumed.clone());
        details.contracted_cost.push(row.contracted);
        details.list_cost.push(row.list);
        details.hours.push(row.hour);
    }
    let columns = ChargeColumns { resources: &resources, billed: &billed, effective: &effective };
    encode_with(&columns, &details, &prices()).data
}

/// The rows that the bytes hold. A column that is not there is unknown in all of them.
fn decoded(data: &[u8]) -> Vec<Row> {
    let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
    decode_with(data, &prices(), &mut charges, &mut details)
        .unwrap_or_else(|error| panic!("{error}"));
    (0..charges.resources.len())
        .map(|row| Row {
            resource: charges.resources[row],
            billed: charges.billed[row],
            effective: charges.effective[row],
            terms: details.terms.get(row).copied().unwrap_or_default(),
            pricing: details.pricing_quantity.get(row),
            consumed: details.consumed_quantity.get(row),
            contracted: details.contracted_cost.get(row),
            list: details.list_cost.get(row),
            hour: details.hours.get(row).copied().unwrap_or(NO_HOUR),
        })
        .collect()
}

fn check(rows: &[Row]) -> usize {
    let data = encoded(rows);
    let mut expected = rows.to_vec();
    expected.sort_by_key(|row| row.resource);
    assert_eq!(decoded(&data), expected);
    // The amounts alone are read from the same bytes.
    let mut charges = SegmentCharges::default();
    assert_eq!(decode(&data, &mut charges), Ok(()));
    assert_eq!(charges.effective.len(), rows.len());
    data.len()
}

fn unknown() -> Row {
    Row { hour: NO_HOUR, ..Row::default() }
}

#[test]
fn details_come_back_whatever_they_are() {
    check(&[]);
    check(&[unknown(), unknown()]);
    let usual = Row {
        resource: 7,
        billed: 1_113_600_000,
        effective: 1_113_600_000,
        terms: 1,
        pricing: Some(figure("24")),
        consumed: Some(figure("24.0")),
        contracted: Some(1_113_600_000),
        list: Some(1_200_000_000),
        hour: 3,
    };
    let long = Row {
        resource: 2,
        pricing: Some(figure("123456789012345678901234567890.123")),
        consumed: Some(figure("123456789012345678901234567890.123")),
        contracted: Some(i128::from(i64::MAX) + 1),
        list: Some(-10_i128.pow(30)),
        ..usual.clone()
    };
    let odd = Row {
        resource: 1,
        terms: 3,
        pricing: Some(figure("-0.000000000000000001")),
        consumed: Some(figure("1e15")),
        ..long.clone()
    };
    check(&[usual.clone(), unknown(), long, odd, usual]);
}

/// 65,536 charges of a real kind: 24 hours at 0.0464, in one of many resources.
#[test]
fn what_follows_from_a_cost_and_a_price_takes_no_room() {
    let rows: Vec<Row> = (0..65_536_u32)
        .map(|number| {
            let hours = i64::from(number % 24 + 1);
            Row {
                resource: number,
                billed: hours * 46_400_000,
                effective: hours * 46_400_000,
                terms: 1,
                pricing: Some(Figure::Short(short(hours, 0))),
                consumed: Some(Figure::Short(short(hours * 10, 1))),
                contracted: Some(i128::from(hours) * 46_400_000),
                list: Some(i128::from(hours) * 50_000_000),
                hour: NO_HOUR,
            }
        })
        .collect();
    let plain: Vec<Row> = rows
        .iter()
        .map(|row| Row {
            resource: row.resource,
            billed: row.billed,
            effective: row.effective,
            ..unknown()
        })
        .collect();
    // All terms, quantities and costs of 65,536 charges.
    let more = check(&rows) - check(&plain);
    assert!(more < 100, "{more} bytes");
}

#[test]
fn charges_without_details_have_the_bytes_that_they_always_had() {
    let columns = ChargeColumns { resources: &[3, 1], billed: &[5, 6], effective: &[5, 7] };
    let mut details = Details::default();
    for _ in 0..2 {
        details.terms.push(0);
        details.pricing_quantity.push(None);
        details.list_cost.push(None);
        details.hours.push(NO_HOUR);
    }
    let plain = encode(&columns);
    assert_eq!(encode_with(&columns, &details, &prices()), plain);
    assert_eq!(plain.data.first(), Some(&1));
    assert_eq!(decoded(&plain.data)[0], Row { resource: 1, billed: 6, effective: 7, ..unknown() });
}

#[test]
fn equal_details_have_one_digest_and_unknown_ones_have_none() {
    let digest = |pricing: Option<&str>, consumed: Option<&str>, list: Option<i128>| {
        let mut details = Details::default();
        details.pricing_quantity.push(pricing.map(figure));
        details.consumed_quantity.push(consumed.map(figure));
        details.list_cost.push(list);
        details.digest(0, 0)
    };
    assert_eq!(digest(None, None, None), 0);
    assert_eq!(digest(Some("1.50"), None, None), digest(Some("1.5"), None, None));
    let all = [
        digest(Some("1"), None, None),
        digest(None, Some("1"), None),
        digest(Some("0"), None, None),
        digest(None, None, Some(0)),
        digest(Some("1"), Some("1"), None),
        digest(Some("1"), Some("1"), Some(1)),
        digest(Some("1e30"), None, None),
        digest(Some("1e31"), None, None),
    ];
    let distinct: std::collections::BTreeSet<u128> = all.into_iter().collect();
    assert_eq!(distinct.len(), 8);
}

fn any_figure() -> impl Strategy<Value = Option<Figure>> {
    prop_oneof![
        Just(None),
        (0_i64..3000, 0_u8..4)
            .prop_map(|(digits, places)| Some(short(digits, places)))
            .prop_map(|short| short.map(Figure::Short)),
        (any::<i64>(), 0_u8..=18)
            .prop_map(|(digits, places)| Some(Figure::Short(short(digits, places)))),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?".prop_map(|text| Some(figure(&text))),
    ]
}

fn any_cost() -> impl Strategy<Value = Option<i128>> {
    prop_oneof![
        Just(None),
        (-900_i64..900).prop_map(|nanos| Some(i128::from(nanos) * 1_000_000)),
        any::<i64>().prop_map(|nanos| Some(i128::from(nanos))),
        any::<i128>().prop_map(Some),
    ]
}

/// Rows that are partly as real ones are: costs that follow from each other.
fn any_row() -> impl Strategy<Value = Row> {
    let core = (0_u32..90, -900_i64..900, any::<i64>(), any::<bool>(), 0_u32..4);
    let costs = (any_cost(), any_cost(), 0_u8..4);
    (core, any_figure(), any_figure(), costs, 0_u8..=24, any::<bool>()).prop_map(
        |((resource, cents, any, is_equal, terms), pricing, consumed, costs, hour, is_same)| {
            let billed = cents * 10_000_000;
            let effective = if is_equal { billed } else { any };
            let (contracted, list, kind) = costs;
            let contracted = if kind == 1 { Some(effective.into()) } else { contracted };
            let product = || {
                let price = prices().get(terms).list?;
                Some(i128::from(pricing.as_ref()?.short()?.product_nanos(price)?))
            };
            let list = match kind {
                2 => contracted,
                3 => product(),
                _ => list,
            };
            let consumed = if is_same { pricing.clone() } else { consumed };
            Row { resource, billed, effective, terms, pricing, consumed, contracted, list, hour }
        },
    )
}

proptest! {
    #[test]
    fn any_rows_roundtrip(rows in prop::collection::vec(any_row(), 0..300)) {
        check(&rows);
    }

    /// With costs that are quantity × price, so that quotients are used.
    #[test]
    fn rows_of_one_price_roundtrip(
        quantities in prop::collection::vec((0_i64..5_000_000, 0_u8..=18), 0..300),
    ) {
        let rows: Vec<Row> = quantities
            .into_iter()
            .filter_map(|(digits, places)| {
                let quantity = short(digits, places);
                let effective = quantity.product_nanos(short(464, 4))?;
                Some(Row {
                    resource: 1,
                    billed: effective,
                    effective,
                    terms: 1,
                    pricing: Some(Figure::Short(quantity)),
                    contracted: Some(effective.into()),
                    ..unknown()
                })
            })
            .collect();
        check(&rows);
    }

    #[test]
    fn damaged_bytes_are_details_or_an_error(
        rows in prop::collection::vec(any_row(), 0..100),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut data = encoded(&rows);
        let at = at.index(data.len());
        data[at] = byte;
        if cut {
            data.truncate(at);
        }
        let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
        match decode_with(&data, &prices(), &mut charges, &mut details) {
            Ok(()) => details.check_lengths(charges.resources.len()),
            Err(error) => prop_assert_eq!(error.code, code::LEDGER_CORRUPT),
        }
    }

    #[test]
    fn any_bytes_are_details_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut data = encode(&ChargeColumns {
            resources: &[1, 2, 3],
            billed: &[4, 5, 6],
            effective: &[4, 0, 9],
        })
        .data;
        data[0] = 2;
        data.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        data.extend_from_slice(&bytes);
        let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
        if let Err(error) = decode_with(&data, &prices(), &mut charges, &mut details) {
            prop_assert_eq!(error.code, code::LEDGER_CORRUPT);
        }
    }
}
