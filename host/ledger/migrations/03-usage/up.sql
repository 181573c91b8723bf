-- Usage: what was used of a metric on a day and by whom. A day of a source and metric is stated as a whole; the latest statement
-- counts. Totals are decimal texts of billionths of the unit. Its rows are blocks (src/usage.rs), in the order of their keys.
CREATE TABLE usage_statement (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    rows INTEGER NOT NULL,
    total TEXT NOT NULL,
    -- SHA-256 over the unit and all rows, however they are cut into blocks.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    UNIQUE (collection, metric, day)
) STRICT;

CREATE INDEX usage_statement_by_day ON usage_statement (metric, source, day);

CREATE TABLE usage_block (
    id INTEGER PRIMARY KEY,
    statement INTEGER NOT NULL REFERENCES usage_statement (id),
    rows INTEGER NOT NULL CHECK (rows > 0),
    data BLOB NOT NULL
) STRICT;

CREATE INDEX usage_block_by_statement ON usage_block (statement);

CREATE TRIGGER usage_statement_refuses_update BEFORE UPDATE ON usage_statement
BEGIN SELECT RAISE(ABORT, 'usage_statement is append-only'); END;

CREATE TRIGGER usage_statement_refuses_delete BEFORE DELETE ON usage_statement
BEGIN SELECT RAISE(ABORT, 'usage_statement is append-only'); END;

CREATE TRIGGER usage_block_refuses_update BEFORE UPDATE ON usage_block
BEGIN SELECT RAISE(ABORT, 'usage_block is append-only'); END;

CREATE TRIGGER usage_block_refuses_delete BEFORE DELETE ON usage_block
BEGIN SELECT RAISE(ABORT, 'usage_block is append-only'); END;
