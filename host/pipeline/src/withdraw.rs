//! The statements that a collection takes back: what a source said before, and does not say now.
//!
//! The laws:
//!
//! - A delivery states its billing period as a whole. Days of that period that it lacks are taken
//!   back. Money of other billing periods stays, even on the same days.
//! - Statements of older ledgers tell no period. They are taken for parts of the period around
//!   their day.
//! - Where no charge tells a billing period, each day with charges is stated as a whole, in all
//!   currencies.
//! - A source that asks a service states the days that it was asked for as a whole. So do files
//!   that tell no billing periods, if somebody asked for days.
//! - Rows can tell billing periods that their files do not have in full, such as a slice of days
//!   that begins in the period before. If most of a period would go, the settings must say it.
//! - What a source stated under a former name is its own. It goes once it is stated under the new
//!   name, and by these laws. What is not stated anew stays under the old name.
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
use foldhash::HashMap;
use reports::coverage::days::KnownDays;
use std::collections::{BTreeMap, BTreeSet};

/// The days of a collection, as far as they decide over older statements.
pub struct CollectedDays<'a> {
    /// All days with charges.
    charged: BTreeSet<ChargeDay>,
    /// The days of `charged`, and the same with their billing periods.
    days: BTreeSet<Day>,
    period_days: BTreeSet<(Day, Day)>,
    /// Billing periods that rows tell.
    row_periods: BTreeSet<Day>,
    /// Billing periods that manifests and folders tell.
    pub delivered_periods: BTreeSet<Day>,
    /// The days that count.
    wanted: Period,
    known: &'a KnownDays,
    pub extent: Option<DeliveryExtent>,
    /// Whether the source reads files, which are read as they are, whatever days are asked for.
    pub reads_files: bool,
    pub rows_set_aside: bool,
    /// Names that the source had before.
    pub formerly: &'a [String],
}

impl<'a> CollectedDays<'a> {
    /// The days of a source that asks a service, and has charges of these days.
    pub fn new(charged: BTreeSet<ChargeDay>, known: &'a KnownDays) -> CollectedDays<'a> {
        let of_periods = charged.iter().filter_map(|day| Some((day.billing_period?, day.day)));
        let period_days: BTreeSet<(Day, Day)> = of_periods.collect();
        CollectedDays {
            days: charged.iter().map(|day| day.day).collect(),
            row_periods: period_days.iter().map(|(period, _)| *period).collect(),
            period_days,
            delivered_periods: BTreeSet::new(),
            charged,
            wanted: known.asked.unwrap_or_else(Period::all),
            known,
            extent: None,
            reads_files: false,
            rows_set_aside: false,
            formerly: &[],
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

/// Money that a source states anew, by billing period and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restatement {
    pub billing_period: Option<Day>,
    pub currency: Currency,
    pub days: u64,
    pub billed_before: Sum,
    pub billed: Sum,
    pub effective_before: Sum,
    pub effective: Sum,
}

/// What becomes of the older statements of a source.
pub struct OlderStatements {
    pub gone: Vec<DeliveryDay>,
    /// The money of those that are gone, and not only moved.
    pub withdrawn: Vec<Withdrawal>,
    pub restated: Vec<Restatement>,
    /// Statements that would be gone, if all rows could be read.
    pub waiting: u64,
}

/// The fate of an older statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    /// It would be taken back, if all rows could be read.
    Waits,
    Goes,
}

impl CollectedDays<'_> {
    /// Decides over each older statement. Refuses where that would cost money unasked.
    pub fn older_statements(
        &self,
        source: &str,
        standing: &[(DeliveryDay, DayTotals)],
        now: &HashMap<ChargeDay, DayTotals>,
    ) -> Result<OlderStatements, Diagnostic> {
        self.expect_whole(source, standing)?;
        let (mut gone, mut waiting, mut withdrawn) = (Vec::new(), 0, BTreeMap::new());
        let mut before: BTreeMap<ChargeDay, DayTotals> = BTreeMap::new();
        for (day, totals) in standing {
            let stated_anew = match self.fate(day) {
                Fate::Stays => ChargeDay::of(day),
                Fate::Waits => {
                    waiting += 1;
                    continue;
                }
                Fate::Goes => {
                    gone.push(day.clone());
                    let Some(moved) = self.moved(day) else {
                        withdraw(&mut withdrawn, day, totals);
                        continue;
                    };
                    moved
                }
            };
            before.entry(stated_anew).or_default().merge(totals);
        }
        let withdrawn = withdrawn.into_values().collect();
        Ok(OlderStatements { gone, withdrawn, restated: restated(&before, now), waiting })
    }

    fn fate(&self, standing: &DeliveryDay) -> Fate {
        let day = ChargeDay::of(standing);
        let is_charged = self.charged.contains(&day);
        if is_charged && self.is_of_former_name(standing) {
            Fate::Goes
        } else if is_charged || !self.wanted.contains(day.day) || !self.takes_back(&day) {
            Fate::Stays
        } else if self.reads_files && self.rows_set_aside {
            Fate::Waits
        } else {
            Fate::Goes
        }
    }

    /// Refuses to take back most of a billing period that only rows tell, unless the settings say
    /// that files are whole periods.
    fn expect_whole(
        &self,
        source: &str,
        standing: &[(DeliveryDay, DayTotals)],
    ) -> Result<(), Diagnostic> {
        if self.extent.is_some() || !self.reads_files {
            return Ok(());
        }
        let mut of_periods: BTreeMap<Day, Vec<&DeliveryDay>> = BTreeMap::new();
        for (day, _) in standing {
            if let Some(period) = self.period(&ChargeDay::of(day)) {
                of_periods.entry(period).or_default().push(day);
            }
        }
        for period in self.row_periods.difference(&self.delivered_periods) {
            let (mut kept, mut gone) = (BTreeSet::new(), BTreeSet::new());
            for day in of_periods.get(period).into_iter().flatten() {
                let charged = day.source_day.day;
                if self.period_days.contains(&(*period, charged)) {
                    kept.insert(charged);
                } else if self.fate(day) == Fate::Goes {
                    gone.insert(charged);
                }
            }
            if gone.len() > kept.len() {
                return Err(unclear(source, *period, kept.len(), gone.len()));
            }
        }
        Ok(())
    }

    /// The day with which the charges of an older statement are stated anew, if they told no
    /// billing period or stand under a former name. They are not gone then.
    fn moved(&self, standing: &DeliveryDay) -> Option<ChargeDay> {
        let day = ChargeDay::of(standing);
        if self.charged.contains(&day) {
            // Under a former name.
            return Some(day);
        }
        let moved = ChargeDay { billing_period: self.period(&day), ..day };
        (day.billing_period.is_none() && self.charged.contains(&moved)).then_some(moved)
    }

    fn is_of_former_name(&self, standing: &DeliveryDay) -> bool {
        self.formerly.contains(&standing.source_day.source)
    }

    /// The billing period of an older statement. One that tells none, as all statements of older
    /// ledgers, is taken for one of the period around its day, if this collection has it.
    fn period(&self, day: &ChargeDay) -> Option<Day> {
        let around = |periods: &BTreeSet<Day>| {
            let before = periods.range(..=day.day).next_back().copied();
            before.filter(|start| day.day < next_month(*start))
        };
        day.billing_period
            .or_else(|| around(&self.row_periods))
            .or_else(|| around(&self.delivered_periods))
    }

    fn takes_back(&self, day: &ChargeDay) -> bool {
        // Without any periods, days are stated as a whole.
        let tells_no_periods = self.row_periods.is_empty() && self.delivered_periods.is_empty();
        if tells_no_periods && self.days.contains(&day.day) {
            return true;
        }
        if !self.reads_files {
            return self.known.has(day.day);
        }
        // Whoever asks for days wants them as the files have them now.
        let is_of_days = day.billing_period.is_none() && self.known.has(day.day);
        if is_of_days && self.extent != Some(DeliveryExtent::Day) {
            return true;
        }
        let Some(period) = self.period(day) else { return false };
        if self.extent == Some(DeliveryExtent::Day) {
            return self.period_days.contains(&(period, day.day));
        }
        let complete = |day: Day| self.known.complete.iter().any(|days| days.contains(day));
        self.row_periods.contains(&period)
            || self.delivered_periods.contains(&period)
            || (complete(day.day) && complete(period))
    }
}

/// The same day of the next month, or the first day of the month after where there is none.
fn next_month(day: Day) -> Day {
    let (_, _, of_month) = day.civil();
    let next = day.month().next();
    next.first_day().plus(of_month as i32 - 1).min(next.next().first_day())
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
fn withdraw(
    sums: &mut BTreeMap<(Option<Day>, Currency), Withdrawal>,
    day: &DeliveryDay,
    totals: &DayTotals,
) {
    let (period, currency) = (day.billing_period, day.source_day.currency);
    let sum = sums.entry((period, currency)).or_insert_with(|| Withdrawal {
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

/// Sums up what is stated anew with other charges than before.
fn restated(
    before: &BTreeMap<ChargeDay, DayTotals>,
    now: &HashMap<ChargeDay, DayTotals>,
) -> Vec<Restatement> {
    let mut sums = BTreeMap::new();
    for (day, before) in before {
        let Some(now) = now.get(day).filter(|now| !now.are_of_the_charges_of(before)) else {
            continue;
        };
        let ChargeDay { billing_period, currency, .. } = *day;
        let sum = sums.entry((billing_period, currency)).or_insert_with(|| Restatement {
            billing_period,
            currency,
            days: 0,
            billed_before: Sum::ZERO,
            billed: Sum::ZERO,
            effective_before: Sum::ZERO,
            effective: Sum::ZERO,
        });
        sum.days += 1;
        sum.billed_before += before.billed;
        sum.billed += now.billed;
        sum.effective_before += before.effective;
        sum.effective += now.effective;
    }
    sums.into_values().collect()
}
