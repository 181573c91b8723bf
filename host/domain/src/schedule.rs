//! When something is due again: five fields as cron has them, in UTC. There is no `now` here.
//!
//! Crates for cron do not serve here: `croner` and `cron` take a `chrono` that can read the clock,
//! and their errors do not name the wrong value of a field. So the fields are read here, and the
//! calendar is that of `chrono`.

use crate::period::Day;
use std::fmt;
use std::str::FromStr;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// 29 February falls on a given weekday once in 28 years, and once in 40 around a century without
/// leap day.
const DAYS_SEARCHED: i32 = 41 * 366;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// `minute hour day-of-month month day-of-week`. As in cron, if both kinds of days are restricted, either may match.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    written: String,
    /// One bit a value.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    days_are_free: bool,
    weekdays_are_free: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASchedule {
    #[error(
        "it has {0} fields, and needs five: minute, hour, day of the month, month, day of the week"
    )]
    Fields(usize),
    #[error("'{part}' is not {what} from {least} to {most}")]
    Value { part: String, what: &'static str, least: u32, most: u32 },
    #[error("'{0}' ends before it begins")]
    Backwards(String),
    #[error("'{0}' has no step, such as */15")]
    Step(String),
    #[error("there is no such day")]
    Never,
}

/// One of the five fields: its name in messages, and its least and its highest value.
struct Field {
    what: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
    /// The value of the first name.
    first: u32,
}

const MINUTE: Field = Field { what: "a minute", least: 0, most: 59, names: &[], first: 0 };
const HOUR: Field = Field { what: "an hour", least: 0, most: 23, names: &[], first: 0 };
const DAY: Field = Field { what: "a day of the month", least: 1, most: 31, names: &[], first: 0 };
const MONTH: Field = Field { what: "a month", least: 1, most: 12, names: &MONTHS, first: 1 };
/// Sunday is 0 and 7.
const WEEKDAY: Field =
    Field { what: "a day of the week", least: 0, most: 7, names: &WEEKDAYS, first: 0 };

impl Schedule {
    /// The first time after this one, both in milliseconds since 1970-01-01.
    pub fn next_after(&self, at_ms: i64) -> Option<i64> {
        let from = at_ms.div_euclid(MINUTE_MS) + 1;
        let (first_day, first_minute) = (from.div_euclid(1440), from.rem_euclid(1440));
        let first_day = i32::try_from(first_day).ok()?;
        (first_day..first_day.checked_add(DAYS_SEARCHED)?).find_map(|day| {
            if !self.is_on(Day::from_epoch(day)) {
                return None;
            }
            let earliest = if day == first_day { first_minute } else { 0 };
            let minute = (earliest..1440).find(|minute| {
                has(self.hours, *minute as u32 / 60) && has(self.minutes, *minute as u32 % 60)
            })?;
            Some(i64::from(day) * DAY_MS + minute * MINUTE_MS)
        })
    }

    fn is_on(&self, day: Day) -> bool {
        let (_, month, of_month) = day.civil();
        let (by_day, by_weekday) = (has(self.days, of_month), has(self.weekdays, day.weekday()));
        let matches = if self.days_are_free || self.weekdays_are_free {
            by_day && by_weekday
        } else {
            by_day || by_weekday
        };
        has(self.months, month) && matches
    }
}

fn has(bits: u64, value: u32) -> bool {
    bits >> value & 1 == 1
}

impl FromStr for Schedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Schedule, NotASchedule> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            return Err(NotASchedule::Fields(parts.len()));
        };
        let weekdays = WEEKDAY.bits(weekday)?;
        let schedule = Schedule {
            written: parts.join(" "),
            minutes: MINUTE.bits(minute)?,
            hours: HOUR.bits(hour)?,
            days: DAY.bits(day)?,
            months: MONTH.bits(month)?,
            weekdays: weekdays & 0x7f | weekdays >> 7 & 1,
            days_are_free: day.starts_with('*'),
            weekdays_are_free: weekday.starts_with('*'),
        };
        if schedule.next_after(0).is_none() { Err(NotASchedule::Never) } else { Ok(schedule) }
    }
}

impl Field {
    /// A list of values, ranges and steps.
    fn bits(&self, text: &str) -> Result<u64, NotASchedule> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.part(part)?))
    }

    fn part(&self, text: &str) -> Result<u64, NotASchedule> {
        let (range, step) = match text.split_once('/') {
            None => (text, None),
            Some((range, step)) => match step.parse::<u32>() {
                Ok(step) if step > 0 => (range, Some(step)),
                _ => return Err(NotASchedule::Step(text.into())),
            },
        };
        let (start, end) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((start, end)) => (self.value(start)?, self.value(end)?),
            // As in cron, `5/15` begins at 5 and goes on to the end.
            None if step.is_some() => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if end < start {
            return Err(NotASchedule::Backwards(text.into()));
        }
        Ok((start..=end)
            .step_by(step.unwrap_or(1) as usize)
            .fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, text: &str) -> Result<u32, NotASchedule> {
        let lower = text.to_ascii_lowercase();
        let named =
            self.names.iter().position(|name| *name == lower).map(|at| at as u32 + self.first);
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = named.or_else(|| text.parse().ok().filter(|_| is_number));
        value.filter(|value| (self.least..=self.most).contains(value)).ok_or_else(|| {
            NotASchedule::Value {
                part: text.into(),
                what: self.what,
                least: self.least,
                most: self.most,
            }
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::instant;

    /// `2026-03-31T08:00` in milliseconds.
    fn at(text: &str) -> i64 {
        let (day, time) = text.split_once('T').unwrap_or((text, "00:00"));
        let day: Day = day.parse().unwrap_or_else(|error| panic!("{error}"));
        let (hour, minute) = time.split_once(':').unwrap_or((time, "0"));
        let number = |text: &str| text.parse::<i64>().unwrap_or_else(|error| panic!("{error}"));
        i64::from(day.epoch_days()) * DAY_MS + (number(hour) * 60 + number(minute)) * MINUTE_MS
    }

    /// The next three times.
    fn next(schedule: &str, after: &str) -> Vec<String> {
        let schedule: Schedule =
            schedule.parse().unwrap_or_else(|error| panic!("{schedule}: {error}"));
        let mut times = Vec::new();
        let mut now = at(after);
        for _ in 0..3 {
            now = schedule.next_after(now).unwrap_or_else(|| panic!("{schedule:?} never comes"));
            times.push(instant(now)[..16].to_owned());
        }
        times
    }

    /// Worked out by hand with a calendar; 2026-03-01 is a Sunday.
    #[test]
    fn the_next_times_are_those_of_a_calendar() {
        for (schedule, after, expect) in [
            (
                "15 */6 * * *",
                "2026-03-01T06:14",
                ["2026-03-01T06:15", "2026-03-01T12:15", "2026-03-01T18:15"],
            ),
            (
                "15 */6 * * *",
                "2026-03-01T18:15",
                ["2026-03-02T00:15", "2026-03-02T06:15", "2026-03-02T12:15"],
            ),
            (
                "0 9-17/4 * * mon-fri",
                "2026-03-06T13:00",
                ["2026-03-06T17:00", "2026-03-09T09:00", "2026-03-09T13:00"],
            ),
            (
                "30 2 31 * *",
                "2026-01-31T02:30",
                ["2026-03-31T02:30", "2026-05-31T02:30", "2026-07-31T02:30"],
            ),
            (
                "0 0 29 2 *",
                "2026-01-01",
                ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"],
            ),
            (
                "0 0 1,15 JAN,Jul *",
                "2026-01-01",
                ["2026-01-15T00:00", "2026-07-01T00:00", "2026-07-15T00:00"],
            ),
            (
                "59 23 31 12 *",
                "2026-12-31T23:58",
                ["2026-12-31T23:59", "2027-12-31T23:59", "2028-12-31T23:59"],
            ),
            // Either kind of day, as cron has it: the 13th, and every Friday.
            (
                "0 12 13 * fri",
                "2026-03-07",
                ["2026-03-13T12:00", "2026-03-20T12:00", "2026-03-27T12:00"],
            ),
            (
                "0 0 * * 7",
                "2026-03-01",
                ["2026-03-08T00:00", "2026-03-15T00:00", "2026-03-22T00:00"],
            ),
            (
                "0 0 * * 5-7",
                "2026-03-01",
                ["2026-03-06T00:00", "2026-03-07T00:00", "2026-03-08T00:00"],
            ),
            (
                "5/25 0 * * *",
                "2026-03-01T00:05",
                ["2026-03-01T00:30", "2026-03-01T00:55", "2026-03-02T00:05"],
            ),
        ] {
            assert_eq!(next(schedule, after), expect, "{schedule} after {after}");
        }
    }

    #[test]
    fn a_time_within_a_minute_is_followed_by_the_next_minute() {
        let schedule: Schedule = "* * * * *".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            schedule.next_after(at("2026-03-01T00:00") + 59_999),
            Some(at("2026-03-01T00:01"))
        );
        assert_eq!(schedule.next_after(-1), Some(0));
    }

    /// 2100 is no leap year.
    #[test]
    fn rare_days_are_found_across_centuries() {
        let schedule: Schedule = "0 0 29 2 *".parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(schedule.next_after(at("2096-02-29")), Some(at("2104-02-29")));
    }

    #[test]
    fn what_is_not_a_schedule_says_why() {
        for (text, expect) in [
            (
                "",
                "it has 0 fields, and needs five: minute, hour, day of the month, month, day of \
                 the week",
            ),
            (
                "@daily",
                "it has 1 fields, and needs five: minute, hour, day of the month, month, day of \
                 the week",
            ),
            ("60 * * * *", "'60' is not a minute from 0 to 59"),
            ("* 24 * * *", "'24' is not an hour from 0 to 23"),
            ("* * 0 * *", "'0' is not a day of the month from 1 to 31"),
            ("* * * foo *", "'foo' is not a month from 1 to 12"),
            ("* * * * mon-", "'' is not a day of the week from 0 to 7"),
            ("* * * * +1", "'+1' is not a day of the week from 0 to 7"),
            ("30-10 * * * *", "'30-10' ends before it begins"),
            ("*/0 * * * *", "'*/0' has no step, such as */15"),
            ("1, * * * *", "'' is not a minute from 0 to 59"),
            ("0 0 30 2 *", "there is no such day"),
        ] {
            let refusal = text.parse::<Schedule>().map_err(|error| error.to_string());
            assert_eq!(refusal.err().as_deref(), Some(expect), "{text}");
        }
    }
}
