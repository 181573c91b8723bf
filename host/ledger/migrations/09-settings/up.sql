-- The settings of a generation that decide money: tags, dimensions, sources.
CREATE TABLE generation_setting (
    generation INTEGER NOT NULL REFERENCES generation (id),
    name TEXT NOT NULL,
    source_text BLOB NOT NULL REFERENCES source_text (digest),
    PRIMARY KEY (generation, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER generation_setting_refuses_update BEFORE UPDATE ON generation_setting
BEGIN SELECT RAISE(ABORT, 'generation_setting is append-only'); END;

CREATE TRIGGER generation_setting_refuses_delete BEFORE DELETE ON generation_setting
BEGIN SELECT RAISE(ABORT, 'generation_setting is append-only'); END;

-- Charges of two sources are compared as resources and amounts, and not by their fingerprint.
DROP INDEX statement_by_content;
