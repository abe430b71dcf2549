"""E-mail addresses as headers and commands carry them: the domain as its A-label (RFC 5891).

One grammar for both, so that what a header holds can be sent, and the other way round: the local
part is a dot-atom or a quoted string (RFC 5321 section 4.1.2), which may have characters beyond
ASCII (RFC 6531, RFC 6532), but none that is invisible or turns the direction of a line.
"""

import re
from functools import lru_cache
from typing import Final

from digest.errors import SubscriberError

_BEYOND_ASCII: Final = r"\u00a1-\u2027\u202f-\u205f\u2070-\ud7ff\uf900-\U0010ffff"
_ATOM: Final = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~\x2d{_BEYOND_ASCII}]+"
_QUOTED: Final = r'"(?:[ !\x23-\x5b\x5d-\x7e]|\\[ -~])*"'
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|{_QUOTED}")
_LABEL: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?<=[A-Za-z0-9])")
#: An IP address in place of a domain (RFC 5321 section 4.1.3).
_LITERAL: Final = re.compile(r"\[[A-Za-z0-9.:-]+\]")
_LONGEST_LOCAL: Final = 64
_LONGEST_DOMAIN: Final = 255

#: Nearly every address: nothing needs to be looked at closely, and nothing encoded.
_USUAL: Final = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9+_=-]+(?:\.[A-Za-z0-9+_=-]+)*"
    r"@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})+(?<!-)"
)
_LONGEST_USUAL: Final = 254


class InvalidAddress(SubscriberError):
    """What no header and no command can carry. `reason` says why, after `the address`."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"{address!r} is not an e-mail address, expected one such as ana@example.com"
        )
        self.reason = reason


def wire_address(address: str) -> str:
    """The address as mail carries it: its domain as an A-label, its local part as it is.

    What is still not ASCII then needs SMTPUTF8 (RFC 6531). Raises InvalidAddress.
    """
    if len(address) <= _LONGEST_USUAL and _USUAL.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise InvalidAddress(address, "is not of the form name@domain")
    if len(local.encode()) > _LONGEST_LOCAL:
        raise InvalidAddress(address, f"has more than {_LONGEST_LOCAL} octets before the @")
    if _LITERAL.fullmatch(domain):
        return address
    try:
        return f"{local}@{ascii_domain(domain)}"
    except ValueError as error:
        raise InvalidAddress(address, f"has a domain that DNS cannot hold: {error}") from error


def domain_of(address: str) -> str:
    """The domain of an address in lower case, as its A-label; empty where DNS cannot hold it."""
    domain = address.rpartition("@")[2]
    try:
        return (domain if _LITERAL.fullmatch(domain) else ascii_domain(domain)).lower()
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The domain as its A-label. Raises ValueError for what is none."""
    if not domain.isascii():
        # The package, not Python's codec: that one is IDNA 2003 and mails "straße" to "strasse".
        import idna

        domain = idna.encode(domain, uts46=True).decode("ascii")
    if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise ValueError("its labels have letters, digits and hyphens, 1 to 63 of them, 255 in all")
    return domain
