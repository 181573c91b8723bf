//! The tables of the settings, as TOML writes their names.

use serde_json::Value;

/// The line that begins a table, such as `[sources."a.b".store]`.
pub fn header(path: &[&str]) -> String {
    let keys: Vec<String> = path.iter().map(|name| key(name)).collect();
    format!("[{}]", keys.join("."))
}

/// One name. A name that is not bare stands in quotes, escaped as in JSON.
pub fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match name.chars().all(is_bare) && !name.is_empty() {
        true => name.to_owned(),
        false => Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_not_bare_is_quoted() {
        assert_eq!(header(&["sources", "eu-1", "aws"]), "[sources.eu-1.aws]");
        assert_eq!(header(&["tags", "a.b"]), "[tags.\"a.b\"]");
        assert_eq!(header(&["tags", "a\"\n", ""]), "[tags.\"a\\\"\\n\".\"\"]");
    }
}
