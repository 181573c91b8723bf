//! Looks into its tables, and reports them in its state.

use apportion_plugin_sdk::{
    Batch, Collector, Error, Manifest, Request, Rows, register_collector, table_decode,
};

struct Guest(bool);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("asks-for-tables").power("table-decode", "to look into tables")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Ok(Guest(false))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        if std::mem::replace(&mut self.0, true) {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for table in table_decode::tables().map_err(Error::Unavailable)? {
            let columns: Vec<&str> =
                table.columns.iter().map(|column| column.name.as_str()).collect();
            let sample = table_decode::sample(&table.name, 1).map_err(Error::Unavailable)?;
            let distinct =
                table_decode::distinct(&table.name, columns[0], 10).map_err(Error::Unavailable)?;
            seen.push(format!(
                "{} {} {columns:?} {sample:?} {distinct:?}",
                table.name, table.format
            ));
        }
        let other = table_decode::sample("/etc/passwd", 1).unwrap_err();
        seen.push(other);
        Ok(Some(Batch { state: Some(seen.join("\n")), ..Batch::new(Rows::Charges(Vec::new())) }))
    }
}

register_collector!(Guest);
