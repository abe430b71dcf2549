"""Checks of single values in digest.toml: each returns the value in its usual form, or refuses it.

Text of one line, addresses of the web and of mail, and names of DNS. The last two functions answer
questions about hosts and domains that other packages have, too.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from digest.model.newsletter import LONGEST_BOUNCE_NAME

#: Names stand in mail headers and on one line of a screen.
LONGEST_LINE: Final = 200

# RFC 2047. Python's mail package decodes one inside a header, line ends and all: that adds headers.
_ENCODED_WORD: Final = re.compile(r"=\?[^?]*\?[^?]*\?[^?]*\?=")
#: Control characters, other line ends than these, and octets of the environment that are no text.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_DNS_PORT: Final = 53
_LARGEST_PORT: Final = 65_535
_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_LONGEST_NAME: Final = 253


class InvalidValue(ValueError):
    """A value cannot stand where it does; any other ValueError of a check means the same.

    Without `expected` the problem says what its field type expects. `found` is the part of the
    value that is wrong, where it is not all of it.
    """

    def __init__(
        self, expected: str | None = None, suggestion: str | None = None, found: str | None = None
    ) -> None:
        super().__init__(expected)
        self.expected, self.suggestion, self.found = expected, suggestion, found


def line(text: str) -> str:
    """A text that may stand in a mail header, without space around it."""
    text = text.strip()
    if not text or len(text) > LONGEST_LINE or CONTROL.search(text):
        raise InvalidValue
    if _ENCODED_WORD.search(text):
        raise InvalidValue("a text as people read it, not an encoded word (=?…?=)")
    return text


def web_address(text: str) -> str:
    """An http(s) address, as it was given."""
    # urlsplit would drop tabs and line ends silently.
    if CONTROL.search(text) or " " in text or "\\" in text:
        raise InvalidValue
    parts = urlsplit(text)
    _ = parts.port  # raises ValueError where it is none
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # What has an @ may hold a password, and is not repeated.
        guessable = "://" not in text and "." in text and "@" not in text
        raise InvalidValue(suggestion=f"https://{text.lstrip('/')}" if guessable else None)
    return text


def site_address(text: str) -> str:
    """The public address of the site, without a slash at the end: paths are appended to it."""
    url = web_address(text.strip())
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidValue("an http(s) address without user, query and fragment")
    return url.rstrip("/").removesuffix("?").removesuffix("#").rstrip("/")


def mail_address(text: str) -> str:
    """A plain e-mail address (RFC 5321), its domain as the A-label that every relay takes."""
    from email_validator import validate_email

    address = validate_email(
        text.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
    )
    return f"{address.local_part}@{address.ascii_domain}"


def bounce_address(text: str) -> str:
    """An e-mail address with room for a detail before the @."""
    address = mail_address(text)
    if len(address.rpartition("@")[0]) > LONGEST_BOUNCE_NAME:
        raise InvalidValue(
            f"an e-mail address with at most {LONGEST_BOUNCE_NAME} characters before the @"
        )
    return address


def split_sender(text: str) -> tuple[str | None, str]:
    """`Name <address>`, or only an address, in its two parts. Raises ValueError."""
    parts = re.fullmatch(r"\s*(.*?)\s*<([^<>]*)>\s*", text, re.DOTALL)
    if not parts:
        return None, mail_address(text)
    name, address = parts.groups()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return (line(name) if name else None), mail_address(address)


def domain(text: str) -> str:
    """A domain in small letters, beyond ASCII as its A-label (RFC 5891)."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        import idna

        name = idna.encode(name, uts46=True).decode("ascii")
    return selector(name)


def selector(text: str) -> str:
    """The name of a key within a domain (RFC 6376 section 3.1)."""
    if not _NAME.fullmatch(text) or len(text) > _LONGEST_NAME:
        raise InvalidValue
    return text


def nameserver(text: str) -> tuple[str, int]:
    """The IP address and the port of `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`."""
    address, port = text.strip(), ""
    if parts := re.fullmatch(r"\[(.*)\](?::(.+))?|([^:]*):([^:]+)", address):
        address, port = parts[1] or parts[3], parts[2] or parts[4] or ""
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else _DNS_PORT if not port else 0
    if not 1 <= number <= _LARGEST_PORT:
        raise InvalidValue
    return str(ipaddress.ip_address(address)), number


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or address."""
    name = host.strip().strip("[]").rstrip(".").casefold()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def aligned(signing: str, sender: str) -> bool:
    """Whether the signing domain speaks for the sender's (RFC 7489 section 3.1.1, relaxed).

    Without a list of public suffixes: one of them is the other, or a part of it. Of two that only
    have a parent in common, nobody here can tell whether it is theirs.
    """
    short, long = sorted((signing.lower(), sender.lower()), key=len)
    return short == long or ("." in short and long.endswith("." + short))
