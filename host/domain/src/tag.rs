//! Tags in every spelling that bills use, and the schema that makes one key and value of many
//! spellings.

use std::collections::BTreeMap;

/// Tags as read: keys and values verbatim, in order of appearance.
pub type RawTags = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tags are neither JSON nor key:value pairs (at character {at})")]
pub struct NotTags {
    pub at: usize,
}

/// Reads a JSON object, the same without braces, a list of pairs, a list of key/value objects,
/// Python's way of writing these, and `key:value|key:value`. A tag without value is `true`, as
/// FOCUS has it.
pub fn parse(text: &str) -> Result<RawTags, NotTags> {
    let trimmed = text.trim();
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
                .ok_or(NotTags { at: 0 })
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
        Err(NotTags { at: self.text[..self.at].chars().count() })
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
        let mut chars = self.text[self.at..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at += offset + 1;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 'u')) => {
                        let code: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                        value.push(
                            u32::from_str_radix(&code, 16)
                                .ok()
                                .and_then(char::from_u32)
                                .unwrap_or('\u{FFFD}'),
                        );
                    }
                    Some((_, escaped)) => value.push(escaped),
                    None => return self.fail(),
                },
                _ => value.push(c),
            }
        }
        self.fail()
    }
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

/// A key as it is compared with others.
pub fn folded_key(key: &str) -> String {
    key.to_ascii_lowercase()
}

/// A value as it is compared with others, where values are folded.
pub fn folded_value(value: &str) -> String {
    value.trim().to_lowercase()
}

/// One canonical tag: the keys that mean it, and the spellings of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagRule {
    pub name: String,
    /// Other keys that mean the same, in order of preference.
    pub synonyms: Vec<String>,
    /// Whether values are lower-cased and trimmed.
    pub fold_values: bool,
    /// Other values that mean the same, folded if values are.
    pub value_synonyms: BTreeMap<String, String>,
}

/// The organization's tag schema. Keys match without regard to case. Keys that it does not know
/// stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSchema {
    pub rules: Vec<TagRule>,
}

impl TagSchema {
    /// Canonical tags, sorted by key, one value a key.
    ///
    /// Of several keys that mean one tag the canonical name wins, then the synonyms in order; of
    /// equal keys the last. An empty value counts as absent, so any other key wins over it.
    pub fn canonical(&self, raw: &RawTags) -> Vec<(String, String)> {
        let mut best: BTreeMap<&str, (usize, String)> = BTreeMap::new();
        for (key, value) in raw {
            let (name, rank, value) = match self.find(key) {
                Some((rule, rank)) => (rule.name.as_str(), rank, rule.value(value)),
                None => (key.as_str(), 0, value.clone()),
            };
            let rank = if value.is_empty() { usize::MAX } else { rank };
            match best.get(name) {
                Some((known, _)) if *known < rank => {}
                _ => {
                    best.insert(name, (rank, value));
                }
            }
        }
        best.into_iter().map(|(key, (_, value))| (key.to_owned(), value)).collect()
    }

    fn find(&self, key: &str) -> Option<(&TagRule, usize)> {
        self.rules.iter().find_map(|rule| rule.rank(key).map(|rank| (rule, rank)))
    }
}

impl TagRule {
    /// 0 for the name itself, 1 for the name in another case, then the synonyms.
    fn rank(&self, key: &str) -> Option<usize> {
        if key == self.name {
            return Some(0);
        }
        if key.eq_ignore_ascii_case(&self.name) {
            return Some(1);
        }
        self.synonyms
            .iter()
            .position(|synonym| key.eq_ignore_ascii_case(synonym))
            .map(|position| position + 2)
    }

    fn value(&self, raw: &str) -> String {
        let folded = if self.fold_values { folded_value(raw) } else { raw.to_owned() };
        self.value_synonyms.get(&folded).cloned().unwrap_or(folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).map_or_else(
            |error| error.to_string(),
            |tags| {
                tags.iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect::<Vec<_>>()
                    .join(" & ")
            },
        )
    }

    #[test]
    fn reads_tags_in_every_shape() {
        for (text, expect) in [
            ("", ""),
            ("{}", ""),
            (r#"{"team": "payments", "env":"prod"}"#, "team=payments & env=prod"),
            (r#"{"org": "a", " org": "b"}"#, "org=a &  org=b"),
            (r#"{"n": 12, "x": 1.5, "on": true, "gone": null}"#, "n=12 & x=1.5 & on=true"),
            (r#""CostCenter": "1234","env": "prod""#, "CostCenter=1234 & env=prod"),
            (r#"[["team","a"],["env","b"]]"#, "team=a & env=b"),
            (r#"[{"key":"team","value":"a"},{"key":"env","value":null}]"#, "team=a"),
            ("[{'key': 'team', 'value': 'o\\'neil'}]", "team=o'neil"),
            ("{'team': 'a', 'none': None}", "team=a"),
            ("[('team', 'a')]", "team=a"),
            ("team:a|env:b:c", "team=a & env=b:c"),
            (
                r#"{"ms:Department": "/subscriptions/x/y", "q": "\u00e9\"\n"}"#,
                "ms:Department=/subscriptions/x/y & q=é\"\n",
            ),
        ] {
            assert_eq!(shown(text), expect, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_broken_and_says_where() {
        assert_eq!(parse(r#"{"a": "b""#), Err(NotTags { at: 9 }));
        assert_eq!(parse(r#"{"a" "b"}"#), Err(NotTags { at: 5 }));
        assert_eq!(parse(r#"{"a": {"nested": 1}}"#), Err(NotTags { at: 18 }));
        assert_eq!(parse("no tags"), Err(NotTags { at: 0 }));
        assert_eq!(parse(r#"{"a":"b"} x"#), Err(NotTags { at: 10 }));
    }

    #[test]
    fn the_schema_makes_one_word_of_many() {
        let schema = TagSchema {
            rules: vec![TagRule {
                name: "team".into(),
                synonyms: vec!["team_name".into(), "owner".into()],
                fold_values: true,
                value_synonyms: BTreeMap::from([("pay".into(), "payments".into())]),
            }],
        };
        let canonical = |text: &str| schema.canonical(&parse(text).unwrap_or_default());
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            canonical(r#"{"Team_Name": " PAY ", "x": "Y"}"#),
            [tag("team", "payments"), tag("x", "Y")]
        );
        assert_eq!(canonical(r#"{"owner": "b", "Team": "a"}"#), [tag("team", "a")]);
        assert_eq!(canonical(r#"{"team": "c", "TEAM": "d"}"#), [tag("team", "c")]);
        assert_eq!(canonical(r#"{"team": " ", "owner": "b"}"#), [tag("team", "b")]);
        assert_eq!(canonical(r#"{"owner": "", "team": ""}"#), [tag("team", "")]);
    }
}
