//! Errors of files and tables.

domain::codes! {
    FILE_NOT_FOUND "F101" Files User "A source's path or pattern matches no file.";
    FILE_UNREADABLE "F102" Files User "A file cannot be opened, read or written.";
    FILE_TRUNCATED "F104" Files User "A compressed file ends too early.";
    FILE_NOT_A_TABLE "F105" Files User "A file is not CSV, CSV.GZ, CSV.ZIP or Parquet.";
    FILE_DELIMITER "F106" Files User "The header looks like it has another delimiter.";
    COLUMN_MISSING "F107" Files User "A column that charges cannot do without is missing.";
    COLUMN_DUPLICATE "F108" Files User "A header names the same column twice.";
    FILE_ENCODING "F109" Files User "The header is not written in the encoding that is set.";
    FILE_PREAMBLE "F110" Files User "A table has lines above its header.";
    FILE_ARCHIVE "F111" Files User "A ZIP archive has no table that can be read.";
    ROW_RAGGED "F202" Files Incomplete "A row has more or fewer cells than the header.";
    ROW_QUOTE "F203" Files Incomplete "A quote stands inside an unquoted cell.";
    ROW_ENCODING "F204" Files Incomplete "A row is not written in the encoding that is set.";
}
