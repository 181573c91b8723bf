//! Cells of Parquet as texts.

use crate::parquet_time::{date_days, timestamp_days};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Int32Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use domain::period::Day;

/// Any cell as text, or `None` for null. Numbers have their shortest exact spelling. Nested cells
/// are JSON.
pub(crate) fn cell_text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        // Some writers leave out that their bytes are texts.
        DataType::Binary => bytes_text(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytes_text(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => bytes_text(array.as_binary_view().value(row)),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Timestamp(unit, _) => {
            Day::from_epoch(timestamp_days(&array.slice(row, 1), *unit)[0]).to_string()
        }
        DataType::Date32 => {
            Day::from_epoch(array.as_primitive::<Date32Type>().value(row)).to_string()
        }
        DataType::Date64 => Day::from_epoch(date_days(&array.slice(row, 1))[0]).to_string(),
        DataType::Dictionary(_, _) => {
            // Of one cell: `normalized_keys` makes a list of all.
            let cell = array.slice(row, 1);
            let dictionary = cell.as_any_dictionary();
            return cell_text(dictionary.values(), dictionary.normalized_keys()[0]);
        }
        DataType::Map(_, _) => {
            let entries: ArrayRef = std::sync::Arc::new(array.as_map().value(row));
            let entries = entries.as_struct();
            pairs_json(entries.column(0), entries.column(1))
        }
        DataType::List(_) => list_json(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list_json(&array.as_list::<i64>().value(row)),
        DataType::Struct(_) => struct_json(array, row),
        _ => number_text(array, row),
    })
}

/// Bytes that are no text are written out, so that two different ones never look the same.
fn bytes_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

fn number_text(array: &ArrayRef, row: usize) -> String {
    use arrow_array::types as t;
    macro_rules! number {
        ($($kind:ident => $type:ty),*) => {
            match array.data_type() {
                $(DataType::$kind => array.as_primitive::<$type>().value(row).to_string(),)*
                DataType::Decimal128(_, _) => {
                    array.as_primitive::<Decimal128Type>().value_as_string(row)
                }
                DataType::Decimal32(_, _) => {
                    array.as_primitive::<Decimal32Type>().value_as_string(row)
                }
                DataType::Decimal64(_, _) => {
                    array.as_primitive::<Decimal64Type>().value_as_string(row)
                }
                DataType::Decimal256(_, _) => {
                    array.as_primitive::<t::Decimal256Type>().value_as_string(row)
                }
                other => format!("(a value of type {other})"),
            }
        };
    }
    number!(
        Int8 => t::Int8Type, Int16 => t::Int16Type, Int32 => Int32Type, Int64 => t::Int64Type,
        UInt8 => t::UInt8Type, UInt16 => t::UInt16Type, UInt32 => t::UInt32Type,
        UInt64 => t::UInt64Type, Float32 => t::Float32Type, Float64 => t::Float64Type
    )
}

fn pairs_json(keys: &ArrayRef, values: &ArrayRef) -> String {
    let pairs =
        (0..keys.len()).map(|row| format!("{}:{}", json_text(keys, row), json_text(values, row)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

fn list_json(items: &ArrayRef) -> String {
    format!("[{}]", (0..items.len()).map(|row| json_text(items, row)).collect::<Vec<_>>().join(","))
}

fn struct_json(array: &ArrayRef, row: usize) -> String {
    let fields = array.as_struct().fields().iter().zip(array.as_struct().columns());
    let members = fields
        .map(|(field, column)| format!("{}:{}", quoted(field.name()), json_text(column, row)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn json_text(array: &ArrayRef, row: usize) -> String {
    let nested = matches!(
        array.data_type(),
        DataType::Map(_, _) | DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_)
    );
    match cell_text(array, row) {
        None => "null".into(),
        Some(text) if nested => text,
        Some(text) => quoted(&text),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
