//! Azure's charge types as charge categories of FOCUS.

/// The category of a charge type. Usage is any type that is not listed.
pub fn category(charge_type: Option<&str>) -> &'static str {
    match charge_type.unwrap_or_default().to_ascii_lowercase().as_str() {
        "purchase" => "Purchase",
        "tax" => "Tax",
        "refund" | "credit" => "Credit",
        "adjustment" | "roundingadjustment" => "Adjustment",
        _ => "Usage",
    }
}
