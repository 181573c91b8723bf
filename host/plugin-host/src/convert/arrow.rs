//! The Arrow form: one IPC stream with columns named as a charge's fields.
//!
//! Texts, decimals and integers are read. Floats are refused, because a float may have lost digits
//! before it came here.

use super::row::{ChargeSlot, NEEDED, TAGS};
use super::{BatchRefusal, OutputMeter};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, GenericStringArray, OffsetSizeTrait, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{DataType, Schema};
use domain::charge::ChargeTable;
use domain::mapping::Feed;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The bytes are a stranger's and the reader is a library. If it panics on them, the plugin is at
/// fault.
pub fn read(bytes: Vec<u8>, output: &mut OutputMeter) -> Result<ChargeTable, BatchRefusal> {
    output.bytes(bytes.len())?;
    catch_unwind(AssertUnwindSafe(|| read_stream(bytes, output)))
        .unwrap_or_else(|_| Err(BatchRefusal::Junk("its Arrow stream cannot be read".into())))
}

/// The mark at the end of every stream. Without it a stream that was cut between two record batches
/// would look complete, and money would be lost.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// This decoder only slices the bytes that are there. The other reader allocates whatever length a
/// header claims.
fn read_stream(bytes: Vec<u8>, output: &mut OutputMeter) -> Result<ChargeTable, BatchRefusal> {
    let broken = |error: arrow_schema::ArrowError| {
        BatchRefusal::Junk(format!("its Arrow stream is broken: {error}"))
    };
    if !bytes.ends_with(&END) {
        return Err(BatchRefusal::Junk("its Arrow stream is broken: it has no end".into()));
    }
    let mut buffer = Buffer::from_vec(bytes);
    let mut decoder = StreamDecoder::new();
    let mut table = ChargeTable::default();
    while let Some(batch) = decoder.decode(&mut buffer).map_err(broken)? {
        if table.columns.is_empty() {
            table.columns =
                feeds(batch.schema_ref())?.into_iter().map(|feed| (feed, Vec::new())).collect();
        }
        add_batch(&mut table, &batch, output)?;
    }
    decoder.finish().map_err(broken)?;
    if buffer.is_empty() {
        Ok(table)
    } else {
        Err(BatchRefusal::Junk("its Arrow stream goes on after its end".into()))
    }
}

/// The field of a charge that each column fills.
fn feeds(schema: &Schema) -> Result<Vec<Feed>, BatchRefusal> {
    let mut feeds = Vec::new();
    for field in schema.fields() {
        let feed = if field.name() == TAGS {
            Feed::Tags
        } else {
            ChargeSlot::by_name(field.name())?.feed()
        };
        if feeds.contains(&feed) {
            return Err(BatchRefusal::Junk(format!(
                "its Arrow stream has the column '{}' twice",
                field.name()
            )));
        }
        feeds.push(feed);
    }
    match NEEDED.into_iter().find(|needed| !feeds.contains(&needed.feed())) {
        Some(missing) => {
            Err(BatchRefusal::Junk(format!("its Arrow stream has no column '{}'", missing.name())))
        }
        None => Ok(feeds),
    }
}

/// Column by column: no cell becomes a text of its own.
fn add_batch(
    table: &mut ChargeTable,
    batch: &RecordBatch,
    output: &mut OutputMeter,
) -> Result<(), BatchRefusal> {
    output.rows(batch.num_rows() as u64)?;
    let ChargeTable { rows, buffer, columns } = table;
    *rows += batch.num_rows();
    for ((feed, cells), (field, array)) in
        columns.iter_mut().zip(batch.schema_ref().fields().iter().zip(batch.columns()))
    {
        let needed = NEEDED.into_iter().find(|slot| slot.feed() == *feed);
        if let Some(needed) = needed.filter(|_| array.null_count() > 0) {
            return Err(BatchRefusal::Junk(format!("a charge has no '{}'", needed.name())));
        }
        match array.data_type() {
            DataType::Utf8 => add_texts::<i32>(buffer, cells, array.as_string(), output)?,
            DataType::LargeUtf8 => add_texts::<i64>(buffer, cells, array.as_string(), output)?,
            DataType::Decimal128(..) => {
                let array = array.as_primitive::<Decimal128Type>();
                add_numbers(buffer, cells, array, |row| array.value_as_string(row), output)?;
            }
            DataType::Int64 => {
                let array = array.as_primitive::<Int64Type>();
                add_numbers(buffer, cells, array, |row| array.value(row).to_string(), output)?;
            }
            other => {
                let name = field.name();
                return Err(BatchRefusal::Junk(format!(
                    "its Arrow column '{name}' is {other}; utf8, large utf8, decimal128 \
                         and int64 are read"
                )));
            }
        }
    }
    Ok(())
}

fn add_texts<O: OffsetSizeTrait>(
    buffer: &mut Vec<u8>,
    cells: &mut Vec<(u32, u32)>,
    array: &GenericStringArray<O>,
    output: &mut OutputMeter,
) -> Result<(), BatchRefusal> {
    let offsets = array.value_offsets();
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
    // An array can be a slice of a longer one, so its first offset need not be 0.
    let texts = &array.value_data()[first.as_usize()..last.as_usize()];
    output.bytes(texts.len())?;
    let start = buffer.len();
    buffer.extend_from_slice(texts);
    // A page is far below 4 GiB.
    let place = |offset: &O| (start + offset.as_usize() - first.as_usize()) as u32;
    let empty = |row: usize| array.null_count() > 0 && array.is_null(row);
    cells.extend(
        offsets.windows(2).enumerate().map(|(row, ends)| {
            if empty(row) { (0, 0) } else { (place(&ends[0]), place(&ends[1])) }
        }),
    );
    Ok(())
}

fn add_numbers(
    buffer: &mut Vec<u8>,
    cells: &mut Vec<(u32, u32)>,
    array: &dyn Array,
    text: impl Fn(usize) -> String,
    output: &mut OutputMeter,
) -> Result<(), BatchRefusal> {
    for row in 0..array.len() {
        let start = buffer.len() as u32;
        if array.is_valid(row) {
            let text = text(row);
            output.bytes(text.len())?;
            buffer.extend_from_slice(text.as_bytes());
        }
        cells.push((start, buffer.len() as u32));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PluginLimits;
    use arrow_array::{ArrayRef, StringArray};
    use arrow_ipc::writer::StreamWriter;
    use domain::charge::RawCharge;
    use std::sync::Arc;

    const CHARGES: &[u8] = include_bytes!("../../../../tests/test-plugins/fixtures/charges.arrow");

    fn read_with(limits: &PluginLimits, bytes: Vec<u8>) -> Result<ChargeTable, BatchRefusal> {
        read(bytes, &mut OutputMeter::new(limits))
    }

    /// A stream with one row, of texts.
    fn stream(columns: &[(&str, Option<&str>)]) -> Vec<u8> {
        let named = columns.iter().map(|(name, text)| {
            let array: ArrayRef = Arc::new(StringArray::from(vec![*text]));
            (*name, array, true)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    const ROW: [(&str, Option<&str>); 6] = [
        ("charge_period_start", Some("2026-03-31")),
        ("billed_cost", Some("8.00")),
        ("effective_cost", Some("6.00")),
        ("billing_currency", Some("USD")),
        ("service_name", Some("Compute")),
        ("charge_category", Some("Usage")),
    ];

    #[test]
    fn a_column_may_tell_billing_periods_quantities_prices_and_costs() {
        let told = [
            ("billing_period_start", Some("2026-03-01")),
            ("pricing_quantity", Some("4")),
            ("consumed_quantity", Some("14400")),
            ("list_unit_price", Some("2.50")),
            ("contracted_unit_price", Some("2.00")),
            ("list_cost", Some("10.00")),
            ("contracted_cost", None),
        ];
        let bytes = stream(&[ROW.as_slice(), &told].concat());
        let charges = read_with(&PluginLimits::default(), bytes).unwrap().charges().unwrap();
        let bare = read_with(&PluginLimits::default(), stream(&ROW)).unwrap().charges().unwrap();
        let expect = RawCharge {
            billing_period_start: "2026-03-01".into(),
            pricing_quantity: "4".into(),
            consumed_quantity: "14400".into(),
            list_unit_price: "2.50".into(),
            contracted_unit_price: "2.00".into(),
            list_cost: "10.00".into(),
            ..bare[0].clone()
        };
        assert_eq!(charges, [expect]);
        assert_eq!(bare[0].list_cost, "");
        let unknown = stream(&[ROW.as_slice(), &[("list_price", Some("1"))]].concat());
        assert!(matches!(
            read_with(&PluginLimits::default(), unknown),
            Err(BatchRefusal::Junk(reason)) if reason.contains("has no field 'list_price'")
        ));
    }

    /// Every byte of a good stream is changed in two ways. The result is charges or a refusal, and
    /// never a panic.
    #[test]
    fn no_damage_to_a_stream_is_more_than_junk() {
        let mut junk = 0;
        for at in 0..CHARGES.len() {
            for turn in [0x80_u8, 0xff] {
                let mut bytes = CHARGES.to_vec();
                bytes[at] ^= turn;
                match read_with(&PluginLimits::default(), bytes) {
                    Ok(table) => assert!(table.rows <= 3, "byte {at} made {} charges", table.rows),
                    Err(BatchRefusal::Junk(_)) => junk += 1,
                    Err(BatchRefusal::Output { what, limit }) => {
                        assert_eq!((what, limit), ("rows", 50_000_000), "byte {at}")
                    }
                }
            }
        }
        assert!(junk > 100, "only {junk} of the damages were seen");
    }

    #[test]
    fn a_stream_that_ends_early_or_late_is_junk() {
        for length in 0..CHARGES.len() {
            let mut cut = CHARGES[..length].to_vec();
            assert!(
                matches!(
                    read_with(&PluginLimits::default(), cut.clone()),
                    Err(BatchRefusal::Junk(_))
                ),
                "{length}"
            );
            cut.extend(END);
            // Cut between two messages and ended properly, it is a shorter stream.
            if let Ok(table) = read_with(&PluginLimits::default(), cut) {
                assert!(
                    [0, 2, 3].contains(&table.rows),
                    "{length} bytes made {} charges",
                    table.rows
                );
            }
        }
        let twice = [CHARGES, CHARGES].concat();
        assert!(matches!(read_with(&PluginLimits::default(), twice), Err(BatchRefusal::Junk(_))));
    }

    #[test]
    fn rows_and_bytes_are_counted_before_they_are_copied() {
        let few_rows = PluginLimits { output_rows: 2, ..PluginLimits::default() };
        assert_eq!(
            read_with(&few_rows, CHARGES.to_vec()),
            Err(BatchRefusal::Output { what: "rows", limit: 2 })
        );
        let few_bytes =
            PluginLimits { batch_bytes: CHARGES.len() as u64 + 10, ..PluginLimits::default() };
        let limit = few_bytes.batch_bytes;
        assert_eq!(
            read_with(&few_bytes, CHARGES.to_vec()),
            Err(BatchRefusal::Output { what: "bytes at once", limit })
        );
    }
}
