//! Opens the files of tables, and says why one cannot be read.

use crate::batch::TableFormat;
use crate::code;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use std::fs::File;
use std::io::ErrorKind;

pub(crate) fn open(table: &GrantedTable) -> Result<File, Diagnostic> {
    File::open(&table.path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Diagnostic::new(code::FILE_NOT_FOUND, format!("{} does not exist", table.name))
        }
        _ => unreadable_file(table, &error),
    })
}

/// A decoder calls a file corrupt that was only cut off, so the error says that the file is not
/// whole.
pub(crate) fn unreadable(
    table: &GrantedTable,
    format: TableFormat,
    error: &std::io::Error,
) -> Diagnostic {
    let packed = match format {
        TableFormat::CsvZip => "ZIP archive",
        _ => "gzip file",
    };
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Diagnostic::new(
            code::FILE_TRUNCATED,
            format!("{} is not a whole {packed}: {error}", table.name),
        )
        .hint("fetch the file again and compare its size with the original's"),
        _ => unreadable_file(table, error),
    }
}

pub(crate) fn unreadable_file(table: &GrantedTable, error: &std::io::Error) -> Diagnostic {
    if error.kind() == ErrorKind::UnexpectedEof {
        return Diagnostic::new(
            code::FILE_TRUNCATED,
            format!("{} ends too early: it was not copied or written completely", table.name),
        )
        .hint("fetch the file again and compare its size with the original's");
    }
    Diagnostic::new(code::FILE_UNREADABLE, format!("{} cannot be read: {error}", table.name))
        .hint(format!("check with `ls -l {}`", table.name))
}
