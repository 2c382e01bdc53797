-- CPUs that hosts may dedicate, and those that containers have for themselves.

ALTER TABLE hosts ADD COLUMN memory_nodes $json NOT NULL DEFAULT 'null';
ALTER TABLE containers ADD COLUMN cpuset_cpus $name NOT NULL DEFAULT '';
ALTER TABLE containers ADD COLUMN cpuset_mems $name NOT NULL DEFAULT '';
