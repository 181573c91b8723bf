//! Where a file stands in the folders of an export: its name tells the export, the billing period
//! and the run.

use exact::day::Day;
use exact::period::Month;

/// The days that a folder names, such as `20260301-20260331` or `BILLING_PERIOD=2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub start: Day,
    /// The day after the last.
    pub end: Day,
}

/// The place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folders above the billing period.
    pub export: String,
    pub range: Range,
    /// The folder of the billing period, with those above it.
    pub period_folder: String,
    /// The folders of the run below the billing period, or the id in the file's name. Empty where
    /// all files of the period are one run.
    pub run: String,
}

impl Range {
    pub fn of_month(month: Month) -> Range {
        Range { start: month.first_day(), end: month.next().first_day() }
    }

    /// Azure names the last day, and AWS the day after it.
    pub fn parse(part: &str) -> Option<Range> {
        if let Some((key, month)) = part.split_once('=') {
            let month = month.parse().ok().filter(|_| key.eq_ignore_ascii_case("billing_period"));
            return month.map(Range::of_month);
        }
        let (start, end) = part.split_once('-')?;
        let (start, last) = (Day::from_compact(start)?, Day::from_compact(end)?);
        let is_day_after = last > start && start.civil().2 == last.civil().2;
        let end = if is_day_after { last } else { last.plus(1) };
        (start < end).then_some(Range { start, end })
    }

    /// The first day of the billing period; nothing where the days are only a part of one, such as
    /// a week or the last 30 days. Bills of a month may begin on any day of it.
    pub fn billing_period(&self) -> Option<Day> {
        let days = self.end.epoch_days() - self.start.epoch_days();
        let is_month = (27..=31).contains(&days) && self.start.civil().2 == self.end.civil().2;
        is_month.then_some(self.start)
    }

    pub fn overlaps(&self, other: &Range) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl Place {
    pub fn of(name: &str) -> Option<Place> {
        let (folder, file) = split(name);
        let parts: Vec<&str> = folder.split('/').collect();
        let at = parts.iter().rposition(|part| Range::parse(part).is_some())?;
        let range = Range::parse(parts[at])?;
        // Data Exports have manifests and data in folders beside each other.
        let is_data = at > 0 && ["data", "metadata"].contains(&parts[at - 1]);
        let export = parts[..if is_data { at - 1 } else { at }].join("/");
        // A folder such as `region=eu` is a part of the run that it is in.
        let below: Vec<&str> =
            parts[at + 1..].iter().copied().filter(|part| !part.contains('=')).collect();
        let run = if below.is_empty() { guid(file).unwrap_or_default() } else { &below.join("/") };
        Some(Place { export, range, period_folder: parts[..=at].join("/"), run: run.to_owned() })
    }

    /// The name of the export: its last folder.
    pub fn export_name(&self) -> &str {
        split(&self.export).1
    }

    /// The run's folder, or the period's folder and the run's id.
    pub fn delivery(&self) -> String {
        if self.run.is_empty() {
            self.period_folder.clone()
        } else {
            format!("{}/{}", self.period_folder, self.run)
        }
    }
}

/// The time that the name of a run begins with, as digits: `202603030310`,
/// `20260401T010101.000Z-…` or `2026-04-01T01:01:01.000Z-…`.
pub fn time_of(run: &str) -> Option<String> {
    let first = run.split('/').next()?;
    let is_time = |part: &str| matches!(part.len(), 12 | 14) && is_digits(part);
    let clock = first
        .get(..11)
        .filter(|start| start.ends_with('T') && is_digits(&start[..10].replace('-', "")))
        .or_else(|| first.get(..9).filter(|start| start.ends_with('T') && is_digits(&start[..8])));
    let text = match clock {
        Some(_) => first.split_once('Z').map_or(first, |(time, _)| time),
        None if is_time(first) => first,
        None => return None,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    Day::from_compact(digits.get(..8)?)?;
    Some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The id at the end of a file's name, such as `acme_0f8fad5b-d9cb-469f-a165-70867728950e.csv`:
/// each run of an older export of Azure is one such file.
fn guid(file: &str) -> Option<&str> {
    let stem = file.split('.').next()?;
    let id = stem.len().checked_sub(36).and_then(|at| stem.get(at..))?;
    let is_guid = id.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (is_guid && stem[..stem.len() - 36].ends_with('_')).then_some(id)
}

/// The folder and the rest of a name.
pub fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        Place::of(name).map_or_else(
            || "none".into(),
            |place| {
                let period = place.range.billing_period();
                let period = period.map_or_else(|| "-".into(), |day| day.to_string());
                format!("{} {period} {}", place.export, place.run)
            },
        )
    }

    #[test]
    fn a_name_tells_export_period_and_run() {
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for (name, expect) in [
            (
                "in/acme/20260301-20260331/202603030310/aaaa/part_0_0001.csv",
                "in/acme 2026-03-01 202603030310/aaaa",
            ),
            ("in/acme/20260301-20260331/part_0.csv", "in/acme 2026-03-01 "),
            ("s3://b/p/r/20260301-20260401/id/r-1.csv.gz", "s3://b/p/r 2026-03-01 id"),
            ("20260201-20260301/r-1.csv", " 2026-02-01 "),
            ("x/e/data/BILLING_PERIOD=2026-12/e-1.parquet", "x/e 2026-12-01 "),
            (
                "x/e/metadata/billing_period=2026-02/20260301T0101Z-a/m.json",
                "x/e 2026-02-01 20260301T0101Z-a",
            ),
            ("x/e/data/BILLING_PERIOD=2026-12/region=eu/e-1.parquet", "x/e 2026-12-01 "),
            // A bill from the 15th to the 14th is a billing period, and a week is not.
            ("a/20260115-20260214/p.csv", "a 2026-01-15 "),
            ("a/20260301-20260307/p.csv", "a - "),
            ("a/20260231-20260331/p.csv", "none"),
            ("a/20260331-20260301/p.csv", "none"),
            ("a/BILLING_PERIOD=2026-13/p.csv", "none"),
            ("bills/march.csv", "none"),
            ("march.csv", "none"),
        ] {
            assert_eq!(shown(name), expect, "{name}");
        }
        assert_eq!(
            shown(&format!("acme/20260301-20260331/acme_{guid}.csv")),
            format!("acme 2026-03-01 {guid}")
        );
    }

    #[test]
    fn the_names_of_runs_tell_their_time() {
        for (run, expect) in [
            ("202603030310/aaaa", Some("202603030310")),
            ("20260401T010101.000Z-a1", Some("20260401010101000")),
            ("2026-04-01T01:01:01.000Z-a1", Some("20260401010101000")),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", None),
            ("20260301-d9cb-469f-a165-70867728950e", None),
            ("202613030310", None),
            ("aaaa-old", None),
            ("", None),
            ("é2026-04-01T", None),
        ] {
            assert_eq!(time_of(run).as_deref(), expect, "{run}");
        }
    }

    #[test]
    fn neighbouring_months_do_not_overlap() {
        let range = |text: &str| Range::parse(text).unwrap();
        assert!(!range("20260301-20260401").overlaps(&range("20260401-20260501")));
        assert!(!range("20260301-20260331").overlaps(&range("20260401-20260430")));
        assert!(range("20260301-20260331").overlaps(&range("20260301-20260307")));
        assert!(range("20260301-20260307").overlaps(&range("20260302-20260308")));
    }
}
