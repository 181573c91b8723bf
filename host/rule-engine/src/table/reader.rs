//! Reads lookup tables, and says everything that is wrong with them.

use super::{IS_AN_ACCOUNT, KEY_SEPARATOR, LookupTable, TEAM, TEAMS, TableRow, Tables, Validity};
use crate::code::RULE_TABLE;
use crate::options::UnknownTeams;
use crate::text_file::TextFile;
use domain::account::Account;
use domain::csv::{CsvCell, CsvPlace, CsvRows, OpenQuote};
use domain::diagnostic::Diagnostic;
use domain::generation::{VALID_FROM, VALID_UNTIL};
use domain::period::Day;
use domain::tag::TagSchema;
use rhai::ImmutableString;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Findings of one table. A table of a million rows can have a fault in each of them.
const FINDINGS_MAX: usize = 50;

/// Reads all tables that can be read. `widths` are the numbers of key columns that are not one.
pub(crate) fn read_all(
    files: Vec<TextFile>,
    widths: &BTreeMap<String, usize>,
    tags: &Arc<TagSchema>,
    unknown_teams: UnknownTeams,
) -> (Tables, Vec<Diagnostic>) {
    let (mut tables, mut findings) = (Tables::new(), Vec::new());
    for file in files {
        let (id, width) = (file.id.clone(), widths.get(&file.id).copied().unwrap_or(1));
        match LookupTable::parse(file, width, Arc::clone(tags)) {
            Ok(table) => drop(tables.insert(id, table)),
            Err(wrong) => findings.extend(wrong),
        }
    }
    let needs_teams = unknown_teams != UnknownTeams::Allow;
    if needs_teams && findings.is_empty() && !tables.contains_key(TEAMS) {
        let message = format!(
            "the setting unknown_teams = \"{}\" needs the table of teams, and there is none",
            unknown_teams.name()
        );
        findings.push(
            Diagnostic::new(RULE_TABLE, message)
                .at(format!("tables/{TEAMS}.csv"), 0, 0)
                .hint("write one line for each team below the header: team,cost_center"),
        );
    }
    (tables, findings)
}

impl LookupTable {
    /// Reads a table whose first `width` columns are the key.
    pub(crate) fn parse(
        file: TextFile,
        width: usize,
        tags: Arc<TagSchema>,
    ) -> Result<LookupTable, Vec<Diagnostic>> {
        let mut reader = TableReader { file: &file, findings: Vec::new() };
        let mut rows = CsvRows::of(&file.text);
        let Some(header) = reader.next(&mut rows) else {
            if reader.findings.is_empty() {
                let message = "the table is empty: it needs a header row such as `key,value`";
                reader.refuse(CsvPlace { line: 1, column: 0 }, message);
            }
            return Err(reader.findings);
        };
        reader.header(&header, width);
        let is_dated = |name: &str| name == VALID_FROM || name == VALID_UNTIL;
        let names: Vec<String> = header.iter().map(|cell| cell.text.clone()).collect();
        let mut table = LookupTable {
            columns: names.iter().skip(width).filter(|name| !is_dated(name)).cloned().collect(),
            header: names,
            width,
            rows: FxHashMap::default(),
            tags,
            file: file.clone(),
        };
        while let Some(cells) = reader.next(&mut rows) {
            reader.row(&mut table, cells);
        }
        if reader.findings.is_empty() { Ok(table) } else { Err(reader.findings) }
    }
}

/// Reads rows, and collects the findings.
struct TableReader<'a> {
    file: &'a TextFile,
    findings: Vec<Diagnostic>,
}

impl TableReader<'_> {
    fn refuse(&mut self, place: CsvPlace, message: impl Into<String>) {
        self.findings.push(self.file.finding_at(RULE_TABLE, message, place.line, place.column));
    }

    fn next(&mut self, rows: &mut CsvRows<'_>) -> Option<Vec<CsvCell>> {
        if self.findings.len() >= FINDINGS_MAX {
            return None;
        }
        match rows.next()? {
            Ok(cells) => Some(cells),
            Err(OpenQuote(place)) => {
                self.refuse(place, "a quoted cell does not end");
                None
            }
        }
    }

    fn header(&mut self, header: &[CsvCell], width: usize) {
        let Some(first) = header.first() else { return };
        if header.len() <= width {
            let keys = if width == 1 { "a key column" } else { "its key columns" };
            let message = format!("the table needs {keys} and at least one value column");
            self.refuse(first.place, message);
        }
        for (number, cell) in header.iter().enumerate() {
            let name = &cell.text;
            if name.is_empty() {
                self.refuse(cell.place, format!("column {} has no name", number + 1));
            } else if header.iter().take(number).any(|earlier| earlier.text == *name) {
                self.refuse(cell.place, format!("two columns are named '{name}'"));
            }
        }
    }

    fn row(&mut self, table: &mut LookupTable, cells: Vec<CsvCell>) {
        let (Some(start), Some(last)) = (cells.first(), cells.last()) else { return };
        let start = start.place;
        let (width, wanted) = (cells.len(), table.header.len());
        if width != wanted {
            let message = format!("the row has {width} cells, the header has {wanted}");
            let (place, lack) = match (cells.get(wanted), table.header.get(width)) {
                (_, Some(name)) => (last.place, format!("; after this cell, '{name}' is missing")),
                (Some(beyond), None) => {
                    (beyond.place, "; a cell with a comma in it stands in quotes".to_owned())
                }
                (None, None) => (last.place, String::new()),
            };
            return self.refuse(place, format!("{message}{lack}"));
        }
        let (mut key, mut values, mut validity) = (Vec::new(), Vec::new(), Validity::default());
        let mut written = None;
        let known = self.findings.len();
        for (at, cell) in cells.iter().enumerate() {
            let name = table.header.get(at).map_or("", String::as_str);
            let spelled = table.spelled(at, &cell.text);
            match name {
                _ if at < table.width && spelled.is_empty() => {
                    self.refuse(cell.place, "the row has no key");
                }
                _ if at < table.width => {
                    let as_written = TagSchema::default().spelled("", &cell.text);
                    if at == 0 && as_written != spelled {
                        written = Some(ImmutableString::from(as_written));
                    }
                    self.refuse_account(&table.tags, table.tag_of(at), &spelled, cell);
                    key.push(spelled);
                }
                VALID_FROM => validity.from = self.day(name, cell, &table.tags),
                VALID_UNTIL => validity.until = self.day(name, cell, &table.tags),
                _ if table.tags.is_absent(&spelled) => values.push(ImmutableString::new()),
                _ => {
                    self.refuse_account(&table.tags, name, &spelled, cell);
                    values.push(spelled.into());
                }
            }
        }
        if let (Some(from), Some(until)) = (validity.from, validity.until)
            && until <= from
        {
            let message = format!("the row would end on {until}, before it starts on {from}");
            self.refuse(start, message);
        }
        if self.findings.len() == known {
            let row = TableRow { line: start.line, validity, written, cells: values };
            self.insert(table, key, row, start);
        }
    }

    fn insert(
        &mut self,
        table: &mut LookupTable,
        key: Vec<String>,
        row: TableRow,
        place: CsvPlace,
    ) {
        let shown = || key.join(", ");
        let rows = table.rows.entry(key.join(KEY_SEPARATOR)).or_default();
        match rows.iter().find(|known| known.validity.overlaps(row.validity)) {
            None => rows.push(row),
            Some(known)
                if known.validity == Validity::default() && row.validity == known.validity =>
            {
                let as_written = match &known.written {
                    Some(written) => format!(", as '{written}'"),
                    None => String::new(),
                };
                let message = format!(
                    "the key '{}' already stands on line {}{as_written}",
                    shown(),
                    known.line
                );
                self.refuse(place, message);
            }
            Some(known) => {
                let message = format!(
                    "the key '{}' holds on days on which line {} holds as well; let one of them \
                     end with {VALID_UNTIL} before the other begins with {VALID_FROM}",
                    shown(),
                    known.line
                );
                self.refuse(place, message);
            }
        }
    }

    fn day(&mut self, column: &str, cell: &CsvCell, tags: &TagSchema) -> Option<Day> {
        if tags.is_absent(&cell.text) {
            return None;
        }
        let day = cell.text.parse().ok();
        if day.is_none() {
            let message = format!("'{}' in {column} is no day such as 2026-03-01", cell.text);
            self.refuse(cell.place, message);
        }
        day
    }

    fn refuse_account(&mut self, tags: &TagSchema, column: &str, spelled: &str, cell: &CsvCell) {
        if tags.canonical_key(column) == TEAM && Account::is_like(spelled) {
            let message = format!("'{}' {IS_AN_ACCOUNT}", cell.text.trim());
            self.refuse(cell.place, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::tag::TagRule;

    fn schema() -> Arc<TagSchema> {
        let team = TagRule { name: TEAM.into(), fold_values: true, ..TagRule::default() };
        Arc::new(TagSchema { rules: vec![team], absent: vec!["#n/a".into(), "-".into()] })
    }

    fn parsed(id: &str, text: &str, width: usize) -> Result<LookupTable, String> {
        let file = TextFile { id: id.into(), label: "t.csv".into(), text: text.into() };
        LookupTable::parse(file, width, schema()).map_err(|findings| {
            let first_line =
                |finding: &Diagnostic| finding.to_string().lines().next().map(str::to_owned);
            findings.iter().filter_map(first_line).collect::<Vec<_>>().join("\n")
        })
    }

    fn table(id: &str, text: &str, width: usize) -> LookupTable {
        parsed(id, text, width).unwrap_or_else(|findings| panic!("{findings}"))
    }

    fn cell(table: &LookupTable, key: &[&str], on: &str) -> Option<String> {
        table.cell(key, 0, on.parse().ok()).map(|cell| cell.to_string())
    }

    #[test]
    fn reads_quotes_comments_and_windows_line_ends() {
        let text = "\u{FEFF}account,owner,cost_center\r\n# the old ones\r\n111, payments ,CC-1\r\n\
                    \r\n\"2,2\",\"a \"\"b\"\"\nc\",\r\n";
        let table = table("accounts", text, 1);
        let cell = |key: &str, column| table.cell(&[key], column, None).map(|it| it.to_string());
        assert_eq!(cell("111", 0).as_deref(), Some("payments"));
        assert_eq!(cell(" 111 ", 1).as_deref(), Some("CC-1"));
        assert_eq!(cell("2,2", 0).as_deref(), Some("a \"b\"\nc"));
        assert_eq!(cell("2,2", 1), None);
        assert_eq!(cell("333", 0), None);
    }

    #[test]
    fn cells_of_teams_are_spelled_as_tags_are_and_others_only_trimmed() {
        let text = "account,team,owner\n A-1 ,\" Atlas \",\"Bo\"\nCafe\u{301},#N/A,-\n";
        let table = table("accounts", text, 1);
        let cell = |key: &str, column| table.cell(&[key], column, None).map(|it| it.to_string());
        assert_eq!(cell("A-1", 0).as_deref(), Some("atlas"));
        assert_eq!(cell("A-1", 1).as_deref(), Some("Bo"));
        assert_eq!(cell("a-1", 0), None);
        assert_eq!(cell("Caf\u{e9}", 0), None);
        assert!(table.row(&["Caf\u{e9}"], None).is_some());
    }

    #[test]
    fn the_table_of_teams_keeps_the_spelling_that_is_shown() {
        let table = table("teams", "name,cost_center\nAtlas,CC1\nboreas,CC2\n", 1);
        let written =
            |key: &str| table.row(&[key], None).map(|row| row.written().map(str::to_owned));
        assert_eq!(written("ATLAS"), Some(Some("Atlas".into())));
        assert_eq!(written("Boreas"), Some(None));
        assert_eq!(written("none"), None);
    }

    #[test]
    fn keys_of_two_columns_are_taken_together() {
        let text = "cluster,namespace,team\nprod,shop,Atlas\ntest,shop,boreas\nprod,pay,boreas\n";
        let table = table("namespaces", text, 2);
        assert_eq!(cell(&table, &["prod", "shop"], "2026-01-01").as_deref(), Some("atlas"));
        assert_eq!(cell(&table, &["test", "shop"], "2026-01-01").as_deref(), Some("boreas"));
        assert_eq!(cell(&table, &["test", "pay"], "2026-01-01"), None);
        assert_eq!(cell(&table, &["prod"], "2026-01-01"), None);
        assert_eq!(
            parsed("namespaces", "a,b,v\n1,2,x\n1,2,y\n", 2).err().as_deref(),
            Some("t.csv:3:1: R107: the key '1, 2' already stands on line 2")
        );
        assert_eq!(
            parsed("namespaces", "a,b\n1,2\n", 2).err().as_deref(),
            Some("t.csv:1:1: R107: the table needs its key columns and at least one value column")
        );
    }

    #[test]
    fn rows_hold_from_one_day_up_to_another() {
        let text = "account,valid_until,team,valid_from\n\
                    1,2026-03-01,atlas,-\n1,,boreas,2026-03-01\n2,2026-02-01,atlas,\n";
        let table = table("accounts", text, 1);
        for (key, on, expect) in [
            ("1", "2026-02-28", Some("atlas")),
            ("1", "2026-03-01", Some("boreas")),
            ("2", "2026-01-31", Some("atlas")),
            ("2", "2026-02-01", None),
        ] {
            assert_eq!(cell(&table, &[key], on).as_deref(), expect, "{key} on {on}");
        }
        let overlap = "a,team,valid_from,valid_until\n1,x,2026-01-01,2026-03-02\n\
                       1,y,2026-03-01,\n2,x,2026-03-01,2026-03-01\n3,x,March,\n";
        assert_eq!(
            parsed("accounts", overlap, 1).err().as_deref(),
            Some(
                "t.csv:3:1: R107: the key '1' holds on days on which line 2 holds as well; let one \
                 of them end with valid_until before the other begins with valid_from\n\
                 t.csv:4:1: R107: the row would end on 2026-03-01, before it starts on \
                 2026-03-01\nt.csv:5:5: R107: 'March' in valid_from is no day such as 2026-03-01"
            )
        );
    }

    #[test]
    fn no_team_is_named_like_an_account() {
        let text = "account,team,owner\n1, Unallocated ,unallocated\n2,pool/x,suspense\n";
        assert_eq!(
            parsed("accounts", text, 1).err().as_deref(),
            Some(
                "t.csv:2:3: R107: 'Unallocated' is the name of an account, so no team can have it\n\
                 t.csv:3:3: R107: 'pool/x' is the name of an account, so no team can have it"
            )
        );
        assert_eq!(
            parsed("teams", "name,cost_center\nsuspense,CC1\n", 1).err().as_deref(),
            Some("t.csv:2:1: R107: 'suspense' is the name of an account, so no team can have it")
        );
    }

    #[test]
    fn names_the_place_of_what_is_wrong() {
        let findings = |text: &str| parsed("t", text, 1).err().unwrap_or_default();
        assert_eq!(
            findings("k,v\na,1\n\"b\nb\",2\na,3\n"),
            "t.csv:5:1: R107: the key 'a' already stands on line 2"
        );
        assert_eq!(
            findings("team,v\nAtlas,1\nb,2\n atlas,3\n"),
            "t.csv:4:1: R107: the key 'atlas' already stands on line 2, as 'Atlas'"
        );
        assert_eq!(
            findings("k,v,w\na,1\n,2,3\nb,\"1,5\",2\nc,1,5,2,3\n"),
            "t.csv:2:3: R107: the row has 2 cells, the header has 3; after this cell, 'w' is \
             missing\n\
             t.csv:3:1: R107: the row has no key\n\
             t.csv:5:7: R107: the row has 5 cells, the header has 3; a cell with a comma in it \
             stands in quotes"
        );
        assert_eq!(
            findings(""),
            "t.csv:1: R107: the table is empty: it needs a header row such as `key,value`"
        );
        assert_eq!(findings("k,v\n\"a,1\n"), "t.csv:2:1: R107: a quoted cell does not end");
        assert_eq!(findings("k,v,v\n"), "t.csv:1:5: R107: two columns are named 'v'");
        assert_eq!(
            findings("k\n"),
            "t.csv:1:1: R107: the table needs a key column and at least one value column"
        );
        let many = format!("k,v\na,1\n{}", "a,2\n".repeat(1000));
        assert_eq!(findings(&many).lines().count(), FINDINGS_MAX);
    }
}
