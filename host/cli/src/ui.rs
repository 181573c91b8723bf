//! The only writer: data to stdout, everything else to stderr.

use decode::code;
use domain::diagnostic::Diagnostic;
use domain::visible::{visible, visible_line};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use installation::{env_var, notice};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{ErrorKind, IsTerminal, Write};
use terminal_size::{Width, terminal_size_of};

const BOLD: &str = "\u{1b}[1m";
/// Columns of text that goes to no terminal.
const WIDTH: usize = 120;
const PLAIN: &str = "\u{1b}[0m";

/// How this command talks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    quiet: bool,
}

impl Ui {
    pub fn new(quiet: bool) -> Ui {
        Ui { quiet }
    }

    pub fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Prints the data of a command. A reader that has gone away is no error.
    pub fn data(self, text: &str) -> Result<(), Diagnostic> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Diagnostic::new(
                code::FILE_UNREADABLE,
                format!("standard output cannot be written: {error}"),
            )),
            _ => Ok(()),
        }
    }

    /// Tells on stderr how the command goes on.
    pub fn note(self, text: &str) {
        tracing::info!("{text}");
    }

    pub fn warning(self, diagnostic: &Diagnostic) {
        notice::warn(diagnostic);
    }

    /// A report in text as it is shown: nothing that bills or rules say in it moves the cursor.
    pub fn shown(self, text: &str) -> String {
        let shown = visible(text).into_owned();
        match self.has_bold() {
            // Only the house writes these.
            true => shown
                .replace(&visible(BOLD).into_owned(), BOLD)
                .replace(&visible(PLAIN).into_owned(), PLAIN),
            false => shown,
        }
    }

    /// Bold where stdout is a terminal that welcomes it.
    pub fn bold(self, text: &str) -> String {
        if self.has_bold() { format!("{BOLD}{text}{PLAIN}") } else { text.to_owned() }
    }

    /// Columns of a table in text. Where nobody says how wide a terminal is, as in a pipe, they do
    /// not hang on the place of the reader.
    pub fn width(self) -> usize {
        let terminal = || {
            let (Width(columns), _) = terminal_size_of(std::io::stdout())?;
            Some(usize::from(columns))
        };
        env_var::columns().or_else(terminal).unwrap_or(WIDTH)
    }

    /// Lines of a report as they are shown: what bills and rules say in one stays in it.
    pub fn lines(self, lines: &[String]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| visible_line(line)).collect();
        self.shown(&lines.join("\n"))
    }

    fn has_bold(self) -> bool {
        std::io::stdout().is_terminal() && !env_var::no_color()
    }

    /// A bar on stderr, drawn only on terminals.
    pub fn progress(self) -> ProgressBar {
        let target = if self.quiet || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{msg:40!} {wide_bar} {percent:>3} %") {
            bar.set_style(style);
        }
        bar
    }
}

/// Where errors go. Nobody is left to be told if stderr itself is gone.
pub fn failure(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Pretty JSON with a line end.
pub fn json_text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A document as pretty JSON, its members by name.
pub fn document_text(document: &impl Serialize) -> String {
    json_text(&json!(document))
}

/// `error: <finding>`, then the hint behind an empty line.
pub fn finding_text(title: &str, finding: &str, hint: Option<&str>) -> String {
    let finding = visible(finding);
    match hint {
        Some(hint) => format!("{title}: {finding}\n\nhint: {}\n", visible(hint)),
        None => format!("{title}: {finding}\n"),
    }
}
