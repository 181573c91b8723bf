//! Whether a request is sent again, how long it waits before that, and how many may go in a minute.

use super::client::NoAnswer;
use super::{HttpOptions, HttpResponse};
use aws_smithy_types::date_time::{DateTime, Format};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The repetitions that one request has left.
pub struct Patience {
    times: u32,
    next: Duration,
    left: Duration,
}

impl Patience {
    pub fn new(options: &HttpOptions, repeatable: bool) -> Patience {
        Patience {
            times: if repeatable { options.retries } else { 0 },
            next: options.first_wait,
            left: options.waiting,
        }
    }

    /// How long to wait before the request is sent again. `None` if the answer is final.
    pub fn before_next(&mut self, answer: &Result<HttpResponse, NoAnswer>) -> Option<Duration> {
        let asked_for = match answer {
            // These statuses speak of the server's moment. Any other one would come again.
            Ok(response) if matches!(response.status, 429 | 500 | 502 | 503 | 504) => {
                retry_after(response)
            }
            Err(trouble) if trouble.may_pass => None,
            _ => return None,
        };
        let wait = asked_for.unwrap_or(self.next);
        // A wait is not cut short: a server that is asked too early refuses again.
        if self.times == 0 || wait > self.left {
            return None;
        }
        self.times -= 1;
        self.left -= wait;
        self.next = self.next.saturating_mul(2);
        Some(wait)
    }
}

/// The wait that the server asks for, in seconds or by a date. A date is compared with the date of
/// the answer, because both are by the server's clock.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let seconds =
        |text: &str| DateTime::from_str(text.trim(), Format::HttpDate).ok().map(|date| date.secs());
    let wait = seconds(text)? - seconds(response.header("date")?)?;
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// The requests that one run has left, and the time when the next one may go.
pub struct Pace {
    left: u64,
    per_minute: Option<usize>,
    /// The times of the requests of the last minute, past and planned.
    sent: VecDeque<Instant>,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Pace {
    pub fn new(requests: u64, per_minute: Option<u32>) -> Pace {
        Pace {
            left: requests,
            per_minute: per_minute.map(|count| count.max(1) as usize),
            sent: VecDeque::new(),
        }
    }

    /// How long the next request waits. `None` if there is none left.
    pub fn before_next(&mut self, now: Instant) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let Some(most) = self.per_minute else { return Some(Duration::ZERO) };
        let at = match self.sent.front() {
            // The request that went `most` requests ago must be a minute old.
            Some(first) if self.sent.len() == most => now.max(*first + MINUTE),
            _ => now,
        };
        self.sent.push_back(at);
        if self.sent.len() > most {
            self.sent.pop_front();
        }
        Some(at - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, FailureKind};

    fn response(status: u16, retry_after: Option<&str>) -> Result<HttpResponse, NoAnswer> {
        let headers = retry_after
            .map(|text| ("retry-after".to_owned(), text.to_owned()))
            .into_iter()
            .collect();
        Ok(HttpResponse { status, headers, body: Vec::new() })
    }

    fn trouble(may_pass: bool) -> Result<HttpResponse, NoAnswer> {
        Err(NoAnswer { failure: Failure::new(FailureKind::Unavailable, "no"), may_pass })
    }

    fn waits(repeatable: bool, answers: &[Result<HttpResponse, NoAnswer>]) -> Vec<Option<u64>> {
        let options = HttpOptions {
            retries: 3,
            first_wait: Duration::from_secs(1),
            waiting: Duration::from_secs(20),
            ..HttpOptions::new("s")
        };
        let mut patience = Patience::new(&options, repeatable);
        answers
            .iter()
            .map(|answer| patience.before_next(answer).map(|wait| wait.as_secs()))
            .collect()
    }

    #[test]
    fn waits_double_and_end() {
        assert_eq!(
            waits(
                true,
                &[response(503, None), trouble(true), response(500, None), response(502, None)]
            ),
            [Some(1), Some(2), Some(4), None]
        );
        assert_eq!(waits(false, &[response(503, None)]), [None]);
        assert_eq!(
            waits(true, &[response(404, None), response(200, None), trouble(false)]),
            [None, None, None]
        );
    }

    #[test]
    fn a_server_may_say_how_long_but_not_for_ever() {
        assert_eq!(
            waits(
                true,
                &[response(429, Some("15")), response(429, Some("5")), response(429, Some("1"))]
            ),
            [Some(15), Some(5), None]
        );
        assert_eq!(waits(true, &[response(429, Some("3600"))]), [None]);
        let by_date = |date: Option<&str>| {
            let mut answer = response(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"));
            if let (Ok(answer), Some(date)) = (&mut answer, date) {
                answer.headers.push(("date".into(), date.into()));
            }
            waits(true, &[answer])
        };
        assert_eq!(by_date(Some("Wed, 21 Oct 2026 07:27:48 GMT")), [Some(12)]);
        assert_eq!(by_date(Some("Wed, 21 Oct 2026 07:28:10 GMT")), [Some(0)]);
        // Without the server's own time, or with none that can be read, the usual wait does.
        assert_eq!(by_date(None), [Some(1)]);
        assert_eq!(by_date(Some("yesterday")), [Some(1)]);
    }

    #[test]
    fn the_pace_lets_so_many_go_in_any_minute() {
        let mut pace = Pace::new(6, Some(2));
        let start = Instant::now();
        let mut at = |seconds: u64| {
            pace.before_next(start + Duration::from_secs(seconds)).map(|wait| wait.as_secs())
        };
        assert_eq!(
            [at(0), at(10), at(20), at(70), at(200)],
            [Some(0), Some(0), Some(40), Some(0), Some(0)]
        );
        assert_eq!([at(200), at(200)], [Some(0), None]);
    }
}
