-- A client who waits for a time: a session, with someone or with anyone, on days of which both are included.
CREATE TABLE waits (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    service_id UUID NOT NULL REFERENCES services (id),
    staff_id UUID REFERENCES staff (id),
    from_on TEXT NOT NULL,
    to_on TEXT NOT NULL CHECK (to_on >= from_on),
    part TEXT NOT NULL CHECK (part IN ('any', 'morning', 'afternoon', 'evening')),
    status TEXT NOT NULL CHECK (status IN ('open', 'booked', 'withdrawn', 'removed')),
    -- Counts what was offered: each offer is told once.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX waits_in_line ON waits (created_at, id) WHERE status = 'open';
CREATE INDEX waits_by_client ON waits (client_id, created_at);

-- What was offered to whom: whoever let a time go is not asked again before somebody has had it.
CREATE TABLE offered (
    wait_id UUID NOT NULL REFERENCES waits (id),
    staff_id UUID NOT NULL REFERENCES staff (id),
    starts_at BIGINT NOT NULL,
    PRIMARY KEY (wait_id, staff_id, starts_at)
);

CREATE INDEX offered_by_time ON offered (staff_id, starts_at);

-- An offer is a hold for whoever waits: beside the one that they take themselves, and one for each time they wait for.
ALTER TABLE holds DROP CONSTRAINT holds_person_id_key;
ALTER TABLE holds ADD COLUMN wait_id UUID REFERENCES waits (id);
CREATE UNIQUE INDEX holds_by_person ON holds (person_id) WHERE wait_id IS NULL;
CREATE UNIQUE INDEX holds_by_wait ON holds (wait_id) WHERE wait_id IS NOT NULL;

-- The mail of an offer reads what is offered when it is sent.
ALTER TABLE outbox ADD COLUMN wait_id UUID REFERENCES waits (id);
