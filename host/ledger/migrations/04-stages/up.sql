-- Rules of the later stages: whose cost they pass on, and what they do about those that serve each other.
ALTER TABLE rule ADD COLUMN stage TEXT NOT NULL DEFAULT 'attribution' CHECK (stage IN ('attribution', 'distribution', 'cascade'));
ALTER TABLE rule ADD COLUMN team TEXT CHECK ((team IS NOT NULL) = (stage = 'cascade'));
ALTER TABLE rule ADD COLUMN mutual TEXT NOT NULL DEFAULT 'reciprocal' CHECK (mutual IN ('reciprocal', 'step_down'));
