"""Opening a connection: TCP, TLS, EHLO and login by aiosmtplib; the dialogue then takes it over.

Logging in: by the method that is configured, or the best one that the server offers.

aiosmtplib speaks the methods; which one is tried, and when to stop, is decided here. A wrong
password is wrong by any method, and trying it once more by each of the others is how accounts get
locked. Only a server that does not know a method after all is asked by the next.

A look at the server without a message: whether it lets us in, and what it offers.
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
from digest.sender.replies import cleaned
from digest.sender.transaction import Extensions, SmtpSession

#: RFC 5321 and 4954: what was said is not known, not implemented, or not possible like this.
_UNKNOWN_METHOD: Final = frozenset({500, 501, 502, 503, 504})

#: Where nothing is encrypted, the one that does not show the password comes first.
_BEST_FIRST: Final = (Login.PLAIN, Login.LOGIN, Login.CRAM_MD5)
_HIDDEN_FIRST: Final = (Login.CRAM_MD5, Login.PLAIN, Login.LOGIN)


class NoLoginMethod(Exception):
    """The server offers none of the methods that would do."""


def login_methods(
    settings: SmtpSettings, *, offered: list[str], encrypted: bool
) -> tuple[Login, ...]:
    """The methods to try, in this order; `offered` as EHLO spells them, in any case."""
    on_offer = {name.lower() for name in offered}
    wanted = (settings.auth,) if settings.auth else _BEST_FIRST if encrypted else _HIDDEN_FIRST
    return tuple(method for method in wanted if method in on_offer)


async def log_in(client: aiosmtplib.SMTP, settings: SmtpSettings) -> Login:
    """Log in, and tell how.

    Raises NoLoginMethod, and what aiosmtplib raises: SMTPAuthenticationError where we are not let in.
    """
    encrypted = client.get_transport_info("ssl_object") is not None
    refusal: aiosmtplib.SMTPAuthenticationError | None = None
    for method in login_methods(settings, offered=client.server_auth_methods, encrypted=encrypted):
        try:
            await _log_in(client, method, settings.username or "", login_secret(settings))
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code not in _UNKNOWN_METHOD:
                raise
            refusal = error
        else:
            return method
    raise refusal or NoLoginMethod


async def _log_in(client: aiosmtplib.SMTP, method: Login, username: str, secret: str) -> None:
    match method:
        case Login.PLAIN:
            await client.auth_plain(username, secret)
        case Login.LOGIN:
            await client.auth_login(username, secret)
        case Login.CRAM_MD5:
            await client.auth_crammd5(username, secret)
        case Login.XOAUTH2:
            await client.auth_xoauth2(username, secret)


def login_secret(settings: SmtpSettings) -> str:
    """The password, or the access token as its file has it now: tokens last for an hour or so."""
    if settings.auth is Login.XOAUTH2 and settings.password_file is not None:
        try:
            return settings.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            pass  # It may just be replaced. What it held when we started is told to be too old.
    return settings.password or ""


#: aiosmtplib would look its own name up in DNS; nothing is said before `_own_name` has it.
_UNNAMED: Final = "[127.0.0.1]"

#: How aiosmtplib decodes what servers say.
_AS_RECEIVED: Final = ("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection that is ready for messages, and how it came about.

    `tls` is the protocol's version (`TLSv1.3`), None where nothing is encrypted. `logins` are the
    methods the server offers.
    """

    session: SmtpSession
    greeting: str
    extensions: Extensions
    tls: str | None
    logins: tuple[str, ...]
    logged_in: bool


def default_trust(settings: SmtpSettings) -> ssl.SSLContext | None:
    """The system's authorities, read from disk, which takes a while: None where nobody asks."""
    return None if settings.security is Security.NONE else ssl.create_default_context()


async def connect(settings: SmtpSettings, tls: ssl.SSLContext | None = None) -> Connection:
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
        return await _prepared(client, settings)
    except BaseException:
        client.close()
        raise


async def _prepared(client: aiosmtplib.SMTP, settings: SmtpSettings) -> Connection:
    async with _told(Stage.CONNECT, settings):
        greeting = await client.connect()
    client.local_hostname = _own_name(client)
    async with _told(Stage.HELLO, settings):
        await _hello(client)
    if settings.security is Security.STARTTLS:
        if not client.supports_extension("starttls"):
            raise connection_errors.no_starttls(settings)
        async with _told(Stage.TLS, settings):
            await client.starttls()
        async with _told(Stage.HELLO, settings):
            await _hello(client)
    if settings.username is not None:
        if not client.supports_extension("auth"):
            raise connection_errors.no_login(settings)
        async with _told(Stage.LOGIN, settings):
            await _logged_in(client, settings)
    return _taken_over(client, settings, greeting=cleaned(greeting.message.encode(*_AS_RECEIVED)))


def _taken_over(client: aiosmtplib.SMTP, settings: SmtpSettings, *, greeting: str) -> Connection:
    if not client.is_connected:
        raise connection_errors.connection_lost(settings)
    encryption = client.get_transport_info("ssl_object")
    extensions = Extensions.offered(client.esmtp_extensions)
    dialogue = SmtpProtocol.take_over(transport_of(client.transport))
    return Connection(
        session=SmtpSession(
            dialogue,
            extensions,
            relay=relay_name(settings),
            timeout=settings.timeout,
            timeout_after_data=settings.timeout_after_data,
        ),
        greeting=greeting,
        extensions=extensions,
        tls=encryption.version() if encryption is not None else None,
        logins=tuple(sorted(method.upper() for method in client.server_auth_methods)),
        logged_in=settings.username is not None,
    )


async def _logged_in(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    try:
        await log_in(client, settings)
    except NoLoginMethod:
        raise connection_errors.no_method(settings, client.server_auth_methods) from None


async def _hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


@asynccontextmanager
async def _told(stage: Stage, settings: SmtpSettings) -> AsyncIterator[None]:
    """Whatever fails inside becomes a RelayUnavailable that says at which stage, and why."""
    try:
        yield
    except (aiosmtplib.SMTPException, OSError) as error:
        raise connection_errors.to_error(error, stage, settings) from error


def _own_name(client: aiosmtplib.SMTP) -> str:
    """The name to say in EHLO: this host's if it is a full one, else its address literal.

    RFC 5321 section 4.1.4 asks for one of the two; a look-up in DNS could take as long as it likes.
    """
    name = socket.gethostname()
    if "." in name and name.isascii() and name.replace("-", "").replace(".", "").isalnum():
        return name
    address = str(client.get_transport_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


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
