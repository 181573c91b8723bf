-- Who approved which rules for posting. The generation may never have been used: then it is known by its digest alone.
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

CREATE TRIGGER approval_refuses_update BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;

CREATE TRIGGER approval_refuses_delete BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
