"""Addresses of the web and of mail, as they may stand in digest.toml.

Each function returns the address in the form that settings hold, or raises `refused`.

How a value is refused, and the few things that every check of a value shares.

Names of DNS as digest.toml gives them: domains, DKIM selectors, and a server to ask.
"""

import ipaddress
import re
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from digest.model.newsletter import LONGEST_BOUNCE_NAME

#: Names stand in mail headers and on one line of a screen.
LONGEST_LINE: Final = 200

# RFC 2047. Python's mail package decodes one inside a header, line ends and all: that adds headers.
_ENCODED_WORD: Final = re.compile(r"=\?[^?]*\?[^?]*\?[^?]*\?=")
#: Control characters, other line ends than these, and octets of the environment that are no text.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refused(
    expected: str | None = None, suggestion: str | None = None, found: str | None = None
) -> PydanticCustomError:
    """The error of a kind; without `expected` the problem takes the kind's own words.

    `found` is the part of the value that is wrong, where it is not all of it.
    """
    facts: dict[str, Any] = {"expected": expected, "suggestion": suggestion, "found": found}
    return PydanticCustomError("refused", "refused", facts)


def line(text: str) -> str:
    """A text that may stand in a mail header, without space around it."""
    text = text.strip()
    if not text or len(text) > LONGEST_LINE or CONTROL.search(text):
        raise refused()
    if _ENCODED_WORD.search(text):
        raise refused("a text as people read it, not an encoded word (=?…?=)")
    return text


def web_address(text: str) -> str:
    """An http(s) address, as it was given."""
    # urlsplit would drop tabs and line ends silently.
    if CONTROL.search(text) or " " in text or "\\" in text:
        raise refused()
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise refused() from None
    if parts.scheme not in ("http", "https") or not host:
        # What has an @ may hold a password, and is not repeated.
        guessable = "://" not in text and "." in text and "@" not in text
        raise refused(suggestion=f"https://{text.lstrip('/')}" if guessable else None)
    return text


def site_address(text: str) -> str:
    """The public address of the site, without a slash at the end: paths are appended to it."""
    url = web_address(text.strip())
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise refused("an http(s) address without user, query and fragment")
    return url.rstrip("/").removesuffix("?").removesuffix("#").rstrip("/")


def mail_address(text: str) -> str:
    """A plain e-mail address (RFC 5321), its domain as the A-label that every relay takes."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise refused() from None
    return f"{found.local_part}@{found.ascii_domain}"


def bounce_address(text: str) -> str:
    """An e-mail address with room for a detail before the @."""
    address = mail_address(text)
    if len(address.rpartition("@")[0]) > LONGEST_BOUNCE_NAME:
        raise refused(
            f"an e-mail address with at most {LONGEST_BOUNCE_NAME} characters before the @"
        )
    return address


def split_sender(text: str) -> tuple[str | None, str]:
    """`Name <address>`, or only an address, in its two parts. Raises what `refused` makes."""
    found = re.fullmatch(r"\s*(.*?)\s*<([^<>]*)>\s*", text, re.DOTALL)
    if not found:
        return None, mail_address(text)
    name = found[1]
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return (line(name) if name else None), mail_address(found[2])


def sender(text: str) -> str:
    """A sender that `split_sender` takes apart, as it was given."""
    split_sender(text)
    return text


_PORT: Final = 53
_LARGEST_PORT: Final = 65_535
_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_LONGEST: Final = 253


def domain(text: str) -> str:
    """A domain in small letters, beyond ASCII as its A-label (RFC 5891)."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise refused() from None
    return selector(name)


def selector(text: str) -> str:
    """The name of a key within a domain (RFC 6376 section 3.1)."""
    if not _NAME.fullmatch(text) or len(text) > _LONGEST:
        raise refused()
    return text


def nameserver(text: str) -> str:
    """A DNS server as `server_of` takes it apart, as it was given."""
    server_of(text)
    return text.strip()


def server_of(text: str) -> tuple[str, int]:
    """The IP address and the port of `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`.

    Raises what `refused` makes.
    """
    address, port = text.strip(), ""
    if found := re.fullmatch(r"\[(.*)\](?::(.+))?|([^:]*):([^:]+)", address):
        address, port = found[1] or found[3], found[2] or found[4] or ""
    number = int(port) if re.fullmatch(r"[0-9]{1,5}", port) else _PORT if not port else 0
    try:
        host = str(ipaddress.ip_address(address))
    except ValueError:
        raise refused() from None
    if not 1 <= number <= _LARGEST_PORT:
        raise refused()
    return host, number


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
