//! What can go wrong with questions to the ledger.

domain::codes! {
    NOTHING_TO_EXPLAIN "N201" Runs User "Nothing in the ledger has that name.";
}
