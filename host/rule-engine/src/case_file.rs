//! Reads `<rule>.cases.toml`: charges, and the decisions that the rule must make on them. Unknown
//! keys are errors.

use crate::case_costs::{self, GivenCost};
use crate::case_number::{amount, amounts, detail_value, number_text};
use crate::case_value::{Read, Value, Wrong, known_word, table, text, unknown};
use crate::charge_view::{LineValues, no_field};
use crate::code;
use crate::code::CASES_FILE;
use crate::decision::weighted_split;
use crate::drivers::filter_key;
use crate::property_file::{self, Property};
use crate::text_file::TextFile;
use crate::window::{BASIS_WORDS, basis_of, window_of};
use domain::code::{Code, Fault};
use domain::decision::Decision;
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::driver::Driver;
use domain::driver::candidates::Candidates;
use domain::driver::cost::CostDriver;
use domain::driver::facts::{CostQuestion, DriverFilter};
use domain::field::Field;
use domain::money::Money;
use domain::period::Day;
use domain::recipient::{Recipient, Target};
use domain::spread::{Spread, WhenZero};
use domain::usage::Quantity;
use rust_decimal::Decimal;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The place of the case's expectation in the file: this line, and the column.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) charge: GivenCharge,
    /// The costs and the usage of the day, for the shares.
    pub(crate) day: GivenDay,
    pub(crate) expect: Expect,
    /// Whether the whole set is asked instead of the one rule.
    pub(crate) through_set: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct GivenCharge {
    pub(crate) dimensions: Vec<(Field, String)>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) currency: String,
    pub(crate) line: LineValues,
}

/// A pool's total of the day, and the costs and the usage by which it is shared.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenDay {
    pub(crate) amount: Option<Money>,
    pub(crate) costs: Vec<GivenCost>,
    pub(crate) usage: Vec<GivenUsage>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUsage {
    pub(crate) metric: String,
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) value: Quantity,
}

#[derive(Clone, Debug)]
pub(crate) enum Expect {
    NoMatch,
    Pass,
    Unallocated,
    Error(Code),
    /// With `listed`, the order of the targets counts.
    Decision {
        decision: Decision,
        listed: bool,
    },
    /// The decision in words, as reports show it.
    Words(String),
    /// The shares of the given amount, by the name of the team or `pool <rule>`.
    Shares(Vec<(String, Money)>),
}

/// The content of a cases file.
#[derive(Clone, Debug, Default)]
pub(crate) struct CaseFile {
    pub(crate) cases: Vec<Case>,
    pub(crate) properties: Vec<Property>,
    /// By name, in place of the folder's.
    pub(crate) tables: Vec<(String, String)>,
}

/// Reads all cases, or lists the errors of the file.
///
/// Rules of a `later_stage` see no charge.
pub(crate) fn read(
    source: &TextFile,
    kept: &[Field],
    later_stage: bool,
) -> Result<CaseFile, Vec<Diagnostic>> {
    let finding = |message: String, at: usize| {
        let (line, column) = line_and_column(&source.text, at);
        let line_text =
            source.text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        Diagnostic::new(CASES_FILE, message).at(&source.label, line, column).excerpt(line_text)
    };
    let document = DeTable::parse(&source.text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or("the file is not TOML").to_owned();
        vec![finding(message, error.span().map_or(0, |span| span.start))]
    })?;
    let mut file = CaseFile::default();
    let mut findings = Vec::new();
    let place = |at: usize| line_and_column(&source.text, at);
    for (key, value) in document.get_ref() {
        if key.get_ref() == "tables" {
            match tables(value) {
                Ok(read) => file.tables = read,
                Err(Wrong(message, span)) => findings.push(finding(message, span.start)),
            }
            continue;
        }
        let is_case = key.get_ref() == "case";
        if !is_case && key.get_ref() != "property" {
            let message = format!(
                "the file does not know '{}'; there are [[case]], [[property]] and [tables]",
                key.get_ref()
            );
            findings.push(finding(message, key.span().start));
            continue;
        }
        for element in value.get_ref().as_array().into_iter().flat_map(|list| list.iter()) {
            let read = if is_case {
                case(element, kept, later_stage).map(|(case, at)| {
                    let (line, column) = place(at);
                    file.cases.push(Case { line, column, ..case });
                })
            } else {
                property_file::property(element, later_stage).map(|(property, at)| {
                    let (line, column) = place(at);
                    file.properties.push(Property { line, column, ..property });
                })
            };
            if let Err(Wrong(message, span)) = read {
                findings.push(finding(message, span.start));
            }
        }
    }
    if findings.is_empty() { Ok(file) } else { Err(findings) }
}

fn tables(value: &Value<'_>) -> Read<Vec<(String, String)>> {
    let given = table(value, "'tables'")?.iter();
    given
        .map(|(name, csv)| {
            let csv = text(csv, "a table, as CSV,")?;
            Ok((name.get_ref().to_string(), csv))
        })
        .collect()
}

fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Reads a case, and the place of its expectation in the file.
fn case(value: &Value<'_>, kept: &[Field], later_stage: bool) -> Read<(Case, usize)> {
    let (mut name, mut charge, mut expect, mut through_set) = (None, None, None, false);
    let mut day = GivenDay::default();
    for (key, value) in table(value, "a case")? {
        match key.get_ref().as_ref() {
            "name" => name = Some(text(value, "'name'")?),
            "charge" => charge = Some(given_charge(value)?),
            "amount" => day.amount = Some(amount(value)?),
            "costs" => day.costs = case_costs::read(table(value, "'costs'")?, kept)?,
            "usage" => {
                let rows = value.get_ref().as_array().ok_or_else(|| {
                    Wrong("'usage' is a list of tables, [{ … }]".into(), value.span())
                })?;
                day.usage = rows.iter().map(given_usage).collect::<Read<_>>()?;
            }
            "expect" => expect = Some((expectation(value, kept)?, value.span())),
            "through_set" => {
                through_set = value
                    .get_ref()
                    .as_bool()
                    .ok_or_else(|| Wrong("'through_set' is true or false".into(), value.span()))?;
            }
            _ => {
                return Err(unknown(
                    "a case",
                    key,
                    ["name", "charge", "amount", "costs", "usage", "expect", "through_set"]
                        .into_iter(),
                ));
            }
        }
    }
    let lacks = |what: &str| Wrong(format!("the case lacks '{what}'"), value.span());
    let (expect, span) = expect.ok_or_else(|| lacks("expect"))?;
    check_expectation(&expect, span.clone(), through_set, &day)?;
    let charge = match charge {
        None if later_stage => GivenCharge::default(),
        Some(_) if later_stage => {
            return Err(Wrong(
                "the rule is asked for its pool or team and sees no charge".into(),
                value.span(),
            ));
        }
        charge => charge.ok_or_else(|| lacks("charge"))?,
    };
    let case = Case {
        name: name.ok_or_else(|| lacks("name"))?,
        charge,
        day,
        expect,
        through_set,
        line: 0,
        column: 0,
    };
    Ok((case, span.start))
}

/// Refuses an expectation that this case cannot have.
fn check_expectation(
    expect: &Expect,
    span: Range<usize>,
    through_set: bool,
    day: &GivenDay,
) -> Read<()> {
    match (expect, through_set) {
        (Expect::NoMatch | Expect::Pass, true) => {
            return Err(Wrong(
                "a case through the whole set expects a decision, an error or \"unallocated\""
                    .into(),
                span,
            ));
        }
        (Expect::Unallocated, false) => {
            let message = "\"unallocated\" is said by the whole set: add through_set = true, or \
                           expect \"no match\"";
            return Err(Wrong(message.into(), span));
        }
        _ => {}
    }
    if matches!(expect, Expect::Shares(_)) && day.amount.is_none() {
        return Err(Wrong(
            "a case that expects shares needs the amount that is shared: amount = \"100\"".into(),
            span,
        ));
    }
    Ok(())
}

fn given_charge(value: &Value<'_>) -> Read<GivenCharge> {
    let mut charge = GivenCharge { currency: "USD".into(), ..GivenCharge::default() };
    for (key, value) in table(value, "'charge'")? {
        match key.get_ref().as_ref() {
            "tags" => {
                for (tag, value) in table(value, "'tags'")? {
                    charge.tags.push((tag.get_ref().to_string(), text(value, "a tag")?));
                }
            }
            "billing_currency" => charge.currency = text(value, "'billing_currency'")?,
            "charge_period_start" => {
                let day: Result<Day, _> = text(value, "'charge_period_start'")?.parse();
                charge.line.day =
                    Some(day.map_err(|error| Wrong(error.to_string(), value.span()))?);
            }
            "billed_cost" => charge.line.billed = Some(amount(value)?),
            "effective_cost" => charge.line.effective = Some(amount(value)?),
            name => match (Field::by_name(name), Detail::by_name(name)) {
                (Some(field), _) => {
                    charge.dimensions.push((field, text(value, &format!("'{name}'"))?))
                }
                (None, Some(detail)) => charge.line.set_detail(detail, detail_value(value)?),
                (None, None) => return Err(Wrong(no_field(name), key.span())),
            },
        }
    }
    Ok(charge)
}

/// `{ metric = "…", value = "12.5", team = "payments", … }`.
pub(crate) fn given_usage(value: &Value<'_>) -> Read<GivenUsage> {
    let mut usage = GivenUsage::default();
    for (key, value) in table(value, "usage")? {
        match key.get_ref().as_ref() {
            "metric" => usage.metric = text(value, "'metric'")?,
            "value" => usage.value = Quantity(i128::from(amount(value)?.nanos())),
            other => usage.keys.push((other.to_owned(), text(value, "a key of usage")?)),
        }
    }
    if usage.metric.is_empty() {
        return Err(Wrong("usage needs a metric".into(), value.span()));
    }
    Ok(usage)
}

const EXPECTATIONS: [&str; 8] =
    ["assign", "split", "even", "by_cost", "exclude", "error", "decision", "shares"];

fn expectation(value: &Value<'_>, kept: &[Field]) -> Read<Expect> {
    if let Some(word) = value.get_ref().as_str() {
        return match word {
            "pass" => Ok(Expect::Pass),
            "no match" => Ok(Expect::NoMatch),
            "unallocated" => Ok(Expect::Unallocated),
            _ => Err(Wrong(
                format!(
                    "'{word}' is not an expectation; there are \"pass\", \"no match\", \
                     \"unallocated\" and tables"
                ),
                value.span(),
            )),
        };
    }
    let expected = table(value, "'expect'")?;
    let (Some((key, inner)), 1) = (expected.iter().next(), expected.len()) else {
        return Err(Wrong(
            "'expect' has exactly one key, such as { assign = \"payments\" }".into(),
            value.span(),
        ));
    };
    let decision = |decision: Decision| Expect::Decision { decision, listed: false };
    match key.get_ref().as_ref() {
        "assign" => Ok(decision(Decision::Assign(recipient(inner)?))),
        "decision" => Ok(Expect::Words(text(inner, "'decision'")?)),
        "shares" => Ok(Expect::Shares(amounts(inner, "'shares'")?)),
        "exclude" => Ok(decision(Decision::Exclude { reason: text(inner, "'exclude'")? })),
        "by_cost" => by_cost(inner, kept),
        "split" => split(inner),
        "even" => {
            let list = inner
                .get_ref()
                .as_array()
                .ok_or_else(|| Wrong("the teams must be a list, [ … ]".into(), inner.span()))?;
            let recipients =
                list.iter().map(|element| Ok((recipient(element)?, 1))).collect::<Read<_>>()?;
            Ok(Expect::Decision { decision: Decision::fixed(recipients), listed: true })
        }
        "error" => {
            let written = text(inner, "'error'")?;
            let code = running_errors().find(|code| code.text() == written);
            code.map(Expect::Error).ok_or_else(|| {
                Wrong(
                    format!(
                        "'{written}' is not an error of a running rule; there are {}",
                        running_errors().map(Code::text).collect::<Vec<_>>().join(", ")
                    ),
                    inner.span(),
                )
            })
        }
        _ => Err(unknown("'expect'", key, EXPECTATIONS.into_iter())),
    }
}

/// The errors that a rule can end with while it runs.
fn running_errors() -> impl Iterator<Item = Code> {
    let own = code::CODES.iter().copied().filter(|code| code.fault() == Fault::Incomplete);
    [domain::code::RULE_DECISION].into_iter().chain(own)
}

/// Reads a target: a team's name, or a table. Gives the values of the keys in `also` too.
fn target(value: &Value<'_>, also: &[&'static str]) -> Read<(Target, Vec<String>)> {
    if let Some(team) = value.get_ref().as_str() {
        return Ok((Target::team(team), Vec::new()));
    }
    let (mut target, mut others) = (Target::default(), Vec::new());
    for (key, value) in table(value, "a target")? {
        let name = key.get_ref().as_ref();
        match name {
            "team" => target.team = text(value, "'team'")?,
            "cost_center" => target.cost_center = Some(text(value, "'cost_center'")?),
            "environment" => target.environment = Some(text(value, "'environment'")?),
            "application" => target.application = Some(text(value, "'application'")?),
            _ if also.contains(&name) => others.push(number_text(value, "a weight")?),
            _ => {
                return Err(unknown(
                    "a target",
                    key,
                    ["team", "cost_center", "environment", "application"]
                        .into_iter()
                        .chain(also.iter().copied()),
                ));
            }
        }
    }
    Ok((target, others))
}

/// A team, or `{ pool = "shared/idle" }`.
fn recipient(value: &Value<'_>) -> Read<Recipient> {
    let pool = value
        .get_ref()
        .as_table()
        .filter(|table| table.len() == 1)
        .and_then(|table| table.get("pool"));
    match pool {
        Some(pool) => Ok(Recipient::Pool(text(pool, "'pool'")?)),
        None => Ok(Recipient::Team(target(value, &[])?.0)),
    }
}

fn targets(value: &Value<'_>) -> Read<Vec<Target>> {
    let list = value
        .get_ref()
        .as_array()
        .ok_or_else(|| Wrong("the teams must be a list, [ … ]".into(), value.span()))?;
    list.iter().map(|element| Ok(target(element, &[])?.0)).collect()
}

fn split(value: &Value<'_>) -> Read<Expect> {
    let mut weighted = Vec::new();
    let listed = match value.get_ref() {
        DeValue::Table(table) => {
            for (team, weight) in table {
                weighted.push((
                    Recipient::team(team.get_ref().as_ref()),
                    weight_of(&number_text(weight, "a weight")?, weight.span())?,
                ));
            }
            false
        }
        DeValue::Array(list) => {
            for element in list.iter() {
                weighted.push(weighted_pair(element)?);
            }
            true
        }
        _ => {
            return Err(Wrong(
                "'split' is a table of weights or a list of pairs".into(),
                value.span(),
            ));
        }
    };
    let decision =
        weighted_split(weighted).map_err(|refusal| Wrong(refusal.message, value.span()))?;
    Ok(Expect::Decision { decision, listed })
}

fn weighted_pair(element: &Value<'_>) -> Read<(Recipient, Decimal)> {
    let wrong = || {
        Wrong(
            "a pair is [\"payments\", \"60\"] or { team = \"payments\", weight = \"60\" }".into(),
            element.span(),
        )
    };
    match element.get_ref() {
        DeValue::Array(pair) => match pair.iter().collect::<Vec<_>>().as_slice() {
            [first, second] => Ok((
                recipient(first)?,
                weight_of(&number_text(second, "a weight")?, second.span())?,
            )),
            _ => Err(wrong()),
        },
        DeValue::Table(_) => match target(element, &["weight"])? {
            (target, others) if others.len() == 1 => {
                Ok((Recipient::Team(target), weight_of(&others.concat(), element.span())?))
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn weight_of(text: &str, span: Range<usize>) -> Read<Decimal> {
    text.parse().map_err(|_| Wrong(format!("'{text}' is not a weight"), span))
}

fn by_cost(value: &Value<'_>, kept: &[Field]) -> Read<Expect> {
    let (mut among, mut costs, mut when_zero) =
        (Candidates::AllTeams, CostQuestion::direct(DriverFilter::new()), WhenZero::Stay);
    for (key, value) in table(value, "'by_cost'")? {
        match key.get_ref().as_ref() {
            "teams" => among = Candidates::Listed(targets(value)?),
            "filter" => {
                let pairs = table(value, "'filter'")?.iter().map(|(key, value)| {
                    let name = filter_key(key.get_ref(), kept)
                        .map_err(|refusal| Wrong(refusal.message, key.span()))?;
                    Ok((name, text(value, "a filter's value")?))
                });
                costs.filter = pairs.collect::<Read<_>>()?;
            }
            "basis" => {
                costs.basis = known_word(value, "'basis'", BASIS_WORDS, basis_of)?;
            }
            "window" => {
                let words = "\"day\", \"week\" or \"month\"";
                costs.window = known_word(value, "'window'", words, window_of)?;
            }
            "when_zero" => {
                let policy = |word: &str| match word {
                    "even" => Some(WhenZero::Even),
                    "stay" => Some(WhenZero::Stay),
                    _ => None,
                };
                when_zero = known_word(value, "'when_zero'", "\"stay\" or \"even\"", policy)?;
            }
            _ => {
                return Err(unknown(
                    "'by_cost'",
                    key,
                    ["teams", "filter", "basis", "window", "when_zero"].into_iter(),
                ));
            }
        }
    }
    let spread = Spread { when_zero, ..Spread::new(Driver::Cost(CostDriver { among, costs })) };
    Ok(Expect::Decision { decision: Decision::from(spread), listed: true })
}
