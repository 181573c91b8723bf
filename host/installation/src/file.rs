//! Files: paths of the settings, and files that are written on request.

use domain::diagnostic::Diagnostic;
use plugin_host::whole_file;
use std::path::{Path, PathBuf};

/// Writes one file whole or not at all, and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), Diagnostic> {
    write_all(&[(path, text)])
}

/// Writes all files or none of them.
pub fn write_all(files: &[(&Path, &str)]) -> Result<(), Diagnostic> {
    let files: Vec<(&Path, &[u8])> =
        files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    whole_file::write_all(&files).map_err(|file| unwritable(&file.path, &file.error))
}

/// The finding for a file or folder that cannot be made or changed.
pub fn unwritable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(
        decode::code::FILE_UNREADABLE,
        format!("{} cannot be written: {error}", path.display()),
    )
    .hint("check the folder's permissions and free space, or choose another folder")
}

/// A relative path is relative to the settings file's folder.
pub fn in_root(root: &Path, written: &Path) -> PathBuf {
    if root == Path::new(".") { written.to_path_buf() } else { root.join(written) }
}
