"""The transport against a scripted server that speaks correctly."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.config.settings import SmtpSettings
from digest.errors import RelayUnavailable, SenderError
from digest.model.delivery import Accepted, Deferred, Outcome, Rejected, Reply, Unknown
from digest.sender.message_data import Envelope
from digest.sender.smtp import SmtpTransport
from tests.faults.manners import OFFERED, PLAIN
from tests.faults.script import Action, Moment, Say, Script, Stage, always, honest
from tests.faults.scripted_server import ScriptedServer

Settings = Callable[..., SmtpSettings]
MESSAGE = b"Subject: Tuesday\r\n\r\n.hidden\r\n..\r\n.\r\nend\r\n"
BOTH = pytest.mark.parametrize("extensions", [OFFERED, PLAIN], ids=["pipelined", "plain"])


def to(reader: str, mail_from: str = "news@example.org") -> Envelope:
    return Envelope(mail_from=mail_from, rcpt_to=reader)


def readers(count: int) -> list[str]:
    return [f"reader{number}@example.com" for number in range(count)]


async def send_all(
    transport: SmtpTransport, envelopes: list[Envelope], message: bytes = MESSAGE
) -> list[Outcome]:
    return [await transport.send(envelope, message) for envelope in envelopes]


@BOTH
def test_a_message_arrives_as_it_was_over_one_connection(
    settings: Settings, extensions: tuple[str, ...]
) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(transport, [to(reader) for reader in readers(3)])

            assert outcomes == [Accepted(reply=Reply(code=250, text="taken", enhanced="2.0.0"))] * 3
            assert server.readers == readers(3)
            assert {message.content for message in server.accepted} == {MESSAGE}
            assert len(server.connections) == 1
            assert server.connections[0].commands[-1] == b"QUIT"

    asyncio.run(main())


def test_a_pipelining_server_gets_its_commands_in_one_write(settings: Settings) -> None:
    # This one answers MAIL only after it has seen DATA, and would hang a plain dialogue.
    async def main() -> None:
        async with ScriptedServer(merge=True) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                await transport.send(to("ada@example.com"), MESSAGE)
            commands = server.connections[0].commands

        assert commands[1:] == [
            b"MAIL FROM:<news@example.org> SIZE=41",
            b"RCPT TO:<ada@example.com>",
            b"DATA",
            b"QUIT",
        ]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("stage", "answer", "outcome"),
    [
        (
            Stage.RCPT,
            "450 4.2.0 greylisted",
            Deferred(
                reason="the server deferred the reader's address",
                reply=Reply(code=450, text="greylisted", enhanced="4.2.0"),
            ),
        ),
        (
            Stage.RCPT,
            "552 5.2.2 mailbox full",
            Deferred(
                reason="the server cannot accept this reader now",
                reply=Reply(code=552, text="mailbox full", enhanced="5.2.2"),
            ),
        ),
        (
            Stage.RCPT,
            "550-5.1.1 no such user\n550 5.1.1 here",
            Rejected(
                reason="the server refused the reader's address",
                reply=Reply(code=550, text="no such user here", enhanced="5.1.1"),
            ),
        ),
        (
            Stage.MAIL,
            "452 4.3.1 disk full",
            Deferred(
                reason="the server deferred the sender",
                reply=Reply(code=452, text="disk full", enhanced="4.3.1"),
            ),
        ),
        (
            Stage.DATA,
            "451 not now",
            Deferred(reason="the server deferred DATA", reply=Reply(code=451, text="not now")),
        ),
        (
            Stage.DATA,
            "554 never",
            Rejected(reason="the server refused DATA", reply=Reply(code=554, text="never")),
        ),
        (
            Stage.DOT,
            "451 4.3.0 queue trouble",
            Deferred(
                reason="the server deferred the message",
                reply=Reply(code=451, text="queue trouble", enhanced="4.3.0"),
            ),
        ),
        (
            Stage.DOT,
            "554 5.6.0 looks like spam",
            Rejected(
                reason="the server refused the message",
                reply=Reply(code=554, text="looks like spam", enhanced="5.6.0"),
            ),
        ),
        (
            Stage.DOT,
            "354 more",
            Unknown(
                reason="the server answered the message with 354 more,"
                " which neither accepts nor refuses it"
            ),
        ),
    ],
)
@BOTH
def test_a_refusal_concerns_one_reader_and_the_next_one_is_served(
    settings: Settings, extensions: tuple[str, ...], stage: Stage, answer: str, outcome: Outcome
) -> None:
    def script(moment: Moment) -> Action | None:
        return Say(answer) if moment.stage is stage and moment.nth == 1 else None

    async def main() -> None:
        async with ScriptedServer(script, extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(transport, [to(reader) for reader in readers(2)])

            assert outcomes[0] == outcome
            assert isinstance(outcomes[1], Accepted)
            assert server.readers == ["reader1@example.com"]
            assert len(server.connections) == 1

    asyncio.run(main())


def test_a_go_ahead_after_a_refused_reader_is_answered_with_just_the_dot(
    settings: Settings,
) -> None:
    # RFC 2920 section 3.1: the server may say 354 although nobody was accepted.
    def script(moment: Moment) -> Action | None:
        refused = moment.stage is Stage.RCPT and b"gone@" in moment.argument
        return Say("550 5.1.1 no such user") if refused else None

    async def main() -> None:
        async with ScriptedServer(script, accepts_nobody_late=True) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                names = ["ada@example.com", "gone@example.com", "eve@example.com"]
                outcomes = await send_all(transport, [to(name) for name in names])

            assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Accepted]
            assert server.readers == ["ada@example.com", "eve@example.com"]
            assert server.connections[0].dots == 3
            assert len(server.connections) == 1

    asyncio.run(main())


@BOTH
def test_a_server_that_takes_two_messages_a_connection_loses_none_of_nine(
    settings: Settings, extensions: tuple[str, ...]
) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=extensions, per_connection=2) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(transport, [to(reader) for reader in readers(9)])

            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert server.readers == readers(9)
            assert len(server.connections) == 5

    asyncio.run(main())


@pytest.mark.parametrize("answer", ["452 4.5.3 too many in this session", "550 enough"])
def test_a_refused_sender_on_a_used_connection_gets_a_fresh_one_first(
    settings: Settings, answer: str
) -> None:
    def script(moment: Moment) -> Action | None:
        return Say(answer) if moment.stage is Stage.MAIL and moment.served >= 3 else None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(transport, [to(reader) for reader in readers(7)])

            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert len(server.connections) == 3

    asyncio.run(main())


def test_a_connection_that_the_server_dropped_while_idle_is_replaced(settings: Settings) -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.DOT and moment.nth == 1:
            return Say("250 taken\n421 4.4.2 idle for too long", leave=True)
        return None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(transport, [to(reader) for reader in readers(2)])

            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert len(server.connections) == 2

    asyncio.run(main())


def test_many_tasks_share_the_connections(settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with SmtpTransport(settings(server.port, connections=4)) as transport:
                assert transport.connections == 4
                await asyncio.gather(
                    *(transport.send(to(reader), MESSAGE) for reader in readers(40))
                )

            assert sorted(server.readers) == sorted(readers(40))
            assert len(server.connections) == 4
            assert all(seen.commands[-1] == b"QUIT" for seen in server.connections)

    asyncio.run(main())


def test_when_further_connections_are_refused_the_first_ones_carry_everything(
    settings: Settings,
) -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.GREETING and moment.connection > 2:
            return Say("421 4.7.0 too many connections", leave=True)
        return None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port, connections=6)) as transport:
                outcomes = await asyncio.gather(
                    *(transport.send(to(reader), MESSAGE) for reader in readers(30))
                )

            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert sorted(server.readers) == sorted(readers(30))
            assert {message.connection for message in server.accepted} == {1, 2}

    asyncio.run(main())


def test_nothing_but_a_promise_is_committed(settings: Settings) -> None:
    """`before_commit` comes after the go-ahead and the text, and before the dot."""

    async def main() -> None:
        seen: list[int] = []
        async with ScriptedServer() as server:
            async with SmtpTransport(settings(server.port)) as transport:
                await transport.send(
                    to("ada@example.com"),
                    MESSAGE,
                    before_commit=lambda: seen.append(server.counts[Stage.DOT]),
                )
            assert seen == [0]
            assert server.readers == ["ada@example.com"]

    asyncio.run(main())


def test_a_ledger_that_fails_before_the_dot_stops_the_message(settings: Settings) -> None:
    class LedgerFull(Exception):
        pass

    def fail() -> None:
        raise LedgerFull

    async def main() -> None:
        async with ScriptedServer() as server:
            async with SmtpTransport(settings(server.port)) as transport:
                with pytest.raises(LedgerFull):
                    await transport.send(to("ada@example.com"), MESSAGE, before_commit=fail)
                after = await transport.send(to("eve@example.com"), MESSAGE)

            assert isinstance(after, Accepted)
            assert server.readers == ["eve@example.com"]
            assert len(server.connections) == 2

    asyncio.run(main())


@pytest.mark.parametrize(
    ("reader", "extensions", "mail", "rcpt"),
    [
        (
            "zoë@bücher.example",
            OFFERED,
            b"MAIL FROM:<news@example.org> SIZE=41 BODY=8BITMIME SMTPUTF8",
            "RCPT TO:<zoë@xn--bcher-kva.example>".encode(),
        ),
        (
            "ada@bücher.example",
            OFFERED,
            b"MAIL FROM:<news@example.org> SIZE=41",
            b"RCPT TO:<ada@xn--bcher-kva.example>",
        ),
        (
            "ada@example.com",
            ("8BITMIME",),
            b"MAIL FROM:<news@example.org>",
            b"RCPT TO:<ada@example.com>",
        ),
    ],
)
def test_parameters_are_given_where_they_are_offered_and_needed(
    settings: Settings, reader: str, extensions: tuple[str, ...], mail: bytes, rcpt: bytes
) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(to(reader), MESSAGE)

            assert isinstance(outcome, Accepted)
            assert server.connections[0].commands[1:3] == [mail, rcpt]

    asyncio.run(main())


def test_an_eight_bit_message_says_so(settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with SmtpTransport(settings(server.port)) as transport:
                await transport.send(to("ada@example.com"), "Grüße\r\n".encode())
            assert server.connections[0].commands[1].endswith(b" SIZE=9 BODY=8BITMIME")
            assert server.accepted[0].content == "Grüße\r\n".encode()

    asyncio.run(main())


def test_readers_that_cannot_be_mailed_from_here_are_rejected_without_a_word_to_the_server(
    settings: Settings,
) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=PLAIN) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = await send_all(
                    transport, [to("zoë@example.com"), to("nobody"), to("a@b>\r\nDATA")]
                )
            relay = f"127.0.0.1:{server.port}"
            assert outcomes == [
                Rejected(reason=f"the address needs SMTPUTF8, and {relay} does not offer it"),
                Rejected(reason="the address is not of the form name@domain"),
                Rejected(reason="the address has a domain that DNS cannot hold"),
            ]
            assert [line[:4] for line in server.connections[0].commands] == [b"EHLO", b"QUIT"]

    asyncio.run(main())


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.DOT])
def test_no_reader_is_blamed_where_the_server_finds_the_message_too_large(
    settings: Settings, stage: Stage
) -> None:
    def script(moment: Moment) -> Action | None:
        first = moment.stage is stage and moment.nth == 1
        return Say("552 5.3.4 message too big") if first else None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                with pytest.raises(RelayUnavailable, match=r"of this size: 552 5\.3\.4"):
                    await transport.send(to("ada@example.com"), MESSAGE)
                assert isinstance(await transport.send(to("ada@example.com"), MESSAGE), Accepted)
            assert len(server.connections) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("extensions", "mail_from", "message", "complaint"),
    [
        (("SIZE 20",), "news@example.org", MESSAGE, "takes messages of at most 20 octets"),
        ((), "news@example.org", b"\xff\r\n", "does not offer 8BITMIME"),
        ((), "zoë@example.org", MESSAGE, "the sender's address zoë@example.org needs SMTPUTF8"),
        ((), "no address", MESSAGE, "the sender's address 'no address' is not of the form"),
    ],
)
def test_no_reader_is_blamed_for_what_the_server_cannot_carry(
    settings: Settings,
    extensions: tuple[str, ...],
    mail_from: str,
    message: bytes,
    complaint: str,
) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=("PIPELINING", *extensions)) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                with pytest.raises(RelayUnavailable, match=complaint) as caught:
                    await transport.send(to("ada@example.com", mail_from), message)
            assert caught.value.hint
            assert server.accepted == []

    asyncio.run(main())


def test_the_null_sender_is_a_sender(settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer(extensions=()) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                await transport.send(to("ada@example.com", ""), MESSAGE)
            assert server.accepted[0].mail == b"MAIL FROM:<>"

    asyncio.run(main())


def test_a_server_without_ehlo_is_spoken_to_plainly(settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer(always({Stage.EHLO: Say("502 what?")})) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(to("ada@example.com"), MESSAGE)
            assert isinstance(outcome, Accepted)
            assert server.accepted[0].mail == b"MAIL FROM:<news@example.org>"

    asyncio.run(main())


def test_a_closed_transport_says_so(settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            async with SmtpTransport(settings(server.port)) as transport:
                pass
            with pytest.raises(SenderError, match="have been closed"):
                await transport.send(to("ada@example.com"), MESSAGE)

    asyncio.run(main())


async def _outcomes(
    settings: Settings, script: Script, *, extensions: tuple[str, ...], pieces: int | None
) -> list[Outcome]:
    names = ["ada@example.com", "gone@example.com", "full@example.com", "eve@example.com"]
    async with (
        ScriptedServer(script, extensions=extensions, pieces=pieces) as server,
        SmtpTransport(settings(server.port)) as transport,
    ):
        return await send_all(transport, [to(name) for name in names])


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    pieces=st.integers(1, 40),
    pipelined=st.booleans(),
    answers=st.lists(
        st.sampled_from(["250 2.1.5 fine", "550-5.1.1 no\n550 5.1.1 such user", "452 4.2.2 full"]),
        min_size=4,
        max_size=4,
    ),
)
def test_outcomes_do_not_depend_on_how_the_replies_are_cut(
    settings: Settings, pieces: int, pipelined: bool, answers: list[str]
) -> None:
    def script(moment: Moment) -> Action | None:
        return Say(answers[moment.nth - 1]) if moment.stage is Stage.RCPT else None

    extensions = OFFERED if pipelined else PLAIN

    async def main() -> None:
        whole = await _outcomes(settings, script, extensions=extensions, pieces=None)
        cut = await _outcomes(settings, script, extensions=extensions, pieces=pieces)
        assert cut == whole

    asyncio.run(main())


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.one_of(st.sampled_from([b".", b"..", b"", b".x"]), st.binary(max_size=50)).filter(
            lambda line: b"\r" not in line and b"\n" not in line
        ),
        min_size=1,
        max_size=30,
    )
)
def test_lines_of_dots_arrive_equal(settings: Settings, lines: list[bytes]) -> None:
    message = b"\r\n".join(lines) + b"\r\n"

    async def main() -> None:
        async with ScriptedServer(honest) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                await transport.send(to("ada@example.com"), message)
            assert server.accepted[0].content == message

    asyncio.run(main())
