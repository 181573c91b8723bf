//! The power to list and read the files of the source. Ask for it as `file` in the manifest.

use crate::Error;
pub use crate::bindings::collector::apportion::plugin::file::Entry;

/// Bytes that are asked for at once.
const PIECE: u32 = 4 << 20;

/// The files of the source, in a fixed order.
pub fn entries() -> Result<Vec<Entry>, Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::file::entries();
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::granted_files(|files| {
        Ok(files
            .iter()
            .map(|(name, bytes)| Entry {
                name: name.clone(),
                size: bytes.len() as u64,
                modified: None,
            })
            .collect())
    })
}

/// Up to `length` bytes from `offset`; fewer at the end.
pub fn read(name: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::collector::apportion::plugin::file::read(name, offset, length);
    #[cfg(not(target_family = "wasm"))]
    crate::fixture::granted_files(|files| {
        let found = files.iter().find(|(known, _)| known == name);
        let (_, bytes) =
            found.ok_or_else(|| Error::config(format!("there is no file '{name}'")))?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length as usize).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    })
}

/// The whole of a file that is no longer than `bytes_max`.
pub fn read_all(name: &str, bytes_max: u64) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::new();
    loop {
        let piece = read(name, whole.len() as u64, PIECE)?;
        if piece.is_empty() {
            return Ok(whole);
        }
        whole.extend_from_slice(&piece);
        if whole.len() as u64 > bytes_max {
            return Err(Error::config(format!("'{name}' is longer than {bytes_max} bytes")));
        }
    }
}
