//! Obstacles to closing a month: it would freeze figures that are known to be unfinished.

use crate::code;
use domain::account::Account;
use domain::diagnostic::Diagnostic;
use domain::hint::Hint;
use domain::money::{Currency, Sum};
use domain::period::{Day, Month, instant};
use domain::run::{RunId, RunState};
use ledger::{BalanceFilter, Bucket, Reader, StoredAttempt};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its last day is over at midnight UTC.
    NotOver {
        ends: Day,
    },
    /// The clock is behind the journal, so nobody knows whether the month is over.
    ClockBehind {
        now_ms: i64,
        journal_ms: i64,
    },
    NoCharges,
    RunUnfinished {
        run: RunId,
        state: Option<RunState>,
    },
    SetAside {
        source: String,
        run: RunId,
        rows: u64,
    },
    Suspense {
        currency: Currency,
        amount: Sum,
    },
    /// Shared costs that no team bears yet, such as those whose weights have a gap.
    InPools {
        currency: Currency,
        amount: Sum,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::NotOver { ends } => write!(f, "it is not over before {ends}T00:00:00Z (UTC)"),
            Obstacle::ClockBehind { now_ms, journal_ms } => {
                let (now, journal) = (instant(*now_ms), instant(*journal_ms));
                write!(f, "the clock says {now}, and the ledger was written at {journal}")
            }
            Obstacle::NoCharges => f.write_str("it has no charges"),
            Obstacle::RunUnfinished { run, state } => {
                let state = state.map_or("not ended", RunState::name);
                write!(f, "the last run, {}, is {state}", run.0)
            }
            Obstacle::SetAside { source, run, rows } => {
                let rows = if *rows == 1 { "1 row".into() } else { format!("{rows} rows") };
                write!(f, "run {} set aside {rows} of {source}", run.0)
            }
            Obstacle::Suspense { currency, amount } => {
                write!(f, "{} {currency} stand in suspense: their rules failed", amount.plain())
            }
            Obstacle::InPools { currency, amount } => {
                write!(f, "{} {currency} stand in pools that no rule passed on", amount.plain())
            }
        }
    }
}

/// Everything that stands against closing the month now.
pub fn obstacles(ledger: &Reader, month: Month, now_ms: i64) -> Result<Vec<Obstacle>, Diagnostic> {
    let mut found = Vec::new();
    let ends = month.next().first_day();
    if Day::of_instant(now_ms) < ends {
        found.push(Obstacle::NotOver { ends });
    }
    let journal_ms = ledger.last_moment_ms()?;
    if now_ms < journal_ms {
        found.push(Obstacle::ClockBehind { now_ms, journal_ms });
    }
    if ledger.source_days(month.period())?.iter().all(|day| day.totals.charges == 0) {
        found.push(Obstacle::NoCharges);
    }
    if let Some(run) = ledger.runs(1)?.pop() {
        let state = run.end.map(|end| end.state);
        if state != Some(RunState::Complete) {
            found.push(Obstacle::RunUnfinished { run: run.id, state });
        }
    }
    for source in ledger.source_names()? {
        set_aside(ledger, month, &source, &mut found)?;
    }
    let suspense = unowned(ledger, month, [Account::Suspense])?;
    found.extend(
        suspense.into_iter().map(|(currency, amount)| Obstacle::Suspense { currency, amount }),
    );
    let pools = ledger.accounts()?.into_iter().filter(|it| matches!(it, Account::Pool(_)));
    let in_pools = unowned(ledger, month, pools)?;
    found.extend(
        in_pools.into_iter().map(|(currency, amount)| Obstacle::InPools { currency, amount }),
    );
    Ok(found)
}

/// The money of accounts that nobody pays, by currency.
fn unowned(
    ledger: &Reader,
    month: Month,
    accounts: impl IntoIterator<Item = Account>,
) -> Result<BTreeMap<Currency, Sum>, Diagnostic> {
    // By day: money that cancels out over the month has still no owner.
    let filter = BalanceFilter::of(month.period()).by(Bucket::Day).accounts(accounts);
    let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
    for balance in ledger.balances(&filter)?.into_iter().filter(|it| !it.amount.is_zero()) {
        *sums.entry(balance.currency).or_default() += balance.amount;
    }
    Ok(sums)
}

/// The rows that were set aside when days of the month were collected last.
fn set_aside(
    ledger: &Reader,
    month: Month,
    source: &str,
    found: &mut Vec<Obstacle>,
) -> Result<(), Diagnostic> {
    let mut due: BTreeSet<Day> = month.period().days().collect();
    let attempts = ledger.attempts(source)?;
    for StoredAttempt { run, attempt, .. } in attempts.iter().rev() {
        if attempt.failure.is_some() || due.is_empty() {
            continue;
        }
        let is_asked = |day: &Day| attempt.period.is_none_or(|period| period.contains(*day));
        if due.iter().any(is_asked) {
            let counts = ledger.rejected_counts(*run)?;
            let rows = counts.into_iter().find(|(name, _)| name == source);
            if let Some((source, rows)) = rows.filter(|(_, rows)| *rows > 0) {
                found.push(Obstacle::SetAside { source, run: *run, rows });
            }
        }
        due.retain(|day| !is_asked(day));
    }
    Ok(())
}

/// Refuses to close a month that something stands against.
pub fn check(ledger: &Reader, month: Month, now_ms: i64) -> Result<(), Diagnostic> {
    let obstacles = obstacles(ledger, month, now_ms)?;
    if obstacles.is_empty() {
        return Ok(());
    }
    let message = format!("{month} is not ready to be closed: {}", listed(&obstacles));
    let hint = Hint::text("mend that and run again; to close it all the same, say why: ")
        .then(Hint::command(format!("period close {month} --because \"the reason\"")));
    Err(Diagnostic::new(code::PERIOD_NOT_READY, message).hint(hint))
}

/// The words for the record of a month that is closed all the same.
pub fn listed(obstacles: &[Obstacle]) -> String {
    obstacles.iter().map(Obstacle::to_string).collect::<Vec<_>>().join("; ")
}
