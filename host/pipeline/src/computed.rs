//! Cells that are computed from other cells of their row, before anything else sees the row.

use crate::columns::TableReading;
use decode::{Batch, Cells};
use domain::decimal::{self, Exact};
use domain::decimal_comma;
use domain::mapping::{Choice, Condition, Value};
use domain::text_form::DecimalMark;
use std::borrow::Cow;

/// A column of a scan that is not in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputedColumn {
    pub choices: Vec<ComputedChoice>,
}

/// A choice whose columns are positions of the scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputedChoice {
    when: Vec<Test>,
    value: ComputedValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Test {
    column: usize,
    values: Vec<String>,
    negated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ComputedValue {
    Column(usize),
    Constant(String),
    Sum(Vec<Summand>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summand {
    column: usize,
    subtract: bool,
    member: Option<String>,
}

impl ComputedChoice {
    /// `place` gives a column's position in the scan.
    pub fn new(choice: &Choice, mut place: impl FnMut(&str) -> usize) -> ComputedChoice {
        let mut when = Vec::new();
        for Condition { column, values, negated } in &choice.when {
            when.push(Test { column: place(column), values: values.clone(), negated: *negated });
        }
        let value = match &choice.value {
            Value::Column(column) => ComputedValue::Column(place(column)),
            Value::Constant(text) => ComputedValue::Constant(text.clone()),
            Value::Sum(terms) => ComputedValue::Sum(
                terms
                    .iter()
                    .map(|term| Summand {
                        column: place(&term.column),
                        subtract: term.subtract,
                        member: term.member.clone(),
                    })
                    .collect(),
            ),
        };
        ComputedChoice { when, value }
    }
}

/// Texts of a column in one buffer, with the place of each.
type Texts = (Vec<u8>, Vec<(u32, u32)>);

/// The computed columns of a batch, in the order of the reading's columns.
pub struct ComputedBatch {
    texts: Vec<Texts>,
}

impl ComputedBatch {
    pub fn new(reading: &TableReading, batch: &Batch<'_>) -> ComputedBatch {
        let mut cells = BatchCells { reading, batch };
        let texts = reading.computed().map(|computed| cells.column(computed)).collect();
        ComputedBatch { texts }
    }

    pub fn columns<'a>(&'a self, reading: &TableReading, batch: &Batch<'a>) -> Vec<Cells<'a>> {
        let (mut read, mut computed) = (batch.columns.iter(), self.texts.iter());
        let column = |is_computed: bool| {
            let cells = if is_computed {
                computed.next().map(|(buffer, ranges)| Cells::Text {
                    buffer,
                    ranges,
                    quoted: false,
                })
            } else {
                read.next().copied()
            };
            cells.unwrap_or(Cells::Text { buffer: &[], ranges: &[], quoted: false })
        };
        reading.kinds().map(column).collect()
    }
}

/// The cells of a batch by their positions among all columns.
struct BatchCells<'r, 'b> {
    reading: &'r TableReading,
    batch: &'r Batch<'b>,
}

impl BatchCells<'_, '_> {
    fn column(&mut self, computed: &ComputedColumn) -> (Vec<u8>, Vec<(u32, u32)>) {
        let (mut buffer, mut ranges) = (Vec::new(), Vec::with_capacity(self.batch.rows));
        for row in 0..self.batch.rows {
            let start = buffer.len() as u32;
            if let Some(text) = computed.choices.iter().find_map(|choice| self.chosen(choice, row))
            {
                buffer.extend_from_slice(text.as_bytes());
            }
            ranges.push((start, buffer.len() as u32));
        }
        (buffer, ranges)
    }

    fn chosen<'a>(&'a self, choice: &'a ComputedChoice, row: usize) -> Option<Cow<'a, str>> {
        // A null counts as an empty text, so that a condition can ask for it.
        let fits = choice.when.iter().all(|test| {
            let text = self.text(test.column, row).unwrap_or_default();
            test.values.iter().any(|value| *value == text) != test.negated
        });
        if !fits {
            return None;
        }
        match &choice.value {
            ComputedValue::Column(column) => self.text(*column, row),
            ComputedValue::Constant(text) => Some(Cow::Borrowed(text)),
            ComputedValue::Sum(terms) => self.sum(terms, row),
        }
    }

    /// The cell's text, if it has a value.
    fn text(&self, column: usize, row: usize) -> Option<Cow<'_, str>> {
        let text = self.batch.columns[self.reading.read_position(column)].text(row);
        let says_nothing =
            text.trim().is_empty() || self.reading.nulls.iter().any(|null| *null == text);
        (!says_nothing).then_some(text)
    }

    /// A summand that is no amount becomes the value. Members of lists are written as in JSON, with
    /// a decimal point. The row is then set aside, and the finding
    /// shows that text.
    fn sum<'a>(&'a self, terms: &[Summand], row: usize) -> Option<Cow<'a, str>> {
        let (mut sum, mut any) = (Exact::default(), false);
        for term in terms {
            let Some(text) = self.text(term.column, row) else { continue };
            any = true;
            let added = match &term.member {
                None => match self.reading.decimal_mark {
                    DecimalMark::Point => add(&mut sum, &text, term.subtract),
                    DecimalMark::Comma => decimal_comma::with_point(text.as_bytes())
                        .and_then(|spelled| String::from_utf8(spelled).ok())
                        .is_some_and(|spelled| add(&mut sum, &spelled, term.subtract)),
                },
                Some(member) => {
                    members(&text, member).iter().all(|part| add(&mut sum, part, term.subtract))
                }
            };
            if !added {
                return Some(text);
            }
        }
        // The column is read like those of the file.
        any.then(|| match self.reading.decimal_mark {
            DecimalMark::Point => Cow::Owned(sum.to_string()),
            DecimalMark::Comma => Cow::Owned(sum.to_string().replace('.', ",")),
        })
    }
}

fn add(sum: &mut Exact, text: &str, subtract: bool) -> bool {
    let text = text.trim();
    let turned = match (subtract, text.strip_prefix('-')) {
        (false, _) => Cow::Borrowed(text),
        (true, Some(positive)) => Cow::Borrowed(positive),
        (true, None) => Cow::Owned(format!("-{}", text.trim_start_matches('+'))),
    };
    let Ok(parsed) = decimal::parse(turned.as_bytes()) else { return false };
    sum.add_nanos(i128::from(parsed.nanos));
    sum.add_rest(&parsed.rest);
    true
}

/// The values of the members with one name in a list of objects, as JSON or as Python writes it,
/// without nulls.
fn members(text: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let (word, after) = quoted(&rest[at..]);
        rest = after;
        let Some(value) = after.trim_start().strip_prefix(':').filter(|_| word == name) else {
            continue;
        };
        let value = value.trim_start();
        let (held, after) = match value.chars().next() {
            Some('"' | '\'') => quoted(value),
            _ => {
                let end = value.find([',', '}', ']']).unwrap_or(value.len());
                (value[..end].trim().to_owned(), &value[end..])
            }
        };
        rest = after;
        if !["", "null", "None"].contains(&held.as_str()) {
            found.push(held);
        }
    }
    found
}

/// The text that starts with a quote, and the rest after its end.
fn quoted(text: &str) -> (String, &str) {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return (String::new(), text) };
    let mut word = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
            c if c == quote => return (word, &text[at + c.len_utf8()..]),
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_json_and_in_what_python_prints() {
        let python = "[{'name': \"it's 'amount': 9\", 'amount': -5e-06, 'full_name': None}, {'amount': -1.5}]";
        assert_eq!(members(python, "amount"), ["-5e-06", "-1.5"]);
        assert_eq!(
            members(r#"[{"amount":"-0.25","id":"amount"},{"amount":null}]"#, "amount"),
            ["-0.25"]
        );
        assert_eq!(members("[]", "amount"), Vec::<String>::new());
        assert_eq!(members("[{'amount': 1", "amount"), ["1"]);
        assert_eq!(members("'", "amount"), Vec::<String>::new());
    }

    #[test]
    fn amounts_are_added_and_subtracted_to_the_last_digit() {
        let mut sum = Exact::default();
        for (text, subtract) in [("1e-28", false), ("-0.5", true), ("+0.25", true), ("2", false)] {
            assert!(add(&mut sum, text, subtract), "{text}");
        }
        assert_eq!(sum.to_string(), "2.2500000000000000000000000001");
        assert!(!add(&mut sum, "one", false));
    }
}
