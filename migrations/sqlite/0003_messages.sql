-- One conversation for each client, shared by all staff. Both sides have read up to a number.
CREATE TABLE threads (
    client_id BLOB PRIMARY KEY NOT NULL REFERENCES clients (id),
    last_seq BIGINT NOT NULL,
    client_read BIGINT NOT NULL,
    staff_read BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- Since when a client waits for an answer, if so.
    waiting_since BIGINT
);

CREATE INDEX threads_by_time ON threads (last_at);
CREATE INDEX threads_by_waiting ON threads (waiting_since);

-- Numbered in each thread, under its row's lock, without a gap.
CREATE TABLE messages (
    client_id BLOB NOT NULL REFERENCES threads (client_id),
    seq BIGINT NOT NULL,
    id BLOB NOT NULL UNIQUE,
    author_id BLOB NOT NULL REFERENCES people (id),
    from_staff BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    -- The body in the form in which it is searched.
    folded TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (client_id, seq)
);
