//! The question: which costs, by what, over which spans.

use crate::costs::filter::CostFilter;
use domain::account::Account;
use domain::axis::Axis;
use domain::code::QUERY_INVALID;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::field::Field;
use domain::period::{Day, Period};
use ledger::{BalanceFilter, Bucket};
use std::fmt;
use std::str::FromStr;

/// A property that costs are grouped or filtered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// The team. Cost that no team bears goes by its account: `unallocated`, `suspense`,
    /// `pool/<rule>` or `excluded/<rule>`.
    Team,
    ServiceName,
    Environment,
    Application,
    CostCenter,
    Rule,
    Source,
    Account,
    /// The month of the charges. By the day of posting, that of a correction is an earlier one.
    ChargePeriod,
    Currency,
    Dimension(Field),
    Tag(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Granularity {
    Daily,
    /// Weeks start on Monday; the first one is cut at the period's start.
    Weekly,
    Monthly,
    /// Quarters and years are those of the calendar.
    Quarterly,
    Yearly,
    Total,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostQuery {
    pub axis: Axis,
    /// Of days by the axis.
    pub period: Period,
    pub granularity: Granularity,
    pub group_by: Vec<GroupBy>,
    /// Values of the same key are alternatives; different keys must all hold, and nothing that is
    /// left out may.
    pub filter: Vec<CostFilter>,
}

const NAMES: &[(&str, GroupBy)] = &[
    ("team", GroupBy::Team),
    ("service_name", GroupBy::ServiceName),
    ("service", GroupBy::ServiceName),
    ("environment", GroupBy::Environment),
    ("application", GroupBy::Application),
    ("cost_center", GroupBy::CostCenter),
    ("rule", GroupBy::Rule),
    ("source", GroupBy::Source),
    ("account", GroupBy::Account),
    ("charge_period", GroupBy::ChargePeriod),
    ("currency", GroupBy::Currency),
];

impl FromStr for GroupBy {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<GroupBy, Diagnostic> {
        if let Some((_, group)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(group.clone());
        }
        match (name.strip_prefix("tag:"), Field::by_name(name)) {
            (Some(""), _) => {
                Err(Diagnostic::new(QUERY_INVALID, "'tag:' names no tag").hint("write `tag:team`"))
            }
            (Some(tag), _) => Ok(GroupBy::Tag(tag.into())),
            (None, Some(field)) => Ok(GroupBy::Dimension(field)),
            (None, None) => Err(unknown_group(name)),
        }
    }
}

fn unknown_group(name: &str) -> Diagnostic {
    let known = NAMES.iter().map(|(name, _)| *name).chain(Field::all().map(Field::name));
    let hint = match did_you_mean(name, known) {
        Some(close) => format!("did you mean `{close}`?"),
        None => {
            "group by team, service_name, environment, application, cost_center, rule, source, \
            account, charge_period, currency, a FOCUS column such as region_id, or tag:<key>"
                .into()
        }
    };
    Diagnostic::new(QUERY_INVALID, format!("costs have no '{name}' to group or filter by"))
        .hint(hint)
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupBy::Dimension(field) => f.write_str(field.name()),
            GroupBy::Tag(key) => write!(f, "tag:{key}"),
            named => f.write_str(
                NAMES.iter().find(|(_, group)| group == named).map_or("", |(name, _)| name),
            ),
        }
    }
}

impl GroupBy {
    /// Whether postings carry it.
    pub(super) fn is_posted(&self) -> bool {
        matches!(
            self,
            GroupBy::Team
                | GroupBy::ServiceName
                | GroupBy::Rule
                | GroupBy::Source
                | GroupBy::Account
                | GroupBy::ChargePeriod
                | GroupBy::Currency
                | GroupBy::Dimension(Field::SERVICE_NAME)
        )
    }
}

impl Granularity {
    pub const ALL: [Granularity; 6] = [
        Granularity::Daily,
        Granularity::Weekly,
        Granularity::Monthly,
        Granularity::Quarterly,
        Granularity::Yearly,
        Granularity::Total,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Granularity::Daily => "daily",
            Granularity::Weekly => "weekly",
            Granularity::Monthly => "monthly",
            Granularity::Quarterly => "quarterly",
            Granularity::Yearly => "yearly",
            Granularity::Total => "total",
        }
    }

    pub fn by_name(name: &str) -> Option<Granularity> {
        Granularity::ALL.into_iter().find(|known| known.name() == name)
    }

    fn bucket(self) -> Bucket {
        match self {
            Granularity::Daily => Bucket::Day,
            Granularity::Weekly => Bucket::Week,
            Granularity::Monthly | Granularity::Quarterly | Granularity::Yearly => Bucket::Month,
            Granularity::Total => Bucket::Whole,
        }
    }

    pub(super) fn span_start(self, day: Day, period: Period) -> Option<Day> {
        match self {
            Granularity::Daily => Some(day),
            Granularity::Weekly => Some(day.week_start().max(period.start())),
            Granularity::Monthly => Some(day.month().first_day().max(period.start())),
            Granularity::Quarterly => Some(day.month().quarter().first_day().max(period.start())),
            Granularity::Yearly => Some(day.month().january().first_day().max(period.start())),
            Granularity::Total => None,
        }
    }
}

impl CostQuery {
    /// Everything that is grouped or filtered by.
    pub(super) fn named(&self) -> impl Iterator<Item = &GroupBy> {
        self.group_by.iter().chain(self.filter.iter().map(|filter| &filter.group))
    }

    pub(super) fn names(&self, wanted: &GroupBy) -> bool {
        self.named().any(|group| group == wanted)
    }

    /// The balances that can have a part in the answer. Postings that a filter by team, account or
    /// source leaves out are not read.
    pub(super) fn balances(&self) -> BalanceFilter {
        let values = |group: GroupBy| -> Vec<&String> {
            let of_group = self.filter.iter().filter(|it| it.group == group && !it.is_left_out);
            of_group.map(|filter| &filter.value).collect()
        };
        let (teams, accounts) = (values(GroupBy::Team), values(GroupBy::Account));
        let bucket = match self.names(&GroupBy::ChargePeriod) {
            true => Bucket::Day,
            false => self.granularity.bucket(),
        };
        let mut balances = BalanceFilter::of(self.period).on(self.axis).by(bucket);
        if !accounts.is_empty() {
            balances = balances
                .accounts(accounts.into_iter().filter_map(|path| Account::parse(path).ok()));
        } else if !teams.is_empty() {
            balances = balances.accounts(teams.into_iter().flat_map(|team| named(team)));
        }
        let sources = values(GroupBy::Source);
        if !sources.is_empty() {
            balances = balances.sources(sources.into_iter().cloned());
        }
        balances
    }
}

/// The accounts that go by a team's name: the team, and an account that stands in for one.
fn named(team: &str) -> impl Iterator<Item = Account> {
    [Some(Account::Team(team.to_owned())), Account::parse(team).ok()].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_shown() {
        for (name, shown) in [
            ("team", "team"),
            ("service", "service_name"),
            ("region_id", "region_id"),
            ("tag:a:b", "tag:a:b"),
        ] {
            assert_eq!(
                name.parse::<GroupBy>().map(|group| group.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn unknown_names_are_refused_with_the_closest() {
        let refused = |name: &str| {
            name.parse::<GroupBy>()
                .map_or_else(|error| error.to_string(), |group| group.to_string())
        };
        assert_eq!(
            refused("enviroment"),
            "N202: costs have no 'enviroment' to group or filter by\n  \
             hint: did you mean `environment`?"
        );
        assert_eq!(refused("tag:"), "N202: 'tag:' names no tag\n  hint: write `tag:team`");
    }

    #[test]
    fn spans_are_cut_at_the_start_of_the_period() {
        let day = |text: &str| text.parse::<Day>().unwrap_or_else(|error| panic!("{error}"));
        // 2026-01-01 is a Thursday.
        let period = Period::new(day("2026-01-01"), day("2026-02-01"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            Granularity::Weekly.span_start(day("2026-01-03"), period),
            Some(day("2026-01-01"))
        );
        assert_eq!(
            Granularity::Weekly.span_start(day("2026-01-08"), period),
            Some(day("2026-01-05"))
        );
        assert_eq!(
            Granularity::Monthly.span_start(day("2026-01-08"), period),
            Some(day("2026-01-01"))
        );
        // From 15 February to the end of 2027: quarters and years begin there, and then on their
        // own first day.
        let longer = Period::new(day("2026-02-15"), day("2028-01-01"))
            .unwrap_or_else(|error| panic!("{error}"));
        for (on, quarter, year) in [
            ("2026-03-31", "2026-02-15", "2026-02-15"),
            ("2026-04-01", "2026-04-01", "2026-02-15"),
            ("2026-12-31", "2026-10-01", "2026-02-15"),
            ("2027-01-01", "2027-01-01", "2027-01-01"),
            ("2027-09-30", "2027-07-01", "2027-01-01"),
        ] {
            let start = |granularity: Granularity| granularity.span_start(day(on), longer);
            assert_eq!(start(Granularity::Quarterly), Some(day(quarter)), "{on}");
            assert_eq!(start(Granularity::Yearly), Some(day(year)), "{on}");
        }
    }
}
