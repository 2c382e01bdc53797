-- Raised by every write of a row, so that a reader who remembers it sees that it changed.

ALTER TABLE containers ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
