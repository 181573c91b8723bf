//! `rate_card`: usage at a price, and somebody for the rest.

use super::facts::{DriverFilter, Facts, MetricWindow, Pool};
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
        prices.join(", ")
    }
}

impl DriverMethod for RateCard {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let mut amounts = RecipientWeights::new();
        let mut rest = pool.total;
        for (recipient, quantity) in self.usage.by_recipient(facts) {
            let priced = price_of(quantity, &self.prices);
            let amount = priced.rounded(NANO_PLACES).0.map(Sum::from_nanos);
            let Some(amount) = amount.filter(|amount| amount.can_be_posted()) else {
                return Err(self.priced_too_high(pool, (&recipient, quantity), &priced));
            };
            rest = rest - amount;
            add_amount(&mut amounts, &recipient, amount.nanos());
        }
        if !rest.can_be_posted() {
            return Err(self.leaves_too_much(pool, rest));
        }
        // A recipient of usage may also bear the remainder. It is listed once.
        add_amount(&mut amounts, &self.remainder, rest.nanos());
        Ok(DriverAnswer::Amounts(amounts))
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

    fn cost_filters(&self) -> Vec<&DriverFilter> {
        Vec::new()
    }
}

fn refused(message: String) -> Diagnostic {
    Diagnostic::new(AMOUNT_TOO_LARGE, message).hint(
        "a price is for one unit of the metric: mend the price in the rule, or the quantities in \
         their source",
    )
}

/// Exactly, of whatever size.
fn price_of(quantity: Quantity, prices: &[Price]) -> Decimal {
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
