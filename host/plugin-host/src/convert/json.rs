//! The JSON form: an array of objects with a charge's fields, read row by row so that nothing is
//! kept beyond the limits.

use super::row::{ChargeRow, ChargeSlot, TAGS};
use super::{BatchRefusal, OutputMeter};
use domain::charge::RawCharge;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

pub fn read(bytes: &[u8], output: &mut OutputMeter) -> Result<Vec<RawCharge>, BatchRefusal> {
    output.bytes(bytes.len())?;
    let mut refusal = None;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let rows = RowsSeed { output, refusal: &mut refusal }.deserialize(&mut reader);
    let rows = rows.and_then(|rows| reader.end().map(|()| rows));
    rows.map_err(|error| {
        refusal.unwrap_or_else(|| BatchRefusal::Junk(format!("its JSON is broken: {error}")))
    })
}

/// serde carries only errors of its own, so a refusal waits here until the reader has returned.
struct RowsSeed<'a> {
    output: &'a mut OutputMeter,
    refusal: &'a mut Option<BatchRefusal>,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Vec<RawCharge>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Vec<RawCharge>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of charges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let mut charges = Vec::new();
        while let Some(charge) =
            rows.next_element_seed(RowSeed { output: self.output, refusal: self.refusal })?
        {
            charges.push(charge);
        }
        Ok(charges)
    }
}

struct RowSeed<'a> {
    output: &'a mut OutputMeter,
    refusal: &'a mut Option<BatchRefusal>,
}

impl RowSeed<'_> {
    fn keep<T, E: Error>(&mut self, result: Result<T, BatchRefusal>) -> Result<T, E> {
        result.map_err(|refusal| {
            *self.refusal = Some(refusal);
            E::custom("refused")
        })
    }
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = RawCharge;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawCharge, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = RawCharge;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a charge's fields")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<RawCharge, A::Error> {
        let counted = self.output.rows(1);
        self.keep(counted)?;
        let mut row = ChargeRow::default();
        // A `&str` would refuse names with escapes, which cannot be borrowed from the bytes.
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == TAGS {
                let tags = members.next_value::<Option<Tags>>()?.unwrap_or_default();
                let set = row.set_tags(tags.0, self.output);
                self.keep(set)?;
                continue;
            }
            let slot = self.keep(ChargeSlot::by_name(&name))?;
            if let Some(value) = members.next_value::<Option<String>>()? {
                let set = row.set(slot, value, self.output);
                self.keep(set)?;
            }
        }
        let finished = row.finish();
        self.keep(finished)
    }
}

/// An object of strings, in its order.
#[derive(Default)]
struct Tags(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tags, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tags, A::Error> {
                let mut tags = Vec::new();
                while let Some(tag) = members.next_entry()? {
                    tags.push(tag);
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PluginLimits;

    const ROW: &str = r#"{"charge_period_start": "2026-03-01", "billed_cost": "1", "effective_cost": "1", "billing_currency": "USD",
        "service_name": "S", "charge_category": "Usage", "tags": {"team": "a\"b", "x": ""}}"#;

    fn read_with(limits: &PluginLimits, text: &str) -> Result<Vec<RawCharge>, BatchRefusal> {
        read(text.as_bytes(), &mut OutputMeter::new(limits))
    }

    #[test]
    fn reads_rows_with_their_tags_in_order() {
        let charges =
            read_with(&PluginLimits::default(), &format!("[{ROW}, {ROW}]")).unwrap_or_default();
        assert_eq!(charges.len(), 2);
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(charges[0].tags, [tag("team", "a\"b"), tag("x", "")]);
        assert_eq!(read_with(&PluginLimits::default(), "[]"), Ok(Vec::new()));
    }

    #[test]
    fn a_row_may_tell_its_billing_period_quantities_prices_and_costs() {
        let told = ROW.replace(
            r#""tags""#,
            r#""billing_period_start": "2026-03-01", "pricing_quantity": "4",
            "consumed_quantity": "14400", "list_unit_price": "2.50",
            "contracted_unit_price": "2.00", "list_cost": "10.00", "contracted_cost": null,
            "tags""#,
        );
        let charges = read_with(&PluginLimits::default(), &format!("[{told}, {ROW}]")).unwrap();
        let expect = RawCharge {
            billing_period_start: "2026-03-01".into(),
            pricing_quantity: "4".into(),
            consumed_quantity: "14400".into(),
            list_unit_price: "2.50".into(),
            contracted_unit_price: "2.00".into(),
            list_cost: "10.00".into(),
            ..charges[1].clone()
        };
        assert_eq!(charges[0], expect);
        assert_eq!((charges[1].list_cost.as_str(), charges[1].billed_cost.as_str()), ("", "1"));
        let wrong = told.replace("list_cost", "list_costs");
        assert_eq!(
            read_with(&PluginLimits::default(), &format!("[{wrong}]")),
            Err(BatchRefusal::Junk(
                "a charge has no field 'list_costs'; did you mean 'list_cost'?".into()
            ))
        );
    }

    #[test]
    fn text_that_ends_early_is_junk_wherever_it_ends() {
        let text = format!("[{ROW}]");
        for length in 0..text.len() {
            assert!(
                matches!(
                    read_with(&PluginLimits::default(), &text[..length]),
                    Err(BatchRefusal::Junk(_))
                ),
                "{length}"
            );
        }
    }

    #[test]
    fn rows_are_counted_while_they_are_read() {
        let few = PluginLimits { output_rows: 1, ..PluginLimits::default() };
        assert_eq!(
            read_with(&few, &format!("[{ROW}, {ROW}, broken")),
            Err(BatchRefusal::Output { what: "rows", limit: 1 })
        );
    }
}
