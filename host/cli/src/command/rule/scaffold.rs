//! `rule new`: a rule and its cases, ready to be changed.

use super::calendar::today;
use crate::error::Failure;
use crate::ui::Ui;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::period::Day;
use domain::port::{RuleFacts, Rules, Stage};
use installation::file;
use installation::rules;
use installation::settings::Settings;
use rule_engine::set::RuleSet;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct NewRuleArgs {
    /// Pack and name, such as network/nat-gateways
    #[arg(value_name = "PACK/NAME")]
    pub rule: String,
    /// Who answers for the rule; otherwise who answers for its neighbors
    #[arg(long)]
    pub owner: Option<String>,
    /// A rule of the stage distribution, which shares what stands in its pool
    #[arg(long)]
    pub pool: bool,
    /// A rule of the stage cascade, which passes on all that this team bears
    #[arg(long, value_name = "TEAM", conflicts_with = "pool")]
    pub cascade: Option<String>,
}

/// Where a pack that has no rules yet begins.
const FIRST_PRIORITY: i64 = 500;
const REVIEW_DAYS: i32 = 365;

pub fn new(ui: Ui, settings: &Settings, args: &NewRuleArgs) -> Result<(), Failure> {
    let Some((pack, name)) = pack_and_name(&args.rule) else {
        let message = format!(
            "'{}' cannot name a rule: it is a pack and a name of small letters, digits and \
                hyphens\n\nhint: `apportion rule new network/nat-gateways`",
            args.rule
        );
        return Err(Failure::Usage(message));
    };
    let dir = &settings.rules.value;
    let (rule, cases) =
        (dir.join(format!("{}.rhai", args.rule)), dir.join(format!("{}.cases.toml", args.rule)));
    for path in [&rule, &cases] {
        refuse_what_is_there(path, &args.rule)?;
    }
    // A first rule has no others to keep out of the way of.
    let rules = if has_rules(dir) { Some(rules::load(settings)?) } else { None };
    let facts = rules.as_ref().map(|rules| rules.facts()).unwrap_or_default();
    let in_pack = || facts.iter().filter(|rule| rule.version.rule.starts_with(&format!("{pack}/")));
    let after = in_pack().map(|rule| rule.priority).max().unwrap_or(FIRST_PRIORITY - 10);
    let priority = rules.as_ref().map_or(FIRST_PRIORITY, |rules| rules.free_priority(after));
    let owner = match &args.owner {
        Some(owner) => owner.clone(),
        None => owner_of(in_pack())
            .or_else(|| owner_of(facts.iter()))
            .ok_or_else(|| no_owner(&args.rule))?,
    };
    let header =
        Header { priority, owner: &owner, review_by: today().map(|day| day.plus(REVIEW_DAYS)) };
    let (rule_text, cases_text) = match (&args.cascade, args.pool) {
        (Some(team), _) => {
            refuse_team(rules.as_ref(), team)?;
            (cascade_rule(team, &header), CASCADE_CASES.to_owned())
        }
        (None, true) => (pool_rule(&args.rule, &header), POOL_CASES.to_owned()),
        (None, false) => (plain_rule(name, &header), plain_cases(name)),
    };
    file::write_all(&[(&*cases, &*cases_text), (&*rule, &*rule_text)])?;
    for path in [&rule, &cases] {
        ui.note(&format!("wrote {}", path.display()));
    }
    ui.note(
        "next: say whom it applies to and who pays, then `apportion rule check` and \
        `apportion rule test`",
    );
    Ok(())
}

fn pack_and_name(id: &str) -> Option<(&str, &str)> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let (pack, name) = id.rsplit_once('/')?;
    let is_pack = pack.split('/').all(is_word) && pack.split('/').next() != Some("tables");
    (is_pack && is_word(name)).then_some((pack, name))
}

fn refuse_what_is_there(path: &Path, id: &str) -> Result<(), Diagnostic> {
    if !path.exists() {
        return Ok(());
    }
    let message = format!("{} would be overwritten; nothing was written", path.display());
    Err(Diagnostic::new(code::CONFIG_EXISTS, message).hint(
        Hint::command(format!("rule show {id}")).then(" shows what is there; choose another name"),
    ))
}

/// A team passes on its cost by one rule.
fn refuse_team(rules: Option<&RuleSet>, team: &str) -> Result<(), Diagnostic> {
    let Some(rules) = rules else { return Ok(()) };
    let is_of_team = |rule: &&RuleFacts| matches!(&rule.stage, Stage::Cascade(own) if own == team);
    if let Some(other) = rules.facts().iter().find(is_of_team) {
        let id = &other.version.rule;
        let message = format!("{id} passes on the cost of {team} already; nothing was written");
        return Err(Diagnostic::new(rule_engine::code::RULE_POOL, message)
            .hint(Hint::command(format!("rule show {id}")).then(" shows it")));
    }
    if rules.lists_team(team) {
        return Ok(());
    }
    let message = format!("there is no team '{team}' in tables/teams.csv; nothing was written");
    let finding = Diagnostic::new(rule_engine::code::RULE_TEAM_UNLISTED, message);
    Err(match rules.team_close_to(team) {
        Some(close) => finding.hint(format!("did you mean '{close}'?")),
        None => finding.hint("add a line for it to tables/teams.csv"),
    })
}

/// A folder of rules may be new, or have only tables yet.
fn has_rules(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|extension| extension == "rhai")
            || entry.file_type().is_ok_and(|kind| kind.is_dir()) && has_rules(&path)
    })
}

fn owner_of<'a>(rules: impl Iterator<Item = &'a RuleFacts>) -> Option<String> {
    rules.filter(|rule| !rule.owner.is_empty()).last().map(|rule| rule.owner.clone())
}

fn no_owner(id: &str) -> Diagnostic {
    Diagnostic::new(
        rule_engine::code::RULE_HEADER,
        "no rule has an owner yet, so the new one needs to be given one",
    )
    .hint(Hint::command(format!("rule new {id} --owner finops@example.com")))
}

struct Header<'a> {
    priority: i64,
    owner: &'a str,
    review_by: Option<Day>,
}

impl Header<'_> {
    fn text(&self, more: &str) -> String {
        let review_by =
            self.review_by.map(|day| format!(", review_by: \"{day}\"")).unwrap_or_default();
        // A text of Rhai is quoted as one of Rust is.
        format!(
            "rule(#{{ priority: {}, owner: {:?}{review_by}{more} }});",
            self.priority, self.owner
        )
    }
}

/// The text of a new rule, which moves no money until its author names a payer.
fn plain_rule(name: &str, header: &Header<'_>) -> String {
    format!(
        "//! What is charged to whom, and why: charges with the tag service = {name}.\n{}\n\nfn matches(charge) {{\n    charge.tag(\"service\") == \"{name}\"\n}}\n\n\
         // Who pays? assign(\"payments\"), split(#{{ payments: 60, search: 40 }}), by_cost(), …\n\
         // Until then the next rule is asked.\n\
         fn allocate(charge) {{\n    pass()\n}}\n",
        header.text("")
    )
}

fn plain_cases(name: &str) -> String {
    format!(
        "[[case]]\nname = \"what the rule is for\"\ncharge = {{ tags = {{ service = \"{name}\" }} }}\nexpect = \"pass\"\n\n\
         [[case]]\nname = \"anything else\"\ncharge = {{ tags = {{ service = \"another\" }} \
             }}\nexpect = \"no match\"\n"
    )
}

fn pool_rule(id: &str, header: &Header<'_>) -> String {
    format!(
        "//! What stands in the pool, and why it is shared so: rules fill it with assign(pool(\"{id}\")).\n{}\n\n\
         fn allocate(pool) {{\n    by_cost()\n}}\n",
        header.text(", stage: \"distribution\"")
    )
}

/// The text of a new cascade rule. The team keeps its cost until the author names who bears it.
fn cascade_rule(team: &str, header: &Header<'_>) -> String {
    format!(
        "//! What {team} does for other teams, and why they bear its cost so.\n{}\n\n\
         // Who pays? by_usage(\"requests\"), by_cost(), split(#{{ payments: 60, search: 40 }}), \
         …\n\
         // Until then the team keeps its cost.\n\
         fn allocate(team) {{\n    pass()\n}}\n",
        header.text(&format!(", stage: \"cascade\", team: {team:?}"))
    )
}

const CASCADE_CASES: &str = "[[case]]
name = \"the team keeps its cost\"
expect = \"pass\"
";

const POOL_CASES: &str = "[[case]]
name = \"shared by what each team costs\"
amount = \"100\"
costs = { payments = \"30\", search = \"10\" }
expect = { shares = { payments = \"75\", search = \"25\" } }
";
