//! Days, months and half-open periods, in UTC. There is no `now` here.

use std::fmt;
use std::str::FromStr;

/// A calendar day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i32);

/// A calendar month.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

/// Days from `start` up to and without `end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Period {
    start: Day,
    end: Day,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADate {
    #[error("'{0}' is not a date such as 2026-03-31")]
    Day(String),
    #[error("'{0}' is not a month such as 2026-03")]
    Month(String),
    #[error("'{0}' is not a point in time such as 2026-03-31T00:00:00Z")]
    Instant(String),
    #[error("the period would end on {end}, before it starts on {start}")]
    Backwards { start: Day, end: Day },
}

impl Day {
    pub const fn from_epoch(days: i32) -> Day {
        Day(days)
    }

    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    pub fn from_civil(year: i32, month: u32, day: u32) -> Option<Day> {
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= days_in(year, month);
        valid.then(|| Day(days_from_civil(year, month, day)))
    }

    pub fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    pub fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month { year, month }
    }

    /// The day of a point in time, in milliseconds since 1970-01-01.
    pub fn of_instant(at_ms: i64) -> Day {
        Day(i32::try_from(at_ms.div_euclid(86_400_000)).unwrap_or_default())
    }

    /// Monday of the day's week.
    pub fn week_start(self) -> Day {
        Day(self.0 - (self.0 + 3).rem_euclid(7))
    }

    pub fn plus(self, days: i32) -> Day {
        Day(self.0 + days)
    }
}

/// How dates with slashes or points are to be read; without being told, they are not read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    Iso,
    MonthDayYear,
    DayMonthYear,
}

/// Reads the UTC day of `2026-03-31`, `2026-03-31T10:00:00Z`, `2026-03-31 10:00:00`, fractions and offsets included.
/// A time without zone is UTC, as FOCUS prescribes.
pub fn parse_instant(text: &[u8], order: DateOrder) -> Result<Day, NotADate> {
    let refuse =
        || NotADate::Instant(String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned());
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
    if let [year @ .., b'-', m1, m2, b'-', d1, d2] = date
        && year.len() == 4
    {
        return Day::from_civil(number(year)? as i32, number(&[*m1, *m2])?, number(&[*d1, *d2])?);
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

/// How many days the zone moves the time of day: −1, 0 or 1.
fn day_shift(time: &[u8]) -> Option<i32> {
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
    Some((hour as i32 * 60 + minute as i32 - offset).div_euclid(1440))
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
    const DAY_MS: i64 = 86_400_000;
    let day = Day::from_epoch(i32::try_from(at_ms.div_euclid(DAY_MS)).unwrap_or_default());
    let (seconds, ms) = (at_ms.rem_euclid(DAY_MS) / 1000, at_ms.rem_euclid(1000));
    format!("{day}T{:02}:{:02}:{:02}.{ms:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl Month {
    pub fn new(year: i32, month: u32) -> Option<Month> {
        Day::from_civil(year, month, 1).map(Day::month)
    }

    pub fn first_day(self) -> Day {
        Day(days_from_civil(self.year, self.month, 1))
    }

    pub fn before(self) -> Month {
        self.first_day().plus(-1).month()
    }

    pub fn next(self) -> Month {
        self.first_day().plus(days_in(self.year, self.month) as i32).month()
    }

    pub fn period(self) -> Period {
        Period { start: self.first_day(), end: self.next().first_day() }
    }
}

impl Period {
    pub fn new(start: Day, end: Day) -> Result<Period, NotADate> {
        if end < start {
            Err(NotADate::Backwards { start, end })
        } else {
            Ok(Period { start, end })
        }
    }

    /// Every day there is.
    pub fn all() -> Period {
        Period { start: Day(i32::MIN / 2), end: Day(i32::MAX / 2) }
    }

    pub fn start(self) -> Day {
        self.start
    }

    /// The first day that is not in the period any more.
    pub fn end(self) -> Day {
        self.end
    }

    pub fn days(self) -> impl Iterator<Item = Day> {
        (self.start.0..self.end.0).map(Day)
    }

    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }
}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant's `days_from_civil`: eras of 400 years, years starting in March.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Day {
    type Err = NotADate;
    fn from_str(text: &str) -> Result<Day, NotADate> {
        parse_date(text.as_bytes(), DateOrder::Iso).ok_or_else(|| NotADate::Day(text.into()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = NotADate;
    fn from_str(text: &str) -> Result<Month, NotADate> {
        let refuse = || NotADate::Month(text.into());
        let (year, month) = text.split_once('-').ok_or_else(refuse)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(refuse());
        }
        let number = |part: &str| number(part.as_bytes()).ok_or_else(refuse);
        Month::new(number(year)? as i32, number(month)?).ok_or_else(refuse)
    }
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

    #[test]
    fn months_and_weeks() {
        let month: Month = "2024-02".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(month.period().end().to_string(), "2024-03-01");
        assert_eq!(month.next().to_string(), "2024-03");
        let sunday: Day = "2026-11-22".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(sunday.week_start().to_string(), "2026-11-16");
        for days in -200_000..200_000 {
            let (year, month, day) = Day(days).civil();
            assert_eq!(Day::from_civil(year, month, day), Some(Day(days)).filter(|_| year >= 1));
        }
    }

    #[test]
    fn points_in_time_are_utc_with_milliseconds() {
        assert_eq!(instant(0), "1970-01-01T00:00:00.000Z");
        // date -u -d @1767225599 gives 2025-12-31 23:59:59.
        assert_eq!(instant(1_767_225_599_007), "2025-12-31T23:59:59.007Z");
        assert_eq!(instant(-1), "1969-12-31T23:59:59.999Z");
    }
}
