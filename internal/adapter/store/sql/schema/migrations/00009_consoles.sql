-- The consoles that are open, each with a seat in its container and in its project.

CREATE TABLE console_seats (
    subject    $name  NOT NULL,
    seat       BIGINT NOT NULL,
    console    $uuid  NOT NULL,
    expires_at $time  NOT NULL,
    PRIMARY KEY (subject, seat)
) $table;
CREATE INDEX console_seats_by_console ON console_seats (console);
CREATE INDEX console_seats_by_expiry ON console_seats (expires_at);
