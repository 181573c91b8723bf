//! `rate_card`: usage at a price, and somebody for the rest.
//!
//! A rule can decide otherwise for each charge, and then several pools would price the same usage.
//! It is charged once: each pool charges its portion of the price.

use super::facts::{CostQuestion, Facts, MetricWindow, Pool, PricedUsage};
use super::method::{DriverAnswer, DriverMethod, RecipientWeights, add_amount, team_names};
use super::usage::UsageDriver;
use crate::code::AMOUNT_TOO_LARGE;
use crate::diagnostic::Diagnostic;
use crate::money::Sum;
use crate::recipient::Recipient;
use crate::usage::Quantity;
use exact::decimal::{Decimal, shortest};

/// Quantities and amounts have 9 decimals, and prices 18.
const NANO_PLACES: u32 = 9;
const PRICE_PLACES: u32 = 18;

/// Usage at a price. The rest of the pool goes to `remainder`; it is negative where the prices take
/// more than there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RateCard {
    pub usage: UsageDriver,
    pub prices: Vec<Price>,
    pub remainder: Recipient,
    /// Of the prices, as a code such as USD. Charges in any other go to the remainder.
    pub currency: Option<String>,
}

/// A unit price, for usage up to a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Price {
    pub upto: Option<Quantity>,
    pub price: UnitPrice,
}

/// In 10⁻¹⁸ of the currency's unit for each whole unit of usage: a byte costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitPrice(pub i128);

impl Price {
    fn describe(&self) -> String {
        let amount = shortest(self.price.0, PRICE_PLACES as usize);
        match self.upto {
            Some(upto) => format!("{amount} up to {}", upto.plain()),
            None => amount,
        }
    }
}

impl RateCard {
    fn priced_too_high(
        &self,
        pool: &Pool,
        (recipient, quantity): (&Recipient, Quantity),
        priced: &Decimal,
    ) -> Diagnostic {
        let message = format!(
            "{} charges {} {priced} for {} of {} at {}, and the ledger holds at most {}",
            pool.rule,
            recipient.describe(),
            quantity.plain(),
            self.usage.query.metric,
            self.prices_text(),
            Sum::POSTED_MAX.plain()
        );
        refused(message)
    }

    fn leaves_too_much(&self, pool: &Pool, rest: Sum) -> Diagnostic {
        let message = format!(
            "{} prices {} at {}, which leaves {} of {} to {}, and the ledger holds at most {}",
            pool.rule,
            self.usage.query.metric,
            self.prices_text(),
            rest.plain(),
            pool.total.plain(),
            self.remainder.describe(),
            Sum::POSTED_MAX.plain()
        );
        refused(message)
    }

    fn prices_text(&self) -> String {
        let prices: Vec<String> = self.prices.iter().map(Price::describe).collect();
        let currency = self.currency.as_ref().map(|currency| format!(" {currency}"));
        prices.join(", ") + &currency.unwrap_or_default()
    }
}

impl DriverMethod for RateCard {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let mut amounts = RecipientWeights::new();
        let mut rest = pool.total;
        if self.currency.as_ref().is_some_and(|currency| currency != facts.currency()) {
            add_amount(&mut amounts, &self.remainder, rest.nanos());
            return Ok(DriverAnswer::Amounts { amounts, rest: self.remainder.clone() });
        }
        let Some(used) = self.usage.by_recipient(facts) else {
            return Ok(DriverAnswer::Weights(amounts));
        };
        for (recipient, quantity) in used {
            let priced = price_of(quantity, &self.prices);
            let amount = priced.rounded(NANO_PLACES).0.map(Sum::from_nanos);
            let Some(amount) = amount.filter(|amount| amount.can_be_posted()) else {
                return Err(self.priced_too_high(pool, (&recipient, quantity), &priced));
            };
            let portion = Sum::from_nanos(pool.part.of(amount.nanos()));
            rest = rest - portion;
            add_amount(&mut amounts, &recipient, portion.nanos());
        }
        if !rest.can_be_posted() {
            return Err(self.leaves_too_much(pool, rest));
        }
        // A recipient of usage may also bear the remainder. It is listed once.
        add_amount(&mut amounts, &self.remainder, rest.nanos());
        Ok(DriverAnswer::Amounts { amounts, rest: self.remainder.clone() })
    }

    fn recipients(&self, _: &Pool, facts: &dyn Facts) -> Result<Vec<Recipient>, Diagnostic> {
        let mut recipients = self.usage.recipients_today(facts);
        recipients.push(self.remainder.clone());
        Ok(recipients)
    }

    fn teams(&self) -> Vec<&str> {
        let mut teams = self.usage.teams_named();
        teams.extend(team_names([&self.remainder]));
        teams
    }

    /// The remainder is what the prices leave of the total.
    fn needs_total(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        let (usage, remainder) = (self.usage.words(), self.remainder.describe());
        format!("rate_card {usage} at {}, remainder to {remainder}", self.prices_text())
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        vec![self.usage.metric_window()]
    }

    fn team_costs(&self) -> Vec<&CostQuestion> {
        Vec::new()
    }

    fn priced(&self) -> Vec<PricedUsage<'_>> {
        let currency = self.currency.as_deref();
        vec![PricedUsage { query: &self.usage.query, currency, prices: self.prices_text() }]
    }
}

fn refused(message: String) -> Diagnostic {
    Diagnostic::new(AMOUNT_TOO_LARGE, message).hint(
        "a price is for one unit of the metric: mend the price in the rule, or the quantities in \
         their source",
    )
}

/// Exactly, of whatever size. A quantity that was taken back is priced like one that was used.
fn price_of(quantity: Quantity, prices: &[Price]) -> Decimal {
    if quantity.0 < 0 {
        let priced = price_of(Quantity(-quantity.0), prices);
        return priced.product(&Decimal::from_scaled(-1, 0));
    }
    let mut from = 0;
    let mut amount = Decimal::zero();
    for price in prices {
        let upto = price.upto.map_or(quantity.0, |upto| upto.0.min(quantity.0)).max(from);
        let used = Decimal::from_scaled(upto - from, NANO_PLACES);
        amount.add(&used.product(&Decimal::from_scaled(price.price.0, PRICE_PLACES)));
        from = upto;
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_half_even_and_hold_numbers_beyond_128_bits() {
        let price = |price| [Price { upto: None, price: UnitPrice(price) }];
        let nanos = |quantity, prices| price_of(Quantity(quantity), prices).rounded(NANO_PLACES).0;
        let half_a_nano = price(5 * 10_i128.pow(17));
        assert_eq!(nanos(1, &half_a_nano), Some(0));
        assert_eq!(nanos(3, &half_a_nano), Some(2));
        let one = price(10_i128.pow(18));
        assert_eq!(nanos(10_i128.pow(27), &one), Some(10_i128.pow(27)));
        // 10^27 units at 10^18 are 10^45, which is 10^54 nanos.
        let dear = price_of(Quantity(10_i128.pow(36)), &price(10_i128.pow(36)));
        assert_eq!(dear.to_string(), format!("1{}", "0".repeat(45)));
        assert_eq!(dear.rounded(NANO_PLACES).0, None);
    }
}
