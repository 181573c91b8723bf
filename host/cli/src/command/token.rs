//! The token with which clients of `serve` can change something: a file that only its owner can
//! read.

use crate::code;
use domain::diagnostic::Diagnostic;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const TOKEN_BYTES: usize = 32;
/// Shorter ones can be guessed.
const TOKEN_CHARS_MIN: usize = 32;

/// The token of the file, which is made if it is not there.
pub fn token(path: &Path) -> Result<String, Diagnostic> {
    let refuse = |why: String| {
        Diagnostic::new(code::TOKEN_FILE, format!("the token file {} {why}", path.display()))
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return made(path).map_err(|error| {
                refuse(format!("cannot be made: {error}"))
                    .hint("name a file in a folder that is yours")
            });
        }
        Err(error) => {
            return Err(refuse(format!("cannot be read: {error}"))
                .hint(format!("check with `ls -l {}`", path.display())));
        }
    };
    let mode = fs::metadata(path)
        .map_err(|error| refuse(format!("cannot be looked at: {error}")))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(
            refuse("can be read by others".into()).hint(format!("chmod 600 {}", path.display()))
        );
    }
    let token = text.trim();
    if token.len() < TOKEN_CHARS_MIN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refuse(format!(
            "holds no token: at least {TOKEN_CHARS_MIN} letters, digits or signs"
        ))
        .hint("remove the file, and `serve` makes one"));
    }
    Ok(token.to_owned())
}

fn made(path: &Path) -> std::io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    // Half a token would be refused at every later start.
    writeln!(file, "{token}").and_then(|()| file.sync_all()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })?;
    Ok(token)
}
