-- PCI devices that a host offers.

ALTER TABLE hosts ADD COLUMN devices $json NOT NULL DEFAULT 'null';
