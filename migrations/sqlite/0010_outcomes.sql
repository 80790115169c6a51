-- The agenda, looking back and completing by the clock read all staff's sessions by time: without these, each reads the
-- whole book.
CREATE INDEX bookings_by_start ON bookings (starts_at, id);
CREATE INDEX bookings_open_by_start ON bookings (starts_at) WHERE status = 'confirmed';
