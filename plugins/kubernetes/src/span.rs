//! The part of a day that is over, in seconds since 1970.

use exact::day::SECONDS;

/// A stretch of time, up to and without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    /// The day of a moment, from midnight to that moment.
    pub fn of_day(now: i64) -> Span {
        Span { start: now - now.rem_euclid(SECONDS), end: now }
    }

    /// The number of its seconds between two moments.
    pub fn seconds_between(self, start: i64, end: i64) -> u128 {
        u128::try_from(end.min(self.end) - start.max(self.start)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_day_counts() {
        let day = Span::of_day(SECONDS + 3600);
        assert_eq!(day, Span { start: SECONDS, end: SECONDS + 3600 });
        assert_eq!(day.seconds_between(0, i64::MAX), 3600);
        assert_eq!(day.seconds_between(SECONDS + 600, SECONDS + 700), 100);
        assert_eq!(day.seconds_between(0, 10), 0);
        assert_eq!(day.seconds_between(2 * SECONDS, i64::MAX), 0);
    }
}
