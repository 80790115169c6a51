-- What a client owes. The number is given when it is issued, one after the other without a gap; a draft has none.
CREATE TABLE invoices (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    booking_id BLOB REFERENCES bookings (id),
    number BIGINT UNIQUE CHECK ((number IS NULL) = (status = 'draft')),
    status TEXT NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void')),
    -- Whether the lines' prices hold their tax already.
    tax_included BOOLEAN NOT NULL,
    currency TEXT NOT NULL,
    tax BIGINT NOT NULL CHECK (tax >= 0),
    total BIGINT NOT NULL CHECK (total >= 0),
    issued_on TEXT,
    due_on TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX invoices_by_client ON invoices (client_id, created_at);
CREATE INDEX invoices_by_status ON invoices (status, due_on);
CREATE INDEX invoices_by_time ON invoices (created_at);
-- A session is charged once, unless that was withdrawn.
CREATE UNIQUE INDEX invoices_by_booking ON invoices (booking_id) WHERE status <> 'void';

CREATE TABLE invoice_lines (
    invoice_id BLOB NOT NULL REFERENCES invoices (id),
    position BIGINT NOT NULL,
    words TEXT NOT NULL,
    -- Hundredths: 150 is one and a half.
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
    -- Hundredths of a percent: 1500 is 15 %.
    tax_rate BIGINT NOT NULL CHECK (tax_rate BETWEEN 0 AND 10000),
    PRIMARY KEY (invoice_id, position)
);

-- What comes next where nothing may be left out.
CREATE TABLE counters (
    name TEXT PRIMARY KEY NOT NULL,
    next BIGINT NOT NULL
);

INSERT INTO counters (name, next) VALUES ('invoice', 1);

-- A client on the way to a provider's payment page, with what was asked for there.
CREATE TABLE checkouts (
    id BLOB PRIMARY KEY NOT NULL,
    invoice_id BLOB NOT NULL REFERENCES invoices (id),
    provider TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX checkouts_by_invoice ON checkouts (invoice_id);

-- What providers told us, each event once however often it was told.
CREATE TABLE payment_events (
    provider TEXT NOT NULL,
    event TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (provider, event)
);

-- Money that came in; never changed, never deleted. What could not be applied came for an invoice that was void or paid
-- already, and is for staff to give back.
CREATE TABLE payments (
    id BLOB PRIMARY KEY NOT NULL,
    invoice_id BLOB NOT NULL REFERENCES invoices (id),
    checkout_id BLOB NOT NULL REFERENCES checkouts (id),
    provider TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    applied BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (provider, reference)
);

CREATE INDEX payments_by_invoice ON payments (invoice_id);
-- An invoice is settled once.
CREATE UNIQUE INDEX payments_applied ON payments (invoice_id) WHERE applied;
CREATE INDEX payments_unapplied ON payments (at) WHERE NOT applied;

ALTER TABLE activity ADD COLUMN invoice_id BLOB REFERENCES invoices (id);
ALTER TABLE activity ADD COLUMN amount BIGINT;
