//! The types that the minor version before the newest has otherwise: `since-v0.1.1`.
//!
//! A component's types are compared by what they are made of, and not by their names. So every
//! other type of that version is the newest one.

use super::bindings::types;
use wasmtime::component::{ComponentType, Lift};

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct EarlierCharge {
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
pub enum EarlierFeed {
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
pub struct EarlierFeedFrom {
    feed: EarlierFeed,
    origin: types::Origin,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct EarlierMapping {
    table: String,
    feeds: Vec<EarlierFeedFrom>,
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
pub enum EarlierRows {
    #[component(name = "charges")]
    Charges(Vec<EarlierCharge>),
    #[component(name = "json")]
    Json(Vec<u8>),
    #[component(name = "arrow")]
    Arrow(Vec<u8>),
    #[component(name = "mapped")]
    Mapped(EarlierMapping),
    #[component(name = "mapped-usage")]
    MappedUsage(types::UsageMapping),
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub struct EarlierBatch {
    rows: EarlierRows,
    usage: Vec<types::Usage>,
    rejected: Vec<types::Rejected>,
    state: Option<String>,
}

impl From<EarlierCharge> for types::Charge {
    fn from(charge: EarlierCharge) -> types::Charge {
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

impl From<EarlierFeedFrom> for types::FeedFrom {
    fn from(from: EarlierFeedFrom) -> types::FeedFrom {
        let feed = match from.feed {
            EarlierFeed::Dimension(field) => types::Feed::Dimension(field),
            EarlierFeed::BilledCost => types::Feed::BilledCost,
            EarlierFeed::EffectiveCost => types::Feed::EffectiveCost,
            EarlierFeed::BillingCurrency => types::Feed::BillingCurrency,
            EarlierFeed::ChargePeriodStart => types::Feed::ChargePeriodStart,
            EarlierFeed::Tags => types::Feed::Tags,
        };
        types::FeedFrom { feed, origin: from.origin }
    }
}

impl From<EarlierMapping> for types::Mapping {
    fn from(mapping: EarlierMapping) -> types::Mapping {
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

impl From<EarlierBatch> for types::Batch {
    fn from(batch: EarlierBatch) -> types::Batch {
        let rows = match batch.rows {
            EarlierRows::Charges(charges) => {
                types::Rows::Charges(charges.into_iter().map(types::Charge::from).collect())
            }
            EarlierRows::Json(bytes) => types::Rows::Json(bytes),
            EarlierRows::Arrow(bytes) => types::Rows::Arrow(bytes),
            EarlierRows::Mapped(mapping) => types::Rows::Mapped(mapping.into()),
            EarlierRows::MappedUsage(mapping) => types::Rows::MappedUsage(mapping),
        };
        types::Batch { rows, usage: batch.usage, rejected: batch.rejected, state: batch.state }
    }
}
