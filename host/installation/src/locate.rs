//! Turns the paths of a source — files, folders, patterns, URLs of stores — into the tables that
//! its plugin is granted.

use crate::clients::store::files;
use crate::settings::Settings;
use crate::settings::source::SourceSettings;
use crate::unread::{ENDINGS, unread};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use plugin_host::{Grants, Power};
use reach::object_store::{LocalFile, SourceFiles, SourcePath, is_url};
use reach::toml_table;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The tables and files at the paths of a source.
pub struct SourceTables {
    /// Every table once, in the order of the paths and by name within each.
    pub tables: Vec<GrantedTable>,
    /// All files, where the plugin or a store needs more than the tables.
    pub files: Option<Arc<SourceFiles>>,
    /// Says which files of its folders are not read, and why.
    pub unread: Option<String>,
}

/// Finds local files, and lists the objects of stores.
pub fn locate(
    settings: &Settings,
    source: &SourceSettings,
    granted: &Grants,
) -> Result<SourceTables, Diagnostic> {
    let mut finder = Finder::new(&source.name);
    let mut places = Vec::new();
    for written in &source.paths.value {
        if is_url(written) {
            places.push(SourcePath::Url(written.clone()));
        } else {
            finder.path(&settings.path(written))?;
            places.push(SourcePath::Local(
                std::mem::take(&mut finder.files)
                    .into_iter()
                    .map(|file| file.named(&settings.root))
                    .collect(),
            ));
        }
    }
    let in_store = places
        .iter()
        .find_map(|place| if let SourcePath::Url(url) = place { Some(url.clone()) } else { None });
    if let Some(url) = &in_store {
        granted
            .expect(Power::ObjectStore, &format!("{url}, which source '{}' reads,", source.name))?;
    }
    if in_store.is_none() && !granted.has(Power::File) {
        let local = places.into_iter().flat_map(|place| {
            if let SourcePath::Local(files) = place { files } else { Vec::new() }
        });
        let files = SourceFiles::of_this_machine(&source.name, local.collect());
        return Ok(SourceTables {
            tables: tables(source, &files),
            files: None,
            unread: unread(files.others(), false),
        });
    }
    let store = source.store.clone().unwrap_or_default();
    let files = files(&settings.root, &source.name, &store, places, is_bill)?;
    Ok(SourceTables {
        tables: tables(source, &files),
        unread: unread(files.others(), granted.has(Power::File)),
        files: Some(Arc::new(files)),
    })
}

fn tables(source: &SourceSettings, files: &SourceFiles) -> Vec<GrantedTable> {
    let form = source.text_form();
    let found = files.tables().into_iter();
    found.map(|found| GrantedTable { name: found.name, path: found.path, form }).collect()
}

/// Paths below the settings file's folder are shown from there.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

struct FoundFile {
    path: PathBuf,
    is_table: bool,
    inside: Option<PathBuf>,
}

impl FoundFile {
    fn named(self, root: &Path) -> LocalFile {
        LocalFile {
            name: shown(root, &self.path),
            path: self.path,
            is_table: self.is_table,
            inside: self.inside,
        }
    }
}

struct Finder<'a> {
    source: &'a str,
    /// The files at the path at hand.
    files: Vec<FoundFile>,
    /// Whether a table is among it.
    any: bool,
    /// The real path of the file or folder that the operator named. A plugin that reads files
    /// itself stays inside.
    root: PathBuf,
    /// Real paths, so that a file found twice is read once.
    seen: HashSet<PathBuf>,
    /// Real paths of the folders that lead here: meeting one again is a loop.
    above: Vec<PathBuf>,
}

impl Finder<'_> {
    fn new(source: &str) -> Finder<'_> {
        Finder {
            source,
            files: Vec::new(),
            any: false,
            root: PathBuf::new(),
            seen: HashSet::new(),
            above: Vec::new(),
        }
    }

    fn path(&mut self, path: &Path) -> Result<(), Diagnostic> {
        self.any = false;
        self.root = real(named_part(path));
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() => self.folder(path)?,
            Ok(_) => self.file(path, true)?,
            Err(error) if is_absent(&error) && is_pattern(path) => self.pattern(path)?,
            Err(error) if is_absent(&error) => return Err(self.nothing(path)),
            Err(error) => return Err(unreadable(path, &error)),
        }
        if self.any { Ok(()) } else { Err(self.nothing(path)) }
    }

    fn pattern(&mut self, path: &Path) -> Result<(), Diagnostic> {
        let Some(pattern) = path.to_str() else { return Err(self.nothing(path)) };
        let found = glob::glob(pattern).map_err(|error| {
            Diagnostic::new(
                domain::code::CONFIG_VALUE,
                format!(
                    "the source '{}' has a pattern that cannot be read: {pattern}: {}",
                    self.source, error.msg
                ),
            )
            .hint("use * for any characters, ? for one, ** for folders, [abc] for one of some")
        })?;
        for path in found {
            let path = path.map_err(|error| unreadable(error.path(), error.error()))?;
            if path.is_dir() { self.folder(&path)? } else { self.file(&path, true)? }
        }
        Ok(())
    }

    fn folder(&mut self, dir: &Path) -> Result<(), Diagnostic> {
        let real = fs::canonicalize(dir).map_err(|error| unreadable(dir, &error))?;
        if self.above.contains(&real) {
            let message = format!(
                "the folder {} contains itself through a link, so the source '{}' would never end",
                dir.display(),
                self.source
            );
            return Err(Diagnostic::new(domain::code::FILE_LOOP, message)
                .hint(format!("remove the link: `rm {}`", dir.display())));
        }
        let entries = fs::read_dir(dir)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| unreadable(dir, &error))?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        self.above.push(real);
        for path in paths {
            let is_bill = is_bill(&path.to_string_lossy());
            match fs::metadata(&path) {
                Ok(facts) if facts.is_dir() => self.folder(&path)?,
                // Editors leave links that lead nowhere, such as `.#bill.csv`.
                Err(error) if is_bill => return Err(unreadable(&path, &error)),
                Ok(_) | Err(_) => self.file(&path, is_bill)?,
            }
        }
        self.above.pop();
        Ok(())
    }

    fn file(&mut self, path: &Path, is_table: bool) -> Result<(), Diagnostic> {
        if let Err(error) = open_file(path) {
            return if is_table { Err(unreadable(path, &error)) } else { Ok(()) };
        }
        if !is_table && is_hidden(path) {
            return Ok(());
        }
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        self.any |= is_table;
        if self.seen.insert(real.clone()) {
            let inside = Some(real).filter(|real| real.starts_with(&self.root));
            self.files.push(FoundFile { path: path.to_path_buf(), is_table, inside });
        }
        Ok(())
    }

    fn nothing(&self, path: &Path) -> Diagnostic {
        let message = format!("the source '{}' finds no file at {}", self.source, path.display());
        Diagnostic::new(decode::code::FILE_NOT_FOUND, message).hint(format!(
            "put the bill there, or change `paths` of {}; in folders only {} count",
            toml_table::header(&["sources", self.source]),
            ENDINGS.map(|ending| format!("*{ending}")).join(", ")
        ))
    }
}

/// Opens nothing but files: opening a named pipe waits for a writer, who may never come.
fn open_file(path: &Path) -> io::Result<fs::File> {
    if fs::metadata(path)?.is_file() {
        return fs::File::open(path);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "it is a pipe, a socket or a device, not a file",
    ))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// The part of a path before its first pattern.
fn named_part(path: &Path) -> &Path {
    let mut part = path;
    while is_pattern(part) && !part.exists() {
        part = part.parent().unwrap_or(Path::new(""));
    }
    part
}

fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// By the name of a file, or the key of an object.
fn is_bill(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    // A chain of links that never ends is a loop as well. A link to a device has an end.
    let has_end = fs::metadata(path).is_ok()
        || is_absent(error)
        || error.kind() == io::ErrorKind::PermissionDenied;
    if path.is_symlink() && !has_end {
        return Diagnostic::new(
            domain::code::FILE_LOOP,
            format!("{} is a link to itself", path.display()),
        )
        .hint(format!("remove the link: `rm {}`", path.display()));
    }
    Diagnostic::new(
        decode::code::FILE_UNREADABLE,
        format!("{} cannot be read: {error}", path.display()),
    )
    .hint(format!("check with `ls -l {}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Need, SettingsPlace};
    use std::os::unix::fs::symlink;

    fn find(root: &Path, written: &[&str]) -> Result<Vec<String>, String> {
        let mut finder = Finder::new("aws");
        for path in written {
            finder.path(&root.join(path)).map_err(|finding| finding.code.to_string())?;
        }
        Ok(finder
            .files
            .iter()
            .filter(|file| file.is_table)
            .map(|file| shown(root, &file.path))
            .collect())
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(dir.path()))
                .unwrap_or_else(|error| panic!("{error}"));
            fs::write(path, "x").unwrap_or_else(|error| panic!("{error}"));
        }
        dir
    }

    #[test]
    fn files_folders_and_patterns_are_found_once_and_in_order() {
        let dir = folder(&[
            "b/z.csv",
            "b/a/y.CSV.GZ",
            "b/readme.txt",
            "b/.hidden.csv",
            "c/1.parquet",
            "c/2.txt",
            "e/Part.CSV.ZIP",
            "e/other.zip",
            "odd[1].csv",
        ]);
        let find = |written: &[&str]| find(dir.path(), written);
        assert_eq!(find(&["b"]), Ok(vec!["b/a/y.CSV.GZ".into(), "b/z.csv".into()]));
        assert_eq!(find(&["b/z.csv", "b"]), Ok(vec!["b/z.csv".into(), "b/a/y.CSV.GZ".into()]));
        assert_eq!(find(&["c/*"]), Ok(vec!["c/1.parquet".into(), "c/2.txt".into()]));
        assert_eq!(find(&["**/*.csv", "b/z.csv", "b/*.csv"]).map(|files| files.len()), Ok(3));
        assert_eq!(find(&["e"]), Ok(vec!["e/Part.CSV.ZIP".into()]));
        assert_eq!(find(&["odd[1].csv"]), Ok(vec!["odd[1].csv".into()]));
    }

    #[test]
    fn a_source_takes_the_bills_of_its_folder_and_names_the_rest() {
        let dir = folder(&[
            "in/a.csv",
            "in/b.csv.zip",
            "in/part-00000",
            "in/y.pq",
            "in/.~lock.a.csv#",
            "in/metadata/m.json",
        ]);
        fs::write(dir.path().join("in/_SUCCESS"), "").unwrap_or_else(|error| panic!("{error}"));
        let found = |power: &str| {
            let text = format!(
                "[sources.a]\nplugin = 'focus-file'\npaths = ['in']\ngrants = ['{power}']\n\
                 skip_lines = 3\n"
            );
            let config = dir.path().join("apportion.toml");
            fs::write(&config, text).unwrap_or_else(|error| panic!("{error}"));
            let place = SettingsPlace { config: Some(config), ledger: None };
            let settings =
                Settings::load(&place, Need::File).unwrap_or_else(|refused| panic!("{refused:?}"));
            let source = settings.source("a").expect("a source");
            let grants = Grants::new("a", source.grants.value.names()).expect("powers");
            locate(&settings, source, &grants).unwrap_or_else(|finding| panic!("{finding}"))
        };
        let counting =
            "not read, since in folders only *.csv, *.csv.gz, *.csv.zip, *.parquet count";
        for (power, expect) in [
            ("table-decode", "3 files are NOT: in/metadata/m.json, in/part-00000, in/y.pq; "),
            ("file", "2 files are NOT: in/part-00000, in/y.pq; "),
        ] {
            let tables = found(power);
            let named: Vec<(&str, u32)> = (tables.tables.iter())
                .map(|table| (table.name.as_str(), table.form.skip_lines))
                .collect();
            assert_eq!(named, [("in/a.csv", 3), ("in/b.csv.zip", 3)]);
            let unread = tables.unread.unwrap_or_default();
            assert!(unread.starts_with(&expect.replace("NOT", counting)), "{unread}");
        }
    }

    #[test]
    fn nothing_found_is_an_error_and_so_is_a_loop() {
        let dir = folder(&["b/readme.txt", "d/x.csv"]);
        assert_eq!(find(dir.path(), &["b"]), Err("F101".into()));
        assert_eq!(find(dir.path(), &["none.csv"]), Err("F101".into()));
        assert_eq!(find(dir.path(), &["d/*.parquet"]), Err("F101".into()));
        symlink(dir.path().join("d"), dir.path().join("d/again"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(find(dir.path(), &["d"]), Err("F103".into()));
        symlink(dir.path().join("self.csv"), dir.path().join("self.csv"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(find(dir.path(), &["self.csv"]), Err("F103".into()));
    }
}
