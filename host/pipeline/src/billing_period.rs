//! Reads the billing period of rows: its first day, or nothing where the source does not tell it.

use crate::cell::{CellFault, Dates, says_nothing};
use crate::columns::Input;
use decode::{Batch, Cells};
use domain::period::{DateOrder, Day, parse_instant};

/// Reads billing periods. Nearly all rows have that of the row before, so its text is parsed once.
pub struct BillingPeriods<'a> {
    dates: Dates,
    nulls: &'a [String],
    last_text: Vec<u8>,
    last: Option<Day>,
}

impl<'a> BillingPeriods<'a> {
    pub fn new(order: DateOrder, nulls: &'a [String]) -> BillingPeriods<'a> {
        // The empty text has no period, which is what is known before the first row.
        BillingPeriods { dates: Dates::new(order), nulls, last_text: Vec::new(), last: None }
    }

    #[inline]
    pub fn period(
        &mut self,
        input: &Input,
        batch: &Batch<'_>,
        row: usize,
    ) -> Result<Option<Day>, CellFault> {
        let text = match input {
            Input::Constant(text) => text.as_bytes(),
            Input::Column(column) | Input::CommaNumber(column) => match batch.columns[*column] {
                Cells::Days { nulls: Some(nulls), .. } if nulls[row] => return Ok(None),
                Cells::Days { .. } => return self.dates.day(input, batch, row).map(Some),
                cells => cells.plain(row),
            },
        };
        if self.last_text == text {
            return Ok(self.last);
        }
        let period = self.read(text, input, batch, row)?;
        self.last_text.clear();
        self.last_text.extend_from_slice(text);
        self.last = period;
        Ok(period)
    }

    #[cold]
    fn read(
        &mut self,
        text: &[u8],
        input: &Input,
        batch: &Batch<'_>,
        row: usize,
    ) -> Result<Option<Day>, CellFault> {
        let trimmed = text.trim_ascii();
        if says_nothing(trimmed, self.nulls) {
            return Ok(None);
        }
        // A period begins on the date that is written, in whatever zone. Turned to UTC, midnight of
        // March would be a day of February.
        match month(trimmed).or_else(|| written_date(trimmed)) {
            Some(day) => Ok(Some(day)),
            None => self.dates.day(input, batch, row).map(Some),
        }
    }
}

/// The date of a point in time, as it is written.
fn written_date(text: &[u8]) -> Option<Day> {
    let (date, time) = text.split_at_checked(10)?;
    parse_instant(text, DateOrder::Iso).ok().filter(|_| !time.is_empty())?;
    parse_instant(date, DateOrder::Iso).ok()
}

/// The first day of `202603` or `2026-03`, as Google and others write a month.
fn month(text: &[u8]) -> Option<Day> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.replacen('-', "", 1);
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month) = digits.split_at_checked(4)?;
    Day::from_civil(year.parse().ok()?, month.parse().ok()?, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Vec<Result<Option<String>, String>> {
        let buffer: Vec<u8> = cells.concat().into_bytes();
        let mut end = 0;
        let ranges: Vec<(u32, u32)> = cells
            .iter()
            .map(|cell| {
                let start = end;
                end += cell.len() as u32;
                (start, end)
            })
            .collect();
        let columns = [Cells::Text { buffer: &buffer, ranges: &ranges, quoted: false }];
        let places: Vec<u64> = (0..cells.len() as u64).collect();
        let batch =
            Batch { rows: cells.len(), columns: &columns, places: &places, unreadable: &[] };
        let nulls = ["NULL".to_owned()];
        let mut periods = BillingPeriods::new(DateOrder::Iso, &nulls);
        (0..cells.len())
            .map(|row| match periods.period(&Input::Column(0), &batch, row) {
                Ok(period) => Ok(period.map(|day| day.to_string())),
                Err(fault) => Err(fault.reason),
            })
            .collect()
    }

    #[test]
    fn a_period_is_its_first_day_in_any_spelling_of_months_and_dates() {
        let march = || Ok(Some("2026-03-01".to_owned()));
        assert_eq!(
            read(&["2026-03-01T00:00:00Z", "2026-03-01", "202603", "2026-03", "", "NULL", " "]),
            [march(), march(), march(), march(), Ok(None), Ok(None), Ok(None)]
        );
        assert_eq!(
            read(&["2026-03-01T00:00:00+01:00", "2026-03-01 00:00:00-08:00"]),
            [march(), march()]
        );
        // Some bill from the nineteenth to the nineteenth.
        assert_eq!(read(&["2026-02-19", ""]), [Ok(Some("2026-02-19".into())), Ok(None)]);
        assert!(read(&["soon"])[0].is_err());
        assert!(read(&["202613"])[0].is_err());
    }
}
