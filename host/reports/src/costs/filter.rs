//! Conditions of a question: only what has a value, or all but that.

use crate::costs::query::GroupBy;
use domain::code::QUERY_INVALID;
use domain::diagnostic::Diagnostic;
use std::fmt;
use std::str::FromStr;

/// A value that costs must have, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostFilter {
    pub group: GroupBy,
    /// The empty value means "none".
    pub value: String,
    /// Whether costs with the value are left out, and all others stay.
    pub is_left_out: bool,
}

impl CostFilter {
    /// Only costs with this value.
    pub fn of(group: GroupBy, value: &str) -> CostFilter {
        CostFilter { group, value: value.to_owned(), is_left_out: false }
    }
}

/// `team=payments` or `team:payments`; `team!=payments` for all others. Keys of tags may hold
/// colons themselves, and then `=` ends them: `tag:aws:createdBy=root`.
impl FromStr for CostFilter {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<CostFilter, Diagnostic> {
        let cut = match text.strip_prefix("tag:") {
            Some(tag) => {
                let cut = tag.split_once('=').or_else(|| tag.split_once(':'));
                cut.map(|(key, value)| (format!("tag:{key}"), value))
            }
            None => text.split_once([':', '=']).map(|(name, value)| (name.to_owned(), value)),
        };
        let Some((name, value)) = cut else {
            let message = format!("'{text}' is not a name and a value");
            let hint = "write `team=payments`, or `team!=payments` for all others";
            return Err(Diagnostic::new(QUERY_INVALID, message).hint(hint));
        };
        let (name, is_left_out) = match name.strip_suffix('!') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        Ok(CostFilter { group: name.trim().parse()?, value: value.to_owned(), is_left_out })
    }
}

impl fmt::Display for CostFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_left_out { "!=" } else { ":" };
        write!(f, "{}{sign}{}", self.group, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_cut_where_the_name_ends() {
        let read = |text: &str| {
            let filter = text.parse::<CostFilter>();
            filter.map_or_else(|finding| finding.message, |filter| format!("{filter:?}"))
        };
        let shown = |group: GroupBy, value: &str, is_left_out: bool| {
            format!("{:?}", CostFilter { is_left_out, ..CostFilter::of(group, value) })
        };
        let tag = |key: &str| GroupBy::Tag(key.to_owned());
        for (text, group, value, is_left_out) in [
            ("team:payments", GroupBy::Team, "payments", false),
            ("team=payments", GroupBy::Team, "payments", false),
            ("team!=payments", GroupBy::Team, "payments", true),
            ("service=Amazon S3: storage", GroupBy::ServiceName, "Amazon S3: storage", false),
            ("service!=Amazon S3: storage", GroupBy::ServiceName, "Amazon S3: storage", true),
            ("account:pool/shared", GroupBy::Account, "pool/shared", false),
            ("currency=USD", GroupBy::Currency, "USD", false),
            ("tag:stage:test", tag("stage"), "test", false),
            ("tag:stage!=test", tag("stage"), "test", true),
            ("tag:aws:createdBy=root:me", tag("aws:createdBy"), "root:me", false),
            ("environment:", GroupBy::Environment, "", false),
            ("environment!=", GroupBy::Environment, "", true),
            // A value may begin with the sign.
            ("team=!payments", GroupBy::Team, "!payments", false),
        ] {
            assert_eq!(read(text), shown(group, value, is_left_out), "{text}");
        }
        assert_eq!(read("payments"), "'payments' is not a name and a value");
        assert_eq!(read("taem!=payments"), "costs have no 'taem' to group or filter by");
    }
}
