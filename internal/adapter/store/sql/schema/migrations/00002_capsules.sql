-- The members of a capsule are looked up by it.

CREATE INDEX containers_by_capsule ON containers (capsule_uuid, id);
