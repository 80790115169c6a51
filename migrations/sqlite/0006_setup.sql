-- How each service is offered: how far ahead (the business's horizon where there is none), by video where there is a link,
-- and the colour it has in calendars. The version counts its changes; a form carries the one it was made from.
ALTER TABLE services ADD COLUMN horizon_weeks BIGINT CHECK (horizon_weeks BETWEEN 1 AND 104);
ALTER TABLE services ADD COLUMN video_url TEXT;
ALTER TABLE services ADD COLUMN colour TEXT NOT NULL DEFAULT 'teal'
    CHECK (colour IN ('teal', 'blue', 'violet', 'rose', 'amber', 'slate'));
ALTER TABLE services ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Who offers a service, where not everybody does: a service without rows here is everybody's.
CREATE TABLE service_staff (
    service_id BLOB NOT NULL REFERENCES services (id),
    staff_id BLOB NOT NULL REFERENCES staff (id),
    PRIMARY KEY (service_id, staff_id)
);

-- A change of the settings is about no client: it names what it is about. SQLite takes a NOT NULL off by a new table.
CREATE TABLE activity_new (
    id BLOB PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_id BLOB REFERENCES people (id),
    client_id BLOB REFERENCES clients (id),
    staff_id BLOB REFERENCES staff (id),
    booking_id BLOB REFERENCES bookings (id),
    starts_at BIGINT,
    invoice_id BLOB REFERENCES invoices (id),
    amount BIGINT,
    about TEXT
);

INSERT INTO activity_new (id, at, kind, actor_id, client_id, staff_id, booking_id, starts_at, invoice_id, amount)
SELECT id, at, kind, actor_id, client_id, staff_id, booking_id, starts_at, invoice_id, amount FROM activity;

DROP TABLE activity;
ALTER TABLE activity_new RENAME TO activity;
CREATE INDEX activity_by_time ON activity (at, id);
