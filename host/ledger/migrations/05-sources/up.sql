-- How each source went in each run, also where nothing of it was kept: a day that was asked for and charged nothing is empty;
-- one that failed or was never asked for is a gap.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    source TEXT NOT NULL,
    -- Nothing where it failed.
    collection INTEGER REFERENCES collection (id),
    plugin_name TEXT NOT NULL,
    plugin_version TEXT NOT NULL,
    plugin_digest TEXT NOT NULL,
    -- The days that were asked for, the end excluded; none where it was all there is.
    period_start INTEGER,
    period_end INTEGER,
    tries INTEGER NOT NULL CHECK (tries > 0),
    -- Whether it refused its state and was collected without.
    without_state INTEGER NOT NULL CHECK (without_state IN (0, 1)),
    -- Why it failed.
    code TEXT,
    message TEXT,
    hint TEXT,
    CHECK ((collection IS NULL) = (code IS NOT NULL)),
    CHECK ((code IS NULL) = (message IS NULL)),
    CHECK ((period_start IS NULL) = (period_end IS NULL))
) STRICT;

CREATE INDEX attempt_by_source ON attempt (source);

-- What plugins cost in a run: a collector by its source, an allocator without one. Times are in millionths of a second.
CREATE TABLE plugin_cost (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    source TEXT,
    plugin_name TEXT NOT NULL,
    plugin_version TEXT NOT NULL,
    plugin_digest TEXT NOT NULL,
    starts INTEGER NOT NULL,
    wall_us INTEGER NOT NULL,
    waited_us INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    host_calls INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    denials INTEGER NOT NULL,
    fuel INTEGER NOT NULL
) STRICT;

-- States that are not to be given to collectors any more: those of the source up to the number that is named.
CREATE TABLE state_reset (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    last_state INTEGER NOT NULL REFERENCES collector_state (id),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER attempt_refuses_update BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;

CREATE TRIGGER attempt_refuses_delete BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;

CREATE TRIGGER plugin_cost_refuses_update BEFORE UPDATE ON plugin_cost
BEGIN SELECT RAISE(ABORT, 'plugin_cost is append-only'); END;

CREATE TRIGGER plugin_cost_refuses_delete BEFORE DELETE ON plugin_cost
BEGIN SELECT RAISE(ABORT, 'plugin_cost is append-only'); END;

CREATE TRIGGER state_reset_refuses_update BEFORE UPDATE ON state_reset
BEGIN SELECT RAISE(ABORT, 'state_reset is append-only'); END;

CREATE TRIGGER state_reset_refuses_delete BEFORE DELETE ON state_reset
BEGIN SELECT RAISE(ABORT, 'state_reset is append-only'); END;
