-- A time kept for someone who is about to book it, for minutes. One a person: who looks at another time gives up the first.
CREATE TABLE holds (
    id BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL UNIQUE REFERENCES people (id),
    staff_id BLOB NOT NULL REFERENCES staff (id),
    starts_at BIGINT NOT NULL,
    -- Room for each session that fits there, not only for the shortest.
    minutes BIGINT NOT NULL CHECK (minutes > 0),
    before_minutes BIGINT NOT NULL,
    after_minutes BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    key TEXT NOT NULL
);

CREATE INDEX holds_by_staff ON holds (staff_id, starts_at);
CREATE INDEX holds_by_expiry ON holds (expires_at);

-- What is held is taken under the key that bookings are taken under, and is given back with its hold.
-- Made anew: SQLite cannot let a column be null that was not.
CREATE TABLE occupied_anew (
    staff_id BLOB NOT NULL REFERENCES staff (id),
    quantum BIGINT NOT NULL,
    side BIGINT NOT NULL CHECK (side IN (0, 1)),
    booking_id BLOB REFERENCES bookings (id),
    hold_id BLOB REFERENCES holds (id) ON DELETE CASCADE,
    PRIMARY KEY (staff_id, quantum, side),
    CHECK ((booking_id IS NULL) <> (hold_id IS NULL))
) WITHOUT ROWID;

INSERT INTO occupied_anew (staff_id, quantum, side, booking_id)
SELECT staff_id, quantum, side, booking_id FROM occupied ORDER BY staff_id, quantum, side;

DROP TABLE occupied;
ALTER TABLE occupied_anew RENAME TO occupied;

CREATE INDEX occupied_by_booking ON occupied (booking_id);
CREATE INDEX occupied_by_hold ON occupied (hold_id) WHERE hold_id IS NOT NULL;
