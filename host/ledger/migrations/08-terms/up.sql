-- Prices, units and invoices that charges share, in blocks like resources.
CREATE TABLE terms_block (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL
) STRICT;

CREATE TRIGGER terms_block_refuses_update BEFORE UPDATE ON terms_block
BEGIN SELECT RAISE(ABORT, 'terms_block is append-only'); END;

CREATE TRIGGER terms_block_refuses_delete BEFORE DELETE ON terms_block
BEGIN SELECT RAISE(ABORT, 'terms_block is append-only'); END;
