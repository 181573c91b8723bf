//! Reads the text of `apportion.toml`: every value keeps its place, every refusal names one.

use crate::code;
use domain::code::Code;
use domain::diagnostic::{Diagnostic, did_you_mean};
use reach::http::masked;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A settings text that knows its places.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The name of the file in messages.
    pub file: &'a str,
    pub text: &'a str,
    /// The first byte of each line. Every setting asks for its line, so they are counted once.
    line_starts: Vec<usize>,
}

impl<'a> Reading<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Reading<'a> {
        let behind_each = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Reading { file, text, line_starts: std::iter::once(0).chain(behind_each).collect() }
    }

    /// Reads the whole text into sections.
    pub fn parse<S: DeserializeOwned>(&self) -> Result<S, Diagnostic> {
        toml::from_str(self.text).map_err(|error| self.refused(&error))
    }

    /// Every value that is written, with its key and its place; of a text with errors, those that
    /// can be read. Values of other types than text, numbers, switches and lists are left out.
    pub fn written(&self) -> Vec<(String, serde_json::Value, Range<usize>)> {
        let mut written = Vec::new();
        let (table, _errors) = DeTable::parse_recoverable(self.text);
        leaves(table.get_ref(), "", &mut written);
        written
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> u32 {
        self.line_starts.partition_point(|start| *start <= at) as u32
    }

    /// A finding at a place of the file, with the line and a caret. Neither shows the password of a
    /// URL, so a line is left out if it could hide from `masked` that it has one.
    pub fn finding(
        &self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let (line, column) = self.place(span.start);
        let rest = self.text.get(self.start_of(line)..).unwrap_or_default();
        let source_line = rest.lines().next().unwrap_or_default();
        let before: String = source_line.chars().take(column as usize - 1).collect();
        // What is hidden before the place moves the caret.
        let caret = masked(&before).chars().count() as u32 + 1;
        let finding = self.bare_finding(code, span, message);
        if VEILS.iter().any(|veil| source_line.contains(veil)) {
            return finding;
        }
        let excerpt = finding.at(self.file, line, caret).excerpt(&masked(source_line));
        excerpt.at(self.file, line, column)
    }

    /// A finding without its line, which may hold a secret.
    fn bare_finding(
        &self,
        code: Code,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let (line, column) = self.place(span.start);
        Diagnostic::new(code, masked(&message.into())).at(self.file, line, column)
    }

    fn place(&self, at: usize) -> (u32, u32) {
        let line = self.line(at);
        let before = self.text.get(self.start_of(line)..at).unwrap_or_default();
        (line, before.chars().count() as u32 + 1)
    }

    fn start_of(&self, line: u32) -> usize {
        self.line_starts.get(line as usize - 1).copied().unwrap_or_default()
    }

    fn refused(&self, error: &toml::de::Error) -> Diagnostic {
        let span = error.span().unwrap_or(0..0);
        match unknown_key(error.message()) {
            None => self.wrong_type(&span, error.message().trim_end()),
            Some((key, known)) => {
                let message = format!("there is no setting '{key}' here");
                let names_a_secret =
                    SECRET_WORDS.iter().any(|word| key.to_lowercase().contains(word));
                // The line of a password that was written here would be logged.
                let finding = match names_a_secret || self.is_of_secrets(span.start) {
                    true => self.bare_finding(code::CONFIG_UNKNOWN_KEY, &span, message),
                    false => self.finding(code::CONFIG_UNKNOWN_KEY, &span, message),
                };
                match did_you_mean(key, known.iter().copied()) {
                    Some(meant) => finding.hint(format!("Did you mean `{meant}`?")),
                    None => {
                        finding.hint(format!("settings that can stand here: {}", known.join(", ")))
                    }
                }
            }
        }
    }

    fn wrong_type(&self, span: &Range<usize>, message: &str) -> Diagnostic {
        let Some((found, expected)) = message.rsplit_once(", expected ") else {
            return self.finding(code::CONFIG_SYNTAX, span, message);
        };
        // A value that was pasted where its keeper belongs may be the secret itself.
        if expected == KEEPER {
            let message =
                "a secret does not stand in the settings, but the place where it is kept does";
            let finding = self.bare_finding(code::CONFIG_SYNTAX, span, message);
            return finding.hint(format!("write {KEEPER}"));
        }
        let known = TYPE_WORDS.iter().find(|(type_name, _)| *type_name == expected);
        let expected = known.map_or(expected, |(_, words)| words);
        if self.is_of_secrets(span.start) {
            return self.bare_finding(code::CONFIG_SYNTAX, span, format!("expected {expected}"));
        }
        self.finding(code::CONFIG_SYNTAX, span, format!("{found}, expected {expected}"))
    }

    /// Whether a place is in a section of secrets, where any value may be the secret itself.
    fn is_of_secrets(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default();
        let section = before.lines().rfind(|line| line.trim_start().starts_with('['));
        let line = self.text.get(self.start_of(self.line(at))..).unwrap_or_default().lines().next();
        section.into_iter().chain(line).any(|text| text.contains("secret"))
    }
}

/// The form of a secret's keeper, as its sections tell serde.
pub const KEEPER: &str =
    "`{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ command = [\"program\"] }`";

/// What can hide a URL's password: characters with an escape, which JSON has for the slash too, and
/// a text that goes on in the next line.
const VEILS: [&str; 6] = ["\\u", "\\U", "\\x", "\\/", "\"\"\"", "'''"];

/// Words in the name of a key whose value is likely a secret.
const SECRET_WORDS: [&str; 6] = ["auth", "credential", "key", "password", "secret", "token"];

/// The types that a value may have to be, as serde names them and as people do.
const TYPE_WORDS: [(&str, &str); 5] = [
    ("u64", "a whole number, without quotes"),
    ("a boolean", "true or false, without quotes"),
    ("a string", "a text in quotes"),
    ("a sequence", "a list, such as [\"a\", \"b\"]"),
    ("a map", "a section"),
];

fn leaves(
    table: &DeTable,
    above: &str,
    written: &mut Vec<(String, serde_json::Value, Range<usize>)>,
) {
    for (name, value) in table {
        let key = if above.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{above}.{}", name.get_ref())
        };
        if let DeValue::Table(table) = value.get_ref() {
            leaves(table, &key, written);
        } else if let Ok(plain) = serde_json::Value::deserialize(value.clone().into_deserializer())
        {
            written.push((key, plain, name.span()));
        }
    }
}

/// The key and the known ones out of serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    Some((key, rest.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn refusal(text: &str) -> String {
        let reading = Reading::new("apportion.toml", text);
        reading.parse::<Settings>().map_or_else(|finding| finding.to_string(), |_| "read".into())
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place_and_the_likely_key() {
        let cases = [
            (
                "ledgr = 'x'\n",
                "apportion.toml:1:1: C103: there is no setting 'ledgr' here\n    ledgr = 'x'\n    \
                    ^\n  hint: Did you mean `ledger`?",
            ),
            (
                "[sources.aws]\nplugin = 'p'\n  pahts = []\n",
                "apportion.toml:3:3: C103: there is no setting 'pahts' here\n      pahts = []\n\
                 \u{20}     ^\n  hint: Did you mean `paths`?",
            ),
            (
                "[server]\nxyz = 1\n",
                "apportion.toml:2:1: C103: there is no setting 'xyz' here\n    xyz = 1\n    ^\n  \
                    hint: settings that can stand here: listen",
            ),
        ];
        for (text, expect) in cases {
            assert_eq!(refusal(text), expect);
        }
    }

    #[test]
    fn a_refusal_among_secrets_repeats_no_value() {
        for (line, expect) in [
            ("value = 'hunter2'", "apportion.toml:2:1: C103: there is no setting 'value' here"),
            ("command = 'echo hunter2'", "apportion.toml:2:11: C102: expected a list"),
            ("env = ['hunter2']", "apportion.toml:2:7: C102: expected a text in quotes"),
        ] {
            let refusal = refusal(&format!("[sources.x.secrets.token]\n{line}\n"));
            assert!(refusal.starts_with(expect), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn wrong_types_and_broken_toml_have_a_place() {
        assert_eq!(
            refusal("\nledger = 7\n"),
            "apportion.toml:2:10: C102: invalid type: integer `7`, expected a text in \
             quotes\n    ledger = 7\n             ^"
        );
        for (text, expect) in [
            ("[limits]\nthreads = 'two'\n", "expected a whole number, without quotes"),
            ("[limits]\nthreads = -1\n", "expected a whole number, without quotes"),
            ("log = 'json'\n", "expected a section of settings"),
            ("dimensions = 'x'\n", "expected a list, such as [\"a\", \"b\"]"),
        ] {
            let refused = refusal(text);
            assert!(refused.contains("C102") && refused.contains(expect), "{refused}");
        }
        assert!(
            refusal("rules = \n").starts_with("apportion.toml:1:"),
            "{}",
            refusal("rules = \n")
        );
        assert!(refusal("rules = \n").contains("C102"), "{}", refusal("rules = \n"));
    }

    /// The caret stands under the second URL of the line as it is shown.
    #[test]
    fn the_password_of_a_url_is_hidden_in_message_and_line() {
        let text = "[sources.x]\nplugin = 'p'\npaths = ['https://a:s3cr3t@h/', 7, 'x']\n";
        assert_eq!(
            refusal(text),
            "apportion.toml:3:33: C102: invalid type: integer `7`, expected a text in quotes\n    \
             paths = ['https://***@h/', 7, 'x']\n                               ^"
        );
        let refused = refusal("[sources.x]\nplugin = 'p'\npaths = 'https://a:s3cr3t@h/'\n");
        assert!(
            refused.starts_with(
                "apportion.toml:3:9: C102: invalid type: string \"https://***@h/\", expected a list"
            ),
            "{refused}"
        );
        assert!(!refused.contains("s3cr3t"), "{refused}");
    }

    /// The lines hold an escape in place of a sign of the URL, or a part of the URL only.
    #[test]
    fn a_line_that_hides_the_password_of_a_url_is_left_out() {
        let at = "apportion.toml:3:17: C102: invalid type: integer `7`, expected a text in quotes";
        for (value, expect) in [
            (r#"'x', "https://me:s3cr3t\u0040h""#, at),
            (r#"'x', "https:\U0000002F\U0000002Fme:s3cr3t@h""#, at),
            (r#"'x', "https:\x2F\x2Fme:s3cr3t@h""#, at),
            ("'x', \"\"\"https://me:s3cr3t\\\n@h\"\"\"", at),
            ("'x', '''https://me:s3cr3t\n@h'''", at),
        ] {
            let refused =
                refusal(&format!("[sources.x]\nplugin = 'p'\npaths = ['xyz', 7, {value}]"));
            assert_eq!(refused, expect, "{value}");
        }
        let refused = refusal("ledger = \"https:\\/\\/me:s3cr3t@h\"\n");
        assert!(
            refused.starts_with("apportion.toml:1:") && !refused.contains("s3cr3t"),
            "{refused}"
        );
    }

    #[test]
    fn a_secret_that_was_pasted_is_not_repeated() {
        for section in [
            "[sources.x.secrets]\ntoken = 's3cr3t'\n",
            "[sources.x.http]\nproxy_auth = 's3cr3t'\n",
            "[sources.x.store]\naccount_key = 's3cr3t'\n",
        ] {
            let refused = refusal(&format!("[sources.x]\nplugin = 'p'\n{section}"));
            assert!(refused.starts_with("apportion.toml:4:"), "{refused}");
            assert!(refused.contains("write `{ env = \"NAME\" }`"), "{refused}");
            assert!(!refused.contains("s3cr3t"), "{refused}");
        }
        let refused = refusal("[sources.x.http]\napi_token = 's3cr3t'\n");
        assert!(refused.starts_with("apportion.toml:2:1: C103") && !refused.contains("s3cr3t"));
    }
}
