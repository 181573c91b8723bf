//! A generation: all rules and tables of a folder, compiled together and never changed again.

use crate::code::RULE_POOL;
use crate::code::RULE_TABLE;
use crate::code::RULES_UNREADABLE;
use crate::compile::{self, Rule, SourceFile, Workshop, hex};
use crate::decider::MemoDecider;
use crate::folder::{self, Folder, Source};
use crate::functions::{Surroundings, unknown_pool};
use crate::header::Header;
use crate::language;
use crate::table::{TEAMS, Table, Tables};
use domain::diagnostic::Diagnostic;
use domain::entry::RuleVersion;
use domain::field::Field;
use domain::period::Day;
use domain::port::{Decider, RuleFacts, Rules, Stage};
use rhai::Engine;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// What rules are compiled for.
#[derive(Clone, Debug)]
pub struct RuleOptions {
    /// The dimensions that are collected; a rule that reads another is refused.
    pub dimensions: Vec<Field>,
    pub limits: Limits,
    /// Whether a rule without a doc comment is an error instead of a warning.
    pub require_doc: bool,
    /// Allocator plugins by name, with the digest of each: a part of the generation if a rule asks plugins.
    pub allocators: BTreeMap<String, Vec<u8>>,
    pub unknown_teams: UnknownTeams,
}

/// What becomes of a cost whose rule names a team that `tables/teams.csv` does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownTeams {
    #[default]
    Allow,
    /// The team bears it, and whoever runs it is told.
    Warn,
    /// It is in suspense; usage of such a team is nobody's.
    Refuse,
}

impl UnknownTeams {
    pub const NAMES: [&'static str; 3] = ["allow", "warn", "refuse"];

    pub fn name(self) -> &'static str {
        match self {
            UnknownTeams::Allow => "allow",
            UnknownTeams::Warn => "warn",
            UnknownTeams::Refuse => "refuse",
        }
    }

    pub fn by_name(name: &str) -> Option<UnknownTeams> {
        [UnknownTeams::Allow, UnknownTeams::Warn, UnknownTeams::Refuse]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// As [`RuleOptions::allocators`] wants it.
pub fn digest(component: &[u8]) -> Vec<u8> {
    Sha256::digest(component).to_vec()
}

/// How much one call of a rule may do. The same in debug and release builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub operations: u64,
    pub call_levels: usize,
    pub expression_depth: usize,
    pub string_bytes: usize,
    pub array_size: usize,
    pub map_size: usize,
    pub variables: usize,
    pub functions: usize,
    pub strings_interned: usize,
}

impl Default for RuleOptions {
    fn default() -> RuleOptions {
        RuleOptions {
            dimensions: Field::default_dimensions(),
            limits: Limits::default(),
            require_doc: false,
            allocators: BTreeMap::new(),
            unknown_teams: UnknownTeams::Allow,
        }
    }
}

impl Default for Limits {
    /// Call levels times expression depth is what the stack must hold; a test runs the deepest rule on 2 MiB.
    fn default() -> Limits {
        Limits {
            operations: 100_000,
            call_levels: 12,
            expression_depth: 64,
            string_bytes: 4096,
            array_size: 1024,
            map_size: 1024,
            variables: 64,
            functions: 64,
            strings_interned: 1024,
        }
    }
}

/// A compiled, immutable set of rules.
pub struct RuleSet {
    pub(crate) engine: Engine,
    pub(crate) options: RuleOptions,
    /// In the order in which they are tried: by priority, then by id.
    pub(crate) rules: Vec<Rule>,
    facts: Vec<RuleFacts>,
    pub(crate) tables: Arc<Tables>,
    generation: String,
    turning_days: Vec<Day>,
    /// The rules that are valid before the first turning day, between each two of them, and after the last.
    active: Vec<Valid>,
}

/// Rules that are valid at one time, by number.
#[derive(Default)]
struct Valid {
    attribution: Vec<u32>,
    later: Vec<u32>,
}

impl RuleSet {
    /// Reads and compiles a folder.
    pub fn load(dir: &Path, options: &RuleOptions) -> Result<RuleSet, Vec<Diagnostic>> {
        RuleSet::from_folder(&folder::read(dir)?, options)
    }

    /// Compiles texts: rules by id (the path without `.rhai`), tables by name. So an old generation can be run again.
    pub fn from_sources(
        rules: &[(String, String)],
        tables: &[(String, String)],
        options: &RuleOptions,
    ) -> Result<RuleSet, Vec<Diagnostic>> {
        let sources = |texts: &[(String, String)], folder: &str, ending: &str| -> Vec<Source> {
            let source = |(id, text): &(String, String)| Source {
                id: id.clone(),
                label: format!("{folder}{id}{ending}"),
                text: text.clone(),
            };
            texts.iter().map(source).collect()
        };
        build(sources(rules, "", ".rhai"), sources(tables, "tables/", ".csv"), options)
    }

    /// A folder without rules is an accident, such as half a checkout, and never what somebody wants to publish.
    pub(crate) fn from_folder(
        folder: &Folder,
        options: &RuleOptions,
    ) -> Result<RuleSet, Vec<Diagnostic>> {
        if folder.rules.is_empty() {
            let finding = Diagnostic::new(
                RULES_UNREADABLE,
                "the folder has no rules (no file ends in .rhai)",
            );
            return Err(vec![finding.at(&folder.label, 0, 0).hint("apportion init")]);
        }
        build(folder.rules.clone(), folder.tables.clone(), options)
    }

    pub fn options(&self) -> &RuleOptions {
        &self.options
    }

    /// Whether the table of teams has it; everything is there if there is no table.
    pub fn lists_team(&self, team: &str) -> bool {
        self.tables.get(TEAMS).is_none_or(|table| table.has(team))
    }

    /// The columns of each lookup table by its name, the key's first.
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

    pub(crate) fn turning_days(&self) -> &[Day] {
        &self.turning_days
    }

    /// The stretch between turning days that a day falls in.
    pub(crate) fn stretch(&self, day: Day) -> usize {
        self.turning_days.partition_point(|turning| *turning <= day)
    }

    pub(crate) fn stretches(&self) -> usize {
        self.active.len()
    }

    pub(crate) fn active(&self, stretch: usize) -> &[u32] {
        self.active.get(stretch).map_or(&[], |valid| &valid.attribution)
    }

    /// Rules of the later stages.
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
        self.tables.iter().map(|(name, table)| (name.clone(), table.text.clone())).collect()
    }

    fn knows_team(&self, team: &str) -> bool {
        self.options.unknown_teams != UnknownTeams::Refuse || self.lists_team(team)
    }

    fn cell(&self, table: &str, key: &str) -> Option<String> {
        self.tables.get(table)?.cell(key, 0).map(|cell| cell.to_string())
    }

    fn decider(&self) -> Box<dyn Decider + '_> {
        Box::new(MemoDecider::new(self))
    }
}

fn build(
    rules: Vec<Source>,
    tables: Vec<Source>,
    options: &RuleOptions,
) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let mut parsed = Tables::new();
    for source in tables {
        match Table::parse(&source.label, &source.text) {
            Ok(table) => drop(parsed.insert(source.id, table)),
            Err(wrong) => findings.extend(wrong),
        }
    }
    if options.unknown_teams != UnknownTeams::Allow
        && findings.is_empty()
        && !parsed.contains_key(TEAMS)
    {
        let message = format!(
            "the setting unknown_teams = \"{}\" needs the table of teams, and there is none",
            options.unknown_teams.name()
        );
        findings.push(
            Diagnostic::new(RULE_TABLE, message)
                .at(format!("tables/{TEAMS}.csv"), 0, 0)
                .hint("write one line for each team below the header: team,cost_center"),
        );
    }
    let tables_are_whole = findings.is_empty();
    let tables = Arc::new(parsed);
    let pools = Arc::new(OnceLock::new());
    let surroundings = Surroundings {
        tables: Arc::clone(&tables),
        kept: options.dimensions.clone().into(),
        unknown_teams: options.unknown_teams,
        pools: Arc::clone(&pools),
    };
    let engine = language::engine(&options.limits, &surroundings);
    let functions = language::function_names(&engine);
    let workshop = Workshop {
        engine: &engine,
        functions,
        tables: tables_are_whole.then_some(&*tables),
        kept: &options.dimensions,
    };
    let mut compiled = Vec::with_capacity(rules.len());
    for source in rules {
        match compile::compile(
            &workshop,
            &source.id,
            SourceFile { label: source.label, text: source.text },
        ) {
            Ok(rule) => compiled.push(rule),
            Err(wrong) => findings.extend(wrong),
        }
    }
    drop(workshop);
    let known: BTreeSet<String> = compiled
        .iter()
        .filter(|rule| rule.header.stage == Stage::Distribution)
        .map(|rule| rule.id.clone())
        .collect();
    if findings.is_empty() {
        findings.extend(unknown_pools(&compiled, &known));
        findings.extend(teams_passed_on_twice(&compiled));
    }
    // The engine is new: nobody has filled it before.
    let _first = pools.set(known);
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(assemble(engine, options.clone(), compiled, tables))
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

/// A team's cost can be passed on once.
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
    let before = |until: Option<Day>, from: Option<Day>| matches!((until, from), (Some(until), Some(from)) if until <= from);
    left.enabled
        && right.enabled
        && !before(left.until, right.from)
        && !before(right.until, left.from)
}

fn assemble(
    engine: Engine,
    options: RuleOptions,
    mut rules: Vec<Rule>,
    tables: Arc<Tables>,
) -> RuleSet {
    rules.sort_by(|left, right| {
        (left.header.priority, &left.id).cmp(&(right.header.priority, &right.id))
    });
    let enabled = || rules.iter().filter(|rule| rule.header.enabled);
    let mut turning_days: Vec<Day> =
        enabled().flat_map(|rule| [rule.header.from, rule.header.until]).flatten().collect();
    turning_days.sort_unstable();
    turning_days.dedup();
    // A stretch begins on its turning day; the first one, before all of them, is represented by the day before.
    let first = turning_days.first().map_or(Day::from_epoch(0), |day| day.plus(-1));
    let days = std::iter::once(first).chain(turning_days.iter().copied());
    let active = days.map(|day| valid_rules(&rules, day)).collect();
    let generation = generation(&rules, &tables, &options);
    let facts = rules.iter().map(facts).collect();
    RuleSet { engine, options, rules, facts, tables, generation, turning_days, active }
}

fn valid_rules(rules: &[Rule], day: Day) -> Valid {
    let is_valid = |rule: &Rule| {
        let header = &rule.header;
        header.enabled
            && header.from.is_none_or(|from| from <= day)
            && header.until.is_none_or(|until| day < until)
    };
    let mut valid = Valid::default();
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
        add(&table.text);
    }
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
