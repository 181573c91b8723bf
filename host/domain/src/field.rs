//! The dimensions of a charge, by their FOCUS names. Rules read them, and reports group by them.

use std::fmt;

/// One dimension of a charge, such as `service_name`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field(u8);

/// Name in rules, SQL, JSON and CLI; name in FOCUS; whether it is kept by default.
const FIELDS: &[(&str, &str, bool)] = &[
    ("service_name", "ServiceName", true),
    ("provider_name", "ProviderName", true),
    ("sub_account_id", "SubAccountId", true),
    ("sub_account_name", "SubAccountName", true),
    ("charge_category", "ChargeCategory", true),
    ("charge_class", "ChargeClass", true),
    ("region_id", "RegionId", true),
    ("resource_id", "ResourceId", true),
    ("resource_name", "ResourceName", true),
    ("resource_type", "ResourceType", true),
    ("service_category", "ServiceCategory", true),
    ("sku_id", "SkuId", true),
    ("commitment_discount_id", "CommitmentDiscountId", true),
    ("commitment_discount_status", "CommitmentDiscountStatus", true),
    ("billing_account_id", "BillingAccountId", true),
    ("billing_account_name", "BillingAccountName", false),
    ("billing_account_type", "BillingAccountType", false),
    ("sub_account_type", "SubAccountType", false),
    ("publisher_name", "PublisherName", true),
    ("host_provider_name", "HostProviderName", false),
    ("invoice_issuer_name", "InvoiceIssuerName", false),
    ("invoice_id", "InvoiceId", false),
    ("service_subcategory", "ServiceSubcategory", false),
    ("region_name", "RegionName", false),
    ("availability_zone", "AvailabilityZone", false),
    ("charge_description", "ChargeDescription", false),
    ("charge_frequency", "ChargeFrequency", true),
    ("sku_meter", "SkuMeter", false),
    ("sku_price_id", "SkuPriceId", false),
    ("pricing_category", "PricingCategory", true),
    ("pricing_unit", "PricingUnit", false),
    ("consumed_unit", "ConsumedUnit", false),
    ("commitment_discount_category", "CommitmentDiscountCategory", false),
    ("commitment_discount_name", "CommitmentDiscountName", false),
    ("commitment_discount_type", "CommitmentDiscountType", true),
    ("capacity_reservation_id", "CapacityReservationId", false),
    ("capacity_reservation_status", "CapacityReservationStatus", false),
];

impl Field {
    pub const SERVICE_NAME: Field = Field(0);
    pub const PROVIDER_NAME: Field = Field(1);
    pub const SUB_ACCOUNT_ID: Field = Field(2);
    pub const SUB_ACCOUNT_NAME: Field = Field(3);
    pub const CHARGE_CATEGORY: Field = Field(4);
    pub const CHARGE_CLASS: Field = Field(5);
    pub const REGION_ID: Field = Field(6);
    pub const RESOURCE_ID: Field = Field(7);
    pub const INVOICE_ISSUER_NAME: Field = Field(20);
    pub const INVOICE_ID: Field = Field(21);
    pub const PRICING_UNIT: Field = Field(30);
    pub const CONSUMED_UNIT: Field = Field(31);
    pub const COUNT: usize = FIELDS.len();

    pub fn all() -> impl Iterator<Item = Field> {
        (0..FIELDS.len() as u8).map(Field)
    }

    /// The dimensions that are kept unless the settings choose others.
    pub fn default_dimensions() -> Vec<Field> {
        Field::all().filter(|field| FIELDS[field.index()].2).collect()
    }

    pub fn by_name(name: &str) -> Option<Field> {
        Field::all().find(|field| field.name() == name)
    }

    pub fn by_focus_name(name: &str) -> Option<Field> {
        Field::all().find(|field| field.focus_name() == name)
    }

    /// Snake case: `service_name`.
    pub fn name(self) -> &'static str {
        FIELDS[self.index()].0
    }

    /// As in a FOCUS header: `ServiceName`.
    pub fn focus_name(self) -> &'static str {
        FIELDS[self.index()].1
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    pub fn from_index(index: usize) -> Option<Field> {
        (index < FIELDS.len()).then_some(Field(index as u8))
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The normative values of the closed FOCUS columns. Bills spell them in any case.
pub fn canonical_value(field: Field, value: &str) -> Option<&'static str> {
    let closed: &[&str] = match field.focus_name() {
        "ChargeCategory" => &["Usage", "Purchase", "Tax", "Credit", "Adjustment"],
        "ChargeClass" => &["Correction"],
        "ChargeFrequency" => &["One-Time", "Recurring", "Usage-Based"],
        "PricingCategory" => &["Standard", "Dynamic", "Committed", "Other"],
        "CommitmentDiscountStatus" | "CapacityReservationStatus" => &["Used", "Unused"],
        "CommitmentDiscountCategory" => &["Spend", "Usage"],
        _ => return None,
    };
    closed.iter().find(|known| known.eq_ignore_ascii_case(value)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_have_the_names_of_their_fields() {
        for (field, name) in [
            (Field::SERVICE_NAME, "ServiceName"),
            (Field::PROVIDER_NAME, "ProviderName"),
            (Field::SUB_ACCOUNT_ID, "SubAccountId"),
            (Field::SUB_ACCOUNT_NAME, "SubAccountName"),
            (Field::CHARGE_CATEGORY, "ChargeCategory"),
            (Field::CHARGE_CLASS, "ChargeClass"),
            (Field::REGION_ID, "RegionId"),
            (Field::RESOURCE_ID, "ResourceId"),
            (Field::INVOICE_ISSUER_NAME, "InvoiceIssuerName"),
            (Field::INVOICE_ID, "InvoiceId"),
            (Field::PRICING_UNIT, "PricingUnit"),
            (Field::CONSUMED_UNIT, "ConsumedUnit"),
        ] {
            assert_eq!(field.focus_name(), name);
        }
    }
}
