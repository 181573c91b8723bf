//! Some of the charges of a segment, with their details.

use super::{ChargeColumns, Details, EncodedSegment, PriceList, SegmentCharges};
use super::{decode_with, encode_with};
use crate::Result;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentPart {
    pub resources: Vec<u32>,
    pub billed: Vec<i64>,
    pub effective: Vec<i64>,
    pub details: Details,
    /// Whether these are not all charges of the segment.
    pub lacks_some: bool,
}

impl SegmentPart {
    /// The charges of wanted resources.
    pub fn read(
        data: &[u8],
        prices: &PriceList,
        mut is_wanted: impl FnMut(u32) -> bool,
    ) -> Result<SegmentPart> {
        let (mut charges, mut details) = (SegmentCharges::default(), Details::default());
        decode_with(data, prices, &mut charges, &mut details)?;
        let SegmentCharges { resources, billed, effective, .. } = charges;
        let mut rows: Vec<u32> = (0..resources.len() as u32).collect();
        rows.retain(|row| is_wanted(resources[*row as usize]));
        if rows.len() == resources.len() {
            return Ok(SegmentPart { resources, billed, effective, details, lacks_some: false });
        }
        let mut details = details.in_order(&rows);
        // The rest is one of all charges. It is less than half a nano for each.
        (details.contracted_rest, details.list_rest) = Default::default();
        let amounts =
            |column: &[i64]| rows.iter().map(|row| column[*row as usize]).collect::<Vec<_>>();
        Ok(SegmentPart {
            resources: rows.iter().map(|row| resources[*row as usize]).collect(),
            billed: amounts(&billed),
            effective: amounts(&effective),
            details,
            lacks_some: true,
        })
    }

    pub fn encode(&self, prices: &PriceList) -> EncodedSegment {
        let SegmentPart { resources, billed, effective, details, .. } = self;
        encode_with(&ChargeColumns { resources, billed, effective }, details, prices)
    }
}
