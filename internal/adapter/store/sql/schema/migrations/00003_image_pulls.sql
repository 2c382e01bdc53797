-- Pulls of images are leased. Nothing could store an image before, so nothing is lost.

DROP TABLE images;

CREATE TABLE images (
    id          $serial,
    uuid        $uuid  NOT NULL UNIQUE,
    project_id  $name  NOT NULL,
    user_id     $name  NOT NULL,
    image_id    $name  NOT NULL, -- the engine's; empty until it is pulled
    repo        $name  NOT NULL,
    tag         $name  NOT NULL,
    size        $name  NOT NULL,
    host        $name  NOT NULL,
    created_at  $time  NOT NULL,
    attempts    BIGINT NOT NULL,
    lease_until $time  NOT NULL,
    UNIQUE (repo, tag, host)
) $table;
CREATE INDEX images_by_lease ON images (image_id, lease_until);
