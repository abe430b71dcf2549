"""Encryption and login, against aiosmtpd and against a scripted server."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from aiosmtpd.smtp import Envelope as ArrivedEnvelope
from aiosmtpd.smtp import Session as ArrivedSession

from digest.config.settings import Security, SmtpSettings
from digest.errors import RelayUnavailable
from digest.model.delivery import Accepted, Outcome, Reply, Unknown
from digest.sender.connection import ProbeReport, connect, probe
from digest.sender.local_server import free_port_controller
from digest.sender.message_data import Envelope
from digest.sender.smtp import SmtpTransport
from digest.sender.transaction import Extensions
from tests.faults.script import Action, Hang, Leave, Say, Stage, always
from tests.faults.scripted_server import ScriptedServer
from tests.sender.silence import in_time

Settings = Callable[..., SmtpSettings]
CERTIFICATES = Path(__file__).parent / "certificates"
ADA = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")
MESSAGE = b"Subject: Tuesday\r\n\r\n.News.\r\n"


def certified(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    return context


class Mailbox:
    """What an aiosmtpd server hands its messages to."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(  # noqa: N802 (aiosmtpd finds its hooks by name)
        self, server: SMTP, session: ArrivedSession, envelope: ArrivedEnvelope
    ) -> str:
        self.contents.append(bytes(envelope.original_content or b""))
        return "250 2.0.0 arrived"


def knows_ada(
    server: SMTP, session: ArrivedSession, envelope: ArrivedEnvelope, method: str, given: object
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given == LoginPassword(b"ada", b"secret"), handled=False)


@contextmanager
def wants_a_login(
    *, implicit: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, Mailbox]]:
    """A server of aiosmtpd on an encrypted connection: its port, and what it gets."""
    mailbox = Mailbox()
    controller = free_port_controller(
        mailbox,
        ssl_context=implicit,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=knows_ada,
        auth_required=True,
        # With implicit TLS, aiosmtpd does not know that it is encrypted, and warns of it.
        auth_require_tls=implicit is None,
    )
    controller.start()
    try:
        yield controller.port, mailbox
    finally:
        controller.stop()


@contextmanager
def encrypted(security: Security, name: str = "server") -> Iterator[tuple[int, Mailbox]]:
    context = certified(name)
    if security is Security.TLS:
        with wants_a_login(implicit=context) as server:
            yield server
    else:
        with wants_a_login(starttls=context) as server:
            yield server


ENCRYPTED = pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
# What aiosmtpd says of a login that it takes to be unencrypted.
quietly = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@ENCRYPTED
@quietly
def test_a_message_travels_encrypted_and_after_a_login(
    settings: Settings, trusted: ssl.SSLContext, security: Security
) -> None:
    async def main(port: int) -> list[Outcome]:
        relay = settings(
            port, host="localhost", security=security, username="ada", password="secret"
        )
        async with SmtpTransport(relay, tls=trusted) as transport:
            return [await transport.send(ADA, MESSAGE) for _ in range(3)]

    with encrypted(security) as (port, mailbox):
        outcomes = asyncio.run(main(port))

    assert outcomes == [Accepted(reply=Reply(code=250, text="arrived", enhanced="2.0.0"))] * 3
    assert mailbox.contents == [MESSAGE] * 3


@ENCRYPTED
@quietly
def test_a_probe_tells_how_a_server_let_us_in(
    settings: Settings, trusted: ssl.SSLContext, security: Security
) -> None:
    with encrypted(security) as (port, _):
        relay = settings(
            port, host="localhost", security=security, username="ada", password="secret"
        )
        report = asyncio.run(probe(relay, tls=trusted))

    assert report == ProbeReport(relay=f"localhost:{port}", tls="TLSv1.3", logged_in=True)


@ENCRYPTED
@quietly
def test_a_session_knows_what_a_server_offers(
    settings: Settings, trusted: ssl.SSLContext, security: Security
) -> None:
    async def main(port: int) -> Extensions:
        relay = settings(port, host="localhost", security=security)
        session = await connect(relay, trusted)
        await session.quit()
        return session.extensions

    with encrypted(security) as (port, _):
        extensions = asyncio.run(main(port))

    assert extensions.eight_bit
    assert extensions.smtputf8
    assert extensions.largest == 33_554_432
    assert not extensions.pipelining


@ENCRYPTED
@quietly
def test_a_wrong_password_is_told_and_never_shown(
    settings: Settings, trusted: ssl.SSLContext, security: Security
) -> None:
    with encrypted(security) as (port, _):
        relay = settings(
            port, host="localhost", security=security, username="ada", password="swordfish"
        )
        with pytest.raises(
            RelayUnavailable, match=r"refused to let us log in: 535 5.7.8"
        ) as caught:
            asyncio.run(probe(relay, tls=trusted))

    assert "smtp.password" in str(caught.value.hint)
    assert "swordfish" not in f"{caught.value.message} {caught.value.hint} {relay!r}"


@ENCRYPTED
@quietly
def test_a_certificate_of_an_unknown_authority_is_refused(
    settings: Settings, security: Security
) -> None:
    with (
        encrypted(security) as (port, _),
        pytest.raises(RelayUnavailable, match=r"certificate of localhost:.* is not trusted: .*"),
    ):
        asyncio.run(probe(settings(port, host="localhost", security=security)))


@ENCRYPTED
@quietly
def test_a_certificate_of_another_host_is_refused(
    settings: Settings, trusted: ssl.SSLContext, security: Security
) -> None:
    with (
        encrypted(security, "elsewhere") as (port, _),
        pytest.raises(RelayUnavailable, match=r"is not trusted: Hostname mismatch.*localhost"),
    ):
        asyncio.run(probe(settings(port, host="localhost", security=security), tls=trusted))


def test_a_server_that_wants_a_login_and_gets_none_is_at_fault_and_not_the_reader(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    async def main(port: int) -> None:
        relay = settings(port, host="localhost", security=Security.STARTTLS)
        async with SmtpTransport(relay, tls=trusted) as transport:
            with pytest.raises(RelayUnavailable, match=r"requires a login: 530 5.7.0"):
                await transport.send(ADA, MESSAGE)

    with encrypted(Security.STARTTLS) as (port, mailbox):
        asyncio.run(main(port))
    assert mailbox.contents == []


async def complaint_of(
    server: ScriptedServer, settings: Settings, trust: ssl.SSLContext, **changes: Any
) -> str:
    """What a probe of this server complains of."""
    async with server:
        relay = settings(server.port, host="localhost", **changes)
        with pytest.raises(RelayUnavailable) as caught:
            await probe(relay, tls=trust)
        assert caught.value.hint
        return caught.value.message.replace(str(server.port), "PORT")


def scripted_probe(
    server: ScriptedServer, settings: Settings, trust: ssl.SSLContext, **changes: Any
) -> str:
    """The same, in an event loop of its own."""
    return asyncio.run(complaint_of(server, settings, trust, **changes))


def test_what_is_to_be_encrypted_is_never_sent_in_the_clear(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    server = ScriptedServer()

    complaint = scripted_probe(server, settings, trusted, security=Security.STARTTLS)

    assert complaint == "localhost:PORT does not offer STARTTLS"
    assert [line[:4] for line in server.connections[0].commands] == [b"EHLO"]


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        (Say("454 4.7.0 no TLS now"), "localhost:PORT refused to start TLS: 454 4.7.0 no TLS now"),
        (
            Leave(),
            "localhost:PORT did not start TLS, the connection broke: Unexpected EOF received",
        ),
        (Hang(), "localhost:PORT did not start TLS within SOON s"),
        (Say("220 go ahead", leave=True), "localhost:PORT did not start TLS, the connection broke"),
    ],
)
def test_a_server_that_fails_at_starttls_is_named(
    settings: Settings, trusted: ssl.SSLContext, action: Action, complaint: str
) -> None:
    async def main(timeout: float) -> None:
        server = ScriptedServer(always({Stage.STARTTLS: action}), starttls=certified("server"))
        found = await complaint_of(
            server, settings, trusted, security=Security.STARTTLS, timeout=timeout
        )
        assert found.startswith(complaint.replace("SOON", f"{timeout:g}"))

    in_time(asyncio.run, main, action)


def test_what_is_slipped_in_behind_the_reply_to_starttls_is_forgotten(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    # RFC 3207 section 4.2: nothing that was said in the clear counts afterwards.
    script = always({Stage.STARTTLS: Say("220 go ahead\n250 AUTH PLAIN")})
    server = ScriptedServer(script, starttls=certified("server"))

    async def main() -> None:
        async with server:
            relay = settings(server.port, host="localhost", security=Security.STARTTLS)
            session = await connect(relay, trusted)
            assert session.tls_version == "TLSv1.3"
            assert session.extensions.pipelining
            await session.quit()
            with pytest.raises(RelayUnavailable, match="does not offer to log in"):
                await connect(replace(relay, username="ada", password="secret"), trusted)

    asyncio.run(main())


def test_tls_to_a_port_that_speaks_in_the_clear_hints_at_the_setting(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    complaint = scripted_probe(ScriptedServer(), settings, trusted, security=Security.TLS)

    assert complaint == "localhost:PORT does not start TLS: wrong version number"


def test_speaking_in_the_clear_to_a_tls_port_hints_at_the_setting(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    server = ScriptedServer(tls=certified("server"))

    complaint = scripted_probe(server, settings, trusted, timeout=0.2)

    assert complaint == "localhost:PORT did not greet us within 0.2 s"


@pytest.mark.parametrize("pieces", [None, 1])
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_pipelining_works_under_encryption_however_replies_are_cut(
    settings: Settings, trusted: ssl.SSLContext, security: Security, pieces: int | None
) -> None:
    context = certified("server")
    server = ScriptedServer(
        tls=context if security is Security.TLS else None,
        starttls=context if security is Security.STARTTLS else None,
        pieces=pieces,
        per_connection=2,
    )

    async def main() -> None:
        async with server:
            relay = settings(server.port, host="localhost", security=security, connections=2)
            async with SmtpTransport(relay, tls=trusted) as transport:
                outcomes = await asyncio.gather(
                    *(transport.send(ADA, MESSAGE + b"x" * 100_000) for _ in range(8))
                )
            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert len(server.accepted) == 8

    asyncio.run(main())


def test_encryption_that_breaks_off_after_the_dot_is_unknown(
    settings: Settings, trusted: ssl.SSLContext
) -> None:
    server = ScriptedServer(always({Stage.DOT: Leave(accept=True)}), tls=certified("server"))

    async def main() -> None:
        async with server:
            relay = settings(server.port, host="localhost", security=Security.TLS)
            async with SmtpTransport(relay, tls=trusted) as transport:
                assert isinstance(await transport.send(ADA, MESSAGE), Unknown)

    asyncio.run(main())
