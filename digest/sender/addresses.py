"""An address as it stands in a command: what is sent, and what the server must know for it."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# RFC 5321 section 4.1.2: a dot-string or a quoted string; RFC 6531 lets the rest of Unicode in.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\ud7ff\ue000-\U0010ffff-]+"
_LOCAL: Final = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[\x20-\x7e])*"')
_LABEL: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[A-Za-z0-9.:-]+\]")
_LONGEST_LOCAL: Final = 64
_LONGEST_DOMAIN: Final = 255


class AddressImpossible(ValueError):
    """No SMTP command can hold this address. The text says why, as a phrase."""


@dataclass(frozen=True, slots=True)
class WireAddress:
    """An address for MAIL or RCPT: its domain as an A-label (RFC 5891), its local part as it is."""

    text: str
    needs_smtputf8: bool


def wire_address(address: str) -> WireAddress:
    """The address as it is sent. Raises AddressImpossible."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise AddressImpossible("is not of the form name@domain")
    if len(local.encode()) > _LONGEST_LOCAL:
        raise AddressImpossible(f"has more than {_LONGEST_LOCAL} octets before the @")
    return WireAddress(f"{local}@{_a_label(domain)}", not local.isascii())


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
