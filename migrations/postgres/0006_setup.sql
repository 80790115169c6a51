-- How each service is offered: how far ahead (the business's horizon where there is none), by video where there is a link,
-- and the colour it has in calendars. The version counts its changes; a form carries the one it was made from.
ALTER TABLE services ADD COLUMN horizon_weeks BIGINT CHECK (horizon_weeks BETWEEN 1 AND 104);
ALTER TABLE services ADD COLUMN video_url TEXT;
ALTER TABLE services ADD COLUMN colour TEXT NOT NULL DEFAULT 'teal'
    CHECK (colour IN ('teal', 'blue', 'violet', 'rose', 'amber', 'slate'));
ALTER TABLE services ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Who offers a service, where not everybody does: a service without rows here is everybody's.
CREATE TABLE service_staff (
    service_id UUID NOT NULL REFERENCES services (id),
    staff_id UUID NOT NULL REFERENCES staff (id),
    PRIMARY KEY (service_id, staff_id)
);

-- A change of the settings is about no client: it names what it is about.
ALTER TABLE activity ALTER COLUMN client_id DROP NOT NULL;
ALTER TABLE activity ADD COLUMN about TEXT;
