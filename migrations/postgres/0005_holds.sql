-- A time kept for someone who is about to book it, for minutes. One a person: who looks at another time gives up the first.
CREATE TABLE holds (
    id UUID PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL UNIQUE REFERENCES people (id),
    staff_id UUID NOT NULL REFERENCES staff (id),
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
ALTER TABLE occupied
    ALTER COLUMN booking_id DROP NOT NULL,
    ADD COLUMN hold_id UUID REFERENCES holds (id) ON DELETE CASCADE,
    ADD CHECK ((booking_id IS NULL) <> (hold_id IS NULL));

CREATE INDEX occupied_by_hold ON occupied (hold_id) WHERE hold_id IS NOT NULL;
