//! Decimals of fixed length, read as the bytes they are and turned to numbers here.
//!
//! The crate turns each value by a copy of its own, which took a tenth of a run. So such columns
//! lose their kind before they are read, and the crate hands out their bytes without a copy.

use arrow_array::FixedSizeBinaryArray;
use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::errors::Result;
use parquet::file::metadata::{FileMetaData, ParquetMetaData};
use parquet::schema::types::{SchemaDescriptor, Type};
use std::sync::Arc;

/// The bytes of a number of 128 bits.
const WIDTH_MAX: usize = 16;

/// How many bytes a decimal of a column has, and how many of its digits are behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedDecimal {
    pub width: i32,
    pub scale: u32,
}

/// Nothing where the column is of another kind, or within a record.
pub fn fixed_decimal(metadata: &ParquetMetaData, name: &str) -> Option<FixedDecimal> {
    let root = metadata.file_metadata().schema_descr().root_schema();
    root.get_fields().iter().find(|field| field.name() == name).and_then(|field| of(field))
}

fn of(field: &Type) -> Option<FixedDecimal> {
    let Type::PrimitiveType { basic_info, physical_type, type_length, scale, .. } = field else {
        return None;
    };
    let scale = match basic_info.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => decimal.scale,
        None if basic_info.converted_type() == parquet::basic::ConvertedType::DECIMAL => *scale,
        _ => return None,
    };
    let is_short = (1..=WIDTH_MAX as i32).contains(type_length);
    let is_fixed = *physical_type == PhysicalType::FIXED_LEN_BYTE_ARRAY && is_short;
    // A list repeats its column, and has no cells.
    let has_cells = basic_info.repetition() != Repetition::REPEATED;
    let scale = u32::try_from(scale).ok()?;
    (is_fixed && has_cells).then_some(FixedDecimal { width: *type_length, scale })
}

/// The metadata of the same file, with columns of bytes in place of those decimals.
pub fn with_bytes(metadata: &ParquetMetaData, names: &[&str]) -> Result<ParquetMetaData> {
    let file = metadata.file_metadata();
    let root = file.schema_descr().root_schema();
    let fields = root.get_fields().iter().map(|field| match of(field) {
        Some(decimal) if names.contains(&field.name()) => {
            Type::primitive_type_builder(field.name(), PhysicalType::FIXED_LEN_BYTE_ARRAY)
                .with_repetition(field.get_basic_info().repetition())
                .with_length(decimal.width)
                .build()
                .map(Arc::new)
        }
        _ => Ok(Arc::clone(field)),
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder(root.name()).with_fields(fields).build()?;
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        Arc::new(SchemaDescriptor::new(Arc::new(schema))),
        file.column_orders().cloned(),
    );
    Ok(ParquetMetaData::new(file, metadata.row_groups().to_vec()))
}

/// The numbers of a column, the highest byte first. A null has any.
pub fn numbers(array: &FixedSizeBinaryArray) -> Vec<i128> {
    let (bytes, width) = (array.value_data(), array.value_size().max(1));
    let above = 8 * WIDTH_MAX.saturating_sub(width) as u32;
    let number = |end: usize| match bytes[..end].last_chunk() {
        // The bytes of earlier values go out at the top, and the sign comes back down.
        Some(wide) => i128::from_be_bytes(*wide) << above >> above,
        None => first_number(&bytes[end - width..end]),
    };
    (width..=bytes.len()).step_by(width).map(number).collect()
}

/// A number with too few bytes before it.
#[cold]
fn first_number(bytes: &[u8]) -> i128 {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let mut wide = if negative { [0xFF; WIDTH_MAX] } else { [0; WIDTH_MAX] };
    wide[WIDTH_MAX - bytes.len()..].copy_from_slice(bytes);
    i128::from_be_bytes(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_sign_at_each_width() {
        for width in 1..=WIDTH_MAX {
            let largest = i128::MAX >> (8 * (WIDTH_MAX - width));
            for value in [0, 1, -1, 100, -128, largest, -largest - 1] {
                let bytes = &value.to_be_bytes()[WIDTH_MAX - width..];
                let size = i32::try_from(width).unwrap();
                let array = FixedSizeBinaryArray::new(size, bytes.repeat(20).into(), None);
                assert_eq!(numbers(&array), [value; 20], "{value} in {width} bytes");
            }
        }
    }
}
