//! What collectors that map granted tables share: headers found as real files write them, settings read strictly.

pub mod charges;
mod field;
mod header;
mod setting;
mod spelling;

pub use field::{FEDS, Fed, NEEDED};
pub use header::{find, has, named};
pub use setting::{date_order, flag, object, skips, text, texts, texts_by_key, unknown, word};
pub use spelling::closest;
