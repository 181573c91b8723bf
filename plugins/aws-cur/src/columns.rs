//! The columns of a report by their names in CUR 2.0. Names of CUR 1.0 are turned into these.

use apportion_plugin_sdk::table_decode::TableInfo;
use apportion_plugin_sdk::{Choice, Origin, TagColumn, TagMap, Value};

/// The columns of a report by their names in CUR 2.0.
pub struct Columns<'a> {
    pub table: &'a TableInfo,
    names: Vec<(String, &'a str)>,
}

impl<'a> Columns<'a> {
    pub fn new(table: &'a TableInfo) -> Columns<'a> {
        let names = table
            .columns
            .iter()
            .map(|column| (snake(&column.name), column.name.as_str()))
            .collect();
        Columns { table, names }
    }

    /// The header of a column.
    pub fn find(&self, name: &str) -> Option<&'a str> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, header)| *header)
    }

    /// The position of a column in a row.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|(known, _)| known == name)
    }

    /// The first of some columns that is not empty.
    pub fn first(&self, names: &[&str]) -> Option<Origin> {
        let found: Vec<&str> = names.iter().filter_map(|name| self.find(name)).collect();
        match found.as_slice() {
            [] => None,
            [header] => Some(Origin::Column((*header).into())),
            several => Some(Origin::FirstOf(
                several
                    .iter()
                    .map(|header| Choice::always(Value::Column((*header).into())))
                    .collect(),
            )),
        }
    }
}

/// Put before the name of a cost category.
const CATEGORY: &str = "cost_category/";

/// The columns with many tags each, from those that give way to those that win: an account's tags
/// are those of all its resources, and a resource's own win over them.
pub fn tag_maps(columns: &Columns<'_>) -> Vec<TagMap> {
    let map = |name: &str, from: &str, to: &str| {
        let column = columns.find(name)?.to_owned();
        Some(TagMap { column, from: from.into(), to: to.into() })
    };
    [
        map("tags", "accountTag/", ""),
        map("tags", "resourceTags/", ""),
        map("tags", "userAttribute/", "userAttribute/"),
        map("tags", "iamPrincipal/", "iamPrincipal/"),
        map("tags", "costCategory/", CATEGORY),
        map("cost_category", "", CATEGORY),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One spelling for `lineItem/UnblendedCost` and `line_item_unblended_cost`.
fn snake(header: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in header.trim().chars() {
        match c {
            '/' | ':' | ' ' | '-' | '.' => snake.push('_'),
            c if c.is_ascii_uppercase() => {
                if after_lower {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            c => snake.push(c),
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    // AWS spells this abbreviation letter by letter.
    snake.replace("_arn", "_a_r_n")
}

/// The columns with one tag each. Tags that users made lose the prefix `user:`. Categories of costs
/// are tags too.
pub fn tag_columns<'a>(columns: &'a Columns<'_>) -> impl Iterator<Item = TagColumn> + 'a {
    columns.table.columns.iter().filter_map(|column| {
        let header = column.name.trim();
        let category =
            header.strip_prefix("costCategory/").or_else(|| header.strip_prefix("cost_category_"));
        if let Some(category) = category {
            let key = format!("{CATEGORY}{category}");
            return Some(TagColumn { key, column: column.name.clone() });
        }
        let key = header
            .strip_prefix("resourceTags/")
            .or_else(|| header.strip_prefix("resource_tags_"))?;
        let key = key.strip_prefix("user:").or_else(|| key.strip_prefix("user_")).unwrap_or(key);
        Some(TagColumn { key: key.into(), column: column.name.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_name_the_same_columns() {
        for (header, name) in [
            ("lineItem/UnblendedCost", "line_item_unblended_cost"),
            ("savingsPlan/SavingsPlanEffectiveCost", "savings_plan_savings_plan_effective_cost"),
            ("reservation/ReservationARN", "reservation_reservation_a_r_n"),
            ("savings_plan_savings_plan_a_r_n", "savings_plan_savings_plan_a_r_n"),
            ("reservation/UnusedRecurringFee", "reservation_unused_recurring_fee"),
        ] {
            assert_eq!(snake(header), name);
        }
    }
}
