"""Opening a connection: TCP, TLS, EHLO and login by aiosmtplib; our own protocol then takes over.

aiosmtplib speaks the methods of login; which one is tried, and when to stop, is decided here. A
wrong password is wrong by any method, and trying it once more by each of the others is how accounts
get locked. Only a server that does not know a method after all is asked by the next.
"""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from digest.config.settings import Login, Security, SmtpSettings
from digest.sender import connection_errors
from digest.sender.connection_errors import Stage, relay_name
from digest.sender.protocol import SmtpProtocol, transport_of
from digest.sender.transaction import Extensions, SmtpSession

#: RFC 5321 and 4954: the command is not known, not implemented, or not possible with this argument.
_UNKNOWN_METHOD: Final = frozenset({500, 501, 502, 503, 504})

#: Where nothing is encrypted, the one that does not show the password comes first.
_BEST_FIRST: Final = (Login.PLAIN, Login.LOGIN, Login.CRAM_MD5)
_HIDDEN_FIRST: Final = (Login.CRAM_MD5, Login.PLAIN, Login.LOGIN)

#: aiosmtplib would look its own name up in DNS; nothing is said before `_own_name` has replaced it.
_UNNAMED: Final = "[127.0.0.1]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What one visit to the server showed.

    `tls` is the protocol's version (`TLSv1.3`), None where nothing is encrypted.
    """

    relay: str
    tls: str | None
    logged_in: bool


async def probe(settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> ProbeReport:
    """Connect, secure the connection, log in, and leave without a message.

    Raises RelayUnavailable.
    """
    session = await connect(settings, tls)
    report = ProbeReport(
        relay=relay_name(settings),
        tls=session.tls_version,
        logged_in=settings.username is not None,
    )
    await session.quit()
    return report


async def connect(settings: SmtpSettings, tls: ssl.SSLContext | None = None) -> SmtpSession:
    """Open a connection, secure it, and log in. Raises RelayUnavailable.

    `tls` decides which certificates are trusted; without it, `default_trust` does.
    """
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        timeout=settings.timeout,
        use_tls=settings.security is Security.TLS,
        start_tls=False,
        tls_context=tls or default_trust(settings),
        local_hostname=_UNNAMED,
    )
    try:
        await _prepare(client, settings)
        return _take_over(client, settings)
    except BaseException:
        client.close()
        raise


def default_trust(settings: SmtpSettings) -> ssl.SSLContext | None:
    """The system's authorities, read from disk, which takes a while: None where nobody asks."""
    return None if settings.security is Security.NONE else ssl.create_default_context()


async def _prepare(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    async with _errors_at(Stage.CONNECT, settings):
        await client.connect()
    client.local_hostname = _own_name(client)
    async with _errors_at(Stage.HELLO, settings):
        await _hello(client)
    if settings.security is Security.STARTTLS:
        if not client.supports_extension("starttls"):
            raise connection_errors.no_starttls(settings)
        async with _errors_at(Stage.TLS, settings):
            await client.starttls()
        async with _errors_at(Stage.HELLO, settings):
            await _hello(client)
    if settings.username is not None:
        if not client.supports_extension("auth"):
            raise connection_errors.no_login(settings)
        async with _errors_at(Stage.LOGIN, settings):
            await _log_in(client, settings)


def _take_over(client: aiosmtplib.SMTP, settings: SmtpSettings) -> SmtpSession:
    if not client.is_connected:
        raise connection_errors.connection_lost(settings)
    return SmtpSession(
        SmtpProtocol.take_over(transport_of(client.transport)),
        Extensions.offered(client.esmtp_extensions),
        relay=relay_name(settings),
        timeout=settings.timeout,
        timeout_after_data=settings.timeout_after_data,
    )


@asynccontextmanager
async def _errors_at(stage: Stage, settings: SmtpSettings) -> AsyncIterator[None]:
    """Whatever fails inside becomes a RelayUnavailable that says at which stage, and why."""
    try:
        yield
    except (aiosmtplib.SMTPException, OSError) as error:
        raise connection_errors.to_error(error, stage, settings) from error


async def _hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _own_name(client: aiosmtplib.SMTP) -> str:
    """The name to say in EHLO: this host's if it is a full one, else its address literal.

    RFC 5321 section 4.1.4 asks for one of the two; a look-up in DNS could take as long as it likes.
    """
    name = socket.gethostname()
    if "." in name and name.isascii() and name.replace("-", "").replace(".", "").isalnum():
        return name
    address = str(client.get_transport_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


async def _log_in(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    """Log in by the first method that the server knows.

    Raises RelayUnavailable where it offers none that would do, and what aiosmtplib raises:
    SMTPAuthenticationError where we are not let in.
    """
    encrypted = client.get_transport_info("ssl_object") is not None
    methods = login_methods(settings, offered=client.server_auth_methods, encrypted=encrypted)
    if not methods:
        raise connection_errors.no_method(settings, client.server_auth_methods)
    for method in methods:
        try:
            await _log_in_by(method, client, settings)
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code not in _UNKNOWN_METHOD or method is methods[-1]:
                raise
        else:
            return


def login_methods(
    settings: SmtpSettings, *, offered: list[str], encrypted: bool
) -> tuple[Login, ...]:
    """The methods to try, in this order; `offered` as EHLO spells them, in any case."""
    on_offer = {name.lower() for name in offered}
    wanted = (settings.auth,) if settings.auth else _BEST_FIRST if encrypted else _HIDDEN_FIRST
    return tuple(method for method in wanted if method in on_offer)


async def _log_in_by(method: Login, client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    username, secret = settings.username or "", _login_secret(settings)
    match method:
        case Login.PLAIN:
            await client.auth_plain(username, secret)
        case Login.LOGIN:
            await client.auth_login(username, secret)
        case Login.CRAM_MD5:
            await client.auth_crammd5(username, secret)
        case Login.XOAUTH2:
            await client.auth_xoauth2(username, secret)


def _login_secret(settings: SmtpSettings) -> str:
    """The password, or the access token as its file has it now: tokens last for an hour or so."""
    if settings.auth is Login.XOAUTH2 and settings.password_file is not None:
        try:
            return settings.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            pass  # It may just be replaced. What it held when we started may be too old.
    return settings.password or ""
