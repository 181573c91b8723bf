-- Days of which a source said in an attempt that it does not know them: without charges they are gaps.
CREATE TABLE unknown_days (
    id INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    -- The end excluded.
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL CHECK (period_end >= period_start),
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX unknown_days_by_attempt ON unknown_days (attempt);

CREATE TRIGGER unknown_days_refuses_update BEFORE UPDATE ON unknown_days
BEGIN SELECT RAISE(ABORT, 'unknown_days is append-only'); END;

CREATE TRIGGER unknown_days_refuses_delete BEFORE DELETE ON unknown_days
BEGIN SELECT RAISE(ABORT, 'unknown_days is append-only'); END;
