//! Every error that a user can see has a stable code. A code stands in the `code` module of the
//! crate that raises it. Codes that several crates raise stand here.

use std::fmt;

/// A stable name for one kind of error, with its words for the page of errors.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code {
    text: &'static str,
    family: Family,
    fault: Fault,
    meaning: &'static str,
}

impl Code {
    /// For the macro `codes!`, which defines every crate's codes.
    pub const fn new(
        text: &'static str,
        family: Family,
        fault: Fault,
        meaning: &'static str,
    ) -> Code {
        Code { text, family, fault, meaning }
    }

    /// Such as `L105`.
    pub fn text(self) -> &'static str {
        self.text
    }

    pub fn family(self) -> Family {
        self.family
    }

    pub fn fault(self) -> Fault {
        self.fault
    }

    /// One sentence.
    pub fn meaning(self) -> &'static str {
        self.meaning
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// The part of the product that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    Settings,
    Files,
    Plugins,
    Rules,
    Ledger,
    Runs,
    Server,
    Faults,
}

impl Family {
    /// In the order of the page of errors.
    pub const ALL: [Family; 8] = [
        Family::Settings,
        Family::Files,
        Family::Plugins,
        Family::Rules,
        Family::Ledger,
        Family::Runs,
        Family::Server,
        Family::Faults,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Family::Settings => "Settings and command line",
            Family::Files => "Files and rows",
            Family::Plugins => "Plugins",
            Family::Rules => "Rules",
            Family::Ledger => "Ledger",
            Family::Runs => "Runs and questions",
            Family::Server => "Server",
            Family::Faults => "Faults of Apportion",
        }
    }
}

/// The party at fault. It decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// Exit 1: the user's data, rules, settings or machine.
    User,
    /// Exit 2: the command line.
    Usage,
    /// Exit 3: the run went on and is incomplete.
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

/// Defines a crate's codes, one line each: name, text, family, fault, meaning. `CODES` lists them.
#[macro_export]
macro_rules! codes {
    ($($name:ident $code:literal $family:ident $fault:ident $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $name: $crate::code::Code = $crate::code::Code::new(
                $code,
                $crate::code::Family::$family,
                $crate::code::Fault::$fault,
                $meaning,
            );
        )*
        /// All codes of this crate.
        pub const CODES: &[$crate::code::Code] = &[$($name),*];
    };
}

codes! {
    CONFIG_VALUE "C104" Settings User "A setting has a value that cannot be used.";
    CONFIG_EXISTS "C105" Settings User "Files that are there would be overwritten.";
    FILE_LOOP "F103" Files User "A folder contains itself through a link.";
    AMOUNT_COMMA "F112" Files User
        "Amounts are written with a decimal comma, and the source does not say so.";
    ROW_REJECTED "F201" Files Incomplete "A row could not be understood and was set aside.";
    PLUGIN_NOT_FOUND "P101" Plugins User "A source names a plugin that is not installed.";
    PLUGIN_CONFIG "P103" Plugins User "A plugin refused its configuration.";
    PLUGIN_FAILED "P201" Plugins Incomplete "A plugin reported a failure.";
    PLUGIN_TRAPPED "P202" Plugins Incomplete "A plugin crashed.";
    PLUGIN_JUNK "P207" Plugins Incomplete "A plugin returned something that cannot be a batch.";
    PLUGIN_DENIED "P208" Plugins Incomplete "A plugin used a power that was not granted.";
    RULE_DECISION "R201" Rules Incomplete "A rule returned something that is not a decision.";
    WEIGHTS_CANCEL "R212" Rules User
        "Weights of both signs nearly cancel out, so that shares would be larger than all that \
         they are shared by. Nothing was posted.";
    COST_UNKNOWN "R213" Rules Incomplete
        "A rule shares by a cost that some charges do not say. The pool stays where it is.";
    AMOUNT_TOO_LARGE "L108" Ledger User
        "An amount is larger than the ledger can hold. Nothing was posted.";
    QUERY_INVALID "N202" Runs User "A filter, grouping or period of a query cannot be understood.";
    CONSERVATION "B101" Faults Bug "What went in did not come out. Nothing was posted.";
    INTERNAL "B102" Faults Bug "An invariant did not hold.";
}
