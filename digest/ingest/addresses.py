"""Which addresses a source may have: those of the public internet, unless its owner says more.

A feed's address, or where it redirects to, is chosen by others; without this check they could make
us read what only this machine or its network may read.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from digest.errors import SourceError

_NAT64: Final = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


async def addresses_of(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """The addresses of a host, in the order of preference, each checked.

    To be safe from a name that changes its address, connect to one of these, not to the name.
    Raises SourceError for a name without an address, and for an address that is not public.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no name of a host"
        raise SourceError(
            f"the host {host} is not found ({reason})",
            hint="Check the address, and that this machine can reach the internet.",
        ) from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private:
        for address in addresses:
            if not is_public(ip_address(address)):
                raise SourceError(
                    f"the host {host} has the address {address}, which is not public",
                    hint="If it is your own, set `allow_private = true` at the source in"
                    " digest.toml, or use --allow-private.",
                )
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address, or the IPv4 address inside it, belongs to the public internet."""
    inner = _inner(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to: mapped, 6to4 or NAT64 (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
