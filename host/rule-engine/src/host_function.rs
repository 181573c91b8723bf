//! The description of a function that rules have: a row of the functions' page, and its test.

/// One row of the functions' page.
pub(crate) struct HostFunction {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
    /// A piece of a rule. A test runs it.
    pub(crate) example: &'static str,
    /// The result of the example.
    pub(crate) gives: &'static str,
    pub(crate) family: FunctionFamily,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FunctionFamily {
    Decisions,
    Charge,
    Tests,
    Texts,
}

impl FunctionFamily {
    /// In the order of the page.
    pub(crate) const ALL: [FunctionFamily; 4] = [
        FunctionFamily::Decisions,
        FunctionFamily::Charge,
        FunctionFamily::Tests,
        FunctionFamily::Texts,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            FunctionFamily::Decisions => "Decisions: what `allocate` answers",
            FunctionFamily::Charge => "The charge and the tables",
            FunctionFamily::Tests => "Tests",
            FunctionFamily::Texts => "Texts",
        }
    }
}

/// A table of functions. Each has its family, name, signature, words, example and the example's
/// result.
macro_rules! host_functions {
    ($table:ident:
        $($family:ident $name:literal $signature:literal
        $doc:literal
        $example:literal => $gives:literal;)*) => {
        pub(crate) const $table: &[HostFunction] = &[$(HostFunction {
            name: $name,
            signature: $signature,
            doc: $doc,
            example: $example,
            gives: $gives,
            family: FunctionFamily::$family,
        }),*];
    };
}
