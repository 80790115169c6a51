-- What someone should know, a row for each fact and person. Seen by opening the list, and of a thread by reading it.
CREATE TABLE notifications (
    id UUID PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    -- What it is about and in which state, so that one fact is told once: booking/ID, invoice/ID, thread/ID.
    subject TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    booking_id UUID REFERENCES bookings (id),
    invoice_id UUID REFERENCES invoices (id),
    starts_at BIGINT,
    amount BIGINT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT,
    UNIQUE (person_id, subject, version, kind)
);

CREATE INDEX notifications_by_person ON notifications (person_id, created_at);
CREATE INDEX notifications_unseen ON notifications (person_id) WHERE seen_at IS NULL;
