-- What happened to containers, in order, for those who follow it.

CREATE TABLE feed (
    id             $serial,
    at             $time NOT NULL,
    project_id     $name NOT NULL,
    container_uuid $uuid NOT NULL,
    container_type BIGINT NOT NULL,
    name           $name NOT NULL,
    status         $name NOT NULL,
    reason         $text NOT NULL,
    request_id     $name NOT NULL
) $table;
