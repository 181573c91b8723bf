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

    /// A summand that is no amount becomes the value, and so does a list that cannot be read whole.
    /// The row is then set aside, and the finding shows that text. Members of lists are written as
    /// in JSON, with a decimal point.
    fn sum<'a>(&'a self, terms: &[Summand], row: usize) -> Option<Cow<'a, str>> {
        let (mut sum, mut any) = (Exact::default(), false);
        for term in terms {
            let Some(text) = self.text(term.column, row) else { continue };
            any = true;
            // Some exports write the sum of a list in its place.
            let added = self.add(&mut sum, &text, term.subtract)
                || term.member.as_ref().is_some_and(|member| {
                    members(&text, member).is_some_and(|members| {
                        members.iter().all(|part| add(&mut sum, part, term.subtract))
                    })
                });
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

    /// Adds an amount as the table writes it.
    fn add(&self, sum: &mut Exact, text: &str, subtract: bool) -> bool {
        match self.reading.decimal_mark {
            DecimalMark::Point => add(sum, text, subtract),
            DecimalMark::Comma => decimal_comma::with_point(text.as_bytes())
                .and_then(|spelled| String::from_utf8(spelled).ok())
                .is_some_and(|spelled| add(sum, &spelled, subtract)),
        }
    }
}

fn add(sum: &mut Exact, text: &str, subtract: bool) -> bool {
    let text = text.trim();
    let turned = match (subtract, text.strip_prefix('-')) {
        (false, _) => Cow::Borrowed(text),
        (true, Some(positive)) => Cow::Borrowed(positive),
        (true, None) => Cow::Owned(format!("-{}", text.trim_start_matches('+'))),
    };
    // A summand can be larger than a charge, in rupiah or dong.
    let Ok((nanos, rest)) = decimal::parse_wide(turned.as_bytes()) else { return false };
    sum.add_nanos(nanos);
    sum.add_rest(&rest);
    true
}

/// The values of the members with one name in a list of objects, as JSON or as Python writes it,
/// without nulls. Nothing where the list cannot be read whole, or where an object has no such
/// member.
fn members(text: &str, name: &str) -> Option<Vec<String>> {
    let mut reader = ListReader { text, at: 0 };
    let mut found = Vec::new();
    reader.take('[')?;
    if reader.take(']').is_none() {
        loop {
            found.extend(reader.member(name)?);
            if reader.take(']').is_some() {
                break;
            }
            reader.take(',')?;
        }
    }
    reader.peek().is_none().then_some(found)
}

/// Reads a list of objects. Everything gives nothing where the text goes on otherwise.
struct ListReader<'a> {
    text: &'a str,
    at: usize,
}

/// How deep values may lie in one another. Real credits are flat.
const DEPTH_MAX: u32 = 16;

impl<'a> ListReader<'a> {
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        let found = self.peek().filter(|found| *found == wanted)?;
        self.at += found.len_utf8();
        Some(())
    }

    /// The member of the next object: its text, or `None` where it is null. An object that names it
    /// twice, or not at all, cannot be read.
    fn member(&mut self, name: &str) -> Option<Option<String>> {
        self.take('{')?;
        let mut found = None;
        loop {
            let key = self.quoted()?;
            self.take(':')?;
            if key == name {
                let held = self.scalar()?;
                if found.replace(held).is_some() {
                    return None;
                }
            } else {
                self.skip(0)?;
            }
            if self.take('}').is_some() {
                let held = found?;
                return Some(Some(held).filter(|held| !is_null(held)));
            }
            self.take(',')?;
        }
    }

    /// A text or a word such as a number.
    fn scalar(&mut self) -> Option<String> {
        match self.peek()? {
            '"' | '\'' => self.quoted(),
            '{' | '[' | '(' => None,
            _ => {
                let rest = &self.text[self.at..];
                let word = &rest[..rest.find([',', '}', ']', ')'])?];
                self.at += word.len();
                let word = word.trim();
                (!word.is_empty() && !word.contains(char::is_whitespace)).then(|| word.to_owned())
            }
        }
    }

    /// Goes past a value of any kind.
    fn skip(&mut self, depth: u32) -> Option<()> {
        let close = match self.peek()? {
            '{' => '}',
            '[' => ']',
            '(' => ')',
            _ => return self.scalar().map(drop),
        };
        if depth == DEPTH_MAX {
            return None;
        }
        self.at += 1;
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            if close == '}' {
                self.quoted()?;
                self.take(':')?;
            }
            self.skip(depth + 1)?;
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(',')?;
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let quote = self.peek().filter(|found| ['"', '\''].contains(found))?;
        self.at += 1;
        let mut word = String::new();
        let mut chars = self.text[self.at..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => word.push(chars.next()?.1),
                c if c == quote => {
                    self.at += at + 1;
                    return Some(word);
                }
                c => word.push(c),
            }
        }
        None
    }
}

fn is_null(held: &str) -> bool {
    ["", "null", "None"].contains(&held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        members(text, "amount").map(|members| members.join(" "))
    }

    #[test]
    fn members_are_found_in_json_and_in_what_python_prints() {
        for (text, expect) in [
            (
                "[{'name': \"it's 'amount': 9\", 'amount': -5e-06, 'full_name': None}, \
                 {'amount': -1.5}]",
                "-5e-06 -1.5",
            ),
            (r#"[{"amount":"-0.25","id":"amount"},{"amount":null}]"#, "-0.25"),
            (r#"[{"type": {"amount": 9, "of": [1, {"a": []}]}, "amount": 2}]"#, "2"),
            (" [ ] ", ""),
            ("[]", ""),
        ] {
            assert_eq!(found(text).as_deref(), Some(expect), "{text}");
        }
    }

    #[test]
    fn a_list_that_cannot_be_read_whole_gives_nothing() {
        for text in [
            "[{'amount': 1",
            r#"[{"name":"a","amount":-1.00},{"name":"b","amo"#,
            "garbage",
            "'",
            "",
            "[",
            "[{}]",
            "[1]",
            r#"[{"amount": 1} {"amount": 2}]"#,
            r#"[{"amount": 1}] and more"#,
            r#"[{"name":"a","credit_amount":-4.00}]"#,
            r#"[{"amount": 1}, {"name": "b"}]"#,
            r#"[{"amount": 1, "amount": 2}]"#,
            r#"[{"amount": {"units": 1}}]"#,
            r#"[{"amount": 1 2}]"#,
            r#"{"amount": 1}"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        let deep = format!("[{{\"a\": {}1{}, \"amount\": 1}}]", "[".repeat(99), "]".repeat(99));
        assert_eq!(found(&deep), None);
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
