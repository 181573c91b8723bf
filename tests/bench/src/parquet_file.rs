//! Rows as Parquet: decimals of 10 places, times in microseconds, texts with dictionaries. Pages
//! are compressed with zstd.

use crate::row::{COLUMNS, Cell, Kind, Row};
use arrow_array::builder::{Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const ROW_GROUP_ROWS: usize = 131_072;
const BATCH_ROWS: usize = 32_768;
const MICROSECONDS_PER_HOUR: i64 = 3_600_000_000;
const PRECISION: u8 = 20;
const SCALE: i8 = 10;

enum Builder {
    Text(StringBuilder),
    Decimal(Decimal128Builder),
    Time(TimestampMicrosecondBuilder),
}

pub struct ParquetFile {
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
}

impl ParquetFile {
    pub fn create(path: &Path) -> Result<ParquetFile> {
        let fields: Vec<Field> =
            COLUMNS.iter().map(|(name, kind)| Field::new(*name, data_type(*kind), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer =
            ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties))?;
        let builders = COLUMNS.iter().map(|(_, kind)| builder(*kind)).collect();
        Ok(ParquetFile { writer, schema, builders, rows: 0 })
    }

    pub fn write(&mut self, row: &Row<'_>) -> Result<()> {
        for (builder, cell) in self.builders.iter_mut().zip(&row.cells) {
            match (builder, cell) {
                (Builder::Text(builder), Cell::Text(text)) => builder.append_value(text),
                (Builder::Text(builder), _) => builder.append_null(),
                (Builder::Decimal(builder), Cell::Decimal(value)) => {
                    builder.append_value(i128::from(*value))
                }
                (Builder::Decimal(builder), _) => builder.append_null(),
                (Builder::Time(builder), Cell::Time(hour)) => {
                    builder.append_value(hour.0 * MICROSECONDS_PER_HOUR)
                }
                (Builder::Time(builder), _) => builder.append_null(),
            }
        }
        self.rows += 1;
        if self.rows == BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    fn write_batch(&mut self) -> Result<()> {
        let columns = self
            .builders
            .iter_mut()
            .map(finished)
            .collect::<std::result::Result<Vec<ArrayRef>, ArrowError>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.rows = 0;
        self.writer.write(&batch)
    }

    pub fn finish(mut self) -> Result<()> {
        self.write_batch()?;
        self.writer.close().map(|_| ())
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Decimal => DataType::Decimal128(PRECISION, SCALE),
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

fn builder(kind: Kind) -> Builder {
    match kind {
        Kind::Text => Builder::Text(StringBuilder::new()),
        Kind::Decimal => Builder::Decimal(Decimal128Builder::new()),
        Kind::Time => Builder::Time(TimestampMicrosecondBuilder::new()),
    }
}

fn finished(builder: &mut Builder) -> std::result::Result<ArrayRef, ArrowError> {
    Ok(match builder {
        Builder::Text(builder) => Arc::new(builder.finish()),
        Builder::Decimal(builder) => {
            Arc::new(builder.finish().with_precision_and_scale(PRECISION, SCALE)?)
        }
        Builder::Time(builder) => Arc::new(builder.finish().with_timezone("UTC")),
    })
}
