-- Written by `UPDATE=1 cargo test -p ledger`: the whole schema as the migrations leave it.

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER account_refuses_delete BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'account is append-only'); END;

CREATE TRIGGER account_refuses_update BEFORE UPDATE ON account
BEGIN SELECT RAISE(ABORT, 'account is append-only'); END;

CREATE TABLE approval (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    approver TEXT NOT NULL CHECK (approver <> ''),
    note TEXT NOT NULL CHECK (note <> ''),
    -- Digest of the rules and tables; where rules have turning days, of all their stretches.
    generation TEXT NOT NULL CHECK (generation <> ''),
    -- The plan that was looked at, and SHA-256 over it.
    plan_digest BLOB CHECK (length(plan_digest) = 32),
    plan TEXT,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK ((plan IS NULL) = (plan_digest IS NULL))
) STRICT;

CREATE INDEX approval_by_generation ON approval (generation);

CREATE TRIGGER approval_refuses_delete BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;

CREATE TRIGGER approval_refuses_update BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;

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

CREATE TRIGGER attempt_refuses_delete BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;

CREATE TRIGGER attempt_refuses_update BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;

CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    source TEXT NOT NULL,
    plugin_name TEXT NOT NULL,
    plugin_version TEXT NOT NULL,
    plugin_digest TEXT NOT NULL
) STRICT;

CREATE INDEX collection_by_run ON collection (run);

CREATE TRIGGER collection_refuses_delete BEFORE DELETE ON collection
BEGIN SELECT RAISE(ABORT, 'collection is append-only'); END;

CREATE TRIGGER collection_refuses_update BEFORE UPDATE ON collection
BEGIN SELECT RAISE(ABORT, 'collection is append-only'); END;

CREATE TABLE collector_state (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    source TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE INDEX collector_state_by_source ON collector_state (source);

CREATE TRIGGER collector_state_refuses_delete BEFORE DELETE ON collector_state
BEGIN SELECT RAISE(ABORT, 'collector_state is append-only'); END;

CREATE TRIGGER collector_state_refuses_update BEFORE UPDATE ON collector_state
BEGIN SELECT RAISE(ABORT, 'collector_state is append-only'); END;

CREATE TABLE decision_block (
    id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL REFERENCES generation (id),
    first INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL,
    UNIQUE (generation, first)
) STRICT;

CREATE TRIGGER decision_block_refuses_delete BEFORE DELETE ON decision_block
BEGIN SELECT RAISE(ABORT, 'decision_block is append-only'); END;

CREATE TRIGGER decision_block_refuses_update BEFORE UPDATE ON decision_block
BEGIN SELECT RAISE(ABORT, 'decision_block is append-only'); END;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    name TEXT NOT NULL,
    billing_period INTEGER,
    -- Why it does not count.
    left_out TEXT
) STRICT;

CREATE INDEX delivery_by_collection ON delivery (collection);

CREATE TRIGGER delivery_refuses_delete BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'delivery is append-only'); END;

CREATE TRIGGER delivery_refuses_update BEFORE UPDATE ON delivery
BEGIN SELECT RAISE(ABORT, 'delivery is append-only'); END;

CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('collection', 'distribution', 'reversal')),
    source TEXT NOT NULL,
    charge_day INTEGER NOT NULL,
    posting_day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run (id),
    generation INTEGER NOT NULL REFERENCES generation (id),
    -- An entry is taken back once at most.
    reverses INTEGER UNIQUE REFERENCES entry (id),
    content_digest BLOB NOT NULL CHECK (length(content_digest) = 32),
    -- SHA-256 over the hash of the entry before and this row.
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
) STRICT;

CREATE INDEX entry_by_charge_day ON entry (charge_day);

CREATE INDEX entry_by_posting_day ON entry (posting_day);

CREATE INDEX entry_by_source_day ON entry (source, charge_day, currency);

CREATE TRIGGER entry_refuses_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;

CREATE TRIGGER entry_refuses_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;

CREATE TABLE generation (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    digest TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER generation_refuses_delete BEFORE DELETE ON generation
BEGIN SELECT RAISE(ABORT, 'generation is append-only'); END;

CREATE TRIGGER generation_refuses_update BEFORE UPDATE ON generation
BEGIN SELECT RAISE(ABORT, 'generation is append-only'); END;

CREATE TABLE generation_setting (
    generation INTEGER NOT NULL REFERENCES generation (id),
    name TEXT NOT NULL,
    source_text BLOB NOT NULL REFERENCES source_text (digest),
    PRIMARY KEY (generation, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER generation_setting_refuses_delete BEFORE DELETE ON generation_setting
BEGIN SELECT RAISE(ABORT, 'generation_setting is append-only'); END;

CREATE TRIGGER generation_setting_refuses_update BEFORE UPDATE ON generation_setting
BEGIN SELECT RAISE(ABORT, 'generation_setting is append-only'); END;

CREATE TABLE outcome (
    generation INTEGER NOT NULL REFERENCES generation (id),
    number INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES run (id),
    outcome TEXT NOT NULL,
    PRIMARY KEY (generation, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outcome_refuses_delete BEFORE DELETE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcome is append-only'); END;

CREATE TRIGGER outcome_refuses_update BEFORE UPDATE ON outcome
BEGIN SELECT RAISE(ABORT, 'outcome is append-only'); END;

CREATE TABLE period_event (
    id INTEGER PRIMARY KEY,
    month_start INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('closed', 'reopened')),
    at_ms INTEGER NOT NULL,
    note TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX period_event_by_month ON period_event (month_start);

CREATE TRIGGER period_event_refuses_delete BEFORE DELETE ON period_event
BEGIN SELECT RAISE(ABORT, 'period_event is append-only'); END;

CREATE TRIGGER period_event_refuses_update BEFORE UPDATE ON period_event
BEGIN SELECT RAISE(ABORT, 'period_event is append-only'); END;

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

CREATE TRIGGER plugin_cost_refuses_delete BEFORE DELETE ON plugin_cost
BEGIN SELECT RAISE(ABORT, 'plugin_cost is append-only'); END;

CREATE TRIGGER plugin_cost_refuses_update BEFORE UPDATE ON plugin_cost
BEGIN SELECT RAISE(ABORT, 'plugin_cost is append-only'); END;

CREATE TABLE posting (
    entry INTEGER NOT NULL REFERENCES entry (id),
    line INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    target INTEGER REFERENCES target (id),
    rule INTEGER REFERENCES rule_version (id),
    service INTEGER REFERENCES service (id),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (entry, line)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER posting_refuses_delete BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TRIGGER posting_refuses_update BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'posting is append-only'); END;

CREATE TABLE rejected (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    source TEXT NOT NULL,
    location TEXT NOT NULL,
    reason TEXT NOT NULL,
    excerpt TEXT NOT NULL
) STRICT;

CREATE INDEX rejected_by_run ON rejected (run, source);

CREATE TRIGGER rejected_refuses_delete BEFORE DELETE ON rejected
BEGIN SELECT RAISE(ABORT, 'rejected is append-only'); END;

CREATE TRIGGER rejected_refuses_update BEFORE UPDATE ON rejected
BEGIN SELECT RAISE(ABORT, 'rejected is append-only'); END;

CREATE TABLE rejected_count (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    source TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;

CREATE INDEX rejected_count_by_run ON rejected_count (run);

CREATE TRIGGER rejected_count_refuses_delete BEFORE DELETE ON rejected_count
BEGIN SELECT RAISE(ABORT, 'rejected_count is append-only'); END;

CREATE TRIGGER rejected_count_refuses_update BEFORE UPDATE ON rejected_count
BEGIN SELECT RAISE(ABORT, 'rejected_count is append-only'); END;

CREATE TABLE resource_block (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL
) STRICT;

CREATE TRIGGER resource_block_refuses_delete BEFORE DELETE ON resource_block
BEGIN SELECT RAISE(ABORT, 'resource_block is append-only'); END;

CREATE TRIGGER resource_block_refuses_update BEFORE UPDATE ON resource_block
BEGIN SELECT RAISE(ABORT, 'resource_block is append-only'); END;

CREATE TABLE rule (
    generation INTEGER NOT NULL REFERENCES generation (id),
    number INTEGER NOT NULL,
    rule TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    owner TEXT NOT NULL,
    review_by INTEGER,
    description TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    valid_from INTEGER,
    valid_until INTEGER,
    source_text BLOB NOT NULL REFERENCES source_text (digest), stage TEXT NOT NULL DEFAULT 'attribution' CHECK (stage IN ('attribution', 'distribution', 'cascade')), team TEXT CHECK ((team IS NOT NULL) = (stage = 'cascade')), mutual TEXT NOT NULL DEFAULT 'reciprocal' CHECK (mutual IN ('reciprocal', 'step_down')),
    PRIMARY KEY (generation, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rule_refuses_delete BEFORE DELETE ON rule
BEGIN SELECT RAISE(ABORT, 'rule is append-only'); END;

CREATE TRIGGER rule_refuses_update BEFORE UPDATE ON rule
BEGIN SELECT RAISE(ABORT, 'rule is append-only'); END;

CREATE TABLE rule_table (
    generation INTEGER NOT NULL REFERENCES generation (id),
    name TEXT NOT NULL,
    source_text BLOB NOT NULL REFERENCES source_text (digest),
    PRIMARY KEY (generation, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rule_table_refuses_delete BEFORE DELETE ON rule_table
BEGIN SELECT RAISE(ABORT, 'rule_table is append-only'); END;

CREATE TRIGGER rule_table_refuses_update BEFORE UPDATE ON rule_table
BEGIN SELECT RAISE(ABORT, 'rule_table is append-only'); END;

CREATE TABLE rule_version (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (rule, digest)
) STRICT;

CREATE TRIGGER rule_version_refuses_delete BEFORE DELETE ON rule_version
BEGIN SELECT RAISE(ABORT, 'rule_version is append-only'); END;

CREATE TRIGGER rule_version_refuses_update BEFORE UPDATE ON rule_version
BEGIN SELECT RAISE(ABORT, 'rule_version is append-only'); END;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started_at_ms INTEGER NOT NULL,
    version TEXT NOT NULL
) STRICT;

CREATE TRIGGER run_refuses_delete BEFORE DELETE ON run
BEGIN SELECT RAISE(ABORT, 'run is append-only'); END;

CREATE TRIGGER run_refuses_update BEFORE UPDATE ON run
BEGIN SELECT RAISE(ABORT, 'run is append-only'); END;

CREATE TABLE run_end (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL UNIQUE REFERENCES run (id),
    ended_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('complete', 'incomplete', 'failed')),
    generation INTEGER REFERENCES generation (id),
    charges INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    note TEXT NOT NULL,
    -- SHA-256 over the seal before it and everything that the run wrote.
    seal BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT;

CREATE TRIGGER run_end_refuses_delete BEFORE DELETE ON run_end
BEGIN SELECT RAISE(ABORT, 'run_end is append-only'); END;

CREATE TRIGGER run_end_refuses_update BEFORE UPDATE ON run_end
BEGIN SELECT RAISE(ABORT, 'run_end is append-only'); END;

CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    rows INTEGER NOT NULL,
    billed_nanos TEXT NOT NULL,
    effective_nanos TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    data BLOB NOT NULL
, billing_period INTEGER) STRICT;

CREATE INDEX segment_by_day ON segment (collection, day, currency, billing_period);

CREATE TRIGGER segment_refuses_delete BEFORE DELETE ON segment
WHEN EXISTS (SELECT 1 FROM statement WHERE collection = OLD.collection AND day = OLD.day AND currency = OLD.currency AND billing_period IS OLD.billing_period)
BEGIN SELECT RAISE(ABORT, 'segment is append-only'); END;

CREATE TRIGGER segment_refuses_late_insert BEFORE INSERT ON segment
WHEN EXISTS (SELECT 1 FROM statement WHERE collection = NEW.collection AND day = NEW.day AND currency = NEW.currency AND billing_period IS NEW.billing_period)
BEGIN SELECT RAISE(ABORT, 'segment would change a statement'); END;

CREATE TRIGGER segment_refuses_update BEFORE UPDATE ON segment
BEGIN SELECT RAISE(ABORT, 'segment is append-only'); END;

CREATE TABLE service (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER service_refuses_delete BEFORE DELETE ON service
BEGIN SELECT RAISE(ABORT, 'service is append-only'); END;

CREATE TRIGGER service_refuses_update BEFORE UPDATE ON service
BEGIN SELECT RAISE(ABORT, 'service is append-only'); END;

CREATE TABLE source_text (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    run INTEGER NOT NULL REFERENCES run (id),
    text TEXT NOT NULL
) STRICT;

CREATE TRIGGER source_text_refuses_delete BEFORE DELETE ON source_text
BEGIN SELECT RAISE(ABORT, 'source_text is append-only'); END;

CREATE TRIGGER source_text_refuses_update BEFORE UPDATE ON source_text
BEGIN SELECT RAISE(ABORT, 'source_text is append-only'); END;

CREATE TABLE state_reset (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    last_state INTEGER NOT NULL REFERENCES collector_state (id),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER state_reset_refuses_delete BEFORE DELETE ON state_reset
BEGIN SELECT RAISE(ABORT, 'state_reset is append-only'); END;

CREATE TRIGGER state_reset_refuses_update BEFORE UPDATE ON state_reset
BEGIN SELECT RAISE(ABORT, 'state_reset is append-only'); END;

CREATE TABLE "statement" (
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

CREATE UNIQUE INDEX statement_by_collection ON statement (collection, day, currency, billing_period);

CREATE INDEX statement_by_source_day ON statement (source, day, currency, billing_period);

CREATE UNIQUE INDEX statement_without_period ON statement (collection, day, currency) WHERE billing_period IS NULL;

CREATE TRIGGER statement_refuses_delete BEFORE DELETE ON statement
BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;

CREATE TRIGGER statement_refuses_update BEFORE UPDATE ON statement
BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;

CREATE TABLE symbol_block (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL
) STRICT;

CREATE TRIGGER symbol_block_refuses_delete BEFORE DELETE ON symbol_block
BEGIN SELECT RAISE(ABORT, 'symbol_block is append-only'); END;

CREATE TRIGGER symbol_block_refuses_update BEFORE UPDATE ON symbol_block
BEGIN SELECT RAISE(ABORT, 'symbol_block is append-only'); END;

CREATE TABLE tag_set_block (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL
) STRICT;

CREATE TRIGGER tag_set_block_refuses_delete BEFORE DELETE ON tag_set_block
BEGIN SELECT RAISE(ABORT, 'tag_set_block is append-only'); END;

CREATE TRIGGER tag_set_block_refuses_update BEFORE UPDATE ON tag_set_block
BEGIN SELECT RAISE(ABORT, 'tag_set_block is append-only'); END;

CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    team TEXT NOT NULL,
    cost_center TEXT,
    environment TEXT,
    application TEXT
) STRICT;

CREATE TRIGGER target_refuses_delete BEFORE DELETE ON target
BEGIN SELECT RAISE(ABORT, 'target is append-only'); END;

CREATE TRIGGER target_refuses_update BEFORE UPDATE ON target
BEGIN SELECT RAISE(ABORT, 'target is append-only'); END;

CREATE TABLE terms_block (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    run INTEGER NOT NULL REFERENCES run (id),
    data BLOB NOT NULL
) STRICT;

CREATE TRIGGER terms_block_refuses_delete BEFORE DELETE ON terms_block
BEGIN SELECT RAISE(ABORT, 'terms_block is append-only'); END;

CREATE TRIGGER terms_block_refuses_update BEFORE UPDATE ON terms_block
BEGIN SELECT RAISE(ABORT, 'terms_block is append-only'); END;

CREATE TABLE unknown_days (
    id INTEGER PRIMARY KEY,
    attempt INTEGER NOT NULL REFERENCES attempt (id),
    -- The end excluded.
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL CHECK (period_end >= period_start),
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX unknown_days_by_attempt ON unknown_days (attempt);

CREATE TRIGGER unknown_days_refuses_delete BEFORE DELETE ON unknown_days
BEGIN SELECT RAISE(ABORT, 'unknown_days is append-only'); END;

CREATE TRIGGER unknown_days_refuses_update BEFORE UPDATE ON unknown_days
BEGIN SELECT RAISE(ABORT, 'unknown_days is append-only'); END;

CREATE TABLE usage_block (
    id INTEGER PRIMARY KEY,
    statement INTEGER NOT NULL REFERENCES usage_statement (id),
    rows INTEGER NOT NULL CHECK (rows > 0),
    data BLOB NOT NULL
) STRICT;

CREATE INDEX usage_block_by_statement ON usage_block (statement);

CREATE TRIGGER usage_block_refuses_delete BEFORE DELETE ON usage_block
BEGIN SELECT RAISE(ABORT, 'usage_block is append-only'); END;

CREATE TRIGGER usage_block_refuses_update BEFORE UPDATE ON usage_block
BEGIN SELECT RAISE(ABORT, 'usage_block is append-only'); END;

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

CREATE TRIGGER usage_statement_refuses_delete BEFORE DELETE ON usage_statement
BEGIN SELECT RAISE(ABORT, 'usage_statement is append-only'); END;

CREATE TRIGGER usage_statement_refuses_update BEFORE UPDATE ON usage_statement
BEGIN SELECT RAISE(ABORT, 'usage_statement is append-only'); END;

CREATE TABLE weights (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (day, currency, run)
) STRICT;

CREATE TRIGGER weights_refuses_delete BEFORE DELETE ON weights
BEGIN SELECT RAISE(ABORT, 'weights is append-only'); END;

CREATE TRIGGER weights_refuses_update BEFORE UPDATE ON weights
BEGIN SELECT RAISE(ABORT, 'weights is append-only'); END;
