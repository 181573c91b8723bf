//! What collectors that map granted tables share: headers found as real files write them, settings read strictly.

mod header;
mod setting;
mod spelling;

pub use header::{find, has, named};
pub use setting::{date_order, object, skips, text, texts, texts_by_key, unknown};
pub use spelling::closest;
