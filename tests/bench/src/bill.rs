//! The charges of the month: each resource at least daily, large ones more often, and charges
//! without a resource.

use crate::calendar::{Hour, Month};
use crate::catalog::{REGIONS, SERVICES, SUPPORT};
use crate::estate::{Estate, PAYER, PRICES_PER_SERVICE, Resource};
use crate::random::{ONE, Random};
use crate::row::{Column, Row};

const ISSUER: &str = "Amazon Web Services, Inc.";
const PLAN_COUNT: usize = 8;
const CENT: i64 = 100_000_000;

/// The numbers of decimals of the amounts. Ten is the most frequent one, and is one more than a
/// nano has.
const DECIMALS: [u32; 8] = [2, 4, 6, 8, 9, 10, 10, 10];

pub struct Bill<'a> {
    pub estate: &'a Estate,
    pub month: Month,
    pub is_hourly: bool,
    pub rows: u64,
    /// The number of the invoice, which repeats on every row.
    invoice: String,
    zones: Vec<[String; 3]>,
    plans: Vec<String>,
}

/// The hours of one charge.
#[derive(Clone, Copy)]
struct Hours {
    start: Hour,
    end: Hour,
    /// The day, counted from the first of the month.
    day: i64,
}

impl<'a> Bill<'a> {
    pub fn new(
        estate: &'a Estate,
        month: Month,
        is_hourly: bool,
        rows: u64,
        random: &mut Random,
    ) -> Bill<'a> {
        let zone = |region: &str, letter: char| format!("{region}{letter}");
        let plan = |number: usize, hash: u64| {
            format!(
                "arn:aws:savingsplans::{}:savingsplan/{:08x}-sp-{number}",
                estate.accounts[PAYER].id, hash as u32
            )
        };
        Bill {
            estate,
            month,
            is_hourly,
            rows,
            invoice: format!("INV-{}{:02}-0001", month.year, month.number),
            zones: REGIONS
                .iter()
                .map(|region| ['a', 'b', 'c'].map(|letter| zone(region.id, letter)))
                .collect(),
            plans: (0..PLAN_COUNT).map(|number| plan(number, random.bits())).collect(),
        }
    }

    /// Gives every row to `write`, in the order of time.
    pub fn each_row<E>(
        &self,
        random: &mut Random,
        mut write: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let length = if self.is_hourly { 1 } else { 24 };
        let periods = self.month.days() * 24 / length;
        let resource_count = self.estate.resources.len() as u64;
        let mut done = 0;
        for period in 0..periods as u64 {
            let due = self.rows * (period + 1) / periods as u64 - done;
            done += due;
            let start = self.month.start().0 + period as i64 * length;
            let hours = Hours {
                start: Hour(start),
                end: Hour(start + length),
                day: (start - self.month.start().0) / 24,
            };
            let (offset, step) = walk(random, resource_count);
            for number in 0..due {
                if random.per_mille(4) {
                    write(&self.overhead(random, hours))?;
                    continue;
                }
                let in_turn = !self.is_hourly && number < resource_count;
                let resource = if in_turn {
                    ((offset + number * step) % resource_count) as usize
                } else {
                    random.skewed(resource_count as usize, 3)
                };
                write(&self.usage(random, hours, resource))?;
            }
        }
        Ok(())
    }

    /// A row with the cells that all rows have.
    fn row(&self, hours: Hours) -> Row<'_> {
        let payer = &self.estate.accounts[PAYER];
        let mut row = Row::empty();
        row.text(Column::BillingAccountId, &payer.id);
        row.text(Column::BillingAccountName, &payer.name);
        row.text(Column::BillingCurrency, "USD");
        row.time(Column::BillingPeriodStart, self.month.start());
        row.time(Column::BillingPeriodEnd, self.month.next().start());
        row.time(Column::ChargePeriodStart, hours.start);
        row.time(Column::ChargePeriodEnd, hours.end);
        row.text(Column::InvoiceId, &self.invoice);
        row.text(Column::InvoiceIssuerName, ISSUER);
        row.text(Column::ProviderName, "AWS");
        row
    }

    fn service(row: &mut Row<'_>, number: usize) {
        let service = &SERVICES[number];
        row.text(Column::ServiceCategory, service.category);
        row.text(Column::ServiceName, service.name);
        row.text(Column::ServiceSubcategory, service.subcategory);
    }

    fn costs(row: &mut Row<'_>, billed: i64, effective: i64, contracted: i64, list: i64) {
        row.decimal(Column::BilledCost, billed);
        row.decimal(Column::EffectiveCost, effective);
        row.decimal(Column::ContractedCost, contracted);
        row.decimal(Column::ListCost, list);
    }

    /// A row of tax or support, without a resource and without tags.
    fn overhead(&self, random: &mut Random, hours: Hours) -> Row<'_> {
        let is_tax = random.per_mille(700);
        let account = random.pick(&self.estate.accounts);
        let amount = random.log_normal(if is_tax { 10 } else { 25 }, 15);
        let cost = ((amount + CENT / 2) / CENT).max(1) * CENT;
        let service = if is_tax { random.index(SUPPORT) } else { SUPPORT };
        let price = &self.estate.prices[service][0];
        let mut row = self.row(hours);
        Self::service(&mut row, service);
        Self::costs(&mut row, cost, cost, cost, cost);
        row.text(Column::ChargeCategory, if is_tax { "Tax" } else { "Purchase" });
        let tax = "Sales tax at 8.25% for the usage of the service in the period";
        row.text(
            Column::ChargeDescription,
            if is_tax { tax } else { "Enterprise support charge, 3% of monthly usage" },
        );
        row.text(Column::ChargeFrequency, "Recurring");
        row.text(Column::PublisherName, ISSUER);
        row.text(Column::SkuId, &price.sku_id);
        row.text(Column::SkuPriceId, &price.price_id);
        row.text(Column::SubAccountId, &account.id);
        row.text(Column::SubAccountName, &account.name);
        row
    }

    fn usage(&self, random: &mut Random, hours: Hours, number: usize) -> Row<'_> {
        let resource = &self.estate.resources[number];
        let is_credit = random.per_mille(10);
        let cost = self.cost(random, resource, is_credit);
        let is_covered = resource.is_covered && !is_credit;
        let (billed, effective) = if is_covered { (0, cost / 100 * 65) } else { (cost, cost) };
        let mut row = self.row(hours);
        Self::service(&mut row, resource.service);
        let list = self.price(&mut row, random, resource, cost);
        Self::costs(&mut row, billed, effective, cost, list);
        self.place(&mut row, resource, hours.day);
        row.text(Column::ChargeCategory, if is_credit { "Credit" } else { "Usage" });
        row.text(Column::ChargeFrequency, "Usage-Based");
        row.text(Column::PricingCategory, if is_covered { "Committed" } else { "Standard" });
        if is_covered {
            row.text(Column::CommitmentDiscountCategory, "Spend");
            row.text(Column::CommitmentDiscountId, &self.plans[number % PLAN_COUNT]);
            row.text(Column::CommitmentDiscountName, "Compute Savings Plan 1yr");
            row.text(Column::CommitmentDiscountStatus, "Used");
            row.text(Column::CommitmentDiscountType, "Savings Plan");
        }
        row
    }

    /// A cost near the resource's usual cost, with as many decimals as bills have. Credits are
    /// negative.
    fn cost(&self, random: &mut Random, resource: &Resource, is_credit: bool) -> i64 {
        let unit = 10_i64.pow(10 - *random.pick(&DECIMALS));
        // Between 0.6 and 1.4 of the usual cost.
        let factor = 6 * u128::from(ONE) + 8 * u128::from(random.fraction());
        let daily = (u128::from(resource.daily_cost.unsigned_abs()) * factor
            / (10 * u128::from(ONE))) as i64;
        let cost = if self.is_hourly { daily / 24 } else { daily };
        let rounded = (cost / unit * unit).max(unit);
        if is_credit { -rounded / 4 } else { rounded }
    }

    /// Writes the price that leads to a cost, and returns the list cost: quantity × list price, as
    /// in bills of clouds.
    fn price(&self, row: &mut Row<'a>, random: &mut Random, resource: &Resource, cost: i64) -> i64
    where
        Self: 'a,
    {
        let at = (resource.first_price + random.index(resource.price_count)) % PRICES_PER_SERVICE;
        let price = &self.estate.prices[resource.service][at];
        let quantity = (i128::from(cost) * 10_000_000_000 / i128::from(price.unit_price)) as i64;
        let service = &SERVICES[resource.service];
        row.text(Column::ChargeDescription, &price.description);
        row.decimal(Column::ConsumedQuantity, quantity);
        row.text(Column::ConsumedUnit, service.unit);
        row.decimal(Column::PricingQuantity, quantity);
        row.text(Column::PricingUnit, service.unit);
        row.decimal(Column::ContractedUnitPrice, price.unit_price);
        let list_price = price.unit_price + price.unit_price / 100 * 9;
        row.decimal(Column::ListUnitPrice, list_price);
        row.text(Column::SkuId, &price.sku_id);
        row.text(Column::SkuMeter, &price.meter);
        row.text(Column::SkuPriceId, &price.price_id);
        (i128::from(quantity) * i128::from(list_price) / 10_000_000_000) as i64
    }

    /// Writes the resource's place, its account, and its tags on this day.
    fn place<'r>(&'r self, row: &mut Row<'r>, resource: &'r Resource, day: i64) {
        let (service, account) =
            (&SERVICES[resource.service], &self.estate.accounts[resource.account]);
        if matches!(service.code, "ec2" | "ebs" | "rds" | "vpc") {
            row.text(Column::AvailabilityZone, &self.zones[resource.region][resource.zone]);
        }
        row.text(Column::RegionId, REGIONS[resource.region].id);
        row.text(Column::RegionName, REGIONS[resource.region].name);
        row.text(Column::ResourceId, &resource.id);
        row.text(Column::ResourceName, &resource.name);
        row.text(Column::ResourceType, service.resource_type);
        row.text(
            Column::PublisherName,
            if service.code == "marketplace-dd" { "Datadog, Inc." } else { ISSUER },
        );
        row.text(Column::SubAccountId, &account.id);
        row.text(Column::SubAccountName, &account.name);
        let tags = match &resource.retagged {
            Some((from, tags)) if day >= *from => tags,
            _ => &resource.tags,
        };
        if !tags.is_empty() {
            row.text(Column::Tags, tags);
        }
    }
}

/// An order in which each resource comes once: a start, and a step that shares no divisor with the
/// number of resources.
fn walk(random: &mut Random, count: u64) -> (u64, u64) {
    let offset = random.below(count);
    let mut step = random.below(count) | 1;
    while divisor(step, count) != 1 {
        step += 2;
    }
    (offset, step)
}

fn divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { divisor(right, left % right) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Cell;
    use std::collections::BTreeSet;

    fn rows(is_hourly: bool) -> Vec<(Hour, bool, i64)> {
        let mut random = Random::new(9);
        let estate = Estate::generate(&mut random, 9, 40, 30);
        let bill =
            Bill::new(&estate, Month { year: 2026, number: 6 }, is_hourly, 3_000, &mut random);
        let mut rows = Vec::new();
        let done: Result<(), ()> = bill.each_row(&mut random, |row| {
            let Cell::Time(start) = row.cells[Column::ChargePeriodStart as usize] else {
                panic!("no start")
            };
            let Cell::Decimal(cost) = row.cells[Column::EffectiveCost as usize] else {
                panic!("no cost")
            };
            rows.push((start, row.cells[Column::ResourceId as usize] == Cell::Empty, cost));
            Ok(())
        });
        assert_eq!(done, Ok(()));
        rows
    }

    #[test]
    fn all_rows_are_written_and_spread_over_the_periods() {
        for (is_hourly, periods) in [(false, 30), (true, 720)] {
            let rows = rows(is_hourly);
            assert_eq!(rows.len(), 3_000);
            assert_eq!(
                rows.iter().map(|(start, _, _)| start.0).collect::<BTreeSet<_>>().len(),
                periods
            );
        }
    }

    #[test]
    fn some_rows_have_no_resource_and_some_are_credits() {
        let rows = rows(false);
        assert!((1..40).contains(&rows.iter().filter(|(_, overhead, _)| *overhead).count()));
        assert!((5..80).contains(&rows.iter().filter(|(_, _, cost)| *cost < 0).count()));
    }

    #[test]
    fn a_walk_comes_to_each_resource_once() {
        let mut random = Random::new(1);
        let (offset, step) = walk(&mut random, 210);
        let seen: BTreeSet<u64> = (0..210).map(|number| (offset + number * step) % 210).collect();
        assert_eq!(seen.len(), 210);
    }
}
