//! Imports an interface that no host has.

use apportion_plugin_sdk::{Batch, Collector, Error, Manifest, Request, register_collector};

mod rogue {
    wit_bindgen::generate!({
        inline: "
            package rogue:net@1.0.0;
            interface http { fetch: func(url: string) -> string; }
            world client { import http; }
        ",
    });
}

struct Guest;

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("asks-for-network")
    }

    fn open(_: Request) -> Result<Guest, Error> {
        Err(Error::Bug(rogue::rogue::net::http::fetch("https://example.com/?secret")))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        Ok(None)
    }
}

register_collector!(Guest);
