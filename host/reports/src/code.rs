//! What can go wrong with questions to the ledger.

domain::codes! {
    PERIOD_NOT_READY "L204" Ledger User "Something stands against closing the month.";
    NOTHING_TO_EXPLAIN "N201" Runs User "Nothing in the ledger has that name.";
}
