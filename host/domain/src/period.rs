//! Days, months and half-open periods, in UTC. There is no `now` here.

use exact::day::{self, read_date};
use exact::period;

/// The guests count with the same days. The host's crates know them under this name, and need not
/// know `exact`.
pub type Day = day::Day;
/// The guests count with the same months.
pub type Month = period::Month;

/// The guests count with the same periods.
pub type Period = period::Period;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a point in time such as 2026-03-31T00:00:00Z")]
pub struct NotAnInstant(String);

/// How dates with slashes or points are to be read; without being told, they are not read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    Iso,
    MonthDayYear,
    DayMonthYear,
}

/// Reads the UTC day of `2026-03-31`, `2026-03-31T10:00:00Z`, `2026-03-31 10:00:00`, fractions and
/// offsets included. A time without zone is UTC, as FOCUS prescribes.
pub fn parse_instant(text: &[u8], order: DateOrder) -> Result<Day, NotAnInstant> {
    let refuse = || NotAnInstant(String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned());
    let trimmed = text.trim_ascii();
    let (date, time) = match trimmed.iter().position(|byte| matches!(byte, b'T' | b't' | b' ')) {
        Some(at) => (&trimmed[..at], Some(&trimmed[at + 1..])),
        None => (trimmed, None),
    };
    let day = parse_date(date, order).ok_or_else(refuse)?;
    match time {
        None => Ok(day),
        Some(time) => day_shift(time).map(|shift| day.plus(shift)).ok_or_else(refuse),
    }
}

/// `2026-03-31` is the same in every order.
fn parse_date(date: &[u8], order: DateOrder) -> Option<Day> {
    if let Some(day) = read_date(date) {
        return Some(day);
    }
    let mut parts = date.split(|byte| matches!(byte, b'/' | b'.' | b'-'));
    let (first, second, third) =
        (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    let year = if third < 100 { third as i32 + 2000 } else { third as i32 };
    match order {
        DateOrder::Iso => None,
        DateOrder::MonthDayYear => Day::from_civil(year, first, second),
        DateOrder::DayMonthYear => Day::from_civil(year, second, first),
    }
}

/// The UTC hour of a text that [`parse_instant`] reads. A date without a time has none.
pub fn hour_of_instant(text: &[u8]) -> Option<u8> {
    let trimmed = text.trim_ascii();
    let at = trimmed.iter().position(|byte| matches!(byte, b'T' | b't' | b' '))?;
    u8::try_from(utc_minutes(&trimmed[at + 1..])?.rem_euclid(1440) / 60).ok()
}

/// How many days the zone moves the time of day: −1, 0 or 1.
fn day_shift(time: &[u8]) -> Option<i32> {
    utc_minutes(time).map(|minutes| minutes.div_euclid(1440))
}

/// Minutes since midnight in UTC: below 0 or above 1439 if the zone moves the day.
fn utc_minutes(time: &[u8]) -> Option<i32> {
    let time = time.strip_suffix(b" UTC").unwrap_or(time);
    let zone_at = time
        .iter()
        .position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))
        .unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let clock = clock.trim_ascii();
    let mut parts = clock.split(|byte| *byte == b':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let second = match parts.next() {
        None => 0,
        Some(second) => {
            let mut halves = second.splitn(2, |byte| *byte == b'.');
            let whole = number(halves.next()?)?;
            if halves.next().is_some_and(|fraction| {
                fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit)
            }) {
                return None;
            }
            whole
        }
    };
    let midnight_after = hour == 24 && minute == 0 && second == 0;
    if parts.next().is_some() || (hour > 23 && !midnight_after) || minute > 59 || second > 60 {
        return None;
    }
    let offset = offset_minutes(zone)?;
    Some(hour as i32 * 60 + minute as i32 - offset)
}

fn offset_minutes(zone: &[u8]) -> Option<i32> {
    let (sign, digits) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let digits: Vec<u8> = digits.iter().copied().filter(|byte| *byte != b':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then(|| sign * (hours as i32 * 60 + minutes as i32))
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
    })
}

/// Milliseconds since 1970-01-01 as RFC 3339 in UTC.
pub fn instant(at_ms: i64) -> String {
    exact::moment::text(at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> String {
        parse_instant(text.as_bytes(), DateOrder::Iso)
            .map_or_else(|error| error.to_string(), |day| day.to_string())
    }

    #[test]
    fn reads_the_spellings_of_real_bills() {
        for (text, expect) in [
            ("2024-09-18 23:00:00", "2024-09-18"),
            ("2024-09-18T23:00:00Z", "2024-09-18"),
            ("2023-12-15T16:46:44.416116", "2023-12-15"),
            ("2019-04-01T00:00:00.0000000Z", "2019-04-01"),
            ("2019-01-31 23:59:59 +0000 UTC", "2019-01-31"),
            ("2024-09-18T23:30:00-02:00", "2024-09-19"),
            ("2024-09-18T01:00:00+02:00", "2024-09-17"),
            ("2024-02-29", "2024-02-29"),
            ("2024-09-18T24:00:00Z", "2024-09-19"),
            ("2026-05-01T00:00Z", "2026-05-01"),
        ] {
            assert_eq!(day(text), expect, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for text in [
            "2023-02-01T30:00:00Z",
            "2023-02-29",
            "4/1/25",
            "20180331",
            "",
            "2023-13-01",
            "2023-1-1",
            "yesterday",
            "2023-01-01T",
        ] {
            assert!(
                parse_instant(text.as_bytes(), DateOrder::Iso).is_err(),
                "{text} was read as {}",
                day(text)
            );
        }
        assert_eq!(
            parse_instant(b"4/1/25", DateOrder::MonthDayYear).map(|day| day.to_string()),
            Ok("2025-04-01".into())
        );
        assert_eq!(
            parse_instant(b"2025-04-01", DateOrder::MonthDayYear).map(|day| day.to_string()),
            Ok("2025-04-01".into())
        );
        assert_eq!(
            parse_instant(b"31.12.2025", DateOrder::DayMonthYear).map(|day| day.to_string()),
            Ok("2025-12-31".into())
        );
        assert!(parse_instant(b"31.12.2025", DateOrder::Iso).is_err());
        assert_eq!(
            parse_instant(b"31/12/2025", DateOrder::DayMonthYear).map(|day| day.to_string()),
            Ok("2025-12-31".into())
        );
    }
}
