//! The statements that a collection takes back: what a source said before, and does not say now.
//!
//! The laws:
//!
//! - A delivery states its billing period as a whole. Days of that period that it lacks are taken
//!   back. Money of other billing periods stays, even on the same days.
//! - Where no charge tells a billing period, each day with charges is stated as a whole, in all
//!   currencies.
//! - A source that asks a service states the days that it was asked for as a whole.
//! - Rows can tell billing periods that their files do not have in full, such as a slice of days
//!   that begins in the period before. If most of a period would go, the settings must say it.
//! - Nothing is taken back of deliveries in which rows could not be read: the missing days may
//!   stand in those rows.

use crate::code::PERIOD_UNCLEAR;
use crate::gather::ChargeDay;
use crate::source::DeliveryExtent;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use domain::period::{Day, Period};
use domain::run::{DayTotals, DeliveryDay};
use reports::coverage::days::KnownDays;
use std::collections::{BTreeMap, BTreeSet};

/// What a collection said, as far as it decides over older statements.
pub struct Stated<'a> {
    /// All days with charges.
    pub charged: BTreeSet<ChargeDay>,
    /// The days of `charged`.
    days: BTreeSet<Day>,
    /// The days of charges without a billing period, in a collection that tells no periods.
    whole_days: BTreeSet<Day>,
    /// Billing periods that rows tell.
    row_periods: BTreeSet<Day>,
    /// Billing periods that manifests and folders tell.
    pub delivered_periods: BTreeSet<Day>,
    /// The days that count.
    pub wanted: Period,
    pub known: &'a KnownDays,
    pub extent: Option<DeliveryExtent>,
    /// Whether the source reads files, which are read as they are, whatever days are asked for.
    pub reads_files: bool,
    pub rows_set_aside: bool,
}

impl<'a> Stated<'a> {
    /// A source that was asked for everything, and has charges of these days.
    pub fn new(charged: BTreeSet<ChargeDay>, known: &'a KnownDays) -> Stated<'a> {
        let row_periods: BTreeSet<Day> =
            charged.iter().filter_map(|day| day.billing_period).collect();
        let whole = charged.iter().filter(|_| row_periods.is_empty());
        Stated {
            days: charged.iter().map(|day| day.day).collect(),
            whole_days: whole.map(|day| day.day).collect(),
            row_periods,
            delivered_periods: BTreeSet::new(),
            charged,
            wanted: known.asked.unwrap_or_else(Period::all),
            known,
            extent: None,
            reads_files: false,
            rows_set_aside: false,
        }
    }
}

/// Money that a source has taken back, by billing period and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub billing_period: Option<Day>,
    pub currency: Currency,
    pub days: u64,
    pub billed: Sum,
    pub effective: Sum,
}

/// The fate of an older statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stays,
    /// It would be taken back, if all rows could be read.
    Waits,
    Goes,
}

impl Stated<'_> {
    pub fn fate(&self, standing: &DeliveryDay) -> Fate {
        let day = ChargeDay::of(standing);
        if self.charged.contains(&day) || !self.wanted.contains(day.day) || !self.takes_back(&day) {
            Fate::Stays
        } else if self.reads_files && self.rows_set_aside {
            Fate::Waits
        } else {
            Fate::Goes
        }
    }

    /// Refuses to take back most of a billing period that only rows tell, unless the settings say
    /// that files are whole periods.
    pub fn expect_whole(
        &self,
        source: &str,
        standing: &[(DeliveryDay, DayTotals)],
    ) -> Result<(), Diagnostic> {
        if self.extent.is_some() || !self.reads_files {
            return Ok(());
        }
        let of_rows = self.row_periods.difference(&self.delivered_periods);
        for period in of_rows {
            let of_period = standing.iter().filter(|(day, _)| day.billing_period == Some(*period));
            let (mut kept, mut gone) = (BTreeSet::new(), BTreeSet::new());
            for (day, _) in of_period {
                match self.fate(day) {
                    Fate::Goes => gone.insert(day.source_day.day),
                    _ => kept.insert(day.source_day.day),
                };
            }
            let gone = gone.difference(&kept).count();
            if gone > kept.len() {
                return Err(unclear(source, *period, kept.len(), gone));
            }
        }
        Ok(())
    }

    fn takes_back(&self, day: &ChargeDay) -> bool {
        let Some(period) = day.billing_period else {
            return self.known.has(day.day) || self.days.contains(&day.day);
        };
        // Charges without a period state the whole day.
        if self.whole_days.contains(&day.day) {
            return true;
        }
        if !self.reads_files {
            return self.known.has(day.day);
        }
        let is_whole = self.extent != Some(DeliveryExtent::Day)
            && (self.row_periods.contains(&period) || self.delivered_periods.contains(&period));
        let complete = |day: Day| self.known.complete.iter().any(|days| days.contains(day));
        is_whole || (complete(day.day) && complete(period))
    }
}

fn unclear(source: &str, period: Day, kept: usize, gone: usize) -> Diagnostic {
    let days = |count: usize| if count == 1 { "1 day".into() } else { format!("{count} days") };
    Diagnostic::new(
        PERIOD_UNCLEAR,
        format!(
            "of the billing period of {period}, {} that were collected before are missing in the \
             files, and {} are there: the files may be the whole period or some days of it",
            days(gone),
            days(kept)
        ),
    )
    .hint(
        Hint::text(format!("in [sources.{source}], write "))
            .then(Hint::setting("delivery = \"billing_period\""))
            .then(" to have the missing days taken back, or ")
            .then(Hint::setting("delivery = \"day\""))
            .then(" to keep them"),
    )
}

/// Sums up what goes.
#[derive(Default)]
pub struct Withdrawals(BTreeMap<(Option<Day>, Currency), Withdrawal>);

impl Withdrawals {
    pub fn add(&mut self, day: &DeliveryDay, totals: &DayTotals) {
        let (period, currency) = (day.billing_period, day.source_day.currency);
        let sum = self.0.entry((period, currency)).or_insert_with(|| Withdrawal {
            billing_period: period,
            currency,
            days: 0,
            billed: Sum::ZERO,
            effective: Sum::ZERO,
        });
        sum.days += 1;
        sum.billed += totals.billed;
        sum.effective += totals.effective;
    }

    pub fn into_list(self) -> Vec<Withdrawal> {
        self.0.into_values().collect()
    }
}
