-- A statement of a day is of one billing period, so that a delivery of another period does not replace it.
-- Nothing stands there where the source does not tell the period, as in all statements until now.
DROP TRIGGER segment_refuses_delete;
DROP TRIGGER segment_refuses_late_insert;

-- The first day of the billing period.
ALTER TABLE segment ADD COLUMN billing_period INTEGER;
DROP INDEX segment_by_day;
CREATE INDEX segment_by_day ON segment (collection, day, currency, billing_period);

-- Built anew, because a collection can state a day for several billing periods.
CREATE TABLE new_statement (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    charges INTEGER NOT NULL,
    billed_nanos TEXT NOT NULL,
    effective_nanos TEXT NOT NULL,
    billed_rest TEXT NOT NULL,
    effective_rest TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
    -- The first day of the billing period.
    billing_period INTEGER
) STRICT;

INSERT INTO new_statement (id, collection, source, day, currency, charges, billed_nanos, effective_nanos,
    billed_rest, effective_rest, fingerprint)
SELECT id, collection, source, day, currency, charges, billed_nanos, effective_nanos, billed_rest,
    effective_rest, fingerprint FROM statement;

DROP TABLE statement;
ALTER TABLE new_statement RENAME TO statement;

CREATE UNIQUE INDEX statement_by_collection ON statement (collection, day, currency, billing_period);
-- To an index, one NULL does not equal another.
CREATE UNIQUE INDEX statement_without_period ON statement (collection, day, currency) WHERE billing_period IS NULL;
CREATE INDEX statement_by_source_day ON statement (source, day, currency, billing_period);

-- To find the same charges in another source.
CREATE INDEX statement_by_content ON statement (fingerprint, day);

CREATE TRIGGER statement_refuses_update BEFORE UPDATE ON statement
BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;

CREATE TRIGGER statement_refuses_delete BEFORE DELETE ON statement
BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;

CREATE TRIGGER segment_refuses_delete BEFORE DELETE ON segment
WHEN EXISTS (SELECT 1 FROM statement WHERE collection = OLD.collection AND day = OLD.day AND currency = OLD.currency AND billing_period IS OLD.billing_period)
BEGIN SELECT RAISE(ABORT, 'segment is append-only'); END;

CREATE TRIGGER segment_refuses_late_insert BEFORE INSERT ON segment
WHEN EXISTS (SELECT 1 FROM statement WHERE collection = NEW.collection AND day = NEW.day AND currency = NEW.currency AND billing_period IS NEW.billing_period)
BEGIN SELECT RAISE(ABORT, 'segment would change a statement'); END;

-- What was found of a source: files that belong together, and whether they count.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    name TEXT NOT NULL,
    billing_period INTEGER,
    -- Why it does not count.
    left_out TEXT
) STRICT;

CREATE INDEX delivery_by_collection ON delivery (collection);

CREATE TRIGGER delivery_refuses_update BEFORE UPDATE ON delivery
BEGIN SELECT RAISE(ABORT, 'delivery is append-only'); END;

CREATE TRIGGER delivery_refuses_delete BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'delivery is append-only'); END;
