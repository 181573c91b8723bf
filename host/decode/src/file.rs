//! Opens the files of tables, and says why one cannot be read.

use crate::code;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use std::fs::File;

pub(crate) fn open(table: &GrantedTable) -> Result<File, Diagnostic> {
    File::open(&table.path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Diagnostic::new(code::FILE_NOT_FOUND, format!("{} does not exist", table.name))
        }
        _ => unreadable(table, &error),
    })
}

pub(crate) fn unreadable(table: &GrantedTable, error: &std::io::Error) -> Diagnostic {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return Diagnostic::new(
            code::FILE_TRUNCATED,
            format!("{} ends too early: it was not copied or written completely", table.name),
        )
        .hint("fetch the file again and compare its size with the original's");
    }
    Diagnostic::new(code::FILE_UNREADABLE, format!("{} cannot be read: {error}", table.name))
        .hint(format!("check with `ls -l {}`", table.name))
}
