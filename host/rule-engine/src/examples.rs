//! Cases as examples for readers: the given charge and the rule's answer, in words.

use crate::case_costs::GivenCost;
use crate::case_file::{self, Case};
use crate::case_number::UNKNOWN;
use crate::cases::describe_expectation;
use crate::charge_view::DetailValue;
use crate::folder;
use crate::properties::law_text;
use crate::set::RuleSet;
use domain::detail::Detail;
use domain::diagnostic::Diagnostic;
use domain::port::Stage;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleExample {
    pub name: String,
    /// Such as `service_name = "EC2", tag team = "payments"`. Empty where nothing is given.
    pub given: String,
    pub answer: String,
}

/// The examples of each rule, in the order of its cases file. A broken file is a finding.
pub fn read(
    dir: &Path,
    set: &RuleSet,
) -> Result<BTreeMap<String, Vec<RuleExample>>, Vec<Diagnostic>> {
    let mut examples = BTreeMap::new();
    for file in &folder::read(dir)?.cases {
        let Some(rule) = set.rules.iter().find(|rule| rule.id == file.id) else { continue };
        let read = case_file::read(
            file,
            &set.options.dimensions,
            rule.header.stage != Stage::Attribution,
        )?;
        let properties = read.properties.iter().map(|property| RuleExample {
            name: property.name.clone(),
            given: "any charge that the property describes".to_owned(),
            answer: law_text(&property.law),
        });
        examples
            .insert(rule.id.clone(), read.cases.iter().map(example).chain(properties).collect());
    }
    Ok(examples)
}

fn example(case: &Case) -> RuleExample {
    let charge = &case.charge;
    let quoted = |name: &str, value: &str| format!("{name} = \"{value}\"");
    let mut given: Vec<String> =
        charge.dimensions.iter().map(|(field, value)| quoted(field.name(), value)).collect();
    given.extend(charge.tags.iter().map(|(key, value)| quoted(&format!("tag {key}"), value)));
    if !charge.currency.is_empty() && charge.currency != "USD" {
        given.push(quoted("billing_currency", &charge.currency));
    }
    given.extend(charge.line.day.map(|day| format!("on {day}")));
    given.extend(charge.line.billed.map(|amount| format!("billed {amount}")));
    given.extend(charge.line.effective.map(|amount| format!("effective {amount}")));
    given.extend(Detail::ALL.into_iter().filter_map(|detail| match charge.line.detail(detail) {
        DetailValue::Absent => None,
        DetailValue::Unknown => Some(format!("{} {UNKNOWN}", detail.name())),
        DetailValue::Known(figure) => Some(format!("{} {figure}", detail.name())),
    }));
    given.extend(case.day.amount.map(|amount| format!("{amount} to share")));
    given.extend(case.day.costs.iter().map(GivenCost::describe));
    for usage in &case.day.usage {
        let keys: Vec<String> =
            usage.keys.iter().map(|(key, value)| format!("{key} {value}")).collect();
        given.push(format!("{} of {}: {}", usage.metric, keys.join(" "), usage.value));
    }
    let through = if case.through_set { " (by the whole set)" } else { "" };
    RuleExample {
        name: case.name.clone(),
        given: given.join(", "),
        answer: format!("{}{through}", describe_expectation(&case.expect)),
    }
}
