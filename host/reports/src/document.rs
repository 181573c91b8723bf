//! Parts that several documents have.

use domain::period::Period;
use serde_json::{Value, json};

/// Both dates are included, and null where a side is open.
pub fn period(period: Period) -> Value {
    let all = Period::all();
    json!({
        "start_date": (period.start() != all.start()).then(|| period.start().to_string()),
        "end_date": (period.end() != all.end()).then(|| period.end().plus(-1).to_string()),
    })
}
