//! Sources and servers that tests of two binaries use: `collectors` and `outside`.

pub mod asking;
pub mod aws;
pub mod azure;
pub mod credentials;
pub mod gcp;
pub mod opencost;
pub mod saas;
pub mod stores;
