//! A column of quantities: exact decimals, of which nearly all are short.

use super::number_column::{LONG, NumberColumn, UNKNOWN};
use super::numbers::{unzigzag, zigzag};
use super::quotient::Quotients;
use crate::Result;
use crate::block::{BlockReader, put_bytes, put_column, put_texts, put_u32};
use crate::error::corrupt;
use domain::figure::{Figure, PLACES_MAX, ShortFigure};
use std::borrow::Cow;

/// The mark of a figure that equals that of another column. It is found only in stored bytes.
const SAME: u8 = 253;
/// In place of a number of places: no figure was forecast.
const NO_FORECAST: u8 = 255;
/// Every so many rows are looked at to choose a form.
const SAMPLE_STEP: usize = 16;

/// Figures of charges by row. Marks below the others are numbers of places.
pub type Figures = NumberColumn<Figure>;

impl NumberColumn<Figure> {
    #[inline]
    pub fn push_short(&mut self, figure: ShortFigure) {
        self.push_digits(figure.digits, figure.places.min(PLACES_MAX));
    }

    pub fn push(&mut self, figure: Option<Figure>) {
        match figure {
            None => self.push_unknown(),
            Some(Figure::Short(short)) => self.push_short(short),
            Some(long) => self.push_long(long),
        }
    }

    /// Adds the last figure of another column.
    #[inline]
    pub fn push_last_of(&mut self, other: &Figures) {
        match (other.digits.last(), other.marks.last()) {
            (Some(digits), Some(mark)) if *mark <= PLACES_MAX => self.push_digits(*digits, *mark),
            (_, Some(mark)) if *mark == LONG => {
                self.push(other.long.last().map(|(_, figure)| figure.clone()));
            }
            _ => self.push_unknown(),
        }
    }

    /// The figure of a row, if it is known.
    pub fn get(&self, row: usize) -> Option<Figure> {
        match self.marks.get(row) {
            Some(&LONG) => self.long(row).cloned(),
            _ => self.short(row).map(Figure::Short),
        }
    }

    #[inline]
    pub fn short(&self, row: usize) -> Option<ShortFigure> {
        match (self.digits.get(row), self.marks.get(row)) {
            (Some(digits), Some(places)) if *places <= PLACES_MAX => {
                Some(ShortFigure { digits: *digits, places: *places })
            }
            _ => None,
        }
    }

    /// All short figures with as many places as the one that has most, if all fit.
    fn aligned(&self) -> Option<Figures> {
        let most = self.marks.iter().filter(|mark| **mark <= PLACES_MAX).max().copied()?;
        let mut aligned = self.clone();
        for (digits, mark) in aligned.digits.iter_mut().zip(&mut aligned.marks) {
            if *mark < most {
                *digits = ShortFigure { digits: *digits, places: *mark }.with_places(most)?.digits;
                *mark = most;
            }
        }
        Some(aligned)
    }

    /// The number of places that most short figures have.
    fn usual_places(&self) -> Option<u8> {
        let mut counts = [0_u32; PLACES_MAX as usize + 1];
        for mark in &self.marks {
            if let Some(count) = counts.get_mut(usize::from(*mark)) {
                *count += 1;
            }
        }
        let most = (0..=PLACES_MAX).zip(counts).max_by_key(|(_, count)| *count)?;
        (most.1 > 0).then_some(most.0)
    }

    fn has_one_mark(&self) -> bool {
        self.marks.windows(2).all(|pair| pair[0] == pair[1])
    }

    fn put_long(&self, data: &mut Vec<u8>) {
        let texts: Vec<String> = self.long.iter().map(|(_, figure)| figure.to_string()).collect();
        put_u32(data, texts.len() as u32);
        if !texts.is_empty() {
            put_texts(data, texts.iter().map(String::as_str));
        }
    }
}

/// A form in which figures could be stored.
struct Form<'a> {
    figures: Cow<'a, Figures>,
    forecast: Option<u8>,
    bits: u64,
}

/// Appends quantities. `quotients` knows what costs and prices suggest.
///
/// A quantity is mostly the cost divided by the unit price, up to the digits that a nano does not
/// have. So the difference to that quotient is stored, where it is smaller than the quantity.
pub(super) fn put(data: &mut Vec<u8>, figures: &Figures, quotients: &Quotients<'_>) {
    let mut forms = vec![form(Cow::Borrowed(figures), quotients)];
    // A column with one number of places is aligned as it is.
    if !figures.has_one_mark()
        && let Some(aligned) = figures.aligned()
    {
        forms.push(form(Cow::Owned(aligned), quotients));
    }
    let Some(Form { figures, forecast, .. }) = forms.into_iter().min_by_key(|form| form.bits)
    else {
        return;
    };
    data.push(forecast.unwrap_or(NO_FORECAST));
    put_bytes(data, &figures.marks);
    let words: Vec<u64> = match forecast {
        None => figures.digits.iter().map(|digits| zigzag(*digits)).collect(),
        Some(places) => {
            let ratios = quotients.ratios(places);
            let rows = figures.digits.iter().zip(&figures.marks).enumerate();
            rows.map(|(row, (digits, mark))| match *mark == places {
                true => zigzag(digits.wrapping_sub(quotients.quotient(&ratios, row))),
                false => zigzag(*digits),
            })
            .collect()
        }
    };
    put_column(data, &words);
    figures.put_long(data);
}

/// Looks at a sample, and decides whether a forecast pays.
fn form<'a>(figures: Cow<'a, Figures>, quotients: &Quotients<'_>) -> Form<'a> {
    let width = |value: i64| u64::from(u64::BITS - zigzag(value).leading_zeros());
    let sample = || (0..figures.len()).step_by(SAMPLE_STEP);
    // Marks that vary cost bits too: about half a byte each.
    let marks = if figures.has_one_mark() { 0 } else { 4 * sample().count() as u64 };
    let plain: u64 = sample().map(|row| width(figures.digits[row])).sum();
    let usual = figures.usual_places().filter(|_| quotients.are_there());
    let forecast = usual.map(|places| {
        let ratios = quotients.ratios(places);
        let left = |row: usize| match figures.marks[row] == places {
            true => figures.digits[row].wrapping_sub(quotients.quotient(&ratios, row)),
            false => figures.digits[row],
        };
        (places, sample().map(|row| width(left(row))).sum::<u64>())
    });
    match forecast {
        Some((places, bits)) if bits < plain => {
            Form { figures, forecast: Some(places), bits: bits + marks }
        }
        _ => Form { figures, forecast: None, bits: plain + marks },
    }
}

/// Appends figures that mostly equal those of another column.
pub(super) fn put_beside(data: &mut Vec<u8>, figures: &Figures, beside: &Figures) {
    // Mostly the whole column is that of the other.
    if figures == beside {
        put_bytes(data, &vec![SAME; figures.len()]);
        put_column(data, &vec![0_u64; figures.len()]);
        put_u32(data, 0);
        return;
    }
    let mut left = figures.clone();
    if beside.len() == figures.len() {
        for row in 0..figures.len() {
            let is_same = match (figures.short(row), beside.short(row)) {
                (Some(figure), Some(other)) => figure == other,
                _ => figures.marks[row] == LONG && figures.get(row) == beside.get(row),
            };
            if is_same {
                (left.digits[row], left.marks[row]) = (0, SAME);
            }
        }
        left.long.retain(|(row, _)| left.marks[*row as usize] == LONG);
    }
    put_bytes(data, &left.marks);
    put_column(data, &left.digits.iter().map(|digits| zigzag(*digits)).collect::<Vec<u64>>());
    left.put_long(data);
}

pub(super) fn read(
    reader: &mut BlockReader<'_>,
    rows: usize,
    quotients: &Quotients<'_>,
) -> Result<Figures> {
    let forecast = reader.byte()?;
    let mut figures = read_plain(reader, rows, |mark| mark <= PLACES_MAX)?;
    if forecast == NO_FORECAST {
        return Ok(figures);
    }
    if forecast > PLACES_MAX {
        return Err(corrupt(format!("quantities of charges have {forecast} places")));
    }
    let ratios = quotients.ratios(forecast);
    for (row, (digits, mark)) in figures.digits.iter_mut().zip(&figures.marks).enumerate() {
        if *mark == forecast {
            *digits = digits.wrapping_add(quotients.quotient(&ratios, row));
        }
    }
    Ok(figures)
}

pub(super) fn read_beside(
    reader: &mut BlockReader<'_>,
    rows: usize,
    beside: &Figures,
) -> Result<Figures> {
    let is_there = beside.len() == rows;
    let mut figures =
        read_plain(reader, rows, |mark| mark <= PLACES_MAX || mark == SAME && is_there)?;
    let mut long: Vec<(u32, Figure)> = Vec::new();
    let mut own = std::mem::take(&mut figures.long).into_iter();
    for row in 0..rows {
        match figures.marks[row] {
            SAME => {
                (figures.digits[row], figures.marks[row]) = (beside.digits[row], beside.marks[row]);
                if beside.marks[row] == LONG {
                    long.extend(beside.get(row).map(|figure| (row as u32, figure)));
                }
            }
            LONG => long.extend(own.next()),
            _ => {}
        }
    }
    figures.long = long;
    Ok(figures)
}

/// Reads marks, digits and long figures.
fn read_plain(
    reader: &mut BlockReader<'_>,
    rows: usize,
    is_mark: impl Fn(u8) -> bool,
) -> Result<Figures> {
    let mut marks = vec![0; rows];
    reader.bytes(&mut marks)?;
    let is_known = |mark: u8| mark == UNKNOWN || mark == LONG || is_mark(mark);
    if let Some(mark) = marks.iter().find(|mark| !is_known(**mark)) {
        return Err(corrupt(format!("a quantity of a charge has the unknown mark {mark}")));
    }
    let mut words: Vec<u64> = Vec::new();
    reader.column(rows, &mut words)?;
    let mut long = Vec::new();
    let count = reader.count()?;
    let mut places = (0_u32..).zip(&marks).filter(|(_, mark)| **mark == LONG);
    if count > 0 {
        reader.texts(count, |text| {
            let (row, _) = places.next().ok_or_else(too_many)?;
            let figure =
                Figure::parse(text.as_bytes()).map_err(|error| corrupt(error.to_string()))?;
            long.push((row, figure));
            Ok(())
        })?;
    }
    if places.next().is_some() {
        return Err(corrupt("a long quantity of a charge is missing"));
    }
    Ok(Figures { digits: words.into_iter().map(unzigzag).collect(), marks, long })
}

fn too_many() -> domain::diagnostic::Diagnostic {
    corrupt("a segment of charges has a quantity without a charge")
}
