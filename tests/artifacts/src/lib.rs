//! The components that the tests of the plugin host run: each misbehaves in one way, or behaves well in one form.

include!(concat!(env!("OUT_DIR"), "/artifacts.rs"));
