//! Files in the states in which bills arrive: every format, quoting, line ends, and everything that
//! can be broken.

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use decode::code;
use decode::{
    CellForm, Cells, Scan, ShortRows, UnreadableRow, WantedColumn, describe, distinct, lines_at,
    sample,
};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use domain::text_form::TextForm;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn table(folder: &Path, name: &str, bytes: &[u8]) -> GrantedTable {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    GrantedTable { name: name.into(), path, form: TextForm::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Read = (Vec<Vec<String>>, Vec<UnreadableRow>);

/// Reads with several workers in turn, so that blocks go to different ones.
fn read(table: &GrantedTable, columns: &[&str]) -> Result<Read, Diagnostic> {
    let wanted: Vec<WantedColumn> = columns.iter().map(|name| WantedColumn::text(*name)).collect();
    let scan = Scan::open(table, &wanted, ShortRows::Refused)?;
    let mut workers = [scan.worker(), scan.worker(), scan.worker()];
    let (mut rows, mut unreadable, mut open) = (Vec::new(), Vec::new(), true);
    while open {
        open = false;
        for worker in &mut workers {
            open |= worker.next(&mut |batch| {
                for row in 0..batch.rows {
                    rows.push((
                        batch.places[row],
                        batch
                            .columns
                            .iter()
                            .map(|cells| cells.text(row).into_owned())
                            .collect::<Vec<_>>(),
                    ));
                }
                unreadable.extend_from_slice(batch.unreadable);
                Ok(())
            })?;
        }
    }
    rows.sort();
    unreadable.sort_by_key(|row| row.place);
    Ok((rows.into_iter().map(|(_, row)| row).collect(), unreadable))
}

fn code_of<T: std::fmt::Debug>(result: Result<T, Diagnostic>) -> domain::code::Code {
    result.expect_err("this file should be refused").code
}

#[test]
fn reads_quotes_line_ends_and_a_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{FEFF}Id,\"Name\",Cost\r\n1,\"a, \"\"b\"\"\nc\",1.5\r\n\r\n2,plain,\r\n3,\"\",-4";
    for (name, bytes) in [("a.csv", text.as_bytes().to_vec()), ("a.csv.gz", gzip(text.as_bytes()))]
    {
        let table = table(folder.path(), name, &bytes);
        let names: Vec<String> =
            describe(&table).unwrap().columns.into_iter().map(|column| column.name).collect();
        assert_eq!(names, ["Id", "Name", "Cost"]);
        let (rows, unreadable) = read(&table, &["Cost", "Name"]).unwrap();
        assert_eq!(rows, [["1.5", "a, \"b\"\nc"], ["", "plain"], ["-4", ""]]);
        assert_eq!(unreadable, []);
        assert_eq!(sample(&table, 1).unwrap(), [["1", "a, \"b\"\nc", "1.5"]]);
        assert_eq!(distinct(&table, "Id", 2).unwrap(), ["1", "2"]);
    }
}

#[test]
fn many_blocks_give_every_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("Id,Text,More\n");
    let mut expected = Vec::new();
    for id in 0..40_000 {
        let filler = format!("line one of {id}\nline, two \"\" {}", "x".repeat(id % 97));
        text.push_str(&format!("{id},\"{filler}\",z\n"));
        expected.push(vec![id.to_string(), filler.replace("\"\"", "\"")]);
    }
    for (name, bytes) in [("b.csv", text.as_bytes().to_vec()), ("b.csv.gz", gzip(text.as_bytes()))]
    {
        let (rows, unreadable) =
            read(&table(folder.path(), name, &bytes), &["Id", "Text"]).unwrap();
        assert_eq!(rows.len(), expected.len());
        assert!(rows == expected, "{name}");
        assert_eq!(unreadable, []);
    }
}

#[test]
fn a_broken_row_costs_that_row_and_says_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("a,b,c\n1,2,3\n1,2\n\"x\ny\",2,3\n1,2,3,4\n");
    text.push_str(
        "disk 5\" wide,2,3\nfine,2,3\nanother 6\" one,2,3\nlast,\"never closed,3\nafter,2,3\n",
    );
    let table = table(folder.path(), "c.csv", text.as_bytes());
    let (rows, unreadable) = read(&table, &["a"]).unwrap();
    assert_eq!(rows, [["1"], ["x\ny"], ["fine"], ["after"]]);
    let codes: Vec<_> = unreadable.iter().map(|row| row.code).collect();
    assert_eq!(
        codes,
        [code::ROW_RAGGED, code::ROW_RAGGED, code::ROW_QUOTE, code::ROW_QUOTE, code::ROW_QUOTE]
    );
    let places: Vec<u64> = unreadable.iter().map(|row| row.place).collect();
    assert_eq!(lines_at(&table, &places).unwrap(), [3, 6, 7, 9, 10]);
    assert_eq!(unreadable[0].reason, "the row has 2 cells and the header 3");
    assert!(
        unreadable[2].reason.starts_with("a quote stands at character 7"),
        "{}",
        unreadable[2].reason
    );
}

#[test]
fn quotes_that_would_swallow_rows_unseen_are_found() {
    // If these two were taken as an opening and a closing quote, they would hide the rows between
    // them in one cell.
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,note,cost\n1,5\" disk,10\n");
    (2..50).for_each(|id| text.push_str(&format!("{id},plain,10\n")));
    text.push_str("50,6\" disk,10\n");
    let (rows, unreadable) =
        read(&table(folder.path(), "d.csv", text.as_bytes()), &["id"]).unwrap();
    assert_eq!((rows.len(), unreadable.len()), (48, 2));
}

#[test]
fn the_end_of_a_file_of_dos_is_no_row() {
    let folder = tempfile::tempdir().unwrap();
    for end in ["\u{1A}", "\u{1A}\r\n", "\r\n\u{1A}\n"] {
        let text = format!("a,b\r\n1,2\r\n{end}");
        let given = table(folder.path(), "dos.csv", text.as_bytes());
        assert_eq!(
            read(&given, &["a", "b"]).unwrap(),
            (vec![vec!["1".into(), "2".into()]], vec![])
        );
        let wanted = [WantedColumn::text("a")];
        let scan = Scan::open(&given, &wanted, ShortRows::Filled).unwrap();
        let (mut worker, mut rows) = (scan.worker(), 0);
        let mut count = |batch: &decode::Batch<'_>| {
            rows += batch.rows;
            Ok(())
        };
        while worker.next(&mut count).unwrap() {}
        assert_eq!(rows, 1, "{end:?}");
    }
}

/// Cells that begin with a quote, though nobody meant it as one.
#[test]
fn a_cell_that_holds_whole_rows_is_no_cell() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id,note,cost,team\n1,a,10,x\n2,\"wide, 5,10,x\n3,b,10,x\n4,wide\",10,x\n5,c,10,x\n";
    let given = table(folder.path(), "swallow.csv", text.as_bytes());
    // The note of the second row has a comma of its own, so it can be one note of three lines.
    assert_eq!(read(&given, &["id"]).unwrap().0, [["1"], ["2"], ["5"]]);
    let text = text.replace("wide, 5", "wide");
    let given = table(folder.path(), "swallowed.csv", text.as_bytes());
    let (rows, unreadable) = read(&given, &["id"]).unwrap();
    assert_eq!(rows, [["1"], ["3"], ["5"]]);
    let places: Vec<u64> = unreadable.iter().map(|row| row.place).collect();
    assert_eq!(lines_at(&given, &places).unwrap(), [3, 5]);
    assert_eq!(
        unreadable[0].reason,
        "the quote that opens at character 3 is closed 2 lines below, over lines that are rows \
         themselves; cells with quotes must be quoted and their quotes doubled"
    );
    assert!(unreadable.iter().all(|row| row.code == code::ROW_QUOTE));
    // A note of several lines has as many commas as it likes.
    for note in ["one\ntwo", "a, b\nc", "a, b, c\nd, e, f, g, h\ni", "\n\n\n"] {
        let text = format!("id,note,cost,team\n1,\"{note}\",10,x\n2,b,10,x\n");
        let given = table(folder.path(), "notes.csv", text.as_bytes());
        let (rows, unreadable) = read(&given, &["id", "note"]).unwrap();
        assert_eq!((rows.len(), unreadable), (2, Vec::new()), "{note}");
        assert_eq!(rows[0][1], note);
    }
}

#[test]
fn what_is_not_a_table_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, bytes: &[u8]| read(&table(folder.path(), name, bytes), &["a"]);
    assert_eq!(code_of(open("empty.csv", b"")), code::FILE_NOT_A_TABLE);
    assert_eq!(code_of(open("junk.csv", b"\x00\x01\x02,\x00\nxx")), code::FILE_NOT_A_TABLE);
    assert_eq!(code_of(open("one.csv", b"just a line of text\n")), code::FILE_NOT_A_TABLE);
    assert_eq!(code_of(open("semicolon.csv", b"a;b;c\n1;2;3\n")), code::FILE_DELIMITER);
    assert_eq!(code_of(open("missing.csv", b"b,c\n1,2\n")), code::COLUMN_MISSING);
    assert_eq!(code_of(open("double.csv", b"a,b,a\n1,2,3\n")), code::COLUMN_DUPLICATE);
    assert_eq!(
        code_of(open("broken.parquet", b"PAR1 and then nothing of it")),
        code::FILE_TRUNCATED
    );
    let packed = gzip("a,b\n1,2\n".repeat(1000).as_bytes());
    assert_eq!(code_of(open("cut.csv.gz", &packed[..packed.len() - 20])), code::FILE_TRUNCATED);
    let gone = GrantedTable {
        name: "gone.csv".into(),
        path: folder.path().join("gone.csv"),
        form: TextForm::default(),
    };
    assert_eq!(code_of(describe(&gone)), code::FILE_NOT_FOUND);
    let header_only = open("header.csv", b"a,b\n").unwrap();
    assert_eq!(header_only, (vec![], vec![]));
}

#[test]
fn another_delimiter_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let form = TextForm { delimiter: b';', ..TextForm::default() };
    let table = GrantedTable { form, ..table(folder.path(), "s.csv", b"a;b\n1,5;2\n") };
    assert_eq!(read(&table, &["a", "b"]).unwrap().0, [["1,5", "2"]]);
}

#[test]
fn parquet_hands_out_numbers_as_numbers_and_all_else_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("Service", Arc::new(StringArray::from(vec![Some("s3"), None, Some("")]))),
        (
            "Cost",
            Arc::new(
                Decimal128Array::from(vec![15, -25, 0]).with_precision_and_scale(20, 10).unwrap(),
            ),
        ),
        (
            "Start",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(86_400_000_000), Some(-1), None])),
        ),
        (
            "Float",
            Arc::new(Float64Array::from(vec![0.1, 2.5893953072562468e-5, 94.35600000000001])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.path().join("t.parquet");
    let mut writer = parquet::arrow::ArrowWriter::try_new(
        std::fs::File::create(&path).unwrap(),
        batch.schema(),
        None,
    )
    .unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let table = GrantedTable { name: "t.parquet".into(), path, form: TextForm::default() };
    let texts = [
        ["s3", "0.0000000015", "1970-01-02", "0.1"],
        ["", "-0.0000000025", "1969-12-31", "0.000025893953072562468"],
        ["", "0.0000000000", "", "94.35600000000001"],
    ];
    assert_eq!(sample(&table, 9).unwrap(), texts);
    let typed = |name: &str| WantedColumn { name: name.into(), form: CellForm::Typed };
    let scan = Scan::open(&table, &[typed("Start"), typed("Cost")], ShortRows::Refused).unwrap();
    let mut seen = 0;
    scan.worker()
        .next(&mut |batch| {
            seen += batch.rows;
            assert!(matches!(
                batch.columns[0],
                Cells::Days { values: [1, -1, _], nulls: Some([false, false, true]) }
            ));
            assert!(matches!(
                batch.columns[1],
                Cells::Decimal { values: [15, -25, 0], nulls: None, scale: 10 }
            ));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 3);
}

#[test]
fn a_last_row_that_is_cut_off_is_no_short_row() {
    let folder = tempfile::tempdir().unwrap();
    for (end, kept) in [("", vec!["1", "2"]), ("\n", vec!["1", "2", "5"])] {
        let text = format!("cost,day,team\n1,1,a\n2,1\n5{end}");
        let table = table(folder.path(), "t.csv", text.as_bytes());
        let scan = Scan::open(&table, &[WantedColumn::text("cost")], ShortRows::Filled).unwrap();
        let (mut costs, mut unreadable) = (Vec::new(), Vec::new());
        let mut worker = scan.worker();
        while worker
            .next(&mut |batch| {
                costs.extend((0..batch.rows).map(|row| batch.columns[0].text(row).into_owned()));
                unreadable.extend(batch.unreadable.iter().map(|row| row.code));
                Ok(())
            })
            .unwrap()
        {}
        assert_eq!(costs, kept);
        assert_eq!(unreadable.len(), 3 - kept.len());
    }
}
