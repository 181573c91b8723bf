//! Errors of arguments, of projects of plugins, and of files of this machine.

domain::codes! {
    USAGE "C201" Settings Usage "The command line cannot be understood.";
    PLUGIN_ASKS_MORE "P106" Plugins User
        "A new version of a plugin asks for powers that the operator has not agreed to.";
    PLUGIN_BUILD "P112" Plugins User "A plugin's project was not built.";
    PLUGIN_CASES "P113" Plugins User "A plugin does not pass its conformance kit.";
    RUN_INCOMPLETE "N101" Runs Incomplete
        "The run posted, but rows or sources are missing from it.";
    CHECK_INCOMPLETE "N102" Runs Incomplete
        "A run would post, but rows or sources would be missing from it.";
    TOKEN_FILE "S103" Server User "The file with the token for changes cannot be used.";
}
