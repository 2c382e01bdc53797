-- What is still to be done for an image, and how far its pull is.

ALTER TABLE images ADD COLUMN task $name NOT NULL DEFAULT '';
ALTER TABLE images ADD COLUMN done_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN total_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE images SET task = 'pull' WHERE image_id = '';
CREATE INDEX images_by_task ON images (task, lease_until);
