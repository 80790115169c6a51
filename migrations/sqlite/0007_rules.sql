-- Free changes were one window; cancelling and moving have one each.
INSERT INTO settings (name, value) SELECT 'cancel_minutes', value FROM settings WHERE name = 'change_minutes';
INSERT INTO settings (name, value) SELECT 'move_minutes', value FROM settings WHERE name = 'change_minutes';

-- Who may book a service, where not everybody may: a service without rows here is open to every client.
CREATE TABLE service_clients (
    service_id BLOB NOT NULL REFERENCES services (id),
    client_id BLOB NOT NULL REFERENCES clients (id),
    PRIMARY KEY (service_id, client_id)
);

-- What a late cancellation costs, in minor units, as it was told before the click.
ALTER TABLE bookings ADD COLUMN late_fee BIGINT NOT NULL DEFAULT 0 CHECK (late_fee >= 0);

-- Where a booking stood before each of its moves; the version is the one that the move made.
CREATE TABLE booking_moves (
    booking_id BLOB NOT NULL REFERENCES bookings (id),
    version BIGINT NOT NULL,
    from_staff_id BLOB NOT NULL REFERENCES staff (id),
    from_at BIGINT NOT NULL,
    to_staff_id BLOB NOT NULL REFERENCES staff (id),
    to_at BIGINT NOT NULL,
    actor_id BLOB NOT NULL REFERENCES people (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (booking_id, version)
);

-- Which rules staff set aside, as words with a space between, and why.
ALTER TABLE activity ADD COLUMN rules TEXT;
ALTER TABLE activity ADD COLUMN reason TEXT;
