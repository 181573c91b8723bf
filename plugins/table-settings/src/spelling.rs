//! "Did you mean …?"

/// The closest of `known` to what was written, if it is close.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's, over characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, left_char) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, right_char) in right.iter().enumerate() {
            let substitute = previous[column] + usize::from(left_char != *right_char);
            current.push(substitute.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_what_was_meant_and_nothing_far_away() {
        assert_eq!(
            closest("tag_column", ["constants", "tag_columns", "nulls"]),
            Some("tag_columns")
        );
        assert_eq!(closest("null", ["constants", "nulls"]), Some("nulls"));
        assert_eq!(closest("colour", ["constants", "nulls"]), None);
    }
}
