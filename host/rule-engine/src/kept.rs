//! The lines of the settings that keep more of a charge, for rules that read it.

use domain::charge::KeptDetails;
use domain::detail::Detail;
use domain::field::Field;
use domain::hint::Hint;

/// The line of the settings that collects one more dimension.
pub(crate) fn dimensions_hint(kept: &[Field], wanted: Field) -> Hint {
    let names: Vec<String> =
        kept.iter().chain([&wanted]).map(|field| format!("\"{}\"", field.name())).collect();
    let line = Hint::setting(format!("dimensions = [{}]", names.join(", ")));
    Hint::text("in apportion.toml: ").then(line)
}

/// The line of the settings that keeps one more detail.
pub(crate) fn details_hint(kept: KeptDetails, wanted: Detail) -> Hint {
    let mut kept = kept;
    kept.by_name(wanted.setting()).into_iter().for_each(|is_kept| *is_kept = true);
    let names: Vec<String> = kept.names().into_iter().map(|name| format!("\"{name}\"")).collect();
    let line = Hint::setting(format!("details = [{}]", names.join(", ")));
    Hint::text("in apportion.toml: ").then(line)
}
