"""A mail server of a test's own: a free port, a folder for what it took, and a file there that says how it should fail.

FOLDER/fault holds one word: `later` (451), `never` (550), `gone` (hangs up at the greeting), `reset` (takes a mail, then hangs
up before saying so), or a word and an address, for mails to that address alone. Each mail taken is a line of FOLDER/mails.
"""

import asyncio
import email.policy
import json
import pathlib
import sys

from aiosmtpd.smtp import SMTP
from icalendar import Calendar

folder = pathlib.Path(sys.argv[1])


def fault(address=None):
    try:
        word, _, of = (folder / "fault").read_text().strip().partition(" ")
    except FileNotFoundError:
        return ""
    return word if not of or of == address else ""


def entry(text):
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "start": event["DTSTART"].dt.isoformat(),
        "end": event["DTEND"].dt.isoformat(),
        "status": str(event["STATUS"]),
        "attendee": str(event["ATTENDEE"]),
        "description": str(event["DESCRIPTION"]),
    }


def read(content, to):
    message = email.message_from_bytes(content, policy=email.policy.default)
    parts = {part.get_content_type(): part for part in message.walk()}
    calendar = parts.get("text/calendar")
    return {
        "to": to,
        "id": message["Message-ID"],
        "subject": str(message["Subject"]),
        "from": str(message["From"]),
        "header_to": str(message["To"]),
        "text": parts["text/plain"].get_content(),
        "html": parts["text/html"].get_content(),
        "method": calendar.get_param("method") if calendar else None,
        "entry": entry(calendar.get_content()) if calendar else None,
        "unsubscribe": message["List-Unsubscribe"],
        "one_click": message["List-Unsubscribe-Post"],
    }


class Box:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        if fault() == "gone":
            server.transport.abort()
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        word = fault(address)
        if word == "later":
            return "451 4.3.0 come back later"
        if word == "never":
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with (folder / "mails").open("a") as file:
            for to in envelope.rcpt_tos:
                file.write(json.dumps(read(envelope.content, to)) + "\n")
        if fault(envelope.rcpt_tos[0]) == "reset":
            server.transport.abort()
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Box(), hostname="mail.test"), "127.0.0.1", 0)
    (folder / "port.new").write_text(str(server.sockets[0].getsockname()[1]))
    (folder / "port.new").rename(folder / "port")
    await server.serve_forever()


asyncio.run(main())
