//! What can go wrong with plugins.

domain::codes! {
    PLUGIN_INVALID "P102" Plugins User
        "A file is not a component of a world that this version serves.";
    PLUGIN_LOCK "P104" Plugins Incomplete
        "An installed plugin's file is missing, or is not the one that was installed.";
    PLUGIN_SIGNATURE "P105" Plugins Incomplete
        "A plugin's signature is missing or does not verify.";
    PLUGIN_PROJECT "P111" Plugins User
        "A folder is no project of a plugin, or its files cannot be used.";
    PLUGIN_TIMEOUT "P203" Plugins Incomplete "A plugin took longer than its deadline.";
    PLUGIN_FUEL "P204" Plugins Incomplete "A plugin used up its fuel.";
    PLUGIN_MEMORY "P205" Plugins Incomplete
        "A plugin wanted more memory, tables or instances than its limit.";
    PLUGIN_OUTPUT "P206" Plugins Incomplete "A plugin returned more rows or bytes than its limit.";
    PLUGIN_CALLS "P209" Plugins Incomplete "A plugin called the host more often than its limit.";
}
