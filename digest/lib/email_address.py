"""An address as it stands in a command: what is sent, and what the server must know for it.

E-mail addresses as headers and envelopes write them: the domain as its A-label (RFC 5891).
"""

import re
from functools import lru_cache
from typing import Final

from digest.errors import AudienceError

_HEADER_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
# RFC 5322's dot-atom, with RFC 6532's letters beyond ASCII; or a quoted string without controls.
_BEYOND_ASCII = r"\u00a1-\u2027\u202f-\u205f\u2070-\ud7ff\uf900-\U0010ffff"
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~\x2d{_BEYOND_ASCII}]+"
_QUOTED = r'"(?:[ !\x23-\x5b\x5d-\x7e]|\\[ -~])*"'
_HEADER_LOCAL = re.compile(rf"(?:{_ATEXT}(?:\.{_ATEXT})*|{_QUOTED})\Z")


def ascii_domain(domain: str) -> str:
    """The domain in ASCII and lower case. Raises ValueError if it is none."""
    if not domain.isascii():
        # The package, not Python's codec: that one is IDNA 2003 and mails "straße" to "strasse".
        import idna

        domain = idna.encode(domain, uts46=True).decode("ascii")
    if not _HEADER_DOMAIN.match(domain):
        raise ValueError(f"not a domain: {domain!r}")
    return domain.lower()


def mailable(address: str) -> str:
    """The address with its domain as an A-label; a local part beyond ASCII stays (RFC 6531).

    Raises AudienceError for what no header can carry, such as a line break.
    """
    local, _, domain = address.rpartition("@")
    try:
        domain = ascii_domain(domain)
    except ValueError:
        domain = ""
    if not domain or not _HEADER_LOCAL.match(local):
        raise AudienceError(
            f"{address!r} is not an e-mail address, expected one such as ana@example.com"
        )
    return f"{local}@{domain}"


def header_domain(address: str) -> str:
    """The domain of an address, as `mailable` writes it."""
    return mailable(address).rpartition("@")[2]


# RFC 5321 section 4.1.2: a dot-string or a quoted string; RFC 6531 lets the rest of Unicode in.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\ud7ff\ue000-\U0010ffff-]+"
_LOCAL: Final = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[\x20-\x7e])*"')
_LABEL: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[A-Za-z0-9.:-]+\]")

#: Nearly every address: there is nothing to think over, and nothing to encode.
_USUAL: Final = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9+_=-]+(?:\.[A-Za-z0-9+_=-]+)*"
    r"@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})+"
)
_LONGEST_LOCAL: Final = 64
_LONGEST_DOMAIN: Final = 255
_LONGEST_USUAL: Final = 254


class AddressImpossible(ValueError):
    """No SMTP command can hold this address. The text says why, as a phrase."""


def wire_address(address: str) -> str:
    """The address as it is sent: its domain as an A-label (RFC 5891), its local part as it is.

    What is still not ASCII then needs SMTPUTF8. Raises AddressImpossible.
    """
    if len(address) <= _LONGEST_USUAL and _USUAL.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise AddressImpossible("is not of the form name@domain")
    if len(local.encode()) > _LONGEST_LOCAL:
        raise AddressImpossible(f"has more than {_LONGEST_LOCAL} octets before the @")
    return f"{local}@{_a_label(domain)}"


def domain_of(address: str) -> str:
    """The domain of an address in small letters, as its A-label; empty where DNS cannot hold it."""
    try:
        return _a_label(address.rpartition("@")[2]).lower()
    except AddressImpossible:
        return ""


@lru_cache(maxsize=4096)
def _a_label(domain: str) -> str:
    if not domain.isascii():
        domain = _encoded(domain)
    if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise AddressImpossible("has a domain that DNS cannot hold")
    return domain


def _encoded(domain: str) -> str:
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressImpossible(f"has a domain that DNS cannot hold: {error}") from error
