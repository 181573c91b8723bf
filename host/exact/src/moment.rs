//! Points in time as numbers and as RFC 3339 text in UTC. Nothing here asks what time it is.

use chrono::{DateTime, SecondsFormat, Utc};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no point in time such as 2026-11-25T08:00:00Z")]
pub struct NotAMoment(String);

/// Seconds since 1970-01-01 of `2026-11-25T08:00:00Z`. Fractions of a second are left out, other
/// zones refused.
pub fn seconds(text: &str) -> Result<i64, NotAMoment> {
    let at = DateTime::parse_from_rfc3339(text).ok();
    let utc = at.filter(|at| at.offset().local_minus_utc() == 0);
    utc.map(|at| at.timestamp()).ok_or_else(|| NotAMoment(text.into()))
}

/// Milliseconds since 1970-01-01 as RFC 3339 in UTC: `2026-11-25T08:00:00.000Z`.
pub fn text(at_ms: i64) -> String {
    // `chrono` does not reach as far as 64 bits; its ends stand in for moments beyond.
    let end = if at_ms < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or(end)
        .to_rfc3339_opts(SecondsFormat::Millis, true)
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
            ("2026-11-25t08:00:00z", 1_795_593_600),
            ("2026-11-25 08:00:00Z", 1_795_593_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(seconds(text), Ok(expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in [
            "",
            "2026-11-25",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-25T08:00:00+01:00",
            "2026-11-25T24:00:00Z",
            "2026-11-25T08:60:00Z",
            "2026-1x-25T08:00:00Z",
            "2026-11-25T08:00:00",
            "2026-11-25T08:00:00.Z",
            "٢026-11-25T08:00:00Z",
        ] {
            let expect = format!("'{text}' is no point in time such as 2026-11-25T08:00:00Z");
            assert_eq!(seconds(text).map_err(|error| error.to_string()), Err(expect));
        }
    }

    #[test]
    fn points_in_time_are_shown_in_utc_with_milliseconds() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        // date -u -d @1767225599 gives 2025-12-31 23:59:59.
        assert_eq!(text(1_767_225_599_007), "2025-12-31T23:59:59.007Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(text(253_402_300_799_999), "9999-12-31T23:59:59.999Z");
        assert_eq!(text(i64::MAX), text(i64::MAX - 1));
    }
}
