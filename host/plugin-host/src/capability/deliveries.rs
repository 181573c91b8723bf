//! Deliveries that a source has found. Every plugin may report them.

use super::State;
use crate::printable::printable;
use crate::wit::bindings::{deliveries as wit, types};
use domain::period::Day;
use domain::port::Delivery;

/// The most deliveries of one collection. An export of five years that ran twice a day has fewer.
const FOUND_MAX: usize = 4_000;

/// The deliveries since the last page.
#[derive(Debug, Default)]
pub struct DeliveryReport {
    found: Vec<Delivery>,
    count: usize,
}

impl DeliveryReport {
    pub fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.found)
    }
}

/// The first day of a billing period as a guest wrote it. `what` has the period.
pub fn billing_period(what: &str, text: Option<&str>) -> Result<Option<Day>, String> {
    let day = |text: &str| text.parse::<Day>();
    text.map(day).transpose().map_err(|error| {
        printable(&format!("{what} has a billing period that is no date: {error}"))
    })
}

fn delivery(said: &wit::Delivery) -> Result<Delivery, String> {
    if said.name.trim().is_empty() {
        return Err("it found a delivery without a name".into());
    }
    if said.left_out.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(printable(&format!("it leaves out '{}' without a reason", said.name)));
    }
    let what = format!("the delivery '{}'", said.name);
    Ok(Delivery {
        name: printable(&said.name),
        billing_period: billing_period(&what, said.billing_period.as_deref())?,
        left_out: said.left_out.as_deref().map(printable),
    })
}

impl wit::Host for State {
    fn found(&mut self, said: wit::Delivery) -> wasmtime::Result<Result<(), types::Error>> {
        self.count_call()?;
        self.deliveries.count += 1;
        if self.deliveries.count > FOUND_MAX {
            return Ok(Err(types::Error::Bug(format!(
                "it found more than {FOUND_MAX} deliveries"
            ))));
        }
        Ok(match delivery(&said) {
            Ok(delivery) => {
                self.deliveries.found.push(delivery);
                Ok(())
            }
            Err(reason) => Err(types::Error::Bug(reason)),
        })
    }
}
