//! SHA-256, as generations and rule versions are named by it.

use sha2::{Digest, Sha256};

/// The digest of a component, as [`crate::options::RuleOptions::allocators`] wants it.
pub fn of_bytes(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
