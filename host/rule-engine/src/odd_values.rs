//! Values that properties draw from: those that often break rules.

use crate::case_number::UNKNOWN;

/// Texts that often break programs.
pub(crate) const ODD_TEXTS: [&str; 14] = [
    "",
    "a",
    "0",
    "-1",
    " ",
    "null",
    "a-b",
    "a/b.c:d",
    "A",
    "ü漢",
    "\"",
    "${x}",
    "a,b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];
pub(crate) const ODD_AMOUNTS: [&str; 8] =
    ["0", "1", "-1", "100", "-20", "0.000000001", "33.333333333", "9000000000"];
/// The last one has more digits than rules compute with.
pub(crate) const ODD_DETAILS: [&str; 8] = [
    "0",
    "1",
    "-1",
    "100",
    UNKNOWN,
    "0.000000000000000001",
    "1000000000000000",
    "123456789012345.678901234567891",
];
pub(crate) const ODD_DAYS: [&str; 4] = ["2026-03-01", "2024-02-29", "2026-12-31", "1999-01-01"];
