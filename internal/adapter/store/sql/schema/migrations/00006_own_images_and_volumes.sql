-- Images that projects commit stand beside those that administrators pull. Any number
-- of them may have one name; "own" is their uuid, and empty for a pull.

CREATE TABLE images_with_own (
    id          $serial,
    uuid        $uuid   NOT NULL UNIQUE,
    project_id  $name   NOT NULL,
    user_id     $name   NOT NULL,
    image_id    $name   NOT NULL, -- the engine's; empty until it is pulled or committed
    repo        $name   NOT NULL,
    tag         $name   NOT NULL,
    size        $name   NOT NULL,
    host        $name   NOT NULL,
    created_at  $time   NOT NULL,
    attempts    BIGINT  NOT NULL,
    lease_until $time   NOT NULL,
    task        $name   NOT NULL,
    done_bytes  BIGINT  NOT NULL,
    total_bytes BIGINT  NOT NULL,
    source_uuid $uuid   NOT NULL, -- the container it was committed from
    own         $uuid   NOT NULL,
    UNIQUE (repo, tag, host, own)
) $table;
INSERT INTO images_with_own (uuid, project_id, user_id, image_id, repo, tag, size, host, created_at, attempts, lease_until, task, done_bytes, total_bytes, source_uuid, own)
    SELECT uuid, project_id, user_id, image_id, repo, tag, size, host, created_at, attempts, lease_until, task, done_bytes, total_bytes, '', '' FROM images ORDER BY id;
DROP TABLE images;
ALTER TABLE images_with_own RENAME TO images;
CREATE INDEX images_by_task ON images (task, lease_until);
CREATE INDEX images_by_owner ON images (project_id, own);

ALTER TABLE containers ADD COLUMN own_image $uuid NOT NULL DEFAULT '';
-- what its mounts ask to be made
ALTER TABLE containers ADD COLUMN volume_gb BIGINT NOT NULL DEFAULT 0;
ALTER TABLE containers ADD COLUMN volumes $json NOT NULL DEFAULT 'null';
ALTER TABLE hosts ADD COLUMN volume_limit $name NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN volume_reason $text NOT NULL DEFAULT '';
