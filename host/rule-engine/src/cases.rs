//! Runs the cases beside the rules, and reports which answers of each rule they reach.

use crate::case_file::{self, Case, Expect, GivenCharge, GivenDay};
use crate::case_number::UNKNOWN;
use crate::charge_view::{Charge, ChargeRead, ChargeView};
use crate::code::{CASE_FAILED, CASES_FILE};
use crate::compile::Rule;
use crate::evaluate::{RuleAnswer, RuleFailure, Trial, ask, try_rule};
use crate::folder;
use crate::header::Header;
use crate::known_teams::KnownTeams;
use crate::properties::{self, PropertyRun};
use crate::set::RuleSet;
use crate::text_file::TextFile;
use domain::decision::Decision;
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::driver::Driver;
use domain::driver::facts::{
    Basis, CostQuestion, DriverFilter, Facts, PluginCall, Pool, UsageQuery,
};
use domain::driver::fixed::FixedDriver;
use domain::field::Field;
use domain::money::{Money, Sum};
use domain::period::Day;
use domain::port::{Rules, Stage};
use domain::recipient::{Recipient, Target};
use domain::spread::{Spread, share};
use domain::usage::{Quantity, is_for};
use rhai::ImmutableString;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// The result of all cases of a set.
#[derive(Clone, Debug, Default)]
pub struct CaseReport {
    pub passed: usize,
    /// Missing and broken files (R301), failed cases (R302) and broken properties (R305), in the
    /// order of the rules.
    pub failures: Vec<Diagnostic>,
    /// One entry a rule, in the order in which rules are tried.
    pub rules: Vec<RuleCases>,
    /// In the order of the rules and of their files.
    pub properties: Vec<PropertyRun>,
}

/// The cases of one rule, and the answers of the rule that they reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCases {
    pub rule: String,
    pub cases: usize,
    pub passed: usize,
    /// `matches` has answered true.
    pub matched: bool,
    /// `matches` has answered false.
    pub not_matched: bool,
    /// `allocate` has answered.
    pub allocated: bool,
}

impl RuleCases {
    /// The answers that no case reaches, in words.
    pub fn never_reached(&self) -> Vec<&'static str> {
        let branches = [
            (self.matched, "matches → true"),
            (self.not_matched, "matches → false"),
            (self.allocated, "allocate"),
        ];
        branches.into_iter().filter(|(reached, _)| !reached).map(|(_, name)| name).collect()
    }
}

impl CaseReport {
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    pub fn rules_without_cases(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter(|rule| rule.cases == 0).map(|rule| rule.rule.as_str())
    }
}

/// Runs the cases files of a folder against the set that was loaded from it.
pub fn run(dir: &Path, set: &RuleSet) -> CaseReport {
    match folder::read(dir) {
        Ok(folder) => run_files(&folder.cases, set),
        Err(failures) => CaseReport { failures, ..CaseReport::default() },
    }
}

/// Runs the cases of one rule.
pub fn run_one(dir: &Path, set: &RuleSet, rule: &str) -> CaseReport {
    match folder::read(dir) {
        Ok(folder) => run_chosen(&folder.cases, set, &|id| id == rule),
        Err(failures) => CaseReport { failures, ..CaseReport::default() },
    }
}

/// Runs cases given as texts by rule id.
pub fn run_sources(cases: &[(String, String)], set: &RuleSet) -> CaseReport {
    let source = |(id, text): &(String, String)| TextFile {
        id: id.clone(),
        label: format!("{id}.cases.toml"),
        text: text.clone(),
    };
    run_files(&cases.iter().map(source).collect::<Vec<_>>(), set)
}

pub(crate) fn run_files(files: &[TextFile], set: &RuleSet) -> CaseReport {
    run_chosen(files, set, &|_| true)
}

fn run_chosen(files: &[TextFile], set: &RuleSet, is_chosen: &dyn Fn(&str) -> bool) -> CaseReport {
    let mut report = CaseReport::default();
    for rule in set.rules.iter().filter(|rule| is_chosen(&rule.id)) {
        let mut tally = RuleCases { rule: rule.id.clone(), ..RuleCases::default() };
        match files.iter().find(|file| file.id == rule.id) {
            None => report.failures.push(no_cases(rule)),
            Some(file) => match case_file::read(
                file,
                &set.options.dimensions,
                rule.header.stage != Stage::Attribution,
            ) {
                Err(findings) => report.failures.extend(findings),
                Ok(read) => {
                    run_rule(set, rule, file, &read.cases, &mut tally, &mut report.failures);
                    for property in &read.properties {
                        let (run, broken) = properties::run(set, rule, file, property);
                        report.properties.push(run);
                        report.failures.extend(broken);
                    }
                }
            },
        }
        report.passed += tally.passed;
        report.rules.push(tally);
    }
    let is_orphan =
        |file: &&TextFile| is_chosen(&file.id) && !set.rules.iter().any(|rule| rule.id == file.id);
    for file in files.iter().filter(is_orphan) {
        let message = format!("there is no rule {}.rhai for these cases", file.id);
        report.failures.push(Diagnostic::new(CASES_FILE, message).at(&file.label, 0, 0));
    }
    report
}

/// Runs the written cases of one rule only for the branches that they reach.
pub(crate) fn run_cases(file: &TextFile, set: &RuleSet, rule: &Rule) {
    // Errors of the file and failed cases are left out: `run` has reported them.
    if let Ok(read) =
        case_file::read(file, &set.options.dimensions, rule.header.stage != Stage::Attribution)
    {
        run_rule(set, rule, file, &read.cases, &mut RuleCases::default(), &mut Vec::new());
    }
}

fn no_cases(rule: &Rule) -> Diagnostic {
    let path = rule.file.label.strip_suffix(".rhai").unwrap_or(&rule.file.label);
    let finding = Diagnostic::new(CASES_FILE, "the rule has no cases").at(&rule.file.label, 0, 0);
    finding.hint(format!("write {path}.cases.toml with at least one [[case]]"))
}

fn run_rule(
    set: &RuleSet,
    rule: &Rule,
    file: &TextFile,
    cases: &[Case],
    tally: &mut RuleCases,
    failures: &mut Vec<Diagnostic>,
) {
    for case in cases {
        tally.cases += 1;
        if rule.header.stage != Stage::Attribution {
            let got = CaseOutcome::of_later_stage(set, rule, case.charge.day_for(rule));
            // Rules of later stages have no `matches`, so there is nothing to reach in it.
            (tally.matched, tally.not_matched) = (true, true);
            tally.allocated |= !matches!(got, CaseOutcome::Failed(..));
            judge(set, rule, file, case, got, tally, failures);
            continue;
        }
        let charge = charge(&case.charge);
        let on = case.charge.day_for(rule);
        let trial = try_rule(&set.engine, &set.options.limits, rule, &charge, on);
        let matched = trial.allocate_ran;
        tally.matched |= matched;
        tally.not_matched |= matches!(trial.answer, RuleAnswer::NoMatch);
        let answered = matches!(trial.answer, RuleAnswer::Pass | RuleAnswer::Decided(_));
        tally.allocated |= matched && answered;
        let got = if case.through_set {
            through_set(set, on, &charge)
        } else {
            CaseOutcome::of(trial, &charge)
        };
        judge(set, rule, file, case, got, tally, failures);
    }
}

fn judge(
    set: &RuleSet,
    rule: &Rule,
    file: &TextFile,
    case: &Case,
    got: CaseOutcome,
    tally: &mut RuleCases,
    failures: &mut Vec<Diagnostic>,
) {
    let on = case.charge.day_for(rule);
    let got = match (&case.expect, got) {
        (Expect::Shares(_), CaseOutcome::Decided(decision, by)) => shares(
            &CaseFacts { set, day: &case.day, currency: &case.charge.currency, on },
            by.as_deref().unwrap_or(&rule.id),
            &decision,
        ),
        (_, got) => got,
    };
    if got.is(&case.expect, &set.teams, on) {
        tally.passed += 1;
    } else {
        failures.push(failed(rule, file, case, &got));
    }
}

/// The facts of a day, as the case gives them.
pub(crate) struct CaseFacts<'a> {
    pub(crate) set: &'a RuleSet,
    pub(crate) day: &'a GivenDay,
    pub(crate) currency: &'a str,
    pub(crate) on: Day,
}

impl Facts for CaseFacts<'_> {
    fn currency(&self) -> &str {
        self.currency
    }

    /// A case gives the costs of the window, on the basis that the rule asks for.
    fn team_costs(&self, question: &CostQuestion) -> BTreeMap<String, i128> {
        self.direct_costs(&question.filter, Basis::Effective)
    }

    /// Filter and basis are ignored: a case gives the costs that they would leave.
    fn direct_costs(&self, _: &DriverFilter, _: Basis) -> BTreeMap<String, i128> {
        let cost = |(team, cost): &(String, Money)| {
            let team = self.team(team).map_or_else(|| team.clone(), |known| known.team);
            (team, i128::from(cost.nanos()))
        };
        self.day.costs.iter().map(cost).collect()
    }

    fn usage(&self, query: &UsageQuery) -> Option<BTreeMap<Vec<String>, Quantity>> {
        let mut by_key: BTreeMap<Vec<String>, Quantity> = BTreeMap::new();
        for usage in self.day.usage.iter().filter(|usage| usage.metric == query.metric) {
            let key = |name: &str| {
                usage
                    .keys
                    .iter()
                    .find(|(key, _)| key == name)
                    .map_or("", |(_, value)| value.as_str())
            };
            if is_for(&usage.keys, self.currency)
                && query.filter.iter().all(|(name, value)| key(name) == value)
            {
                let values = query.key.iter().map(|name| key(name).to_owned()).collect();
                by_key.entry(values).or_default().0 += usage.value.0;
            }
        }
        Some(by_key)
    }

    /// Cost centers are left out: a case says shares by team.
    fn team(&self, name: &str) -> Option<Target> {
        self.set.team(name, self.on).map(|team| Target::team(team.team))
    }

    fn cell(&self, table: &str, key: &[String]) -> Option<String> {
        self.set.cell(table, key, self.on)
    }

    fn plugin(&self, call: &PluginCall<'_>) -> Result<Vec<u64>, Diagnostic> {
        Err(Diagnostic::new(
            CASE_FAILED,
            format!(
                "cases do not run plugins such as {}; expect {{ decision = … }} instead",
                call.plugin
            ),
        ))
    }
}

/// Splits the day's amount by a decision, as a run would.
pub(crate) fn shares(facts: &CaseFacts<'_>, rule: &str, decision: &Decision) -> CaseOutcome {
    let amount = Sum::from(facts.day.amount.unwrap_or(Money::ZERO));
    let spread = match decision {
        Decision::Assign(recipient) => Spread::fixed(vec![(recipient.clone(), 1)]),
        Decision::Spread(spread) => (**spread).clone(),
        Decision::Exclude { .. } => return CaseOutcome::Decided(decision.clone(), None),
    };
    let pool = Pool::new(Recipient::Pool(rule.to_owned()), rule, amount);
    let mut shares: BTreeMap<String, Sum> = BTreeMap::new();
    match share(&spread, &pool, facts) {
        Err(finding) => return CaseOutcome::Refused(finding.message),
        Ok(None) => drop(shares.insert(share_name(&pool.stands), amount)),
        Ok(Some(sharing)) => sharing.shares_of(amount).split(amount, |target, part| {
            *shares.entry(share_name(&sharing.recipients[target])).or_default() += part
        }),
    }
    // A case lists only those who get something.
    shares.retain(|_, part| !part.is_zero());
    CaseOutcome::Shares(shares)
}

fn share_name(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Pool(rule) => format!("pool {rule}"),
        other => other.describe(),
    }
}

/// A failed case. Where the rule itself failed, the place is in the rule.
fn failed(rule: &Rule, file: &TextFile, case: &Case, got: &CaseOutcome) -> Diagnostic {
    let message = format!(
        "\"{}\": expected {}, got {}",
        case.name,
        describe_expectation(&case.expect),
        got.describe()
    );
    if let CaseOutcome::Failed(failure, None) = got {
        let finding = rule.file.finding_at(CASE_FAILED, message, failure.line, failure.column);
        return finding.hint(format!("the case stands in {}:{}", file.label, case.line));
    }
    let line = file.text.lines().nth((case.line as usize).saturating_sub(1)).unwrap_or_default();
    let finding =
        Diagnostic::new(CASE_FAILED, message).at(&file.label, case.line, case.column).excerpt(line);
    match got {
        CaseOutcome::Needs(names) => finding.hint(format!(
            "give the charge {}",
            names.iter().map(|name| example(name)).collect::<Vec<_>>().join(", ")
        )),
        _ => finding,
    }
}

fn example(name: &str) -> String {
    match (name, Detail::by_name(name)) {
        ("charge_period_start", _) => "charge_period_start = \"2026-03-01\"".to_owned(),
        (_, Some(_)) => format!("{name} = \"1.50\", or \"{UNKNOWN}\""),
        (_, None) => format!("{name} = \"1.50\""),
    }
}

/// The answer of a rule to a case.
pub(crate) enum CaseOutcome {
    NoMatch,
    Pass,
    Unallocated,
    /// With the id of the deciding rule, where the whole set was asked.
    Decided(Decision, Option<String>),
    Failed(RuleFailure, Option<String>),
    Shares(BTreeMap<String, Sum>),
    /// The decision cannot be turned into shares, with the reason.
    Refused(String),
    /// The rule read these values, and the case does not give them.
    Needs(Vec<String>),
}

impl CaseOutcome {
    fn of(trial: Trial, charge: &Charge) -> CaseOutcome {
        match trial.answer {
            RuleAnswer::NoMatch => CaseOutcome::NoMatch,
            RuleAnswer::Pass => CaseOutcome::Pass,
            RuleAnswer::Decided(decision) => CaseOutcome::Decided(decision, None),
            RuleAnswer::Failed(failure) => CaseOutcome::Failed(failure, None),
            RuleAnswer::NeedsLine => CaseOutcome::Needs(
                trial.reads.iter().filter(|read| !charge.has(read)).map(ChargeRead::name).collect(),
            ),
        }
    }

    pub(crate) fn of_later_stage(set: &RuleSet, rule: &Rule, on: Day) -> CaseOutcome {
        match ask(&set.engine, &set.options.limits, rule, on) {
            Ok(None) => CaseOutcome::Pass,
            Ok(Some(spread)) => CaseOutcome::Decided(Decision::from(spread), None),
            Err(failure) => CaseOutcome::Failed(failure, None),
        }
    }

    /// Whether it is the expected one. Teams may be spelled in any way, and the cost center that a
    /// team has by the table may be left out.
    fn is(&self, expect: &Expect, teams: &KnownTeams, on: Day) -> bool {
        match (self, expect) {
            (CaseOutcome::Decided(got, _), Expect::Words(words)) => {
                got.describe() == *words || teams.bare(got, Some(on)).describe() == *words
            }
            (CaseOutcome::Shares(got), Expect::Shares(expected)) => {
                let expected = expected.iter().filter(|(_, part)| *part != Money::ZERO);
                let named = |name: &String| match teams.team(name, Some(on)) {
                    Ok(team) => team.team,
                    Err(_) => name.clone(),
                };
                let expected = expected.map(|(name, part)| (named(name), Sum::from(*part)));
                *got == expected.collect()
            }
            (CaseOutcome::NoMatch, Expect::NoMatch)
            | (CaseOutcome::Pass, Expect::Pass)
            | (CaseOutcome::Unallocated, Expect::Unallocated) => true,
            (CaseOutcome::Failed(failure, _), Expect::Error(code)) => failure.code == *code,
            (CaseOutcome::Decided(got, _), Expect::Decision { decision, listed }) => {
                let bare = |decision| teams.bare(decision, Some(on));
                comparable(&bare(got), *listed) == comparable(&bare(decision), *listed)
            }
            _ => false,
        }
    }

    pub(crate) fn describe(&self) -> String {
        let by = |rule: &Option<String>| {
            rule.as_ref().map(|rule| format!(" (by {rule})")).unwrap_or_default()
        };
        match self {
            CaseOutcome::NoMatch => "no match".into(),
            CaseOutcome::Pass => "pass".into(),
            CaseOutcome::Unallocated => "unallocated".into(),
            CaseOutcome::Shares(shares) => shares
                .iter()
                .map(|(name, part)| format!("{name} {part}"))
                .collect::<Vec<_>>()
                .join(", "),
            CaseOutcome::Refused(why) => why.clone(),
            CaseOutcome::Decided(decision, rule) => format!("{}{}", decision.describe(), by(rule)),
            CaseOutcome::Failed(failure, rule) => format!(
                "{} at {}:{}: {}{}",
                failure.code,
                failure.line,
                failure.column,
                failure.message,
                by(rule)
            ),
            CaseOutcome::Needs(names) => {
                format!("a read of {}, which the case does not give", names.join(", "))
            }
        }
    }
}

pub(crate) fn describe_expectation(expect: &Expect) -> String {
    match expect {
        Expect::NoMatch => "no match".into(),
        Expect::Pass => "pass".into(),
        Expect::Unallocated => "unallocated".into(),
        Expect::Error(code) => format!("error {code}"),
        Expect::Decision { decision, .. } => decision.describe(),
        Expect::Words(words) => words.clone(),
        Expect::Shares(shares) => shares
            .iter()
            .map(|(name, part)| format!("{name} {part}"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Reduces weights to their ratio, so that 60:40 equals 3:2, and sorts them where the order of the
/// targets does not count.
fn comparable(decision: &Decision, listed: bool) -> Decision {
    let Decision::Spread(spread) = decision else { return decision.clone() };
    let Driver::Fixed(FixedDriver { weights }) = &spread.by else { return decision.clone() };
    let divisor =
        weights.iter().fold(0, |divisor, (_, weight)| common_divisor(divisor, *weight)).max(1);
    let mut weights: Vec<_> =
        weights.iter().map(|(recipient, weight)| (recipient.clone(), weight / divisor)).collect();
    if !listed {
        weights.sort();
    }
    Spread { by: Driver::Fixed(FixedDriver { weights }), ..(**spread).clone() }.into()
}

fn common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { common_divisor(right, left % right) }
}

/// The answer of one rule, or of the whole set, to a charge.
pub(crate) fn answer(
    set: &RuleSet,
    rule: &Rule,
    given: &GivenCharge,
    through_the_set: bool,
) -> CaseOutcome {
    let (charge, on) = (charge(given), given.day_for(rule));
    match through_the_set {
        true => through_set(set, on, &charge),
        false => {
            CaseOutcome::of(try_rule(&set.engine, &set.options.limits, rule, &charge, on), &charge)
        }
    }
}

impl GivenCharge {
    /// Its day. Without one, a day on which the case's own rule is valid stands in for it.
    pub(crate) fn day_for(&self, rule: &Rule) -> Day {
        let Header { from, until, .. } = rule.header;
        let some_day = from.or(until.map(|until| until.plus(-1)));
        self.line.day.or(some_day).unwrap_or(Day::from_epoch(0))
    }
}

/// Asks all rules in order, as a run does.
pub(crate) fn through_set(set: &RuleSet, day: Day, charge: &Charge) -> CaseOutcome {
    for index in set.active(set.stretch(day)) {
        let Some(rule) = set.rules.get(*index as usize) else { continue };
        match CaseOutcome::of(try_rule(&set.engine, &set.options.limits, rule, charge, day), charge)
        {
            CaseOutcome::NoMatch | CaseOutcome::Pass => {}
            CaseOutcome::Decided(decision, _) => {
                return CaseOutcome::Decided(decision, Some(rule.id.clone()));
            }
            CaseOutcome::Failed(failure, _) => {
                return CaseOutcome::Failed(failure, Some(rule.id.clone()));
            }
            other => return other,
        }
    }
    CaseOutcome::Unallocated
}

pub(crate) fn charge(given: &GivenCharge) -> Charge {
    let dimension = |field: Field| {
        given
            .dimensions
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, text)| text.as_str())
            .unwrap_or_default()
    };
    let shared = |text: &String| ImmutableString::from(text.as_str());
    Charge::new(ChargeView {
        fields: Field::all().map(|field| dimension(field).into()).collect(),
        currency: shared(&given.currency),
        tags: given.tags.iter().map(|(key, value)| (shared(key), shared(value))).collect(),
        line: given.line.clone(),
        reads: Mutex::default(),
    })
}
