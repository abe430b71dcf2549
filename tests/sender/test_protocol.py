"""A dialogue goes on in the turn of the event loop in which it is answered, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from digest.model.delivery import Accepted, Outcome, Reply
from digest.sender.message_data import Envelope, OutgoingMessage
from digest.sender.protocol import ConnectionLost, Dialogue, SmtpProtocol
from digest.sender.transaction import Extensions, SmtpSession
from tests.faults.scripted_server import ScriptedServer

Run = Callable[[Coroutine[Any, Any, None]], None]

NOOP = b"NOOP\r\n"
NOTHING_DONE = Reply(code=250, text="nothing done", enhanced="2.0.0")
OPENING = [b"MAIL FROM:<news@example.org>", b"RCPT TO:<ada@example.com>", b"DATA"]
GO_AHEAD = b"250 fine\r\n250 fine\r\n354 go ahead\r\n"


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[SmtpProtocol, ScriptedServer]]:
    """A connection to a server that has greeted."""
    async with ScriptedServer() as server:
        loop = asyncio.get_running_loop()
        greeted = asyncio.Event()

        class Greeted(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                greeted.set()

        transport, _ = await loop.create_connection(Greeted, server.host, server.port)
        await greeted.wait()
        protocol = SmtpProtocol.take_over(transport)
        yield protocol, server
        await protocol.close(timeout=60)


async def ask(
    protocol: SmtpProtocol, data: bytes | Sequence[bytes], *, replies: int, timeout: float
) -> Sequence[Reply]:
    """A dialogue of one question."""

    def dialogue() -> Dialogue[Sequence[Reply]]:
        return (yield protocol.ask(data, replies=replies, timeout=timeout))

    return await protocol.run(dialogue())


def carry(
    protocol: SmtpProtocol, before_commit: Callable[[], None]
) -> Coroutine[Any, Any, Outcome]:
    """A transaction on a connection, whose server does PIPELINING."""
    session = SmtpSession(
        protocol,
        Extensions(pipelining=True),
        relay="relay.example:25",
        timeout=60,
        timeout_after_data=60,
    )
    envelope = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")
    data = (b"Subject: News\r\n\r\n", b".\r\n")
    return session.send(
        OutgoingMessage(envelope, len(data[0]), ascii_only=True, data=data), before_commit
    )


def test_commands_in_one_write_get_their_replies_in_order(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, server):
            replies = await ask(
                protocol, [b"NO", b"OP\r\nRSET", b"\r\nNOOP\r\n"], replies=3, timeout=60
            )

            assert [reply.code for reply in replies] == [250, 250, 250]
            assert replies[0] == replies[2] == NOTHING_DONE
            assert server.connections[0].commands == [b"NOOP", b"RSET", b"NOOP"]

    run(main())


def test_one_request_after_the_other_gets_its_own_replies(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, server):
            first = await ask(protocol, NOOP * 2, replies=2, timeout=60)
            second = await ask(protocol, NOOP, replies=1, timeout=60)

            assert first == [NOTHING_DONE] * 2
            assert second == [NOTHING_DONE]
            assert server.connections[0].commands == [b"NOOP"] * 3

    run(main())


def test_what_follows_is_asked_before_whoever_waits_is_told(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, server):
            seen: list[Sequence[Reply]] = []

            def twice() -> Dialogue[str]:
                seen.append((yield protocol.ask(NOOP * 2, replies=2, timeout=60)))
                seen.append((yield protocol.ask([b"RS", b"ET\r\n"], replies=1, timeout=60)))
                return "done"

            asking = asyncio.create_task(protocol.run(twice()))
            while not seen:
                await asyncio.sleep(0)
            assert not asking.done()
            assert await asking == "done"
            assert [len(replies) for replies in seen] == [2, 1]
            assert server.connections[0].commands == [b"NOOP", b"NOOP", b"RSET"]

    run(main())


def test_a_message_leaves_in_the_turn_in_which_the_go_ahead_comes(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            commits: list[str] = []
            sending = asyncio.create_task(carry(protocol, lambda: commits.append("dot")))
            await asyncio.sleep(0)
            protocol.data_received(GO_AHEAD)
            assert commits == ["dot"]
            protocol.data_received(b"250 2.0.0 taken\r\n")
            accepted = Accepted(reply=Reply(code=250, text="taken", enhanced="2.0.0"))
            assert await sending == accepted

    run(main())


def test_a_dialogue_that_asks_after_the_loss_ends_with_it(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, server):
            replies: list[Sequence[Reply]] = []

            def persistent() -> Dialogue[None]:
                for _ in range(3):
                    replies.append((yield protocol.ask(NOOP, replies=1, timeout=60)))
                    protocol.lose(ConnectionLost("enough"))

            with pytest.raises(ConnectionLost, match="enough"):
                await protocol.run(persistent())
            with pytest.raises(ConnectionLost, match="enough"):
                await ask(protocol, NOOP, replies=1, timeout=60)
            assert replies == [[NOTHING_DONE]]
            assert server.connections[0].commands == [b"NOOP"]

    run(main())


def test_a_dialogue_is_closed_when_its_task_is_cancelled(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            ends: list[str] = []

            def waiting() -> Dialogue[None]:
                try:
                    yield protocol.ask(b"", replies=1, timeout=60)
                finally:
                    ends.append("closed")

            asking = asyncio.create_task(protocol.run(waiting()))
            await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert ends == ["closed"]

    run(main())


def test_two_tasks_cannot_speak_at_once(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            first = asyncio.create_task(ask(protocol, NOOP, replies=1, timeout=60))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="two tasks"):
                await ask(protocol, NOOP, replies=1, timeout=60)
            assert await first == [NOTHING_DONE]

    run(main())


def test_what_goes_wrong_in_between_comes_out_and_nothing_follows(run: Run) -> None:
    def fail() -> None:
        raise ArithmeticError("nothing more")

    async def main() -> None:
        async with connected() as (protocol, server):
            with pytest.raises(ArithmeticError, match="nothing more"):
                await carry(protocol, fail)
            assert protocol.lost is not None
            assert server.connections[0].commands == OPENING
            assert not server.accepted

    run(main())


def test_who_is_cancelled_before_the_answer_is_there_goes_on_with_nothing(run: Run) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            commits: list[str] = []
            sending = asyncio.create_task(carry(protocol, lambda: commits.append("dot")))
            await asyncio.sleep(0)
            sending.cancel()
            # The very next thing that happens, before the task has had a turn.
            protocol.data_received(GO_AHEAD)
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert commits == []
            assert protocol.lost is not None

    run(main())


MORE = [b"250 and another\r\n", b"421 closing\r\n", b"nonsense\r\n", b"25", b"250-and\r\n"]


@pytest.mark.parametrize("more", MORE)
def test_where_more_was_said_than_asked_for_nothing_follows(run: Run, more: bytes) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            commits: list[str] = []
            sending = asyncio.create_task(carry(protocol, lambda: commits.append("dot")))
            await asyncio.sleep(0)
            protocol.data_received(GO_AHEAD + more)
            with pytest.raises(ConnectionLost) as caught:
                await sending
            assert caught.value is protocol.lost
            assert commits == []

    run(main())


@pytest.mark.parametrize("more", MORE)
def test_replies_count_although_more_was_said_than_asked_for(run: Run, more: bytes) -> None:
    async def main() -> None:
        async with connected() as (protocol, _):
            asking = asyncio.create_task(ask(protocol, b"", replies=1, timeout=60))
            await asyncio.sleep(0)
            protocol.data_received(b"250 one\r\n" + more)
            assert await asking == [Reply(code=250, text="one")]
            assert protocol.lost is not None

    run(main())
