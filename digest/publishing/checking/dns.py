"""DNS, asked for text records; bounded in time, and silence is an answer."""

from typing import Final

from digest.errors import ConfigError

#: Seconds for one question, whatever becomes of it.
PATIENCE: Final = 4.0
#: Octets of an answer by UDP: what fits into one packet nearly everywhere (DNS flag day 2020).
_UDP_SIZE: Final = 1232


async def texts(name: str, server: tuple[str, int] | None) -> tuple[str, ...] | None:
    """The TXT records of a name, each in one piece; None if DNS does not answer.

    `server` is the address and port to ask in place of this machine's own.
    """
    try:
        import dns.asyncresolver
        import dns.exception
        import dns.resolver
    except ImportError:
        raise ConfigError(
            "DNS is asked with the package dnspython, which is not installed",
            hint="Install digest with its extra: pip install 'digest[dkim]'",
        ) from None
    try:
        resolver = dns.asyncresolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        resolver.use_edns(0, payload=_UDP_SIZE)
        found = await resolver.resolve(
            f"{name}.", "TXT", lifetime=PATIENCE, raise_on_no_answer=False
        )
    except dns.resolver.NXDOMAIN:
        return ()
    except (dns.exception.DNSException, OSError):
        return None
    return tuple(b"".join(record.strings).decode("latin-1") for record in found)
