//! Checks that nothing was lost between collecting and posting: charges add up to their statements,
//! and statements to the standing postings.

use crate::digest::of_bytes;
use crate::row;
use crate::segment::{Details, PriceList, SegmentCharges, decode, decode_with};
use crate::{Reader, Result, VerifyReport};
use domain::account::Account;
use domain::dictionary::{Dictionary, ResourceId};
use domain::money::Sum;
use domain::period::Period;
use domain::run::{DayTotals, Fingerprint, SourceDay};
use domain::terms::TermsId;
use std::collections::BTreeMap;

/// The totals of a source-day from its charges. The rests below a nano are not in the charges.
#[derive(Default)]
struct ChargeSums {
    charges: u64,
    billed: Sum,
    effective: Sum,
    fingerprint: Fingerprint,
}

/// The dictionary, with the digests that were worked out so far.
struct Meanings {
    dictionary: Dictionary,
    prices: PriceList,
    resources: Vec<Option<u128>>,
    terms: Vec<Option<u128>>,
}

/// The standing postings of a source-day, summed by side.
#[derive(Default)]
struct PostedSums {
    entries: u64,
    provider: Sum,
    prepaid: Sum,
    rounding: Sum,
    borne: Sum,
}

impl Reader {
    pub(super) fn check_source_days(&self, report: &mut VerifyReport) -> Result<()> {
        self.check_statements(report)?;
        let mut posted = self.posted()?;
        for day in self.source_days(Period::all())? {
            report.source_days += 1;
            report.charges += day.totals.charges;
            let of_day = posted.remove(&day.source_day).unwrap_or_default();
            compare(&day.source_day, &day.totals, &of_day, report);
        }
        for day in posted.keys() {
            report
                .find(format!("{}: entries stand, and no source has stated anything", place(day)));
        }
        Ok(())
    }

    /// Checks every statement that was ever made. Outdated ones count too, because they explain
    /// corrections.
    fn check_statements(&self, report: &mut VerifyReport) -> Result<()> {
        let mut meanings = match self.dictionary() {
            Ok(dictionary) => Some(Meanings::of(dictionary)),
            Err(error) => {
                report.find(error.message);
                None
            }
        };
        let sql = "SELECT source, day, currency, charges, billed_nanos, effective_nanos, \
                   billed_rest, effective_rest, fingerprint, collection, billing_period \
                   FROM statement ORDER BY id";
        row::rows(&self.connection, sql, [], |row| {
            let (day, totals) = (row::source_day(row, 0)?, row::day_totals(row, 3)?);
            let stated = ChargeSums {
                charges: totals.charges,
                billed: totals.billed,
                effective: totals.effective,
                fingerprint: totals.fingerprint,
            };
            let key = (row::cell(row, 9)?, day.day.epoch_days(), row::cell(row, 10)?);
            let added = self.added(&day, key, meanings.as_mut());
            match added {
                Ok(added) if added.fit(&stated, meanings.is_some()) => {}
                Ok(added) => report.find(added.difference(&day, &stated)),
                Err(error) => report.find(format!("{}: {}", place(&day), error.message)),
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Adds up the charges of a statement.
    fn added(
        &self,
        day: &SourceDay,
        (collection, epoch_days, billing_period): (i64, i32, Option<i32>),
        mut meanings: Option<&mut Meanings>,
    ) -> Result<ChargeSums> {
        let sql = "SELECT id, rows, billed_nanos, effective_nanos, digest, data FROM segment \
                   WHERE collection = ?1 AND day = ?2 AND currency = ?3 \
                   AND billing_period IS ?4 ORDER BY id";
        let mut added = ChargeSums::default();
        let (mut decoded, mut details) = (SegmentCharges::default(), Details::default());
        // Without a dictionary the prices are not known, and the amounts are checked alone.
        let no_prices = PriceList::default();
        row::rows(
            &self.connection,
            sql,
            (collection, epoch_days, day.currency.code(), billing_period),
            |row| {
                let id: i64 = row::cell(row, 0)?;
                let data: Vec<u8> = row::cell(row, 5)?;
                if of_bytes(&data) != row::digest(row, 4)? {
                    return Err(crate::error::corrupt(format!(
                        "segment {id} of its charges was changed"
                    )));
                }
                let prices = meanings.as_ref().map_or(&no_prices, |meanings| &meanings.prices);
                match meanings {
                    Some(_) => decode_with(&data, prices, &mut decoded, &mut details)?,
                    None => decode(&data, &mut decoded)?,
                }
                let total = |amounts: &[i64]| {
                    Sum::from_nanos(amounts.iter().map(|amount| i128::from(*amount)).sum())
                };
                let (billed, effective) = (total(&decoded.billed), total(&decoded.effective));
                if (decoded.resources.len() as u64, billed, effective)
                    != (row::count(row, 1)?, row::sum(row, 2)?, row::sum(row, 3)?)
                {
                    return Err(crate::error::corrupt(format!(
                        "segment {id} does not add up to its own totals"
                    )));
                }
                added.charges += decoded.resources.len() as u64;
                added.billed += billed;
                added.effective += effective;
                if let Some(meanings) = &mut meanings {
                    meanings.add_fingerprint(&mut added.fingerprint, &decoded, &details, id)?;
                }
                Ok(())
            },
        )?;
        Ok(added)
    }

    /// The standing postings of every source-day.
    fn posted(&self) -> Result<BTreeMap<SourceDay, PostedSums>> {
        let accounts =
            row::rows(&self.connection, "SELECT path FROM account ORDER BY id", [], |row| {
                row::account(row::text(row, 0)?)
            })?;
        let sql = "SELECT account, amount FROM posting WHERE entry = ?1";
        let mut posted: BTreeMap<SourceDay, PostedSums> = BTreeMap::new();
        for entry in self.standing(Period::all())? {
            let of_day = posted.entry(entry.source_day).or_default();
            of_day.entries += 1;
            row::rows(&self.connection, sql, [entry.id.0], |row| {
                let amount = Sum::from_nanos(i128::from(row::cell::<i64>(row, 1)?));
                let number: i64 = row::cell(row, 0)?;
                let account = usize::try_from(number - 1).ok().and_then(|at| accounts.get(at));
                *of_day.side(account) += amount;
                Ok(())
            })?;
        }
        Ok(posted)
    }
}

impl ChargeSums {
    /// Whether the charges are those that were stated. Without a dictionary they have no
    /// fingerprint.
    fn fit(&self, stated: &ChargeSums, has_fingerprint: bool) -> bool {
        let sums = |sums: &ChargeSums| (sums.charges, sums.billed, sums.effective);
        sums(self) == sums(stated) && (!has_fingerprint || self.fingerprint == stated.fingerprint)
    }

    fn difference(&self, day: &SourceDay, stated: &ChargeSums) -> String {
        let charges = if self.fingerprint == stated.fingerprint {
            ""
        } else {
            "; they are not the same charges"
        };
        format!(
            "{}: {} charges of {} billed and {} effective are stored, \
             and {} of {} and {} were stated{charges}",
            place(day),
            self.charges,
            self.billed,
            self.effective,
            stated.charges,
            stated.billed,
            stated.effective
        )
    }
}

impl PostedSums {
    fn side(&mut self, account: Option<&Account>) -> &mut Sum {
        match account {
            Some(Account::Provider(_)) => &mut self.provider,
            Some(Account::Prepaid(_)) => &mut self.prepaid,
            Some(Account::Rounding(_)) => &mut self.rounding,
            _ => &mut self.borne,
        }
    }
}

impl Meanings {
    fn of(dictionary: Dictionary) -> Meanings {
        Meanings {
            prices: PriceList::of(&dictionary),
            resources: vec![None; dictionary.resource_count()],
            terms: vec![None; dictionary.terms_count()],
            dictionary,
        }
    }

    fn add_fingerprint(
        &mut self,
        sum: &mut Fingerprint,
        decoded: &SegmentCharges,
        details: &Details,
        segment: i64,
    ) -> Result<()> {
        let dictionary = &self.dictionary;
        let amounts = decoded.billed.iter().zip(&decoded.effective);
        for (row, (resource, (billed, effective))) in
            decoded.resources.iter().zip(amounts).enumerate()
        {
            let terms = details.terms.get(row).copied().unwrap_or_default();
            let named = |what: &str, number: u32| {
                crate::error::corrupt(format!(
                    "segment {segment} names {what} {number}, which does not exist"
                ))
            };
            let slot = self.resources.get_mut(*resource as usize);
            let resource = *slot
                .ok_or_else(|| named("resource", *resource))?
                .get_or_insert_with(|| dictionary.digest(ResourceId(*resource)));
            let slot = self.terms.get_mut(terms as usize);
            let terms = *slot
                .ok_or_else(|| named("terms", terms))?
                .get_or_insert_with(|| dictionary.terms_digest(TermsId(terms)));
            sum.add_detailed(resource, details.digest(row, terms), *billed, *effective);
        }
        Ok(())
    }
}

fn place(day: &SourceDay) -> String {
    format!("{} on {} in {}", day.source, day.day, day.currency)
}

/// Compares the postings with the sides that the statement demands. Rests count as rounded to
/// nanos.
fn compare(day: &SourceDay, totals: &DayTotals, posted: &PostedSums, report: &mut VerifyReport) {
    let rounded = |rest: &domain::decimal::Exact| Sum::from_nanos(rest.rounded_nanos());
    let (billed, rounding) =
        (totals.billed + rounded(&totals.billed_rest), rounded(&totals.effective_rest));
    let due = [
        ("provider", -billed, posted.provider),
        ("prepaid", billed - totals.effective - rounding, posted.prepaid),
        ("rounding", rounding, posted.rounding),
        ("teams, pools and what is set aside", totals.effective, posted.borne),
    ];
    if posted.entries == 0 && due.iter().any(|(_, due, _)| !due.is_zero()) {
        return report.find_unposted(format!(
            "{}: {} billed and {} effective were collected and not posted",
            place(day),
            totals.billed,
            totals.effective
        ));
    }
    for (side, due, posted) in due {
        if due != posted {
            report.find(format!("{}: {due} is due to {side}, and {posted} is posted", place(day)));
        }
    }
}
