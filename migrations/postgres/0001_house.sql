-- People sign in; a client or a member of staff is a person in that part.
CREATE TABLE people (
    id UUID PRIMARY KEY NOT NULL,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE staff (
    id UUID PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL UNIQUE REFERENCES people (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'staff')),
    position BIGINT NOT NULL
);

CREATE TABLE clients (
    id UUID PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL UNIQUE REFERENCES people (id),
    created_at BIGINT NOT NULL
);

CREATE TABLE services (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    price BIGINT NOT NULL CHECK (price >= 0),
    minutes BIGINT NOT NULL CHECK (minutes > 0 AND minutes % 5 = 0),
    step BIGINT NOT NULL CHECK (step > 0 AND step % 5 = 0),
    before_minutes BIGINT NOT NULL CHECK (before_minutes >= 0 AND before_minutes % 5 = 0),
    after_minutes BIGINT NOT NULL CHECK (after_minutes >= 0 AND after_minutes % 5 = 0),
    notice_minutes BIGINT NOT NULL CHECK (notice_minutes >= 0),
    position BIGINT NOT NULL,
    active BOOLEAN NOT NULL
);

-- Opening hours of a weekday (0 is Monday), in minutes after midnight; an end at or before its start runs past midnight.
CREATE TABLE availability (
    staff_id UUID NOT NULL REFERENCES staff (id),
    weekday BIGINT NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    start_minute BIGINT NOT NULL CHECK (start_minute BETWEEN 0 AND 1435 AND start_minute % 5 = 0),
    end_minute BIGINT NOT NULL CHECK (end_minute BETWEEN 0 AND 1440 AND end_minute % 5 = 0),
    PRIMARY KEY (staff_id, weekday, start_minute)
);

-- The hours of one date, in place of its weekday's: a JSON list of [start, end] minutes, empty when closed.
CREATE TABLE overrides (
    staff_id UUID NOT NULL REFERENCES staff (id),
    day_on TEXT NOT NULL,
    windows TEXT NOT NULL,
    PRIMARY KEY (staff_id, day_on)
);

-- Whole dates away, both included.
CREATE TABLE time_off (
    staff_id UUID NOT NULL REFERENCES staff (id),
    from_on TEXT NOT NULL,
    to_on TEXT NOT NULL CHECK (to_on >= from_on),
    PRIMARY KEY (staff_id, from_on)
);

CREATE TABLE bookings (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    staff_id UUID NOT NULL REFERENCES staff (id),
    service_id UUID NOT NULL REFERENCES services (id),
    starts_at BIGINT NOT NULL,
    minutes BIGINT NOT NULL CHECK (minutes > 0),
    before_minutes BIGINT NOT NULL,
    after_minutes BIGINT NOT NULL,
    price BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('confirmed', 'completed', 'cancelled', 'no_show')),
    late BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX bookings_by_staff ON bookings (staff_id, starts_at);
CREATE INDEX bookings_by_client ON bookings (client_id, starts_at);

-- A member of staff can be in one place at a time: a quantum is five minutes since the epoch, a side one of two lanes.
-- A booking takes both lanes of its own time, its after-buffer lane 0, its before-buffer lane 1.
CREATE TABLE occupied (
    staff_id UUID NOT NULL REFERENCES staff (id),
    quantum BIGINT NOT NULL,
    side BIGINT NOT NULL CHECK (side IN (0, 1)),
    booking_id UUID NOT NULL REFERENCES bookings (id),
    PRIMARY KEY (staff_id, quantum, side)
);

CREATE INDEX occupied_by_booking ON occupied (booking_id);

-- What can change, and how often it did; seq orders the changes for the sweep.
CREATE TABLE topics (
    name TEXT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL
);

CREATE INDEX topics_by_seq ON topics (seq);


-- Sign-ins. Only a hash of the cookie is kept.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY NOT NULL,
    person_id UUID REFERENCES people (id),
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX sessions_by_person ON sessions (person_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Links that set a password. Only a hash of the secret is kept.
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    kind TEXT NOT NULL CHECK (kind IN ('invitation', 'reset')),
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX tokens_by_person ON tokens (person_id);

-- Mails that wait or have left: one for each subject, version and kind. The secret of a link stands here only until it is used.
CREATE TABLE outbox (
    id UUID PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    booking_id UUID REFERENCES bookings (id),
    token TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (subject, version, kind)
);

CREATE INDEX outbox_by_time ON outbox (created_at);

-- What happened, in order; never updated.
CREATE TABLE activity (
    id UUID PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_id UUID REFERENCES people (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    staff_id UUID REFERENCES staff (id),
    booking_id UUID REFERENCES bookings (id),
    starts_at BIGINT
);

CREATE INDEX activity_by_time ON activity (at, id);

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- Answers already given to a form, so that the same form sent twice is done once.
CREATE TABLE answers (
    person_id UUID NOT NULL REFERENCES people (id),
    key TEXT NOT NULL,
    fields TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, key)
);

CREATE INDEX answers_by_time ON answers (created_at);

-- Failed sign-ins, per account and per address.
CREATE TABLE throttles (
    subject TEXT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE INDEX throttles_by_time ON throttles (last_at);
