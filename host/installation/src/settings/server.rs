//! `[server]`: where `serve` listens.

use super::section::section;
use super::setting::{Setting, SettingFault, SettingValue};
use serde_json::{Value, json};
use std::net::SocketAddr;

pub const LISTEN: &str = "127.0.0.1:8080";

section! {
    /// Where `serve` listens.
    pub struct Server {
        /// Loopback address and port of `serve`.
        pub listen: Setting<SocketAddr> = Setting::default_of(listen_default()),
    }
}

fn listen_default() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

impl SettingValue for SocketAddr {
    type Written = String;

    fn read(written: String) -> (SocketAddr, Vec<SettingFault>) {
        match written.parse() {
            Ok(address) => (address, Vec::new()),
            Err(_) => {
                let message = format!("'{written}' is not an address with a port");
                let hint = format!("write `listen = \"{}\"`", LISTEN);
                (listen_default(), vec![SettingFault::new(message, hint)])
            }
        }
    }

    fn shown(&self) -> Value {
        self.to_string().into()
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}
