//! A generation: all rules and tables of a folder, compiled together and never changed again.
//!
//! A rule can have a first and a last day. The days on which any rule begins or ends are *turning
//! days*; between two of them, a *stretch*, the list of valid rules is the same. The list of each
//! stretch is made once here, so that a decision does not filter rules by their dates.

use crate::check::RuleContext;
use crate::code::{RULE_POOL, RULES_UNREADABLE};
use crate::compile::{self, Rule};
use crate::decider::MemoDecider;
use crate::digest::hex;
use crate::folder::{self, Folder};
use crate::functions::{Surroundings, unknown_pool};
use crate::header::Header;
use crate::key_width::key_widths;
use crate::known_teams::KnownTeams;
use crate::language;
use crate::options::{RuleOptions, UnknownTeams};
use crate::table::{Tables, read_all};
use crate::text_file::TextFile;
use domain::diagnostic::Diagnostic;
use domain::entry::RuleVersion;
use domain::generation::TurningDays;
use domain::hint::Hint;
use domain::period::Day;
use domain::port::{Decider, RuleFacts, Rules, Stage};
use domain::recipient::Target;
use rhai::Engine;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A compiled, immutable set of rules.
pub struct RuleSet {
    pub(crate) engine: Engine,
    pub(crate) options: RuleOptions,
    /// In the order in which they are tried: by priority, then by id.
    pub(crate) rules: Vec<Rule>,
    facts: Vec<RuleFacts>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) teams: KnownTeams,
    /// Whether rows of tables hold for a time only.
    has_dated_tables: bool,
    generation: String,
    turning_days: TurningDays,
    /// The valid rules of each stretch: before the first turning day, between every two, after the
    /// last.
    active: Vec<ValidRules>,
}

/// The rules that are valid in one stretch, by number.
#[derive(Default)]
struct ValidRules {
    attribution: Vec<u32>,
    later: Vec<u32>,
}

impl RuleSet {
    /// Reads and compiles a folder.
    pub fn load(dir: &Path, options: &RuleOptions) -> Result<RuleSet, Vec<Diagnostic>> {
        RuleSet::from_folder(&folder::read(dir)?, options)
    }

    /// Compiles texts: rules by id (the path without `.rhai`), tables by name. The ledger keeps the
    /// texts of every generation, so an old generation can be run again.
    pub fn from_sources(
        rules: &[(String, String)],
        tables: &[(String, String)],
        options: &RuleOptions,
    ) -> Result<RuleSet, Vec<Diagnostic>> {
        let files = |texts: &[(String, String)], folder: &str, ending: &str| -> Vec<TextFile> {
            let file = |(id, text): &(String, String)| TextFile {
                id: id.clone(),
                label: format!("{folder}{id}{ending}"),
                text: text.clone(),
            };
            texts.iter().map(file).collect()
        };
        build(files(rules, "", ".rhai"), files(tables, "tables/", ".csv"), options)
    }

    /// Compiles a folder that was read before. A folder without rules is refused: it is an
    /// accident, such as half a checkout, and publishing it would leave every cost unallocated.
    pub(crate) fn from_folder(
        folder: &Folder,
        options: &RuleOptions,
    ) -> Result<RuleSet, Vec<Diagnostic>> {
        if folder.rules.is_empty() {
            let finding = Diagnostic::new(
                RULES_UNREADABLE,
                "the folder has no rules (no file ends in .rhai)",
            );
            return Err(vec![
                finding
                    .at(&folder.label, 0, 0)
                    .hint(Hint::command("rule new direct/team --owner finops@example.com")),
            ]);
        }
        build(folder.rules.clone(), folder.tables.clone(), options)
    }

    pub fn options(&self) -> &RuleOptions {
        &self.options
    }

    /// Whether the table of teams lists the team. Without a table every team counts as listed.
    pub fn lists_team(&self, team: &str) -> bool {
        self.teams.lists(team)
    }

    /// The team of the table that a name is close to.
    pub fn team_close_to(&self, name: &str) -> Option<&str> {
        self.teams.close_to(name)
    }

    /// The columns of each lookup table by the table's name. The key's column comes first.
    pub fn table_columns(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.tables.iter().map(|(name, table)| (name.as_str(), table.header().collect()))
    }

    /// The first multiple of ten above `after` that no rule has.
    pub fn free_priority(&self, after: i64) -> i64 {
        let mut free = after.div_euclid(10).saturating_add(1).saturating_mul(10);
        while let (true, Some(next)) =
            (self.rules.iter().any(|rule| rule.header.priority == free), free.checked_add(10))
        {
            free = next;
        }
        free
    }

    /// The number of the stretch that a day falls in.
    pub(crate) fn stretch(&self, day: Day) -> usize {
        self.turning_days.stretch(day)
    }

    /// A rule's place among the tries of single rules. Its answers hold in all stretches, unless a
    /// table has rows that hold for a time only.
    pub(crate) fn rule_slot(&self, day: Day, rule: u32) -> usize {
        let stretch = if self.has_dated_tables { self.stretch(day) } else { 0 };
        stretch * self.rules.len() + rule as usize
    }

    pub(crate) fn rule_slots(&self) -> usize {
        let stretches = if self.has_dated_tables { self.stretches() } else { 1 };
        stretches * self.rules.len()
    }

    pub(crate) fn stretches(&self) -> usize {
        self.active.len()
    }

    /// Attribution rules that are valid in a stretch, in the order in which they are tried.
    pub(crate) fn active(&self, stretch: usize) -> &[u32] {
        self.active.get(stretch).map_or(&[], |valid| &valid.attribution)
    }

    /// Rules of the later stages that are valid in a stretch.
    pub(crate) fn later(&self, stretch: usize) -> &[u32] {
        self.active.get(stretch).map_or(&[], |valid| &valid.later)
    }
}

impl Rules for RuleSet {
    fn generation(&self) -> &str {
        &self.generation
    }

    fn facts(&self) -> &[RuleFacts] {
        &self.facts
    }

    fn tables(&self) -> Vec<(String, String)> {
        self.tables.iter().map(|(name, table)| (name.clone(), table.file.text.clone())).collect()
    }

    fn team(&self, name: &str, day: Day) -> Option<Target> {
        self.teams.team(name, Some(day)).ok()
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.options.settings.clone()
    }

    fn cell(&self, table: &str, key: &[String], day: Day) -> Option<String> {
        let parts: Vec<&str> = key.iter().map(String::as_str).collect();
        self.tables.get(table)?.cell(&parts, 0, Some(day)).map(|cell| cell.to_string())
    }

    fn reads_details(&self) -> bool {
        self.rules.iter().any(|rule| rule.insight.reads_details)
    }

    fn decider(&self) -> Box<dyn Decider + '_> {
        Box::new(MemoDecider::new(self))
    }
}

/// Compiles everything that can be compiled, so that all findings are told at once.
pub(crate) fn build(
    rules: Vec<TextFile>,
    tables: Vec<TextFile>,
    options: &RuleOptions,
) -> Result<RuleSet, Vec<Diagnostic>> {
    let tags = Arc::new(options.tags.clone());
    let widths = key_widths(&language::bare_engine(&options.limits), &rules);
    let (tables, mut findings) = read_all(tables, &widths, &tags, options.unknown_teams);
    let tables_are_whole = findings.is_empty();
    let tables = Arc::new(tables);
    let teams = KnownTeams { tables, tags, unknown: options.unknown_teams };
    let pools = Arc::new(OnceLock::new());
    let surroundings = Surroundings {
        teams: teams.clone(),
        kept: options.dimensions.clone().into(),
        pools: Arc::clone(&pools),
    };
    let engine = language::engine(&options.limits, &surroundings);
    let context = RuleContext {
        engine: &engine,
        functions: language::function_names(&engine),
        tables: tables_are_whole.then_some(&*teams.tables),
        kept: &options.dimensions,
        details: options.details,
    };
    let mut compiled = Vec::with_capacity(rules.len());
    for file in rules {
        match compile::compile(&context, file) {
            Ok(mut rule) => match name_team(&mut rule, &teams) {
                Ok(()) => compiled.push(rule),
                Err(wrong) => findings.push(wrong),
            },
            Err(wrong) => findings.extend(wrong),
        }
    }
    drop(context);
    let known: BTreeSet<String> = compiled
        .iter()
        .filter(|rule| rule.header.stage == Stage::Distribution)
        .map(|rule| rule.id.clone())
        .collect();
    // A rule that does not compile would make pools look unknown that it has.
    if findings.is_empty() {
        findings.extend(unknown_pools(&compiled, &known));
        findings.extend(teams_passed_on_twice(&compiled));
    }
    // The cell is still empty: the engine was made above, and no rule has run in it.
    let _first = pools.set(known);
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(assemble(engine, options.clone(), compiled, teams))
}

/// Gives the team whose cost a rule passes on its one spelling.
fn name_team(rule: &mut Rule, teams: &KnownTeams) -> Result<(), Diagnostic> {
    if let Stage::Cascade(name) = &rule.header.stage {
        let team = teams.team(name, None).map_err(|refusal| {
            rule.file.finding(refusal.code, refusal.message, rule.header_position())
        })?;
        rule.header.stage = Stage::Cascade(team.team);
    }
    Ok(())
}

fn unknown_pools(rules: &[Rule], known: &BTreeSet<String>) -> Vec<Diagnostic> {
    let of_rule = |rule: &Rule| -> Vec<Diagnostic> {
        let unknown = rule.insight.pools.iter().filter(|(pool, _)| !known.contains(pool));
        unknown
            .map(|(pool, position)| {
                rule.file.finding(RULE_POOL, unknown_pool(pool, known), *position)
            })
            .collect()
    };
    rules.iter().flat_map(of_rule).collect()
}

/// Two valid rules that pass on one team's cost are refused: its cost can be passed on only once.
fn teams_passed_on_twice(rules: &[Rule]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let same = |other: &&Rule| {
            matches!(rule.header.stage, Stage::Cascade(_))
                && other.header.stage == rule.header.stage
                && overlap(&other.header, &rule.header)
        };
        if let Some(other) = rules.iter().take(number).find(same) {
            let message =
                format!("{} passes on the cost of the same team at the same time", other.id);
            findings.push(
                rule.file
                    .finding_at(RULE_POOL, message, 1, 0)
                    .hint("give each a time with `from` and `until`, or keep one of them"),
            );
        }
    }
    findings
}

/// Whether there is a day on which both are valid.
pub(crate) fn overlap(left: &Header, right: &Header) -> bool {
    let before = |until: Option<Day>, from: Option<Day>| {
        until.zip(from).is_some_and(|(until, from)| until <= from)
    };
    left.enabled
        && right.enabled
        && !before(left.until, right.from)
        && !before(right.until, left.from)
}

fn assemble(
    engine: Engine,
    options: RuleOptions,
    mut rules: Vec<Rule>,
    teams: KnownTeams,
) -> RuleSet {
    let tables = Arc::clone(&teams.tables);
    rules.sort_by(|left, right| {
        (left.header.priority, &left.id).cmp(&(right.header.priority, &right.id))
    });
    let generation = generation(&rules, &tables, &options);
    let facts: Vec<RuleFacts> = rules.iter().map(facts).collect();
    let dated = tables.iter().filter(|(_, table)| table.is_dated());
    let dated: Vec<(String, String)> =
        dated.map(|(name, table)| (name.clone(), table.file.text.clone())).collect();
    let turning_days = TurningDays::of(&facts, &dated);
    let active = turning_days.sample_days().map(|day| valid_rules(&rules, day)).collect();
    RuleSet {
        engine,
        options,
        rules,
        facts,
        tables,
        teams,
        has_dated_tables: !dated.is_empty(),
        generation,
        turning_days,
        active,
    }
}

fn valid_rules(rules: &[Rule], day: Day) -> ValidRules {
    let is_valid = |rule: &Rule| {
        let header = &rule.header;
        header.enabled
            && header.from.is_none_or(|from| from <= day)
            && header.until.is_none_or(|until| day < until)
    };
    let mut valid = ValidRules::default();
    for (index, rule) in (0_u32..).zip(rules).filter(|(_, rule)| is_valid(rule)) {
        let list = if rule.header.stage == Stage::Attribution {
            &mut valid.attribution
        } else {
            &mut valid.later
        };
        list.push(index);
    }
    valid
}

/// The digest that names the generation. It covers everything that a decision can depend on: rules,
/// tables, settings, and the options that change a decision. Each text is hashed with its length
/// before it, so that two lists of texts cannot run into the same bytes.
fn generation(rules: &[Rule], tables: &Tables, options: &RuleOptions) -> String {
    let mut hasher = Sha256::new();
    let mut add = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for rule in rules {
        add("rule");
        add(&rule.id);
        add(&rule.digest);
    }
    for (name, table) in tables {
        add("table");
        add(name);
        add(&table.file.text);
    }
    // Teams and cells are spelled by the tags.
    add("spelled by");
    add(&format!("{:?}", options.tags));
    for (name, text) in &options.settings {
        add("setting");
        add(name);
        add(text);
    }
    // Warnings change no decision, so only the refusal makes another generation.
    if options.unknown_teams == UnknownTeams::Refuse {
        add("unknown teams are refused");
    }
    if rules.iter().any(|rule| rule.insight.asks_plugins) {
        for (name, digest) in &options.allocators {
            add("allocator");
            add(name);
            add(&hex(digest));
        }
    }
    hex(&hasher.finalize())
}

fn facts(rule: &Rule) -> RuleFacts {
    let header = &rule.header;
    RuleFacts {
        version: RuleVersion { rule: rule.id.clone(), digest: rule.digest.clone() },
        name: header.name.clone(),
        priority: header.priority,
        owner: header.owner.clone(),
        review_by: header.review_by,
        description: rule.description.clone(),
        enabled: header.enabled,
        from: header.from,
        until: header.until,
        stage: header.stage.clone(),
        mutual: header.mutual,
        source: rule.file.text.clone(),
    }
}
