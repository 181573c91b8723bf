//! "Did you mean …?"

/// The closest of `known` to what was written, if it is close.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::levenshtein(written, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
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
