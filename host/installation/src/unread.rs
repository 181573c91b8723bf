//! Files in the folders of a source that nobody reads: one of them may be a bill.

/// Endings of the bills inside a folder. A file that is named by its own path may have any ending.
pub const ENDINGS: [&str; 4] = [".csv", ".csv.gz", ".csv.zip", ".parquet"];
/// So many of them are named.
const NAMED_MAX: usize = 3;

/// Names the files of folders that nobody reads. A plugin with the power `file` reads manifests
/// itself.
pub fn unread(others: Vec<String>, reads_files: bool) -> Option<String> {
    let is_unread = |name: &String| {
        let last = name.rsplit('/').next().unwrap_or_default();
        !(last.starts_with('.') || reads_files && last.to_lowercase().ends_with(".json"))
    };
    let unread = others.into_iter().filter(is_unread);
    let (manifests, bills): (Vec<String>, Vec<String>) = unread.partition(|name| is_manifest(name));
    let sentences: Vec<String> =
        unread_bills(bills).into_iter().chain(unread_manifests(manifests.len())).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

fn unread_bills(mut names: Vec<String>) -> Option<String> {
    let count = names.len();
    names.truncate(NAMED_MAX);
    let first = names.first()?.clone();
    let more = if count > NAMED_MAX { ", …" } else { "" };
    let files = if count == 1 { "1 file is" } else { &format!("{count} files are") };
    Some(format!(
        "{files} not read, since in folders only {} count: {}{more}; if one is a bill, name it in \
         `paths`, such as {first:?}, or give it such an ending",
        ENDINGS.map(|ending| format!("*{ending}")).join(", "),
        names.join(", ")
    ))
}

/// Manifests say more than the bills beside them: whether a delivery is complete.
fn unread_manifests(count: usize) -> Option<String> {
    let manifests = match count {
        0 => return None,
        1 => "1 manifest is".to_owned(),
        count => format!("{count} manifests are"),
    };
    Some(format!(
        "{manifests} not read, so that a delivery whose files are not all there cannot be told: \
         add \"file\" to `grants`"
    ))
}

/// Azure writes `manifest.json`, and AWS `NAME-Manifest.json`.
fn is_manifest(name: &str) -> bool {
    name.to_lowercase().ends_with("manifest.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_nobody_reads_are_named_once() {
        let others = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(unread(others(&[]), false), None);
        assert_eq!(unread(others(&["in/.~lock.f.csv#", "in/.DS_Store"]), false), None);
        assert_eq!(unread(others(&["in/m.json"]), true), None);
        assert_eq!(
            unread(others(&["in/a/manifest.json", "in/r-Manifest.json"]), false).as_deref(),
            Some(
                "2 manifests are not read, so that a delivery whose files are not all there cannot \
                 be told: add \"file\" to `grants`"
            )
        );
        let counting =
            "not read, since in folders only *.csv, *.csv.gz, *.csv.zip, *.parquet count";
        assert_eq!(
            unread(others(&["in/part-00000", "in/.hidden", "m.json"]), true).as_deref(),
            Some(
                format!(
                    "1 file is {counting}: in/part-00000; if one is a bill, name it in `paths`, \
                     such as \"in/part-00000\", or give it such an ending"
                )
                .as_str()
            )
        );
        let many = unread(others(&["a.tsv", "b.pq", "c.gz", "d.txt", "e.json"]), false);
        assert!(
            many.as_ref().is_some_and(|text| text
                .starts_with(&format!("5 files are {counting}: a.tsv, b.pq, c.gz, …; if one"))),
            "{many:?}"
        );
    }
}
