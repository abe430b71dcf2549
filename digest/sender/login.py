"""Logging in: by the method that is configured, or the best one that the server offers.

aiosmtplib speaks the methods; which one is tried, and when to stop, is decided here. A wrong
password is wrong by any method, and trying it once more by each of the others is how accounts get
locked. Only a server that does not know a method after all is asked by the next.
"""

from typing import Final

import aiosmtplib

from digest.config.settings import Login, SmtpSettings

#: RFC 5321 and 4954: what was said is not known, not implemented, or not possible like this.
_UNKNOWN_METHOD: Final = frozenset({500, 501, 502, 503, 504})

#: Where nothing is encrypted, the one that does not show the password comes first.
_BEST_FIRST: Final = (Login.PLAIN, Login.LOGIN, Login.CRAM_MD5)
_HIDDEN_FIRST: Final = (Login.CRAM_MD5, Login.PLAIN, Login.LOGIN)


class NoMethod(Exception):
    """The server offers none of the methods that would do."""


def methods(settings: SmtpSettings, *, offered: list[str], encrypted: bool) -> tuple[Login, ...]:
    """The methods to try, in this order; `offered` as EHLO spells them, in any case."""
    on_offer = {name.lower() for name in offered}
    wanted = (settings.auth,) if settings.auth else _BEST_FIRST if encrypted else _HIDDEN_FIRST
    return tuple(method for method in wanted if method in on_offer)


async def log_in(client: aiosmtplib.SMTP, settings: SmtpSettings) -> Login:
    """Log in, and tell how.

    Raises NoMethod, and what aiosmtplib raises: SMTPAuthenticationError where we are not let in.
    """
    encrypted = client.get_transport_info("ssl_object") is not None
    refusal: aiosmtplib.SMTPAuthenticationError | None = None
    for method in methods(settings, offered=client.server_auth_methods, encrypted=encrypted):
        try:
            await _log_in(client, method, settings.username or "", secret_of(settings))
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code not in _UNKNOWN_METHOD:
                raise
            refusal = error
        else:
            return method
    raise refusal or NoMethod


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


def secret_of(settings: SmtpSettings) -> str:
    """The password, or the access token as its file has it now: tokens last for an hour or so."""
    if settings.auth is Login.XOAUTH2 and settings.password_file is not None:
        try:
            return settings.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            pass  # It may just be replaced. What it held when we started is told to be too old.
    return settings.password or ""
