//! Turns the words of the command line about time and grouping into queries.

use crate::args::{GranularityName, PeriodArgs};
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::period::{Day, Month, Period};
use reports::costs::query::{Granularity, GroupBy};

/// From the first day to the last one, both included; a month stands for all its days.
pub fn period(args: &PeriodArgs) -> Result<Option<Period>, Diagnostic> {
    if args.from.is_none() && args.to.is_none() {
        return Ok(None);
    }
    let start = args
        .from
        .as_deref()
        .map(|from| span(from).map(Period::start))
        .transpose()?
        .unwrap_or(Period::all().start());
    let end = args
        .to
        .as_deref()
        .map(|to| span(to).map(Period::end))
        .transpose()?
        .unwrap_or(Period::all().end());
    if end <= start {
        let (last, hint) = (end.plus(-1), "`--from 2026-01 --to 2026-03` is the first quarter");
        let message = format!("the period ends on {last}, before it starts on {start}");
        return Err(invalid(message).hint(hint));
    }
    Period::new(start, end).map(Some).map_err(|error| invalid(error.to_string()))
}

fn span(text: &str) -> Result<Period, Diagnostic> {
    if let Ok(month) = text.parse::<Month>() {
        return Ok(month.period());
    }
    let day: Day = text.parse().map_err(|_| {
        invalid(format!("'{text}' is neither a day nor a month"))
            .hint("write `2026-03-31` or `2026-03`")
    })?;
    Period::new(day, day.plus(1)).map_err(|error| invalid(error.to_string()))
}

/// First and last day of a period that was asked for.
pub fn shown(period: Period) -> String {
    match (period.start() == Period::all().start(), period.end() == Period::all().end()) {
        (true, true) => "all days".into(),
        (true, false) => format!("up to {}", period.end().plus(-1)),
        (false, true) => format!("from {}", period.start()),
        (false, false) if period.end() == period.start().plus(1) => period.start().to_string(),
        (false, false) => format!("{} to {}", period.start(), period.end().plus(-1)),
    }
}

fn invalid(message: String) -> Diagnostic {
    Diagnostic::new(code::QUERY_INVALID, message)
}

pub fn granularity(name: GranularityName) -> Granularity {
    match name {
        GranularityName::Daily => Granularity::Daily,
        GranularityName::Weekly => Granularity::Weekly,
        GranularityName::Monthly => Granularity::Monthly,
        GranularityName::Quarterly => Granularity::Quarterly,
        GranularityName::Yearly => Granularity::Yearly,
        GranularityName::Total => Granularity::Total,
    }
}

/// The name of a period: its year, quarter, month or first day, or `total`.
pub fn period_name(start: Option<Day>, granularity: GranularityName) -> String {
    match (start, granularity) {
        (None, _) | (_, GranularityName::Total) => "total".into(),
        (Some(day), GranularityName::Monthly) => day.month().to_string(),
        (Some(day), GranularityName::Quarterly) => {
            let (year, month, _) = day.civil();
            format!("{year:04}-Q{}", month.div_ceil(3))
        }
        (Some(day), GranularityName::Yearly) => format!("{:04}", day.civil().0),
        (Some(day), _) => day.to_string(),
    }
}

/// One name of a `--group-by`.
pub fn group(name: &str) -> Result<GroupBy, Diagnostic> {
    name.trim().parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: Option<&str>, to: Option<&str>) -> String {
        let args = PeriodArgs { from: from.map(str::to_owned), to: to.map(str::to_owned) };
        match period(&args) {
            Ok(Some(period)) => format!("{} {}", period.start(), period.end()),
            Ok(None) => "all".into(),
            Err(finding) => finding.to_string(),
        }
    }

    #[test]
    fn periods_are_named_by_their_length() {
        let named = |granularity| {
            let day = Some("2026-02-15".parse().unwrap_or_else(|error| panic!("{error}")));
            period_name(day, granularity)
        };
        for (granularity, name) in [
            (GranularityName::Daily, "2026-02-15"),
            (GranularityName::Weekly, "2026-02-15"),
            (GranularityName::Monthly, "2026-02"),
            (GranularityName::Quarterly, "2026-Q1"),
            (GranularityName::Yearly, "2026"),
            (GranularityName::Total, "total"),
        ] {
            assert_eq!(named(granularity), name);
        }
    }

    #[test]
    fn both_ends_are_included() {
        assert_eq!(shown(Some("2026-01"), Some("2026-03")), "2026-01-01 2026-04-01");
        assert_eq!(shown(Some("2026-01-15"), Some("2026-01-15")), "2026-01-15 2026-01-16");
        assert_eq!(shown(None, None), "all");
        assert!(
            shown(Some("2026-05"), Some("2026-03"))
                .starts_with("N202: the period ends on 2026-03-31, before it starts on 2026-05-01")
        );
        assert!(
            shown(Some("2026-03-02"), Some("2026-03-01"))
                .starts_with("N202: the period ends on 2026-03-01, before it starts on 2026-03-02")
        );
        assert!(
            shown(Some("March"), None).starts_with("N202: 'March' is neither a day nor a month")
        );
    }
}
