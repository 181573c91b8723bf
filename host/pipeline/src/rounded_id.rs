//! Ids that some tool took for numbers: their last digits or first zeros are lost, and nobody can
//! say which account was meant.

use crate::code::ID_ROUNDED;
use crate::columns::{Identity, TableReading};
use decode::Scan;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;

/// One warning for each column with such ids.
pub fn warnings(
    table: &GrantedTable,
    scan: &Scan,
    reading: &TableReading,
    rounded: Vec<(String, String)>,
) -> Vec<Diagnostic> {
    let warning = |message: String| {
        Diagnostic::new(ID_ROUNDED, message).at(&table.name, 0, 0).hint(
            "read the bill as its provider made it, or save the column as text: charges of one \
             account can stand under two ids, and of two accounts under one",
        )
    };
    let of_texts = rounded.into_iter().map(|(column, id)| {
        warning(format!("{column} has ids that were rounded as numbers, such as {id}"))
    });
    let is_float = |name: &str| {
        let mut columns = scan.columns.iter().filter(|column| column.name == name);
        columns.any(|column| column.kind.starts_with("Float"))
    };
    let of_numbers = reading.identity.iter().filter_map(|(column, identity)| match identity {
        Identity::Dimension(field) if field.name().ends_with("_id") => {
            let name = reading.name(*column);
            is_float(name).then(|| warning(format!("{name} has ids that are stored as numbers")))
        }
        _ => None,
    });
    of_texts.chain(of_numbers).collect()
}
