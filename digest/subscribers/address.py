"""Addresses: checked, and brought into the one form in which we store and compare them.

The domain is lower-cased and kept as its A-label (RFC 5890), because that is what mail carries
(RFC 6531 section 3.2 lets a server do without U-labels) and what SQLite compares without case.
The local part stays as typed; only one that is not ASCII is lower-cased, because SQLite's `nocase`
knows ASCII only and both spellings must be one subscriber.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from digest.errors import SubscriberError

_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
# What this matches, and is not too long or of a special kind, email-validator accepts as it is.
_PLAIN: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}(?<=[a-z])")
_SPECIAL: Final = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
_ROLES: Final = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
_MOST_LOCAL, _MOST = 64, 254  # RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3, in octets
_SHOWN = 80


def normalise(text: str) -> str:
    """The one form of an address. Space around it is dropped; the result is its own form.

    Raises SubscriberError, which says what was found and why it is not an address.
    """
    typed = text.strip()
    return _plain(typed) or _checked(typed, as_typed=typed)


def _plain(typed: str) -> str | None:
    """The form of an address of the common kind, or None: ask the validator, which is slow."""
    local, at, domain = typed.partition("@")
    domain = domain.lower()
    email = local + at + domain
    if not typed.isascii() or len(email) > _MOST or len(local) > _MOST_LOCAL:
        return None
    if _PLAIN.fullmatch(email) is None or f".{domain}".endswith(_SPECIAL):
        return None
    # RFC 2142: these have no case. The validator lower-cases them.
    return email.lower() if local.lower() in _ROLES else email


def _checked(address: str, *, as_typed: str) -> str:
    if not address:
        raise SubscriberError("there is no address, expected one such as name@example.com")
    if len(address) > 4 * _MOST:
        raise _refused(as_typed, f"it has {len(address):,} characters, an address at most {_MOST}")
    try:
        valid = validate_email(address, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise _refused(as_typed, str(error).rstrip(".")) from None
    local = valid.local_part
    if not local.isascii():
        lowered = unicodedata.normalize("NFC", local.lower())
        if lowered != local:
            # Lower-casing can lengthen a text, so that it has to be looked at once more.
            return _checked(f"{lowered}@{valid.ascii_domain}", as_typed=as_typed)
    return f"{local}@{valid.ascii_domain}"


def _refused(typed: str, reason: str) -> SubscriberError:
    shown = typed if len(typed) <= _SHOWN else typed[:_SHOWN] + "…"
    return SubscriberError(
        f"{shown!r} is not an e-mail address: {reason}",
        hint="Expected one such as name@example.com.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAddress:
    """What a person typed: an address, and the name before it where there was one."""

    email: str
    name: str = ""


_WITH_NAME: Final = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]*)>")


def typed_address(text: str) -> TypedAddress:
    """Read `name@example.com` or `A Name <name@example.com>`. Raises SubscriberError.

    For what a person types only: in a list, an address with a name around it is a mistake.
    """
    match = _WITH_NAME.fullmatch(text.strip())
    if match is None:
        return TypedAddress(email=normalise(text))
    name = match["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return TypedAddress(email=normalise(match["email"]), name=name)


def for_people(email: str) -> str:
    """An address as people read it: the domain in its own script. For display only."""
    local, _, domain = email.rpartition("@")
    if "xn--" not in domain:
        return email
    import idna

    try:
        return f"{local}@{idna.decode(domain)}"
    except idna.IDNAError:
        return email
