-- How a mail fares on its way out. Rows of an older build stand as waiting; what is too old to send is given up by the job.
ALTER TABLE outbox ADD COLUMN status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'failed', 'dropped'));
ALTER TABLE outbox ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
-- The next try, not before then.
ALTER TABLE outbox ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
-- Who is sending it just now, and until when nobody else does. Who lost it marks nothing.
ALTER TABLE outbox ADD COLUMN lease TEXT;
ALTER TABLE outbox ADD COLUMN lease_until BIGINT;
ALTER TABLE outbox ADD COLUMN reason TEXT;
ALTER TABLE outbox ADD COLUMN retried_at BIGINT;
ALTER TABLE outbox ADD COLUMN ended_at BIGINT;

CREATE INDEX outbox_waiting ON outbox (person_id, created_at, id) WHERE status = 'waiting';
CREATE INDEX outbox_by_booking ON outbox (booking_id, created_at);

-- Whether someone wants to be reminded by mail.
ALTER TABLE people ADD COLUMN reminders BOOLEAN NOT NULL DEFAULT TRUE;

-- A calendar to subscribe to, one a person. Only a hash of its secret is kept.
CREATE TABLE feeds (
    person_id BLOB PRIMARY KEY NOT NULL REFERENCES people (id),
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- Whose time comes up, whoever they are with.
CREATE INDEX bookings_by_start ON bookings (starts_at) WHERE status = 'confirmed';
