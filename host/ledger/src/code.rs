//! The error codes of the ledger.

domain::codes! {
    LEDGER_NOT_FOUND "L101" Ledger User "There is no ledger at that path.";
    LEDGER_NEWER "L102" Ledger User "The ledger was written by a newer version.";
    LEDGER_NOT_OURS "L103" Ledger User "The file is not an Apportion ledger.";
    LEDGER_READ_ONLY "L104" Ledger User "The ledger cannot be written.";
    LEDGER_BUSY "L105" Ledger User "Another run is writing to the ledger.";
    LEDGER_FULL "L106" Ledger User "The disk is full.";
    LEDGER_STORAGE "L107" Ledger User "SQLite reports an error.";
    LEDGER_CORRUPT "L201" Ledger User "The ledger does not verify.";
    PERIOD_STATE "L203" Ledger User "The period is already in that state.";
    APPROVAL_INVALID "N401" Runs User "An approval lacks a note or a name.";
}
