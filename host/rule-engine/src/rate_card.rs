//! `rate_card`, as scripts write it: usage at a price.

use crate::arguments::{Arguments, scaled, word};
use crate::decision::{Refusal, kind, recipient, refuse};
use crate::drivers::{TableCheck, usage_driver};
use domain::decision::Decision;
use domain::driver::Driver;
use domain::driver::facts::Window;
use domain::driver::rate_card::{Price, RateCard, UnitPrice};
use domain::money::Currency;
use domain::spread::Spread;
use domain::usage::Quantity;
use rhai::{Array, Dynamic};

const PRICE_OPTIONS: &[&str] =
    &["remainder", "currency", "key", "table", "recipients", "unknown", "window"];

/// A price for each unit of usage, or a list of tiers `[[upto, price], [(), price]]`.
pub(crate) fn rate_card(
    metric: &str,
    price: &Dynamic,
    arguments: &[Dynamic],
    tables: &TableCheck<'_>,
) -> Result<Decision, Refusal> {
    let arguments = Arguments::read("rate_card", arguments, PRICE_OPTIONS)?;
    let usage = usage_driver("rate_card", metric, &arguments, tables)?;
    let remainder = match arguments.options.get("remainder") {
        Some(value) => recipient("rate_card", value)?,
        None => {
            return Err(refuse(
                "`rate_card` needs the option remainder: who bears what the prices leave of the \
                 cost",
            ));
        }
    };
    if matches!(usage.query.window, Window::Days(2..)) {
        return Err(refuse(
            "`rate_card`: a window of some days moves with the day, so the same usage would be \
             charged on each of them: window is \"day\", \"week\" or \"month\"",
        ));
    }
    let currency = word("rate_card", &arguments.options, "currency")?;
    let currency = match &currency {
        None => None,
        Some(code) => Some(Currency::parse(code.as_bytes()).map_err(|_| {
            refuse(format!("`rate_card`: currency is a code such as \"USD\", not \"{code}\""))
        })?),
    };
    let currency = currency.map(|currency| currency.code().to_owned());
    let card = RateCard { usage, prices: prices(price)?, remainder, currency };
    Ok(Decision::from(Spread::new(Driver::RateCard(card))))
}

fn prices(value: &Dynamic) -> Result<Vec<Price>, Refusal> {
    let Some(tiers) = value.read_lock::<Array>() else {
        return Ok(vec![Price { upto: None, price: unit_price(value)? }]);
    };
    let mut prices: Vec<Price> = Vec::new();
    for tier in tiers.iter() {
        let wrong = || {
            refuse(format!(
                "`rate_card` takes a price or pairs such as [1000, 0.05], not {}",
                kind(tier)
            ))
        };
        let Some(pair) = tier.read_lock::<Array>().filter(|pair| pair.len() == 2) else {
            return Err(wrong());
        };
        let upto = if pair[0].is_unit() {
            None
        } else {
            Some(Quantity(scaled("rate_card", &pair[0], 9)?))
        };
        let ordered = match (prices.last().map(|price| price.upto), upto) {
            (None, _) => true,
            (Some(None), _) => false,
            (Some(Some(before)), Some(upto)) => upto > before,
            (Some(Some(_)), None) => true,
        };
        if !ordered {
            return Err(refuse(
                "`rate_card`: the tiers must rise, and only the last can be without an end",
            ));
        }
        prices.push(Price { upto, price: unit_price(&pair[1])? });
    }
    match prices.last() {
        Some(Price { upto: None, .. }) => Ok(prices),
        _ => Err(refuse("`rate_card` needs a last tier without an end, [(), price]")),
    }
}

fn unit_price(value: &Dynamic) -> Result<UnitPrice, Refusal> {
    scaled("rate_card", value, 18).map(UnitPrice)
}
