-- Who may speak on the link, with the epoch of the certificates that are good. The hosts
-- that joined before have the first; the doors make themselves known by their next call.

CREATE TABLE admissions (
    role       $name  NOT NULL,
    name       $name  NOT NULL,
    uuid       $uuid  NOT NULL UNIQUE,
    epoch      BIGINT NOT NULL,
    since      $time  NOT NULL,
    revoked_at $time  NOT NULL,
    PRIMARY KEY (role, name)
) $table;
INSERT INTO admissions (role, name, uuid, epoch, since, revoked_at)
    SELECT 'host', hostname, uuid, 1, created_at, 0 FROM hosts;
