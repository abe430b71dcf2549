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
        return RelayUnavailable(
            f"the host name {settings.host} is not known ({relay_name(settings)})",
            hint="Check smtp.host, and DNS.",
        )
    if isinstance(error, TimeoutError):
        return _unavailable(
            settings,
            f"did not {stage.value} within {settings.timeout:g} s",
            f"{_RUNNING} {_SECURITY}" if stage is Stage.CONNECT else _LATER,
        )
    if stage is Stage.CONNECT:
        return RelayUnavailable(
            f"no SMTP server answers at {relay_name(settings)}: {_words(cause)}", hint=_RUNNING
        )
    hint = _SECURITY if stage is Stage.TLS else _LATER
    broke = f"did not {stage.value}, the connection broke: {_words(cause)}"
    return _unavailable(settings, broke, hint)


def no_starttls(settings: SmtpSettings) -> RelayUnavailable:
    """The server does not offer STARTTLS, and to continue without is not for us to decide."""
    return _unavailable(settings, "does not offer STARTTLS", _SECURITY)


def no_login(settings: SmtpSettings) -> RelayUnavailable:
    """A username is configured, and the server takes no login on this connection."""
    hint = "Leave out smtp.username, or use the port that is meant for logging in (587 or 465)."
    if settings.security is Security.NONE:
        hint = f"Most servers take a login on an encrypted connection only. {_SECURITY}"
    return _unavailable(settings, "does not offer to log in", hint)


def no_method(settings: SmtpSettings, offered: Sequence[str]) -> RelayUnavailable:
    """The server takes logins, but by none of the methods that would do."""
    wanted = settings.auth or "plain, login or cram-md5"
    return _unavailable(
        settings,
        f"does not offer to log in by {wanted}, but by "
        f"{', '.join(sorted(name.lower() for name in offered)) or 'nothing'}",
        'Set smtp.auth to one that it offers; "xoauth2" wants an access token for a password.',
    )


def connection_lost(settings: SmtpSettings) -> RelayUnavailable:
    """The server hung up right after everything had gone well."""
    return _unavailable(settings, "closed the connection right after opening it", _LATER)


def repeated_failures(relay: str, times: int, reason: str) -> RelayUnavailable:
    """Message after message got no answer."""
    return RelayUnavailable(
        f"{relay} failed {times} times in a row; the last time, {reason}", hint=_LATER
    )


def _tls_error(error: ssl.SSLError, settings: SmtpSettings) -> RelayUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        return RelayUnavailable(
            f"the certificate of {relay_name(settings)} is not trusted: {error.verify_message}",
            hint="Set smtp.host to the name in the certificate, and check that the certificate is "
            "valid and its authority known to this system.",
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return _unavailable(settings, f"does not start TLS: {reason}", _SECURITY)


def _refusal(
    error: aiosmtplib.SMTPResponseException, stage: Stage, settings: SmtpSettings
) -> RelayUnavailable:
    if error.code < 200:
        answer = cleaned(_raw(error.message)[:200])
        problem = f"did not {stage.value}, but said what is no SMTP: {answer}"
        return _unavailable(settings, problem, f"{_RUNNING} {_SECURITY}")
    reply = reply_of(error.code, _raw(error.message).split(b"\n"))
    hint = _LOGIN if stage is Stage.LOGIN else _LATER
    return _unavailable(settings, f"refused to {stage.value}: {reply}", hint)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _words(error: BaseException) -> str:
    errno = getattr(error, "errno", None)
    return os.strerror(errno) if errno else cleaned(_raw(str(error)))[:300]


def _unavailable(settings: SmtpSettings, problem: str, hint: str) -> RelayUnavailable:
    """The error of a server that did `problem`, a phrase that follows its name."""
    return RelayUnavailable(f"{relay_name(settings)} {problem}", hint=hint)
