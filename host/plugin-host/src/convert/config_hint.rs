//! Hints of plugins that name settings of the plugin. A plugin writes `report = "actual"`, and in
//! the settings file that stands in the source's `config`.

use serde_json::Value;

/// The names of a plugin's own settings, by the schema of its manifest.
pub fn setting_names(config_schema: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(config_schema).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
}

/// The hint with each setting of the plugin in `config = { … }`, so that it can be pasted.
pub fn in_config(hint: &str, names: &[String]) -> String {
    // The plugin says itself where the setting stands.
    if hint.contains("config = {") || hint.trim_start().starts_with('[') {
        return hint.to_owned();
    }
    let (mut told, mut rest) = (String::new(), hint);
    while let Some((before, setting, after)) = first_setting(rest, names) {
        told.push_str(before);
        told.push_str(&format!("config = {{ {setting} }}"));
        rest = after;
    }
    told + rest
}

/// The first setting of a text, with the text before and after it.
fn first_setting<'t>(text: &'t str, names: &[String]) -> Option<(&'t str, &'t str, &'t str)> {
    text.match_indices(" = ").find_map(|(at, sign)| {
        let name = names.iter().find(|name| {
            let before = text[..at].strip_suffix(name.as_str());
            before.is_some_and(|before| !before.ends_with(|last: char| is_of_name(last)))
        })?;
        let value = at + sign.len();
        let end = value + values_end(&text[value..])?;
        let start = at - name.len();
        Some((&text[..start], &text[start..end], &text[end..]))
    })
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// The end of a value, or of several that are written as `"a" | "b"`.
fn values_end(text: &str) -> Option<usize> {
    let mut end = value_end(text)?;
    while let Some(next) = text[end..].strip_prefix(" | ") {
        let Some(length) = value_end(next) else { break };
        end += " | ".len() + length;
    }
    Some(end)
}

/// The end of a text, a list, a table, a number or a switch.
fn value_end(text: &str) -> Option<usize> {
    let (mut depth, mut in_text) = (0_usize, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => in_text = !in_text,
            _ if in_text => continue,
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => continue,
            letter if is_of_name(letter) => {
                // A point at the end is the sentence's.
                let end = text[at..].find(|other| !is_of_name(other)).unwrap_or(text.len() - at);
                return Some(at + text[at..at + end].trim_end_matches('.').len());
            }
            _ => return None,
        }
        if depth == 0 && !in_text {
            return Some(at + letter.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_plugin_stand_in_config() {
        let names: Vec<String> = setting_names(
            r#"{"properties": {"report": {}, "cost": {}, "columns": {}, "order": {}, "rows": {}}}"#,
        );
        for (told, expected) in [
            ("report = \"actual\"", "config = { report = \"actual\" }"),
            (
                "report = \"actual\" or cost = \"both\": one of the two",
                "config = { report = \"actual\" } or config = { cost = \"both\" }: one of the \
                     two",
            ),
            ("order = \"dmy\" | \"mdy\"", "config = { order = \"dmy\" | \"mdy\" }"),
            (
                "columns = { cost = \"<the column>\", tags = [\"a\", \"b\"] } then",
                "config = { columns = { cost = \"<the column>\", tags = [\"a\", \"b\"] } } then",
            ),
            ("write rows = 500.", "write config = { rows = 500 }."),
            ("rows = true", "config = { rows = true }"),
            // Settings of the source, of another place, or no settings at all.
            ("plugin = \"aws-cur\"", "plugin = \"aws-cur\""),
            ("total_cost = \"x\"", "total_cost = \"x\""),
            ("config = { cost = \"x\" }", "config = { cost = \"x\" }"),
            ("[sources.a.secrets.cost]\nrows = \"X\"", "[sources.a.secrets.cost]\nrows = \"X\""),
            ("leave the file out", "leave the file out"),
            ("cost = ", "cost = "),
            ("cost = \"never closed", "cost = \"never closed"),
        ] {
            assert_eq!(in_config(told, &names), expected);
        }
        assert_eq!(setting_names("no JSON"), Vec::<String>::new());
    }
}
