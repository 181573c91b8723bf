//! The query of a request: only known names, each understood or refused by name.

use crate::error::Problem;
use axum::extract::Query;
use axum::http::Uri;
use domain::diagnostic::did_you_mean;
use domain::period::{Day, Period};
use reports::costs::{Granularity, GroupBy};
use std::str::FromStr;

pub const LIMIT_DEFAULT: usize = 100;
pub const LIMIT_MAX: usize = 1000;

pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Refuses names that are not in `known`, and names given twice that are not in `lists`.
    pub fn read(uri: &Uri, known: &[&str], lists: &[&str]) -> Result<Parameters, Problem> {
        let unreadable = |_| {
            Problem::parameter(
                "the query cannot be read",
                "write it as `name=value&name=value`, percent-encoded",
            )
        };
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let hint = match did_you_mean(name, known.iter().copied()) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if known.is_empty() => "this path takes no parameters".into(),
                    None => format!("it takes {}", known.join(", ")),
                };
                return Err(Problem::parameter(format!("there is no parameter '{name}'"), hint));
            }
            if !lists.contains(&name.as_str())
                && pairs.iter().take(at).any(|(earlier, _)| earlier == name)
            {
                return Err(Problem::parameter(
                    format!("the parameter '{name}' is given twice"),
                    "give it once",
                ));
            }
        }
        Ok(Parameters(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn page_token(&self) -> Option<&str> {
        self.get("page_token")
    }

    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(LIMIT_DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| {
            Problem::parameter(
                format!("limit: '{text}' is not a number from 1 to {LIMIT_MAX}"),
                format!("limit={LIMIT_DEFAULT}"),
            )
        })
    }

    fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        let read = |text: &str| {
            text.parse::<Day>().map_err(|error| {
                Problem::parameter(format!("{name}: {error}"), format!("{name}=2026-03-31"))
            })
        };
        self.get(name).map(read).transpose()
    }

    /// From `start_date` to `end_date`, both included; a missing one leaves that side open.
    pub fn span(&self) -> Result<Span, Problem> {
        let (start, end) = (self.day("start_date")?, self.day("end_date")?);
        let all = Period::all();
        let period =
            Period::new(start.unwrap_or(all.start()), end.map_or(all.end(), |end| end.plus(1)));
        let backwards = |_| {
            Problem::parameter(
                "end_date: the period ends before it starts",
                "both dates are included: give an end_date from start_date on",
            )
        };
        Ok(Span { start, end, period: period.map_err(backwards)? })
    }

    pub fn granularity(&self, default: Granularity) -> Result<Granularity, Problem> {
        let Some(name) = self.get("granularity") else { return Ok(default) };
        let names = "use daily, weekly, monthly or total";
        Granularity::by_name(name)
            .ok_or_else(|| Problem::parameter(format!("granularity: there is no '{name}'"), names))
    }

    /// Names with commas between them.
    pub fn group_by(&self) -> Result<Vec<GroupBy>, Problem> {
        let names = self
            .get("group_by")
            .unwrap_or("team")
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names.map(|name| group("group_by", name)).collect()
    }

    pub fn what(&self) -> Result<&str, Problem> {
        let hint =
            "what=payments for a team, what=i-0123456789abcdef0 for a resource, what=entry:1";
        self.get("what")
            .filter(|what| !what.is_empty())
            .ok_or_else(|| Problem::parameter("what: it is not said what to explain", hint))
    }

    pub fn service_name(&self) -> Option<&str> {
        self.get("service_name")
    }

    pub fn metric(&self) -> Option<&str> {
        self.get("metric")
    }

    /// Keys with commas between them; none, if none are asked for.
    pub fn usage_keys(&self) -> Vec<String> {
        let keys = self.get("group_by").unwrap_or_default().split(',').map(str::trim);
        keys.filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }

    pub fn filter(&self) -> Result<Vec<(GroupBy, String)>, Problem> {
        self.all("filter").map(filter).collect()
    }
}

/// The days asked for, as asked and as a half-open period.
#[derive(Clone, Copy)]
pub struct Span {
    pub start: Option<Day>,
    pub end: Option<Day>,
    pub period: Period,
}

fn group(parameter: &str, name: &str) -> Result<GroupBy, Problem> {
    GroupBy::from_str(name).map_err(|error| Problem {
        detail: format!("{parameter}: {}", error.message),
        ..Problem::from(error)
    })
}

/// `team:payments`. Keys of tags may hold colons themselves, and then `=` ends them: `tag:aws:createdBy=root`.
fn filter(text: &str) -> Result<(GroupBy, String), Problem> {
    let broken = || {
        Problem::parameter(
            format!("filter: '{text}' is not a name and a value"),
            "filter=team:payments, or filter=tag:stage=test",
        )
    };
    let (name, value) = match text.strip_prefix("tag:") {
        Some(tag) => {
            let (key, value) =
                tag.split_once('=').or_else(|| tag.split_once(':')).ok_or_else(broken)?;
            (format!("tag:{key}"), value)
        }
        None => {
            let at = text.find([':', '=']).ok_or_else(broken)?;
            let (name, value) = text.split_at(at);
            (name.to_owned(), value.get(1..).unwrap_or_default())
        }
    };
    Ok((group("filter", &name)?, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_cut_where_the_name_ends() {
        let shown = |text: &str| {
            filter(text).map_or_else(
                |problem| problem.detail,
                |(group, value)| format!("{group} is {value}"),
            )
        };
        assert_eq!(shown("team:payments"), "team is payments");
        assert_eq!(shown("service=Amazon S3: storage"), "service_name is Amazon S3: storage");
        assert_eq!(shown("account:pool/shared"), "account is pool/shared");
        assert_eq!(shown("tag:stage:test"), "tag:stage is test");
        assert_eq!(shown("tag:aws:createdBy=root:me"), "tag:aws:createdBy is root:me");
        assert_eq!(shown("environment:"), "environment is ");
        assert_eq!(shown("payments"), "filter: 'payments' is not a name and a value");
        assert_eq!(shown("taem:payments"), "filter: costs have no 'taem' to group or filter by");
    }
}
