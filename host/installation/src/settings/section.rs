//! Sections of the settings file: one table of settings each.

use super::setting::{AnySetting, Setting, SettingValue};
use std::collections::BTreeMap;
use toml::Spanned;

/// Settings that stand together, by their keys.
pub trait Section {
    /// Visits every setting in the order of the file, with its key.
    fn each(&mut self, key: &str, visit: &mut dyn FnMut(&str, &mut dyn AnySetting));
}

/// The key of something in a section.
pub fn within(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

impl<T: SettingValue> Section for Setting<T> {
    fn each(&mut self, key: &str, visit: &mut dyn FnMut(&str, &mut dyn AnySetting)) {
        visit(key, self);
    }
}

impl<S: Section> Section for BTreeMap<String, S> {
    fn each(&mut self, key: &str, visit: &mut dyn FnMut(&str, &mut dyn AnySetting)) {
        for (name, section) in self {
            section.each(&within(key, name), visit);
        }
    }
}

/// A section that is left out has no settings.
impl<S: Section> Section for Option<S> {
    fn each(&mut self, key: &str, visit: &mut dyn FnMut(&str, &mut dyn AnySetting)) {
        if let Some(section) = self {
            section.each(key, visit);
        }
    }
}

impl<S: Section> Section for Spanned<S> {
    fn each(&mut self, key: &str, visit: &mut dyn FnMut(&str, &mut dyn AnySetting)) {
        self.get_mut().each(key, visit);
    }
}

/// Writes a section once: for each setting its description, type and default. Reading, schema and
/// listing follow from that.
macro_rules! section {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty = $default:expr,)*
        }
        $(unlisted { $($(#[$other_meta:meta])* pub $other:ident: $other_type:ty,)* })?
    ) => {
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default, expecting = "a section of settings")]
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            $($($(#[$other_meta])* pub $other: $other_type,)*)?
        }

        impl Default for $name {
            fn default() -> $name {
                $name {
                    $($field: $default,)*
                    $($($other: Default::default(),)*)?
                }
            }
        }

        impl $crate::settings::section::Section for $name {
            fn each(
                &mut self,
                key: &str,
                visit: &mut dyn FnMut(&str, &mut dyn $crate::settings::setting::AnySetting),
            ) {
                $(
                    let key_here = $crate::settings::section::within(key, stringify!($field));
                    $crate::settings::section::Section::each(&mut self.$field, &key_here, visit);
                )*
            }
        }
    };
}
pub(crate) use section;
