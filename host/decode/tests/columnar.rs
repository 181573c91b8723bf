//! Parquet files of other writers: their compression, short decimals, long dates, and records.

use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date64Array, Decimal32Array, Decimal64Array, Decimal128Array,
    Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Fields};
use decode::{CellForm, Cells, Scan, ShortRows, WantedColumn, describe, sample};
use domain::port::GrantedTable;
use domain::text_form::TextForm;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

fn written(
    folder: &tempfile::TempDir,
    columns: Vec<(&str, ArrayRef)>,
    compression: Compression,
) -> GrantedTable {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.path().join("t.parquet");
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    GrantedTable { name: "t.parquet".into(), path, form: TextForm::default() }
}

#[test]
fn every_compression_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..5000).map(|row| format!("row {}", row % 97)).collect();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::BROTLI(BrotliLevel::default()),
    ] {
        let array: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let table = written(&folder, vec![("Service", array)], compression);
        let read = sample(&table, 5000).unwrap();
        assert!(read.iter().map(|row| &row[0]).eq(&texts), "{compression}");
    }
}

#[test]
fn short_decimals_and_long_dates_are_numbers_and_days() {
    let folder = tempfile::tempdir().unwrap();
    let small = Decimal32Array::from(vec![Some(1050), None, Some(-5)])
        .with_precision_and_scale(9, 2)
        .unwrap();
    let middle =
        Decimal64Array::from(vec![123_456_789_012, 5, 0]).with_precision_and_scale(18, 10).unwrap();
    // The first and the last millisecond of 2026-03-02, and none.
    let dates = Date64Array::from(vec![Some(1_772_409_600_000), Some(1_772_495_999_999), None]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("Small", Arc::new(small)), ("Middle", Arc::new(middle)), ("Day", Arc::new(dates))];
    let table = written(&folder, columns, Compression::SNAPPY);
    assert_eq!(
        sample(&table, 3).unwrap(),
        [
            ["10.50", "12.3456789012", "2026-03-02"],
            ["", "0.0000000005", "2026-03-02"],
            ["-0.05", "0.0000000000", ""],
        ]
    );
    let typed = |name: &str| WantedColumn { name: name.into(), form: CellForm::Typed };
    let wanted = [typed("Middle"), typed("Small"), typed("Day")];
    let scan = Scan::open(&table, &wanted, ShortRows::Refused).unwrap();
    let read = scan.worker().next(&mut |batch| {
        assert!(matches!(
            batch.columns[0],
            Cells::Decimal { values: [123_456_789_012, 5, 0], nulls: None, scale: 10 }
        ));
        assert!(matches!(
            batch.columns[1],
            Cells::Decimal { values: [1050, _, -5], nulls: Some([false, true, false]), scale: 2 }
        ));
        assert!(matches!(
            batch.columns[2],
            Cells::Days { values: [20_514, 20_514, _], nulls: Some([false, false, true]) }
        ));
        Ok(())
    });
    assert!(read.unwrap());
}

/// Nine and sixteen bytes for each number, with signs, and a null whose bytes mean nothing.
#[test]
fn wide_decimals_are_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let most = 99_999_999_999_999_999_999_i128;
    let cells = vec![Some(most), None, Some(-1), Some(-most), Some(0), Some(256)];
    let array = |precision: u8, scale: i8| -> ArrayRef {
        let array = Decimal128Array::from(cells.clone());
        Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
    };
    let columns = vec![("Nine", array(20, 10)), ("Sixteen", array(38, 2))];
    let table = written(&folder, columns, Compression::SNAPPY);
    let scan = Scan::open(
        &table,
        &["Nine", "Sixteen"].map(|name| WantedColumn { name: name.into(), form: CellForm::Typed }),
        ShortRows::Refused,
    )
    .unwrap();
    let read = scan.worker().next(&mut |batch| {
        for (column, expected) in batch.columns.iter().zip([10, 2]) {
            let Cells::Decimal { values, nulls: Some(nulls), scale } = column else {
                panic!("no decimals with nulls")
            };
            let read = values.iter().zip(*nulls).map(|(value, null)| (!null).then_some(*value));
            assert_eq!((read.collect::<Vec<_>>(), *scale), (cells.clone(), expected));
        }
        Ok(())
    });
    assert!(read.unwrap());
    assert_eq!(
        sample(&table, 3).unwrap(),
        [["9999999999.9999999999", "999999999999999999.99"], ["", ""], ["-0.0000000001", "-0.01"],]
    );
}

/// The same texts in row groups with other numbers for them, a null and an empty text, beside texts
/// that are written out.
#[test]
fn numbered_texts_are_those_of_their_row_group() {
    let folder = tempfile::tempdir().unwrap();
    let cells = [Some("web"), None, Some(""), Some("a longer name, of 30 characters"), Some("web")];
    let array: ArrayRef = Arc::new(StringArray::from(cells.to_vec()));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("N", array.clone(), true), ("W", array, true)])
            .unwrap();
    let path = folder.path().join("t.parquet");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(3))
        .set_column_dictionary_enabled("W".into(), false);
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let table = GrantedTable { name: "t.parquet".into(), path, form: TextForm::default() };
    let wanted = ["N", "W"].map(|name| WantedColumn { name: name.into(), form: CellForm::Text });
    let scan = Scan::open(&table, &wanted, ShortRows::Refused).unwrap();
    let mut worker = scan.worker();
    let mut read: Vec<[String; 2]> = Vec::new();
    while worker
        .next(&mut |batch| {
            assert!(matches!(batch.columns, [Cells::Keyed { .. }, Cells::Views(_)]));
            let rows = (0..batch.rows)
                .map(|row| [0, 1].map(|column| batch.columns[column].text(row).into_owned()));
            read.extend(rows);
            Ok(())
        })
        .unwrap()
    {}
    let expected = cells.map(|cell| [0, 1].map(|_| cell.unwrap_or_default().to_owned()));
    assert_eq!(read, expected);
}

/// 2026-03-02 begins at second 1,772,409,600. The second moment is the last one before 1970.
#[test]
fn moments_are_days_or_have_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let second = 1_772_409_600 + 5 * 3600 + 30 * 60 + 9;
    let cells = |per_second: i64| vec![Some(second * per_second), Some(-1), None];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("s", Arc::new(TimestampSecondArray::from(cells(1)))),
        ("ms", Arc::new(TimestampMillisecondArray::from(cells(1_000)))),
        ("us", Arc::new(TimestampMicrosecondArray::from(cells(1_000_000)))),
        ("ns", Arc::new(TimestampNanosecondArray::from(cells(1_000_000_000)))),
    ];
    let table = written(&folder, columns, Compression::SNAPPY);
    for (form, expect) in [
        (CellForm::Text, ["2026-03-02", "1969-12-31", ""]),
        (CellForm::Moment, ["2026-03-02T05:30:09Z", "1969-12-31T23:59:59Z", ""]),
    ] {
        let wanted = ["s", "ms", "us", "ns"].map(|name| WantedColumn { name: name.into(), form });
        let scan = Scan::open(&table, &wanted, ShortRows::Refused).unwrap();
        let read = scan.worker().next(&mut |batch| {
            for column in batch.columns {
                let texts: Vec<_> = (0..3).map(|row| column.text(row)).collect();
                assert_eq!(texts, expect, "{form:?}");
            }
            Ok(())
        });
        assert!(read.unwrap());
    }
}

fn labels() -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Utf8, true),
    ]);
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields, 2));
    for row in [&[("team", "kestrel"), ("env", "a\"b")][..], &[]] {
        for (key, value) in row {
            let pair = lists.values();
            pair.field_builder::<StringBuilder>(0).unwrap().append_value(key);
            pair.field_builder::<StringBuilder>(1).unwrap().append_value(value);
            pair.append(true);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

#[test]
fn members_of_records_are_columns_and_lists_of_records_are_json() {
    let folder = tempfile::tempdir().unwrap();
    let texts =
        |cells: [Option<&str>; 2]| -> ArrayRef { Arc::new(StringArray::from(cells.to_vec())) };
    let labels = labels();
    let inner = StructArray::from(vec![(
        Arc::new(Field::new("unit", DataType::Utf8, true)),
        texts([Some("hour"), None]),
    )]);
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let members: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("id", DataType::Utf8, false)), texts([Some("prj-1"), Some("lost")])),
        (Arc::new(Field::new("labels", labels.data_type().clone(), true)), labels.clone()),
        (Arc::new(Field::new("usage", inner.data_type().clone(), true)), Arc::new(inner)),
        (Arc::new(Field::new("number", DataType::Int64, true)), numbers),
    ];
    // The second row has no project, whatever its members hold.
    let project = StructArray::new(
        members.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>().into(),
        members.iter().map(|(_, array)| array.clone()).collect(),
        Some(vec![true, false].into()),
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("project", Arc::new(project)),
        ("cost", texts([Some("10"), Some("20")])),
        ("labels", labels),
    ];
    let table = written(&folder, columns, Compression::SNAPPY);
    let names: Vec<String> =
        describe(&table).unwrap().columns.into_iter().map(|column| column.name).collect();
    assert_eq!(
        names,
        [
            "project",
            "project.id",
            "project.labels",
            "project.usage",
            "project.usage.unit",
            "project.number",
            "cost",
            "labels"
        ]
    );
    let wanted = ["project.usage.unit", "cost", "project.id", "labels", "project.number"];
    let wanted = wanted.map(WantedColumn::text);
    let scan = Scan::open(&table, &wanted, ShortRows::Refused).unwrap();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut take =
        |batch: &decode::Batch<'_>| {
            rows.extend((0..batch.rows).map(|row| {
                batch.columns.iter().map(|cells| cells.text(row).into_owned()).collect()
            }));
            Ok(())
        };
    while scan.worker().next(&mut take).unwrap() {}
    let pairs = r#"[{"key":"team","value":"kestrel"},{"key":"env","value":"a\"b"}]"#;
    assert_eq!(rows, [["hour", "10", "prj-1", pairs, "7"], ["", "20", "", "[]", ""]]);
    let whole = sample(&table, 1).unwrap();
    let record =
        format!(r#"{{"id":"prj-1","labels":{pairs},"usage":{{"unit":"hour"}},"number":"7"}}"#);
    assert_eq!(whole[0][0], record);
}

#[test]
fn a_flat_column_goes_before_a_member_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let record =
        StructArray::from(vec![(Arc::new(Field::new("id", DataType::Utf8, true)), texts("inner"))]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("project", Arc::new(record)), ("project.id", texts("flat"))];
    let table = written(&folder, columns, Compression::SNAPPY);
    assert_eq!(sample(&table, 1).unwrap(), [[r#"{"id":"inner"}"#, "flat"]]);
}

#[test]
fn bytes_that_are_no_text_stay_two_names() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<&[u8]> = vec![b"plain", b"Z\xFCrich", b"Z\xF6rich"];
    let table =
        written(&folder, vec![("Team", Arc::new(BinaryArray::from(bytes)))], Compression::SNAPPY);
    assert_eq!(sample(&table, 3).unwrap(), [["plain"], ["Z\\xfcrich"], ["Z\\xf6rich"]]);
}
