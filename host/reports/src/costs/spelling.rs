//! The words of a question, as charges and postings have them. A question that nothing can match is
//! refused, because its answer would look like no cost.

use crate::costs::filter::CostFilter;
use crate::costs::query::{CostQuery, GroupBy};
use crate::costs::read::team_text;
use domain::code::QUERY_INVALID;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::dictionary::{Dictionary, ResourceId, TagSetId};
use domain::field::Field;
use domain::hint::Hint;
use domain::period::Month;
use domain::recipient::Target;
use domain::tag::TagSchema;
use ledger::Reader;
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// The settings that decide which words charges have.
#[derive(Clone, Copy, Debug)]
pub struct Spelling<'a> {
    pub schema: &'a TagSchema,
    /// The dimensions that are kept.
    pub dimensions: &'a [Field],
}

impl Spelling<'_> {
    /// The same question, with tags in the words of the schema.
    pub fn spelled(&self, ledger: &Reader, query: &CostQuery) -> Result<CostQuery, Diagnostic> {
        // Where nothing was posted, nothing can be misspelled.
        let is_new = ledger.accounts()?.is_empty();
        let names = KnownNames { ledger, dictionary: OnceCell::new(), is_new };
        let group_by = query.group_by.iter().map(|group| self.group(&names, group));
        let filter = query.filter.iter().map(|filter| {
            let (group, value) = self.with_whole_key(&names, &filter.group, &filter.value)?;
            let group = self.group(&names, &group)?;
            let value = self.value(&names, &group, &value)?;
            Ok(CostFilter { group, value, ..*filter })
        });
        let filter: Vec<CostFilter> = filter.collect::<Result<_, Diagnostic>>()?;
        can_match(&filter)?;
        Ok(CostQuery {
            group_by: group_by.collect::<Result<_, Diagnostic>>()?,
            filter,
            ..query.clone()
        })
    }

    /// A filter is cut at its first `=`. Where no tag has that key, a longer key with an `=` of its
    /// own is meant.
    fn with_whole_key(
        &self,
        names: &KnownNames<'_>,
        group: &GroupBy,
        value: &str,
    ) -> Result<(GroupBy, String), Diagnostic> {
        if let GroupBy::Tag(key) = group
            && self.schema.name_of(key).is_none()
            && value.contains('=')
        {
            let known = names.tag_keys()?;
            let cuts = value.match_indices('=').map(|(at, _)| value.split_at(at));
            let mut longer = cuts.map(|(more, rest)| (format!("{key}={more}"), &rest[1..]));
            let whole = longer.find(|(longer, _)| known.contains(longer.as_str()));
            if let (false, Some((key, value))) = (known.contains(key.as_str()), whole) {
                return Ok((GroupBy::Tag(key), value.to_owned()));
            }
        }
        Ok((group.clone(), value.to_owned()))
    }

    fn group(&self, names: &KnownNames<'_>, group: &GroupBy) -> Result<GroupBy, Diagnostic> {
        match group {
            GroupBy::Tag(key) => match self.schema.name_of(key) {
                Some(name) => Ok(GroupBy::Tag(name.to_owned())),
                None => self.known_tag(names, key).map(|()| group.clone()),
            },
            GroupBy::Dimension(field) if !self.dimensions.contains(field) => {
                names.known_dimension(*field).map(|()| group.clone())
            }
            _ => Ok(group.clone()),
        }
    }

    /// A key that no charge has cannot be grouped or filtered by.
    fn known_tag(&self, names: &KnownNames<'_>, key: &str) -> Result<(), Diagnostic> {
        if names.is_new {
            return Ok(());
        }
        let mut known = names.tag_keys()?;
        if known.contains(key) {
            return Ok(());
        }
        known.extend(self.schema.rules.iter().map(|rule| rule.name.as_str()));
        let hint = match did_you_mean(key, known.iter().copied()) {
            Some(close) => Hint::text(format!("did you mean `tag:{close}`?")),
            None if known.is_empty() => Hint::text("no charge has any tag"),
            None => listed("the tags are", known.iter().copied()),
        };
        Err(Diagnostic::new(QUERY_INVALID, format!("no charge has the tag '{key}'")).hint(hint))
    }

    fn value(
        &self,
        names: &KnownNames<'_>,
        group: &GroupBy,
        written: &str,
    ) -> Result<String, Diagnostic> {
        let value = match group {
            GroupBy::Tag(key) => self.schema.value_of(key, written),
            _ => written.to_owned(),
        };
        // The empty value is cost without one.
        if value.is_empty() || names.is_new {
            return Ok(value);
        }
        if *group == GroupBy::ChargePeriod {
            let month = value.parse::<Month>().map(|month| month.to_string());
            let hint = "write `charge_period` as a month, such as 2026-03";
            return month
                .map_err(|error| Diagnostic::new(QUERY_INVALID, error.to_string()).hint(hint));
        }
        let known = names.values(group)?;
        if known.contains(&value) {
            return Ok(value);
        }
        let others = value.strip_prefix('!').filter(|name| known.contains(*name));
        let hint = match (others, did_you_mean(&value, known.iter().map(String::as_str))) {
            (Some(name), _) => Hint::text(format!("did you mean `{group}!={name}`?")),
            (None, Some(close)) => Hint::text(format!("did you mean `{close}`?")),
            (None, None) => Hint::deed(
                format!("costs --group-by {group}"),
                format!("/api/v1/costs?group_by={group}"),
            )
            .then(" lists what there is"),
        };
        Err(Diagnostic::new(QUERY_INVALID, format!("no cost has the {group} '{written}'"))
            .hint(hint))
    }
}

/// Refuses a group of which all values that are wanted are left out too.
fn can_match(filters: &[CostFilter]) -> Result<(), Diagnostic> {
    for filter in filters.iter().filter(|filter| !filter.is_left_out) {
        let of_group = || filters.iter().filter(|other| other.group == filter.group);
        let is_left_out = |value: &str| of_group().any(|it| it.is_left_out && it.value == value);
        if of_group().filter(|other| !other.is_left_out).all(|other| is_left_out(&other.value)) {
            let CostFilter { group, value, .. } = filter;
            let message = format!("nothing can have the {group} '{value}' and not have it");
            return Err(Diagnostic::new(QUERY_INVALID, message).hint("leave one of the two out"));
        }
    }
    Ok(())
}

/// The names of everything that was ever charged or posted.
struct KnownNames<'a> {
    ledger: &'a Reader,
    /// Large, and only needed for what postings do not say.
    dictionary: OnceCell<Dictionary>,
    is_new: bool,
}

impl KnownNames<'_> {
    fn dictionary(&self) -> Result<&Dictionary, Diagnostic> {
        let known = match self.dictionary.get() {
            Some(_) => Dictionary::new(),
            None => self.ledger.dictionary()?,
        };
        Ok(self.dictionary.get_or_init(|| known))
    }

    fn tag_keys(&self) -> Result<BTreeSet<&str>, Diagnostic> {
        let dictionary = self.dictionary()?;
        let sets = (0..dictionary.tag_set_count() as u32).map(TagSetId);
        let keys: BTreeSet<_> =
            sets.flat_map(|set| dictionary.tags(set).iter().map(|(key, _)| *key)).collect();
        Ok(keys.into_iter().map(|key| dictionary.text(key)).collect())
    }

    fn known_dimension(&self, field: Field) -> Result<(), Diagnostic> {
        if self.is_new || self.dimension_values(field)?.iter().any(|value| !value.is_empty()) {
            return Ok(());
        }
        let name = field.name();
        let message = format!("no charge has the column '{name}': the settings do not keep it");
        let hint = Hint::text("add it to the list, and collect again: ")
            .then(Hint::setting(format!("dimensions = [\"{name}\", …]")));
        Err(Diagnostic::new(QUERY_INVALID, message).hint(hint))
    }

    fn values(&self, group: &GroupBy) -> Result<BTreeSet<String>, Diagnostic> {
        let costs = || Ok::<_, Diagnostic>(self.ledger.accounts()?.into_iter());
        Ok(match group {
            GroupBy::Team => {
                let borne = costs()?.filter(|account| account.is_cost());
                borne.map(|account| team_text(&account)).collect()
            }
            GroupBy::Account => costs()?.map(|account| account.to_string()).collect(),
            GroupBy::Rule => self.ledger.rule_names()?.into_iter().collect(),
            GroupBy::Source => self.ledger.source_names()?.into_iter().collect(),
            GroupBy::ServiceName => self.dimension_values(Field::SERVICE_NAME)?,
            GroupBy::Dimension(field) => self.dimension_values(*field)?,
            GroupBy::Tag(key) => self.tag_values(key)?,
            GroupBy::Environment => self.said("environment", |target| target.environment)?,
            GroupBy::Application => self.said("application", |target| target.application)?,
            GroupBy::CostCenter => self.said("cost_center", |target| target.cost_center)?,
            GroupBy::Currency => {
                let currencies = self.ledger.currencies()?.into_iter();
                currencies.map(|currency| currency.to_string()).collect()
            }
            GroupBy::ChargePeriod => BTreeSet::new(),
        })
    }

    fn dimension_values(&self, field: Field) -> Result<BTreeSet<String>, Diagnostic> {
        let dictionary = self.dictionary()?;
        let resources = (0..dictionary.resource_count() as u32).map(ResourceId);
        let symbols: BTreeSet<_> = resources.map(|id| dictionary.dimension(id, field)).collect();
        Ok(symbols.into_iter().map(|symbol| dictionary.text(symbol).to_owned()).collect())
    }

    fn tag_values(&self, key: &str) -> Result<BTreeSet<String>, Diagnostic> {
        let dictionary = self.dictionary()?;
        let Some(key) = dictionary.find_symbol(key) else { return Ok(BTreeSet::new()) };
        let sets = (0..dictionary.tag_set_count() as u32).map(TagSetId);
        let symbols: BTreeSet<_> = sets.map(|set| dictionary.tag(set, key)).collect();
        Ok(symbols.into_iter().map(|symbol| dictionary.text(symbol).to_owned()).collect())
    }

    /// Values that tags have or rules gave.
    fn said(
        &self,
        tag: &str,
        part: fn(Target) -> Option<String>,
    ) -> Result<BTreeSet<String>, Diagnostic> {
        let mut values = self.tag_values(tag)?;
        values.extend(self.ledger.targets()?.into_iter().filter_map(part));
        Ok(values)
    }
}

/// Some of many names.
fn listed<'a>(intro: &str, names: impl Iterator<Item = &'a str>) -> Hint {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = names.take(SHOWN).collect();
    Hint::text(format!("{intro} {}", shown.join(", ")))
}
