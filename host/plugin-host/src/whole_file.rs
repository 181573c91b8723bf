//! Files that are written whole or not at all: beside their place, then named.
//!
//! A full disk, a limit or a kill leaves what was there before. It stands in this crate because
//! installed plugins are the files that matter most; all others are written by it as well.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that could not be written, and why.
#[derive(Debug)]
pub struct UnwrittenFile {
    pub path: PathBuf,
    pub error: io::Error,
}

/// Writes one file, and the folders above it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), UnwrittenFile> {
    write_all(&[(path, bytes)])
}

/// Writes all files or none: the last one lies on the disk before the first one gets its name.
pub fn write_all(files: &[(&Path, &[u8])]) -> Result<(), UnwrittenFile> {
    let mut staged = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        staged.push(StagedFile::new(path, bytes).map_err(|error| unwritten(path, error))?);
    }
    let mut placed: Vec<PathBuf> = Vec::new();
    for file in &mut staged {
        let is_new = !file.path.exists();
        if let Err(error) = file.place() {
            placed.iter().for_each(|path| drop(fs::remove_file(path)));
            return Err(unwritten(&file.path, error));
        }
        if is_new {
            placed.push(file.path.clone());
        }
    }
    Ok(())
}

fn unwritten(path: &Path, error: io::Error) -> UnwrittenFile {
    UnwrittenFile { path: path.to_owned(), error }
}

/// A file beside its place. Unless it is placed, it is removed.
struct StagedFile {
    path: PathBuf,
    beside: Option<PathBuf>,
}

impl StagedFile {
    fn new(path: &Path, bytes: &[u8]) -> io::Result<StagedFile> {
        // The file behind a link is written, and not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let there = fs::metadata(&path).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            // A pipe or a device has no name to give away. A folder refuses.
            File::options().write(true).open(&path)?.write_all(bytes)?;
            return Ok(StagedFile { path, beside: None });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Hidden: readers of folders pass it over.
        let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
        let staged = StagedFile { path, beside: Some(beside.clone()) };
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        if let Some(there) = there {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()?;
        Ok(staged)
    }

    fn place(&mut self) -> io::Result<()> {
        if let Some(beside) = &self.beside {
            fs::rename(beside, &self.path)?;
            self.beside = None;
        }
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_takes_the_place_of_another_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in/a.txt");
        write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(&folder.path().join("in")), ["a.txt"]);
    }

    #[test]
    fn the_file_behind_a_link_is_written_and_a_device_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "one").unwrap();
        symlink(&real, &link).unwrap();
        write(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"two");
        write(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good"), folder.path().join("folder"));
        fs::create_dir(&bad).unwrap();
        let refused = write_all(&[(&good, b"x"), (&bad, b"y")]).unwrap_err();
        assert_eq!(refused.path, bad);
        assert_eq!(names(folder.path()), ["folder"]);
    }
}
