"""A message in plain text to one person, such as a notice to the owner: no newsletter."""

from datetime import datetime

from digest.composer import mime
from digest.composer.headers import date_field, mailbox_field, text_field, to_field
from digest.lib.email_address import domain_of, wire_address
from digest.lib.text import plain
from digest.model.newsletter import Newsletter


def plain_message(
    newsletter: Newsletter, *, to: str, subject: str, text: str, key: str, date: datetime
) -> tuple[bytes, bytes]:
    """The header with the empty line after it, and the body: RFC 5322 lines with CRLF.

    It comes from the newsletter's sender, and says that no answer is to be made by a machine
    (RFC 3834). `key` is its own (letters, digits, `.` and `-`): the same notice has the same
    Message-ID. Raises SubscriberError for an address that no header can carry.
    """
    sender = wire_address(newsletter.sender_address)
    header = (
        mailbox_field("From", newsletter.sender_name, sender),
        to_field("", to),
        text_field("Subject", subject),
        date_field(date, newsletter.timezone),
        f"Message-ID: <{key}@{domain_of(sender)}>\r\n".encode(),
        b"Auto-Submitted: auto-generated\r\n",
        b"MIME-Version: 1.0\r\n",
        b'Content-Type: text/plain; charset="utf-8"\r\n',
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    )
    body = "".join(f"{_clean(line)}\n" for line in text.rstrip("\n").split("\n"))
    return b"".join(header), mime.encode(body)


def _clean(line: str) -> str:
    """A line without what cannot be printed; what it is indented by stays."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + plain(line)
