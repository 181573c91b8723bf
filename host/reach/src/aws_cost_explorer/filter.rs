//! Reads a filter in the JSON that AWS documents. Nothing in it is passed over: a condition that is
//! not read would let costs through that nobody asked for.

use crate::failure::{Failure, FailureKind};
use aws_sdk_costexplorer::types::{
    CostCategoryValues, Dimension, DimensionValues, Expression, MatchOption, TagValues,
};
use serde_json::{Map, Value};

/// Nobody nests a filter deeper than this by hand.
const DEPTH_MAX: u32 = 16;
const PARTS: &str = "And, Or, Not, Dimensions, Tags, CostCategories";
const HINT: &str = r#"such as {"Dimensions": {"Key": "SERVICE", "Values": ["AmazonCloudWatch"]}}, or several in {"And": […]}"#;

pub fn parse(text: &str) -> Result<Expression, Failure> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| refused(&format!("it is not JSON: {error}")))?;
    expression(&value, DEPTH_MAX)
}

fn refused(why: &str) -> Failure {
    Failure::new(FailureKind::Config, format!("the filter cannot be used: {why}")).hint(HINT)
}

fn expression(value: &Value, depth: u32) -> Result<Expression, Failure> {
    if depth == 0 {
        return Err(refused(&format!("it is nested deeper than {DEPTH_MAX} times")));
    }
    let members = object("an expression", value)?;
    let mut parts = members.iter();
    let (Some((name, part)), None) = (parts.next(), parts.next()) else {
        return Err(refused(&format!(
            "an expression has exactly one of {PARTS}, and here are {}",
            members.len()
        )));
    };
    let expression = Expression::builder();
    Ok(match name.as_str() {
        "And" => expression.set_and(Some(several("And", part, depth)?)).build(),
        "Or" => expression.set_or(Some(several("Or", part, depth)?)).build(),
        "Not" => expression.not(self::expression(part, depth - 1)?).build(),
        "Dimensions" => expression.dimensions(dimensions(part)?).build(),
        "Tags" => {
            let Condition { key, values, options } = condition("Tags", part)?;
            expression
                .tags(
                    TagValues::builder()
                        .key(key)
                        .set_values(values)
                        .set_match_options(options)
                        .build(),
                )
                .build()
        }
        "CostCategories" => {
            let Condition { key, values, options } = condition("CostCategories", part)?;
            expression
                .cost_categories(
                    CostCategoryValues::builder()
                        .key(key)
                        .set_values(values)
                        .set_match_options(options)
                        .build(),
                )
                .build()
        }
        unknown => {
            return Err(refused(&format!(
                "there is no '{unknown}' in an expression; there are {PARTS}"
            )));
        }
    })
}

fn several(name: &str, value: &Value, depth: u32) -> Result<Vec<Expression>, Failure> {
    let list = value.as_array().filter(|list| list.len() >= 2);
    let list =
        list.ok_or_else(|| refused(&format!("{name} needs a list of two or more expressions")))?;
    list.iter().map(|value| expression(value, depth - 1)).collect()
}

fn dimensions(value: &Value) -> Result<DimensionValues, Failure> {
    let Condition { key, values, options } = condition("Dimensions", value)?;
    let dimension = Dimension::try_parse(&key)
        .map_err(|_| refused(&format!("there is no dimension '{key}'")))?;
    Ok(DimensionValues::builder()
        .key(dimension)
        .set_values(values)
        .set_match_options(options)
        .build())
}

struct Condition {
    key: String,
    values: Option<Vec<String>>,
    options: Option<Vec<MatchOption>>,
}

fn condition(name: &str, value: &Value) -> Result<Condition, Failure> {
    let members = object(name, value)?;
    if let Some(unknown) =
        members.keys().find(|key| !["Key", "Values", "MatchOptions"].contains(&key.as_str()))
    {
        return Err(refused(&format!(
            "there is no '{unknown}' in {name}; there are Key, Values, MatchOptions"
        )));
    }
    let key = members.get("Key").and_then(Value::as_str).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| refused(&format!("{name} has no Key")))?;
    let values = members
        .get("Values")
        .map(|values| texts(&format!("Values of {name}"), values))
        .transpose()?;
    let option = |text: &String| {
        MatchOption::try_parse(text)
            .map_err(|_| refused(&format!("there is no match option '{text}'")))
    };
    let options = members
        .get("MatchOptions")
        .map(|options| texts(&format!("MatchOptions of {name}"), options))
        .transpose()?;
    let options = options
        .map(|options| options.iter().map(option).collect::<Result<Vec<_>, _>>())
        .transpose()?;
    let is_absent = options.as_ref().is_some_and(|options| options.contains(&MatchOption::Absent));
    if values.as_ref().is_none_or(Vec::is_empty) && !is_absent {
        return Err(refused(&format!("{name} of '{key}' has no Values")));
    }
    Ok(Condition { key: key.to_owned(), values, options })
}

fn object<'a>(what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Failure> {
    value.as_object().ok_or_else(|| refused(&format!("{what} must be an object, not {value}")))
}

fn texts(what: &str, value: &Value) -> Result<Vec<String>, Failure> {
    let list = value
        .as_array()
        .ok_or_else(|| refused(&format!("{what} must be a list of texts, not {value}")))?;
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| refused(&format!("{what} must be texts, not {value}")))
    };
    list.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text)
            .err()
            .map(|failure| failure.diagnostic.message)
            .unwrap_or_else(|| "taken".into())
    }

    #[test]
    fn a_filter_is_the_expression_that_aws_documents() {
        let text = r#"{"And": [
            {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund"]}}},
            {"Or": [
                {"Tags": {"Key": "team", "Values": ["payments"], "MatchOptions": ["EQUALS", "CASE_SENSITIVE"]}},
                {"CostCategories": {"Key": "Division", "MatchOptions": ["ABSENT"]}}
            ]}
        ]}"#;
        let records = DimensionValues::builder()
            .key(Dimension::RecordType)
            .values("Credit")
            .values("Refund")
            .build();
        let team = TagValues::builder().key("team").values("payments");
        let team = team
            .match_options(MatchOption::Equals)
            .match_options(MatchOption::CaseSensitive)
            .build();
        let division = CostCategoryValues::builder()
            .key("Division")
            .match_options(MatchOption::Absent)
            .build();
        let either = Expression::builder()
            .or(Expression::builder().tags(team).build())
            .or(Expression::builder().cost_categories(division).build())
            .build();
        let not =
            Expression::builder().not(Expression::builder().dimensions(records).build()).build();
        assert_eq!(parse(text).ok(), Some(Expression::builder().and(not).and(either).build()));
    }

    #[test]
    fn nothing_in_a_filter_is_passed_over() {
        let cases = [
            (
                "{",
                "the filter cannot be used: it is not JSON: EOF while parsing an object \
                     at line 1 column 1",
            ),
            (
                r#"{"And": []}"#,
                "the filter cannot be used: And needs a list of two or more expressions",
            ),
            (
                "{}",
                "the filter cannot be used: an expression has exactly one of And, Or, \
                     Not, Dimensions, Tags, CostCategories, and here are 0",
            ),
            (
                r#"{"Dimension": {}}"#,
                "the filter cannot be used: there is no 'Dimension' in an expression; \
                     there are And, Or, Not, Dimensions, Tags, CostCategories",
            ),
            (
                r#"{"Dimensions": {"Key": "SERVICE", "Value": ["x"]}}"#,
                "the filter cannot be used: there is no 'Value' in Dimensions; there are \
                     Key, Values, MatchOptions",
            ),
            (
                r#"{"Dimensions": {"Key": "SERVICES", "Values": ["x"]}}"#,
                "the filter cannot be used: there is no dimension 'SERVICES'",
            ),
            (
                r#"{"Tags": {"Key": "team", "Values": [1]}}"#,
                "the filter cannot be used: Values of Tags must be texts, not 1",
            ),
            (
                r#"{"Tags": {"Key": "team"}}"#,
                "the filter cannot be used: Tags of 'team' has no Values",
            ),
            (
                r#"{"Tags": {"Key": "t", "Values": ["x"], "MatchOptions": ["LIKE"]}}"#,
                "the filter cannot be used: there is no match option 'LIKE'",
            ),
        ];
        for (text, expect) in cases {
            assert_eq!(refusal(text), expect);
        }
        let deep = format!("{}{{}}{}", r#"{"Not": "#.repeat(20), "}".repeat(20));
        assert_eq!(refusal(&deep), "the filter cannot be used: it is nested deeper than 16 times");
    }
}
