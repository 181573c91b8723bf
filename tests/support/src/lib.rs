//! The tests' stand-ins, once for all crates: fakes of the ports, and servers to ask.
//!
//! A test that needs a file or a program beside the checkout belongs to the tier `test-outside`
//! (`host/cli/tests/outside.rs`). It finds them through `outside`, and fails if they are missing.

pub mod fakes;
#[cfg(feature = "servers")]
pub mod outside;
#[cfg(feature = "servers")]
pub mod server {
    //! Servers for tests, in this process or started by scripts.

    pub mod counterpart;
    pub mod forward;
    pub mod http;
    pub mod web;
}
#[cfg(feature = "servers")]
pub mod toolchain;
