//! Single cells of a row: their values, and the reasons why a row cannot be read.

use crate::columns::Input;
use crate::pieces::{check_size, not_an_amount};
use decode::{Batch, Cells, UnreadableRow};
use domain::code::{self, Code};
use domain::decimal::{self, NotAnAmount, Rest};
use domain::decimal_comma;
use domain::period::{DateOrder, Day, parse_instant};
use domain::text_form::DecimalMark;
use domain::usage::{NotAQuantity, Quantity};

/// A row set aside, before its line is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAsideRow {
    pub code: Code,
    pub place: u64,
    /// Character of the line, or 0.
    pub column: u32,
    pub reason: String,
    pub excerpt: String,
}

/// The reason why a row is not understood, with the scan column at fault.
#[derive(Clone, Debug)]
pub struct CellFault {
    pub code: Code,
    pub column: Option<usize>,
    pub reason: String,
}

impl CellFault {
    pub fn new(column: Option<usize>, reason: impl Into<String>) -> CellFault {
        CellFault { code: code::ROW_REJECTED, column, reason: reason.into() }
    }

    /// A number that cannot be read. With a decimal comma it means something in another reading, so
    /// the table's other numbers cannot be trusted either.
    pub fn of_number(column: Option<usize>, text: &[u8], error: impl ToString) -> CellFault {
        let fault = CellFault::new(column, error.to_string());
        if decimal_comma::is_certain(text) {
            return CellFault { code: code::AMOUNT_COMMA, ..fault };
        }
        fault
    }

    pub fn of_row<'n>(
        self,
        batch: &Batch<'_>,
        row: usize,
        name: impl FnOnce(usize) -> &'n str,
    ) -> SetAsideRow {
        let (column, excerpt) =
            self.column.map_or((0, String::new()), |column| in_line(&batch.columns[column], row));
        let reason = match self.column {
            Some(column) => format!("{}: {}", name(column), self.reason),
            None => self.reason,
        };
        let place = batch.places.get(row).copied().unwrap_or_default();
        SetAsideRow { code: self.code, place, column, reason, excerpt }
    }
}

impl SetAsideRow {
    pub fn unreadable(row: &UnreadableRow) -> SetAsideRow {
        SetAsideRow {
            code: row.code,
            place: row.place,
            column: 0,
            reason: row.reason.clone(),
            excerpt: row.excerpt.clone(),
        }
    }
}

/// Reads days. Rows come in long stretches of the same date, so its text is parsed once.
pub struct Dates {
    order: DateOrder,
    last_text: Vec<u8>,
    last_day: Option<Day>,
}

impl Dates {
    pub fn new(order: DateOrder) -> Dates {
        Dates { order, last_text: Vec::new(), last_day: None }
    }

    #[inline]
    pub fn day(&mut self, input: &Input, batch: &Batch<'_>, row: usize) -> Result<Day, CellFault> {
        let refuse = |column: Option<usize>, reason: String| CellFault::new(column, reason);
        let (column, text) = match input {
            Input::Constant(text) => (None, text.as_bytes()),
            Input::Column(column) | Input::CommaNumber(column) => match batch.columns[*column] {
                Cells::Days { nulls: Some(nulls), .. } if nulls[row] => {
                    return Err(refuse(Some(*column), "it is empty".into()));
                }
                Cells::Days { values, .. } => {
                    let day = Day::from_epoch(values[row]);
                    // A column of dates can hold any number, and a text only four digits of a year.
                    return if day.is_in_calendar() {
                        Ok(day)
                    } else {
                        Err(refuse(Some(*column), "it is not in the years 1 to 9999".into()))
                    };
                }
                cells => (Some(*column), cells.plain(row)),
            },
        };
        if self.last_text == text
            && let Some(day) = self.last_day
        {
            return Ok(day);
        }
        let day =
            parse_instant(text, self.order).map_err(|error| refuse(column, error.to_string()))?;
        // An offset can lead out of the years that its text has.
        if !day.is_in_calendar() {
            return Err(refuse(column, "it is not in the years 1 to 9999".into()));
        }
        self.last_text.clear();
        self.last_text.extend_from_slice(text);
        self.last_day = Some(day);
        Ok(day)
    }
}

/// The value of a cell as it stands in the file.
#[derive(Clone, Copy)]
pub enum CellValue<'a> {
    Text(&'a [u8]),
    /// The number and its scale.
    Scaled(i128, u32),
    /// There is none.
    Null,
}

impl<'a> CellValue<'a> {
    #[inline(always)]
    pub fn of(input: &'a Input, batch: &Batch<'a>, row: usize) -> CellValue<'a> {
        let text = match input {
            Input::Constant(text) => text.as_bytes(),
            Input::Column(column) | Input::CommaNumber(column) => match batch.columns[*column] {
                Cells::Decimal { nulls: Some(nulls), .. } if nulls[row] => return CellValue::Null,
                Cells::Decimal { values, scale, .. } => {
                    return CellValue::Scaled(values[row], scale);
                }
                cells => cells.plain(row),
            },
        };
        if text.is_empty() { CellValue::Null } else { CellValue::Text(text) }
    }

    /// Whether both say the same, and say something.
    #[inline]
    pub fn is(self, other: CellValue<'_>) -> bool {
        match (self, other) {
            (CellValue::Text(text), CellValue::Text(other)) => text == other,
            (CellValue::Scaled(value, scale), CellValue::Scaled(other, other_scale)) => {
                value == other && scale == other_scale
            }
            _ => false,
        }
    }
}

/// Whether a text has no value: it is blank, or a null of its table.
#[inline]
pub fn says_nothing(text: &[u8], nulls: &[String]) -> bool {
    let text = text.trim_ascii();
    text.is_empty() || nulls.iter().any(|null| null.trim().as_bytes() == text)
}

/// A quantity, or nothing if the cell has no value.
pub fn quantity(
    column: usize,
    nulls: &[String],
    mark: DecimalMark,
    batch: &Batch<'_>,
    row: usize,
) -> Result<Option<Quantity>, CellFault> {
    let cells = batch.columns[column];
    let parsed = match cells {
        Cells::Decimal { nulls: Some(nulls), .. } if nulls[row] => return Ok(None),
        Cells::Decimal { values, scale, .. } => Quantity::from_scaled(values[row], scale),
        cells => {
            let text = cells.plain(row);
            if says_nothing(text, nulls) {
                return Ok(None);
            }
            match mark {
                DecimalMark::Point => Quantity::parse(text),
                DecimalMark::Comma => {
                    let spelled = decimal_comma::with_point(text);
                    let spelled = spelled.ok_or_else(|| no_comma_number(Some(column), text))?;
                    Quantity::parse(&spelled)
                }
            }
        }
    };
    match parsed {
        Ok(quantity) => Ok(Some(quantity)),
        Err(NotAQuantity::Empty) => Ok(None),
        Err(error) if mark == DecimalMark::Point => {
            Err(CellFault::of_number(Some(column), cells.plain(row), error))
        }
        Err(error) => Err(CellFault::new(Some(column), error.to_string())),
    }
}

pub fn no_comma_number(column: Option<usize>, text: &[u8]) -> CellFault {
    let shown = String::from_utf8_lossy(&text[..text.len().min(60)]);
    CellFault::new(column, format!("'{shown}' is not a number with a decimal comma"))
}

/// An amount in nanos, with the rest that nanos cannot hold. It may be larger than one charge can
/// be, but not too large for some charges.
#[inline]
pub fn amount(
    input: &Input,
    batch: &Batch<'_>,
    row: usize,
) -> Result<(i128, Option<Rest>), CellFault> {
    let (column, text) = match input {
        Input::Constant(text) => (None, text.as_bytes()),
        Input::Column(column) | Input::CommaNumber(column) => match batch.columns[*column] {
            Cells::Decimal { values, nulls, scale } => {
                let is_null = nulls.is_some_and(|nulls| nulls[row]);
                let value = if is_null {
                    Err(NotAnAmount::Empty)
                } else {
                    decimal::wide_from_scaled(values[row], scale)
                };
                return checked(value, Some(*column));
            }
            cells => (Some(*column), cells.plain(row)),
        },
    };
    if let Input::CommaNumber(_) = input {
        return comma_amount(column, text);
    }
    // Tried first, because it does not allocate. It leaves unusual spellings to the full reader.
    match decimal::parse_plain(text) {
        Some((nanos, 0)) => Ok((nanos.into(), None)),
        Some((nanos, rest)) => Ok((nanos.into(), Some(Rest::Fine(rest)))),
        None => match decimal::parse_wide(text) {
            Ok(parsed) => checked(Ok(parsed), column),
            Err(error) => Err(CellFault::of_number(column, text, not_an_amount(&error))),
        },
    }
}

#[cold]
fn comma_amount(column: Option<usize>, text: &[u8]) -> Result<(i128, Option<Rest>), CellFault> {
    if text.trim_ascii().is_empty() {
        return checked(Err(NotAnAmount::Empty), column);
    }
    let spelled = decimal_comma::with_point(text).ok_or_else(|| no_comma_number(column, text))?;
    checked(decimal::parse_wide(&spelled), column)
}

#[inline]
fn checked(
    parsed: Result<(i128, Rest), NotAnAmount>,
    column: Option<usize>,
) -> Result<(i128, Option<Rest>), CellFault> {
    let (nanos, rest) = parsed.map_err(|error| CellFault::new(column, not_an_amount(&error)))?;
    let nanos = check_size(nanos).map_err(|reason| CellFault::new(column, reason))?;
    Ok((nanos, Some(rest).filter(|rest| *rest != Rest::Fine(0))))
}

/// The character of the line at which a CSV cell starts, and the line itself.
fn in_line(cells: &Cells<'_>, row: usize) -> (u32, String) {
    // Only a cell of CSV has a line around it.
    let Cells::Text { buffer, ranges, quoted: true } = cells else {
        return (0, String::from_utf8_lossy(cells.plain(row)).chars().take(160).collect());
    };
    let start = ranges.get(row).map_or(0, |range| range.0 as usize).min(buffer.len());
    let line_start = buffer[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line_end = buffer[start..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(buffer.len(), |at| start + at);
    let column = String::from_utf8_lossy(&buffer[line_start..start]).chars().count() as u32 + 1;
    let line = String::from_utf8_lossy(&buffer[line_start..line_end])
        .chars()
        .take(160)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    (column, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_number_by_the_decimal_mark_of_its_table() {
        let text = b"12,51.2341.234,563.75";
        let ranges = [(0, 4), (4, 9), (9, 17), (17, 21), (0, 0)];
        let columns = [Cells::Text { buffer: text, ranges: &ranges, quoted: false }];
        let batch = Batch { rows: 5, columns: &columns, places: &[0; 5], unreadable: &[] };
        let read = |input: Input| -> Vec<Result<i128, &str>> {
            let cell = |row| match amount(&input, &batch, row) {
                Ok((nanos, _)) => Ok(nanos),
                Err(fault) => Err(fault.code.text()),
            };
            (0..5).map(cell).collect()
        };
        assert_eq!(
            read(Input::CommaNumber(0)),
            [
                Ok(12_500_000_000),
                Ok(1_234_000_000_000),
                Ok(1_234_560_000_000),
                Err("F201"),
                Err("F201")
            ]
        );
        assert_eq!(
            read(Input::Column(0)),
            [Err("F112"), Ok(1_234_000_000), Err("F112"), Ok(3_750_000_000), Err("F201")]
        );
        let quantities = |mark| -> Vec<Result<Option<i128>, &str>> {
            let cell = |row| match quantity(0, &[], mark, &batch, row) {
                Ok(value) => Ok(value.map(|value| value.0)),
                Err(fault) => Err(fault.code.text()),
            };
            (0..5).map(cell).collect()
        };
        let unit = Quantity::parse(b"1").map_or(0, |one| one.0);
        assert_eq!(
            quantities(DecimalMark::Comma),
            [
                Ok(Some(unit * 25 / 2)),
                Ok(Some(unit * 1234)),
                Ok(Some(unit * 123_456 / 100)),
                Err("F201"),
                Ok(None)
            ]
        );
        assert_eq!(quantities(DecimalMark::Point)[0], Err("F112"));
    }

    /// 2026-01-01, the last day of the year 9999 and the day after, and a timestamp that no day
    /// holds.
    #[test]
    fn a_day_that_no_date_could_name_sets_its_row_aside() {
        let values = [20_454, 2_932_896, 2_932_897, i32::MAX / 2];
        let columns = [Cells::Days { values: &values, nulls: None }];
        let batch = Batch { rows: 4, columns: &columns, places: &[0, 1, 2, 3], unreadable: &[] };
        let mut dates = Dates::new(DateOrder::Iso);
        let read: Vec<Result<String, String>> = (0..4)
            .map(|row| match dates.day(&Input::Column(0), &batch, row) {
                Ok(day) => Ok(day.to_string()),
                Err(fault) => Err(fault.reason),
            })
            .collect();
        let refused = || Err("it is not in the years 1 to 9999".to_owned());
        assert_eq!(read, [Ok("2026-01-01".into()), Ok("9999-12-31".into()), refused(), refused()]);
    }
}
