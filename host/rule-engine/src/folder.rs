//! Reads a rules folder from disk: rule files, tables, cases files.

use crate::code::RULES_UNREADABLE;
use crate::text_file::TextFile;
use domain::code::FILE_LOOP;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use std::fs;
use std::path::{Path, PathBuf};

/// Larger than any rule or table that people write, and small enough to be held in memory.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// All texts of a rules folder. Each list is ordered by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The path as findings show it.
    pub(crate) label: String,
    pub(crate) rules: Vec<TextFile>,
    pub(crate) tables: Vec<TextFile>,
    pub(crate) cases: Vec<TextFile>,
}

const RULE_ENDING: &str = ".rhai";
const CASES_ENDING: &str = ".cases.toml";
const TABLE_ENDING: &str = ".csv";
const TABLES: &str = "tables/";

/// Reads all files, or reports every file that cannot be read.
pub(crate) fn read(dir: &Path) -> Result<Folder, Vec<Diagnostic>> {
    let mut reader = Reader {
        folder: Folder { label: dir.display().to_string(), ..Folder::default() },
        findings: Vec::new(),
        above: Vec::new(),
    };
    reader.directory(dir, "");
    let Reader { mut folder, findings, .. } = reader;
    if !findings.is_empty() {
        return Err(findings);
    }
    for list in [&mut folder.rules, &mut folder.tables, &mut folder.cases] {
        list.sort_by(|left, right| left.id.cmp(&right.id));
    }
    Ok(folder)
}

struct Reader {
    folder: Folder,
    findings: Vec<Diagnostic>,
    /// Real paths of the folders above. A folder that is one of them contains itself.
    above: Vec<PathBuf>,
}

impl Reader {
    fn directory(&mut self, dir: &Path, prefix: &str) {
        let real = match fs::canonicalize(dir) {
            Ok(real) => real,
            Err(error) => {
                return self.refuse(
                    dir,
                    &format!("cannot be opened: {error}"),
                    absent(dir, &error),
                );
            }
        };
        if self.above.contains(&real) {
            let message = "the folder contains itself through a link";
            self.findings.push(
                Diagnostic::new(FILE_LOOP, message)
                    .at(dir.display().to_string(), 0, 0)
                    .hint(format!("rm {}", dir.display())),
            );
            return;
        }
        let mut entries = match fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                return self.refuse(dir, &format!("cannot be listed: {error}"), looked_at(dir));
            }
        };
        // The file system's order is not the same everywhere, and findings must be.
        entries.sort_by_key(fs::DirEntry::file_name);
        self.above.push(real);
        for entry in entries {
            self.entry(&entry.path(), prefix);
        }
        self.above.pop();
    }

    fn entry(&mut self, path: &Path, prefix: &str) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return self.refuse(
                path,
                "the name is not UTF-8",
                Hint::text("give it a name in UTF-8"),
            );
        };
        // Such as the swap files of editors.
        if name.starts_with('.') {
            return;
        }
        let inside = format!("{prefix}{name}");
        if path.is_dir() {
            return self.directory(path, &format!("{inside}/"));
        }
        let is_table = inside.starts_with(TABLES);
        if let Some(id) = inside.strip_suffix(CASES_ENDING) {
            self.file(path, id, |folder| &mut folder.cases);
        } else if let Some(id) = inside.strip_suffix(RULE_ENDING) {
            self.file(path, id, |folder| &mut folder.rules);
        } else if let Some(id) = inside
            .strip_suffix(TABLE_ENDING)
            .and_then(|id| id.strip_prefix(TABLES))
            .filter(|_| is_table)
        {
            self.file(path, id, |folder| &mut folder.tables);
        }
    }

    fn file(&mut self, path: &Path, id: &str, list: impl Fn(&mut Folder) -> &mut Vec<TextFile>) {
        match fs::metadata(path) {
            Ok(facts) if facts.len() > FILE_BYTES_MAX => {
                let message = format!("is larger than {} MiB", FILE_BYTES_MAX >> 20);
                return self.refuse(path, &message, Hint::text("split it into several files"));
            }
            Ok(_) => {}
            Err(error) => {
                return self.refuse(path, &format!("cannot be read: {error}"), looked_at(path));
            }
        }
        match fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => list(&mut self.folder).push(TextFile {
                id: id.to_owned(),
                label: path.display().to_string(),
                text,
            }),
            Ok(Err(_)) => self.refuse(path, "is not UTF-8 text", Hint::text("save it as UTF-8")),
            Err(error) => {
                self.refuse(path, &format!("cannot be read: {error}"), looked_at(path));
            }
        }
    }

    fn refuse(&mut self, path: &Path, what: &str, hint: Hint) {
        let finding = Diagnostic::new(RULES_UNREADABLE, what);
        self.findings.push(finding.at(path.display().to_string(), 0, 0).hint(hint));
    }
}

fn looked_at(path: &Path) -> Hint {
    Hint::text(format!("check with `ls -l {}`", path.display()))
}

/// The hint for a folder that cannot be opened.
fn absent(dir: &Path, error: &std::io::Error) -> Hint {
    if error.kind() != std::io::ErrorKind::NotFound {
        return looked_at(dir);
    }
    Hint::text("name the folder of the rules in apportion.toml, such as ")
        .then(Hint::setting("rules = \"rules\""))
        .then(", or begin anew: ")
        .then(Hint::command("rule new direct/team --owner finops@example.com"))
}
