//! The components of the test plugins. Each misbehaves in one way, or behaves well in one form.

include!(concat!(env!("OUT_DIR"), "/artifacts.rs"));
