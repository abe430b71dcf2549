"""Names of DNS as digest.toml gives them: domains, DKIM selectors, and a server to ask."""

import ipaddress
import re
from typing import Final

from digest.config.refusal import refused

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
