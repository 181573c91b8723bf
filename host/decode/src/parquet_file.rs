//! Parquet: row groups shared out among the workers, only the wanted columns decoded.

use crate::batch::{Batch, Cells, Column, TextTable};
use crate::code;
use crate::file::open;
use crate::parquet_decimal::{FixedDecimal, fixed_decimal, numbers, with_bytes};
use crate::parquet_text::cell_text;
use crate::parquet_time::{date_days, moment_texts, timestamp_days};
use crate::table::CellForm;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, RecordBatch, StringArray, StringViewArray, make_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescPtr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const BATCH_ROWS: usize = 1024;

pub struct ParquetScan {
    table: GrantedTable,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    wanted: Vec<ParquetColumn>,
    next_group: AtomicUsize,
    first_rows: Vec<u64>,
}

#[derive(Default)]
pub struct ParquetWorker {
    reader: Option<ParquetRecordBatchReader>,
    next_row: u64,
    places: Vec<u64>,
}

/// A column of a batch in one of the shapes of `Cells`.
enum Shape {
    Views(StringViewArray),
    Keyed {
        keys: DictionaryArray<Int32Type>,
        nulls: Option<Vec<bool>>,
        texts: TextTable,
    },
    /// Cells of other types, spelled out.
    Text {
        array: StringArray,
        ranges: Vec<(u32, u32)>,
    },
    Decimal {
        array: ArrayRef,
        nulls: Option<Vec<bool>>,
        scale: u32,
    },
    /// Decimals that were of other widths.
    WidenedDecimal {
        values: Vec<i128>,
        nulls: Option<Vec<bool>>,
        scale: u32,
    },
    Days {
        values: Vec<i32>,
        nulls: Option<Vec<bool>>,
    },
}

fn metadata(table: &GrantedTable) -> Result<ArrowReaderMetadata, Diagnostic> {
    ArrowReaderMetadata::load(&open(table)?, Default::default())
        .map_err(|error| not_parquet(table, &error.to_string()))
}

fn not_parquet(table: &GrantedTable, why: &str) -> Diagnostic {
    Diagnostic::new(
        code::FILE_TRUNCATED,
        format!("{} is not a whole Parquet file: {why}", table.name),
    )
    .hint("fetch the file again and compare its size with the original's")
}

/// Whether all pages of a column hold numbers of texts that the file has once for each row group.
fn is_keyed(metadata: &ArrowReaderMetadata, name: &str) -> bool {
    metadata.metadata().row_groups().iter().all(|group| {
        let mut columns = group.columns().iter();
        let column = columns.find(|column| column.column_path().parts() == [name]);
        column.and_then(|column| column.page_encoding_stats_mask()).is_some_and(|pages| {
            pages.is_only(Encoding::RLE_DICTIONARY) || pages.is_only(Encoding::PLAIN_DICTIONARY)
        })
    })
}

/// Reads texts as views into the pages of the file or as numbers of texts, and these decimals as
/// their bytes, so that no cell is copied.
fn without_copies(
    metadata: ArrowReaderMetadata,
    decimals: &[(&str, FixedDecimal)],
) -> parquet::errors::Result<ArrowReaderMetadata> {
    let as_views = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 if is_keyed(&metadata, field.name()) => {
            let kind = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
            Field::new(field.name(), kind, field.is_nullable())
        }
        DataType::Utf8 | DataType::LargeUtf8 => {
            Field::new(field.name(), DataType::Utf8View, field.is_nullable())
        }
        _ => match decimals.iter().find(|(name, _)| name == field.name()) {
            Some((name, FixedDecimal { width, .. })) => {
                Field::new(*name, DataType::FixedSizeBinary(*width), field.is_nullable())
            }
            None => Field::clone(field),
        },
    };
    let schema = Schema::new(metadata.schema().fields().iter().map(as_views).collect::<Vec<_>>());
    let names: Vec<&str> = decimals.iter().map(|(name, _)| *name).collect();
    ArrowReaderMetadata::try_new(
        Arc::new(with_bytes(metadata.metadata(), &names)?),
        ArrowReaderOptions::new().with_schema(Arc::new(schema)),
    )
}

/// A column of the file, or a member of a record in it.
struct ParquetColumn {
    /// The names that lead to it.
    path: Vec<String>,
    kind: DataType,
    form: CellForm,
    /// A column of decimals that is read as their bytes.
    decimal: Option<FixedDecimal>,
}

impl ParquetColumn {
    /// Members have the names of their records before theirs, as in queries: `project.id`.
    fn name(&self) -> String {
        self.path.join(".")
    }

    /// The cells of the column. A member is null where its record is.
    fn find(&self, batch: &RecordBatch) -> Option<ArrayRef> {
        let (first, members) = self.path.split_first()?;
        let mut array = batch.column_by_name(first)?.clone();
        for member in members {
            let record = array.as_struct_opt()?;
            let found = record.column_by_name(member)?.to_data();
            let nulls = NullBuffer::union(record.nulls(), found.nulls());
            array = make_array(found.into_builder().nulls(nulls).build().ok()?);
        }
        Some(array)
    }
}

/// All columns of a schema, and behind each record its members.
fn all_columns(schema: &Schema) -> Vec<ParquetColumn> {
    let mut columns = Vec::new();
    for field in schema.fields() {
        add_columns(field, &[], &mut columns);
    }
    // Some exports have flat columns with a point in their names. They come first.
    let flat: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    columns.retain(|column| column.path.len() == 1 || !flat.contains(&column.name()));
    columns
}

fn add_columns(field: &Field, above: &[String], columns: &mut Vec<ParquetColumn>) {
    let mut path = above.to_vec();
    path.push(field.name().clone());
    columns.push(ParquetColumn {
        path: path.clone(),
        kind: field.data_type().clone(),
        form: CellForm::Text,
        decimal: None,
    });
    if let DataType::Struct(members) = field.data_type() {
        for member in members {
            add_columns(member, &path, columns);
        }
    }
}

pub fn columns(table: &GrantedTable) -> Result<Vec<Column>, Diagnostic> {
    Ok(all_columns(metadata(table)?.schema())
        .into_iter()
        .map(|column| Column { name: column.name(), kind: column.kind.to_string() })
        .collect())
}

impl ParquetScan {
    pub fn open(
        table: &GrantedTable,
        wanted: &[(usize, CellForm)],
    ) -> Result<ParquetScan, Diagnostic> {
        let metadata = metadata(table)?;
        let all = all_columns(metadata.schema());
        let wanted: Vec<ParquetColumn> = wanted
            .iter()
            .filter_map(|(index, form)| {
                let ParquetColumn { path, kind, .. } = all.get(*index)?;
                let decimal = match (form, &path[..]) {
                    (CellForm::Typed, [name]) => fixed_decimal(metadata.metadata(), name),
                    _ => None,
                };
                Some(ParquetColumn { path: path.clone(), kind: kind.clone(), form: *form, decimal })
            })
            .collect();
        let decimals: Vec<(&str, FixedDecimal)> = (wanted.iter())
            .filter_map(|column| Some((column.path.first()?.as_str(), column.decimal?)))
            .collect();
        let metadata = without_copies(metadata, &decimals)
            .map_err(|error| not_parquet(table, &error.to_string()))?;
        let names: Vec<String> = wanted.iter().map(ParquetColumn::name).collect();
        let mask = mask(&metadata, &names);
        // Rows are numbered through the file, although workers take its groups in any order.
        let mut row = 0;
        let first_rows = (metadata.metadata().row_groups().iter())
            .map(|group| {
                let first = row;
                row += u64::try_from(group.num_rows()).unwrap_or_default();
                first
            })
            .collect();
        Ok(ParquetScan {
            table: table.clone(),
            metadata,
            mask,
            wanted,
            next_group: AtomicUsize::new(0),
            first_rows,
        })
    }

    fn open_group(&self, group: usize) -> Result<ParquetRecordBatchReader, Diagnostic> {
        // Each group has a handle of its own, because workers read at different places.
        ParquetRecordBatchReaderBuilder::new_with_metadata(
            open(&self.table)?,
            self.metadata.clone(),
        )
        .with_projection(self.mask.clone())
        .with_row_groups(vec![group])
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| not_parquet(&self.table, &error.to_string()))
    }
}

impl ParquetWorker {
    pub fn next(
        &mut self,
        scan: &ParquetScan,
        progress: &AtomicU64,
        take: &mut dyn FnMut(&Batch<'_>) -> Result<(), Diagnostic>,
    ) -> Result<bool, Diagnostic> {
        loop {
            let reader = match &mut self.reader {
                Some(reader) => reader,
                None => {
                    let group = scan.next_group.fetch_add(1, Ordering::Relaxed);
                    let Some(first_row) = scan.first_rows.get(group) else { return Ok(false) };
                    self.next_row = *first_row;
                    let bytes = scan.metadata.metadata().row_group(group).compressed_size();
                    progress.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
                    self.reader.insert(scan.open_group(group)?)
                }
            };
            match reader.next() {
                Some(Ok(batch)) => return self.hand_out(scan, &batch, take).map(|()| true),
                Some(Err(error)) => return Err(not_parquet(&scan.table, &error.to_string())),
                None => self.reader = None,
            }
        }
    }

    fn hand_out(
        &mut self,
        scan: &ParquetScan,
        batch: &RecordBatch,
        take: &mut dyn FnMut(&Batch<'_>) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let rows = batch.num_rows();
        self.places.clear();
        self.places.extend(self.next_row..self.next_row + rows as u64);
        self.next_row += rows as u64;
        let shapes = scan.wanted.iter().map(|column| match column.find(batch) {
            Some(array) => Ok(shape(&array, column)),
            None => Err(not_parquet(&scan.table, &format!("its {} is gone", column.name()))),
        });
        let shapes = shapes.collect::<Result<Vec<Shape>, Diagnostic>>()?;
        let columns: Vec<Cells<'_>> = shapes.iter().map(Shape::cells).collect();
        take(&Batch { rows, columns: &columns, places: &self.places, unreadable: &[] })
    }
}

impl Shape {
    fn cells(&self) -> Cells<'_> {
        match self {
            Shape::Views(array) => Cells::Views(array),
            Shape::Keyed { keys, nulls, texts } => {
                Cells::Keyed { keys: keys.keys().values(), nulls: nulls.as_deref(), texts }
            }
            Shape::Text { array, ranges } => {
                Cells::Text { buffer: array.value_data(), ranges, quoted: false }
            }
            Shape::Decimal { array, nulls, scale } => {
                let values = array
                    .as_primitive_opt::<Decimal128Type>()
                    .map_or(&[][..], |array| array.values());
                Cells::Decimal { values, nulls: nulls.as_deref(), scale: *scale }
            }
            Shape::WidenedDecimal { values, nulls, scale } => {
                Cells::Decimal { values, nulls: nulls.as_deref(), scale: *scale }
            }
            Shape::Days { values, nulls } => Cells::Days { values, nulls: nulls.as_deref() },
        }
    }
}

/// The parts of the file that hold the wanted columns.
fn mask(metadata: &ArrowReaderMetadata, names: &[String]) -> ProjectionMask {
    let schema = metadata.parquet_schema();
    let is_wanted = |leaf: &ColumnDescPtr| {
        let path = leaf.path().parts().join(".");
        names.iter().any(|name| {
            path.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let leaves = schema.columns().iter().enumerate().filter(|(_, leaf)| is_wanted(leaf));
    ProjectionMask::leaves(schema, leaves.map(|(at, _)| at).collect::<Vec<_>>())
}

fn short_decimals(array: &ArrayRef) -> Option<Vec<i128>> {
    match array.data_type() {
        DataType::Decimal32(..) => {
            let values = array.as_primitive_opt::<Decimal32Type>()?.values();
            Some(values.iter().map(|value| i128::from(*value)).collect())
        }
        DataType::Decimal64(..) => {
            let values = array.as_primitive_opt::<Decimal64Type>()?.values();
            Some(values.iter().map(|value| i128::from(*value)).collect())
        }
        _ => None,
    }
}

fn shape(array: &ArrayRef, column: &ParquetColumn) -> Shape {
    let ParquetColumn { form, decimal, .. } = column;
    let typed = *form == CellForm::Typed;
    if let (Some(FixedDecimal { scale, .. }), Some(bytes)) =
        (decimal, array.as_fixed_size_binary_opt())
    {
        return Shape::WidenedDecimal {
            values: numbers(bytes),
            nulls: nulls(array),
            scale: *scale,
        };
    }
    if let Some(keys) = array.as_dictionary_opt::<Int32Type>()
        && let Some(texts) = keys.values().as_string_opt::<i32>()
    {
        let texts = TextTable(texts.clone());
        return Shape::Keyed { keys: keys.clone(), nulls: nulls(array), texts };
    }
    match array.data_type() {
        DataType::Utf8View => Shape::Views(array.as_string_view().clone()),
        // A negative scale stands for zeros at the end. The form as text writes them out.
        DataType::Decimal128(_, scale) if typed && *scale >= 0 => Shape::Decimal {
            array: array.clone(),
            nulls: nulls(array),
            scale: u32::from(scale.unsigned_abs()),
        },
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) if typed && *scale >= 0 => {
            Shape::WidenedDecimal {
                values: short_decimals(array).unwrap_or_default(),
                nulls: nulls(array),
                scale: u32::from(scale.unsigned_abs()),
            }
        }
        DataType::Timestamp(unit, _) if typed => {
            Shape::Days { values: timestamp_days(array, *unit), nulls: nulls(array) }
        }
        DataType::Timestamp(unit, _) if *form == CellForm::Moment => {
            text_shape(moment_texts(array, *unit))
        }
        DataType::Date32 if typed => Shape::Days {
            values: array.as_primitive::<Date32Type>().values().to_vec(),
            nulls: nulls(array),
        },
        DataType::Date64 if typed => Shape::Days { values: date_days(array), nulls: nulls(array) },
        _ => text_shape((0..array.len()).map(|row| cell_text(array, row)).collect()),
    }
}

fn text_shape(array: StringArray) -> Shape {
    let ranges = array.value_offsets().windows(2).enumerate();
    let ranges = ranges
        .map(
            |(row, ends)| {
                if array.is_null(row) { (0, 0) } else { (ends[0] as u32, ends[1] as u32) }
            },
        )
        .collect();
    Shape::Text { array, ranges }
}

fn nulls(array: &ArrayRef) -> Option<Vec<bool>> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?;
    Some(nulls.iter().map(|is_valid| !is_valid).collect())
}
