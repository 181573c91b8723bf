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

/// The decoder that slices what is there: the other reader allocates whatever length a header claims.
fn read_stream(bytes: Vec<u8>, output: &mut Output) -> Result<Vec<RawCharge>, Refusal> {
    let broken = |error: arrow_schema::ArrowError| Refusal::Junk(format!("its Arrow stream is broken: {error}"));
    let mut buffer = Buffer::from_vec(bytes);
    let mut decoder = StreamDecoder::new();
    let mut charges = Vec::new();
    while let Some(batch) = decoder.decode(&mut buffer).map_err(broken)? {
        read_batch(&batch, output, &mut charges)?;
    }
    decoder.finish().map_err(broken)?;
    Ok(charges)
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
