//! The rule language for editors: definitions of functions and fields, and snippets.

use crate::function_page::functions;
use crate::host_function::{FunctionFamily, HostFunction};
use domain::detail::Detail;
use domain::field::Field;
use std::fmt::Write;

/// A piece of text that editors offer for a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The signature.
    pub name: &'static str,
    /// The word that offers it.
    pub prefix: &'static str,
    pub body: &'static str,
    pub doc: &'static str,
}

/// One snippet for each form of each function. It inserts the form's example.
pub fn snippets() -> impl Iterator<Item = Snippet> {
    functions().map(|function| Snippet {
        name: function.signature,
        prefix: function.name,
        body: function.example,
        doc: function.doc,
    })
}

/// A definitions file for the Rhai language server, with the fields that are collected.
pub fn definitions(fields: &[Field]) -> String {
    let mut text = String::from("module static;\n");
    define(
        &mut text,
        &["What a rule says about itself; the first statement of its file."],
        "rule(header: Map)",
    );
    for field in fields {
        let doc = format!(
            "The column {} of FOCUS, or \"\" where the charge lacks it.",
            field.focus_name()
        );
        define(&mut text, &[&doc], &format!("get {}(charge: Charge) -> String", field.name()));
    }
    for (name, kind, doc) in LINE {
        define(&mut text, &[doc], &format!("get {name}(charge: Charge) -> {kind}"));
    }
    for detail in Detail::ALL {
        let doc = format!(
            "The column {} of FOCUS. A rule that reads it is asked for every charge, and puts \
             those that do not say it in suspense.",
            detail.focus_name()
        );
        define(&mut text, &[&doc], &format!("get {}(charge: Charge) -> Decimal", detail.name()));
    }
    for function in functions() {
        let example = format!("`{}` gives {}", function.example, function.gives);
        define(
            &mut text,
            &[&format!("`{}`", function.signature), "", function.doc, "", &example],
            &definition(function),
        );
    }
    text
}

const LINE: [(&str, &str, &str); 4] = [
    ("billing_currency", "String", "The currency of the charge."),
    (
        "charge_period_start",
        "String",
        "The day of the charge. A rule that reads it is asked for every day.",
    ),
    ("billed_cost", "Decimal", "What is invoiced. A rule that reads it is asked for every charge."),
    ("effective_cost", "Decimal", "What is borne. A rule that reads it is asked for every charge."),
];

fn define(text: &mut String, doc: &[&str], signature: &str) {
    // Writing into a text cannot fail.
    let _written = writeln!(text);
    for line in doc {
        let _written = writeln!(text, "{}", format!("/// {line}").trim_end());
    }
    let _written = writeln!(text, "fn {signature};");
}

/// A signature from the functions' page, with a name and a type for every parameter.
fn definition(function: &HostFunction) -> String {
    let (receiver, call) = match function.signature.split_once('.') {
        Some((receiver, call)) if receiver.chars().all(|c| c.is_ascii_lowercase()) => {
            (Some(receiver), call)
        }
        _ => (None, function.signature),
    };
    let receiver = receiver.map(|name| (name, if name == "charge" { "Charge" } else { "String" }));
    let inner = call.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let parameters =
        inner.map(split_at_commas).unwrap_or_default().into_iter().filter_map(|parameter| {
            match parameter.chars().next() {
                None | Some('…') => None,
                Some('#') => Some(("options", "Map")),
                Some('[') => Some(("list", "Array")),
                Some(_) => Some((parameter, "?")),
            }
        });
    let parameters: Vec<(&str, &str)> = receiver.into_iter().chain(parameters).collect();
    // A second parameter of the same name gets a number: `options`, `options_2`.
    let named = parameters.iter().enumerate().map(|(at, (name, kind))| {
        match parameters.iter().take(at).filter(|(other, _)| other == name).count() {
            0 => format!("{name}: {kind}"),
            before => format!("{name}_{}: {kind}", before + 1),
        }
    });
    let parameters: Vec<String> = named.collect();
    let kind = match (function.family, function.name) {
        (_, "pool") => "Recipient",
        (FunctionFamily::Decisions, _) => "Decision",
        (FunctionFamily::Tests, _) | (_, "has_tag" | "has_detail") => "bool",
        (_, "len" | "index_of") => "int",
        (_, "split") => "Array",
        (_, "lookup") => "?",
        (_, "tags") => "Tags",
        (FunctionFamily::Charge | FunctionFamily::Texts, _) => "String",
    };
    // The language server defines a property as the function that gets it.
    let getter = if inner.is_some() { "" } else { "get " };
    format!("{getter}{}({}) -> {kind}", function.name, parameters.join(", "))
}

fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_every_function_has_parameters_with_types() {
        let of = |signature: &str| {
            functions()
                .find(|function| function.signature == signature)
                .map(definition)
                .unwrap_or_default()
        };
        for (signature, expect) in [
            ("assign(team)", "assign(team: ?) -> Decision"),
            ("even([team, …])", "even(list: Array) -> Decision"),
            (
                "by_usage(metric, [team, …], #{key: value, …}, #{option: value, …})",
                "by_usage(metric: ?, list: Array, options: Map, options_2: Map) -> Decision",
            ),
            (
                "rate_card(metric, [[upto, price], …, [(), price]], …)",
                "rate_card(metric: ?, list: Array) -> Decision",
            ),
            ("charge.has_tag(key)", "has_tag(charge: Charge, key: ?) -> bool"),
            ("charge.tags[key]", "get tags(charge: Charge) -> Tags"),
            ("text.len", "get len(text: String) -> int"),
            ("pass()", "pass() -> Decision"),
        ] {
            assert_eq!(of(signature), expect);
        }
    }

    #[test]
    fn the_file_has_all_functions_and_only_the_fields_that_are_collected() {
        let text = definitions(&[Field::SERVICE_NAME]);
        assert!(text.starts_with("module static;\n\n/// What a rule says about itself"), "{text}");
        assert!(text.contains(
            "/// The column ServiceName of FOCUS, or \"\" where the charge lacks it.\nfn get \
                 service_name(charge: Charge) -> String;\n"
        ));
        assert!(!text.contains("region_id(charge"));
        assert_eq!(
            text.matches("\nfn ").count(),
            1 + 1 + LINE.len() + Detail::COUNT + functions().count()
        );
    }
}
