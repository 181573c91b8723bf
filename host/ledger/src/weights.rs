//! The weights by which a day's shared costs were spread.
//!
//! They are stored when they change. A run's postings were spread by the weights that were stored
//! last, up to that run.

use crate::block::{BlockReader, COUNT_MAX, put_bytes, put_u32};
use crate::error::corrupt;
use crate::outcome::{list, recipient, recipient_value};
use crate::row;
use crate::{Reader, Result, Transaction, Weights};
use domain::decision::OutcomeId;
use domain::money::Currency;
use domain::period::Day;
use domain::run::RunId;
use domain::sharing::Sharing;
use domain::split::Shares;
use serde_json::{Value, json};

/// Bytes of a day's weights at most: 64 MiB of JSON.
const BYTES_MAX: usize = COUNT_MAX * 64;

impl Reader {
    /// The weights in force for this day when the run had ended.
    pub fn weights(&self, run: RunId, day: Day, currency: Currency) -> Result<Vec<Weights>> {
        let sql = "SELECT data FROM weights WHERE day = ?1 AND currency = ?2 AND run <= ?3 \
                   ORDER BY run DESC LIMIT 1";
        let data: Option<Vec<u8>> =
            row::row(&self.connection, sql, (day.epoch_days(), currency.code(), run.0), |row| {
                row::cell(row, 0)
            })?;
        data.map_or(Ok(Vec::new()), |data| read(&data))
    }
}

impl Transaction<'_> {
    /// All weights of a day; the same as before are not stored again.
    pub fn save_weights(
        &mut self,
        day: Day,
        currency: Currency,
        weights: &[Weights],
    ) -> Result<()> {
        if self.ledger.weights(self.run, day, currency)? == weights {
            return Ok(());
        }
        let sql = "INSERT INTO weights (run, day, currency, data) VALUES (?1, ?2, ?3, ?4)";
        row::execute(
            &self.ledger.connection,
            sql,
            (self.run.0, day.epoch_days(), currency.code(), write(weights)),
        )
    }
}

fn write(weights: &[Weights]) -> Vec<u8> {
    let value = |weights: &Weights| {
        let Sharing { recipients, shares, refunds } = &weights.sharing;
        let mut value = json!({
            "outcome": weights.outcome.0,
            "recipients": recipients.iter().map(recipient_value).collect::<Value>(),
            "shares": shares.cumulative(),
            "total": shares.total(),
            "step": weights.step,
        });
        if let Some(refunds) = refunds {
            value["refunds"] = json!({ "shares": refunds.cumulative(), "total": refunds.total() });
        }
        value
    };
    let text = Value::Array(weights.iter().map(value).collect()).to_string();
    let mut data = Vec::new();
    put_u32(&mut data, text.len() as u32);
    put_bytes(&mut data, text.as_bytes());
    data
}

pub fn read(data: &[u8]) -> Result<Vec<Weights>> {
    let mut reader = BlockReader::new(data);
    let length = reader.u32()? as usize;
    if length > BYTES_MAX {
        return Err(corrupt(format!("a day's weights claim {length} bytes")));
    }
    let mut text = vec![0; length];
    reader.bytes(&mut text)?;
    reader.end()?;
    let parsed: Option<Value> = serde_json::from_slice(&text).ok();
    parsed
        .as_ref()
        .and_then(|value| list(value, weights))
        .ok_or_else(|| corrupt("a day's weights cannot be understood"))
}

fn weights(value: &Value) -> Option<Weights> {
    let shares = shares(value)?;
    // Absent in older ledgers, and where parts of both signs are shared alike.
    let refunds = match value.get("refunds") {
        None => None,
        Some(refunds) => Some(self::shares(refunds)?),
    };
    let recipients = list(value.get("recipients")?, recipient)?;
    let outcome = OutcomeId(u32::try_from(value.get("outcome")?.as_u64()?).ok()?);
    let step = u32::try_from(value.get("step")?.as_u64()?).ok()?;
    let count = recipients.len();
    let fits = count == shares.len() && refunds.as_ref().is_none_or(|it| it.len() == count);
    let sharing = Sharing { recipients, shares, refunds };
    fits.then_some(Weights { outcome, sharing, step })
}

fn shares(value: &Value) -> Option<Shares> {
    let cumulative = list(value.get("shares")?, Value::as_i64)?;
    Shares::cumulated(cumulative, value.get("total")?.as_i64()?).ok()
}
