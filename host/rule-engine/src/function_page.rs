//! The table of all functions that rules have.
//!
//! The page for authors of rules, the definitions for editors and the tests are all made from it. A
//! test compares it with the engine, so no function can be without documentation.

/// One row of the functions' page.
pub(crate) struct HostFunction {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
    /// A piece of a rule. A test runs it.
    pub(crate) example: &'static str,
    /// The result of the example.
    pub(crate) gives: &'static str,
    pub(crate) family: FunctionFamily,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FunctionFamily {
    Decisions,
    Charge,
    Tests,
    Texts,
}

impl FunctionFamily {
    /// In the order of the page.
    const ALL: [FunctionFamily; 4] = [
        FunctionFamily::Decisions,
        FunctionFamily::Charge,
        FunctionFamily::Tests,
        FunctionFamily::Texts,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            FunctionFamily::Decisions => "Decisions: what `allocate` answers",
            FunctionFamily::Charge => "The charge and the tables",
            FunctionFamily::Tests => "Tests",
            FunctionFamily::Texts => "Texts",
        }
    }
}

macro_rules! functions {
    ($($family:ident $name:literal $signature:literal
        $doc:literal
        $example:literal => $gives:literal;)*) => {
        pub(crate) const FUNCTIONS: &[HostFunction] = &[$(HostFunction {
            name: $name,
            signature: $signature,
            doc: $doc,
            example: $example,
            gives: $gives,
            family: FunctionFamily::$family,
        }),*];
    };
}

functions! {
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
    Decisions "by_cost" "by_cost()"
        "In proportion to every team's direct cost of the day."
        "by_cost()" => "by_cost all teams";
    Decisions "by_cost" "by_cost(#{dimension: value, …})"
        "The same, counting only direct cost that matches. Keys are dimensions, `\"tag:<key>\"`, \
         or team, environment, application and cost_center, which mean the tags."
        r#"by_cost(#{environment: "prod"})"#
        => "by_cost all teams where tag:environment = \"prod\"";
    Decisions "by_cost" "by_cost([team, …])"
        "The same among the teams listed; a map of filters may follow."
        r#"by_cost(["search", "web"], #{region_id: "eu-west-1"})"#
        => "by_cost search, web where region_id = \"eu-west-1\"";
    Decisions "by_cost" "by_cost(…, #{when_zero: \"even\"})"
        "What happens on a day without such cost: \"stay\" (the default: it stays in the pool, \
         visible) or \"even\"."
        r#"by_cost(["search", "web"], #{when_zero: "even"})"#
        => "by_cost search, web when_zero even";
    Decisions "by_cost" "by_cost(…, #{basis: \"billed_cost\", when_negative: \"keep\"})"
        "More options: `basis` is \"effective_cost\" (the default) or \"billed_cost\". \
         `when_negative` says what a negative weight means, such as a team whose credits are \
         larger than its costs: \"zero\" (the default: it counts as zero), \"keep\" (its share \
         has the other sign: 100 by 100 : -20 is 125 and -25) or \"stay\" (all stays in the pool)."
        r#"by_cost(#{basis: "billed_cost", when_negative: "keep"})"#
        => "by_cost all teams basis billed_cost when_negative keep";
    Decisions "by_usage" "by_usage(metric)"
        "In proportion to the day's usage of a metric, by the key `team` of the usage. The share \
         of usage without a team is unallocated."
        r#"by_usage("network.egress.bytes")"# => "by_usage network.egress.bytes";
    Decisions "by_usage" "by_usage(metric, [team, …], #{key: value, …}, #{option: value, …})"
        "Only usage of the teams listed, and with these keys. Options: `key` is the key that \
         names the user, `table` is a lookup table from the key's value to the team, `recipients` \
         maps single values to teams or pools, `unknown` is \"unallocated\" (the default), \
         \"ignore\", a team as a map, or a pool; `window` is \"day\" (the default), \"month\" or \
         a number of days that end with the charge's; `when_zero` and `when_negative` as in \
         `by_cost`."
        "by_usage(\"kubernetes.node.share\", #{resource_id: charge.resource_id}, #{key: \
         \"namespace\", recipients: #{\"__idle__\": pool(\"shared/idle\")}, when_zero: by_cost()})"
        => "by_usage kubernetes.node.share where resource_id = \"i-0abc\" key namespace __idle__ \
         → the pool shared/idle when_zero by_cost all teams";
    Decisions "tiered" "tiered([[upto, decision], …, [(), decision]])"
        "Slices of the pool's total of the day, each shared in its own way. The last slice has \
         `()` instead of an end."
        r#"tiered([[1000, even(["web", "mobile"])], [(), by_cost()]])"#
        => "tiered up to 1000.000000000: split web 1, mobile 1; beyond: by_cost all teams";
    Decisions "rate_card" "rate_card(metric, price, #{remainder: recipient})"
        "Usage at a price for each unit, in the charge's currency. The remainder gets the \
         difference between the cost and the priced usage, and bears it where the prices exceed \
         the cost. Filters and options as in `by_usage`."
        r#"rate_card("storage.gib_hours", 0.00005, #{remainder: "platform"})"#
        => "rate_card storage.gib_hours at 0.00005, remainder to platform";
    Decisions "rate_card" "rate_card(metric, [[upto, price], …, [(), price]], …)"
        "The same with a price for each tier of a team's usage of the day."
        r#"rate_card("requests", [[1000, 0.01], [(), 0.005]], #{remainder: pool("shared/idle")})"#
        => "rate_card requests at 0.01 up to 1000, 0.005, remainder to the pool shared/idle";
    Decisions "bounded"
        "bounded(decision, #{at_least: #{team: limit, …}, at_most: #{team: limit, …}})"
        "Holds teams to limits and shares the rest among the others. A limit is an amount of the \
         day, or a part of the pool such as \"40%\". An amount that no team may bear stays in the \
         pool. Lower limits that are more than the pool together are paid in proportion."
        r#"bounded(by_cost(), #{at_least: #{web: 10}, at_most: #{search: "40%"}})"#
        => "by_cost all teams web at least 10.000000000 search at most 40%";
    Decisions "plugin" "plugin(name, #{setting: value, …}, #{teams: […], usage: […]})"
        "Weights from an allocator plugin, asked once for the pool and day with its settings, its \
         teams (all with direct cost if none are listed) and the day's usage of these metrics."
        r#"plugin("by-headcount", #{quarter: 3}, #{teams: ["web"], usage: ["people"]})"#
        => "plugin by-headcount {\"quarter\":3} web with people";
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
    Charge "lookup" "lookup(table, key)"
        "The second cell of the row that starts with the key in `tables/<table>.csv`, or `()` \
         where there is none."
        r#"lookup("accounts", charge.sub_account_id)"# => "payments";
    Charge "lookup" "lookup(table, key, column)"
        "The same from a column by its name in the header."
        r#"lookup("accounts", "111111111111", "cost_center")"# => "CC-1000";
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
        for function in FUNCTIONS.iter().filter(|function| function.family == family) {
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
It has the tags `team` = payments and `app.kubernetes.io/name` = api.
The comment behind each example is its result.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charge_view::{Charge, ChargeView, LineValues};
    use crate::decision::Opinion;
    use crate::functions::Surroundings;
    use crate::language;
    use crate::options::{RuleLimits, UnknownTeams};
    use crate::table::{LookupTable, Tables};
    use domain::field::Field;
    use rhai::{Dynamic, Engine, Scope};
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::{Arc, Mutex, OnceLock};

    fn sample_engine() -> Engine {
        let text = "account,team,cost_center\n111111111111,payments,CC-1000\n";
        let table = LookupTable::parse("accounts.csv", text)
            .unwrap_or_else(|findings| panic!("{findings:?}"));
        let tables = Arc::new(Tables::from([("accounts".to_owned(), table)]));
        let pools = Arc::new(OnceLock::from(BTreeSet::from(["shared/idle".to_owned()])));
        language::engine(
            &RuleLimits::default(),
            &Surroundings {
                tables,
                kept: Field::default_dimensions().into(),
                unknown_teams: UnknownTeams::Allow,
                pools,
            },
        )
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
        Charge::new(ChargeView {
            fields: Field::all().map(|field| dimension(field).into()).collect(),
            currency: "USD".into(),
            tags: vec![
                ("team".into(), "payments".into()),
                ("app.kubernetes.io/name".into(), "api".into()),
            ],
            line: LineValues::default(),
            reads: Mutex::default(),
        })
    }

    #[test]
    fn every_example_gives_what_the_page_says() {
        let engine = sample_engine();
        for function in FUNCTIONS {
            let mut scope = Scope::new();
            scope.push_constant("charge", sample_charge());
            let value: Dynamic = engine
                .eval_with_scope(&mut scope, function.example)
                .unwrap_or_else(|error| panic!("{}: {error}", function.example));
            let given = match value.clone().try_cast::<Opinion>() {
                Some(Opinion { decision: Some(decision), .. }) => {
                    domain::describe::describe(&decision)
                }
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
                    || FUNCTIONS.iter().any(|function| function.name == name),
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
