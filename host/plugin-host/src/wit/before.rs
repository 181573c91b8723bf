//! The types that the minor version before the newest has otherwise: `since-v0.1.1`.
//!
//! A component's types are compared by what they are made of, and not by their names. So every
//! other type of that version is the newest one.

use super::bindings::types;
use wasmtime::component::{ComponentType, Lift};

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Charge {
    #[component(name = "charge-period-start")]
    charge_period_start: String,
    #[component(name = "billed-cost")]
    billed_cost: String,
    #[component(name = "effective-cost")]
    effective_cost: String,
    #[component(name = "billing-currency")]
    billing_currency: String,
    #[component(name = "service-name")]
    service_name: String,
    #[component(name = "charge-category")]
    charge_category: String,
    dimensions: Vec<types::Dimension>,
    tags: Vec<types::Tag>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum Feed {
    #[component(name = "dimension")]
    Dimension(types::Field),
    #[component(name = "billed-cost")]
    BilledCost,
    #[component(name = "effective-cost")]
    EffectiveCost,
    #[component(name = "billing-currency")]
    BillingCurrency,
    #[component(name = "charge-period-start")]
    ChargePeriodStart,
    #[component(name = "tags")]
    Tags,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct FeedFrom {
    feed: Feed,
    origin: types::Origin,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Mapping {
    table: String,
    feeds: Vec<FeedFrom>,
    #[component(name = "tag-columns")]
    tag_columns: Vec<types::TagColumn>,
    skips: Vec<types::Skip>,
    nulls: Vec<String>,
    #[component(name = "date-order")]
    date_order: types::DateOrder,
    #[component(name = "tag-prefixes")]
    tag_prefixes: Vec<String>,
    #[component(name = "short-rows")]
    short_rows: bool,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub enum Rows {
    #[component(name = "charges")]
    Charges(Vec<Charge>),
    #[component(name = "json")]
    Json(Vec<u8>),
    #[component(name = "arrow")]
    Arrow(Vec<u8>),
    #[component(name = "mapped")]
    Mapped(Mapping),
    #[component(name = "mapped-usage")]
    MappedUsage(types::UsageMapping),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct Batch {
    rows: Rows,
    usage: Vec<types::Usage>,
    rejected: Vec<types::Rejected>,
    state: Option<String>,
}

impl From<Charge> for types::Charge {
    fn from(charge: Charge) -> types::Charge {
        types::Charge {
            charge_period_start: charge.charge_period_start,
            billed_cost: charge.billed_cost,
            effective_cost: charge.effective_cost,
            billing_currency: charge.billing_currency,
            service_name: charge.service_name,
            charge_category: charge.charge_category,
            billing_period_start: None,
            pricing_quantity: None,
            consumed_quantity: None,
            list_unit_price: None,
            contracted_unit_price: None,
            list_cost: None,
            contracted_cost: None,
            dimensions: charge.dimensions,
            tags: charge.tags,
        }
    }
}

impl From<FeedFrom> for types::FeedFrom {
    fn from(from: FeedFrom) -> types::FeedFrom {
        let feed = match from.feed {
            Feed::Dimension(field) => types::Feed::Dimension(field),
            Feed::BilledCost => types::Feed::BilledCost,
            Feed::EffectiveCost => types::Feed::EffectiveCost,
            Feed::BillingCurrency => types::Feed::BillingCurrency,
            Feed::ChargePeriodStart => types::Feed::ChargePeriodStart,
            Feed::Tags => types::Feed::Tags,
        };
        types::FeedFrom { feed, origin: from.origin }
    }
}

impl From<Mapping> for types::Mapping {
    fn from(mapping: Mapping) -> types::Mapping {
        types::Mapping {
            table: mapping.table,
            feeds: mapping.feeds.into_iter().map(types::FeedFrom::from).collect(),
            tag_columns: mapping.tag_columns,
            tag_maps: Vec::new(),
            skips: mapping.skips,
            nulls: mapping.nulls,
            date_order: mapping.date_order,
            tag_prefixes: mapping.tag_prefixes,
            short_rows: mapping.short_rows,
            billing_period: None,
        }
    }
}

impl From<Batch> for types::Batch {
    fn from(batch: Batch) -> types::Batch {
        let rows = match batch.rows {
            Rows::Charges(charges) => {
                types::Rows::Charges(charges.into_iter().map(types::Charge::from).collect())
            }
            Rows::Json(bytes) => types::Rows::Json(bytes),
            Rows::Arrow(bytes) => types::Rows::Arrow(bytes),
            Rows::Mapped(mapping) => types::Rows::Mapped(mapping.into()),
            Rows::MappedUsage(mapping) => types::Rows::MappedUsage(mapping),
        };
        types::Batch { rows, usage: batch.usage, rejected: batch.rejected, state: batch.state }
    }
}
