//! The table of all functions that rules have.
//!
//! The page for authors of rules, the definitions for editors and the tests are all made from it. A
//! test compares it with the engine, so no function can be without documentation.

use crate::drivers;
use crate::host_function::{FunctionFamily, HostFunction};

/// All functions, in the order of the page.
pub(crate) fn functions() -> impl Iterator<Item = &'static HostFunction> {
    DIRECT_DECISIONS.iter().chain(drivers::FUNCTIONS).chain(OTHERS)
}

host_functions! { DIRECT_DECISIONS:
    Decisions "assign" "assign(team)"
        "One team bears all."
        r#"assign("payments")"# => "assign payments";
    Decisions "assign" "assign(#{team, cost_center, environment, application})"
        "One team bears all; the other parts are optional and kept with the posting."
        r#"assign(#{team: "payments", environment: "prod"})"#
        => "assign payments (environment=prod)";
    Decisions "split" "split(#{team: weight, …})"
        "Fixed weights, shared out in the order of the names. Weights are whole or decimal and \
         need not add up to 100."
        r#"split(#{search: 40, payments: 60})"# => "split payments 60, search 40";
    Decisions "split" "split([[team, weight], …])"
        "Fixed weights in the order listed; a pair may also be a map with `team`, `weight` and \
         the other parts."
        r#"split([["search", 87.5], ["payments", 12.5]])"# => "split search 875, payments 125";
    Decisions "even" "even([team, …])"
        "Equal shares, in the order listed."
        r#"even(["web", "mobile"])"# => "split web 1, mobile 1";
}

host_functions! { OTHERS:
    Decisions "pool" "pool(rule)"
        "The pool of a rule with `stage: \"distribution\"`, by the rule's id. It can stand \
         wherever a team can get a share."
        r#"assign(pool("shared/idle"))"# => "assign the pool shared/idle";
    Decisions "exclude" "exclude(reason)"
        "No team bears it. It is set aside, with the reason."
        r#"exclude("billed to the customer directly")"#
        => "exclude \"billed to the customer directly\"";
    Decisions "pass" "pass()"
        "No opinion after all: the next rule is asked."
        "pass()" => "pass";
    Charge "tag" "charge.tag(key)"
        "The tag's value, or \"\" where the charge lacks it."
        r#"charge.tag("team")"# => "payments";
    Charge "has_tag" "charge.has_tag(key)"
        "Whether the tag is there and not empty."
        r#"charge.has_tag("team") && !charge.has_tag("owner")"# => "true";
    Charge "tags" "charge.tags[key]"
        "The same as `charge.tag(key)`."
        r#"charge.tags["app.kubernetes.io/name"]"# => "api";
    Charge "has_detail" "charge.has_detail(name)"
        "Whether the charge says this detail, such as `pricing_quantity`. A rule that reads one \
         that the charge does not say puts it in suspense."
        r#"charge.has_detail("pricing_quantity") && charge.pricing_quantity > 700"# => "true";
    Charge "lookup" "lookup(table, key)"
        "The second cell of the row that starts with the key in `tables/<table>.csv`, or `()` \
         where there is none. Keys and cells are spelled as tags are. A row with `valid_from` or \
         `valid_until` holds from the one day on and before the other; these two columns are never \
         the second cell."
        r#"lookup("accounts", charge.sub_account_id)"# => "payments";
    Charge "lookup" "lookup(table, key, column)"
        "The same from a column by its name in the header."
        r#"lookup("accounts", "111111111111", "cost_center")"# => "CC-1000";
    Charge "lookup" "lookup(table, [key, …])"
        "The same in a table whose first columns are the key together. The list stands in the call \
         itself, because its length says how many columns the key has. It is `()` where a part of \
         the key is."
        r#"lookup("namespaces", ["prod-1", "shop"])"# => "search";
    Tests "is_blank" "is_blank(value)"
        "Whether a text has nothing but blanks, or is `()`."
        r#"is_blank("  ") && is_blank(())"# => "true";
    Tests "any_of" "any_of(value, [text, …])"
        "Whether the value is one of the texts; quicker than a chain of `==`."
        r#"any_of(charge.charge_category, ["Usage", "Purchase"])"# => "true";
    Tests "starts_with" "text.starts_with(prefix)"
        "Whether the text starts so. Case counts."
        r#"charge.sub_account_name.starts_with("payments-")"# => "true";
    Tests "ends_with" "text.ends_with(suffix)"
        "Whether the text ends so."
        r#"charge.sub_account_name.ends_with("-prod")"# => "true";
    Tests "contains" "text.contains(part)"
        "Whether the text has the part."
        r#"charge.service_name.contains("Elastic")"# => "true";
    Tests "matches_pattern" "text.matches_pattern(pattern)"
        "Whether a part of the text fits the regular expression; `^` and `$` are its ends. The \
         time grows with the length of the text alone, and large patterns are refused. Case \
         counts, unless the pattern begins with `(?i)`."
        r#"charge.resource_id.matches_pattern("^i-[0-9a-f]+$")"# => "true";
    Texts "to_lower" "text.to_lower()"
        "The text in lower case."
        r#"charge.charge_category.to_lower()"# => "usage";
    Texts "to_upper" "text.to_upper()"
        "The text in upper case."
        r#""eu".to_upper()"# => "EU";
    Texts "trim" "text.trim()"
        "The text without blanks at its ends, as a new text."
        r#""  a b ".trim()"# => "a b";
    Texts "split" "text.split(separator)"
        "The parts as a list."
        r#"charge.sub_account_name.split("-")[0]"# => "payments";
    Texts "sub_string" "text.sub_string(start, length)"
        "A part, counted in characters from 0."
        r#""eu-west-1".sub_string(0, 2)"# => "eu";
    Texts "len" "text.len"
        "The number of characters."
        r#"charge.region_id.len"# => "9";
    Texts "index_of" "text.index_of(part)"
        "Where the part starts, or -1."
        r#""eu-west-1".index_of("west")"# => "3";
}

/// The page with all functions, `rules/FUNCTIONS.md`.
pub fn page() -> String {
    let mut page = String::from(PAGE_HEAD);
    for family in FunctionFamily::ALL {
        page.push_str(&format!("\n## {}\n", family.title()));
        for function in functions().filter(|function| function.family == family) {
            page.push_str(&format!(
                "\n### `{}`\n\n{}\n\n```rhai\n{}  // {}\n```\n",
                function.signature, function.doc, function.example, function.gives
            ));
        }
    }
    page
}

const PAGE_HEAD: &str = "# Functions for rules

This page is generated from the functions themselves, and every example is run by a test.
`UPDATE=1 cargo test -p rule-engine` rewrites it.
[README.md](README.md) shows how rules are written.

The examples are run on a charge of the account `payments-prod`.
It has the tags `team` = payments and `app.kubernetes.io/name` = api, and the pricing quantity 730.
The comment behind each example is its result.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge_view::{Charge, ChargeView, DetailValue, LineValues};
    use crate::decision::Opinion;
    use crate::functions::Surroundings;
    use crate::known_teams::KnownTeams;
    use crate::language;
    use crate::options::{RuleLimits, UnknownTeams};
    use crate::table::{LookupTable, Tables};
    use crate::text_file::TextFile;
    use domain::detail::Detail;
    use domain::field::Field;
    use domain::figure::{Figure, ShortFigure};
    use rhai::{Dynamic, Engine, Scope};
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::{Arc, Mutex, OnceLock};

    fn sample_engine() -> Engine {
        let table = |id: &str, text: &str, width| {
            let file = TextFile { id: id.into(), label: format!("{id}.csv"), text: text.into() };
            let table = LookupTable::parse(file, width, Arc::default());
            (id.to_owned(), table.unwrap_or_else(|findings| panic!("{findings:?}")))
        };
        let tables = Arc::new(Tables::from([
            table("accounts", "account,team,cost_center\n111111111111,payments,CC-1000\n", 1),
            table("namespaces", "cluster,namespace,team\nprod-1,shop,search\n", 2),
        ]));
        let teams = KnownTeams { tables, tags: Arc::default(), unknown: UnknownTeams::Allow };
        let pools = Arc::new(OnceLock::from(BTreeSet::from(["shared/idle".to_owned()])));
        let kept = Field::default_dimensions().into();
        language::engine(&RuleLimits::default(), &Surroundings { teams, kept, pools })
    }

    fn sample_charge() -> Charge {
        let dimension = |field: Field| match field.name() {
            "service_name" => "Amazon Elastic Compute Cloud",
            "sub_account_id" => "111111111111",
            "sub_account_name" => "payments-prod",
            "charge_category" => "Usage",
            "region_id" => "eu-west-1",
            "resource_id" => "i-0abc",
            _ => "",
        };
        let mut line = LineValues::default();
        let quantity = Figure::Short(ShortFigure { digits: 730, places: 0 });
        line.set_detail(Detail::PricingQuantity, DetailValue::Known(quantity));
        Charge::new(ChargeView {
            fields: Field::all().map(|field| dimension(field).into()).collect(),
            currency: "USD".into(),
            tags: vec![
                ("team".into(), "payments".into()),
                ("app.kubernetes.io/name".into(), "api".into()),
            ],
            line,
            reads: Mutex::default(),
        })
    }

    #[test]
    fn every_example_gives_what_the_page_says() {
        let engine = sample_engine();
        for function in functions() {
            let mut scope = Scope::new();
            scope.push_constant("charge", sample_charge());
            let value: Dynamic = engine
                .eval_with_scope(&mut scope, function.example)
                .unwrap_or_else(|error| panic!("{}: {error}", function.example));
            let given = match value.clone().try_cast::<Opinion>() {
                Some(Opinion { decision: Some(decision), .. }) => decision.describe(),
                Some(Opinion { decision: None, .. }) => "pass".to_owned(),
                None => value.to_string(),
            };
            assert_eq!(given, function.gives, "{}", function.example);
        }
    }

    #[test]
    fn every_registered_function_is_on_the_page() {
        let plain = Engine::new();
        let names = |engine: &Engine| {
            engine.collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), false)
        };
        let ours: Vec<String> = names(&sample_engine())
            .into_iter()
            .filter(|name| !names(&plain).contains(name))
            .collect();
        assert!(ours.iter().any(|name| name == "by_cost"), "{ours:?}");
        for name in ours {
            let is_getter = name.contains('$');
            assert!(
                is_getter
                    || ["to_string", "sleep"].contains(&name.as_str())
                    || functions().any(|function| function.name == name),
                "{name} is not on the page"
            );
        }
    }

    #[test]
    fn the_page_is_up_to_date() {
        let path = Path::new("../../rules/FUNCTIONS.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, page()).unwrap_or_else(|error| panic!("{error}"));
        }
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            stored,
            page(),
            "rules/FUNCTIONS.md is stale: run `UPDATE=1 cargo test -p rule-engine`"
        );
    }
}
