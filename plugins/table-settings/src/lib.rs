//! Shared by collectors: settings read strictly, headers of tables as real files spell them, and
//! servers with their credentials.

pub mod charges;
pub mod deliveries;
mod field;
mod format;
mod header;
mod server;
mod setting;
mod spelling;

pub use field::{FEED_COLUMNS, FeedColumn, NEEDED};
pub use format::naming_the_plugin;
pub use header::{find, find_spelled, has, named};
pub use server::Server;
pub use setting::{
    date_order, flag, known, object, settings, skips, text, texts, texts_by_key, unknown, word,
};
pub use spelling::closest;
