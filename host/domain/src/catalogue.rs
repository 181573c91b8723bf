//! Every error that a user can see: its stable code, what it means, and the exit code of a command that ends with it.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    pub fn text(self) -> &'static str {
        self.0
    }

    pub fn meaning(self) -> &'static str {
        CATALOGUE.iter().find(|(code, ..)| *code == self).map_or("", |(_, _, meaning)| meaning)
    }

    pub fn fault(self) -> Fault {
        CATALOGUE.iter().find(|(code, ..)| *code == self).map_or(Fault::Bug, |(_, fault, _)| *fault)
    }

    pub fn all() -> impl Iterator<Item = Code> {
        CATALOGUE.iter().map(|(code, ..)| *code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whose fault it is, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Exit 1: the user's data, rules, settings or machine.
    User,
    /// Exit 2: the command line.
    Usage,
    /// Exit 3: the run went on, but not everything is in it.
    Incomplete,
    /// Exit 70: ours.
    Bug,
}

impl Fault {
    pub fn exit_code(self) -> u8 {
        match self {
            Fault::User => 1,
            Fault::Usage => 2,
            Fault::Incomplete => 3,
            Fault::Bug => 70,
        }
    }
}

macro_rules! catalogue {
    ($($name:ident $code:literal $fault:ident $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: Code = Code($code);)*
        const CATALOGUE: &[(Code, Fault, &str)] = &[$(($name, Fault::$fault, $meaning)),*];
    };
}

catalogue! {
    CONFIG_UNREADABLE "C101" User "The settings file cannot be read.";
    CONFIG_SYNTAX "C102" User "The settings file is not valid TOML, or a value has the wrong type.";
    CONFIG_UNKNOWN_KEY "C103" User "The settings file has a key that does not exist.";
    CONFIG_VALUE "C104" User "A setting has a value that cannot be used.";
    CONFIG_EXISTS "C105" User "Files that are there would be overwritten.";
    USAGE "C201" Usage "The command line cannot be understood.";
    FILE_NOT_FOUND "F101" User "A source's path or pattern matches no file.";
    FILE_UNREADABLE "F102" User "A file cannot be opened or read.";
    FILE_LOOP "F103" User "A folder contains itself through a link.";
    FILE_TRUNCATED "F104" User "A compressed file ends too early.";
    FILE_NOT_A_TABLE "F105" User "A file is not CSV, CSV.GZ or Parquet.";
    FILE_DELIMITER "F106" User "The header looks like it has another delimiter.";
    COLUMN_MISSING "F107" User "A column that charges cannot do without is missing.";
    COLUMN_DUPLICATE "F108" User "A header names the same column twice.";
    ROW_REJECTED "F201" Incomplete "A row could not be understood and was set aside.";
    ROW_RAGGED "F202" Incomplete "A row has more or fewer cells than the header.";
    ROW_QUOTE "F203" Incomplete "A quote stands inside an unquoted cell.";
    STORE_FAILED "F301" Incomplete "A store or web server could not be listed or read.";
    STORE_REFUSED "F302" Incomplete "A store or web server refused the credentials.";
    STORE_NOT_FOUND "F303" Incomplete "A source's URL leads to no bucket, or to no object in it.";
    STORE_CACHE "F304" Incomplete "Copies of objects cannot be kept.";
    PLUGIN_NOT_FOUND "P101" User "A source names a plugin that is not installed.";
    PLUGIN_INVALID "P102" User "A file is not a component of a world that this version serves.";
    PLUGIN_CONFIG "P103" User "A plugin refused its configuration.";
    PLUGIN_LOCK "P104" Incomplete "An installed plugin's file is missing, or is not the one that was installed.";
    PLUGIN_SIGNATURE "P105" Incomplete "A plugin's signature is missing or does not verify.";
    PLUGIN_ASKS_MORE "P106" User "A new version of a plugin asks for powers that the operator has not agreed to.";
    PLUGIN_PROJECT "P111" User "A folder is no project of a plugin, or its files cannot be used.";
    PLUGIN_BUILD "P112" User "A plugin's project was not built.";
    PLUGIN_CASES "P113" User "A plugin does not pass its conformance kit.";
    PLUGIN_CASSETTE "P114" User "A recording cannot be read, or has no answer to what a plugin asks.";
    PLUGIN_FAILED "P201" Incomplete "A plugin reported a failure.";
    PLUGIN_TRAPPED "P202" Incomplete "A plugin crashed.";
    PLUGIN_TIMEOUT "P203" Incomplete "A plugin took longer than its deadline.";
    PLUGIN_FUEL "P204" Incomplete "A plugin used up its fuel.";
    PLUGIN_MEMORY "P205" Incomplete "A plugin wanted more memory, tables or instances than its limit.";
    PLUGIN_OUTPUT "P206" Incomplete "A plugin returned more rows or bytes than its limit.";
    PLUGIN_JUNK "P207" Incomplete "A plugin returned something that cannot be a batch.";
    PLUGIN_DENIED "P208" Incomplete "A plugin used a power that was not granted.";
    PLUGIN_CALLS "P209" Incomplete "A plugin called the host more often than its limit.";
    RULE_SYNTAX "R101" User "A rule does not compile.";
    RULE_MISSING_FUNCTION "R102" User "A rule lacks `matches` or `allocate`.";
    RULE_UNKNOWN_FIELD "R103" User "A rule reads a field that charges do not have.";
    RULE_ASSIGNMENT "R104" User "A rule assigns to its input.";
    RULE_HEADER "R105" User "A rule's `rule(#{…})` header is missing or wrong.";
    RULE_FIELD_NOT_KEPT "R106" User "A rule reads a dimension that is not collected.";
    RULE_TABLE "R107" User "A lookup table is missing, unreadable, or has a key twice.";
    RULE_DOC "R108" User "A rule has no doc comment.";
    RULE_ADVICE "R109" User "A rule works, but is slow, unowned or overdue for review.";
    RULE_POOL "R110" User "A rule names a pool that no distribution rule has, or two rules pass on the cost of one team.";
    RULE_SHADOWED "R111" User "A rule is never reached: an earlier one claims all that it would.";
    RULE_ORDER "R112" User "Two rules have the same priority, so that their names decide which of them is tried first.";
    TABLE_UNUSED "R113" User "No rule reads a lookup table.";
    RULE_DECISION "R201" Incomplete "A rule returned something that is not a decision.";
    RULE_THROWN "R202" Incomplete "A rule threw.";
    RULE_LIMIT "R203" Incomplete "A rule used up one of its limits.";
    RULE_FAILED "R204" Incomplete "A rule failed while it ran.";
    RULE_CIRCLE "R205" Incomplete "Rules pass costs on in a circle that cannot be solved; the costs stay where they are.";
    RULE_TEAM "R206" Incomplete "A rule names a team that is not among those of tables/teams.csv, and the settings refuse such teams.";
    CASES_FILE "R301" User "A cases file is missing, empty or cannot be read.";
    CASE_FAILED "R302" User "A case does not come out as expected.";
    RULES_UNREADABLE "R303" User "The rules folder cannot be read.";
    PROPERTY_FAILED "R305" User "A property does not hold for a charge that it describes.";
    RULE_LAYOUT "R306" User "A rule is not laid out as `rule fmt` does it, or cannot be.";
    RULE_UNKNOWN "R304" User "There is no rule of that name.";
    LEDGER_NOT_FOUND "L101" User "There is no ledger at that path.";
    LEDGER_NEWER "L102" User "The ledger was written by a newer version.";
    LEDGER_NOT_OURS "L103" User "The file is not an Apportion ledger.";
    LEDGER_READ_ONLY "L104" User "The ledger cannot be written.";
    LEDGER_BUSY "L105" User "Another run is writing to the ledger.";
    LEDGER_FULL "L106" User "The disk is full.";
    LEDGER_STORAGE "L107" User "SQLite reports an error.";
    LEDGER_CORRUPT "L201" User "The ledger does not verify.";
    PERIOD_STATE "L203" User "The period is already in that state.";
    RUN_INCOMPLETE "N101" Incomplete "The run posted, but rows or sources are missing from it.";
    NOTHING_TO_EXPLAIN "N201" User "Nothing in the ledger has that name.";
    QUERY_INVALID "N202" User "A filter, grouping or period of a query cannot be understood.";
    PLAN_UNREADABLE "N301" User "A plan file cannot be read, is of another version, or was changed after it was made.";
    PLAN_RULES_MOVED "N302" User "The rules are not those of the plan any more.";
    PLAN_INPUTS_MOVED "N303" User "What the plan was made on has changed since: charges, entries or closed months.";
    PLAN_OTHER_LEDGER "N304" User "The plan was made on another ledger.";
    PLAN_NOT_TO_APPLY "N305" User "The plan answers what would be if, and cannot be applied.";
    APPROVAL_INVALID "N401" User "An approval lacks a note or a name.";
    APPROVAL_MISSING "N402" User "The settings want rules to be approved before they post, and these are not.";
    ADDRESS_REFUSED "S101" User "`serve` only listens on loopback until tokens exist.";
    ADDRESS_IN_USE "S102" User "The address cannot be listened on.";
    TOKEN_FILE "S103" User "The file with the token for changes cannot be used.";
    NO_SUCH_PATH "S201" User "The API has no such path.";
    METHOD_REFUSED "S202" User "The path does not take this method.";
    HOST_REFUSED "S203" User "The request names a host that is not this machine.";
    CHANGES_OFF "S204" User "`serve` was started without a token, so it only shows and changes nothing.";
    TOKEN_REFUSED "S205" User "A change was asked for without the right token.";
    CONSERVATION "B101" Bug "What went in did not come out. Nothing was posted.";
    INTERNAL "B102" Bug "An invariant did not hold.";
}
