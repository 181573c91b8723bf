//! What Azure calls a charge, in the words of FOCUS.

/// The category of a charge by its type; nothing of a type says that it is usage.
pub fn category(charge_type: Option<&str>) -> &'static str {
    match charge_type.unwrap_or_default().to_ascii_lowercase().as_str() {
        "purchase" => "Purchase",
        "tax" => "Tax",
        "refund" | "credit" => "Credit",
        "adjustment" | "roundingadjustment" => "Adjustment",
        _ => "Usage",
    }
}
