//! Points in time as seconds since 1970, in UTC.

pub const DAY: i64 = 86_400;

/// `2026-11-25T08:00:00Z`; fractions of a second are left out.
pub fn seconds(text: &str) -> Result<i64, String> {
    parse(text).ok_or_else(|| format!("'{text}' is no point in time such as 2026-11-25T08:00:00Z"))
}

fn parse(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize, max: i64| {
        let digits = text.get(from..to)?;
        let value = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()?;
        (value <= max).then_some(value)
    };
    let is_at = |at: usize, expect: &[u8]| {
        text.as_bytes().get(at).is_some_and(|byte| expect.contains(byte))
    };
    let separated =
        is_at(4, b"-") && is_at(7, b"-") && is_at(10, b"Tt ") && is_at(13, b":") && is_at(16, b":");
    let (year, month, day) = (number(0, 4, 9999)?, number(5, 7, 12)?, number(8, 10, 31)?);
    let time = number(11, 13, 23)? * 3600 + number(14, 16, 59)? * 60 + number(17, 19, 60)?;
    let rest = text.get(19..)?;
    let zone = rest
        .strip_prefix('.')
        .map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    (separated && month > 0 && day > 0 && matches!(zone, "Z" | "z" | "+00:00"))
        .then(|| days(year, month, day) * DAY + time)
}

/// Days since 1970 of a date of the Gregorian calendar; years begin in March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A stretch of time, up to and without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    /// The day of a moment, as far as it has come.
    pub fn of_day(now: i64) -> Span {
        Span { start: now - now.rem_euclid(DAY), end: now }
    }

    /// How many of its seconds lie between two moments.
    pub fn seconds_between(self, start: i64, end: i64) -> u128 {
        u128::try_from(end.min(self.end) - start.max(self.start)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_read() {
        // By `date -u -d … +%s`.
        for (text, expect) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-25T08:00:00Z", 1_795_593_600),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199),
            ("2000-03-01T00:00:00+00:00", 951_868_800),
        ] {
            assert_eq!(seconds(text), Ok(expect), "{text}");
        }
        for text in [
            "",
            "2026-11-25",
            "2026-13-01T00:00:00Z",
            "2026-11-25T08:00:00+01:00",
            "2026-11-25T24:00:00Z",
            "2026-1x-25T08:00:00Z",
            "2026-11-25T08:00:00",
        ] {
            assert_eq!(
                seconds(text),
                Err(format!("'{text}' is no point in time such as 2026-11-25T08:00:00Z"))
            );
        }
    }

    #[test]
    fn only_what_lies_in_the_day_counts() {
        let day = Span::of_day(DAY + 3600);
        assert_eq!(day, Span { start: DAY, end: DAY + 3600 });
        assert_eq!(day.seconds_between(0, i64::MAX), 3600);
        assert_eq!(day.seconds_between(DAY + 600, DAY + 700), 100);
        assert_eq!(day.seconds_between(0, 10), 0);
        assert_eq!(day.seconds_between(2 * DAY, i64::MAX), 0);
    }
}
