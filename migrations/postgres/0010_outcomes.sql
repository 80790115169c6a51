-- The agenda and looking back read all staff's sessions by time: without this, each reads the whole book.
CREATE INDEX bookings_by_time ON bookings (starts_at, id);
