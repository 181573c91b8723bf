//! The parameters of a request: one struct an operation, from which they are read and described.
//!
//! A field's name is the parameter's name, its comment the description, and its type says how the
//! text is read, what is refused, and how the API's document shows it. A name that no field has is
//! refused.

mod axis;
mod depth;
pub mod ranking;
mod run;

use crate::error::Problem;
use axum::extract::Query;
use axum::http::Uri;
use domain::diagnostic::{Diagnostic, did_you_mean};
use domain::period::{Day, Period};
use reports::costs::filter::CostFilter;
use reports::costs::query::{Granularity, GroupBy};
use reports::measure::Metric;
use serde_json::{Value, json};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// All parameters of one operation.
pub trait Parameters: Sized {
    /// In the order in which they are described.
    fn described() -> Vec<ParameterFacts>;
    fn take(query: &QueryPairs) -> Result<Self, Problem>;

    fn read(uri: &Uri) -> Result<Self, Problem> {
        Self::take(&QueryPairs::read(uri, &Self::described())?)
    }
}

/// One parameter as the API's document describes it.
pub struct ParameterFacts {
    pub name: &'static str,
    pub description: &'static str,
    pub schema: Value,
    pub is_required: bool,
    pub is_list: bool,
}

/// The type of a parameter.
pub trait ParameterKind: Sized {
    const IS_REQUIRED: bool = false;
    /// Whether it may be given more than once.
    const IS_LIST: bool = false;
    fn schema(default: Option<&Self>) -> Value;
    /// `given` holds one text, or all of them if it is a list.
    fn read(name: &str, given: &[&str], default: Option<Self>) -> Result<Self, Problem>;
}

impl ParameterFacts {
    pub fn of<K: ParameterKind>(
        name: &'static str,
        description: &'static str,
        default: Option<K>,
    ) -> ParameterFacts {
        ParameterFacts {
            name,
            description: description.trim_start(),
            schema: K::schema(default.as_ref()),
            is_required: K::IS_REQUIRED,
            is_list: K::IS_LIST,
        }
    }
}

/// Declares the parameters of an operation. A macro, since a name, a comment and a type are to be
/// written once and to become a field, a description and a reading.
macro_rules! parameters {
    ($name:ident {
        $($(#[doc = $doc:literal])+ $field:ident: $kind:ty $(= $default:expr)?,)*
    }) => {
        pub struct $name {
            $(pub $field: $kind,)*
        }

        impl $crate::parameters::Parameters for $name {
            fn described() -> Vec<$crate::parameters::ParameterFacts> {
                vec![$($crate::parameters::ParameterFacts::of::<$kind>(
                    stringify!($field),
                    concat!($($doc),+),
                    None $(.or(Some($default)))?,
                ),)*]
            }

            fn take(
                _query: &$crate::parameters::QueryPairs,
            ) -> Result<$name, $crate::error::Problem> {
                Ok($name {
                    $($field: _query.get(stringify!($field), None $(.or(Some($default)))?)?,)*
                })
            }
        }
    };
}
pub(crate) use parameters;

parameters!(NoParameters {});

/// Names and values of a query.
pub struct QueryPairs(Vec<(String, String)>);

impl QueryPairs {
    /// Refuses names that are not known, and names given twice that are no lists.
    fn read(uri: &Uri, known: &[ParameterFacts]) -> Result<QueryPairs, Problem> {
        let unreadable = |_| {
            Problem::parameter(
                "the query cannot be read",
                "write it as `name=value&name=value`, percent-encoded",
            )
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        for (at, (name, _)) in pairs.iter().enumerate() {
            let Some(facts) = known.iter().find(|facts| facts.name == name) else {
                return Err(unknown(name, known));
            };
            let is_repeated = pairs.iter().take(at).any(|(earlier, _)| earlier == name);
            if is_repeated && !facts.is_list {
                return Err(Problem::parameter(
                    format!("the parameter '{name}' is given twice"),
                    "give it once",
                ));
            }
        }
        Ok(QueryPairs(pairs))
    }

    pub fn get<K: ParameterKind>(&self, name: &str, default: Option<K>) -> Result<K, Problem> {
        let pairs = self.0.iter().filter(|(known, _)| known == name);
        let given: Vec<&str> = pairs.map(|(_, value)| value.as_str()).collect();
        K::read(name, &given, default)
    }
}

fn unknown(name: &str, known: &[ParameterFacts]) -> Problem {
    let names: Vec<&str> = known.iter().map(|facts| facts.name).collect();
    let hint = match did_you_mean(name, names.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None if names.is_empty() => "this path takes no parameters".into(),
        None => format!("it takes {}", names.join(", ")),
    };
    Problem::parameter(format!("there is no parameter '{name}'"), hint)
}

impl ParameterKind for Option<String> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "string" })
    }

    fn read(_: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        Ok(given.first().map(|text| (*text).to_owned()))
    }
}

impl ParameterKind for Option<Day> {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "string", "format": "date", "example": "2026-03-31" })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let read = |text: &&str| {
            text.parse::<Day>().map_err(|error| {
                Problem::parameter(format!("{name}: {error}"), format!("{name}=2026-03-31"))
            })
        };
        given.first().map(read).transpose()
    }
}

/// Rows of one answer.
#[derive(Clone, Copy)]
pub struct Limit(pub usize);

impl ParameterKind for Limit {
    fn schema(_: Option<&Self>) -> Value {
        json!({
            "type": "integer",
            "minimum": 1,
            "maximum": LIMIT_MAX,
            "default": LIMIT_DEFAULT,
        })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let Some(text) = given.first() else { return Ok(Limit(LIMIT_DEFAULT)) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.map(Limit).ok_or_else(|| {
            Problem::parameter(
                format!("{name}: '{text}' is not a number from 1 to {LIMIT_MAX}"),
                format!("{name}={LIMIT_DEFAULT}"),
            )
        })
    }
}

impl ParameterKind for Granularity {
    fn schema(default: Option<&Self>) -> Value {
        json!({
            "enum": Granularity::ALL.map(Granularity::name),
            "default": default.map(|default| default.name()),
        })
    }

    fn read(name: &str, given: &[&str], default: Option<Self>) -> Result<Self, Problem> {
        let text = given.first().copied();
        text.map_or(default, Granularity::by_name).ok_or_else(|| {
            let text = text.unwrap_or_default();
            let names = Granularity::ALL.map(Granularity::name);
            let hint = match did_you_mean(text, names) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("use {}", names.join(", ")),
            };
            Problem::parameter(format!("{name}: there is no '{text}'"), hint)
        })
    }
}

/// What is summed: nothing for effective cost, which postings have.
pub struct Summed(pub Option<Metric>);

impl Summed {
    pub const POSTED: Summed = Summed(None);

    fn all() -> impl Iterator<Item = Summed> {
        std::iter::once(Summed::POSTED).chain(Metric::ALL.into_iter().map(|one| Summed(Some(one))))
    }

    pub fn name(&self) -> &'static str {
        self.0.map_or("effective_cost", Metric::name)
    }
}

impl ParameterKind for Summed {
    fn schema(default: Option<&Self>) -> Value {
        let names: Vec<&str> = Summed::all().map(|summed| summed.name()).collect();
        json!({ "enum": names, "default": default.map(Summed::name) })
    }

    fn read(name: &str, given: &[&str], default: Option<Self>) -> Result<Self, Problem> {
        let Some(text) = given.first() else { return Ok(default.unwrap_or(Summed::POSTED)) };
        Summed::all().find(|known| known.name() == *text).ok_or_else(|| {
            let names: Vec<&str> = Summed::all().map(|known| known.name()).collect();
            let hint = match did_you_mean(text, names.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("it is one of {}", names.join(", ")),
            };
            Problem::parameter(format!("{name}: there is no '{text}'"), hint)
        })
    }
}

/// Names with commas between them.
pub struct Groups(pub Vec<GroupBy>);

impl ParameterKind for Groups {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "string" })
    }

    fn read(name: &str, given: &[&str], default: Option<Self>) -> Result<Self, Problem> {
        let Some(text) = given.first() else {
            return Ok(default.unwrap_or(Groups(Vec::new())));
        };
        let read = |text: &str| text.parse().map_err(|error| named(name, error));
        listed(text).map(read).collect::<Result<_, _>>().map(Groups)
    }
}

/// Keys of usage with commas between them.
pub struct UsageKeys(pub Vec<String>);

impl ParameterKind for UsageKeys {
    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "string" })
    }

    fn read(_: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        Ok(UsageKeys(given.iter().flat_map(|text| listed(text)).map(str::to_owned).collect()))
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Names with values, as a query of costs takes them.
pub struct Filters(pub Vec<CostFilter>);

impl ParameterKind for Filters {
    const IS_LIST: bool = true;

    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let read = |text: &&str| text.parse().map_err(|error| named(name, error));
        given.iter().map(read).collect::<Result<_, _>>().map(Filters)
    }
}

/// The subject of an explanation.
pub struct SubjectName(pub String);

impl ParameterKind for SubjectName {
    const IS_REQUIRED: bool = true;

    fn schema(_: Option<&Self>) -> Value {
        json!({ "type": "string" })
    }

    fn read(name: &str, given: &[&str], _: Option<Self>) -> Result<Self, Problem> {
        let hint = format!(
            "{name}=payments for a team, {name}=i-0123456789abcdef0 for a resource, {name}=entry:1"
        );
        given
            .first()
            .filter(|text| !text.is_empty())
            .map(|text| SubjectName((*text).to_owned()))
            .ok_or_else(|| {
                Problem::parameter(format!("{name}: it is not said what to explain"), hint)
            })
    }
}

/// From one day to another, both included; a missing one leaves that side open.
pub fn period(start: Option<Day>, end: Option<Day>) -> Result<Period, Problem> {
    let all = Period::all();
    let (start, end) = (start.unwrap_or(all.start()), end.map_or(all.end(), |end| end.plus(1)));
    let backwards = || {
        let (last, hint) = (end.plus(-1), "both dates are included: give them in their order");
        let message = format!("end_date: the period ends on {last}, before start_date {start}");
        Problem::parameter(message, hint)
    };
    Period::new(start, end).ok().filter(|_| start < end).ok_or_else(backwards)
}

/// A finding about the value of a parameter.
fn named(parameter: &str, finding: Diagnostic) -> Problem {
    Problem { detail: format!("{parameter}: {}", finding.message), ..Problem::from(finding) }
}
