//! Dates and moments of Parquet, as days or as texts.

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::TimeUnit;
use domain::period::Day;

const DAY_SECONDS: i64 = 86_400;

pub(crate) fn timestamp_days(array: &ArrayRef, unit: TimeUnit) -> Vec<i32> {
    let (values, per_second) = moments(array, unit);
    days(values, per_second)
}

/// Moments in parts of a second since 1970, and how many parts a second has.
fn moments(array: &ArrayRef, unit: TimeUnit) -> (&[i64], i64) {
    match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), 1_000),
        TimeUnit::Microsecond => {
            (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000)
        }
        TimeUnit::Nanosecond => {
            (array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000)
        }
    }
}

/// Moments as `2026-03-01T05:30:00Z`.
pub(crate) fn moment_texts(array: &ArrayRef, unit: TimeUnit) -> StringArray {
    let (values, per_second) = moments(array, unit);
    let spelled = |value: i64| {
        let second = value.div_euclid(per_second).rem_euclid(DAY_SECONDS);
        let day = Day::from_epoch(day(value, per_second));
        format!("{day}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    };
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 20);
    let (mut last, mut text) = (None, String::new());
    for (row, value) in values.iter().enumerate() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        // Rows of one moment mostly come together, and spelling it costs more than the row.
        if last != Some(*value) {
            (last, text) = (Some(*value), spelled(*value));
        }
        texts.append_value(&text);
    }
    texts.finish()
}

/// A date of 64 bits is a moment in milliseconds.
pub(crate) fn date_days(array: &ArrayRef) -> Vec<i32> {
    days(array.as_primitive::<Date64Type>().values(), 1_000)
}

fn days(moments: &[i64], per_second: i64) -> Vec<i32> {
    moments.iter().map(|moment| day(*moment, per_second)).collect()
}

#[inline]
fn day(moment: i64, per_second: i64) -> i32 {
    // Rounded down: a moment before 1970 belongs to the day that began before it.
    i32::try_from(moment.div_euclid(DAY_SECONDS * per_second)).unwrap_or(i32::MAX / 2)
}
