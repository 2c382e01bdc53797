-- A notice gets its place once it is committed, so that none appears before one
-- that was read. Its place is zero until then.

ALTER TABLE feed ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
UPDATE feed SET place = id;
CREATE INDEX feed_by_place ON feed (place, id);

-- One row, whose id is 1: the place given last.
CREATE TABLE feed_places (
    id   BIGINT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
) $table;
INSERT INTO feed_places (id, last) SELECT 1, COALESCE(MAX(id), 0) FROM feed;
