//! Tags in every spelling that bills use, and the schema that makes one key and value of many
//! spellings.

mod cell;

use std::borrow::Cow;
use std::collections::BTreeMap;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Tags as read: keys and values verbatim, in order of appearance.
pub type RawTags = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTags {
    #[error("the tags are neither JSON nor key:value pairs (at character {at})")]
    Malformed { at: usize },
    /// Some characters are written as a pair of escapes, and each half alone means nothing.
    #[error("the tags hold an escape that is no character (at character {at})")]
    NoCharacter { at: usize },
    #[error("the tag '{key}' comes twice in one cell, as '{first}' and as '{second}'")]
    Twice { key: String, first: String, second: String },
}

/// Reads a JSON object, the same without braces, a list of pairs, a list of key/value objects,
/// Python's way of writing these, and `key:value|key:value`. A tag without value is `true`, as
/// FOCUS has it.
pub fn parse(text: &str) -> Result<RawTags, NotTags> {
    let tags = cell::read(text.trim())?;
    expect_single(&tags)?;
    Ok(tags)
}

/// One key with two values in one cell: nobody can know which one is meant.
fn expect_single(tags: &RawTags) -> Result<(), NotTags> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in tags.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some(first) = known.insert(key, value).filter(|first| first != value) {
            let (first, second) = (first.to_owned(), value.clone());
            return Err(NotTags::Twice { key: key.clone(), first, second });
        }
    }
    Ok(())
}

/// A key as it is compared with others.
pub fn folded_key(key: &str) -> String {
    composed(&key.to_lowercase()).into_owned()
}

/// A value as it is compared with others, where values are folded.
pub fn folded_value(value: &str) -> String {
    composed(&value.trim().to_lowercase()).into_owned()
}

/// The text with composed letters (NFC). Two spellings that nobody can tell apart are one text
/// then.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

fn is_same_key(left: &str, right: &str) -> bool {
    match left.is_ascii() && right.is_ascii() {
        true => left.eq_ignore_ascii_case(right),
        false => folded_key(left) == folded_key(right),
    }
}

/// The tags that are parts of a target. They have a meaning without a section of their own.
pub const TARGET_TAGS: [&str; 4] = ["team", "cost_center", "environment", "application"];

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
/// stay as they are, with composed letters.
///
/// Names of teams and cells of tables are spelled by it too, so that a team has one name wherever
/// it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSchema {
    pub rules: Vec<TagRule>,
    /// Values that mean nothing, such as `#N/A`, folded.
    pub absent: Vec<String>,
}

impl TagSchema {
    /// Canonical tags, sorted by key, one value a key.
    ///
    /// Of several keys that mean one tag the canonical name wins, then the synonyms in order; of
    /// equal keys the last. An empty value counts as absent, so any other key wins over it.
    pub fn canonical(&self, raw: &RawTags) -> Vec<(String, String)> {
        let mut best: BTreeMap<Cow<'_, str>, (usize, String)> = BTreeMap::new();
        for (key, value) in raw {
            let (name, rank, mut value) = match self.find(key) {
                Some((rule, rank)) => (Cow::Borrowed(rule.name.as_str()), rank, rule.value(value)),
                None => (composed(key), 0, composed(value).into_owned()),
            };
            // A tag without a meaning of its own may well say "none".
            if self.gives_meaning(&name) && self.is_absent(&value) {
                value.clear();
            }
            let rank = if value.is_empty() { usize::MAX } else { rank };
            match best.get(&name) {
                Some((known, _)) if *known < rank => {}
                _ => {
                    best.insert(name, (rank, value));
                }
            }
        }
        best.into_iter().map(|(key, (_, value))| (key.into_owned(), value)).collect()
    }

    /// A value as the tag `key` would have it: without blanks around it, with composed letters, and
    /// folded where the tag's values are.
    pub fn spelled(&self, key: &str, value: &str) -> String {
        self.value_of(key, &composed(value.trim()))
    }

    /// The name of the tag that a key means.
    pub fn canonical_key<'a>(&'a self, key: &'a str) -> &'a str {
        self.name_of(key).unwrap_or(key)
    }

    /// Whether a value means nothing.
    pub fn is_absent(&self, value: &str) -> bool {
        let value = folded_value(value);
        value.is_empty() || self.absent.contains(&value)
    }

    fn gives_meaning(&self, name: &str) -> bool {
        TARGET_TAGS.contains(&name) || self.rules.iter().any(|rule| rule.name == name)
    }

    /// The canonical name of a key. Nothing for keys that the schema does not know.
    pub fn name_of(&self, key: &str) -> Option<&str> {
        self.find(key).map(|(rule, _)| rule.name.as_str())
    }

    /// The canonical spelling of a value.
    pub fn value_of(&self, key: &str, value: &str) -> String {
        self.find(key).map_or_else(|| value.to_owned(), |(rule, _)| rule.value(value))
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
        if is_same_key(key, &self.name) {
            return Some(1);
        }
        self.synonyms
            .iter()
            .position(|synonym| is_same_key(key, synonym))
            .map(|position| position + 2)
    }

    fn value(&self, raw: &str) -> String {
        let folded = if self.fold_values { folded_value(raw) } else { composed(raw).into_owned() };
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
        let malformed = |text: &str, at| {
            assert_eq!(parse(text), Err(NotTags::Malformed { at }), "{text}");
        };
        malformed(r#"{"a": "b""#, 9);
        malformed(r#"{"a" "b"}"#, 5);
        malformed(r#"{"a": {"nested": 1}}"#, 18);
        malformed("no tags", 0);
        malformed(r#"{"a":"b"} x"#, 10);
    }

    #[test]
    fn escapes_are_characters_and_pairs_of_them_too() {
        for (text, expect) in [
            (r#"{"team": "rocket-\ud83d\ude80"}"#, "team=rocket-🚀"),
            (r#"{"team": "rocket-\ud83e\udd84"}"#, "team=rocket-🦄"),
            (r#"{"\uD83D\uDE80\u00e9": "\u00FCx\/\b"}"#, "🚀é=üx/\u{8}"),
            ("{'team': 'a\\xa0b', 'x': '\\U0001f680'}", "team=a\u{a0}b & x=🚀"),
            ("null", ""),
            (" None ", ""),
        ] {
            assert_eq!(shown(text), expect, "{text}");
        }
    }

    #[test]
    fn half_a_character_is_refused_and_never_replaced() {
        for (text, at) in [
            (r#"{"team": "a\ud83d"}"#, 11),
            (r#"{"team": "a\ude80"}"#, 11),
            (r#"{"team": "\ud83d\ud83d"}"#, 10),
            (r#"{"team": "\ud83dx"}"#, 10),
            (r#"{"é\ud83d": "x"}"#, 3),
            (r#"{"team": "\u12"}"#, 10),
            (r#"{"team": "\u+123"}"#, 10),
            (r#"{"team": "\u12é4"}"#, 10),
        ] {
            assert_eq!(parse(text), Err(NotTags::NoCharacter { at }), "{text}");
        }
    }

    #[test]
    fn a_key_with_two_values_is_refused_in_every_shape() {
        let refused = |text: &str| parse(text).map_err(|error| error.to_string());
        let twice = "the tag 'team' comes twice in one cell, as 'kestrel' and as 'osprey'";
        for text in [
            r#"{"team": "kestrel", "env": "prod", "team": "osprey"}"#,
            r#""team": "kestrel", "team": "osprey""#,
            r#"[{"key":"team","value":"kestrel"},{"key":"team","value":"osprey"}]"#,
            r#"[["team","kestrel"],["team","osprey"]]"#,
            "team:kestrel|team:osprey",
        ] {
            assert_eq!(refused(text), Err(twice.to_owned()), "{text}");
        }
        for text in [
            r#"{"team": "kestrel", "team": "kestrel"}"#,
            r#"{"team": "kestrel", "team": ""}"#,
            r#"{"team": "kestrel", "Team": "osprey"}"#,
            r#"{"team": "kestrel", "team": null}"#,
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
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
            absent: Vec::new(),
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

    fn team_schema() -> TagSchema {
        TagSchema {
            rules: vec![TagRule {
                name: "team".into(),
                synonyms: vec!["squad".into(), "équipe".into()],
                fold_values: true,
                value_synonyms: BTreeMap::new(),
            }],
            absent: vec!["#n/a".into(), "null".into(), "-".into()],
        }
    }

    #[test]
    fn spellings_that_look_alike_are_one_text() {
        let tags = |key: &str, value: &str| {
            team_schema().canonical(&vec![(key.to_owned(), value.to_owned())])
        };
        // "Café" with one letter é, and with e and a combining accent.
        assert_eq!(tags("team", "Caf\u{e9}"), tags("team", "CAFE\u{301}"));
        assert_eq!(tags("E\u{301}QUIPE", "x"), [("team".to_owned(), "x".to_owned())]);
        // Also where the schema knows nothing of the key.
        assert_eq!(tags("ville", "Orle\u{301}ans"), tags("ville", "Orl\u{e9}ans"));
        assert_eq!(tags("re\u{301}gion", "x"), tags("r\u{e9}gion", "x"));
        let spelled = |value: &str| team_schema().spelled("squad", value);
        assert_eq!(spelled(" CAFE\u{301} "), "caf\u{e9}");
        assert_eq!(spelled("ΑΘΗΝΑ"), "αθηνα");
        assert_eq!(spelled("Команда"), "команда");
        assert_eq!(team_schema().spelled("account", " A-1 "), "A-1");
    }

    #[test]
    fn a_value_that_means_nothing_is_absent_only_where_the_tag_has_a_meaning() {
        let canonical = |text: &str| team_schema().canonical(&parse(text).unwrap_or_default());
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(canonical(r##"{"team": "#N/A", "squad": "a"}"##), [tag("team", "a")]);
        assert_eq!(canonical(r#"{"team": " NULL ", "squad": "-"}"#), [tag("team", "")]);
        assert_eq!(canonical(r#"{"cost_center": "null"}"#), [tag("cost_center", "")]);
        assert_eq!(canonical(r#"{"backup": "null"}"#), [tag("backup", "null")]);
    }
}
