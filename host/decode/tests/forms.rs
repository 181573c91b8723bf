//! Text tables as people and tools write them: encodings, line ends, lines above the header, ZIP.

use decode::code;
use decode::{Scan, ShortRows, UnreadableRow, WantedColumn, describe, lines_at};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use domain::text_form::{Encoding, TextForm};
use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};
use std::io::Write;

type Read = (Vec<Vec<String>>, Vec<UnreadableRow>);

fn with_table<T>(bytes: &[u8], form: TextForm, use_it: impl FnOnce(&GrantedTable) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    std::fs::write(&path, bytes).unwrap();
    use_it(&GrantedTable { name: "bill.csv".into(), path, form })
}

fn scan(table: &GrantedTable, columns: &[&str]) -> Result<Read, Diagnostic> {
    let wanted: Vec<WantedColumn> = columns.iter().map(|name| WantedColumn::text(*name)).collect();
    let scan = Scan::open(table, &wanted, ShortRows::Refused)?;
    let (mut worker, mut rows, mut unreadable) = (scan.worker(), Vec::new(), Vec::new());
    while worker.next(&mut |batch| {
        for row in 0..batch.rows {
            let cells = batch.columns.iter();
            rows.push(cells.map(|cells| cells.text(row).into_owned()).collect());
        }
        unreadable.extend_from_slice(batch.unreadable);
        Ok(())
    })? {}
    Ok((rows, unreadable))
}

fn read(bytes: &[u8], form: TextForm, columns: &[&str]) -> Result<Read, Diagnostic> {
    with_table(bytes, form, |table| scan(table, columns))
}

fn rows(bytes: &[u8], form: TextForm, columns: &[&str]) -> Vec<Vec<String>> {
    let (rows, unreadable) = read(bytes, form, columns).unwrap();
    assert_eq!(unreadable, []);
    rows
}

fn encoded(encoding: Encoding) -> TextForm {
    TextForm { encoding, ..TextForm::default() }
}

fn refusal(bytes: &[u8], form: TextForm) -> Diagnostic {
    read(bytes, form, &["a"]).expect_err("this file should be refused")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lines_that_end_in_carriage_returns_are_lines() {
    let text = "team,cost\rosprey,10\r\"kes\"\"trel\",20\r\r\"a,b\",5";
    for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes())] {
        assert_eq!(
            rows(&bytes, TextForm::default(), &["team", "cost"]),
            [["osprey", "10"], ["kes\"trel", "20"], ["a,b", "5"]]
        );
    }
    let broken = "team,cost\rosprey,10\rkestrel\rlast,5\r";
    with_table(broken.as_bytes(), TextForm::default(), |table| {
        let (rows, unreadable) = scan(table, &["team"]).unwrap();
        assert_eq!(rows, [["osprey"], ["last"]]);
        let places: Vec<u64> = unreadable.iter().map(|row| row.place).collect();
        assert_eq!(lines_at(table, &places).unwrap(), [3]);
    });
}

#[test]
fn many_lines_that_end_in_carriage_returns_are_all_read() {
    let mut text = String::from("id,text\r");
    (0..60_000).for_each(|id| text.push_str(&format!("{id},\"row {id}\"\r")));
    let read = rows(text.as_bytes(), TextForm::default(), &["id", "text"]);
    assert_eq!(read.len(), 60_000);
    assert!(read.iter().enumerate().all(|(id, row)| *row == [id.to_string(), format!("row {id}")]));
}

#[test]
fn bytes_that_are_no_text_cost_their_row_and_never_make_one_name_of_two() {
    let bytes = b"team,cost\nkestrel,1\nZ\xFCrich,10\n\"a\nZ\xF6rich\",20\nosprey,2\n";
    with_table(bytes, TextForm::default(), |table| {
        let (rows, unreadable) = scan(table, &["team", "cost"]).unwrap();
        assert_eq!(rows, [["kestrel", "1"], ["osprey", "2"]]);
        assert_eq!(
            [code::ROW_ENCODING; 2].to_vec(),
            unreadable.iter().map(|row| row.code).collect::<Vec<_>>()
        );
        let places: Vec<u64> = unreadable.iter().map(|row| row.place).collect();
        assert_eq!(lines_at(table, &places).unwrap(), [3, 4]);
        assert!(
            unreadable[0]
                .reason
                .starts_with("character 2 is not UTF-8; tell the source its encoding")
        );
        assert!(unreadable[1].reason.starts_with("character 5 is not UTF-8"));
    });
    let finding = refusal(b"a,Stra\xDFe\n1,2\n", TextForm::default());
    assert_eq!(finding.code, code::FILE_ENCODING);
    assert!(finding.hint_text().unwrap().contains("encoding = \"windows-1252\""));
}

#[test]
fn the_setting_decides_what_bytes_mean() {
    let bytes = b"team,cost\nZ\xFCrich,10\nZ\xF6rich,20 \x80\n";
    assert_eq!(
        rows(bytes, encoded(Encoding::Windows1252), &["team", "cost"]),
        [["Zürich", "10"], ["Zörich", "20 €"]]
    );
    assert_eq!(
        rows(bytes, encoded(Encoding::Latin1), &["team", "cost"]),
        [["Zürich", "10"], ["Zörich", "20 \u{80}"]]
    );
    // A byte order mark is the file's own word.
    let marked = "\u{FEFF}team,cost\nZürich,10\n";
    assert_eq!(rows(marked.as_bytes(), encoded(Encoding::Latin1), &["team"]), [["Zürich"]]);
}

#[test]
fn units_of_two_bytes_are_read_by_their_mark_or_by_the_setting() {
    let text = "team,cost\r\nZürich 🚀,10\r\n\"b,c\",20\r\n";
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let marked = format!("\u{FEFF}{text}");
    let expect = [["Zürich 🚀", "10"], ["b,c", "20"]];
    for (bytes, form) in [
        (little(&marked), TextForm::default()),
        (big(&marked), TextForm::default()),
        (gzip(&little(&marked)), TextForm::default()),
        (little(text), encoded(Encoding::Utf16)),
        (big(text), encoded(Encoding::Utf16)),
        (little(&marked), encoded(Encoding::Windows1252)),
    ] {
        assert_eq!(rows(&bytes, form, &["team", "cost"]), expect);
    }
    let finding = refusal(&little(text), TextForm::default());
    assert_eq!(finding.code, code::FILE_ENCODING);
    assert!(finding.hint_text().unwrap().contains("encoding = \"utf-16\""));
}

#[test]
fn half_a_pair_sets_its_row_aside() {
    let mut units: Vec<u16> = "team,cost\nok,1\n".encode_utf16().collect();
    units.extend([0xD83D]);
    units.extend(",2\nlast,3\n".encode_utf16());
    let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
    let (rows, unreadable) = read(&bytes, encoded(Encoding::Utf16), &["team"]).unwrap();
    assert_eq!(rows, [["ok"], ["last"]]);
    assert_eq!(unreadable.len(), 1);
}

#[test]
fn byte_order_marks_between_rows_are_no_part_of_names() {
    for text in [
        "\u{FEFF}team,cost\n\u{FEFF}sub-1,10\nsub-1,20\n",
        "\u{FEFF}\u{FEFF}team,cost\nsub-1,10\nsub-1,20\n",
        "\u{FEFF}\"team\",cost\n\u{FEFF}\"sub-1\",10\n\u{FEFF}sub-1,20\n",
        "\u{FEFF}\"team\",cost\r\n\"sub-1\",10\r\n\u{FEFF}\"sub-1\",20\r\n",
    ] {
        let expect = [["sub-1", "10"], ["sub-1", "20"]];
        assert_eq!(rows(text.as_bytes(), TextForm::default(), &["team", "cost"]), expect, "{text}");
    }
}

#[test]
fn lines_above_the_header_are_left_out_by_the_setting() {
    let skipping = |skip_lines| TextForm { skip_lines, ..TextForm::default() };
    let text = "Usage Data Extract,\n,\nAccount,Date,Cost,Tags\no,03/01/2026,10.00,\n";
    assert_eq!(rows(text.as_bytes(), skipping(2), &["Account", "Cost"]), [["o", "10.00"]]);
    let quoted = "\u{FEFF}Note,\"a\nAccount,Cost\n7,1\n7\n";
    with_table(quoted.as_bytes(), skipping(1), |table| {
        let (rows, unreadable) = scan(table, &["Account", "Cost"]).unwrap();
        assert_eq!(rows, [["7", "1"]]);
        // Lines are those of the file.
        assert_eq!(lines_at(table, &[unreadable[0].place]).unwrap(), [4]);
    });
    let finding = refusal(b"a,b\n1,2\n", skipping(3));
    assert_eq!(
        finding.message,
        "bill.csv is not a table: it ends at line 2, and `skip_lines` asks for more"
    );
}

#[test]
fn a_line_that_is_no_header_names_the_setting() {
    for (text, message, hint) in [
        (
            "Usage Data Extract,\n,\nAccount,Date,Meter,Cost\no,03/01/2026,VM,10.00\n",
            "bill.csv: line 1 looks like no header, and line 3 does",
            "skip_lines = 2",
        ),
        (
            "Invoice number,12345\nInvoice date,2026-03-31\nCurrency,EUR\n\nAccount,Project,\
             Service,Cost (€)\na,k,Compute,\"1,50\"\n",
            "bill.csv: line 1 looks like no header, and line 5 does",
            "skip_lines = 4",
        ),
        (
            "Report\nAccount;Project;Cost\na;k;1\n",
            "bill.csv: line 1 looks like no header, and line 2 does",
            "skip_lines = 1\ndelimiter = \";\"",
        ),
        (
            "Cost report,,,,\nAccount,Project,Service,Cost,Tags\n1,2,3,4,5\n",
            "bill.csv: line 1 looks like no header, and line 2 does",
            "skip_lines = 1",
        ),
    ] {
        let finding = refusal(text.as_bytes(), TextForm::default());
        assert_eq!((finding.code, finding.message.as_str()), (code::FILE_PREAMBLE, message));
        let hint = format!("tell the source how its tables begin:\n{hint}");
        assert_eq!(finding.hint_text(), Some(hint));
    }
}

#[test]
fn rows_of_words_are_not_taken_for_a_header() {
    for text in [
        "a,b\nx,y\n",
        "a,b,c\nteam,osprey,prod\n",
        "a,b\nx,\"one, two, three, four\"\n",
        "a,b\nx,y,z\n",
    ] {
        let names = with_table(text.as_bytes(), TextForm::default(), describe).unwrap();
        assert_eq!(names.columns[0].name, "a", "{text}");
    }
    let semicolons = refusal(b"a;b;c\nx;y;z\none, two, three;x;y\n", TextForm::default());
    assert_eq!(semicolons.code, code::FILE_DELIMITER);
    for (text, setting) in
        [("a;b;c\n", "`delimiter = \";\"`"), ("a\tb\tc\n", "`delimiter = \"\\t\"`")]
    {
        let hint = refusal(text.as_bytes(), TextForm::default()).hint_text().unwrap();
        assert!(hint.ends_with(setting), "{hint}");
    }
}

#[test]
fn text_behind_a_closing_quote_is_found() {
    let mut text = String::from("id,note,cost\n1,\"a\"b,10\n2,\"c\" ,10\n3,\"d\"\r,10\n");
    (4..90).for_each(|id| text.push_str(&format!("{id},\"e\"\"f\",\"10\"\r\n")));
    let (rows, unreadable) = read(text.as_bytes(), TextForm::default(), &["id", "note"]).unwrap();
    assert_eq!((rows.len(), unreadable.len()), (86, 3));
    assert_eq!(rows[0], ["4", "e\"f"]);
    assert!(unreadable.iter().all(|row| row.code == code::ROW_QUOTE));
}

struct TestMember {
    name: &'static str,
    bytes: Vec<u8>,
    stored: bool,
    flags: u16,
    size: Option<u32>,
    crc: Option<u32>,
}

fn packed(name: &'static str, bytes: &[u8]) -> TestMember {
    TestMember { name, bytes: bytes.to_vec(), stored: false, flags: 0, size: None, crc: None }
}

/// An archive, by the format's own description.
fn zip(members: &[TestMember]) -> Vec<u8> {
    let (mut archive, mut list) = (Vec::new(), Vec::new());
    for member in members {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&member.bytes).unwrap();
        let data = if member.stored { member.bytes.clone() } else { encoder.finish().unwrap() };
        let mut crc = Crc::new();
        crc.update(&member.bytes);
        let mut facts = Vec::new();
        facts.extend(20_u16.to_le_bytes());
        facts.extend(member.flags.to_le_bytes());
        facts.extend(if member.stored { 0_u16 } else { 8 }.to_le_bytes());
        facts.extend([0; 4]);
        facts.extend(member.crc.unwrap_or(crc.sum()).to_le_bytes());
        facts.extend((data.len() as u32).to_le_bytes());
        facts.extend(member.size.unwrap_or(member.bytes.len() as u32).to_le_bytes());
        facts.extend((member.name.len() as u16).to_le_bytes());
        facts.extend([0; 2]);
        let at = archive.len() as u32;
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(member.name.as_bytes());
        archive.extend(data);
        list.extend(b"PK\x01\x02\x14\x00");
        list.extend(&facts);
        list.extend([0; 10]);
        list.extend(at.to_le_bytes());
        list.extend(member.name.as_bytes());
    }
    let start = archive.len() as u32;
    let count = (members.len() as u16).to_le_bytes();
    archive.extend(&list);
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00");
    archive.extend([count, count].concat());
    archive.extend((list.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

#[test]
fn the_table_of_an_archive_is_read() {
    let mut text = String::from("a,b\n");
    (0..40_000).for_each(|id| text.push_str(&format!("{id},x\n")));
    let stored = TestMember { stored: true, ..packed("deep/er/p.csv", text.as_bytes()) };
    let archives = [
        zip(&[packed("../../p.csv", text.as_bytes())]),
        zip(&[stored]),
        zip(&[
            packed("folder/", b""),
            packed("__MACOSX/._p.csv", b"\x00\x05"),
            packed("readme.pdf", b"%PDF"),
            packed("P.CSV", text.as_bytes()),
        ]),
        zip(&[packed("part-00000", text.as_bytes())]),
    ];
    for archive in archives {
        let read = rows(&archive, TextForm::default(), &["a"]);
        assert_eq!((read.len(), read[39_999][0].as_str()), (40_000, "39999"));
    }
    let commented = {
        let mut archive = zip(&[packed("p.csv", b"a,b\n1\n2,3\n")]);
        let end = archive.len();
        archive[end - 2] = 9;
        archive.extend(b"a comment");
        archive
    };
    with_table(&commented, TextForm::default(), |table| {
        assert_eq!(describe(table).unwrap().format.to_string(), "csv.zip");
        let (rows, unreadable) = scan(table, &["a"]).unwrap();
        assert_eq!(rows, [["2"]]);
        assert_eq!(lines_at(table, &[unreadable[0].place]).unwrap(), [2]);
    });
}

#[test]
fn archives_that_are_no_single_table_are_refused_by_name() {
    let bill = || packed("p.csv", b"a,b\n1,2\n");
    for (archive, message) in [
        (
            zip(&[bill(), packed("q.csv", b"a,b\n")]),
            "bill.csv holds 2 files, and a table is one: 'p.csv', 'q.csv'",
        ),
        (
            zip(&[packed("1", b"a"), packed("2", b"a"), packed("3", b"a"), packed("4", b"a")]),
            "bill.csv holds 4 files, and a table is one: '1', '2', '3', …",
        ),
        (zip(&[packed("folder/", b"")]), "bill.csv holds no file"),
        (zip(&[]), "bill.csv holds no file"),
        (
            zip(&[TestMember { flags: 1, ..bill() }]),
            "bill.csv is encrypted: 'p.csv' in it cannot be read without its password",
        ),
        (
            zip(&[TestMember { size: Some(u32::MAX - 1), ..bill() }]),
            "bill.csv states 4294967294 bytes for 'p.csv', which 10 packed bytes cannot hold",
        ),
    ] {
        let finding = refusal(&archive, TextForm::default());
        assert_eq!((finding.code, finding.message.as_str()), (code::FILE_ARCHIVE, message));
    }
}

#[test]
fn archives_that_lie_or_are_cut_off_are_not_whole() {
    let text = "a,b\n1,2\n".repeat(300);
    let bill = || packed("p.csv", text.as_bytes());
    let whole = zip(&[bill()]);
    let mut archives = vec![
        zip(&[TestMember { size: Some(100), ..bill() }]),
        zip(&[TestMember { size: Some(3_000), ..bill() }]),
        zip(&[TestMember { crc: Some(7), ..bill() }]),
    ];
    archives.extend((4..whole.len()).step_by(7).map(|end| whole[..end].to_vec()));
    for archive in archives {
        assert_eq!(refusal(&archive, TextForm::default()).code, code::FILE_TRUNCATED);
    }
    // Each byte of the list may be anything.
    for at in whole.len() - 80..whole.len() {
        for byte in [0, 1, 0x7F, 0xFF] {
            let mut archive = whole.clone();
            archive[at] = byte;
            drop(read(&archive, TextForm::default(), &["a"]));
        }
    }
}
