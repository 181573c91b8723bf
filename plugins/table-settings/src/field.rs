//! The fields that a table can feed.

use apportion_plugin_sdk::{Feed, Field};

/// A field that can be fed: its name in settings and its FOCUS column.
pub struct FeedColumn {
    pub feed: Feed,
    pub name: &'static str,
    pub column: &'static str,
}

impl FeedColumn {
    pub fn is_amount(&self) -> bool {
        matches!(
            self.feed,
            Feed::BilledCost | Feed::EffectiveCost | Feed::ListCost | Feed::ContractedCost
        )
    }
}

const fn feed(feed: Feed, name: &'static str, column: &'static str) -> FeedColumn {
    FeedColumn { feed, name, column }
}

const fn dimension(field: Field, name: &'static str, column: &'static str) -> FeedColumn {
    feed(Feed::Dimension(field), name, column)
}

/// All fields. The first four are needed, and the next two hardly ever missing.
pub const NEEDED: usize = 4;
pub const WISHED: std::ops::Range<usize> = 4..6;

pub const FEED_COLUMNS: &[FeedColumn] = &[
    feed(Feed::BilledCost, "billed_cost", "BilledCost"),
    feed(Feed::EffectiveCost, "effective_cost", "EffectiveCost"),
    feed(Feed::BillingCurrency, "billing_currency", "BillingCurrency"),
    feed(Feed::ChargePeriodStart, "charge_period_start", "ChargePeriodStart"),
    dimension(Field::ServiceName, "service_name", "ServiceName"),
    dimension(Field::ChargeCategory, "charge_category", "ChargeCategory"),
    feed(Feed::Tags, "tags", "Tags"),
    dimension(Field::ProviderName, "provider_name", "ProviderName"),
    dimension(Field::SubAccountId, "sub_account_id", "SubAccountId"),
    dimension(Field::SubAccountName, "sub_account_name", "SubAccountName"),
    dimension(Field::ChargeClass, "charge_class", "ChargeClass"),
    dimension(Field::RegionId, "region_id", "RegionId"),
    dimension(Field::ResourceId, "resource_id", "ResourceId"),
    dimension(Field::ResourceName, "resource_name", "ResourceName"),
    dimension(Field::ResourceType, "resource_type", "ResourceType"),
    dimension(Field::ServiceCategory, "service_category", "ServiceCategory"),
    dimension(Field::SkuId, "sku_id", "SkuId"),
    dimension(Field::CommitmentDiscountId, "commitment_discount_id", "CommitmentDiscountId"),
    dimension(
        Field::CommitmentDiscountStatus,
        "commitment_discount_status",
        "CommitmentDiscountStatus",
    ),
    dimension(Field::BillingAccountId, "billing_account_id", "BillingAccountId"),
    dimension(Field::BillingAccountName, "billing_account_name", "BillingAccountName"),
    dimension(Field::BillingAccountType, "billing_account_type", "BillingAccountType"),
    dimension(Field::SubAccountType, "sub_account_type", "SubAccountType"),
    dimension(Field::PublisherName, "publisher_name", "PublisherName"),
    dimension(Field::HostProviderName, "host_provider_name", "HostProviderName"),
    dimension(Field::InvoiceIssuerName, "invoice_issuer_name", "InvoiceIssuerName"),
    dimension(Field::InvoiceId, "invoice_id", "InvoiceId"),
    dimension(Field::ServiceSubcategory, "service_subcategory", "ServiceSubcategory"),
    dimension(Field::RegionName, "region_name", "RegionName"),
    dimension(Field::AvailabilityZone, "availability_zone", "AvailabilityZone"),
    dimension(Field::ChargeDescription, "charge_description", "ChargeDescription"),
    dimension(Field::ChargeFrequency, "charge_frequency", "ChargeFrequency"),
    dimension(Field::SkuMeter, "sku_meter", "SkuMeter"),
    dimension(Field::SkuPriceId, "sku_price_id", "SkuPriceId"),
    dimension(Field::PricingCategory, "pricing_category", "PricingCategory"),
    dimension(Field::PricingUnit, "pricing_unit", "PricingUnit"),
    dimension(Field::ConsumedUnit, "consumed_unit", "ConsumedUnit"),
    dimension(
        Field::CommitmentDiscountCategory,
        "commitment_discount_category",
        "CommitmentDiscountCategory",
    ),
    dimension(Field::CommitmentDiscountName, "commitment_discount_name", "CommitmentDiscountName"),
    dimension(Field::CommitmentDiscountType, "commitment_discount_type", "CommitmentDiscountType"),
    dimension(Field::CapacityReservationId, "capacity_reservation_id", "CapacityReservationId"),
    dimension(
        Field::CapacityReservationStatus,
        "capacity_reservation_status",
        "CapacityReservationStatus",
    ),
    feed(Feed::BillingPeriodStart, "billing_period_start", "BillingPeriodStart"),
    feed(Feed::PricingQuantity, "pricing_quantity", "PricingQuantity"),
    feed(Feed::ConsumedQuantity, "consumed_quantity", "ConsumedQuantity"),
    feed(Feed::ListUnitPrice, "list_unit_price", "ListUnitPrice"),
    feed(Feed::ContractedUnitPrice, "contracted_unit_price", "ContractedUnitPrice"),
    feed(Feed::ListCost, "list_cost", "ListCost"),
    feed(Feed::ContractedCost, "contracted_cost", "ContractedCost"),
];
