"""A dialogue goes on in the turn of the event loop in which it is answered, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from digest.model.delivery import Reply
from digest.sender.protocol import SmtpProtocol
from tests.faults.scripted_server import ScriptedServer

Run = Callable[[Coroutine[Any, Any, None]], None]

NOOP = b"NOOP\r\n"
NOTHING_DONE = Reply(code=250, text="nothing done", enhanced="2.0.0")


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[SmtpProtocol, ScriptedServer]]:
    """A dialogue with a server that has greeted."""
    async with ScriptedServer() as server:
        loop = asyncio.get_running_loop()
        greeted = asyncio.Event()

        class Greeted(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                greeted.set()

        transport, _ = await loop.create_connection(Greeted, server.host, server.port)
        await greeted.wait()
        dialogue = SmtpProtocol.take_over(transport)
        yield dialogue, server
        await dialogue.closed(within=60)


def test_what_follows_is_asked_before_whoever_waits_is_told(run: Run) -> None:
    async def main() -> None:
        async with talking() as (dialogue, server):
            shown: list[Sequence[Reply]] = []

            def then(replies: Sequence[Reply]) -> None:
                shown.append(replies)
                dialogue.go_on([b"NO", b"OP\r\n"], replies=1, within=60)

            told = await dialogue.ask(NOOP * 2, replies=2, within=60, then=then)

            assert shown == [[NOTHING_DONE] * 2]
            assert told == [NOTHING_DONE]
            assert server.connections[0].commands == [b"NOOP"] * 3

    run(main())


def test_where_nothing_follows_the_replies_are_given_back(run: Run) -> None:
    async def main() -> None:
        async with talking() as (dialogue, _):
            told = await dialogue.ask(NOOP, replies=1, within=60, then=lambda replies: None)
            assert told == [NOTHING_DONE]

    run(main())


def test_what_goes_wrong_in_between_comes_out_and_nothing_follows(run: Run) -> None:
    def then(replies: Sequence[Reply]) -> None:
        raise ArithmeticError(f"{len(replies)} and nothing more")

    async def main() -> None:
        async with talking() as (dialogue, server):
            with pytest.raises(ArithmeticError, match="1 and nothing more"):
                await dialogue.ask(NOOP, replies=1, within=60, then=then)
            assert server.connections[0].commands == [b"NOOP"]

    run(main())


def test_who_is_cancelled_before_the_answer_is_there_goes_on_with_nothing(run: Run) -> None:
    async def main() -> None:
        async with talking() as (dialogue, _):
            shown: list[Sequence[Reply]] = []
            asking = asyncio.create_task(
                dialogue.ask(NOOP, replies=1, within=60, then=shown.append)
            )
            await asyncio.sleep(0)
            asking.cancel()
            # The very next thing that happens, before the task has had a turn.
            dialogue.data_received(b"250 2.0.0 nothing done\r\n")
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert shown == []

    run(main())


@pytest.mark.parametrize(
    "more",
    [b"250 and another\r\n", b"421 closing\r\n", b"nonsense\r\n", b"25", b"250-and\r\n"],
)
def test_where_more_was_said_than_asked_for_nothing_follows(run: Run, more: bytes) -> None:
    async def main() -> None:
        async with talking() as (dialogue, _):
            shown: list[Sequence[Reply]] = []
            asking = asyncio.create_task(dialogue.ask(b"", replies=1, within=60, then=shown.append))
            await asyncio.sleep(0)
            dialogue.data_received(b"250 one\r\n" + more)
            assert await asking == [Reply(code=250, text="one")]
            assert dialogue.lost is not None
            assert shown == []

    run(main())
