"""Why a server cannot be used, as errors: what it said, and what to do about it."""

import os
import socket
import ssl
from collections.abc import Sequence
from enum import Enum
from typing import Final

import aiosmtplib

from digest.config.settings import Security, SmtpSettings
from digest.errors import RelayUnavailable
from digest.model.delivery import Reply
from digest.sender.replies import cleaned, reply_of


class Stage(Enum):
    """How far a connection had come. The value names what the server was to do."""

    CONNECT = "greet us"
    HELLO = "answer EHLO"
    TLS = "start TLS"
    LOGIN = "let us log in"


_LATER: Final = "Try again later; if it stays so, ask whoever runs the server."
_RUNNING: Final = "Check smtp.host and smtp.port, and that the server is running."
_SECURITY: Final = (
    'Check smtp.security: "tls" usually goes with port 465, "starttls" with 587, "none" with 25.'
)
_LOGIN: Final = "Check smtp.username and smtp.password (DIGEST_SMTP__PASSWORD)."


def relay_name(settings: SmtpSettings) -> str:
    """The server as messages name it."""
    return f"{settings.host}:{settings.port}"


def to_error(error: Exception, stage: Stage, settings: SmtpSettings) -> RelayUnavailable:
    """The RelayUnavailable for what went wrong while a connection was made."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLError):
        return _tls_error(cause, settings)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refusal(error, stage, settings)
    if isinstance(cause, socket.gaierror):
        return _unavailable(
            settings, f"the host name {settings.host} is not known", "Check smtp.host, and DNS."
        )
    if isinstance(error, TimeoutError):
        return _unavailable(
            settings,
            f"{relay_name(settings)} did not {stage.value} within {settings.timeout:g} s",
            f"{_RUNNING} {_SECURITY}" if stage is Stage.CONNECT else _LATER,
        )
    if stage is Stage.CONNECT:
        return _unavailable(
            settings, f"no SMTP server answers at {relay_name(settings)}: {_words(cause)}", _RUNNING
        )
    return _unavailable(
        settings,
        f"{relay_name(settings)} did not {stage.value}, the connection broke: {_words(cause)}",
        _SECURITY if stage is Stage.TLS else _LATER,
    )


def no_starttls(settings: SmtpSettings) -> RelayUnavailable:
    """The server does not offer STARTTLS, and to continue without is not for us to decide."""
    return _unavailable(settings, f"{relay_name(settings)} does not offer STARTTLS", _SECURITY)


def no_login(settings: SmtpSettings) -> RelayUnavailable:
    """A username is configured, and the server takes no login on this connection."""
    hint = "Leave out smtp.username, or use the port that is meant for logging in (587 or 465)."
    if settings.security is Security.NONE:
        hint = f"Most servers take a login on an encrypted connection only. {_SECURITY}"
    return _unavailable(settings, f"{relay_name(settings)} does not offer to log in", hint)


def no_method(settings: SmtpSettings, offered: Sequence[str]) -> RelayUnavailable:
    """The server takes logins, but by none of the methods that would do."""
    wanted = settings.auth or "plain, login or cram-md5"
    return _unavailable(
        settings,
        f"{relay_name(settings)} does not offer to log in by {wanted}, but by "
        f"{', '.join(sorted(name.lower() for name in offered)) or 'nothing'}",
        'Set smtp.auth to one that it offers; "xoauth2" wants an access token for a password.',
    )


def connection_lost(settings: SmtpSettings) -> RelayUnavailable:
    """The server hung up right after everything had gone well."""
    return _unavailable(
        settings, f"{relay_name(settings)} closed the connection right after opening it", _LATER
    )


def repeated_failures(relay: str, times: int, reason: str) -> RelayUnavailable:
    """Message after message got no answer."""
    return RelayUnavailable(
        f"{relay} failed {times} times in a row; the last time, {reason}",
        hint=_LATER,
    )


def _tls_error(error: ssl.SSLError, settings: SmtpSettings) -> RelayUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unavailable(
            settings,
            f"the certificate of {relay_name(settings)} is not trusted: {error.verify_message}",
            "Set smtp.host to the name in the certificate, and check that the certificate is "
            "valid and its authority known to this system.",
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return _unavailable(settings, f"{relay_name(settings)} does not start TLS: {reason}", _SECURITY)


def _refusal(
    error: aiosmtplib.SMTPResponseException, stage: Stage, settings: SmtpSettings
) -> RelayUnavailable:
    if error.code < 200:
        answer = cleaned(_raw(error.message)[:200])
        return _unavailable(
            settings,
            f"{relay_name(settings)} did not {stage.value}, but said what is no SMTP: {answer}",
            f"{_RUNNING} {_SECURITY}",
        )
    return _unavailable(
        settings,
        f"{relay_name(settings)} refused to {stage.value}: {_reply(error)}",
        _LOGIN if stage is Stage.LOGIN else _LATER,
    )


def _reply(error: aiosmtplib.SMTPResponseException) -> Reply:
    return reply_of(error.code, _raw(error.message).split(b"\n"))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _words(error: BaseException) -> str:
    errno = getattr(error, "errno", None)
    return os.strerror(errno) if errno else cleaned(_raw(str(error)))[:300]


def _unavailable(settings: SmtpSettings, message: str, hint: str) -> RelayUnavailable:
    name = relay_name(settings)
    return RelayUnavailable(message if name in message else f"{message} ({name})", hint=hint)
