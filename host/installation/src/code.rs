//! Errors of the settings file.

domain::codes! {
    CONFIG_UNREADABLE "C101" Settings User "The settings file cannot be read.";
    CONFIG_SYNTAX "C102" Settings User
        "The settings file is not valid TOML, or a value has the wrong type.";
    CONFIG_UNKNOWN_KEY "C103" Settings User "The settings file has a key that does not exist.";
}
