"""Which addresses a source may have: those of the public internet, unless its owner says more.

A feed's address, or where it redirects to, is chosen by others; without this check they could make
us read what only this machine or its network may read. Link-local addresses are never read,
whatever the owner says: what answers there (169.254.169.254) hands out the keys of a machine.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from digest.errors import SourceError


def _networks(addresses: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, addresses.split()))


_NAT64: Final = ip_network("64:ff9b::/96")
#: What `ipaddress` takes for public and is not: the rest of 192.0.0.0/24 and the old 6to4 relays,
#: IPv6 of which nothing, or only a private network, is behind the address.
_NOT_PUBLIC: Final = _networks(
    "192.0.0.0/24 192.88.99.0/24 ::/96 64:ff9b:1::/48 100::/32 2001::/23 3fff::/20 5f00::/16"
)
#: Networks of one's own: RFC 1918, RFC 6598, RFC 4193, and this machine.
_PRIVATE: Final = _networks(
    "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 ::1/128 fc00::/7"
)

Address = IPv4Address | IPv6Address


async def addresses_of(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """The addresses of a host, in the order of preference, each checked.

    To be safe from a name that changes its address, connect to one of these, not to the name.
    Raises SourceError for a name without an address, and for an address that is not public.
    """
    loop = asyncio.get_running_loop()
    try:
        entries = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a host name"
        raise SourceError(
            f"the host {host} is not found ({reason})",
            hint="Check the address, and that this machine can reach the internet.",
        ) from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))
    for address in addresses:
        _check(host, ip_address(address), allow_private=allow_private)
    return addresses


def _check(host: str, address: Address, *, allow_private: bool) -> None:
    if is_public(address) or (allow_private and is_private(address)):
        return
    if is_private(address):
        raise SourceError(
            f"the host {host} has the address {address}, which is not public",
            hint="If it is your own, set `allow_private = true` at the source in digest.toml, or"
            " use --allow-private. That allows the source's own host alone, not another one"
            " that it redirects to.",
        )
    raise SourceError(
        f"the host {host} has the address {address}, which is not public",
        hint="No source is read from such an address. Check the address of the source.",
    )


def is_public(address: Address) -> bool:
    """Whether an address, or the IPv4 address inside it, belongs to the public internet."""
    inner = _inner(address)
    if isinstance(inner, IPv6Address) and inner.is_site_local:
        return False
    listed = any(inner in network for network in _NOT_PUBLIC)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or listed)


def is_private(address: Address) -> bool:
    """Whether an address, or the IPv4 one inside it, is of this machine or one's own network."""
    inner = _inner(address)
    return any(inner in network for network in _PRIVATE)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to: mapped, 6to4 or NAT64 (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
