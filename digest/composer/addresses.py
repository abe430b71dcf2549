"""E-mail addresses as headers and envelopes write them: the domain as its A-label (RFC 5891)."""

import re

from digest.errors import AudienceError

_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
# RFC 5322's dot-atom, with RFC 6532's letters beyond ASCII; or a quoted string without controls.
_BEYOND_ASCII = r"\u00a1-\u2027\u202f-\u205f\u2070-\ud7ff\uf900-\U0010ffff"
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~\x2d{_BEYOND_ASCII}]+"
_QUOTED = r'"(?:[ !\x23-\x5b\x5d-\x7e]|\\[ -~])*"'
_LOCAL = re.compile(rf"(?:{_ATEXT}(?:\.{_ATEXT})*|{_QUOTED})\Z")


def ascii_domain(domain: str) -> str:
    """The domain in ASCII and lower case. Raises ValueError if it is none."""
    if not domain.isascii():
        # The package, not Python's codec: that one is IDNA 2003 and mails "straße" to "strasse".
        import idna

        domain = idna.encode(domain, uts46=True).decode("ascii")
    if not _DOMAIN.match(domain):
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
    if not domain or not _LOCAL.match(local):
        raise AudienceError(
            f"{address!r} is not an e-mail address, expected one such as ana@example.com"
        )
    return f"{local}@{domain}"


def domain_of(address: str) -> str:
    """The domain of an address, as `mailable` writes it."""
    return mailable(address).rpartition("@")[2]
