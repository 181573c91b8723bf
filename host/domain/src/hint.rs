//! Advice about a finding, in parts that each surface words for itself.
//!
//! A library knows which command, setting or endpoint helps. It does not know who reads: somebody
//! at a terminal can run a command, and a client of the API cannot.

use std::fmt;

/// Advice that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Plain words, the same everywhere.
    Text(String),
    /// A command of Apportion, without the program's name: `run --stored`.
    Command(String),
    /// Lines of the settings file.
    Setting(String),
    /// A path of the API, with its query.
    Endpoint(String),
    /// The same deed in both ways.
    Deed { command: String, endpoint: String },
}

impl Hint {
    pub fn text(text: impl Into<String>) -> Hint {
        Hint(vec![Part::Text(text.into())])
    }

    pub fn command(line: impl Into<String>) -> Hint {
        Hint(vec![Part::Command(line.into())])
    }

    pub fn setting(lines: impl Into<String>) -> Hint {
        Hint(vec![Part::Setting(lines.into())])
    }

    pub fn endpoint(path: impl Into<String>) -> Hint {
        Hint(vec![Part::Endpoint(path.into())])
    }

    pub fn deed(command: impl Into<String>, endpoint: impl Into<String>) -> Hint {
        Hint(vec![Part::Deed { command: command.into(), endpoint: endpoint.into() }])
    }

    /// Goes on with the parts of another hint.
    pub fn then(mut self, next: impl Into<Hint>) -> Hint {
        self.0.extend(next.into().0);
        self
    }

    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The same hint with each part's words changed.
    pub fn map(self, change: impl Fn(&str) -> String) -> Hint {
        let part = |part: Part| match part {
            Part::Text(text) => Part::Text(change(&text)),
            Part::Command(line) => Part::Command(change(&line)),
            Part::Setting(lines) => Part::Setting(change(&lines)),
            Part::Endpoint(path) => Part::Endpoint(change(&path)),
            Part::Deed { command, endpoint } => {
                Part::Deed { command: change(&command), endpoint: change(&endpoint) }
            }
        };
        Hint(self.0.into_iter().map(part).collect())
    }

    /// For a client of the API: deeds are requests. `None` where only an operator can help.
    pub fn for_client(&self) -> Option<String> {
        self.0.iter().map(client_words).collect()
    }
}

fn client_words(part: &Part) -> Option<String> {
    match part {
        Part::Text(text) => Some(text.clone()),
        Part::Endpoint(endpoint) | Part::Deed { endpoint, .. } => Some(endpoint.clone()),
        Part::Command(_) | Part::Setting(_) => None,
    }
}

/// For a terminal. A lone command or setting stands bare, and so does a setting that begins a line:
/// both can be copied as lines.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [part] = self.0.as_slice() {
            return match part {
                Part::Command(line) | Part::Deed { command: line, .. } => {
                    write!(f, "apportion {line}")
                }
                Part::Text(text) | Part::Setting(text) | Part::Endpoint(text) => f.write_str(text),
            };
        }
        let mut begins_line = false;
        self.0.iter().try_for_each(|part| {
            let is_bare = std::mem::replace(&mut begins_line, false);
            match part {
                Part::Text(text) => {
                    begins_line = text.ends_with('\n');
                    f.write_str(text)
                }
                Part::Command(line) | Part::Deed { command: line, .. } => {
                    write!(f, "`apportion {line}`")
                }
                Part::Setting(text) if is_bare => f.write_str(text),
                Part::Setting(text) | Part::Endpoint(text) => write!(f, "`{text}`"),
            }
        })
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Hint {
        Hint::text(text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Hint {
        Hint::text(text)
    }
}

impl From<&Hint> for Hint {
    fn from(hint: &Hint) -> Hint {
        hint.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_reads_commands_and_a_client_reads_paths() {
        let list = Hint::text("see ").then(Hint::deed("costs", "/api/v1/costs"));
        assert_eq!(list.to_string(), "see `apportion costs`");
        assert_eq!(list.for_client().as_deref(), Some("see /api/v1/costs"));
    }

    #[test]
    fn a_lone_command_can_be_copied() {
        assert_eq!(Hint::command("run --stored").to_string(), "apportion run --stored");
    }

    #[test]
    fn a_setting_stands_bare_only_at_the_start_of_a_line() {
        let line = || Hint::setting("[limits]\nseconds = 9");
        let below = Hint::text("give it more time:\n").then(line());
        assert_eq!(below.to_string(), "give it more time:\n[limits]\nseconds = 9");
        let within = Hint::text("write ").then(line()).then(" there");
        assert_eq!(within.to_string(), "write `[limits]\nseconds = 9` there");
    }

    #[test]
    fn a_client_is_never_told_to_run_a_command_or_to_edit_settings() {
        for part in [Hint::command("run"), Hint::setting("[sources.a]")] {
            assert_eq!(Hint::text("try ").then(part).for_client(), None);
        }
    }
}
