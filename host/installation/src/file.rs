//! Files: paths of the settings, and files that are written on request.

use domain::diagnostic::Diagnostic;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes one file, and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let refused = |error: std::io::Error| unwritable(path, &error);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(refused)?;
    }
    fs::write(path, text).map_err(refused)
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
