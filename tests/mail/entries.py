"""Reads a calendar from its input and writes its entries as JSON; what is not valid is an error."""

import json
import sys

from icalendar import Calendar

calendar = Calendar.from_ical(sys.stdin.buffer.read())
assert calendar["VERSION"] == "2.0" and calendar["PRODID"] and not calendar.errors
events = calendar.walk("VEVENT")
assert all(not event.errors for event in events)
json.dump(
    [
        {
            "uid": str(event["UID"]),
            "start": event["DTSTART"].dt.isoformat(),
            "stamp": event["DTSTAMP"].dt.isoformat(),
            "summary": str(event["SUMMARY"]),
            "description": str(event["DESCRIPTION"]),
        }
        for event in events
    ],
    sys.stdout,
)
