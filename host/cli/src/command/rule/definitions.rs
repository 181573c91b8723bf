//! `rule definitions`: files for editors, so that they complete, explain and check while somebody
//! writes.

use super::schema;
use crate::error::Failure;
use crate::ui::{Ui, json_text};
use installation::amount_text::counted;
use installation::file;
use installation::rules;
use installation::settings::Settings;
use rule_engine::definitions::{self, Snippet};
use serde_json::{Map, Value, json};
use std::path::Path;

pub fn write(ui: Ui, settings: &Settings, out: &Path) -> Result<(), Failure> {
    let rules = rules::load(settings)?;
    let mut files = vec![
        (out.join("apportion.d.rhai"), definitions::definitions(&settings.dimensions.value)),
        (out.join("cases.schema.json"), json_text(&schema::cases())),
        (out.join("apportion.code-snippets"), json_text(&snippets())),
        (out.join("settings.json"), json_text(&editor_settings(out))),
    ];
    for (name, columns) in rules.table_columns() {
        files.push((
            out.join("tables").join(format!("{name}.schema.json")),
            json_text(&schema::table(&columns)),
        ));
    }
    for (path, text) in &files {
        file::write(path, text)?;
    }
    ui.note(&format!(
        "wrote {} to {}",
        counted(files.len() as u64, "file", "files"),
        out.display()
    ));
    Ok(())
}

/// In the form of VS Code.
fn snippets() -> Value {
    let mut snippets: Map<String, Value> = definitions::snippets()
        .map(|snippet| (snippet.name.to_owned(), snippet_json(&snippet)))
        .collect();
    let rule = [
        "//! ${1:What is charged to whom, and why.}",
        "rule(#{ priority: ${2:500}, owner: \"${3:finops@example.com}\", review_by: \
            \"${4:2027-03-31}\" });",
        "",
        "fn matches(charge) {",
        "    ${5:charge.service_name == \"Amazon S3\"}",
        "}",
        "",
        "fn allocate(charge) {",
        "    ${0:assign(\"payments\")}",
        "}",
    ];
    let case = [
        "[[case]]",
        "name = \"${1:what it shows}\"",
        "charge = { ${2:service_name = \"Amazon S3\"} }",
        "expect = { assign = \"${0:payments}\" }",
    ];
    let property = [
        "[[property]]",
        "name = \"${1:what always holds}\"",
        "charges = { ${2:service_name} = { any = true } }",
        "never = \"${0:error}\"",
    ];
    for (prefix, scope, body, doc) in [
        ("rule", "rhai", rule.as_slice(), "A whole rule"),
        ("case", "toml", case.as_slice(), "A case of a rule"),
        ("property", "toml", property.as_slice(), "A property of a rule"),
    ] {
        snippets.insert(
            format!("new {prefix}"),
            json!({ "prefix": prefix, "scope": scope, "body": body, "description": doc }),
        );
    }
    Value::Object(snippets)
}

fn snippet_json(snippet: &Snippet) -> Value {
    // To VS Code a dollar begins a place to fill in.
    let body = snippet.body.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}");
    json!({ "prefix": snippet.prefix, "scope": "rhai", "body": body, "description": snippet.doc })
}

/// Settings of VS Code, to be copied.
fn editor_settings(out: &Path) -> Value {
    let schema = out.join("cases.schema.json");
    json!({
        "files.associations": { "*.rhai": "rhai" },
        "evenBetterToml.schema.associations": { ".*\\.cases\\.toml$": format!("./{}", schema.display()) },
    })
}
