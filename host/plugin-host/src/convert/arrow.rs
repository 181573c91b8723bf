//! The Arrow form: one IPC stream with columns named as a charge's fields.
//!
//! Texts, decimals and integers are read; floats are not, because they have lost digits before they came here.

use super::row::{NEEDED, Row, Slot, TAGS};
use super::{Output, Refusal};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, LargeStringArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::DataType;
use domain::charge::RawCharge;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The reader is not ours and these bytes are a stranger's: should they make it panic, that is the plugin's junk.
pub fn read(bytes: Vec<u8>, output: &mut Output) -> Result<Vec<RawCharge>, Refusal> {
    output.bytes(bytes.len())?;
    catch_unwind(AssertUnwindSafe(|| read_stream(bytes, output))).unwrap_or_else(|_| Err(Refusal::Junk("its Arrow stream cannot be read".into())))
}

/// What ends every stream: without it a cut between two record batches would pass for the end, and money would be lost.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// The decoder that slices what is there: the other reader allocates whatever length a header claims.
fn read_stream(bytes: Vec<u8>, output: &mut Output) -> Result<Vec<RawCharge>, Refusal> {
    let broken = |error: arrow_schema::ArrowError| Refusal::Junk(format!("its Arrow stream is broken: {error}"));
    if !bytes.ends_with(&END) {
        return Err(Refusal::Junk("its Arrow stream is broken: it has no end".into()));
    }
    let mut buffer = Buffer::from_vec(bytes);
    let mut decoder = StreamDecoder::new();
    let mut charges = Vec::new();
    while let Some(batch) = decoder.decode(&mut buffer).map_err(broken)? {
        read_batch(&batch, output, &mut charges)?;
    }
    decoder.finish().map_err(broken)?;
    if buffer.is_empty() { Ok(charges) } else { Err(Refusal::Junk("its Arrow stream goes on after its end".into())) }
}

enum Cells<'a> {
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    Decimal(&'a PrimitiveArray<Decimal128Type>),
    Integer(&'a PrimitiveArray<Int64Type>),
}

impl Cells<'_> {
    fn text(&self, row: usize) -> Option<String> {
        let array: &dyn Array = match self {
            Cells::Text(array) => array,
            Cells::LargeText(array) => array,
            Cells::Decimal(array) => array,
            Cells::Integer(array) => array,
        };
        if array.is_null(row) {
            return None;
        }
        Some(match self {
            Cells::Text(array) => array.value(row).to_owned(),
            Cells::LargeText(array) => array.value(row).to_owned(),
            Cells::Decimal(array) => array.value_as_string(row),
            Cells::Integer(array) => array.value(row).to_string(),
        })
    }
}

fn read_batch(batch: &RecordBatch, output: &mut Output, charges: &mut Vec<RawCharge>) -> Result<(), Refusal> {
    let mut columns: Vec<(Slot, Cells<'_>)> = Vec::new();
    let mut tags = None;
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let cells = cells(field.name(), array.as_ref())?;
        if field.name() != TAGS {
            columns.push((Slot::by_name(field.name())?, cells));
        } else if tags.replace(cells).is_some() {
            return Err(Refusal::Junk("its Arrow stream has the column 'tags' twice".into()));
        }
    }
    if let Some(missing) = NEEDED.into_iter().find(|needed| !columns.iter().any(|(slot, _)| slot == needed)) {
        return Err(Refusal::Junk(format!("its Arrow stream has no column '{}'", missing.name())));
    }
    output.rows(batch.num_rows() as u64)?;
    for row in 0..batch.num_rows() {
        charges.push(read_row(&columns, tags.as_ref(), row, output)?);
    }
    Ok(())
}

fn cells<'a>(name: &str, array: &'a dyn Array) -> Result<Cells<'a>, Refusal> {
    match array.data_type() {
        DataType::Utf8 => Ok(Cells::Text(array.as_string())),
        DataType::LargeUtf8 => Ok(Cells::LargeText(array.as_string())),
        DataType::Decimal128(..) => Ok(Cells::Decimal(array.as_primitive())),
        DataType::Int64 => Ok(Cells::Integer(array.as_primitive())),
        other => Err(Refusal::Junk(format!("its Arrow column '{name}' is {other}; utf8, large utf8, decimal128 and int64 are read"))),
    }
}

fn read_row(columns: &[(Slot, Cells<'_>)], tags: Option<&Cells<'_>>, at: usize, output: &mut Output) -> Result<RawCharge, Refusal> {
    let mut row = Row::default();
    for (slot, cells) in columns {
        if let Some(value) = cells.text(at) {
            row.set(*slot, value, output)?;
        }
    }
    if let Some(text) = tags.and_then(|cells| cells.text(at)) {
        let tags = domain::tag::parse(&text).map_err(|error| Refusal::Junk(format!("row {at} of its Arrow stream: {error}")))?;
        row.set_tags(tags, output)?;
    }
    row.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    const CHARGES: &[u8] = include_bytes!("../../../../tests/test-plugins/fixtures/charges.arrow");

    fn read_with(limits: &Limits, bytes: Vec<u8>) -> Result<Vec<RawCharge>, Refusal> {
        read(bytes, &mut Output::new(limits))
    }

    /// Every byte of a good stream, turned over in two ways: what comes out is charges or junk, and never the host's end.
    #[test]
    fn no_damage_to_a_stream_is_more_than_junk() {
        let mut junk = 0;
        for at in 0..CHARGES.len() {
            for turn in [0x80_u8, 0xff] {
                let mut bytes = CHARGES.to_vec();
                bytes[at] ^= turn;
                match read_with(&Limits::default(), bytes) {
                    Ok(charges) => assert!(charges.len() <= 3, "byte {at} made {} charges", charges.len()),
                    Err(Refusal::Junk(_)) => junk += 1,
                    Err(Refusal::Output { what, limit }) => assert_eq!((what, limit), ("rows", 50_000_000), "byte {at}"),
                }
            }
        }
        assert!(junk > 100, "only {junk} of the damages were seen");
    }

    #[test]
    fn a_stream_that_ends_early_or_late_is_junk() {
        for length in 0..CHARGES.len() {
            let mut cut = CHARGES[..length].to_vec();
            assert!(matches!(read_with(&Limits::default(), cut.clone()), Err(Refusal::Junk(_))), "{length}");
            cut.extend(END);
            // Cut between two messages and ended properly, it is a shorter stream.
            if let Ok(charges) = read_with(&Limits::default(), cut) {
                assert!([0, 2, 3].contains(&charges.len()), "{length} bytes made {} charges", charges.len());
            }
        }
        let twice = [CHARGES, CHARGES].concat();
        assert!(matches!(read_with(&Limits::default(), twice), Err(Refusal::Junk(_))));
    }

    #[test]
    fn rows_and_bytes_are_counted_before_they_are_copied() {
        let few_rows = Limits { output_rows: 2, ..Limits::default() };
        assert_eq!(read_with(&few_rows, CHARGES.to_vec()), Err(Refusal::Output { what: "rows", limit: 2 }));
        let few_bytes = Limits { batch_bytes: CHARGES.len() as u64 + 10, ..Limits::default() };
        let limit = few_bytes.batch_bytes;
        assert_eq!(read_with(&few_bytes, CHARGES.to_vec()), Err(Refusal::Output { what: "bytes at once", limit }));
    }
}
