//! What can go wrong with settings, arguments and files of this machine.

domain::codes! {
    CONFIG_UNREADABLE "C101" Settings User "The settings file cannot be read.";
    CONFIG_SYNTAX "C102" Settings User
        "The settings file is not valid TOML, or a value has the wrong type.";
    CONFIG_UNKNOWN_KEY "C103" Settings User "The settings file has a key that does not exist.";
    USAGE "C201" Settings Usage "The command line cannot be understood.";
    PLUGIN_ASKS_MORE "P106" Plugins User
        "A new version of a plugin asks for powers that the operator has not agreed to.";
    PLUGIN_BUILD "P112" Plugins User "A plugin's project was not built.";
    PLUGIN_CASES "P113" Plugins User "A plugin does not pass its conformance kit.";
    RUN_INCOMPLETE "N101" Runs Incomplete
        "The run posted, but rows or sources are missing from it.";
    TOKEN_FILE "S103" Server User "The file with the token for changes cannot be used.";
}
