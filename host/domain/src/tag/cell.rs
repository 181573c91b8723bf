//! Reads a cell of tags: JSON, what Python prints, and pairs.

use super::{NotTags, RawTags};

pub fn read(trimmed: &str) -> Result<RawTags, NotTags> {
    if matches!(trimmed, "null" | "None") {
        return Ok(Vec::new());
    }
    match trimmed.as_bytes().first() {
        None => Ok(Vec::new()),
        Some(b'{') => Reader::new(trimmed).whole(Reader::object),
        Some(b'[') => Reader::new(trimmed).whole(Reader::list),
        Some(b'"' | b'\'') => Reader::new(trimmed).whole(|reader| reader.members(None)),
        Some(_) => pairs(trimmed),
    }
}

fn pairs(text: &str) -> Result<RawTags, NotTags> {
    text.split('|')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            pair.split_once(':')
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .ok_or(NotTags::Malformed { at: 0 })
        })
        .collect()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    fn whole(
        mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<RawTags, NotTags>,
    ) -> Result<RawTags, NotTags> {
        let tags = read(&mut self)?;
        match self.peek() {
            None => Ok(tags),
            Some(_) => self.fail(),
        }
    }

    fn fail<T>(&self) -> Result<T, NotTags> {
        Err(NotTags::Malformed { at: self.text[..self.at].chars().count() })
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotTags> {
        if self.take(byte) { Ok(()) } else { self.fail() }
    }

    fn object(&mut self) -> Result<RawTags, NotTags> {
        self.expect(b'{')?;
        self.members(Some(b'}'))
    }

    /// `key: value, …` up to the closing byte, or to the end of the text.
    fn members(&mut self, close: Option<u8>) -> Result<RawTags, NotTags> {
        let mut tags = RawTags::new();
        loop {
            match (self.peek(), close) {
                (None, None) => return Ok(tags),
                (Some(byte), Some(close)) if byte == close => {
                    self.at += 1;
                    return Ok(tags);
                }
                _ => {}
            }
            if !tags.is_empty() {
                self.expect(b',')?;
            }
            let key = self.string()?;
            self.expect(b':')?;
            if let Some(value) = self.scalar()? {
                tags.push((key, value));
            }
        }
    }

    fn list(&mut self) -> Result<RawTags, NotTags> {
        self.expect(b'[')?;
        let mut tags = RawTags::new();
        if self.take(b']') {
            return Ok(tags);
        }
        loop {
            match self.peek() {
                Some(b'[' | b'(') => tags.extend(self.pair()?),
                Some(b'{') => {
                    let members = self.object()?;
                    tags.extend(key_and_value(members));
                }
                _ => return self.fail(),
            }
            if self.take(b']') {
                return Ok(tags);
            }
            self.expect(b',')?;
        }
    }

    fn pair(&mut self) -> Result<Option<(String, String)>, NotTags> {
        let close = if self.take(b'[') { b']' } else { b')' };
        if close == b')' {
            self.expect(b'(')?;
        }
        let key = self.string()?;
        self.expect(b',')?;
        let value = self.scalar()?;
        self.expect(close)?;
        Ok(value.map(|value| (key, value)))
    }

    /// A string, number, boolean; `None` for null.
    fn scalar(&mut self) -> Result<Option<String>, NotTags> {
        if matches!(self.peek(), Some(b'"' | b'\'')) {
            return self.string().map(Some);
        }
        let rest = &self.text[self.at..];
        let word = &rest[..rest.find([',', '}', ']', ')']).unwrap_or(rest.len())];
        self.at += word.len();
        match word.trim_end() {
            "null" | "None" => Ok(None),
            "true" | "True" => Ok(Some("true".into())),
            "false" | "False" => Ok(Some("false".into())),
            number
                if number.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && number.parse::<i64>().is_ok() =>
            {
                Ok(Some(number.into()))
            }
            number if crate::decimal::parse(number.as_bytes()).is_ok() => Ok(Some(number.into())),
            _ => self.fail(),
        }
    }

    fn string(&mut self) -> Result<String, NotTags> {
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => char::from(quote),
            _ => return self.fail(),
        };
        self.at += 1;
        let mut value = String::new();
        let start = self.at;
        let mut chars = self.text[start..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at = start + offset + 1;
                    return Ok(value);
                }
                '\\' => {
                    let escape = chars.as_str();
                    let Some((escaped, rest)) = unescaped(escape) else {
                        let at = self.text[..start + offset].chars().count();
                        return Err(NotTags::NoCharacter { at });
                    };
                    value.push(escaped);
                    chars
                        .by_ref()
                        .take(escape[..escape.len() - rest.len()].chars().count())
                        .for_each(drop);
                }
                _ => value.push(c),
            }
        }
        self.fail()
    }
}

/// The character behind a backslash, as JSON and Python write it, and the text after it.
fn unescaped(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let character = match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'x' => return escape(chars.as_str(), 2),
        'U' => return escape(chars.as_str(), 8),
        'u' => return pair(chars.as_str()).or_else(|| escape(chars.as_str(), 4)),
        other => other,
    };
    Some((character, chars.as_str()))
}

/// A character by its number, in so many digits of base 16.
fn escape(text: &str, digits: usize) -> Option<(char, &str)> {
    let (number, rest) = hexadecimal(text, digits)?;
    Some((char::from_u32(number)?, rest))
}

/// A character beyond the first 65,536, in two escapes.
fn pair(text: &str) -> Option<(char, &str)> {
    let (high, rest) = hexadecimal(text, 4)?;
    let (low, rest) = hexadecimal(rest.strip_prefix("\\u")?, 4)?;
    let (0xD800..=0xDBFF, 0xDC00..=0xDFFF) = (high, low) else { return None };
    let number = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    Some((char::from_u32(number)?, rest))
}

fn hexadecimal(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    // A sign is a part of numbers elsewhere.
    let is_number = number.bytes().all(|digit| digit.is_ascii_hexdigit());
    Some((u32::from_str_radix(number, 16).ok().filter(|_| is_number)?, rest))
}

/// `[{"key": k, "value": v}]` and its spellings; any other object is tags itself.
fn key_and_value(members: RawTags) -> RawTags {
    let find = |name: &str| {
        members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    match (find("key"), find("value")) {
        (Some(key), Some(value)) => vec![(key, value)],
        (Some(_), None) if members.len() <= 2 => Vec::new(),
        _ => members,
    }
}
