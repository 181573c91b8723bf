//! Writes `REFERENCE.md`: every command, variable, exit code and error, out of what the binary
//! itself knows.

use crate::catalogue::codes;
use crate::command::CommandLine;
use clap::{Arg, Command, CommandFactory};
use installation::env_var;

#[test]
fn the_reference_is_fresh() {
    crate::golden::check("REFERENCE.md", &reference());
}

fn reference() -> String {
    let mut text = String::from(
        "# Reference\n\nWritten by a test out of the binary's own definitions: `UPDATE=1 cargo \
            test -p apportion` writes it anew.\n",
    );
    let mut root = CommandLine::command();
    root.build();
    command(&mut text, &root, "apportion");
    text.push_str(
        "\n## Environment\n\nFlags win over the environment, the environment over the \
        settings file.\n\n| variable | |\n|---|---|\n",
    );
    for (name, meaning) in env_var::DOCUMENTED {
        line(&mut text, format_args!("| `{name}` | {meaning} |"));
    }
    text.push_str("\n## Exit codes\n\n| code | |\n|---|---|\n");
    for (code, meaning) in [
        (0, "All is well."),
        (1, "The user's data, rules, settings or machine."),
        (2, "The command line."),
        (3, "The run went on, but not everything is in it."),
        (70, "A fault of Apportion."),
        (130, "Ended by Ctrl-C; a run that was not being committed is rolled back."),
        (143, "The same, by a polite kill."),
    ] {
        line(&mut text, format_args!("| {code} | {meaning} |"));
    }
    text.push_str("\n## Errors\n\n| code | exit | |\n|---|---|---|\n");
    for code in codes() {
        line(
            &mut text,
            format_args!("| {code} | {} | {} |", code.fault().exit_code(), code.meaning()),
        );
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.push_str(&format!("{arguments}\n"));
}

fn command(text: &mut String, command_: &Command, path: &str) {
    line(text, format_args!("\n## `{path}`\n"));
    let about = command_
        .get_long_about()
        .or(command_.get_about())
        .map(|about| about.to_string())
        .unwrap_or_default();
    line(text, format_args!("{}", examples_fenced(about.trim_end())));
    let is_shown = |arg: &&Arg| {
        !matches!(arg.get_id().as_str(), "help" | "version")
            && (!arg.is_global_set() || path == "apportion")
    };
    let shown: Vec<&Arg> = command_.get_arguments().filter(is_shown).collect();
    if !shown.is_empty() {
        line(text, format_args!("\n| | |\n|---|---|"));
    }
    for arg in shown {
        line(text, format_args!("| `{}` | {} |", spelled(arg), meaning(arg)));
    }
    for child in command_.get_subcommands().filter(|child| !child.is_hide_set()) {
        command(text, child, &format!("{path} {}", child.get_name()));
    }
}

/// Indented examples of a help text become a block.
fn examples_fenced(about: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    for line in about.lines() {
        let is_example = line.starts_with("  ");
        if is_example != inside {
            lines.push("```".into());
            inside = is_example;
        }
        lines.push(line.trim_end().to_owned());
    }
    if inside {
        lines.push("```".into());
    }
    lines.join("\n")
}

fn spelled(arg: &Arg) -> String {
    let values: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.to_string()).collect();
    let takes_value = arg.get_action().takes_values();
    let flag = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        _ => String::new(),
    };
    match (flag.is_empty(), takes_value) {
        (true, _) => values.join(" "),
        (false, true) => format!("{flag} {}", values.join(" ")),
        (false, false) => flag,
    }
}

fn meaning(arg: &Arg) -> String {
    let mut meaning = arg.get_help().map(|help| help.to_string()).unwrap_or_default();
    let possible: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if arg.get_action().takes_values() && !possible.is_empty() {
        meaning.push_str(&format!("; one of {}", possible.join(", ")));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default = defaults.join(",");
    if arg.get_action().takes_values() && !default.is_empty() {
        meaning.push_str(&format!("; `{default}` unless given"));
    }
    meaning.replace('|', "\\|")
}
