//! How a table is read: which columns to ask for, and what each of them is for, worked out of a mapping for one scan.

use decode::Wanted;
use domain::catalogue as code;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::mapping::{Feed, Mapping, Origin};
use domain::money::Currency;
use domain::period::DateOrder;

/// Where a value comes from: a column of the scan, or the same for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Column(usize),
    Constant(String),
}

/// What identifies a resource, in the order in which it is hashed and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Currency,
    Dimension(Field),
    Tags,
    Tag(String),
    /// Rows with one of these values are not charges.
    Skip(Vec<String>),
}

#[derive(Clone, Debug)]
pub struct Reading {
    pub wanted: Vec<Wanted>,
    pub billed_cost: Input,
    pub effective_cost: Input,
    pub charge_period_start: Input,
    /// Scan columns that together name a resource, and what they mean.
    pub identity: Vec<(usize, Identity)>,
    pub constants: Vec<(Identity, String)>,
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
}

impl Reading {
    /// Keeps only the wanted dimensions; everything that identifies a resource must be one of them or a tag.
    pub fn new(mapping: &Mapping, dimensions: &[Field]) -> Result<Reading, Diagnostic> {
        let mut reading = Reading {
            wanted: Vec::new(),
            billed_cost: Input::Constant(String::new()),
            effective_cost: Input::Constant(String::new()),
            charge_period_start: Input::Constant(String::new()),
            identity: Vec::new(),
            constants: Vec::new(),
            nulls: mapping.nulls.clone(),
            date_order: mapping.date_order,
        };
        reading.billed_cost = reading.needed(mapping, Feed::BilledCost, "BilledCost")?;
        reading.effective_cost = reading.needed(mapping, Feed::EffectiveCost, "EffectiveCost")?;
        reading.charge_period_start = reading.needed(mapping, Feed::ChargePeriodStart, "ChargePeriodStart")?;
        match reading.needed(mapping, Feed::BillingCurrency, "BillingCurrency")? {
            Input::Column(column) => reading.identity.push((column, Identity::Currency)),
            Input::Constant(text) => {
                Currency::parse(text.as_bytes()).map_err(|error| Diagnostic::new(code::PLUGIN_CONFIG, format!("{}: {error}", mapping.table)))?;
                reading.constants.push((Identity::Currency, text));
            }
        }
        for field in dimensions {
            reading.identify(mapping.origin(Feed::Dimension(*field)), Identity::Dimension(*field));
        }
        reading.identify(mapping.origin(Feed::Tags), Identity::Tags);
        for tag in &mapping.tag_columns {
            reading.identify(Some(&Origin::Column(tag.column.clone())), Identity::Tag(tag.key.clone()));
        }
        for skip in &mapping.skips {
            reading.identify(Some(&Origin::Column(skip.column.clone())), Identity::Skip(skip.values.clone()));
        }
        Ok(reading)
    }

    fn needed(&mut self, mapping: &Mapping, feed: Feed, name: &str) -> Result<Input, Diagnostic> {
        let typed = feed != Feed::BillingCurrency;
        match mapping.origin(feed) {
            Some(Origin::Column(column)) => Ok(Input::Column(self.want(column, typed))),
            Some(Origin::Constant(text)) => Ok(Input::Constant(text.clone())),
            None => {
                Err(Diagnostic::new(code::PLUGIN_JUNK, format!("the plugin's mapping of {} does not say where {name} comes from", mapping.table)))
            }
        }
    }

    fn identify(&mut self, origin: Option<&Origin>, identity: Identity) {
        match origin {
            Some(Origin::Column(column)) => {
                let at = self.want(column, false);
                self.identity.push((at, identity));
            }
            Some(Origin::Constant(text)) => self.constants.push((identity, text.clone())),
            None => {}
        }
    }

    fn want(&mut self, column: &str, typed: bool) -> usize {
        self.wanted.push(Wanted { name: column.to_owned(), typed });
        self.wanted.len() - 1
    }
}
