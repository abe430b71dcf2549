"""The transport against servers that are absent, refuse, hang, leave, or talk nonsense.

The measure is always the same: what was accepted is what the server has, and whoever was not
surely refused is either surely not sent (Deferred, or RelayUnavailable) or Unknown.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from digest.config.settings import SmtpSettings
from digest.errors import RelayUnavailable
from digest.model.delivery import Accepted, Deferred, Outcome, Rejected, Reply, Unknown
from digest.sender.message_data import Envelope
from digest.sender.smtp import SmtpTransport
from tests.faults.manners import OFFERED, PLAIN
from tests.faults.script import Action, Hang, Leave, Moment, Say, Script, Stage, Stall, always
from tests.faults.scripted_server import ScriptedServer, held_port, serving
from tests.sender.silence import LONG_ENOUGH, in_silence, in_time

Settings = Callable[..., SmtpSettings]
Run = Callable[[Coroutine[Any, Any, None]], None]
ADA = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")
EVE = Envelope(mail_from="news@example.org", rcpt_to="eve@example.com")
MESSAGE = b"Subject: Tuesday\r\n\r\nNews.\r\n"
BOTH = pytest.mark.parametrize("extensions", [OFFERED, PLAIN], ids=["pipelined", "plain"])
GARBAGE = Say(b"what is this\r\n")
ENDLESS = Say(b"250-" + b"x" * 10_000_000)


def first(stage: Stage, action: Action) -> Script:
    """The script of one fault, and of an honest server from then on."""
    return lambda moment: action if moment.stage is stage and moment.nth == 1 else None


async def unavailable(settings: SmtpSettings) -> RelayUnavailable:
    with pytest.raises(RelayUnavailable) as caught:
        async with SmtpTransport(settings) as transport:
            await transport.send(ADA, MESSAGE)
    assert caught.value.hint
    return caught.value


def test_an_absent_server_is_named(settings: Settings) -> None:
    with held_port("127.0.0.1") as nobody_listens:
        port = nobody_listens.getsockname()[1]
        error = asyncio.run(unavailable(settings(port)))

    assert error.message == f"no SMTP server answers at 127.0.0.1:{port}: Connection refused"


@pytest.mark.parametrize(
    ("stage", "action", "complaint"),
    [
        (Stage.GREETING, Say("554 5.7.1 not you"), "refused to greet us: 554 5.7.1 not you"),
        (Stage.GREETING, Say("421 busy", leave=True), "refused to greet us: 421 busy"),
        (Stage.GREETING, Leave(), "no SMTP server answers at"),
        (Stage.GREETING, Hang(), "did not greet us within SOON s"),
        (Stage.GREETING, GARBAGE, "did not greet us, but said what is no SMTP: .*what is this"),
        (Stage.GREETING, ENDLESS, "did not greet us, but said what is no SMTP: Response too long"),
        (Stage.EHLO, Say("421 4.3.2 closing", leave=True), "answer EHLO: 421 4.3.2 closing"),
        (Stage.EHLO, Leave(), "did not answer EHLO, the connection broke"),
        (Stage.EHLO, Hang(), "did not answer EHLO within SOON s"),
        (Stage.EHLO, GARBAGE, "did not answer EHLO, but said what is no SMTP"),
        (Stage.EHLO, ENDLESS, "did not answer EHLO, but said what is no SMTP"),
        (Stage.AUTH, Say("535 5.7.8 wrong"), "refused to let us log in: 535 5.7.8 wrong"),
        (Stage.AUTH, Say("534 5.7.9 too weak"), "refused to let us log in: 534 5.7.9 too weak"),
        (Stage.AUTH, Leave(), "did not let us log in, the connection broke"),
        (Stage.AUTH, Hang(), "did not let us log in within SOON s"),
        (Stage.MAIL, Hang(), "does not answer MAIL FROM: the server said nothing for SOON s"),
        (Stage.MAIL, Say("530 5.7.0 log in first"), "requires a login: 530 5.7.0 log in first"),
        (Stage.MAIL, Say("553 5.7.1 not your address"), "refuses the sender's address: 553 5.7.1"),
        (Stage.RCPT, Say("530 5.7.0 log in first"), "requires a login: 530 5.7.0 log in first"),
        (
            Stage.RCPT,
            Say("554 5.7.1 <ada@example.com>: Relay access denied"),
            "does not relay for us: 554 5.7.1",
        ),
        (Stage.RCPT, Say("550 relay not permitted"), "does not relay for us: 550"),
        (Stage.RCPT, Say("550 5.7.54 unable to relay recipient"), "does not relay for us: 550"),
    ],
)
@BOTH
def test_a_server_at_fault_is_named_with_what_it_said(
    run: Run,
    settings: Settings,
    extensions: tuple[str, ...],
    stage: Stage,
    action: Action,
    complaint: str,
) -> None:
    async def main(timeout: float) -> None:
        script = always({stage: action})
        async with ScriptedServer(script, extensions=(*extensions, "AUTH PLAIN")) as server:
            login = {"username": "ada", "password": "secret"} if stage is Stage.AUTH else {}
            said = complaint.replace("SOON", f"{timeout:g}")
            with pytest.raises(RelayUnavailable, match=said) as caught:
                async with SmtpTransport(
                    settings(server.port, timeout=timeout, **login)
                ) as transport:
                    await transport.send(ADA, MESSAGE)

            assert f"127.0.0.1:{server.port}" in caught.value.message
            assert caught.value.hint
            assert "secret" not in caught.value.message
            assert server.accepted == []

    in_time(run, main, action)


def test_a_server_that_takes_no_login_says_what_to_change(run: Run, settings: Settings) -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            error = await unavailable(settings(server.port, username="ada", password="secret"))
            assert "does not offer to log in" in error.message
            assert "smtp.security" in str(error.hint)

    run(main())


HUNG = "the server said nothing for SOON s"
GONE = "the server closed the connection"
NONSENSE = "the server sent 'what is this' is no SMTP reply"
TOO_LONG = "the server sent a reply longer than 32,768 octets"


CLOSING = Say("421 4.3.2 closing", leave=True)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Hang(), HUNG),
        (Leave(), GONE),
        (GARBAGE, NONSENSE),
        (ENDLESS, TOO_LONG),
        (CLOSING, "the server closes the connection"),
    ],
)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA])
@BOTH
def test_a_line_lost_before_the_message_is_deferred_and_the_next_reader_is_served(
    run: Run,
    settings: Settings,
    extensions: tuple[str, ...],
    stage: Stage,
    action: Action,
    reason: str,
) -> None:
    async def main(timeout: float) -> None:
        async with ScriptedServer(first(stage, action), extensions=extensions) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:
                outcomes = [await transport.send(who, MESSAGE) for who in (ADA, EVE)]

            assert isinstance(outcomes[0], Deferred)
            assert outcomes[0].reason == reason.replace("SOON", f"{timeout:g}")
            assert isinstance(outcomes[1], Accepted)
            assert server.readers == ["eve@example.com"]
            assert len(server.connections) == 2

    in_time(run, main, action)


@pytest.mark.parametrize(
    "action", [Stall(), Leave(after=1), Leave(after=100_000), GARBAGE, ENDLESS, CLOSING]
)
@BOTH
def test_a_line_lost_in_the_middle_of_the_message_is_deferred_too(
    run: Run, settings: Settings, extensions: tuple[str, ...], action: Action
) -> None:
    # More than the system's buffers hold, so that all of it cannot have left.
    message = MESSAGE + (b"x" * 70 + b"\r\n") * 200_000

    async def main(timeout: float) -> None:
        commits: list[str] = []
        unlimited = tuple(name for name in extensions if "SIZE" not in name)
        async with ScriptedServer(first(Stage.BODY, action), extensions=unlimited) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:
                outcome = await transport.send(
                    ADA, message, before_commit=lambda: commits.append("dot")
                )
                after = await transport.send(EVE, MESSAGE)

            assert isinstance(outcome, Deferred)
            assert commits in ([], ["dot"])
            assert server.counts[Stage.DOT] == 1
            assert isinstance(after, Accepted)
            assert server.readers == ["eve@example.com"]

    in_time(run, main, action)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Hang(), HUNG),
        (Hang(accept=True), HUNG),
        (Leave(), GONE),
        (Leave(accept=True), GONE),
        (GARBAGE, NONSENSE),
        (ENDLESS, TOO_LONG),
        (Say(b"25", leave=True), GONE),
    ],
)
@BOTH
def test_a_line_lost_after_the_final_dot_is_unknown(
    run: Run, settings: Settings, extensions: tuple[str, ...], action: Action, reason: str
) -> None:
    async def main(timeout: float) -> None:
        said = reason.replace("SOON", f"{timeout:g}")
        async with ScriptedServer(first(Stage.DOT, action), extensions=extensions) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:
                outcomes = [await transport.send(who, MESSAGE) for who in (ADA, EVE)]

            assert outcomes[0] == Unknown(
                reason=f"{said}, after the message and before the server had answered it"
            )
            assert isinstance(outcomes[1], Accepted)
            assert server.readers.count("eve@example.com") == 1
            # Once at most, and we never tried again.
            assert server.counts[Stage.DOT] == 2

    in_time(run, main, action)


@BOTH
def test_closing_with_421_after_the_dot_is_a_refusal_and_not_a_doubt(
    run: Run, settings: Settings, extensions: tuple[str, ...]
) -> None:
    async def main() -> None:
        script = always({Stage.DOT: Say("421 4.3.2 closing", leave=True)})
        async with ScriptedServer(script, extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(ADA, MESSAGE)
            assert outcome == Deferred(
                reason="the server closes the connection",
                reply=Reply(code=421, text="closing", enhanced="4.3.2"),
            )
            assert server.accepted == []

    run(main())


@BOTH
def test_a_server_that_closes_with_421_after_a_dot_in_between_is_asked_again_at_once(
    run: Run, settings: Settings, extensions: tuple[str, ...]
) -> None:
    def script(moment: Moment) -> Action | None:
        second = moment.stage is Stage.DOT and moment.nth == 2
        return Say("421 4.3.2 restarting", leave=True) if second else None

    async def main() -> None:
        dots: list[int] = []
        async with ScriptedServer(script, extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                for who in (ADA, EVE):
                    outcome = await transport.send(
                        who, MESSAGE, before_commit=lambda: dots.append(server.counts[Stage.DOT])
                    )
                    assert isinstance(outcome, Accepted)
            assert server.readers == ["ada@example.com", "eve@example.com"]
            assert len(server.connections) == 2
            # Each dot is announced, also the one that comes to nothing.
            assert dots == [0, 1, 2]

    run(main())


def test_connections_that_all_break_at_one_moment_are_not_held_against_the_server(
    run: Run, settings: Settings
) -> None:
    def script(moment: Moment) -> Action | None:
        return Leave() if moment.stage is Stage.DOT and moment.nth <= 6 else None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port, connections=6)) as transport:
                broken = await asyncio.gather(*(transport.send(ADA, MESSAGE) for _ in range(6)))
                outcome = await transport.send(EVE, MESSAGE)
            assert all(isinstance(out, Unknown) for out in broken)
            assert isinstance(outcome, Accepted)
            assert server.readers == ["eve@example.com"]

    run(main())


def test_a_receipt_counts_even_when_the_server_leaves_right_after_it(
    run: Run, settings: Settings
) -> None:
    async def main() -> None:
        async with ScriptedServer(always({Stage.DOT: Say("250 ok", leave=True)})) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = [await transport.send(who, MESSAGE) for who in (ADA, EVE)]
            assert outcomes == [Accepted(reply=Reply(code=250, text="ok"))] * 2
            assert server.readers == ["ada@example.com", "eve@example.com"]

    run(main())


def test_a_refused_reader_stays_refused_when_the_server_leaves_right_after(
    run: Run,
    settings: Settings,
) -> None:
    async def main() -> None:
        script = always({Stage.RCPT: Say("550 5.1.1 no such user", leave=True)})
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(ADA, MESSAGE)
            assert isinstance(outcome, Rejected)

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("554 5.6.0 too long", Rejected), ("452 4.3.1 disk full", Deferred), ("250 fine", Deferred)],
)
def test_an_answer_in_the_middle_of_the_message_ends_it_there(
    run: Run, settings: Settings, answer: str, kind: type[Outcome]
) -> None:
    message = MESSAGE + (b"x" * 70 + b"\r\n") * 200_000

    async def main() -> None:
        commits: list[str] = []
        script = always({Stage.BODY: Say(answer)})
        async with ScriptedServer(script, extensions=("PIPELINING",)) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(
                    ADA, message, before_commit=lambda: commits.append("dot")
                )
            assert isinstance(outcome, kind)
            assert commits in ([], ["dot"])
            assert server.accepted == []

    run(main())


@BOTH
def test_a_server_that_leaves_in_the_middle_of_every_message_is_given_up(
    run: Run, settings: Settings, extensions: tuple[str, ...]
) -> None:
    async def main() -> None:
        script = always({Stage.DATA: Leave()})
        async with ScriptedServer(script, extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                for _ in range(5):
                    assert isinstance(await transport.send(ADA, MESSAGE), Deferred)
                with pytest.raises(RelayUnavailable, match="failed 5 times in a row"):
                    await transport.send(ADA, MESSAGE)
            assert len(server.connections) == 5

    run(main())


def test_a_server_that_never_gives_receipts_is_not_fed_the_whole_list(
    run: Run, settings: Settings
) -> None:
    async def main() -> None:
        async with ScriptedServer(always({Stage.DOT: Leave()})) as server:
            async with SmtpTransport(settings(server.port, connections=3)) as transport:

                async def one() -> Outcome | RelayUnavailable:
                    try:
                        return await transport.send(ADA, MESSAGE)
                    except RelayUnavailable as error:
                        return error

                results = await asyncio.gather(*(one() for _ in range(50)))

            unknown = [result for result in results if isinstance(result, Unknown)]
            assert len(unknown) == server.counts[Stage.DOT] <= 5 + 3
            assert len(unknown) + sum(isinstance(r, RelayUnavailable) for r in results) == 50

    run(main())


def test_connections_cut_now_and_then_lose_nobody_and_send_nothing_twice(
    run: Run,
    settings: Settings,
) -> None:
    def script(moment: Moment) -> Action | None:
        match moment.stage:
            case Stage.RCPT if moment.nth % 7 == 0:
                return Leave()
            case Stage.DATA if moment.nth % 11 == 0:
                return Say("421 4.3.0 restarting", leave=True)
            case Stage.DOT if moment.nth % 13 == 0:
                return Leave(accept=moment.nth % 2 == 0)
            case _:
                return None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port, connections=4)) as transport:
                names = [f"reader{number}@example.com" for number in range(200)]
                outcomes = await asyncio.gather(
                    *(
                        transport.send(
                            Envelope(mail_from="news@example.org", rcpt_to=name), MESSAGE
                        )
                        for name in names
                    )
                )

            by_name = dict(zip(names, outcomes, strict=True))
            accepted = {name for name, out in by_name.items() if isinstance(out, Accepted)}
            unknown = {name for name, out in by_name.items() if isinstance(out, Unknown)}
            assert len(server.readers) == len(set(server.readers))
            assert accepted <= set(server.readers) <= accepted | unknown
            assert len(unknown) == server.counts[Stage.DOT] // 13
            assert all(isinstance(out, Accepted | Unknown | Deferred) for out in outcomes)

    run(main())


def test_a_server_that_goes_away_between_messages_is_missed_at_the_next_one(
    run: Run,
    settings: Settings,
) -> None:
    async def main() -> None:
        async with ScriptedServer(always({Stage.DOT: Say("250 ok", leave=True)})) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                assert isinstance(await transport.send(ADA, MESSAGE), Accepted)
                server.stop_listening()
                with pytest.raises(RelayUnavailable, match="no SMTP server answers"):
                    await transport.send(EVE, MESSAGE)
            assert server.readers == ["ada@example.com"]

    run(main())


@pytest.mark.parametrize(
    ("stage", "committed"),
    [(Stage.MAIL, False), (Stage.RCPT, False), (Stage.DATA, False), (Stage.DOT, True)],
)
@BOTH
def test_whoever_interrupts_knows_whether_the_dot_was_written(
    run: Run, settings: Settings, extensions: tuple[str, ...], stage: Stage, *, committed: bool
) -> None:
    async def main() -> None:
        reached = asyncio.Event()
        commits: list[str] = []

        def script(moment: Moment) -> Action | None:
            if moment.stage is not stage:
                return None
            reached.set()
            return Hang()

        async with ScriptedServer(script, extensions=extensions) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                sending = asyncio.create_task(
                    transport.send(ADA, MESSAGE, before_commit=lambda: commits.append("dot"))
                )
                await reached.wait()
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending

            assert commits == (["dot"] if committed else [])
            assert server.counts[Stage.DOT] == committed

    run(main())


def test_an_answer_that_came_while_we_were_busy_is_not_late(run: Run, settings: Settings) -> None:
    async def main(silence: float) -> None:
        # The server has a thread of its own, which may be held up while we are not.
        timeout = 10 * silence
        with serving(ScriptedServer()) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:

                def busy() -> None:
                    # The ledger may keep the event loop for longer than the server may take. When
                    # that has come to the message, it has given its answer.
                    until = time.monotonic() + 1.2 * timeout
                    while time.monotonic() < until or not server.counts[Stage.BODY]:
                        pass

                sending = asyncio.create_task(transport.send(ADA, MESSAGE))
                while not (server.counts[Stage.MAIL] or sending.done()):
                    await asyncio.sleep(0)
                if not sending.done():
                    busy()
                assert isinstance(await sending, Accepted)
                assert isinstance(await transport.send(EVE, MESSAGE), Accepted)
            assert len(server.connections) == 1

    in_silence(run, main)


def test_a_server_that_does_not_say_farewell_is_left_without_it(
    run: Run, settings: Settings
) -> None:
    async def main(timeout: float) -> None:
        async with ScriptedServer(always({Stage.QUIT: Hang()})) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:
                outcome = await transport.send(ADA, MESSAGE)
            assert isinstance(outcome, Accepted)

    in_silence(run, main)


@pytest.mark.parametrize(
    ("stage", "short", "long", "kind"),
    [
        (Stage.DOT, "timeout_after_data", "timeout", Unknown),
        (Stage.RCPT, "timeout", "timeout_after_data", Deferred),
    ],
)
def test_the_reply_to_the_dot_has_a_patience_of_its_own(
    run: Run, settings: Settings, stage: Stage, short: str, long: str, kind: type[Outcome]
) -> None:
    async def main(timeout: float) -> None:
        timeouts = {short: timeout, long: LONG_ENOUGH}
        async with (
            ScriptedServer(first(stage, Hang())) as server,
            SmtpTransport(settings(server.port, **timeouts)) as transport,
        ):
            assert isinstance(await transport.send(ADA, MESSAGE), kind)

    in_silence(run, main)


def test_the_first_of_two_receipts_counts_and_the_line_is_not_used_again(
    run: Run, settings: Settings
) -> None:
    async def main() -> None:
        script = always({Stage.DOT: Say("250 taken\n550 or rather not")})
        async with ScriptedServer(script) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcomes = [await transport.send(who, MESSAGE) for who in (ADA, EVE)]
            assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted]
            assert len(server.connections) == 2

    run(main())
