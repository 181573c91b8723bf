//! `rate_card`: usage at a price, and somebody for the rest.

use super::facts::{DriverFilter, Facts, MetricWindow, Pool};
use super::method::{DriverAnswer, DriverMethod, RecipientWeights, add_amount, team_names};
use super::usage::UsageDriver;
use crate::diagnostic::Diagnostic;
use crate::recipient::Recipient;
use crate::usage::Quantity;
use exact::decimal::shortest;
use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;

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
        let amount = shortest(self.price.0, 18);
        match self.upto {
            Some(upto) => format!("{amount} up to {}", upto.plain()),
            None => amount,
        }
    }
}

impl DriverMethod for RateCard {
    fn weigh(&self, pool: &Pool, facts: &dyn Facts) -> Result<DriverAnswer, Diagnostic> {
        let mut amounts = RecipientWeights::new();
        let mut rest = pool.total.nanos();
        for (recipient, quantity) in self.usage.by_recipient(facts) {
            let amount = price_of(quantity, &self.prices);
            rest -= amount;
            add_amount(&mut amounts, &recipient, amount);
        }
        // A recipient of usage may also bear the remainder. It is listed once.
        add_amount(&mut amounts, &self.remainder, rest);
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
        let prices: Vec<String> = self.prices.iter().map(Price::describe).collect();
        let (usage, remainder) = (self.usage.words(), self.remainder.describe());
        format!("rate_card {usage} at {}, remainder to {remainder}", prices.join(", "))
    }

    fn usages(&self) -> Vec<MetricWindow<'_>> {
        vec![self.usage.metric_window()]
    }

    fn cost_filters(&self) -> Vec<&DriverFilter> {
        Vec::new()
    }
}

/// In nanos, rounded half-even.
fn price_of(quantity: Quantity, prices: &[Price]) -> i128 {
    let mut from = 0;
    let mut amount = BigInt::ZERO;
    for price in prices {
        let upto = price.upto.map_or(quantity.0, |upto| upto.0.min(quantity.0)).max(from);
        amount += BigInt::from(upto - from) * price.price.0;
        from = upto;
    }
    // Quantities are in 10⁻⁹ of a unit and prices in 10⁻¹⁸ of a currency, so the product is in
    // 10⁻²⁷; nanos are 10⁻⁹.
    divided_half_even(&amount, &BigInt::from(10_u64.pow(18)))
}

fn divided_half_even(amount: &BigInt, unit: &BigInt) -> i128 {
    // Halves go by the size, so that a negative amount rounds like its counterpart.
    let (size, negative) = (
        BigInt::from_biguint(Sign::Plus, amount.magnitude().clone()),
        amount.sign() == Sign::Minus,
    );
    let (quotient, rest) = (&size / unit, &size % unit);
    let quotient = i128::try_from(quotient).unwrap_or(i128::MAX / 2);
    let doubled: BigInt = rest * 2;
    let up = match doubled.cmp(unit) {
        Ordering::Less => 0,
        Ordering::Equal => quotient & 1,
        Ordering::Greater => 1,
    };
    if negative { -(quotient + up) } else { quotient + up }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_half_even_and_hold_numbers_beyond_128_bits_on_the_way() {
        let price = |price| [Price { upto: None, price: UnitPrice(price) }];
        let half_a_nano = price(5 * 10_i128.pow(17));
        assert_eq!(price_of(Quantity(1), &half_a_nano), 0);
        assert_eq!(price_of(Quantity(3), &half_a_nano), 2);
        let large = Quantity(10_i128.pow(27));
        assert_eq!(price_of(large, &price(10_i128.pow(18))), 10_i128.pow(27));
    }
}
