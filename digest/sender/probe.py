"""A look at the server without a message: whether it lets us in, and what it offers."""

import ssl
from dataclasses import dataclass

from digest.config.settings import SmtpSettings
from digest.sender.connection import connect
from digest.sender.connection_errors import relay_name
from digest.sender.extensions import Extensions


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What one visit to the server showed.

    `tls` is the protocol's version (`TLSv1.3`), None where nothing is encrypted; `logins` are the
    methods of login on offer, `logged_in` is whether one was used.
    """

    relay: str
    greeting: str
    tls: str | None
    logged_in: bool
    logins: tuple[str, ...]
    extensions: Extensions


async def probe(settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> ProbeReport:
    """Connect, secure the connection, log in, and leave. Raises RelayUnavailable."""
    connection = await connect(settings, tls)
    await connection.session.quit()
    return ProbeReport(
        relay=relay_name(settings),
        greeting=connection.greeting,
        tls=connection.tls,
        logged_in=connection.logged_in,
        logins=connection.logins,
        extensions=connection.extensions,
    )
